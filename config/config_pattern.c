/* config_pattern.c: what is a pattern, and what is hardly meant as the one it would be. */
#include "config/config_pattern.h"

#include "config/config_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* "/q?p=1": a '?' with a name and '=' behind it. */
static bool looks_like_query(const char *text)
{
    const char *mark = strchr(text, '?');

    return mark != NULL &&
           mark[1 + strspn(mark + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-_.%")] == '=';
}

int config_pattern_parse(const struct config_build *build, struct config_place place,
                         const char *subject, const char *word, const char *text,
                         struct pattern *ret_pattern)
{
    struct pattern pattern;
    char what[400] = "";
    const char *wrong = NULL;
    int res;

    if (text[0] == '\0')
        return config_fail_allowed(build, place, subject, "a pattern of paths, such as \"/docs/\"",
                                   "its title is empty");
    if (word[0] != '~' && looks_like_query(text))
        return config_fail_advise(
            build, place, subject, "take the query away; \"[?]\" is that character in a path",
            "\"%.200s\" looks like a path with a query, which no pattern sees", text);
    res = pattern_compile(build->arena, word, text, what, sizeof(what), &pattern);
    if (res == -EINVAL)
        return config_fail(build, place, subject, "\"%.200s\" %s", text, what);
    if (res < 0)
        return res;
    if (pattern.kind == PATTERN_EXACT || pattern_is_prefix(pattern.kind))
        wrong = config_text_path(text);
    if (wrong != NULL)
        return config_fail_allowed(build, place, subject, "a path that begins with '/'",
                                   "\"%.200s\" %s", text, wrong);
    *ret_pattern = pattern;
    return 0;
}

/* A glob that ends in '/'. */
static int judge_glob_end(const struct config_build *build, const struct config_block *block)
{
    const char *text = block->title;
    size_t len = strlen(text);

    if (len > 1 && text[len - 1] == '/' && text[len - 2] != '\\')
        return config_fail_advise(build, block->place, config_block_type_at(block->kind)->name,
                                  "write ** behind it for what lies below, or * for the files "
                                  "there",
                                  "\"%.200s\" ends with '/', but as a glob it is for whole paths",
                                  text);
    return 0;
}

/* A glob of a location. */
static int judge_glob(const struct config_build *build, const struct config_block *block)
{
    const char *text = block->title;
    size_t len = strlen(text);

    if (!glob_is_one(text) && text[0] == '/')
        return config_fail_advise(build, block->place, "location",
                                  "write = before it for that path alone, or a '/' behind it for "
                                  "what lies below",
                                  "\"%.200s\" does not end with '/'", text);
    if (!glob_is_one(text) && text[len - 1] == '/')
        return config_fail_advise(build, block->place, "location", "write a '/' before it",
                                  "\"%.200s\" does not begin with '/'", text);
    if (!glob_is_one(text))
        return config_fail_advise(build, block->place, "location",
                                  "for files of that name in all folders write \"/**/\" before it",
                                  "\"%.200s\" does not begin with '/'", text);
    return judge_glob_end(build, block);
}

int config_location_pattern(const struct config_build *build, const struct config_block *block,
                            struct pattern *ret_pattern)
{
    const struct config_place nowhere = { .file = "" };
    int res;

    if (block == NULL)
        return config_pattern_parse(build, nowhere, "location", "", "/", ret_pattern);
    res = config_pattern_parse(build, block->place, "location", block->word, block->title,
                               ret_pattern);
    return res == 0 && ret_pattern->kind == PATTERN_GLOB ? judge_glob(build, block) : res;
}

/* Any '?' of a glob but one in brackets or behind a backslash. */
static bool has_bare_mark(const char *text)
{
    for (const char *at = strchr(text, '?'); at != NULL; at = strchr(at + 1, '?')) {
        if (at == text || (at[-1] != '[' && at[-1] != '\\'))
            return true;
    }
    return false;
}

int config_redirect_pattern(const struct config_build *build, const struct config_block *block,
                            struct pattern *ret_pattern)
{
    const char *name = config_block_type_at(block->kind)->name;
    int res;

    if (block->word[0] != '~' && has_bare_mark(block->title))
        return config_fail_advise(
            build, block->place, name,
            block->kind == CONFIG_REDIRECT ? "write = before it for that path with that query, or "
                                             "\"[!/]\" for any character"
                                           : "write \"[!/]\" for any character",
            "\"%.200s\" holds a '?', which may be meant as the beginning of a "
            "query, or as a character of a glob",
            block->title);
    res = config_pattern_parse(build, block->place, name, block->word, block->title, ret_pattern);
    return res == 0 && ret_pattern->kind == PATTERN_GLOB ? judge_glob_end(build, block) : res;
}
