/* dictionary_rule.c: see dictionary_rule.h. */
#include "config/dictionary_rule.h"

#include "core/check.h"

#include <string.h>

/* Destinations of requests, as the Fetch standard names them. */
static const char *const destinations[] = {
    "audio",  "audioworklet", "document",      "embed",        "font",   "frame",
    "iframe", "image",        "json",          "manifest",     "object", "paintworklet",
    "report", "script",       "serviceworker", "sharedworker", "style",  "track",
    "video",  "webidentity",  "worker",        "xslt",
};

bool dictionary_rule_next_dest(struct span *dests, struct span *ret_dest)
{
    const char *comma;
    size_t len;

    if (dests->len == 0)
        return false;
    comma = memchr(dests->ptr, ',', dests->len);
    len = comma != NULL ? (size_t)(comma - dests->ptr) : dests->len;
    *ret_dest = span_make(dests->ptr, len);
    len += comma != NULL;
    *dests = span_make(dests->ptr + len, dests->len - len);
    return true;
}

static bool is_destination(struct span word)
{
    for (size_t i = 0; i < ARRAY_LEN(destinations); i++)
        if (span_eq(word, span_str(destinations[i])))
            return true;
    return false;
}

static const char *check_dests(struct span dests)
{
    struct span word;

    if (dests.len == 0 || dests.ptr[dests.len - 1] == ',')
        return "has no destination behind dest=";
    while (dictionary_rule_next_dest(&dests, &word))
        if (!is_destination(word))
            return "names a destination that no browser has; there are document, script, style, "
                   "image, font, json and the like";
    return NULL;
}

/* A URL pattern of which nothing means another thing to a client than it seems to. */
static const char *check_match(struct span match)
{
    for (size_t i = 0; i < match.len; i++) {
        char c = match.ptr[i], before = i > 0 ? match.ptr[i - 1] : '\0';

        if (c <= ' ' || c >= 0x7f)
            return "has bytes in its match that no URL has; write them as %XX";
        if (strchr("()", c) != NULL)
            return "has an expression in its match, which clients refuse (RFC 9842 section 2.1.1)";
        if (strchr("{}[]\"\\<>^`|#", c) != NULL)
            return "has one of {}[]\"\\<>^`|# in its match, which is no path; a URL pattern has * "
                   "alone";
        if (before == '*' && strchr("*+?", c) != NULL)
            return "has **, *+ or *? in its match, which mean something else in a URL pattern; "
                   "there, * matches a '/' as well";
    }
    if (match.len == 0 || match.ptr[0] != '/' || (match.len > 1 && match.ptr[1] == '/'))
        return "has a match that does not begin with one '/': it is for paths of the same origin";
    return NULL;
}

/* A pattern of files that is its own match: does it mean the same as one of URLs? */
static const char *check_own_match(struct span pattern)
{
    if (pattern.ptr[0] != '/')
        return "does not begin with '/'; begin with it, or tell by match=/path for which requests "
               "it is";
    for (size_t i = 0; i < pattern.len; i++)
        if (strchr("?[]{}\\", pattern.ptr[i]) != NULL)
            return "has more than * in it, which a URL pattern has not; tell by match=/path for "
                   "which requests it is";
    return check_match(pattern);
}

static struct span take_word(const char **at)
{
    size_t len;
    struct span word;

    *at += strspn(*at, " \t");
    len = strcspn(*at, " \t");
    word = span_make(*at, len);
    *at += len;
    return word;
}

static bool take_value(struct span word, struct span name, struct span *ret_value)
{
    if (word.len < name.len || memcmp(word.ptr, name.ptr, name.len) != 0)
        return false;
    *ret_value = span_make(word.ptr + name.len, word.len - name.len);
    return true;
}

const char *dictionary_rule_parse(const char *text, struct dictionary_rule *ret_rule)
{
    struct dictionary_rule rule = { .dests = { "", 0 } };
    const char *at = text, *what = NULL;
    bool dests_said = false;
    struct span word;

    if (strlen(text) > DICTIONARY_RULE_MAX)
        return "is longer than 500 bytes";
    rule.pattern = rule.match = take_word(&at);
    if (rule.pattern.len == 0)
        return "is empty";
    for (word = take_word(&at); what == NULL && word.len > 0; word = take_word(&at)) {
        if (!rule.match_said && take_value(word, SPAN_LIT("match="), &rule.match)) {
            rule.match_said = true;
            what = check_match(rule.match);
        } else if (!dests_said && take_value(word, SPAN_LIT("dest="), &rule.dests)) {
            dests_said = true;
            what = check_dests(rule.dests);
        } else {
            what = "has something behind the pattern that is not one match=/path or one dest=word";
        }
    }
    if (what == NULL && !rule.match_said)
        what = check_own_match(rule.pattern);
    if (what == NULL)
        *ret_rule = rule;
    return what;
}

const char *dictionary_rule_check(const char *text)
{
    struct dictionary_rule rule;

    return dictionary_rule_parse(text, &rule);
}
