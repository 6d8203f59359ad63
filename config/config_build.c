/* config_build.c: the sentence of a failure, and relative paths. */
#include "config/config_build.h"
#include "core/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WHAT_SIZE 1024

/* Writes the sentence: place, subject, what is wrong (`format` with `args`), and what `between`
 * leads to. */
__attribute__((format(printf, 6, 0))) static int
compose(const struct config_build *build, struct config_place place, const char *subject,
        const char *between, const char *more, const char *format, va_list args)
{
    char where[32] = "", what[WHAT_SIZE];

    vsnprintf(what, sizeof(what), format, args);
    CHECK(place.file != NULL && build->why_size > 0);
    if (place.line > 0 && subject[0] == '\0')
        snprintf(where, sizeof(where), ":%d:%d", place.line, place.column);
    else if (place.line > 0)
        snprintf(where, sizeof(where), ":%d", place.line);
    else
        subject = "";
    snprintf(build->why, build->why_size, "%s%s: %s%s%s%s%s", place.file, where, subject,
             subject[0] != '\0' ? ": " : "", what, between, more);
    for (char *at = build->why; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    }
    return -EINVAL;
}

int config_fail(const struct config_build *build, struct config_place place, const char *subject,
                const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int error = compose(build, place, subject, "", "", format, args);
    va_end(args);
    return error;
}

int config_fail_allowed(const struct config_build *build, struct config_place place,
                        const char *subject, const char *allowed, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int error = compose(build, place, subject, "; allowed: ", allowed, format, args);
    va_end(args);
    return error;
}

int config_fail_advise(const struct config_build *build, struct config_place place,
                       const char *subject, const char *advice, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int error = compose(build, place, subject, "; ", advice, format, args);
    va_end(args);
    return error;
}

int config_data_read(const struct config_build *build, const char *path, char **ret_text,
                     size_t *ret_len, const char **ret_what)
{
    const struct config_files *files = build->files;

    if (files->read_data == NULL)
        return files->read(files->context, path, ret_text, ret_len);
    return files->read_data(files->context, path, ret_text, ret_len, ret_what);
}

char *config_folder(const struct config_build *build, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return arena_strdup(build->scratch, ".");
    return arena_strndup(build->scratch, path, slash == path ? 1 : (size_t)(slash - path));
}

/* In place: "/a//./b/" becomes "/a/b". ".." stays, since what it means depends on symbolic links.
 */
static void path_tidy(char *path)
{
    const char *in = path;
    char *out = path;

    while (*in != '\0') {
        size_t len;

        while (*in == '/')
            in++;
        len = strcspn(in, "/");
        if (len > 0 && !(len == 1 && in[0] == '.')) {
            *out++ = '/';
            memmove(out, in, len);
            out += len;
        }
        in += len;
    }
    if (out == path)
        *out++ = '/';
    *out = '\0';
}

char *config_path(const struct config_build *build, struct config_place place, const char *text)
{
    const char *folder = ".";
    const char *base = build->files->working_directory;
    char *path;

    if (text[0] == '/') {
        path = arena_strdup(build->arena, text);
    } else {
        if (place.line > 0)
            folder = config_folder(build, place.file);
        if (folder == NULL)
            return NULL;
        if (folder[0] == '/')
            base = "";
        path = arena_printf(build->arena, "%s/%s/%s", base, folder, text);
    }
    if (path != NULL)
        path_tidy(path);
    return path;
}
