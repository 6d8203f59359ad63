/* literals.c: what every match of a regular expression has to have, read off its text: each part is
 * known by the texts with which it begins and ends, and by one that is in it, as R. Cox does it
 * ("Regular Expression Matching with a Trigram Index", 2012). See literals.h.
 *
 * The text has been compiled by PCRE2 and so is well-formed; what follows need not be the whole
 * syntax, but must not take anything for something else. Whatever might be is given up on. */
#include "match/literals.h"

#include "core/check.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* What is known of a part: all that it matches begins, ends, and has in it, one of these. */
struct part {
    bool exact; /* it matches these texts and no others; the three are the same */
    struct literals head, tail, inside;
};

struct parser {
    struct arena *arena;
    const char *at;
    bool high_bytes; /* are bytes above 127 themselves alone? */
    bool given_up;
    bool no_memory;
};

static const struct part unknown = { .exact = false };

size_t literals_strength(const struct literals *literals)
{
    size_t least = literals->count > 0 ? SIZE_MAX : 0;

    for (size_t i = 0; i < literals->count; i++) {
        if (literals->texts[i].len < least)
            least = literals->texts[i].len;
    }
    return least;
}

int literals_one(struct arena *arena, struct span text, struct literals *ret_literals)
{
    struct span *texts = arena_alloc(arena, sizeof(*texts));

    if (texts == NULL)
        return -ENOMEM;
    *texts = text;
    *ret_literals = (struct literals){ texts, 1 };
    return 0;
}

/* ---- sets of texts ---- */

static struct literals one(struct parser *p, const char *text, size_t len)
{
    char *copy = arena_strndup(p->arena, text, len);
    struct literals literals = { NULL, 0 };

    if (copy == NULL || literals_one(p->arena, span_make(copy, len), &literals) < 0)
        p->no_memory = true;
    return literals;
}

static struct part exactly(struct literals literals)
{
    return (struct part){ literals.count > 0, literals, literals, literals };
}

static struct part nothing(struct parser *p)
{
    return exactly(one(p, "", 0));
}

static struct literals better(struct literals a, struct literals b)
{
    size_t x = literals_strength(&a), y = literals_strength(&b);

    return x > y || (x == y && a.count <= b.count) ? a : b;
}

static bool has(const struct span *texts, size_t count, struct span text)
{
    for (size_t i = 0; i < count; i++) {
        if (span_eq(texts[i], text))
            return true;
    }
    return false;
}

/* One of either; unknown where it is too many, or one is unknown. */
static struct literals either(struct parser *p, struct literals a, struct literals b)
{
    struct span *texts;

    if (a.count == 0 || b.count == 0)
        return (struct literals){ NULL, 0 };
    texts = arena_array(p->arena, a.count + b.count, sizeof(texts[0]));
    if (texts == NULL) {
        p->no_memory = true;
        return (struct literals){ NULL, 0 };
    }
    memcpy(texts, a.texts, a.count * sizeof(texts[0]));
    size_t count = a.count;
    for (size_t i = 0; i < b.count; i++) {
        if (!has(texts, count, b.texts[i]))
            texts[count++] = b.texts[i];
    }
    return count > LITERALS_MAX ? (struct literals){ NULL, 0 } : (struct literals){ texts, count };
}

/* Each of `a` with each of `b` behind it; unknown where it is too many. Of what is too long, the
 * end is kept, or else the beginning; *ret_cut: it was. */
static struct literals joined(struct parser *p, struct literals a, struct literals b, bool keep_end,
                              bool *ret_cut)
{
    struct span *texts;

    if (a.count == 0 || b.count == 0 || a.count * b.count > LITERALS_MAX)
        return (struct literals){ NULL, 0 };
    texts = arena_array(p->arena, a.count * b.count, sizeof(texts[0]));
    if (texts == NULL)
        p->no_memory = true;
    for (size_t i = 0; i < a.count * b.count && !p->no_memory; i++) {
        struct span x = a.texts[i / b.count], y = b.texts[i % b.count];
        size_t len = x.len + y.len, kept = len < LITERAL_LEN_MAX ? len : LITERAL_LEN_MAX;
        char *text = arena_alloc(p->arena, len + 1);

        p->no_memory |= text == NULL;
        if (text == NULL)
            break;
        memcpy(text, x.ptr, x.len);
        memcpy(text + x.len, y.ptr, y.len);
        *ret_cut |= kept < len;
        texts[i] = span_make(keep_end ? text + len - kept : text, kept);
    }
    return p->no_memory ? (struct literals){ NULL, 0 }
                        : (struct literals){ texts, a.count * b.count };
}

/* ---- parts ---- */

/* `x`, and `y` behind it. */
static struct part follow(struct parser *p, struct part x, struct part y)
{
    struct part both = unknown;
    bool cut = false, ignored = false;

