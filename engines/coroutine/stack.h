/* stack.h: stacks for coroutines: address space for all of them at once, memory as they are used,
 * and beneath each a page that ends the process in place of overwriting the next one. */
#ifndef ENGINES_COROUTINE_STACK_H
#define ENGINES_COROUTINE_STACK_H

#include <stdbool.h>
#include <stddef.h>

enum {
    STACK_SIZE = 128 * 1024, /* octets of address space: libraries of TLS go deep in a handshake */
    STACK_KEPT = 4 * 1024,   /* of these stay when a coroutine rests: what waits lies in them */
};

struct stacks;

/* `count` stacks. 0, or -errno and a sentence. The caller owns them. */
int stacks_create(size_t count, char *why, size_t why_size, struct stacks **ret_stacks);

/* NULL is allowed. */
void stacks_destroy(struct stacks *stacks);

/* The lowest usable address of stack `index`, of STACK_SIZE octets less a guard page. Its memory is
 * zero, or what was left of its last use. Sets *ret_size. */
void *stack_at(const struct stacks *stacks, size_t index, size_t *ret_size);

/* Gives the memory of a stack back, but for what lies above `used_from` (an address within it,
 * where what is still needed begins) and at least STACK_KEPT octets. */
void stack_trim(const struct stacks *stacks, size_t index, const void *used_from);

#endif
