/* compression.c: see compression.h.
 *
 * A mutex is held for a slice, so of several threads with a job of the same compression one does a
 * slice, and the others wait for the end of it. Once it has ended nothing is written to any more.
 *
 * The file is read in steps of one size from its start on: so what is made does not depend on who
 * makes it, and a descriptor with O_DIRECT can be read (engines/files/file_executor.h). */
#include "http/compression.h"

#include "core/check.h"
#include "core/file_open.h"
#include "core/list.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define COMPRESSION_MAGIC 0xc0435e55u

enum { ALIGNMENT = 4096 /* open(2), O_DIRECT */ };

struct compression {
    struct file_source source; /* what jobs know of it */
    unsigned magic;            /* COMPRESSION_MAGIC */
    unsigned users;            /* the owner's */
    const struct compressor_ops *ops;
    struct file_entry *entry; /* a reference */
    pthread_mutex_t mutex;    /* guards what follows */
    bool ended;
    enum compression_end end;
    int error;
    uint64_t taken; /* octets of the file */
    void *state;    /* the compressor's, until it has ended */
    char *in;       /* COMPRESSION_STEP octets; NULL for a file whose content is in memory */
    char *out;
    size_t out_len, out_size, out_max;
};

static void free_state(struct compression *c)
{
    if (c->state != NULL)
        c->ops->close(c->state);
    c->state = NULL;
    free(c->in);
    c->in = NULL;
}

static void end_with(struct compression *c, enum compression_end end, int error)
{
    c->ended = true;
    c->end = end;
    c->error = error;
    free_state(c);
    if (end != COMPRESSION_MADE) {
        free(c->out);
        c->out = NULL;
    }
}

/* Room for more of what is made. False: it has ended. */
static bool grow(struct compression *c)
{
    size_t size = c->out_size * 2;
    char *out;

    if (c->out_size == c->out_max) {
        end_with(c, COMPRESSION_USELESS, 0);
        return false;
    }
    if (size > c->out_max)
        size = c->out_max;
    out = realloc(c->out, size);
    if (out == NULL) {
        end_with(c, COMPRESSION_FAILED, ENOMEM);
        return false;
    }
    c->out = out;
    c->out_size = size;
    return true;
}

/* All is made. What is in memory is what its entry tells; a file may have been written to while it
 * was read. */
static void finish(struct compression *c)
{
    struct file_meta meta = c->entry->meta;
    char *out;

    if (c->entry->content == NULL && !file_meta_holds(c->entry->fd, &meta)) {
        end_with(c, COMPRESSION_CHANGED, 0);
        return;
    }
    /* To shrink it fails at worst, and then it stays; nothing may have come of it. */
    out = realloc(c->out, c->out_len + (c->out_len == 0));
    if (out != NULL)
        c->out = out;
    end_with(c, COMPRESSION_MADE, 0);
}

/* Compresses the next `len` octets at `in`. */
static void compress(struct compression *c, const char *in, size_t len)
{
    bool last = c->taken + len == c->entry->meta.size;
    struct compressor_io io = { .in = in, .in_len = len };
    int res = 0;

    for (;;) {
        io.out = c->out + c->out_len;
        io.out_len = c->out_size - c->out_len;
        if (io.out_len > 0)
            res = c->ops->run(c->state, &io, last);
        c->out_len = (size_t)(io.out - c->out);
        if (res != 0)
            break;
        if (!grow(c))
            return;
    }
    if (res < 0) {
        end_with(c, COMPRESSION_FAILED, -res);
        return;
    }
    c->taken += len;
    if (last)
        finish(c);
}

/* The next octets of the file, from memory or read: 0, or -errno; -ESTALE: it has become shorter.
 */
static int get_step(struct compression *c, const char **ret_in, size_t *ret_len)
{
    uint64_t left = c->entry->meta.size - c->taken;
    size_t want = left < COMPRESSION_STEP ? (size_t)left : COMPRESSION_STEP, len = 0;

    *ret_len = want;
    if (c->entry->content != NULL) {
        *ret_in = c->entry->content + c->taken;
        return 0;
    }
    while (len < want) {
        /* A whole step is asked for, since O_DIRECT takes nothing else. */
        ssize_t n =
            file_pread(c->entry->fd, c->in + len, COMPRESSION_STEP - len, (off_t)(c->taken + len));
        if (n < 0)
            return (int)n;
        if (n == 0)
            return -ESTALE;
        len += (size_t)n;
    }
    *ret_in = c->in;
    return 0;
}

