/* choice.c: reads the configuration as often as it takes to know the engine. */
#include "process/choice.h"

#include "config/config_texts.h"
#include "core/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refuse_name(const struct config *config, char *why, size_t why_size)
{
    size_t len =
        (size_t)snprintf(why, why_size, "%s: engine '%s' is not built in; there are: " ENGINE_AUTO,
                         config_place(config, "engine"), config->engine);

    for (size_t i = 0; engine_at(i) != NULL && len < why_size; i++)
        len += (size_t)snprintf(why + len, why_size - len, ", %s", engine_at(i)->name);
    for (size_t i = 0; engine_alias_at(i) != NULL && len < why_size; i++)
        len += (size_t)snprintf(why + len, why_size - len, ", %s", engine_alias_at(i)->name);
    return -EINVAL;
}

/* Reads it again, with `settings` as by -o after all others. */
static int read_again(const struct config_source *source, const char *const *settings,
                      size_t settings_count, struct choice *choice, char *why, size_t why_size)
{
    struct config_source with = *source;
    size_t count = source->settings_count;
    const char **all = calloc(count + settings_count + 1, sizeof all[0]);

    if (all == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++)
        all[i] = source->settings[i];
    for (size_t i = 0; i < settings_count; i++)
        all[count + i] = settings[i];
    with.settings = all;
    with.settings_count = count + settings_count;
    choice_free(choice);
    int error = config_load(&with, why, why_size, &choice->config);
    free(all);
    return error;
}

/* An alias is an engine with a setting. Who has set the same key to something else wants to hear
 * that, and not to be overruled. */
static int take_alias(const struct config_source *source, const struct engine_alias *alias,
                      struct choice *choice, char *why, size_t why_size)
{
    enum demultiplexer_kind demultiplexer = choice->config->demultiplexer;
    enum processor_kind processor = choice->config->processor;
    char key[32];

    snprintf(key, sizeof key, "%.*s", (int)strcspn(alias->setting, "="), alias->setting);
    bool is_set = strcmp(config_place(choice->config, key), "default") != 0;
    int error = read_again(source, &alias->setting, 1, choice, why, why_size);
    if (error < 0)
        return error;
    const struct config *config = choice->config;
    if (!is_set || (config->demultiplexer == demultiplexer && config->processor == processor))
        return 0;
    snprintf(why, why_size,
             "%s: engine %s is engine %s with %s, and %s is set to something else: take one of "
             "them away",
             config_place(config, "engine"), alias->name, alias->engine, alias->setting, key);
    return -EINVAL;
}

/* What auto, or engine_fallback, takes, if it is asked. */
static int take_by_auto(const struct config_source *source, struct choice *choice, char *why,
                        size_t why_size)
{
    struct auto_choice *by_auto = &choice->by_auto;
    const char *settings[ARRAY_LEN(by_auto->settings)];

    if (auto_choose(choice->config, choice->ops, by_auto) < 0) {
        snprintf(why, why_size, "%s", by_auto->sentence);
        return -ENOTSUP;
    }
    if (by_auto->ops == NULL)
        return 0;
    choice->ops = by_auto->ops;
    for (size_t i = 0; i < by_auto->settings_count; i++)
        settings[i] = by_auto->settings[i];
    return read_again(source, settings, by_auto->settings_count, choice, why, why_size);
}

static int choose(const struct config_source *source, struct choice *choice, char *why,
                  size_t why_size)
{
    int error = config_load(source, why, why_size, &choice->config);
    if (error < 0)
        return error;
    const struct engine_alias *alias = engine_alias_find(choice->config->engine);
    if (alias != NULL) {
        error = take_alias(source, alias, choice, why, why_size);
        if (error < 0)
            return error;
        choice->ops = engine_find(alias->engine);
        CHECK(choice->ops != NULL);
    } else {
        choice->ops = engine_find(choice->config->engine);
    }
    error = take_by_auto(source, choice, why, why_size);
    if (error == 0 && choice->ops == NULL)
        error = refuse_name(choice->config, why, why_size);
    return error;
}

int choice_make(const struct config_source *source, struct choice *ret_choice, char *why,
                size_t why_size)
{
    struct config_texts texts = { 0 };
    struct config_source with = *source;

    *ret_choice = (struct choice){ .config = NULL };
    if (with.texts == NULL)
        with.texts = &texts;
    int error = choose(&with, ret_choice, why, why_size);
    config_texts_free(&texts);
    return error;
}

void choice_free(struct choice *choice)
{
    config_free(choice->config);
    choice->config = NULL;
}
