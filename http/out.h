/* out.h: the octets that a connection has still to send, in order: heads and small bodies gathered
 * in one buffer, contents lent by the file cache, rendered texts, and ranges of open files. Fills a
 * struct send_plan and takes back what was sent. Pure. */
#ifndef HTTP_OUT_H
#define HTTP_OUT_H

#include "core/buf.h"
#include "core/send_plan.h"
#include "http/env.h"
#include "http/listing.h"

#include <stdbool.h>

enum {
    HTTP_OUT_SEGMENTS = 16,
    HTTP_OUT_READS = 2 /* buffers for what is read: one is filled while the other is sent */
};

enum http_segment_kind {
    HTTP_SEGMENT_MEMORY, /* in out->memory */
    HTTP_SEGMENT_ENTRY,  /* contents of a cache entry */
    HTTP_SEGMENT_TEXT,   /* malloc(3)ed text */
    HTTP_SEGMENT_READ,   /* octets of a file that a job has read */
    HTTP_SEGMENT_FILE,   /* a range of an open file */
};

struct http_segment {
    enum http_segment_kind kind;
    uint64_t len;                 /* octets left, never 0 */
    const char *ptr;              /* not FILE: the octets */
    uint64_t off;                 /* FILE, READ: of the next octet in the file */
    bool read;                    /* FILE, READ: of a range up to HTTP_READ_SHORT, or of a file
                                     that is remote; by a job, whatever the
                                     engine can */
    struct file_entry *entry;     /* ENTRY, FILE, READ: a reference, owned */
    struct http_listing *listing; /* FILE: its octets are made, and there is no entry; owned */
    char *text;                   /* TEXT: owned */
    char *buffer;                 /* READ: one of out->reads, in use until all of it is sent */
};

struct http_out {
    struct buf memory; /* over memory_octets of the exchange */
    uint8_t first, count;
    struct http_segment segments[HTTP_OUT_SEGMENTS]; /* [first, first + count) are in use */
    char *reads[HTTP_OUT_READS];                     /* from env->reads, or NULL; owned */
    uint64_t queued, sent;                           /* octets, ever since http_out_init() */
};

/* Empty, gathering in `size` octets at `memory` (borrowed). */
void http_out_init(struct http_out *out, void *memory, size_t size);

static inline bool http_out_empty(const struct http_out *out)
{
    return out->count == 0;
}

/* Is a range of a file among the segments, or a content that is as long as one? */
bool http_out_is_long(const struct http_out *out);

/* Segments that may still be added. */
unsigned http_out_segments_free(const struct http_out *out);

/* Appends the texts, one behind the other, to the gathered octets. False, and nothing changed, when
 * room (or a segment) is short. */
bool http_out_put(struct http_out *out, const struct span *texts, size_t count);

/* Appends `len` octets (> 0) at `off` of an entry's contents, or of its file. Takes a reference of
 * its own. A segment must be free (checked). */
void http_out_add_content(struct http_out *out, struct file_entry *entry, uint64_t off,
                          uint64_t len);
void http_out_add_file(struct http_out *out, struct file_entry *entry, uint64_t off, uint64_t len);

/* Appends a listing of `len` octets (> 0), which is made piece by piece, and takes it. A segment
 * must be free (checked). */
void http_out_add_listing(struct http_out *out, struct http_listing *listing, uint64_t len);

/* Appends `len` octets (> 0) of malloc(3)ed text and takes it. A segment must be free (checked). */
void http_out_add_text(struct http_out *out, char *text, size_t len);

/* Fills in what to send next. A plan ends in front of a file range that is to be read: a short one,
 * or, with `file_segments` false, any. */
void http_out_plan(const struct http_out *out, bool file_segments, struct send_plan *ret_plan);

/* Takes off `len` octets, which were sent. */
void http_out_sent(struct http_out *out, uint64_t len);

/* Has something been read that is not sent yet? */
bool http_out_has_read(const struct http_out *out);

/* The first file range, if it is to be read by a job (see http_out_plan()); else NULL. */
struct http_segment *http_out_next_read(struct http_out *out, bool file_segments);

/* The place of a buffer in which nothing waits to be sent: it may hold NULL, to be replaced by
 * HTTP_READ_SIZE octets from env->reads. NULL: all are in use. */
char **http_out_read_place(struct http_out *out);

/* The `len` octets (> 0) at `buffer`, one of out->reads, are the start of the range `file`
 * (http_out_next_read()'s) now. */
void http_out_read_done(struct http_out *out, struct http_segment *file, char *buffer,
                        uint64_t len);

/* Gives back what was read and not sent: the octets are of their file ranges again, to be read when
 * they can be sent, and all buffers go to env->reads. No plan that lends them is out, and no job
 * reads into one. */
void http_out_unread(struct http_out *out, struct http_env *env);

/* Octets that a plan without file ranges would hold in memory now; exact up to `enough`. */
uint64_t http_out_memory(const struct http_out *out, uint64_t enough);

/* The first file range could not be read to its end: its entry is forgotten by the cache. */
void http_out_forget_file(const struct http_out *out);

/* Gives back everything, sent or not. */
void http_out_clear(struct http_out *out, struct http_env *env);

#endif