    if (x.exact && y.exact) {
        struct literals all = joined(p, x.head, y.head, false, &cut);

        if (all.count > 0 && !cut)
            return exactly(all);
    }
    struct literals head = x.exact ? joined(p, x.head, y.head, false, &ignored) : x.head;
    struct literals tail = y.exact ? joined(p, x.tail, y.tail, true, &ignored) : y.tail;
    both.head = head.count > 0 ? head : x.head;
    both.tail = tail.count > 0 ? tail : y.tail;
    both.inside = better(better(x.inside, y.inside), joined(p, x.tail, y.head, false, &ignored));
    return both;
}

static struct part alternate(struct parser *p, struct part x, struct part y)
{
    struct part both = { .head = either(p, x.head, y.head),
                         .tail = either(p, x.tail, y.tail),
                         .inside = either(p, x.inside, y.inside) };

    both.exact = x.exact && y.exact && both.head.count > 0;
    return both;
}

/* ---- the syntax ---- */

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct part give_up(struct parser *p)
{
    p->given_up = true;
    return unknown;
}

/* Is there a quantifier at `at`? A brace that is none is a character, in some versions. */
static bool is_quantifier(const char *at)
{
    return *at == '?' || *at == '*' || *at == '+' || *at == '{';
}

/* Takes the quantifier behind `part`, if there is one. */
static struct part quantified(struct parser *p, struct part part)
{
    char kind = *p->at;

    if (kind == '\0' || !is_quantifier(p->at))
        return part;
    p->at++;
    if (kind == '{') {
        size_t digits = strspn(p->at, "0123456789");
        bool none = digits == strspn(p->at, "0");

        p->at += digits;
        if (*p->at == ',')
            p->at += 1 + strspn(p->at + 1, "0123456789");
        if (digits == 0 || *p->at != '}')
            return give_up(p);
        p->at++;
        kind = none ? '*' : '+';
    }
    p->at += *p->at == '?' || *p->at == '+'; /* lazy, possessive */
    if (kind == '*')
        return unknown;
    if (kind == '?')
        return part.exact ? alternate(p, part, nothing(p)) : unknown;
    part.exact = false;
    return part;
}

/* "[:alpha:]" at `at`: what is behind it; else NULL. */
static const char *skip_posix_class(const char *at)
{
    if (at[0] != '[' || at[1] != ':')
        return NULL;
    at += 2;
    at += *at == '^';
    while (is_letter_or_digit(*at))
        at++;
    return at[0] == ':' && at[1] == ']' ? at + 2 : NULL;
}

/* Behind a [: passes it. A few letters or digits in it are known one by one. */
static struct part class_parse(struct parser *p)
{
    enum { FEW = 4 };
    struct literals few = { NULL, 0 };
    const char *begin = p->at;
    size_t plain = 0;

    while (is_letter_or_digit(begin[plain]))
        plain++;
    if (plain > 0 && plain <= FEW && begin[plain] == ']') {
        p->at += plain + 1;
        few = one(p, begin, 1);
        for (size_t i = 1; i < plain; i++)
            few = either(p, few, one(p, begin + i, 1));
        return exactly(few);
    }
    p->at += *p->at == '^';
    p->at += *p->at == ']';
    while (*p->at != ']') {
        const char *behind = skip_posix_class(p->at);

        if (*p->at == '\0' || (behind == NULL && p->at[0] == '[' && p->at[1] == ':') ||
            (*p->at == '\\' && is_letter_or_digit(p->at[1]) &&
             strchr("dDwWsShHvVntrfbx", p->at[1]) == NULL))
            return give_up(p);
        p->at = behind != NULL ? behind : p->at + 1 + (p->at[0] == '\\' && p->at[1] != '\0');
    }
    p->at++;
    return unknown;
}

static struct part alternatives_parse(struct parser *p);

/* Behind "(?": passes what is special of the group. *ret_empty: it takes nothing of the text, and
 * no part of a match need be in it; *ret_settings: "(?i)", which is no group. */
static void group_kind(struct parser *p, bool *ret_empty, bool *ret_settings)
{
    const char *at = p->at;
    size_t flags = strspn(at, "is-");

    if (*at == ':' || *at == '>') {
        p->at++;
    } else if (*at == '=' || *at == '!') {
        p->at++;
        *ret_empty = true;
    } else if (at[0] == '<' && (at[1] == '=' || at[1] == '!')) {
        p->at += 2;
        *ret_empty = true;
    } else if (at[0] == '<' || at[0] == '\'' || (at[0] == 'P' && at[1] == '<')) {
        at += at[0] == 'P';
        char end = *at == '<' ? '>' : '\'';
        for (at++; is_letter_or_digit(*at) || *at == '_'; at++)
            ;
        if (*at == end)
            p->at = at + 1;
        else
            give_up(p);
    } else if (flags > 0 && (at[flags] == ':' || at[flags] == ')')) {
        p->at += flags + 1;
        *ret_settings = at[flags] == ')';
    } else {
        give_up(p); /* conditions, recursion, comments, (?x), (?m) ... */
    }
}