static void run_slice(struct compression *c)
{
    const char *in = NULL;
    size_t len = 0;
    int res = get_step(c, &in, &len);

    if (res == -ESTALE)
        end_with(c, COMPRESSION_CHANGED, 0);
    else if (res < 0)
        end_with(c, COMPRESSION_FAILED, -res);
    else
        compress(c, in, len);
}

static int source_read(struct file_source *source, void *mem, size_t len)
{
    struct compression *c = container_of(source, struct compression, source);
    bool ended;

    CHECK_OBJ(c, COMPRESSION_MAGIC);
    CHECK(mem == NULL && len == 0);
    MUST(pthread_mutex_lock(&c->mutex) == 0);
    if (!c->ended)
        run_slice(c);
    ended = c->ended;
    MUST(pthread_mutex_unlock(&c->mutex) == 0);
    return ended ? 0 : 1;
}

int compression_create(const struct compressor_ops *ops, struct file_entry *entry, size_t room,
                       struct compression **ret_compression)
{
    struct compression *c = calloc(1, sizeof(*c));
    size_t size = (size_t)entry->meta.size;
    size_t guess = (ops->coding == CODING_IDENTITY ? size * 4 : size / 4) + 256;

    CHECK(file_entry_is_file(entry) && entry->meta.size > 0 && room > 0);
    if (c == NULL)
        return -ENOMEM;
    c->magic = COMPRESSION_MAGIC;
    c->source.read = source_read;
    c->users = 1;
    c->ops = ops;
    c->out_max = room;
    c->out_size = guess < room ? guess : room;
    c->out = malloc(c->out_size);
    if (entry->content == NULL)
        c->in = aligned_alloc(ALIGNMENT, COMPRESSION_STEP);
    if (c->out == NULL || (entry->content == NULL && c->in == NULL) ||
        ops->open(entry->meta.size, &c->state) < 0) {
        free(c->out);
        free(c->in);
        free(c);
        return -ENOMEM;
    }
    MUST(pthread_mutex_init(&c->mutex, NULL) == 0);
    c->entry = file_entry_ref(entry);
    *ret_compression = c;
    return 0;
}

void compression_ref(struct compression *c)
{
    CHECK_OBJ(c, COMPRESSION_MAGIC);
    c->users++;
}

void compression_unref(struct compression *c)
{
    CHECK_OBJ(c, COMPRESSION_MAGIC);
    CHECK(c->users > 0);
    if (--c->users > 0)
        return;
    free_state(c);
    free(c->out);
    MUST(pthread_mutex_destroy(&c->mutex) == 0);
    file_entry_unref(c->entry);
    c->magic = 0;
    free(c);
}

unsigned compression_users(const struct compression *c)
{
    CHECK_OBJ(c, COMPRESSION_MAGIC);
    return c->users;
}

struct file_entry *compression_file(const struct compression *c)
{
    CHECK_OBJ(c, COMPRESSION_MAGIC);
    return c->entry;
}

enum coding compression_coding(const struct compression *c)
{
    CHECK_OBJ(c, COMPRESSION_MAGIC);
    return c->ops->coding;
}

const struct compressor_ops *compression_ops(const struct compression *c)
{
    CHECK_OBJ(c, COMPRESSION_MAGIC);
    return c->ops;
}

struct file_source *compression_source(struct compression *c)
{
    CHECK_OBJ(c, COMPRESSION_MAGIC);
    return &c->source;
}

enum compression_end compression_end(const struct compression *c, int *ret_error)
{
    CHECK_OBJ(c, COMPRESSION_MAGIC);
    CHECK(c->ended);
    *ret_error = c->error;
    return c->end;
}

char *compression_take(struct compression *c, size_t *ret_len)
{
    char *out = c->out;

    CHECK_OBJ(c, COMPRESSION_MAGIC);
    CHECK(c->ended && c->end == COMPRESSION_MADE && out != NULL);
    c->out = NULL;
    *ret_len = c->out_len;
    return out;
}
