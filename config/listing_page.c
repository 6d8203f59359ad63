/* listing_page.c: reads a template in one pass over its braces; which name may stand where is a
 * table. */
#include "config/listing_page.h"

#include "core/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PAGE = 1 << 0, ENTRY = 1 << 1, CRUMB = 1 << 2, EVERYWHERE = PAGE | ENTRY | CRUMB };
enum { DEPTH_MAX = 16 }; /* sections in sections */

/* Where a name may stand as a value, and where as a section. In the order of enum listing_name; a
 * name may stand twice, in different scopes. */
static const struct name {
    const char *name;
    unsigned value_in, section_in;
} names[LISTING_NAMES] = {
    [LISTING_PATH] = { "path", PAGE, 0 },
    [LISTING_SUMMARY] = { "summary", PAGE, 0 },
    [LISTING_FOLDERS] = { "folders", PAGE, PAGE },
    [LISTING_FILES] = { "files", PAGE, PAGE },
    [LISTING_TOTAL_BYTES] = { "total_bytes", PAGE, 0 },
    [LISTING_TOTAL_SIZE] = { "total_size", PAGE, 0 },
    [LISTING_SORT] = { "sort", PAGE, 0 },
    [LISTING_ORDER] = { "order", PAGE, 0 },
    [LISTING_NAME_ORDER] = { "name_order", PAGE, 0 },
    [LISTING_SIZE_ORDER] = { "size_order", PAGE, 0 },
    [LISTING_TIME_ORDER] = { "time_order", PAGE, 0 },
    [LISTING_NAME_SORTED] = { "name_sorted", PAGE, 0 },
    [LISTING_SIZE_SORTED] = { "size_sorted", PAGE, 0 },
    [LISTING_TIME_SORTED] = { "time_sorted", PAGE, 0 },
    [LISTING_README_NAME] = { "readme_name", PAGE, 0 },
    [LISTING_README] = { "readme", PAGE, PAGE },
    [LISTING_PARENT] = { "parent", 0, EVERYWHERE },
    [LISTING_EMPTY] = { "empty", 0, EVERYWHERE },
    [LISTING_IMAGES] = { "images", 0, EVERYWHERE },
    [LISTING_PREVIEW] = { "preview", 0, EVERYWHERE },
    [LISTING_ZIP] = { "zip", 0, EVERYWHERE },
    [LISTING_TAR] = { "tar", 0, EVERYWHERE },
    [LISTING_BREADCRUMBS] = { "breadcrumbs", 0, PAGE },
    [LISTING_ENTRIES] = { "entries", 0, PAGE },
    [LISTING_HREF] = { "href", ENTRY | CRUMB, 0 },
    [LISTING_ENTRY_NAME] = { "name", ENTRY | CRUMB, 0 },
    [LISTING_KIND] = { "kind", ENTRY, 0 },
    [LISTING_BYTES] = { "bytes", ENTRY, 0 },
    [LISTING_SIZE] = { "size", ENTRY, 0 },
    [LISTING_MODIFIED] = { "modified", ENTRY, 0 },
    [LISTING_MODIFIED_ISO] = { "modified_iso", ENTRY, 0 },
    [LISTING_FOLDER] = { "folder", 0, ENTRY },
    [LISTING_FILE] = { "file", 0, ENTRY },
    [LISTING_IMAGE] = { "image", 0, ENTRY },
    [LISTING_SIZED] = { "sized", 0, ENTRY },
    [LISTING_ROUNDED] = { "rounded", 0, ENTRY },
    [LISTING_DATED] = { "dated", 0, ENTRY },
    [LISTING_CURRENT] = { "current", 0, CRUMB },
};

struct parser {
    struct listing_page *page;
    const char *begin, *at, *end;
    unsigned scope;
    uint32_t open[DEPTH_MAX]; /* steps that begin the sections around here */
    unsigned depth;
    size_t text_len, values; /* of the entry or breadcrumb around here */
    bool has_entries;
    char *why;
    size_t why_size;
};

__attribute__((format(printf, 2, 3))) static int fail(struct parser *p, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(p->why, p->why_size, format, args);
    va_end(args);
    return -EINVAL;
}

static struct listing_step *add(struct parser *p, enum listing_step_kind kind)
{
    struct listing_step *step = &p->page->steps[p->page->count++];

