/* check.h: assertions that stay on in release, object magic numbers, and three macros of the trade.
 *
 * An assertion that fails is a bug of ours, never bad input: it prints the place and aborts.
 * Every object that passes through a void pointer, a list or a callback carries a magic number as
 * its first member (Varnish's miniobj.h), checked where it comes back. Included by everyone. */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H

#include <stddef.h>
#include <stdint.h>

/* Prints "FILE:LINE: FUNCTION: EXPR" to standard error and aborts. Never returns. */
_Noreturn void check_failed(const char *file, int line, const char *function, const char *expr);

/* CHECK(COND): aborts, in every build, when COND is false. COND has no side effects. */
#define CHECK(cond)                                                                                \
    (__builtin_expect(!!(cond), 1) ? (void)0 : check_failed(__FILE__, __LINE__, __func__, #cond))

/* MUST(COND): the same, where COND does something: a call that cannot fail unless we are wrong. */
#define MUST(cond) CHECK(cond)

/* CHECK_OBJ(PTR, MAGIC): PTR is not NULL and its member `magic` holds MAGIC. */
#define CHECK_OBJ(ptr, magic_number) CHECK((ptr) != NULL && (ptr)->magic == (magic_number))

/* UNREACHABLE(): control never comes here. */
#define UNREACHABLE() check_failed(__FILE__, __LINE__, __func__, "unreachable")

/* The object of TYPE whose MEMBER lies at PTR. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Number of elements of an array (not of a pointer). */
#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#endif
