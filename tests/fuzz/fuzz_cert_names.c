/* fuzz_cert_names.c: arbitrary octets as names in certificates, a line each, and then as hosts that
 * clients ask for: what is found for a host is for it, by its name or by a star for its first label
 * alone. */
#include "core/check.h"
#include "tls/cert_names.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES_MAX = 64 };

/* RFC 6125 section 6.4.3, as it is read there. */
static bool is_for(struct span name, struct span host)
{
    const char *dot = host.len > 0 ? memchr(host.ptr, '.', host.len) : NULL;
    size_t label = dot != NULL ? (size_t)(dot - host.ptr) : 0;

    if (span_caseeq(name, host))
        return true;
    return label > 0 && name.len > 2 && name.ptr[0] == '*' &&
           span_caseeq(span_make(name.ptr + 1, name.len - 1), span_make(dot, host.len - label));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cert_names *names = cert_names_create();
    struct span lines[LINES_MAX], left = { (const char *)data, size };
    size_t count = 0;

    CHECK(names != NULL);
    while (left.len > 0 && count < LINES_MAX) {
        const char *end = memchr(left.ptr, '\n', left.len);
        size_t len = end != NULL ? (size_t)(end - left.ptr) : left.len;

        lines[count] = span_make(left.ptr, len);
        if (len > 0) {
            CHECK(cert_names_add(names, lines[count], (enum cert_kind)(count % CERT_KINDS), 1,
                                 (int32_t)count) == 0);
            count++;
        }
        len += end != NULL;
        left = span_make(left.ptr + len, left.len - len);
    }
    CHECK(cert_names_finish(names) == 0);
    for (size_t i = 0; i < count; i++) {
        const struct cert_choice *choice = cert_names_find(names, lines[i]);

        for (int kind = 0; choice != NULL && kind < CERT_KINDS; kind++) {
            int32_t number = choice->certificates[kind];

            CHECK(number == CERT_NONE || ((size_t)number < count && number % CERT_KINDS == kind &&
                                          is_for(lines[number], lines[i])));
        }
    }
    cert_names_destroy(names);
    return 0;
}
