/* print.c: see print.h. */
#include "explain/print.h"

#include "core/json_text.h"
#include "http/status.h"
#include "match/pattern.h"

#include <string.h>

/* A text in printable ASCII, as in a JSON string but without its quotes. */
static void put_text(FILE *out, struct span text)
{
    char piece[JSON_CHAR_MAX];
    size_t used;

    for (; text.len > 0; text = span_make(text.ptr + used, text.len - used)) {
        char *end = json_put_char(piece, text, &used);

        fwrite(piece, 1, (size_t)(end - piece), out);
    }
}

/* The same, of which quotes and backslashes are as they are, for people. */
static void show(FILE *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            fputc(text.ptr[i], out);
        else if (text.ptr[i] >= ' ' && text.ptr[i] < 127)
            fputc(text.ptr[i], out);
        else
            fprintf(out, "\\x%02x", (unsigned char)text.ptr[i]);
    }
}

static void show_str(FILE *out, const char *text)
{
    show(out, span_str(text));
}

/* `~ "^/a"`: as it is written. */
static void show_pattern(FILE *out, const struct location *location)
{
    const char *word = pattern_word(location->pattern.kind);

    fprintf(out, "%s%s\"", word, word[0] != '\0' ? " " : "");
    show(out, location->pattern.text);
    fprintf(out, "\"");
}

static void show_place(FILE *out, const char *place)
{
    if (place[0] == '\0')
        return;
    fprintf(out, " (");
    show_str(out, place);
    fprintf(out, ")");
}

#define LABEL "%-12s "

static const char *const steps[] = { [EXPLAIN_STEP_PATH] = "path",
                                     [EXPLAIN_STEP_INDEX] = "index",
                                     [EXPLAIN_STEP_SIDECAR] = "sidecar",
                                     [EXPLAIN_STEP_ERROR_PAGE] = "error page",
                                     [EXPLAIN_STEP_LIST] = "listing" };

static const char *found(const struct explain_look *look)
{
    if (look->error != 0)
        return strerror(look->error);
    return look->kind == FILE_DIRECTORY ? "a directory"
           : look->kind == FILE_REGULAR ? "a file"
                                        : "no regular file";
}

/* ---- for people ---- */

static void show_request(const struct explanation *about, FILE *out)
{
    fprintf(out, LABEL "%s ", "request", about->method);
    if (about->authority.len > 0)
        fprintf(out, "%s://", about->scheme);
    show(out, about->authority);
    show(out, about->target);
    fprintf(out, " from %s\n", about->client);
    fprintf(out, LABEL "%s%s", "address", about->listen->text, about->listen->tls ? " tls" : "");
    show_place(out, about->listen->place != NULL ? about->listen->place : "");
    fprintf(out, "\n");
}

static void show_server(const struct explanation *about, FILE *out)
{
    const struct server *server = about->answer.server;

    if (server == NULL)
        return;
    fprintf(out, LABEL "\"%s\"", "server", server->name);
    show_place(out, about->server.place);
    fprintf(out, ": %s\n", about->server.text);
    if (about->path.len > 0) {
        fprintf(out, LABEL, "path");
        show(out, about->path);
        fprintf(out, "\n");
    }
    if (about->redirected != NULL) {
        fprintf(out, LABEL "\"", "redirect");
        show(out, about->redirected->from);
        fprintf(out, "\"");
        show_place(out, about->redirect.place);
        fprintf(out, ": %s\n", about->redirect.text);
    }
}

static void show_location(const struct explanation *about, FILE *out)
{
    const struct location *location = about->answer.location;

    if (location != NULL) {
        fprintf(out, LABEL, "location");
        if (about->location.place[0] == '\0')
            fprintf(out, "the server's own settings");
        else
            show_pattern(out, location);
        show_place(out, about->location.place);
        fprintf(out, ": %s\n", about->location.text);
    }
    for (unsigned i = 0; i < about->captures.count; i++) {
        if (about->captures.groups[i].len == 0)
            continue;
        fprintf(out, LABEL "$%u = ", "", i);
        show(out, about->captures.groups[i]);
        fprintf(out, "\n");
    }
    for (size_t i = 0; i < about->losers_count; i++) {
        const struct explain_loser *loser = &about->losers[i];

        if (loser->place[0] == '\0')
            continue; /* the server's own settings always match */
        fprintf(out, LABEL, i == 0 ? "  also" : "");
        show_pattern(out, loser->location);
        show_place(out, loser->place);
        fprintf(out, loser->unknown ? ": takes more than regex_steps_max\n" : ": %s\n",
                pattern_kind_name(loser->location->pattern.kind));
    }
}

static void show_reasons(FILE *out, const char *label, const struct explain_reason *reasons)
{
    for (; reasons->text[0] != '\0'; reasons++, label = "") {
        fprintf(out, LABEL, label);
        show_str(out, reasons->text);
        fprintf(out, "\n");
    }
}

static void show_led(const struct explanation *about, FILE *out)
{
    const char *label = "led by";

    for (const struct explain_reason *at = about->led; at->text[0] != '\0'; at++, label = "") {
        fprintf(out, LABEL, label);
        show_str(out, at->text);
        show_place(out, at->place);
        fprintf(out, "\n");
    }
}

