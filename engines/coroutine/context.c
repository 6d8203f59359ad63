/* context.c: makes contexts and switches between them. See context.h. */
#include "engines/coroutine/context.h"

#include "core/check.h"

#include <stdint.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define HAS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAS_TSAN 1
#endif
#endif

#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef HAS_TSAN
#include <sanitizer/tsan_interface.h>
#endif

/* What a sanitizer keeps: of the caller's stack, of the context's; or the two fibers. */
enum { KEPT_CALLER, KEPT_OWN, KEPT_CALLER_BOTTOM };

#ifdef CONTEXT_IS_UCONTEXT

static void switch_in(struct context *context)
{
    MUST(swapcontext(&context->caller, &context->own) == 0);
}

static void switch_out(struct context *context)
{
    MUST(swapcontext(&context->own, &context->caller) == 0);
}

#else

/* context_switch.S */
void context_switch(void **ret_from, void *to);
void context_begin(void);

static void switch_in(struct context *context)
{
    context_switch(&context->caller, context->own);
}

static void switch_out(struct context *context)
{
    context_switch(&context->own, context->caller);
}

#endif

/* The context's side of a switch back to it, or of its beginning. */
static void arrived(struct context *context)
{
    (void)context;
#ifdef HAS_ASAN
    const void *bottom;
    __sanitizer_finish_switch_fiber(context->sanitizer[KEPT_OWN], &bottom, &context->caller_size);
    context->sanitizer[KEPT_CALLER_BOTTOM] = (void *)(uintptr_t)bottom;
#endif
}

void context_yield(struct context *context)
{
#ifdef HAS_ASAN
    /* Without a place for it, the stack's shadow is given back: nobody returns to it. */
    __sanitizer_start_switch_fiber(context->ended ? NULL : &context->sanitizer[KEPT_OWN],
                                   context->sanitizer[KEPT_CALLER_BOTTOM], context->caller_size);
#endif
#ifdef HAS_TSAN
    __tsan_switch_to_fiber(context->sanitizer[KEPT_CALLER], 0);
#endif
    switch_out(context);
    arrived(context);
}

void context_resume(struct context *context)
{
    CHECK(!context->ended);
#ifdef HAS_ASAN
    __sanitizer_start_switch_fiber(&context->sanitizer[KEPT_CALLER], context->stack,
                                   context->stack_size);
#endif
#ifdef HAS_TSAN
    context->sanitizer[KEPT_CALLER] = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(context->sanitizer[KEPT_OWN], 0);
#endif
    switch_in(context);
#ifdef HAS_ASAN
    __sanitizer_finish_switch_fiber(context->sanitizer[KEPT_CALLER], NULL, NULL);
#endif
}

/* Runs on the context's stack, and never returns. */
static void run(void *argument)
{
    struct context *context = argument;
    arrived(context);
    context->function(context->argument);
    context->ended = true;
    context_yield(context);
    UNREACHABLE();
}

#ifdef CONTEXT_IS_UCONTEXT

/* makecontext(3) passes integers alone. */
static void run_from_halves(unsigned high, unsigned low)
{
    run((void *)((uintptr_t)high << 16 << 16 | low));
}

static void prepare(struct context *context)
{
    uintptr_t self = (uintptr_t)context;
    MUST(getcontext(&context->own) == 0);
    context->own.uc_stack.ss_sp = context->stack;
    context->own.uc_stack.ss_size = context->stack_size;
    context->own.uc_link = NULL;
    makecontext(&context->own, (void (*)(void))run_from_halves, 2, (unsigned)(self >> 16 >> 16),
                (unsigned)self);
}

#else

/* Lays out what context_switch() expects, and behind it where to go on: context_begin(), with what
 * it looks for in the registers that were "kept". */
static void prepare(struct context *context)
{
    uintptr_t top = ((uintptr_t)context->stack + context->stack_size) & ~(uintptr_t)15;
    uintptr_t *frame;
#if defined(__x86_64__)
    frame =
        (uintptr_t *)top - 10; /* 16 octets stay free: the ABI wants rsp + 8 aligned at a call */
    memset(frame, 0, 10 * sizeof(frame[0]));
    __asm__ volatile("stmxcsr %0" : "=m"(*(uint32_t *)(void *)frame));
    __asm__ volatile("fnstcw %0" : "=m"(*((uint32_t *)(void *)frame + 1)));
    frame[3] = (uintptr_t)run;     /* r13 */
    frame[4] = (uintptr_t)context; /* r12 */
    frame[7] = (uintptr_t)context_begin;
#else
    frame = (uintptr_t *)top - 22;
    memset(frame, 0, 22 * sizeof(frame[0]));
    frame[0] = (uintptr_t)context;        /* x19 */
    frame[1] = (uintptr_t)run;            /* x20 */
    frame[11] = (uintptr_t)context_begin; /* x30 */
    __asm__ volatile("mrs %0, fpcr" : "=r"(frame[20]));
#endif
    context->own = frame;
}

#endif

void context_make(struct context *context, void *stack, size_t size,
                  void (*function)(void *argument), void *argument)
{
    *context = (struct context){
        .function = function, .argument = argument, .stack = stack, .stack_size = size
    };
#ifdef HAS_ASAN
    /* The last one that lived here left frames that have never returned. */
    __asan_unpoison_memory_region(stack, size);
#endif
    prepare(context);
#ifdef HAS_TSAN
    context->sanitizer[KEPT_OWN] = __tsan_create_fiber(0);
#endif
}

void context_end(struct context *context)
{
    (void)context;
#ifdef HAS_TSAN
    __tsan_destroy_fiber(context->sanitizer[KEPT_OWN]);
#endif
}
