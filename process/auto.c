/* auto.c: asks the engines whether they can run, the best one first. */
#include "process/auto.h"

#include "core/check.h"
#include "core/cpus.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* By what a request costs. The pool is for those who ask for it: its hand-overs pay where requests
 * take long, and here they do not. */
static const char *const preferred[] = { "proactor", "multi-reactor", "reactor" };

static void note(char *why, size_t why_size, const char *name, const char *reason)
{
    size_t len = strlen(why);
    snprintf(why + len, why_size - len, "%snot %s: %s", len > 0 ? "; " : "", name, reason);
}

/* Why the engine does not honour what the configuration asks for, or NULL. */
static const char *find_objection(const char *name, const struct config *config, unsigned threads)
{
    unsigned loops = cpus_threads(threads);
    if (strcmp(name, "multi-reactor") == 0 && loops == 1)
        return "one event loop is enough";
    if (config == NULL)
        return NULL;
    bool proactor = strcmp(name, "proactor") == 0;
    if (proactor && loops > 1 && config->accept_mode == ACCEPT_HANDOFF)
        return "accept = handoff is multi-reactor's";
    if (proactor && config->processor != PROCESSOR_IO_URING)
        return "emulated (processor = epoll), it is for who asks for it by name";
    return NULL;
}

const struct engine_ops *auto_best(const struct config *config, unsigned threads,
                                   const struct engine_ops *except, char *ret_why, size_t why_size)
{
    ret_why[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(preferred); i++) {
        const struct engine_ops *ops = engine_find(preferred[i]);
        const char *objection;
        char reason[512];
        if (ops == except)
            continue;
        if (ops == NULL)
            note(ret_why, why_size, preferred[i], "not built in");
        else if ((objection = find_objection(ops->name, config, threads)) != NULL)
            note(ret_why, why_size, ops->name, objection);
        else if (ops->probe(config, reason, sizeof(reason)) < 0)
            note(ret_why, why_size, ops->name, reason);
        else
            return ops;
    }
    return NULL;
}

static void set(struct auto_choice *choice, const char *key, const char *value)
{
    CHECK(choice->settings_count < ARRAY_LEN(choice->settings));
    snprintf(choice->settings[choice->settings_count++], sizeof(choice->settings[0]), "%s=%s", key,
             value);
}

/* Goes on with the sentence. */
static void add(struct auto_choice *choice, const char *text)
{
    size_t len = strlen(choice->sentence);
    snprintf(choice->sentence + len, sizeof(choice->sentence) - len, "%s", text);
}

static int choose(const struct config *config, const struct engine_ops *refused, const char *reason,
                  struct auto_choice *choice)
{
    char passed[600];

    choice->ops = auto_best(config, config->threads, refused, passed, sizeof(passed));
    const char *name = choice->ops != NULL ? choice->ops->name : "none";
    const char *also = passed[0] != '\0' ? "; " : "";
    if (refused == NULL)
        snprintf(choice->sentence, sizeof(choice->sentence), "engine auto takes %s%s%s", name, also,
                 passed);
    else
        snprintf(choice->sentence, sizeof(choice->sentence),
                 "engine_fallback takes %s for %s, which cannot run here: %s%s%s", name,
                 refused->name, reason, also, passed);
    if (choice->ops == NULL)
        return -ENOTSUP;
    choice->settings_known = refused != NULL ? refused->settings : 0;
    for (size_t i = 0; i < ARRAY_LEN(preferred); i++) {
        const struct engine_ops *ops = engine_find(preferred[i]);
        choice->settings_known |= ops != NULL ? ops->settings : 0;
    }
    choice->level = refused == NULL ? LOG_INFO : LOG_WARN;
    set(choice, "engine", name);
    if (config->file_io == FILE_IO_SPLICE && !choice->ops->splices) {
        set(choice, "file_io", "auto");
        add(choice, "; with file_io = auto, since splice is proactor's");
    }
    if (config->file_jobs != FILE_JOBS_AUTO &&
        !(choice->ops->file_jobs & 1u << config->file_jobs)) {
        set(choice, "file_jobs", "auto");
        add(choice, "; with file_jobs = auto, since it does not have the one that is set");
    }
    return 0;
}

int auto_choose(const struct config *config, const struct engine_ops *ops,
                struct auto_choice *ret_choice)
{
    char reason[512];

    *ret_choice = (struct auto_choice){ .ops = NULL };
    if (strcmp(config->engine, ENGINE_AUTO) == 0)
        return choose(config, NULL, NULL, ret_choice);
    if (ops == NULL || !config->engine_fallback || ops->probe(config, reason, sizeof(reason)) == 0)
        return 0;
    return choose(config, ops, reason, ret_choice);
}
