/* use_dictionary.c: see use_dictionary.h. Not on the hot path: called once an entry of the cache.
 */
#include "http/use_dictionary.h"

#include "core/check.h"
#include "http/target.h"
#include "match/glob.h"

#include <stdio.h>
#include <string.h>

/* The path by which the file is asked for. False: it is longer than one may be. */
static bool make_path(const struct location *location, struct span name,
                      char text[2 * HTTP_PATH_MAX], struct span *ret_path)
{
    struct span prefix = location->strip_prefix ? location->prefix : SPAN_LIT("/");

    if (location->file.len > 0)
        name.len = 0;
    if (prefix.len + name.len > 2 * HTTP_PATH_MAX)
        return false;
    memcpy(text, prefix.ptr, prefix.len);
    if (name.len > 0)
        memcpy(text + prefix.len, name.ptr, name.len);
    *ret_path = span_make(text, prefix.len + name.len);
    return true;
}

static size_t put_line(struct dictionary_rule rule, char *line)
{
    const char *between = ", match-dest=(\"";
    struct span dest;
    int len = snprintf(line, HTTP_USE_DICTIONARY_MAX, "Use-As-Dictionary: match=\"%.*s\"",
                       (int)rule.match.len, rule.match.ptr);

    while (dictionary_rule_next_dest(&rule.dests, &dest)) {
        len += snprintf(line + len, HTTP_USE_DICTIONARY_MAX - (size_t)len, "%s%.*s", between,
                        (int)dest.len, dest.ptr);
        between = "\" \"";
    }
    len += snprintf(line + len, HTTP_USE_DICTIONARY_MAX - (size_t)len, "%s\r\n",
                    between[0] == ',' ? "" : "\")");
    CHECK(len > 0 && len < HTTP_USE_DICTIONARY_MAX);
    return (size_t)len;
}

size_t http_use_dictionary_put(const struct location *location, struct span name, char *ret_line)
{
    char text[2 * HTTP_PATH_MAX];
    struct span path;

    if (!make_path(location, name, text, &path))
        return 0;
    for (size_t i = 0; i < location->use_as_dictionary_count; i++) {
        struct dictionary_rule rule;

        if (!glob_match(&location->dictionary_globs[i], path))
            continue;
        CHECK(dictionary_rule_parse(location->use_as_dictionary[i], &rule) == NULL);
        return put_line(rule, ret_line);
    }
    return 0;
}
