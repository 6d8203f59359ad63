/* poison.h: memory that is ours to keep and nobody's to touch: AddressSanitizer reports who does.
 * In builds without it these do nothing. It sees neither the kernel nor libraries without it. */
#ifndef CORE_POISON_H
#define CORE_POISON_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON_WORKS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define POISON_WORKS 1
#endif

#ifdef POISON_WORKS
#include <sanitizer/asan_interface.h>
#define POISON(ptr, size)   __asan_poison_memory_region((ptr), (size))
#define UNPOISON(ptr, size) __asan_unpoison_memory_region((ptr), (size))
#define IS_POISONED(ptr)    __asan_address_is_poisoned(ptr)
#else
#define POISON(ptr, size)   ((void)(ptr), (void)(size))
#define UNPOISON(ptr, size) ((void)(ptr), (void)(size))
#define IS_POISONED(ptr)    ((void)(ptr), 0)
#endif

#endif
