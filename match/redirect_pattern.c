/* redirect_pattern.c: from the front up to the splat, then from the end; nothing is tried twice. */
#include "match/redirect_pattern.h"

#include "core/check.h"
#include "core/uri_octet.h"

#include <errno.h>

static bool is_letter(char octet)
{
    return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z');
}

size_t redirect_name_len(struct span text)
{
    size_t len = 0;

    if (text.len == 0 || !is_letter(text.ptr[0]))
        return 0;
    while (len < text.len && (is_letter(text.ptr[len]) || text.ptr[len] == '_' ||
                              (text.ptr[len] >= '0' && text.ptr[len] <= '9')))
        len++;
    return len;
}

int redirect_escape(struct span text, size_t at)
{
    return uri_escape_octet(text.ptr + at, text.ptr + text.len);
}

struct span redirect_decode(struct arena *arena, struct span text, bool *ret_bad)
{
    char *out = arena_alloc(arena, text.len + 1);
    size_t len = 0;

    *ret_bad = false;
    for (size_t i = 0; out != NULL && i < text.len; i++) {
        if (text.ptr[i] != '%') {
            out[len++] = text.ptr[i];
            continue;
        }
        int octet = redirect_escape(text, i);

        if (octet <= 0) {
            *ret_bad = true;
            break;
        }
        out[len++] = (char)octet;
        i += 2;
    }
    return span_make(out, out != NULL ? len : 0);
}

uint8_t redirect_pattern_add_group(struct redirect_pattern *pattern, struct span name)
{
    if (pattern->groups + 1 >= CAPTURES_MAX)
        return 0;
    pattern->names[++pattern->groups] = name;
    return pattern->groups;
}

uint8_t redirect_pattern_group(const struct redirect_pattern *pattern, struct span name)
{
    for (uint8_t i = 1; i <= pattern->groups; i++) {
        if (span_eq(pattern->names[i], name))
            return i;
    }
    return 0;
}

/* ---- making ---- */

/* A pattern while it is made. */
struct maker {
    struct arena *arena;
    struct redirect_pattern *pattern;
    size_t count;
    const char *what;
};

static int fail(struct maker *m, const char *what)
{
    m->what = what;
    return -EINVAL;
}

static int add_text(struct maker *m, struct span text)
{
    bool is_bad;

    if (text.len == 0)
        return 0;
    text = redirect_decode(m->arena, text, &is_bad);
    if (text.ptr == NULL)
        return -ENOMEM;
    if (is_bad)
        return fail(m, "holds a percent-escape that is bad, or %00");
    m->pattern->pieces[m->count++] = (struct redirect_piece){ .text = text };
    return 0;
}

static int add_segment(struct maker *m, struct span name)
{
    char *copy = arena_strndup(m->arena, name.ptr, name.len);

    if (copy == NULL)
        return -ENOMEM;
    name.ptr = copy;
    if (redirect_pattern_group(m->pattern, name) != 0)
        return fail(m, "has a placeholder twice");
    uint8_t group = redirect_pattern_add_group(m->pattern, name);
    if (group == 0)
        return fail(m, "captures more than nine times");
    m->pattern->pieces[m->count++] = (struct redirect_piece){ .text = name, .group = group };
    return 0;
}

static int add_splat(struct maker *m)
{
    struct redirect_pattern *pattern = m->pattern;

    if (pattern->splat != 0)
        return fail(m, "has a second '*'; there may be one");
    pattern->splat = redirect_pattern_add_group(pattern, SPAN_LIT("splat"));
    if (pattern->splat == 0)
        return fail(m, "captures more than nine times");
    pattern->head = (uint8_t)m->count;
    return 0;
}

/* What stands at the front of `from` and is no text: its length, or 0. */
static size_t variable_len(struct span from, char before)
{
    if (from.ptr[0] == '*')
        return 1;
    if (from.ptr[0] != ':' || before != '/')
        return 0;
    size_t len = redirect_name_len(span_make(from.ptr + 1, from.len - 1));
    return len > 0 ? len + 1 : 0;
}

static int add_pieces(struct maker *m, struct span from)
{
    size_t begin = 0;
    int res = 0;

    for (size_t i = 0; res == 0 && i < from.len;) {
        struct span rest = span_make(from.ptr + i, from.len - i);
        size_t len = variable_len(rest, i > 0 ? from.ptr[i - 1] : '\0');

        if (len == 0) {
            i++;
            continue;
        }
        res = add_text(m, span_make(from.ptr + begin, i - begin));
        if (res == 0 && rest.ptr[0] == '*')
            res = add_splat(m);
        else if (res == 0 && len < rest.len && rest.ptr[len] != '/')
            res = fail(m, "has a placeholder that is not a whole segment, up to a '/'");
        else if (res == 0)
            res = add_segment(m, span_make(rest.ptr + 1, len - 1));
        begin = i += len;
    }
    return res < 0 ? res : add_text(m, span_make(from.ptr + begin, from.len - begin));
}

