/* span.h: a borrowed range of bytes, not NUL-terminated. The one way in which text is passed
 * around. A span owns nothing; whoever made it says how long it is valid. */
#ifndef CORE_SPAN_H
#define CORE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct span {
    const char *ptr;
    size_t len; /* octets */
};

/* The span of a string literal. */
#define SPAN_LIT(literal) ((struct span){ (literal), sizeof(literal) - 1 })

static inline struct span span_make(const char *ptr, size_t len)
{
    return (struct span){ ptr, len };
}

/* The span of a NUL-terminated string, without the NUL. */
static inline struct span span_str(const char *str)
{
    return (struct span){ str, strlen(str) };
}

/* Same octets? */
static inline bool span_eq(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Same octets, ASCII letters compared without case? */
static inline bool span_caseeq(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

/* Without SP and HTAB at both ends (OWS, RFC 9110 section 5.6.3). */
static inline struct span span_trim(struct span s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

#endif
