/* fields.c: see fields.h. */
#include "explain/fields.h"

#include "config/config_notes.h"
#include "config/site_redirects.h"
#include "core/check.h"
#include "http/fields.h"
#include "match/pattern_set.h"
#include "match/regex.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The next line of the head in *head, behind which that is then. False: there is none. */
static bool next_line(struct span *head, struct span *ret_line)
{
    const char *end;

    if (head->len == 0)
        return false;
    end = memmem(head->ptr, head->len, "\r\n", 2);
    *ret_line = span_make(head->ptr, end != NULL ? (size_t)(end - head->ptr) : head->len);
    *head = end != NULL ? span_make(end + 2, head->len - ret_line->len - 2) : span_make("", 0);
    return true;
}

static bool split(struct span line, struct span *ret_name, struct span *ret_value)
{
    const char *colon = memchr(line.ptr, ':', line.len);

    if (colon == NULL)
        return false;
    *ret_name = span_make(line.ptr, (size_t)(colon - line.ptr));
    *ret_value = span_trim(span_make(colon + 1, line.len - ret_name->len - 1));
    return true;
}

struct span explain_field_of(struct span head, struct span name)
{
    struct span line, found, value;

    while (next_line(&head, &line)) {
        if (split(line, &found, &value) && span_caseeq(found, name))
            return value;
    }
    return span_make("", 0);
}

static struct explain_reason by(struct arena *arena, const struct explanation *about,
                                const char *text, const void *what)
{
    char place[4200] = "";
    const char *kept;

    if (what != NULL)
        config_note_find(about->config, what, place, sizeof(place));
    kept = arena_strdup(arena, place);
    return (struct explain_reason){ text, kept != NULL ? kept : "" };
}

static bool is(struct span name, const char *text)
{
    return span_caseeq(name, span_str(text));
}

/* The rule that says how long the file may be kept; NULL: none. `rules` may be NULL. */
static const struct cache_rule *cache_rule_in(const struct explanation *about,
                                              const struct cache_rules *rules, struct span path)
{
    struct regex_room *room = NULL;
    int found;

    if (rules == NULL || regex_room_create(about->config->limits.regex_steps_max, &room) < 0)
        return NULL;
    found = pattern_set_find(rules->set, room, path, NULL);
    regex_room_destroy(room);
    return found >= 0 ? &rules->rules[found] : NULL;
}

static const struct cache_rule *cache_rule_of(const struct explanation *about)
{
    const struct location *location = about->answer.location;
    const struct cache_rule *rule;
    char text[HTTP_URL_MAX];
    struct span path;

    if (about->file == NULL || about->file->step == EXPLAIN_STEP_ERROR_PAGE)
        return NULL;
    path = http_fields_path(location, span_str(about->file->name), text);
    rule = cache_rule_in(about, location->cache_own, path);
    return rule != NULL ? rule : cache_rule_in(about, location->cache_outer, path);
}

/* May the rule have made this field? A value with variables has become another. */
static bool may_be(const struct header_rule *rule, struct span name, struct span value)
{
    return is(name, rule->name) && rule->value != NULL &&
           (span_eq(value, span_str(rule->value)) || strchr(rule->value, '$') != NULL);
}

/* The last rule of the blocks, which may be NULL, that may have made it, or NULL. */
static const struct header_block *block_in(const struct header_blocks *blocks, struct span name,
                                           struct span value, const struct header_rule **ret_rule)
{
    const struct header_block *found = NULL;

    for (size_t i = 0; blocks != NULL && i < blocks->count; i++) {
        for (size_t j = 0; j < blocks->blocks[i].count; j++) {
            const struct field_rule *rule = &blocks->blocks[i].rules[j];

            if (rule->deed == FIELD_REMOVE || !may_be(&rule->field, name, value))
                continue;
            found = &blocks->blocks[i];
            *ret_rule = &rule->field;
        }
    }
    return found;
}

/* By what the location says of fields; text NULL: by none of that. */
static struct explain_reason by_headers(struct arena *arena, const struct explanation *about,
                                        struct span name, struct span value)
{
    const struct location *location = about->answer.location;
    const struct header_blocks *all[] = { location->fields_own, location->fields_outer,
                                          location->fields_file };
    const struct header_rule *rule = NULL;

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        const struct header_block *block = block_in(all[i], name, value, &rule);

        if (block != NULL)
            return by(arena, about,
                      arena_printf(arena, "%s \"%s\"", all[i]->is_file ? "_headers" : "headers",
                                   block->pattern.text.ptr),
                      rule->value);
    }
    for (size_t i = 0; i < location->headers_count; i++) {
        struct explain_reason reason;

        if (!may_be(&location->headers[i], name, value))
            continue;
        reason = by(arena, about, "headers", location->headers[i].value);
        if (reason.place[0] == '\0')
            reason = by(arena, about, "security_headers", location->headers);
        return reason;
    }
    return (struct explain_reason){ NULL, "" };
}

static struct explain_reason why(struct arena *arena, const struct explanation *about,
                                 struct span name, struct span value)
{
    const struct location *location = about->answer.location;
    struct explain_reason reason = { NULL, "" };

    if (location != NULL)
        reason = by_headers(arena, about, name, value);
    if (reason.text != NULL)
        return reason;
    if (location != NULL && (is(name, "Cache-Control") || is(name, "Expires"))) {
        const struct cache_rule *rule = cache_rule_of(about);

        if (rule != NULL)
            return by(arena, about, arena_printf(arena, "cache \"%s\"", rule->pattern.text.ptr),
                      rule->pattern.text.ptr);
    }
    if (is(name, "Location") && about->redirected != NULL)
        return by(arena, about, "redirect", about->redirected->from.ptr);
    if (is(name, "Location") && about->answering != NULL)
        return (struct explain_reason){ strncmp(about->answering->text, "return", 6) == 0
                                            ? "return"
                                            : CONFIG_REDIRECTS_FILE,
                                        about->answering->place };
    if (location != NULL && is(name, "Strict-Transport-Security"))
        return by(arena, about, location->hsts[0] != '\0' ? "hsts" : "security_headers",
                  location->hsts[0] != '\0' ? (const void *)location->hsts : location->headers);
    if (name.len > 15 && is(span_make(name.ptr, 15), "Access-Control-"))
        return by(arena, about, "cors", location != NULL ? location->cors : NULL);
    if (location != NULL && is(name, "Link"))
        return by(arena, about, "early_hints", location->early_hints);
    if (is(name, "Content-Disposition"))
        return by(arena, about, "download", location != NULL ? location->download : NULL);
    if (is(name, "WWW-Authenticate"))
        return by(arena, about, "auth", NULL);
    return by(arena, about, "", NULL);
}

int explain_fields(struct arena *arena, struct explanation *about)
{
    struct span head = about->answer.head, line;
    struct explain_field *fields;
    size_t count = 0;

    while (next_line(&head, &line))
        count++;
    fields = arena_array(arena, count, sizeof(fields[0]));
    if (fields == NULL)
        return -ENOMEM;
    head = about->answer.head;
    while (next_line(&head, &line)) {
        struct explain_field *field = &fields[about->fields_count];

        if (!split(line, &field->name, &field->value) || /* the status line */
            (is(field->name, "Connection") && is(field->value, "close")))
            continue; /* the latter was asked for in memory, and nobody else would */
        field->why = why(arena, about, field->name, field->value);
        if (field->why.text == NULL)
            return -ENOMEM;
        about->fields_count++;
    }
    about->fields = fields;
    return 0;
}