static void show_maps(const struct explanation *about, FILE *out)
{
    for (size_t i = 0; i < about->answer.maps_count; i++) {
        const struct explain_mapped *mapped = &about->answer.maps[i];

        fprintf(out, LABEL "$%s: \"", i == 0 ? "map" : "", mapped->variable);
        show(out, mapped->key);
        if (mapped->value.ptr == NULL) {
            fprintf(out, "\" is no key, and there is no default\n");
            continue;
        }
        fprintf(out, "\" %s \"", mapped->is_default ? "is no key; default" : "becomes");
        show(out, mapped->value);
        fprintf(out, "\"");
        show_place(out, mapped->place);
        fprintf(out, "\n");
    }
}

static void show_path(FILE *out, const struct explain_look *look)
{
    show_str(out, look->root);
    if (strcmp(look->name, ".") != 0) {
        fprintf(out, "%s", strcmp(look->root, "/") == 0 ? "" : "/");
        show_str(out, look->name);
    }
}

static void show_files(const struct explanation *about, FILE *out)
{
    const struct explain_look *sent = about->sidecar != NULL ? about->sidecar : about->file;

    for (size_t i = 0; i < about->answer.looks_count; i++) {
        const struct explain_look *look = &about->answer.looks[i];

        fprintf(out, LABEL, i == 0 ? "looked for" : "");
        show_path(out, look);
        fprintf(out, ": %s", found(look));
        if (look->step != EXPLAIN_STEP_PATH)
            fprintf(out, " (%s)", steps[look->step]);
        else if (about->answer.location != NULL && about->answer.location->try_count > 0)
            fprintf(out, " (try %s)", about->answer.location->try_uris[look->index]);
        fprintf(out, "\n");
    }
    fprintf(out, LABEL "%s", "sends", about->body.text);
    if (sent != NULL) {
        fprintf(out, ": ");
        show_path(out, sent);
    }
    fprintf(out, "\n");
}

static void show_answer(const struct explanation *about, FILE *out)
{
    struct span phrase = http_status_reason(about->answer.status);

    fprintf(out, LABEL, "answer");
    if (about->answer.status == 0)
        fprintf(out, "none");
    else
        fprintf(out, "%d %.*s", about->answer.status, (int)phrase.len, phrase.ptr);
    if (about->answer.hints.len > 0)
        fprintf(out, ", after 103 Early Hints");
    fprintf(out, "\n");
    for (size_t i = 0; i < about->fields_count; i++) {
        const struct explain_field *field = &about->fields[i];

        fprintf(out, "  ");
        show(out, field->name);
        fprintf(out, ": ");
        show(out, field->value);
        if (field->why.text[0] != '\0')
            fprintf(out, "   <- %s", field->why.text);
        show_place(out, field->why.place);
        fprintf(out, "\n");
    }
}

void explain_print(const struct explanation *about, FILE *out)
{
    show_request(about, out);
    show_server(about, out);
    show_location(about, out);
    show_led(about, out);
    show_maps(about, out);
    show_reasons(out, "access", about->access);
    show_reasons(out, "limits", about->limits);
    show_files(about, out);
    show_answer(about, out);
}

/* ---- for scripts ---- */

static void put_span(FILE *out, const char *name, struct span text)
{
    fprintf(out, "\"%s\":\"", name);
    put_text(out, text);
    fprintf(out, "\"");
}

static void put_str(FILE *out, const char *name, const char *text)
{
    put_span(out, name, span_str(text));
}

static void put_pattern(FILE *out, const struct location *location, const char *place)
{
    put_str(out, "word", pattern_word(location->pattern.kind));
    fprintf(out, ",");
    put_span(out, "title", location->pattern.text);
    fprintf(out, ",");
    put_str(out, "place", place);
}

static void put_location(const struct explanation *about, FILE *out)
{
    const char *between = "";

    if (about->answer.location == NULL) {
        fprintf(out, ",\"location\":null");
    } else {
        fprintf(out, ",\"location\":{");
        put_pattern(out, about->answer.location, about->location.place);
        fprintf(out, ",");
        put_str(out, "why", about->location.text);
        fprintf(out, ",\"captures\":[");
        for (unsigned i = 0; i < about->captures.count; i++) {
            fprintf(out, "%s\"", i > 0 ? "," : "");
            put_text(out, about->captures.groups[i]);
            fprintf(out, "\"");
        }
        fprintf(out, "]}");
    }
    fprintf(out, ",\"also\":[");
    for (size_t i = 0; i < about->losers_count; i++) {
        if (about->losers[i].place[0] == '\0')
            continue;
        fprintf(out, "%s{", between);
        put_pattern(out, about->losers[i].location, about->losers[i].place);
        fprintf(out, "}");
        between = ",";
    }
    fprintf(out, "]");
}

