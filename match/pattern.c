/* pattern.c: the five kinds. See pattern.h. */
#include "match/pattern.h"

#include "core/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *word, *name;
} kinds[] = {
    [PATTERN_EXACT] = { "=", "this path alone" },
    [PATTERN_PREFIX] = { "", "prefix" },
    [PATTERN_PREFIX_FIRM] = { "^~", "prefix before all expressions" },
    [PATTERN_GLOB] = { "", "glob" },
    [PATTERN_REGEX] = { "~", "regular expression" },
    [PATTERN_REGEX_CASELESS] = { "~*", "regular expression, upper and lower case alike" },
};

bool pattern_word_is(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].word, word) == 0)
            return true;
    }
    return false;
}

const char *pattern_word(enum pattern_kind kind)
{
    return kinds[kind].word;
}

const char *pattern_kind_name(enum pattern_kind kind)
{
    return kinds[kind].name;
}

static enum pattern_kind kind_of(const char *word, const char *text)
{
    size_t len = strlen(text);

    CHECK(pattern_word_is(word));
    for (size_t i = 0; word[0] != '\0' && i < ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].word, word) == 0)
            return (enum pattern_kind)i;
    }
    return glob_is_one(text) || len == 0 || text[len - 1] != '/' ? PATTERN_GLOB : PATTERN_PREFIX;
}

static int fail(char *what, size_t what_size, const char *text)
{
    snprintf(what, what_size, "%s", text);
    return -EINVAL;
}

int pattern_compile(struct arena *arena, const char *word, const char *text, char *what,
                    size_t what_size, struct pattern *ret_pattern)
{
    struct pattern pattern = { .kind = kind_of(word, text) };
    char *copy = arena_strdup(arena, text);
    const char *literal = NULL;
    int res = 0;

    if (copy == NULL)
        return -ENOMEM;
    pattern.text = span_str(copy);
    switch (pattern.kind) {
    case PATTERN_EXACT:
    case PATTERN_PREFIX:
    case PATTERN_PREFIX_FIRM:
        if (text[0] != '/')
            return fail(what, what_size, "does not begin with '/'");
        if (pattern.kind != PATTERN_EXACT && text[pattern.text.len - 1] != '/')
            return fail(what, what_size, "does not end with '/'");
        break;
    case PATTERN_GLOB:
        res = glob_compile(arena, text, &pattern.glob, &literal);
        if (res == -EINVAL)
            return fail(what, what_size, literal);
        break;
    case PATTERN_REGEX:
    case PATTERN_REGEX_CASELESS:
        res = regex_compile(arena, text, pattern.kind == PATTERN_REGEX_CASELESS, what, what_size,
                            &pattern.regex);
        break;
    }
    if (res == 0)
        *ret_pattern = pattern;
    return res;
}

int pattern_match(const struct pattern *pattern, struct regex_room *room, struct span path,
                  struct captures *ret_captures)
{
    switch (pattern->kind) {
    case PATTERN_EXACT:
        return span_eq(pattern->text, path);
    case PATTERN_PREFIX:
    case PATTERN_PREFIX_FIRM:
        return pattern_prefix_matches(pattern->text, path);
    case PATTERN_GLOB:
        return glob_match(&pattern->glob, path);
    case PATTERN_REGEX:
    case PATTERN_REGEX_CASELESS:
        return regex_match(pattern->regex, room, path, ret_captures);
    }
    UNREACHABLE();
}

int pattern_literals(struct arena *arena, const struct pattern *pattern,
                     struct literal_needs *ret_needs)
{
    if (pattern->kind == PATTERN_GLOB)
        return glob_literals(arena, &pattern->glob, ret_needs);
    CHECK(pattern_is_regex(pattern->kind));
    return regex_literals(arena, pattern->text.ptr, pattern->kind == PATTERN_REGEX_CASELESS,
                          ret_needs);
}
