/* config_pattern.c: what is a pattern, and what is hardly meant as the one it would be. */
#include "config/config_pattern.h"

#include "config/config_text.h"
#include "core/check.h"

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

/* "/posts/" followed by one star, which is for what lies there directly, and mostly written for all
 * that lies below. */
static bool looks_like_below(const char *text)
{
    size_t len = strlen(text);

    return len >= 2 && text[len - 1] == '*' && text[len - 2] == '/';
}

static bool has_special(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (glob_is_one((const char[]){ text[i], '\0' }))
            return true;
    }
    return false;
}

/* A glob. `names`: may it be the name of a file, in whatever folder? */
static int judge_glob(const struct config_build *build, struct config_place place,
                      const char *subject, const char *text, bool names)
{
    size_t len = strlen(text);
    char advice[400];

    if (looks_like_below(text)) {
        snprintf(advice, sizeof(advice),
                 "write \"%s%.*s\" for all that lies below, or \"%.*s?*\" for that folder alone",
                 text[0] == '/' ? "" : "/", len - 1 < 150 ? (int)(len - 1) : 150, text,
                 len - 1 < 150 ? (int)(len - 1) : 150, text);
        if (has_special(text, len - 1))
            snprintf(advice, sizeof(advice),
                     "write ** in the place of the last * for all that lies below, or ?* for that "
                     "folder alone");
        return config_fail_advise(build, place, subject, advice,
                                  "\"%.200s\" is for what lies in that folder, and not for what "
                                  "lies in folders in it",
                                  text);
    }
    if (!glob_is_one(text) && text[0] == '/')
        return config_fail_advise(build, place, subject,
                                  "write = before it for that path alone, or a '/' behind it for "
                                  "what lies below",
                                  "\"%.200s\" does not end with '/'", text);
    if (!glob_is_one(text) && text[len - 1] == '/')
        return config_fail_advise(build, place, subject, "write a '/' before it",
                                  "\"%.200s\" does not begin with '/'", text);
    if (!glob_is_one(text) && !names)
        return config_fail_advise(build, place, subject,
                                  "for files of that name in all folders write \"/**/\" before it",
                                  "\"%.200s\" does not begin with '/'", text);
    if (len > 1 && text[len - 1] == '/' && text[len - 2] != '\\')
        return config_fail_advise(build, place, subject,
                                  "write ** behind it for what lies below, or ?* for the files "
                                  "there",
                                  "\"%.200s\" ends with '/', but as a glob it is for whole paths",
                                  text);
    return 0;
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
    return res == 0 && ret_pattern->kind == PATTERN_GLOB
               ? judge_glob(build, block->place, "location", block->title, false)
               : res;
}

int config_path_pattern(const struct config_build *build, struct config *config,
                        struct config_place place, const char *subject, const char *word,
                        const char *text, struct pattern *ret_pattern)
{
    int res = config_pattern_parse(build, place, subject, word, text, ret_pattern);

    if (res == 0 && ret_pattern->kind == PATTERN_GLOB)
        res = judge_glob(build, place, subject, text, true);
    if (res == 0)
        config->has_regex |= pattern_is_regex(ret_pattern->kind);
    return res;
}

int config_item_pattern(const struct config_build *build, struct config *config,
                        const struct config_item *item, const char *subject,
                        struct pattern *ret_pattern)
{
    static const char *const words[] = { "=", "^~", "~*", "~" };
    const char *text = item->text, *word = "";

    for (size_t i = 0; i < ARRAY_LEN(words) && text == item->text; i++) {
        size_t len = strlen(words[i]);

        if (strncmp(text, words[i], len) != 0 || text[len] != ' ')
            continue;
        word = words[i];
        text += len + strspn(text + len, " ");
    }
    if (text[0] == '\0')
        return config_fail_allowed(build, item->place, subject,
                                   "a pattern of paths, such as \"/docs/\"", "\"%.100s\" is empty",
                                   item->text);
    return config_path_pattern(build, config, item->place, subject, word, text, ret_pattern);
}
