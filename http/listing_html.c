/* listing_html.c: the values and the conditions of a page of listings, and the walk over its steps.
 *
 * A section of entries or of breadcrumbs is written one at a time, so that whoever fills a buffer
 * can stop behind each. */
#include "http/listing_html.h"

#include "core/check.h"
#include "http/listing_kind.h"
#include "http/target.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* The longest piece: a value of the page is at most a path; an entry, a breadcrumb and a chunk of a
 * README hold so much text, and so many values. An octet becomes six at most (&quot;). */
static_assert(6 * HTTP_PATH_MAX + 64 <= HTTP_LISTING_PIECE_MIN, "a path");
static_assert(LISTING_ENTRY_TEXT_MAX + LISTING_VALUES_MAX * (6 * NAME_MAX + 8) <=
                  HTTP_LISTING_PIECE_MIN,
              "an entry");
static_assert(LISTING_CRUMB_TEXT_MAX + LISTING_VALUES_MAX * (6 * NAME_MAX + 8) <=
                  HTTP_LISTING_PIECE_MIN,
              "a breadcrumb");
static_assert(6 * HTTP_LISTING_CHUNK / 2 <= HTTP_LISTING_PIECE_MIN, "a chunk of a README");

enum { LOOKED_AT_MAX = 1000 };

/* A folder of the path: its name with a slash, or "/", and how many levels it lies above the
 * listed one. */
struct crumb {
    struct span name;
    size_t up;
};

/* ---- the page ---- */

static const char *const key_words[] = {
    [DIR_BY_NAME] = "name", [DIR_BY_SIZE] = "size", [DIR_BY_TIME] = "time"
};

/* The order that a click on the header of `key` asks for: the other one where it is sorted by that
 * already, else the one that people look for first. */
static const char *next_order(const struct http_listing_form *form, enum dir_key key)
{
    bool descending = key == form->key ? !form->descending : key != DIR_BY_NAME;

    return descending ? "desc" : "asc";
}

static const char *sorted_word(const struct http_listing_form *form, enum dir_key key)
{
    if (form->key != key)
        return "none";
    return form->descending ? "descending" : "ascending";
}

static void put_count(struct listing_text *t, size_t count, const char *one, const char *several)
{
    listing_put_number(t, count);
    listing_put_str(t, count == 1 ? one : several);
}

/* "3 folders, 12 files, 1.2 GiB" */
static void put_summary(struct listing_text *t, const struct dir_listing *listing)
{
    size_t files = listing->count - listing->folders;

    if (listing->folders > 0 || files == 0)
        put_count(t, listing->folders, " folder", " folders");
    if (listing->folders > 0 || files == 0)
        listing_put_str(t, ", ");
    put_count(t, files, " file", " files");
    if (files == 0)
        return;
    listing_put_str(t, ", ");
    listing_put_size(t, listing->files_size);
}

static void put_page_value(struct listing_text *t, const struct http_listing_view *view,
                           enum listing_name name)
{
    const struct dir_listing *listing = view->listing;
    const struct http_listing_form *form = view->form;

    switch (name) {
    case LISTING_PATH:
        listing_put_html(t, view->path);
        return;
    case LISTING_SUMMARY:
        put_summary(t, listing);
        return;
    case LISTING_FOLDERS:
        listing_put_number(t, listing->folders);
        return;
    case LISTING_FILES:
        listing_put_number(t, listing->count - listing->folders);
        return;
    case LISTING_TOTAL_BYTES:
        listing_put_number(t, listing->files_size);
        return;
    case LISTING_TOTAL_SIZE:
        listing_put_size(t, listing->files_size);
        return;
    case LISTING_SORT:
        listing_put_str(t, key_words[form->key]);
        return;
    case LISTING_ORDER:
        listing_put_str(t, form->descending ? "desc" : "asc");
        return;
    case LISTING_NAME_ORDER:
        listing_put_str(t, next_order(form, DIR_BY_NAME));
        return;
    case LISTING_SIZE_ORDER:
        listing_put_str(t, next_order(form, DIR_BY_SIZE));
        return;
    case LISTING_TIME_ORDER:
        listing_put_str(t, next_order(form, DIR_BY_TIME));
        return;
    case LISTING_NAME_SORTED:
        listing_put_str(t, sorted_word(form, DIR_BY_NAME));
        return;
    case LISTING_SIZE_SORTED:
        listing_put_str(t, sorted_word(form, DIR_BY_SIZE));
        return;
    case LISTING_TIME_SORTED:
        listing_put_str(t, sorted_word(form, DIR_BY_TIME));
        return;
    case LISTING_README_NAME:
        if (listing->readme_name != NULL)
            listing_put_html(t, span_str(listing->readme_name));
        return;
    default:
        UNREACHABLE(); /* listing_page.c */
    }
}

