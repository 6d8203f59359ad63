/* glob.c: braces are spread into alternatives; what stands in each between its first and its last
 * wildcard is a chain of tokens, and a path is run along it with the set of all places that it may
 * be at (Thompson, 1968). Most have one wildcard alone, or fail at their ends, which are compared
 * first. */
#include "match/glob.h"

#include "core/check.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum glob_token_kind {
    GLOB_BYTE,
    GLOB_ANY,      /* ? */
    GLOB_SET,      /* [...] */
    GLOB_STAR,     /* * */
    GLOB_STARS,    /* ** */
    GLOB_SEGMENTS, /* ** with the slash behind it, and a slash or nothing before it */
};

struct glob_token {
    uint8_t kind; /* enum glob_token_kind */
    char byte;
    const uint64_t *set; /* GLOB_SET: a bit for each byte */
};

struct glob_alternative {
    struct span head, tail; /* before the first wildcard, and behind the last */
    const struct glob_token *middle;
    size_t middle_count;
};

#define SPECIAL "*?[{\\"

bool glob_is_one(const char *text)
{
    return strpbrk(text, SPECIAL) != NULL;
}

/* ---- one alternative ---- */

/* What is being compiled. */
struct compiler {
    struct arena *arena;
    struct glob *glob;
    struct glob_alternative *alternatives; /* room for all */
    const char *what;
};

static int fail(struct compiler *compiler, const char *what)
{
    compiler->what = what;
    return -EINVAL;
}

static void set_range(uint64_t set[4], unsigned first, unsigned last)
{
    for (unsigned byte = first; byte <= last; byte++)
        set[byte / 64] |= UINT64_C(1) << byte % 64;
}

static bool set_has(const uint64_t set[4], char byte)
{
    return (set[(uint8_t)byte / 64] >> (uint8_t)byte % 64 & 1) != 0;
}

/* "[:digit:]" at *at; false: no such class. */
static bool set_class(uint64_t set[4], const char **at)
{
    static const struct {
        const char *name, *ranges;
    } classes[] = {
        { "[:alnum:]", "09AZaz" }, { "[:alpha:]", "AZaz" }, { "[:digit:]", "09" },
        { "[:lower:]", "az" },     { "[:upper:]", "AZ" },   { "[:xdigit:]", "09AFaf" }
    };

    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        if (strncmp(*at, classes[i].name, strlen(classes[i].name)) != 0)
            continue;
        *at += strlen(classes[i].name);
        for (const char *range = classes[i].ranges; *range != '\0'; range += 2)
            set_range(set, (uint8_t)range[0], (uint8_t)range[1]);
        return true;
    }
    return false;
}

/* One byte of a set; *at is behind it. */
static int set_byte(struct compiler *compiler, const char **at, unsigned *ret_byte)
{
    *at += **at == '\\';
    if (**at == '\0')
        return fail(compiler, "has a [ without its ]");
    if (**at == '/')
        return fail(compiler, "has a '/' between [ and ]");
    *ret_byte = (uint8_t) * (*at)++;
    return 0;
}

/* The set whose [ is at *at; leaves *at behind its ]. */
static int compile_set(struct compiler *compiler, const char **at, const uint64_t **ret_set)
{
    uint64_t *set = arena_array(compiler->arena, 4, sizeof(set[0]));
    const char *first;
    bool negated;

    if (set == NULL)
        return -ENOMEM;
    ++*at;
    negated = **at == '!' || **at == '^';
    *at += negated;
    for (first = *at; **at != ']' || *at == first;) {
        unsigned low = 0, high;
        int res;

        if ((*at)[0] == '[' && (*at)[1] == ':') {
            if (!set_class(set, at))
                return fail(compiler, "has a class that is none of [:alnum:], [:alpha:], "
                                      "[:digit:], [:lower:], [:upper:] and [:xdigit:]");
            continue;
        }
        res = set_byte(compiler, at, &low);
        high = low;
        if (res == 0 && (*at)[0] == '-' && (*at)[1] != ']') {
            ++*at;
            res = set_byte(compiler, at, &high);
        }
        if (res < 0)
            return res;
        if (low > high)
            return fail(compiler, "has a range between [ and ] that ends before it begins");
        set_range(set, low, high);
    }
    ++*at;
    for (size_t i = 0; negated && i < 4; i++)
        set[i] = ~set[i];
    set['/' / 64] &= ~(UINT64_C(1) << '/' % 64);
    *ret_set = set;
    return 0;
}

/* Stars at *at; `first`: no token stands before them, or a slash. */
static enum glob_token_kind compile_stars(const char **at, bool first)
{
    size_t count = strspn(*at, "*");

