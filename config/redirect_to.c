/* redirect_to.c: see redirect_to.h. */
#include "config/redirect_to.h"
#include "core/check.h"

#include <stdbool.h>

static bool is_name_octet(char octet)
{
    return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
           (octet >= '0' && octet <= '9') || octet == '_';
}

static enum redirect_variable variable_find(struct span name)
{
    static const struct {
        struct span name;
        enum redirect_variable variable;
    } known[] = {
        { { "host", 4 }, REDIRECT_HOST },
        { { "uri", 3 }, REDIRECT_URI },
        { { "query", 5 }, REDIRECT_QUERY },
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (span_eq(known[i].name, name))
            return known[i].variable;
    }
    return REDIRECT_UNKNOWN;
}

enum redirect_variable redirect_to_next(struct span *to, struct span *ret_text)
{
    const char *text = to->ptr, *end = to->ptr + to->len;

    for (const char *at = text; at < end; at++) {
        const char *name = at + 1, *name_end = name;

        if (*at != '$')
            continue;
        while (name_end < end && is_name_octet(*name_end))
            name_end++;
        if (name_end == name)
            continue;
        *ret_text = span_make(text, (size_t)(at - text));
        *to = span_make(name_end, (size_t)(end - name_end));
        return variable_find(span_make(name, (size_t)(name_end - name)));
    }
    *ret_text = *to;
    *to = span_make(end, 0);
    return REDIRECT_END;
}