/* Takes the '/' off the end of the last piece of all, or of the head. */
static void trim_piece(struct redirect_piece *piece)
{
    CHECK(piece->group == 0);
    piece->text = redirect_pattern_trim(piece->text);
}

int redirect_pattern_make(struct arena *arena, struct span from,
                          struct redirect_pattern *ret_pattern, const char **ret_what)
{
    struct redirect_pattern pattern = { 0 };
    struct redirect_piece pieces[2 * CAPTURES_MAX + 2]; /* between variables at most one text */
    struct maker m = { .arena = arena, .pattern = &pattern };
    int res;

    CHECK(from.len > 0 && from.ptr[0] == '/');
    pattern.pieces = pieces;
    res = add_pieces(&m, from);
    if (res < 0) {
        *ret_what = m.what;
        return res;
    }
    pattern.pieces = arena_array(arena, m.count, sizeof(pieces[0]));
    if (pattern.pieces == NULL)
        return -ENOMEM;
    memcpy(pattern.pieces, pieces, m.count * sizeof(pieces[0]));
    struct redirect_piece *last = &pattern.pieces[m.count - 1];
    if (pattern.splat == 0)
        pattern.head = (uint8_t)m.count;
    pattern.tail = (uint8_t)(m.count - pattern.head);
    pattern.ends_with_slash = from.ptr[from.len - 1] == '/';
    if (pattern.splat != 0 && pattern.tail == 0) {
        pattern.splat_in_folder = last->group == 0 && last->text.ptr[last->text.len - 1] == '/';
        if (pattern.splat_in_folder)
            trim_piece(last);
    } else if (pattern.ends_with_slash && last->group == 0) {
        trim_piece(last);
    }
    *ret_pattern = pattern;
    return 0;
}

struct span redirect_pattern_folder(const struct redirect_pattern *pattern)
{
    struct span text = pattern->pieces[0].text; /* `from` begins with a text: '/' */

    if (redirect_pattern_is_static(pattern) || (pattern->head == 1 && pattern->splat_in_folder))
        return text;
    while (text.len > 0 && text.ptr[text.len - 1] != '/')
        text.len--;
    return redirect_pattern_trim(text);
}

/* ---- matching ---- */

/* Takes pieces off the front of *path. */
static bool take_head(const struct redirect_pattern *pattern, struct span *path,
                      struct captures *captures)
{
    for (size_t i = 0; i < pattern->head; i++) {
        const struct redirect_piece *piece = &pattern->pieces[i];
        size_t len = piece->text.len;

        if (piece->group != 0) {
            const char *slash = path->len > 0 ? memchr(path->ptr, '/', path->len) : NULL;

            len = slash != NULL ? (size_t)(slash - path->ptr) : path->len;
            if (len == 0)
                return false;
            captures->groups[piece->group] = span_make(path->ptr, len);
        } else if (len > path->len || memcmp(path->ptr, piece->text.ptr, len) != 0) {
            return false;
        }
        *path = span_make(path->ptr + len, path->len - len);
    }
    return true;
}

/* Takes pieces off the end of *path, the last one first. */
static bool take_tail(const struct redirect_pattern *pattern, struct span *path,
                      struct captures *captures)
{
    for (size_t i = pattern->head + pattern->tail; i-- > pattern->head;) {
        const struct redirect_piece *piece = &pattern->pieces[i];
        size_t len = piece->text.len;

        if (piece->group != 0) {
            for (len = 0; len < path->len && path->ptr[path->len - len - 1] != '/'; len++)
                ;
            if (len == 0)
                return false;
            captures->groups[piece->group] = span_make(path->ptr + path->len - len, len);
        } else if (len > path->len ||
                   memcmp(path->ptr + path->len - len, piece->text.ptr, len) != 0) {
            return false;
        }
        path->len -= len;
    }
    return true;
}

bool redirect_pattern_match(const struct redirect_pattern *pattern, struct span path,
                            struct captures *captures)
{
    struct span left = redirect_pattern_trim(path);

    if (pattern->slash_counts && pattern->ends_with_slash != (left.len < path.len))
        return false;
    if (pattern->splat != 0 && pattern->tail == 0)
        left = path; /* a splat keeps the slash */
    if (!take_head(pattern, &left, captures))
        return false;
    if (pattern->splat == 0)
        return left.len == 0;
    if (!take_tail(pattern, &left, captures))
        return false;
    if (pattern->splat_in_folder && left.len > 0) {
        if (left.ptr[0] != '/')
            return false;
        left = span_make(left.ptr + 1, left.len - 1);
    }
    captures->groups[pattern->splat] = left;
    return true;
}