    *at += count;
    if (count == 1)
        return GLOB_STAR;
    if (!first || **at != '/')
        return GLOB_STARS;
    ++*at;
    return GLOB_SEGMENTS;
}

static int compile_token(struct compiler *compiler, const char **at, bool first,
                         struct glob_token *ret_token)
{
    struct glob_token token = { .kind = GLOB_BYTE };
    int res = 0;

    switch (**at) {
    case '*':
        token.kind = (uint8_t)compile_stars(at, first);
        break;
    case '?':
        token.kind = GLOB_ANY;
        ++*at;
        break;
    case '[':
        token.kind = GLOB_SET;
        res = compile_set(compiler, at, &token.set);
        break;
    default:
        *at += **at == '\\';
        token.byte = *(*at)++;
        break;
    }
    *ret_token = token;
    return res;
}

/* The bytes of tokens that are such, in the arena. */
static int literal(struct compiler *compiler, const struct glob_token *tokens, size_t count,
                   struct span *ret_text)
{
    char *text = arena_alloc(compiler->arena, count + 1);

    if (text == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        text[i] = tokens[i].byte;
    *ret_text = span_make(text, count);
    return 0;
}

static int split(struct compiler *compiler, const struct glob_token *tokens, size_t count,
                 struct glob_alternative *alternative)
{
    size_t first = 0, last = count, literals = 0;
    struct glob_token *middle;
    int res;

    while (first < count && tokens[first].kind == GLOB_BYTE)
        first++;
    while (last > first && tokens[last - 1].kind == GLOB_BYTE)
        last--;
    if (last - first > GLOB_TOKENS_MAX)
        return fail(compiler,
                    "has more than 256 characters between its first and its last wildcard");
    for (size_t i = 0; i < count; i++)
        literals += tokens[i].kind == GLOB_BYTE || tokens[i].kind == GLOB_SET;
    if (compiler->glob->count == 0 || literals < compiler->glob->literals)
        compiler->glob->literals = literals;
    middle = arena_array(compiler->arena, last - first, sizeof(middle[0]));
    if (middle == NULL)
        return -ENOMEM;
    if (last > first)
        memcpy(middle, tokens + first, (last - first) * sizeof(middle[0]));
    alternative->middle = middle;
    alternative->middle_count = last - first;
    res = literal(compiler, tokens, first, &alternative->head);
    return res < 0 ? res : literal(compiler, tokens + last, count - last, &alternative->tail);
}

/* `text` has no braces left but those behind a backslash. */
static int compile_alternative(struct compiler *compiler, const char *text)
{
    struct glob *glob = compiler->glob;
    struct glob_token *tokens = calloc(strlen(text) + 1, sizeof(tokens[0]));
    size_t count = 0;
    int res = 0;

    if (tokens == NULL)
        return -ENOMEM;
    if (glob->whole && text[0] != '/')
        tokens[count++] = (struct glob_token){ .kind = GLOB_BYTE, .byte = '/' };
    while (res == 0 && *text != '\0') {
        bool first =
            count == 0 || (tokens[count - 1].kind == GLOB_BYTE && tokens[count - 1].byte == '/');

        if (text[0] == '\\' && text[1] == '\0')
            res = fail(compiler, "ends with a backslash");
        else
            res = compile_token(compiler, &text, first, &tokens[count++]);
    }
    if (res == 0)
        res = split(compiler, tokens, count, &compiler->alternatives[glob->count]);
    if (res == 0)
        glob->count++;
    free(tokens);
    return res;
}

/* ---- braces ---- */

/* Behind the character at `at`, be it escaped or a whole set. */
static const char *skip(const char *at)
{
    if (*at == '\\')
        return at[1] != '\0' ? at + 2 : at + 1;
    if (*at != '[')
        return at + 1;
    const char *end = at + 1;
    end += *end == '!' || *end == '^';
    end += *end == ']';
    while (*end != ']' && *end != '\0') {
        if (*end == '\\' && end[1] != '\0')
            end++;
        if (end[0] == '[' && end[1] == ':' && strstr(end + 2, ":]") != NULL)
            end = strstr(end + 2, ":]") + 1;
        end++;
    }
    return *end == ']' ? end + 1 : at + 1;
}

/* The first of `set` from `at` on that stands for itself; the end of the text: there is none.
 * Braces in between are passed over where `nested`. */
static const char *find(const char *at, const char *set, bool nested)
{
    size_t depth = 0;

    while (*at != '\0') {
        if (depth == 0 && strchr(set, *at) != NULL)
            return at;
        if (nested && *at == '{')
            depth++;
        if (nested && *at == '}')
            depth--;
        at = skip(at);
    }
    return at;
}

static int spread(struct compiler *compiler, const char *text, size_t nesting);

/* The text with what stands from `open` to `close` replaced by one of its options. */
static int spread_option(struct compiler *compiler, const char *text, const char *open,
                         struct span option, const char *close, size_t nesting)
{
    size_t head = (size_t)(open - text), tail = strlen(close + 1);
    char *joined = malloc(head + option.len + tail + 1);
    int res;