    *step = (struct listing_step){ .kind = (uint8_t)kind };
    return step;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span trim(struct span s)
{
    while (s.len > 0 && is_blank(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* What follows up to the next braces, or the end. */
static int take_text(struct parser *p, const char *to)
{
    bool bounded = p->scope != PAGE;
    size_t max = p->scope == CRUMB ? LISTING_CRUMB_TEXT_MAX : LISTING_ENTRY_TEXT_MAX;

    if (to == p->at)
        return 0;
    add(p, LISTING_TEXT)->text = span_make(p->at, (size_t)(to - p->at));
    p->text_len += (size_t)(to - p->at);
    if (bounded && p->text_len > max)
        return fail(p, "the section holds more than %zu octets of text", max);
    return 0;
}

/* The name, as a value or as a section, in this scope; LISTING_NAMES: none. */
static enum listing_name find(const struct parser *p, struct span text, bool section)
{
    for (unsigned i = 0; i < LISTING_NAMES; i++) {
        unsigned where = section ? names[i].section_in : names[i].value_in;

        if ((where & p->scope) != 0 && span_eq(span_str(names[i].name), text))
            return (enum listing_name)i;
    }
    return LISTING_NAMES;
}

static bool is_known(struct span text)
{
    for (unsigned i = 0; i < LISTING_NAMES; i++) {
        if (span_eq(span_str(names[i].name), text))
            return true;
    }
    return false;
}

static int take_value(struct parser *p, struct span text)
{
    enum listing_name name = find(p, text, false);

    if (name == LISTING_NAMES && is_known(text))
        return fail(p, "{{%.*s}} has no value here; docs/HTTP.md tells where it has one",
                    (int)text.len, text.ptr);
    if (name == LISTING_NAMES)
        return fail(p, "{{%.*s}} is no placeholder of listings; docs/HTTP.md lists them",
                    (int)(text.len < 80 ? text.len : 80), text.ptr);
    if (p->scope != PAGE && ++p->values > LISTING_VALUES_MAX)
        return fail(p, "the section holds more than %d values", LISTING_VALUES_MAX);
    add(p, LISTING_VALUE)->name = (uint8_t)name;
    return 0;
}

static int take_begin(struct parser *p, struct span text, bool inverted)
{
    enum listing_name name = find(p, text, true);
    struct listing_step *step;

    if (name == LISTING_NAMES)
        return fail(p, "{{%c%.*s}} is no section of listings%s; docs/HTTP.md lists them",
                    inverted ? '^' : '#', (int)(text.len < 80 ? text.len : 80), text.ptr,
                    is_known(text) ? " that may stand here" : "");
    if (p->depth == DEPTH_MAX)
        return fail(p, "sections lie more than %d deep in each other", DEPTH_MAX);
    if (inverted && (name == LISTING_ENTRIES || name == LISTING_BREADCRUMBS))
        return fail(p, "{{^%s}} means nothing; {{#empty}} is what holds without entries",
                    names[name].name);
    if (name == LISTING_ENTRIES && p->has_entries)
        return fail(p, "{{#entries}} stands here a second time");
    if (name == LISTING_ENTRIES || name == LISTING_BREADCRUMBS) {
        p->scope = name == LISTING_ENTRIES ? ENTRY : CRUMB;
        p->has_entries |= name == LISTING_ENTRIES;
        p->text_len = p->values = 0;
    }
    p->open[p->depth++] = (uint32_t)p->page->count;
    step = add(p, LISTING_BEGIN);
    step->name = (uint8_t)name;
    step->inverted = inverted;
    return 0;
}

static int take_end(struct parser *p, struct span text)
{
    struct listing_step *begin = p->depth > 0 ? &p->page->steps[p->open[p->depth - 1]] : NULL;

    if (begin == NULL || !span_eq(span_str(names[begin->name].name), text))
        return fail(p, "{{/%.*s}} ends no section; open here: %s",
                    (int)(text.len < 80 ? text.len : 80), text.ptr,
                    begin == NULL ? "none" : names[begin->name].name);
    add(p, LISTING_END)->name = begin->name;
    begin->end = (uint32_t)p->page->count;
    p->depth--;
    if (begin->name == LISTING_ENTRIES || begin->name == LISTING_BREADCRUMBS)
        p->scope = PAGE;
    return 0;
}

/* What stands between two pairs of braces. */
static int take_placeholder(struct parser *p, struct span text)
{
    char sign = text.len > 0 ? text.ptr[0] : '\0';

    if (sign == '!')
        return 0;
    if (sign != '#' && sign != '^' && sign != '/')
        return take_value(p, text);
    text = trim(span_make(text.ptr + 1, text.len - 1));
    return sign == '/' ? take_end(p, text) : take_begin(p, text, sign == '^');
}

static int parse(struct parser *p)
{
    int res = 0;

    while (res == 0 && p->at < p->end) {
        const char *open = memmem(p->at, (size_t)(p->end - p->at), "{{", 2);
        const char *close = NULL;

        res = take_text(p, open != NULL ? open : p->end);
        p->at = open != NULL ? open : p->end;
        if (res < 0 || open == NULL)
            break;
        close = memmem(open, (size_t)(p->end - open), "}}", 2);
        if (close == NULL)
            return fail(p, "{{ is never closed by }}; as text, write { { with a blank between");
        res = take_placeholder(p, trim(span_make(open + 2, (size_t)(close - open) - 2)));
        if (res == 0)
            p->at = close + 2;
    }
    if (res == 0 && p->depth > 0)
        return fail(p, "{{#%s}} is never closed",
                    names[p->page->steps[p->open[p->depth - 1]].name].name);
    if (res == 0 && !p->has_entries)
        return fail(p, "{{#entries}} ... {{/entries}} is missing: nothing would be listed");
    return res;
}

static int line_of(const char *text, const char *at)
{
    int line = 1;

    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

/* Steps at most: a text and a placeholder for each pair of braces, and the last text. */
static size_t steps_max(struct span text)
{
    size_t count = 1;

    for (size_t i = 0; i + 1 < text.len; i++)
        count += text.ptr[i] == '{' && text.ptr[i + 1] == '{' ? 2 : 0;
    return count;
}

int listing_page_parse(struct arena *arena, struct span text, struct listing_page **ret_page,
                       int *ret_line, char *why, size_t why_size)
{
    struct parser p = { .begin = text.ptr,
                        .at = text.ptr,
                        .end = text.ptr + text.len,
                        .scope = PAGE,
                        .why = why,
                        .why_size = why_size };
    struct listing_page *page = arena_array(arena, 1, sizeof(*page));
    int res;

    if (page == NULL)
        return -ENOMEM;
    *page = (struct listing_page){ .steps = arena_array(arena, steps_max(text),
                                                        sizeof(page->steps[0])) };
    if (page->steps == NULL)
        return -ENOMEM;
    p.page = page;
    res = text.len > LISTING_PAGE_MAX
              ? fail(&p, "the template is longer than %d octets", LISTING_PAGE_MAX)
              : parse(&p);
    CHECK(page->count <= steps_max(text));
    if (res < 0)
        *ret_line = line_of(p.begin, p.at);
    else
        *ret_page = page;
    return res;
}