static void put_reasons(FILE *out, const char *name, const struct explain_reason *reasons)
{
    fprintf(out, ",\"%s\":[", name);
    for (const struct explain_reason *at = reasons; at->text[0] != '\0'; at++) {
        fprintf(out, "%s\"", at > reasons ? "," : "");
        put_text(out, span_str(at->text));
        fprintf(out, "\"");
    }
    fprintf(out, "]");
}

static void put_led(const struct explanation *about, FILE *out)
{
    fprintf(out, ",\"led\":[");
    for (const struct explain_reason *at = about->led; at->text[0] != '\0'; at++) {
        fprintf(out, "%s{", at > about->led ? "," : "");
        put_str(out, "by", at->text);
        fprintf(out, ",");
        put_str(out, "place", at->place);
        fprintf(out, "}");
    }
    fprintf(out, "]");
}

static void put_maps(const struct explanation *about, FILE *out)
{
    fprintf(out, ",\"maps\":[");
    for (size_t i = 0; i < about->answer.maps_count; i++) {
        const struct explain_mapped *mapped = &about->answer.maps[i];

        fprintf(out, "%s{", i > 0 ? "," : "");
        put_str(out, "variable", mapped->variable);
        fprintf(out, ",");
        put_span(out, "key", mapped->key);
        fprintf(out, ",\"default\":%s,", mapped->is_default ? "true" : "false");
        put_span(out, "value", mapped->value);
        fprintf(out, ",");
        put_str(out, "place", mapped->place);
        fprintf(out, "}");
    }
    fprintf(out, "]");
}

static void put_path(FILE *out, const struct explain_look *look)
{
    fprintf(out, "\"");
    put_text(out, span_str(look->root));
    if (strcmp(look->name, ".") != 0) {
        fprintf(out, "%s", strcmp(look->root, "/") == 0 ? "" : "/");
        put_text(out, span_str(look->name));
    }
    fprintf(out, "\"");
}

static void put_files(const struct explanation *about, FILE *out)
{
    const struct explain_look *sent = about->sidecar != NULL ? about->sidecar : about->file;

    fprintf(out, ",\"looks\":[");
    for (size_t i = 0; i < about->answer.looks_count; i++) {
        const struct explain_look *look = &about->answer.looks[i];

        fprintf(out, "%s{\"step\":\"%s\",\"path\":", i > 0 ? "," : "", steps[look->step]);
        put_path(out, look);
        fprintf(out, ",\"found\":\"%s\",\"size\":%llu}", found(look),
                (unsigned long long)look->size);
    }
    fprintf(out, "],\"sends\":{\"what\":\"%s\",\"path\":", about->body.text);
    if (sent != NULL)
        put_path(out, sent);
    else
        fprintf(out, "null");
    fprintf(out, "}");
}

static void put_answer(const struct explanation *about, FILE *out)
{
    fprintf(out, ",\"status\":%d,\"early_hints\":%s,\"fields\":[", about->answer.status,
            about->answer.hints.len > 0 ? "true" : "false");
    for (size_t i = 0; i < about->fields_count; i++) {
        const struct explain_field *field = &about->fields[i];

        fprintf(out, "%s{", i > 0 ? "," : "");
        put_span(out, "name", field->name);
        fprintf(out, ",");
        put_span(out, "value", field->value);
        fprintf(out, ",");
        put_str(out, "key", field->why.text);
        fprintf(out, ",");
        put_str(out, "place", field->why.place);
        fprintf(out, "}");
    }
    fprintf(out, "]");
}

void explain_print_json(const struct explanation *about, FILE *out)
{
    fprintf(out, "{\"method\":\"");
    put_text(out, span_str(about->method));
    fprintf(out, "\",\"scheme\":\"%s\",", about->scheme);
    put_span(out, "authority", about->authority);
    fprintf(out, ",");
    put_span(out, "target", about->target);
    fprintf(out, ",");
    put_span(out, "path", about->path);
    fprintf(out, ",\"client\":\"%s\",\"address\":{", about->client);
    put_str(out, "listen", about->listen->text);
    fprintf(out, ",\"tls\":%s,", about->listen->tls ? "true" : "false");
    put_str(out, "place", about->listen->place != NULL ? about->listen->place : "");
    fprintf(out, "},\"server\":");
    if (about->answer.server == NULL) {
        fprintf(out, "null");
    } else {
        fprintf(out, "{");
        put_str(out, "name", about->answer.server->name);
        fprintf(out, ",");
        put_str(out, "place", about->server.place);
        fprintf(out, ",");
        put_str(out, "why", about->server.text);
        fprintf(out, "}");
    }
    fprintf(out, ",\"redirect\":");
    if (about->redirected == NULL) {
        fprintf(out, "null");
    } else {
        fprintf(out, "{");
        put_span(out, "from", about->redirected->from);
        fprintf(out, ",");
        put_str(out, "place", about->redirect.place);
        fprintf(out, "}");
    }
    put_location(about, out);
    put_led(about, out);
    put_maps(about, out);
    put_reasons(out, "access", about->access);
    put_reasons(out, "limits", about->limits);
    put_files(about, out);
    put_answer(about, out);
    fprintf(out, "}\n");
}