    if (joined == NULL)
        return -ENOMEM;
    memcpy(joined, text, head);
    memcpy(joined + head, option.ptr, option.len);
    memcpy(joined + head + option.len, close + 1, tail + 1);
    res = spread(compiler, joined, nesting);
    free(joined);
    return res;
}

/* Compiles what the text's braces make of it. */
static int spread(struct compiler *compiler, const char *text, size_t nesting)
{
    const char *open = find(text, "{", false), *at = open + 1, *close;
    int res = 0;

    if (*open == '\0') {
        if (compiler->glob->count == GLOB_ALTERNATIVES_MAX)
            return fail(compiler, "has braces that make more than 256 patterns of it");
        return compile_alternative(compiler, text);
    }
    if (nesting == 0)
        return fail(compiler, "has too many braces");
    close = find(at, "}", true);
    if (*close == '\0')
        return fail(compiler, "has a { without its }");
    while (res == 0) {
        const char *end = find(at, ",}", true);

        res = spread_option(compiler, text, open, span_make(at, (size_t)(end - at)), close,
                            nesting - 1);
        if (end == close)
            break;
        at = end + 1;
    }
    return res;
}

int glob_compile(struct arena *arena, const char *text, struct glob *ret_glob,
                 const char **ret_what)
{
    struct glob glob = { .whole = strchr(text, '/') != NULL };
    struct compiler compiler = { .arena = arena, .glob = &glob };
    int res;

    compiler.alternatives = calloc(GLOB_ALTERNATIVES_MAX, sizeof(compiler.alternatives[0]));
    if (compiler.alternatives == NULL)
        return -ENOMEM;
    if (text[0] == '\0')
        res = fail(&compiler, "is empty");
    else if (strlen(text) > GLOB_TEXT_MAX)
        res = fail(&compiler, "is longer than 4096 octets");
    else
        res = spread(&compiler, text, GLOB_NESTING_MAX);
    if (res == 0) {
        struct glob_alternative *kept = arena_array(arena, glob.count, sizeof(kept[0]));

        if (kept != NULL)
            memcpy(kept, compiler.alternatives, glob.count * sizeof(kept[0]));
        res = kept != NULL ? 0 : -ENOMEM;
        glob.alternatives = kept;
    }
    free(compiler.alternatives);
    if (res == -EINVAL)
        *ret_what = compiler.what;
    if (res == 0)
        *ret_glob = glob;
    return res;
}

/* ---- what it demands ---- */

/* The longest run of plain bytes in the middle; in the arena. 0 or -ENOMEM. */
static int longest_run(struct arena *arena, const struct glob_alternative *alternative,
                       struct span *ret_run)
{
    size_t begin = 0, best = 0, best_len = 0;
    char *text;

    for (size_t i = 0; i < alternative->middle_count; i++) {
        if (alternative->middle[i].kind != GLOB_BYTE)
            begin = i + 1;
        else if (i + 1 - begin > best_len)
            best = begin, best_len = i + 1 - begin;
    }
    text = arena_alloc(arena, best_len + 1);
    if (text == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < best_len; i++)
        text[i] = alternative->middle[best + i].byte;
    *ret_run = span_make(text, best_len);
    return 0;
}

/* The bytes with which the last segment begins, and the slash before it. */
static int behind_slash(struct arena *arena, struct span head, struct span *ret_text)
{
    char *text = arena_alloc(arena, head.len + 2);

    if (text == NULL)
        return -ENOMEM;
    text[0] = '/';
    memcpy(text + 1, head.ptr, head.len);
    *ret_text = span_make(text, head.len + 1);
    return 0;
}

static int alternative_literals(struct arena *arena, const struct glob *glob,
                                const struct glob_alternative *alternative,
                                struct literal_branch *ret_branch)
{
    struct span head = alternative->head, tail = alternative->tail, inside;
    int res = longest_run(arena, alternative, &inside);

