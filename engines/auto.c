/* auto.c: asks the engines whether they can run, the best one first. */
#include "engines/auto.h"

#include "core/check.h"
#include "engines/cpus.h"

#include <errno.h>
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

const struct engine_ops *auto_best(unsigned threads, const struct engine_ops *except, char *ret_why,
                                   size_t why_size)
{
    ret_why[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(preferred); i++) {
        const struct engine_ops *ops = engine_find(preferred[i]);
        char reason[512];
        if (ops == except)
            continue;
        if (ops == NULL)
            note(ret_why, why_size, preferred[i], "not built in");
        else if (strcmp(ops->name, "multi-reactor") == 0 && cpus_threads(threads) == 1)
            note(ret_why, why_size, ops->name, "one event loop is enough");
        else if (ops->probe(reason, sizeof(reason)) < 0)
            note(ret_why, why_size, ops->name, reason);
        else
            return ops;
    }
    return NULL;
}

static int choose(const struct config *config, const struct engine_ops *refused, const char *reason,
                  struct auto_choice *choice)
{
    bool all_cpus = refused == NULL && strcmp(config_place(config, "threads"), "default") == 0;
    unsigned threads = all_cpus ? 0 : config->threads;
    char passed[600];

    choice->ops = auto_best(threads, refused, passed, sizeof(passed));
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
    choice->level = refused == NULL ? LOG_INFO : LOG_WARN;
    snprintf(choice->settings[choice->settings_count++], sizeof(choice->settings[0]), "engine=%s",
             name);
    if (all_cpus)
        snprintf(choice->settings[choice->settings_count++], sizeof(choice->settings[0]),
                 "threads=0");
    return 0;
}

int auto_choose(const struct config *config, struct auto_choice *ret_choice)
{
    const struct engine_ops *ops = engine_find(config->engine);
    char reason[512];

    *ret_choice = (struct auto_choice){ .ops = NULL };
    if (strcmp(config->engine, ENGINE_AUTO) == 0)
        return choose(config, NULL, NULL, ret_choice);
    if (ops == NULL || !config->engine_fallback || ops->probe(reason, sizeof(reason)) == 0)
        return 0;
    return choose(config, ops, reason, ret_choice);
}
