/* config_warn.c: see config_warn.h. */
#include "config/config_warn.h"

#include <stdarg.h>
#include <stdio.h>

void config_warn_text(const struct config_build *build, struct config *config, const char *text)
{
    struct config_warning *warning = arena_alloc(build->arena, sizeof(*warning));
    struct config_warning **last = &config->warnings;

    if (warning != NULL)
        warning->text = arena_strdup(build->arena, text);
    if (warning == NULL || warning->text == NULL)
        return;
    while (*last != NULL)
        last = &(*last)->next;
    *last = warning;
}

void config_warn(const struct config_build *build, struct config *config, const char *format, ...)
{
    char text[900];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    }
    config_warn_text(build, config, text);
}
