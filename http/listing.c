/* listing.c: listings in the two shapes that tools know: a page of links, and nginx's JSON; at
 * once, or piece by piece. */
#include "http/listing.h"

#include "core/check.h"
#include "core/list.h"
#include "http/date.h"
#include "http/listing_html.h"
#include "http/listing_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void put_json_item(struct listing_text *t, const struct dir_item *item)
{
    char date[HTTP_DATE_LEN + 1];

    listing_put_str(t, "{ \"name\":\"");
    listing_put_json(t, span_str(item->name));
    listing_put_str(t, item->is_dir ? "\", \"type\":\"directory\"" : "\", \"type\":\"file\"");
    if (!item->forbidden) {
        listing_put_str(t, ", \"mtime\":\"");
        http_date_format(item->mtime_s, date);
        listing_put(t, date, HTTP_DATE_LEN);
        listing_put_str(t, "\"");
    }
    if (!item->is_dir && !item->forbidden) {
        listing_put_str(t, ", \"size\":");
        listing_put_number(t, item->size);
    }
    listing_put_str(t, " }");
}

/* Writes the next item, or what stands before or behind them all. False: all is written. */
static bool put_json(struct listing_text *t, const struct dir_listing *listing,
                     struct http_listing_cursor *cursor)
{
    size_t at = cursor->item++;

    if (at == 0) {
        listing_put_str(t, "[");
    } else if (at <= listing->count) {
        const struct dir_item item = dir_listing_item(listing, at - 1);

        listing_put_str(t, at > 1 ? ",\n" : "\n");
        put_json_item(t, &item);
    } else if (at == listing->count + 1) {
        listing_put_str(t, "\n]\n");
    } else {
        cursor->item--;
        return false;
    }
    return true;
}

static bool put_next(struct listing_text *t, const struct http_listing_view *view,
                     struct http_listing_cursor *cursor)
{
    return view->form->format == HTTP_LISTING_JSON ? put_json(t, view->listing, cursor)
                                                   : http_listing_put_html(t, view, cursor);
}

int http_listing_render(const struct dir_listing *listing, struct span path,
                        const struct http_listing_form *form, char **ret_text, size_t *ret_len)
{
    const struct http_listing_view view = { listing, path, form };
    struct http_listing_cursor cursor = { 0 };
    struct listing_text t = { .kind = LISTING_GROWS };

    while (!t.failed && put_next(&t, &view, &cursor))
        ;
    if (t.failed) {
        free(t.ptr);
        return -ENOMEM;
    }
    *ret_text = t.ptr;
    *ret_len = t.len;
    return 0;
}

/* ---- a long one ---- */

#define HTTP_LISTING_MAGIC 0x115712e5u

enum { COUNTED_AT_ONCE = 512 }; /* entries, or other steps */

struct http_listing {
    unsigned magic;
    struct file_source source;
    struct dir_listing *found;
    struct archive *archive; /* NULL: it is a text */
    struct http_listing_form form;
    bool counted;
    struct http_listing_cursor cursor; /* what is to be counted, and then to be made */
    uint64_t len;
    size_t size, *total;
    size_t path_len;
    char path[];
};

static struct http_listing_view view_of(const struct http_listing *l)
{
    return (struct http_listing_view){ l->found, span_make(l->path, l->path_len), &l->form };
}

static int count_some(struct http_listing *l)
{
    const struct http_listing_view view = view_of(l);
    struct listing_text t = { .kind = LISTING_COUNTS };

    for (size_t i = 0; i < COUNTED_AT_ONCE && !l->counted; i++)
        l->counted = !put_next(&t, &view, &l->cursor);
    l->len += t.len;
    if (l->counted)
        l->cursor = (struct http_listing_cursor){ 0 };
    return !l->counted;
}

static int read_some(struct file_source *source, void *mem, size_t len)
{
    struct http_listing *l = container_of(source, struct http_listing, source);
    struct listing_text t = { .kind = LISTING_FILLS, .ptr = mem, .cap = len };
    struct http_listing_cursor cursor;
    size_t whole = 0;

    CHECK_OBJ(l, HTTP_LISTING_MAGIC);
    CHECK(l->found != NULL && (mem != NULL) == l->counted);
    if (mem == NULL)
        return count_some(l);
    const struct http_listing_view view = view_of(l);
    for (cursor = l->cursor; put_next(&t, &view, &cursor) && !t.failed; l->cursor = cursor)
        whole = t.len;
    return (int)whole;
}

struct http_listing *http_listing_create(struct span path, const struct http_listing_form *form,
                                         size_t *total)
{
    struct http_listing *l = malloc(sizeof(*l) + path.len);

    if (l == NULL)
        return NULL;
    *l = (struct http_listing){ .magic = HTTP_LISTING_MAGIC,
                                .source = { read_some },
                                .form = *form,
                                .total = total,
                                .path_len = path.len };
    memcpy(l->path, path.ptr, path.len);
    return l;
}

void http_listing_charge(struct http_listing *l, size_t size)
{
    CHECK_OBJ(l, HTTP_LISTING_MAGIC);
    CHECK(*l->total >= l->size);
    *l->total += size - l->size;
    l->size = size;
}

size_t http_listing_size(const struct http_listing *l)
{
    return l->size;
}

void http_listing_fill(struct http_listing *l, struct dir_listing *found)
{
    CHECK_OBJ(l, HTTP_LISTING_MAGIC);
    CHECK(l->found == NULL);
    l->found = found;
}

void http_listing_set_archive(struct http_listing *l, struct archive *archive)
{
    CHECK_OBJ(l, HTTP_LISTING_MAGIC);
    CHECK(l->found == NULL && l->archive == NULL);
    l->archive = archive;
}

struct archive *http_listing_archive(const struct http_listing *l)
{
    return l->archive;
}

const struct http_listing_form *http_listing_form(const struct http_listing *l)
{
    return &l->form;
}

struct file_source *http_listing_source(struct http_listing *l)
{
    CHECK_OBJ(l, HTTP_LISTING_MAGIC);
    return l->archive != NULL ? archive_source(l->archive) : &l->source;
}

uint64_t http_listing_len(const struct http_listing *l)
{
    CHECK(l->counted);
    return l->len;
}

void http_listing_free(struct http_listing *l)
{
    if (l == NULL)
        return;
    http_listing_charge(l, 0);
    dir_listing_free(l->found);
    archive_free(l->archive);
    l->magic = 0;
    free(l);
}