    if (res == 0 && !glob->whole)
        res = behind_slash(arena, head, &head);
    if (res < 0)
        return res;
    if (alternative->middle_count == 0)
        tail = head; /* it is all that there is */
    else if (!glob->whole && head.len > 1 && head.len >= inside.len)
        inside = head;
    res = glob->whole ? literals_one(arena, head, &ret_branch->at[LITERAL_HEAD]) : 0;
    if (res == 0)
        res = literals_one(arena, tail, &ret_branch->at[LITERAL_TAIL]);
    return res < 0 ? res : literals_one(arena, inside, &ret_branch->at[LITERAL_INSIDE]);
}

int glob_literals(struct arena *arena, const struct glob *glob, struct literal_needs *ret_needs)
{
    struct literal_branch *branches = arena_array(arena, glob->count, sizeof(branches[0]));

    if (branches == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < glob->count; i++) {
        int res = alternative_literals(arena, glob, &glob->alternatives[i], &branches[i]);

        if (res < 0)
            return res;
    }
    *ret_needs = (struct literal_needs){ branches, glob->count };
    return 0;
}

/* ---- matching ---- */

/* The tokens that may be next: a bit each, and one for the end. */
struct places {
    uint64_t bits[GLOB_TOKENS_MAX / 64 + 1];
};

/* What may be nothing is passed at once. */
static void add(struct places *places, const struct glob_alternative *alternative, size_t at)
{
    for (;; at++) {
        places->bits[at / 64] |= UINT64_C(1) << at % 64;
        if (at == alternative->middle_count || alternative->middle[at].kind < GLOB_STAR)
            return;
    }
}

static void pass(struct places *next, const struct glob_alternative *alternative, size_t at,
                 char byte)
{
    const struct glob_token *token = &alternative->middle[at];

    switch ((enum glob_token_kind)token->kind) {
    case GLOB_BYTE:
        if (token->byte == byte)
            add(next, alternative, at + 1);
        return;
    case GLOB_ANY:
        if (byte != '/')
            add(next, alternative, at + 1);
        return;
    case GLOB_SET:
        if (set_has(token->set, byte))
            add(next, alternative, at + 1);
        return;
    case GLOB_STAR:
        if (byte != '/')
            add(next, alternative, at);
        return;
    case GLOB_STARS:
        add(next, alternative, at);
        return;
    case GLOB_SEGMENTS: /* goes on behind whole ones alone */
        next->bits[at / 64] |= UINT64_C(1) << at % 64;
        if (byte == '/')
            add(next, alternative, at + 1);
        return;
    }
    UNREACHABLE();
}

static bool run(const struct glob_alternative *alternative, struct span text)
{
    size_t count = alternative->middle_count, words = count / 64 + 1;
    struct places now = { { 0 } };

    add(&now, alternative, 0);
    for (size_t i = 0; i < text.len; i++) {
        struct places next;
        uint64_t any = 0;

        memset(next.bits, 0, words * sizeof(next.bits[0]));
        for (size_t word = 0; word < words; word++) {
            for (uint64_t left = now.bits[word]; left != 0; left &= left - 1) {
                size_t at = word * 64 + (size_t)__builtin_ctzll(left);

                if (at < count)
                    pass(&next, alternative, at, text.ptr[i]);
            }
        }
        for (size_t word = 0; word < words; word++)
            any |= next.bits[word];
        if (any == 0)
            return false;
        memcpy(now.bits, next.bits, words * sizeof(now.bits[0]));
    }
    return (now.bits[count / 64] >> count % 64 & 1) != 0;
}

static bool alternative_matches(const struct glob_alternative *alternative, struct span text)
{
    struct span head = alternative->head, tail = alternative->tail;

    if (text.len < head.len + tail.len ||
        memcmp(text.ptr + text.len - tail.len, tail.ptr, tail.len) != 0 ||
        memcmp(text.ptr, head.ptr, head.len) != 0)
        return false;
    text = span_make(text.ptr + head.len, text.len - head.len - tail.len);
    if (alternative->middle_count == 0)
        return text.len == 0;
    if (alternative->middle_count == 1 && alternative->middle[0].kind == GLOB_STAR)
        return text.len == 0 || memchr(text.ptr, '/', text.len) == NULL;
    if (alternative->middle_count == 1 && alternative->middle[0].kind == GLOB_STARS)
        return true;
    return run(alternative, text);
}

bool glob_match(const struct glob *glob, struct span path)
{
    if (!glob->whole) {
        const char *slash = memrchr(path.ptr, '/', path.len);
        size_t before = slash != NULL ? (size_t)(slash + 1 - path.ptr) : 0;

        path = span_make(path.ptr + before, path.len - before);
    }
    for (size_t i = 0; i < glob->count; i++) {
        if (alternative_matches(&glob->alternatives[i], path))
            return true;
    }
    return false;
}
