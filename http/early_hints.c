/* early_hints.c: see early_hints.h. */
#include "http/early_hints.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int http_early_hints_prepare(const struct location *location, struct http_answer_fields *fields)
{
    char *text = NULL;
    size_t len = 0, begin;
    FILE *out = open_memstream(&text, &len);
    bool failed;

    if (out == NULL)
        return -ENOMEM;
    fputs("HTTP/1.1 103 Early Hints\r\n", out);
    begin = strlen("HTTP/1.1 103 Early Hints\r\n");
    for (size_t i = 0; i < location->early_hints_count; i++)
        fprintf(out, "%s\r\n", location->early_hints[i]);
    fputs("\r\n", out);
    failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return -ENOMEM;
    }
    fields->hints = span_make(text, len);
    fields->links = span_make(text + begin, len - begin - 2);
    return 0;
}

struct span http_early_hints_links(const struct http_env *env, const struct location *location)
{
    return location->early_hints_count > 0 ? env->answer_fields[location->id].links
                                           : span_make("", 0);
}

bool http_early_hints_wanted(const struct http_exchange *x)
{
    return x->request.method == HTTP_GET && x->request.version_minor > 0 &&
           span_eq(http_request_named(&x->request, SPAN_LIT("sec_fetch_mode")),
                   SPAN_LIT("navigate"));
}

struct span http_early_hints_interim(const struct http_exchange *x, const struct location *location)
{
    if (location->early_hints_count == 0 || !http_early_hints_wanted(x))
        return span_make("", 0);
    return x->env->answer_fields[location->id].hints;
}

bool http_early_hints_suits(struct span type)
{
    static const char *const types[] = { "text/html", "application/xhtml+xml" };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct span known = span_str(types[i]);

        if (type.len >= known.len && span_caseeq(span_make(type.ptr, known.len), known) &&
            (type.len == known.len || type.ptr[known.len] == ';' || type.ptr[known.len] == ' '))
            return true;
    }
    return false;
}
