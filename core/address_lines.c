/* address_lines.c: see address_lines.h. */
#include "core/address_lines.h"

#include <errno.h>
#include <string.h>

/* The element of a line, without what is around it. */
static struct span element_of(struct span line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] == '#' || line.ptr[i] == ';')
            line.len = i;
    }
    while (line.len > 0 && strchr(" \t\r", line.ptr[line.len - 1]) != NULL &&
           line.ptr[line.len - 1] != '\0')
        line.len--;
    while (line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t'))
        line = span_make(line.ptr + 1, line.len - 1);
    return line;
}

int address_lines_add(struct span text, bool excluded, struct address_list *list,
                      struct address_lines_fault *ret_fault)
{
    for (size_t number = 1; text.len > 0; number++) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end != NULL ? (size_t)(end - text.ptr) : text.len;
        struct span element = element_of(span_make(text.ptr, len));
        struct address_range range;

        len += end != NULL;
        text = span_make(text.ptr + len, text.len - len);
        if (element.len == 0)
            continue;
        const char *what = address_range_parse(element, &range);
        if (what != NULL) {
            *ret_fault = (struct address_lines_fault){ number, element, what };
            return -EINVAL;
        }
        range.excluded = excluded;
        if (address_list_add(list, &range) < 0)
            return -ENOMEM;
    }
    return 0;
}
