/* context.h: a stack of its own for a function, and the switch between it and its caller: what
 * makes a coroutine. A switch is an ordinary call, so the compiler has saved what it wants saved
 * but for the registers that a callee keeps.
 *
 * x86-64 and aarch64 switch in a dozen instructions (context_switch.S); elsewhere, and where the
 * build says GS_UCONTEXT, by ucontext(3), whose switches make a system call each for the signal
 * mask. A sanitizer is told of each switch. */
#ifndef ENGINES_COROUTINE_CONTEXT_H
#define ENGINES_COROUTINE_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#if defined(GS_UCONTEXT) || !(defined(__x86_64__) || defined(__aarch64__))
#define CONTEXT_IS_UCONTEXT 1
#include <ucontext.h>
#endif

struct context {
#ifdef CONTEXT_IS_UCONTEXT
    ucontext_t own, caller;
#else
    void *own, *caller; /* stack pointers, while the other one runs */
#endif
    void (*function)(void *argument);
    void *argument;
    void *stack; /* its lowest address */
    size_t stack_size;
    bool ended;         /* function has returned */
    void *sanitizer[3]; /* what AddressSanitizer, or ThreadSanitizer, wants kept */
    size_t caller_size; /* likewise, of the caller's stack */
};

/* Makes a context that will call function(argument) on the stack of `size` octets at `stack`
 * (borrowed) when it is resumed first. */
void context_make(struct context *context, void *stack, size_t size,
                  void (*function)(void *argument), void *argument);

/* Goes on in the context, until it yields or its function has returned: context->ended. Called by
 * the thread's own stack, always the same thread. */
void context_resume(struct context *context);

/* Called in the context: its resume() returns. */
void context_yield(struct context *context);

/* The context has ended, or was never resumed: gives back what a sanitizer keeps of it. */
void context_end(struct context *context);

#endif
