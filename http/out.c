/* out.c: the queue of octets to send. See out.h. */
#include "http/out.h"

#include "core/check.h"

#include <stdlib.h>
#include <string.h>

void http_out_init(struct http_out *out, void *memory, size_t size)
{
    buf_init(&out->memory, memory, size);
    out->first = out->count = 0;
    for (unsigned i = 0; i < HTTP_OUT_READS; i++)
        out->reads[i] = NULL;
    out->queued = out->sent = 0;
}

/* Is there a segment of this kind, and, unless that is NULL, in this buffer? */
static bool holds(const struct http_out *out, enum http_segment_kind kind, const char *buffer)
{
    for (unsigned i = 0; i < out->count; i++) {
        const struct http_segment *segment = &out->segments[out->first + i];
        if (segment->kind == kind && (buffer == NULL || segment->buffer == buffer))
            return true;
    }
    return false;
}

bool http_out_is_long(const struct http_out *out)
{
    for (unsigned i = 0; i < out->count; i++) {
        const struct http_segment *segment = &out->segments[out->first + i];
        if (segment->kind == HTTP_SEGMENT_FILE ||
            (segment->kind == HTTP_SEGMENT_ENTRY && segment->len > HTTP_OUT_SIZE))
            return true;
    }
    return false;
}

bool http_out_has_read(const struct http_out *out)
{
    return holds(out, HTTP_SEGMENT_READ, NULL);
}

unsigned http_out_segments_free(const struct http_out *out)
{
    return HTTP_OUT_SEGMENTS - out->count;
}

/* The slot behind the last segment; moves the segments to the front when the array's end is
 * reached. */
static struct http_segment *add_segment(struct http_out *out)
{
    CHECK(out->count < HTTP_OUT_SEGMENTS);
    if (out->first + out->count == HTTP_OUT_SEGMENTS) {
        memmove(out->segments, out->segments + out->first, out->count * sizeof(out->segments[0]));
        out->first = 0;
    }
    return &out->segments[out->first + out->count++];
}

static struct http_segment *last_segment(struct http_out *out)
{
    return out->count == 0 ? NULL : &out->segments[out->first + out->count - 1];
}

bool http_out_put(struct http_out *out, const struct span *texts, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += texts[i].len;
    if (len > buf_room(&out->memory))
        return false;
    if (len == 0)
        return true;
    char *start = out->memory.data + out->memory.end;
    struct http_segment *last = last_segment(out);
    if (last != NULL && last->kind == HTTP_SEGMENT_MEMORY) {
        last->len += len;
    } else {
        if (out->count == HTTP_OUT_SEGMENTS)
            return false;
        *add_segment(out) =
            (struct http_segment){ .kind = HTTP_SEGMENT_MEMORY, .ptr = start, .len = len };
    }
    for (size_t i = 0; i < count; i++) {
        if (texts[i].len > 0)
            memcpy(start, texts[i].ptr, texts[i].len);
        start += texts[i].len;
    }
    out->memory.end += (uint32_t)len;
    out->queued += len;
    return true;
}

void http_out_add_content(struct http_out *out, struct file_entry *entry, uint64_t off,
                          uint64_t len)
{
    CHECK(len > 0 && entry->content != NULL && off + len <= entry->meta.size);
    out->queued += len;
    *add_segment(out) = (struct http_segment){ .kind = HTTP_SEGMENT_ENTRY,
                                               .ptr = entry->content + off,
                                               .len = len,
                                               .entry = file_entry_ref(entry) };
}

void http_out_add_file(struct http_out *out, struct file_entry *entry, uint64_t off, uint64_t len)
{
    CHECK(len > 0 && entry->fd >= 0);
    out->queued += len;
    *add_segment(out) = (struct http_segment){
        .kind = HTTP_SEGMENT_FILE,
        .off = off,
        .len = len,
        .read = len <= HTTP_READ_SHORT || entry->meta.remote,
        .entry = file_entry_ref(entry),
    };
}

void http_out_add_listing(struct http_out *out, struct http_listing *listing, uint64_t len)
{
    CHECK(len > 0);
    out->queued += len;
    *add_segment(out) = (struct http_segment){
        .kind = HTTP_SEGMENT_FILE, .len = len, .read = true, .listing = listing
    };
}

void http_out_add_text(struct http_out *out, char *text, size_t len)
{
    CHECK(len > 0);
    out->queued += len;
    *add_segment(out) =
        (struct http_segment){ .kind = HTTP_SEGMENT_TEXT, .ptr = text, .len = len, .text = text };
}

void http_out_plan(const struct http_out *out, bool file_segments, struct send_plan *ret_plan)
{
    ret_plan->iovcnt = 0;
    ret_plan->file_fd = -1;
    ret_plan->file_off = 0;
    ret_plan->file_len = 0;
    ret_plan->more = false;
    ret_plan->record_type = 0;
    for (unsigned i = 0; i < out->count; i++) {
        const struct http_segment *segment = &out->segments[out->first + i];
        if (segment->kind == HTTP_SEGMENT_FILE) {
            if (file_segments && !segment->read) {
                ret_plan->file_fd = segment->entry->fd;
                ret_plan->file_off = (off_t)segment->off;
                ret_plan->file_len = segment->len;
                i++;
            }
            ret_plan->more = i < out->count;
            return;
        }
        if (ret_plan->iovcnt == SEND_PLAN_IOV_MAX) {
            ret_plan->more = true;
            return;
        }
        ret_plan->iov[ret_plan->iovcnt++] =
            (struct iovec){ .iov_base = (void *)(uintptr_t)segment->ptr, .iov_len = segment->len };
    }
}