/* Behind a (: passes the group. */
static struct part group_parse(struct parser *p, bool *ret_settings)
{
    bool empty = false;
    struct part part;

    if (*p->at == '*')
        return give_up(p);
    if (*p->at == '?') {
        p->at++;
        group_kind(p, &empty, ret_settings);
    }
    if (p->given_up || *ret_settings)
        return nothing(p);
    part = alternatives_parse(p);
    if (*p->at != ')')
        return give_up(p);
    p->at++;
    return empty ? nothing(p) : part;
}

/* Behind a backslash, where no plain character is. */
static struct part escape_parse(struct parser *p)
{
    char c = *p->at;

    if (c == '\0' || strchr("dDwWsShHvVNbB", c) == NULL)
        return give_up(p);
    p->at++;
    return c == 'b' || c == 'B' ? nothing(p) : unknown;
}

/* Octets at p->at that make one character that is itself; 0: it is something else. */
static size_t plain_len(const struct parser *p)
{
    size_t escaped = p->at[0] == '\\';
    char c = p->at[escaped];

    if (c == '\0' || ((unsigned char)c > 127 && !p->high_bytes) ||
        (escaped ? is_letter_or_digit(c) : strchr("\\^$.[|()?*+{", c) != NULL))
        return 0;
    return escaped + 1;
}

/* Plain characters, up to one that is none, or has a quantifier of its own. */
static struct part run_parse(struct parser *p)
{
    char text[LITERAL_LEN_MAX];
    size_t len = 0, taken = plain_len(p);

    do {
        text[len++] = p->at[taken - 1];
        p->at += taken;
        taken = plain_len(p);
    } while (taken > 0 && len < sizeof(text) && !is_quantifier(p->at + taken));
    return exactly(one(p, text, len));
}

/* What is no plain character. */
static struct part special_parse(struct parser *p, bool *ret_settings)
{
    char c = *p->at++;

    switch (c) {
    case '(':
        return group_parse(p, ret_settings);
    case '[':
        return class_parse(p);
    case '\\':
        return escape_parse(p);
    case '.':
        return unknown;
    case '^':
    case '$':
        return is_quantifier(p->at) ? give_up(p) : nothing(p);
    default:
        return (unsigned char)c > 127 ? unknown : give_up(p);
    }
}

/* Up to a | or the end of what it is in. *ret_begins, *ret_ends: a match is at the beginning of the
 * path, at its end. */
static struct part branch_parse(struct parser *p, bool *ret_begins, bool *ret_ends)
{
    struct part all = nothing(p);
    bool first = true;

    *ret_begins = *ret_ends = false;
    while (*p->at != '\0' && *p->at != '|' && *p->at != ')' && !p->given_up && !p->no_memory) {
        char c = *p->at;
        bool plain = plain_len(p) > 0, settings = false;
        struct part part = plain ? run_parse(p) : special_parse(p, &settings);

        *ret_begins |= first && c == '^';
        *ret_ends = c == '$';
        first &= settings;
        all = follow(p, all, quantified(p, part));
    }
    return all;
}

static struct part alternatives_parse(struct parser *p)
{
    bool begins, ends;
    struct part all = branch_parse(p, &begins, &ends);

    while (*p->at == '|' && !p->given_up && !p->no_memory) {
        p->at++;
        all = alternate(p, all, branch_parse(p, &begins, &ends));
    }
    return all;
}

/* The next branch of the whole. */
static void branch_needs(struct parser *p, struct literal_branch *ret_branch)
{
    bool begins, ends;
    struct part part = branch_parse(p, &begins, &ends);

    if (begins)
        ret_branch->at[LITERAL_HEAD] = part.head;
    if (ends)
        ret_branch->at[LITERAL_TAIL] = part.tail;
    ret_branch->at[LITERAL_INSIDE] = better(part.inside, better(part.head, part.tail));
}

static size_t branches_max(const char *text)
{
    size_t count = 1;

    for (; *text != '\0'; text++)
        count += *text == '|';
    return count;
}

int regex_literals(struct arena *arena, const char *text, bool caseless,
                   struct literal_needs *ret_needs)
{
    struct parser p = { .arena = arena, .at = text };
    struct literal_branch *branches = arena_array(arena, branches_max(text), sizeof(branches[0]));
    size_t count = 0;

    *ret_needs = (struct literal_needs){ NULL, 0 };
    if (branches == NULL)
        return -ENOMEM;
    p.high_bytes = !caseless && strstr(text, "(?") == NULL;
    for (;;) {
        branch_needs(&p, &branches[count++]);
        if (p.given_up || p.no_memory || *p.at != '|')
            break;
        p.at++;
    }
    if (p.no_memory)
        return -ENOMEM;
    if (!p.given_up && *p.at == '\0')
        *ret_needs = (struct literal_needs){ branches, count };
    return 0;
}