/* Among the first files, at least: it is about a button. */
static bool has_images(const struct dir_listing *listing)
{
    size_t files = listing->count - listing->folders;
    size_t end = listing->folders + (files < LOOKED_AT_MAX ? files : LOOKED_AT_MAX);

    for (size_t i = listing->folders; i < end; i++) {
        struct dir_item item = dir_listing_item(listing, i);

        if (!item.is_dir && http_listing_kind_of(item.name) == HTTP_KIND_IMAGE)
            return true;
    }
    return false;
}

/* Does what holds for the whole page hold? */
static bool page_holds(const struct http_listing_view *view, enum listing_name name)
{
    const struct dir_listing *listing = view->listing;

    switch (name) {
    case LISTING_FOLDERS:
        return listing->folders > 0;
    case LISTING_FILES:
        return listing->count > listing->folders;
    case LISTING_README:
        return listing->readme != NULL;
    case LISTING_PARENT:
        return !span_eq(view->path, SPAN_LIT("/"));
    case LISTING_EMPTY:
        return listing->count == 0;
    case LISTING_IMAGES:
        return has_images(listing);
    case LISTING_PREVIEW:
        return view->form->preview;
    case LISTING_ZIP:
        return view->form->zip;
    case LISTING_TAR:
        return view->form->tar;
    default:
        UNREACHABLE(); /* listing_page.c */
    }
}

/* ---- an entry ---- */

static void put_entry_value(struct listing_text *t, const struct dir_item *item,
                            enum listing_name name)
{
    enum http_listing_kind kind =
        item->is_dir ? HTTP_KIND_FOLDER : http_listing_kind_of(item->name);

    switch (name) {
    case LISTING_HREF:
        /* "./" so that a name such as "javascript:x" is no scheme and "//x" no authority. */
        listing_put_str(t, "./");
        listing_put_link(t, span_str(item->name));
        listing_put_str(t, item->is_dir ? "/" : "");
        return;
    case LISTING_ENTRY_NAME:
        listing_put_html(t, span_str(item->name));
        listing_put_str(t, item->is_dir ? "/" : "");
        return;
    case LISTING_KIND:
        listing_put(t, http_listing_kind_word(kind).ptr, http_listing_kind_word(kind).len);
        return;
    case LISTING_BYTES:
        if (!item->is_dir && !item->forbidden)
            listing_put_number(t, item->size);
        return;
    case LISTING_SIZE:
        if (!item->is_dir && !item->forbidden)
            listing_put_size(t, item->size);
        return;
    case LISTING_MODIFIED:
    case LISTING_MODIFIED_ISO:
        if (!item->forbidden)
            listing_put_time(t, item->mtime_s, name == LISTING_MODIFIED_ISO);
        return;
    default:
        UNREACHABLE(); /* listing_page.c */
    }
}

static bool entry_holds(const struct http_listing_view *view, const struct dir_item *item,
                        enum listing_name name)
{
    switch (name) {
    case LISTING_FOLDER:
        return item->is_dir;
    case LISTING_FILE:
        return !item->is_dir;
    case LISTING_IMAGE:
        return !item->is_dir && http_listing_kind_of(item->name) == HTTP_KIND_IMAGE;
    case LISTING_SIZED:
        return !item->is_dir && !item->forbidden;
    case LISTING_ROUNDED:
        return !item->is_dir && !item->forbidden && item->size >= 1024;
    case LISTING_DATED:
        return !item->forbidden;
    default:
        return page_holds(view, name);
    }
}

/* ---- a breadcrumb ---- */

static size_t slashes_in(struct span path)
{
    size_t count = 0;

    for (size_t i = 0; i < path.len; i++)
        count += path.ptr[i] == '/';
    return count;
}

/* How many there are: a path has as many folders as slashes. */
static size_t crumbs_of(struct span path)
{
    size_t count = slashes_in(path);

    return count < HTTP_CRUMBS_MAX ? count : HTTP_CRUMBS_MAX;
}

static struct crumb crumb_at(struct span path, size_t index)
{
    size_t folders = slashes_in(path), left_out = folders - crumbs_of(path);
    size_t number = index == 0 ? 0 : index + left_out; /* of all folders of the path */
    size_t begin = 0;
    const char *end;

    for (size_t i = 0; i < number; i++)
        begin =
            (size_t)((const char *)memchr(path.ptr + begin, '/', path.len - begin) - path.ptr) + 1;
    end = memchr(path.ptr + begin, '/', path.len - begin);
    CHECK(end != NULL);
    return (struct crumb){ .name = { path.ptr + begin, (size_t)(end + 1 - path.ptr) - begin },
                           .up = folders - 1 - number };
}