static void release_segment(struct http_segment *segment)
{
    if (segment->entry != NULL)
        file_entry_unref(segment->entry);
    http_listing_free(segment->listing);
    free(segment->text);
}

void http_out_sent(struct http_out *out, uint64_t len)
{
    out->sent += len;
    while (len > 0) {
        CHECK(out->count > 0);
        struct http_segment *segment = &out->segments[out->first];
        if (len < segment->len) {
            segment->len -= len;
            segment->off += len;
            if (segment->kind != HTTP_SEGMENT_FILE)
                segment->ptr += len;
            return;
        }
        len -= segment->len;
        release_segment(segment);
        out->first++;
        out->count--;
    }
    if (out->count == 0) {
        out->first = 0;
        buf_clear(&out->memory);
    }
}

struct http_segment *http_out_next_read(struct http_out *out, bool file_segments)
{
    for (unsigned i = 0; i < out->count; i++) {
        struct http_segment *segment = &out->segments[out->first + i];
        if (segment->kind == HTTP_SEGMENT_FILE)
            return segment->read || !file_segments ? segment : NULL;
    }
    return NULL;
}

char **http_out_read_place(struct http_out *out)
{
    for (unsigned i = 0; i < HTTP_OUT_READS; i++)
        if (out->reads[i] == NULL || !holds(out, HTTP_SEGMENT_READ, out->reads[i]))
            return &out->reads[i];
    return NULL;
}

void http_out_read_done(struct http_out *out, struct http_segment *file, char *buffer, uint64_t len)
{
    CHECK(file->kind == HTTP_SEGMENT_FILE && len > 0 && len <= file->len);
    struct http_segment octets = *file;
    octets.kind = HTTP_SEGMENT_READ;
    octets.ptr = octets.buffer = buffer;
    octets.len = len;
    if (len == file->len) {
        *file = octets;
        return;
    }
    octets.listing = NULL; /* the rest of it is still to be made */
    if (octets.entry != NULL)
        file_entry_ref(octets.entry);
    file->off += len;
    file->len -= len;
    size_t at = (size_t)(file - out->segments) - out->first;
    add_segment(out); /* may move the segments */
    struct http_segment *place = &out->segments[out->first + at];
    memmove(place + 1, place, (out->count - 1u - at) * sizeof(*place));
    *place = octets;
}

/* Joins segment `at` and the next one, if both are parts of one range of a file. */
static void join_ranges(struct http_out *out, unsigned at)
{
    struct http_segment *here = &out->segments[out->first + at];
    struct http_segment *next = here + 1;
    if (at + 1u >= out->count || here->kind != HTTP_SEGMENT_FILE ||
        next->kind != HTTP_SEGMENT_FILE || here->entry != next->entry ||
        here->off + here->len != next->off || here->read != next->read)
        return;
    here->len += next->len;
    release_segment(next);
    memmove(next, next + 1, (out->count - at - 2u) * sizeof(*next));
    out->count--;
}

void http_out_unread(struct http_out *out, struct http_env *env)
{
    for (unsigned i = out->count; i-- > 0;) {
        struct http_segment *segment = &out->segments[out->first + i];
        if (segment->kind != HTTP_SEGMENT_READ || segment->entry == NULL)
            continue; /* what was made of a listing cannot be made again */
        segment->kind = HTTP_SEGMENT_FILE;
        segment->ptr = segment->buffer = NULL;
        join_ranges(out, i);
    }
    for (unsigned i = 0; i < HTTP_OUT_READS; i++) {
        if (out->reads[i] == NULL || holds(out, HTTP_SEGMENT_READ, out->reads[i]))
            continue;
        pool_put(env->reads, out->reads[i]);
        out->reads[i] = NULL;
    }
}

uint64_t http_out_memory(const struct http_out *out, uint64_t enough)
{
    uint64_t len = 0;
    for (unsigned i = 0; i < out->count && len < enough; i++) {
        const struct http_segment *segment = &out->segments[out->first + i];
        if (segment->kind == HTTP_SEGMENT_FILE)
            break;
        len += segment->len;
    }
    return len;
}

void http_out_forget_file(const struct http_out *out)
{
    for (unsigned i = 0; i < out->count; i++) {
        const struct http_segment *segment = &out->segments[out->first + i];
        if (segment->kind == HTTP_SEGMENT_FILE) {
            if (segment->entry != NULL)
                file_entry_forget(segment->entry);
            return;
        }
    }
}

void http_out_clear(struct http_out *out, struct http_env *env)
{
    for (unsigned i = 0; i < out->count; i++)
        release_segment(&out->segments[out->first + i]);
    out->first = out->count = 0;
    buf_clear(&out->memory);
    for (unsigned i = 0; i < HTTP_OUT_READS; i++) {
        if (out->reads[i] != NULL)
            pool_put(env->reads, out->reads[i]);
        out->reads[i] = NULL;
    }
}
