/* fields.c: see fields.h. */
#include "explain/fields.h"

#include "config/config_notes.h"
#include "http/fields.h"

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

/* The rule by which the answer may be kept; NULL: none. */
static const struct cache_rule *cache_rule_of(const struct explanation *about)
{
    if (about->file == NULL)
        return NULL;
    return http_fields_cache_rule(about->answer.location, span_str(about->file->name));
}

static struct explain_reason why(struct arena *arena, const struct explanation *about,
                                 struct span name, struct span value)
{
    const struct location *location = about->answer.location;

    for (size_t i = 0; location != NULL && i < location->headers_count; i++) {
        const struct header_rule *rule = &location->headers[i];
        struct explain_reason reason;

        if (!is(name, rule->name) || !span_eq(value, span_str(rule->value)))
            continue;
        reason = by(arena, about, "headers", rule->value);
        if (reason.place[0] == '\0')
            reason.text = "security_headers";
        return reason;
    }
    if (location != NULL && (is(name, "Cache-Control") || is(name, "Expires"))) {
        const struct cache_rule *rule = cache_rule_of(about);

        if (rule != NULL)
            return by(arena, about, arena_printf(arena, "cache \"%s\"", rule->pattern),
                      rule->pattern);
    }
    if (is(name, "Location") && about->redirected != NULL)
        return by(arena, about, "redirect", about->redirected->from.ptr);
    if (location != NULL && is(name, "Strict-Transport-Security"))
        return by(arena, about, "hsts", NULL);
    if (name.len > 15 && is(span_make(name.ptr, 15), "Access-Control-"))
        return by(arena, about, "cors", NULL);
    if (location != NULL && is(name, "Link"))
        return by(arena, about, "early_hints", NULL);
    if (is(name, "Content-Disposition"))
        return by(arena, about, "download", NULL);
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
