/* unused.c: the settings that each engine honours are told by its table. */
#include "process/unused.h"

#include <stdio.h>

/* "reactor-pool and thread-pool": the engines that have a use for the setting. */
static void list_engines(unsigned setting, char *text, size_t size)
{
    size_t left = 0, len = 0;

    for (size_t i = 0; engine_at(i) != NULL; i++)
        left += (engine_at(i)->settings & setting) != 0;
    text[0] = '\0';
    for (size_t i = 0; engine_at(i) != NULL && len < size; i++) {
        if ((engine_at(i)->settings & setting) == 0)
            continue;
        left--;
        len += (size_t)snprintf(text + len, size - len, "%s%s", engine_at(i)->name,
                                left > 1    ? ", "
                                : left == 1 ? " and "
                                            : "");
    }
}

/* Does the engine's loop read files itself, though it may have workers for that? They are what
 * these two settings are about. */
static bool reads_inline(const struct choice *choice)
{
    enum file_jobs by = choice->config->file_jobs;

    if (by == FILE_JOBS_AUTO)
        by = choice->ops->file_jobs_by_default;
    return (choice->ops->settings & ENGINE_SETTING_FILE_WORKERS) != 0 && by == FILE_JOBS_INLINE;
}

/* What is honoured here, or would be where another engine is chosen. */
static unsigned honoured(const struct choice *choice)
{
    unsigned settings = choice->ops->settings;

    if (reads_inline(choice))
        settings &= ~(unsigned)(ENGINE_SETTING_FILE_WORKERS | ENGINE_SETTING_WORKER_QUEUE);
    if (choice->config->processor == PROCESSOR_EPOLL)
        settings &= ~(unsigned)ENGINE_SETTING_COALESCE;
    return choice->by_auto.ops != NULL ? settings | choice->by_auto.settings_known : settings;
}

/* What the configuration has found itself: those behind the settings of engines. */
static bool warning_next(const struct config *config, size_t *index, char *text, size_t size)
{
    const struct config_warning *warning = config->warnings;
    size_t settings = 0;

    while (engine_setting_at(settings) != NULL)
        settings++;
    for (size_t i = settings; warning != NULL && i < *index; i++)
        warning = warning->next;
    if (warning == NULL)
        return false;
    snprintf(text, size, "%s", warning->text);
    (*index)++;
    return true;
}

bool unused_next(const struct choice *choice, size_t *index, char *text, size_t size)
{
    const char *key;
    char engines[256];

    while ((key = engine_setting_at(*index)) != NULL) {
        unsigned setting = 1u << (*index)++;

        if ((honoured(choice) & setting) != 0 || !config_is_changed(choice->config, key) ||
            setting == ENGINE_SETTING_THREADS) /* who has one loop refuses to have more */
            continue;
        const char *place = config_place(choice->config, key);
        if ((choice->ops->settings & setting) == 0) {
            list_engines(setting, engines, sizeof(engines));
            snprintf(text, size, "%s: engine %s has no use for %s; it is for %s", place,
                     choice->ops->name, key, engines);
        } else if (setting == ENGINE_SETTING_COALESCE) {
            snprintf(text, size,
                     "%s: processor = epoll waits for one completion, and has no use for %s", place,
                     key);
        } else if (choice->config->file_workers == 0 && setting == ENGINE_SETTING_FILE_WORKERS) {
            continue; /* which says so */
        } else {
            snprintf(text, size,
                     "%s: engine %s reads files in its event loop, and has no use for %s: set "
                     "file_jobs = workers",
                     place, choice->ops->name, key);
        }
        return true;
    }
    return warning_next(choice->config, index, text, size);
}
