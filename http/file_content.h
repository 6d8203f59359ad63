/* file_content.h: the octets of a small file, which the threads of a process read together. They
 * are never written again once they are here, so nothing is locked; who reads them holds a
 * reference, and those that are kept are counted once, by however many caches. */
#ifndef HTTP_FILE_CONTENT_H
#define HTTP_FILE_CONTENT_H

#include <stdatomic.h>
#include <stdint.h>

struct file_content {
    _Atomic uint32_t refs;
    _Atomic uint32_t keepers; /* caches that keep it */
    uint64_t size;
    _Atomic uint64_t *kept; /* where octets that are kept are counted; borrowed */
    char *octets;
};

/* For `octets` (malloc(3)ed, `size` of them, taken), with a reference for the caller. `kept`
 * outlives it. NULL: memory is short, and `octets` stays the caller's. */
struct file_content *file_content_make(char *octets, uint64_t size, _Atomic uint64_t *kept);

struct file_content *file_content_ref(struct file_content *content);

/* The last one frees. NULL is allowed. */
void file_content_unref(struct file_content *content);

/* A cache keeps it, or keeps it no more; it has a reference meanwhile. NULL is allowed. */
void file_content_keep(struct file_content *content);
void file_content_drop(struct file_content *content);

#endif