static void put_crumb_value(struct listing_text *t, const struct crumb *crumb,
                            enum listing_name name)
{
    if (name == LISTING_ENTRY_NAME) {
        listing_put_html(t, crumb->name);
        return;
    }
    CHECK(name == LISTING_HREF);
    if (crumb->up == 0)
        listing_put_str(t, "./");
    for (size_t i = 0; i < crumb->up; i++)
        listing_put_str(t, "../");
}

static bool crumb_holds(const struct http_listing_view *view, const struct crumb *crumb,
                        enum listing_name name)
{
    return name == LISTING_CURRENT ? crumb->up == 0 : page_holds(view, name);
}

/* ---- the walk ---- */

/* Writes the steps from `at` up to `end`, of an entry or of a breadcrumb; one of both is NULL. */
static void put_body(struct listing_text *t, const struct http_listing_view *view, size_t at,
                     size_t end, const struct dir_item *item, const struct crumb *crumb)
{
    while (at < end) {
        const struct listing_step *step = &view->form->page->steps[at++];
        enum listing_name name = (enum listing_name)step->name;
        bool holds;

        switch ((enum listing_step_kind)step->kind) {
        case LISTING_TEXT:
            listing_put(t, step->text.ptr, step->text.len);
            break;
        case LISTING_VALUE:
            if (item != NULL)
                put_entry_value(t, item, name);
            else
                put_crumb_value(t, crumb, name);
            break;
        case LISTING_BEGIN:
            holds = item != NULL ? entry_holds(view, item, name) : crumb_holds(view, crumb, name);
            if (holds == step->inverted)
                at = step->end;
            break;
        case LISTING_END:
            break;
        }
    }
}

/* One more time the section that begins with `step`, which has so many. */
static void put_one_of(struct listing_text *t, const struct http_listing_view *view,
                       struct http_listing_cursor *cursor, const struct listing_step *step)
{
    bool entries = step->name == LISTING_ENTRIES;
    size_t count = entries ? view->listing->count : crumbs_of(view->path);
    struct dir_item item;
    struct crumb crumb;

    if (cursor->item == count) {
        cursor->step = step->end;
        cursor->item = 0;
        return;
    }
    if (!entries)
        crumb = crumb_at(view->path, cursor->item);
    if (entries)
        item = dir_listing_item(view->listing, cursor->item);
    put_body(t, view, cursor->step + 1, step->end, entries ? &item : NULL, entries ? NULL : &crumb);
    cursor->item++;
}

/* So much of `text` that neither a character nor the end of a line is torn in two. */
static size_t readme_chunk(struct span text)
{
    size_t len = HTTP_LISTING_CHUNK / 2;

    if (text.len <= len)
        return text.len;
    while (len > HTTP_LISTING_CHUNK / 2 - 4 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
        len--;
    return len - (text.ptr[len - 1] == '\r');
}

/* One more chunk of a text or a README. True: that was the last one. */
static bool put_chunk(struct listing_text *t, struct http_listing_cursor *cursor, struct span text,
                      bool readme)
{
    struct span rest = span_make(text.ptr + cursor->off, text.len - cursor->off);
    size_t len = rest.len < HTTP_LISTING_CHUNK ? rest.len : HTTP_LISTING_CHUNK;

    if (readme)
        len = readme_chunk(rest);
    rest.len = len;
    if (readme)
        listing_put_html_lines(t, rest);
    else
        listing_put(t, rest.ptr, rest.len);
    cursor->off += len;
    return cursor->off == text.len;
}

static void advance(struct http_listing_cursor *cursor, size_t to)
{
    *cursor = (struct http_listing_cursor){ .step = to };
}

bool http_listing_put_html(struct listing_text *t, const struct http_listing_view *view,
                           struct http_listing_cursor *cursor)
{
    const struct listing_page *page = view->form->page;
    const struct listing_step *step = &page->steps[cursor->step];
    const struct dir_listing *listing = view->listing;
    enum listing_name name;

    if (cursor->step == page->count)
        return false;
    name = (enum listing_name)step->name;
    switch ((enum listing_step_kind)step->kind) {
    case LISTING_TEXT:
        if (put_chunk(t, cursor, step->text, false))
            advance(cursor, cursor->step + 1);
        return true;
    case LISTING_VALUE:
        if (name != LISTING_README)
            put_page_value(t, view, name);
        if (name != LISTING_README || listing->readme == NULL ||
            put_chunk(t, cursor, span_make(listing->readme, listing->readme_len), true))
            advance(cursor, cursor->step + 1);
        return true;
    case LISTING_BEGIN:
        if (name == LISTING_ENTRIES || name == LISTING_BREADCRUMBS)
            put_one_of(t, view, cursor, step);
        else
            advance(cursor,
                    page_holds(view, name) == step->inverted ? step->end : cursor->step + 1);
        return true;
    case LISTING_END:
        advance(cursor, cursor->step + 1);
        return true;
    }
    UNREACHABLE();
}
