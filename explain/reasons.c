/* reasons.c: server, location, redirect, file, access, limits. See reasons.h. */
#include "explain/reasons.h"

#include "config/config_notes.h"
#include "config/site_redirects.h"
#include "core/address_set.h"
#include "explain/fields.h"
#include "http/redirect.h"
#include "http/target.h"
#include "http/vhost.h"
#include "match/template.h"
#include "match/regex.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PLACE_MAX = 4200 };

/* What is being found out. */
struct finding {
    struct arena *arena;
    struct explanation *about;
    bool no_memory;
};

static const char *keep(struct finding *finding, const char *text)
{
    const char *kept = arena_strdup(finding->arena, text);

    finding->no_memory |= kept == NULL;
    return kept != NULL ? kept : "";
}

static const char *place_of(struct finding *finding, const void *what)
{
    char text[PLACE_MAX];

    config_note_find(finding->about->config, what, text, sizeof(text));
    return keep(finding, text);
}

static struct explain_reason reason(struct finding *finding, const char *text, const void *what)
{
    return (struct explain_reason){ keep(finding, text),
                                    what != NULL ? place_of(finding, what) : "" };
}

/* ---- the server ---- */

/* The name of the server by which it answers to `host`, or NULL. */
static const char *name_for(const struct server *server, struct span host)
{
    if (host.len > 0 && host.ptr[host.len - 1] == '.')
        host.len--;
    for (size_t i = 0; i < server->hosts_count; i++) {
        struct span name = span_str(server->hosts[i]);

        if (span_caseeq(name, host))
            return server->hosts[i];
        if (name.len > 2 && name.ptr[0] == '*' && host.len > name.len - 1 &&
            span_caseeq(span_make(name.ptr + 1, name.len - 1),
                        span_make(host.ptr + host.len - (name.len - 1), name.len - 1)))
            return server->hosts[i];
    }
    return NULL;
}

static void find_server(struct finding *finding, struct span host)
{
    struct explanation *about = finding->about;
    const struct server *server = about->answer.server;
    const char *name;
    char text[EXPLAIN_WHY_MAX];

    about->server = (struct explain_reason){ "", "" };
    if (server == NULL)
        return;
    name = name_for(server, host);
    if (name != NULL && name[0] == '*')
        snprintf(text, sizeof(text), "the host is one of its \"%s\"", name);
    else if (name != NULL)
        snprintf(text, sizeof(text), "the host is its name");
    else if (about->listen->servers_count == 1)
        snprintf(text, sizeof(text), "it is the only one of the address");
    else if (server->is_default)
        snprintf(text, sizeof(text), "no server of the address has the name; it is the default");
    else
        snprintf(text, sizeof(text),
                 "no server of the address has the name; it is the first of the address");
    about->server = reason(finding, text, server->name);
}

/* ---- the location ---- */

static const char *why_location(const struct location *location)
{
    switch (location->pattern.kind) {
    case PATTERN_EXACT:
        return "it is for this path alone";
    case PATTERN_PREFIX_FIRM:
        return "it is the longest prefix, and firm";
    case PATTERN_REGEX:
    case PATTERN_REGEX_CASELESS:
        return "it is the first regular expression that matches";
    case PATTERN_GLOB:
        return "it is the glob with the most literal bytes that matches";
    case PATTERN_PREFIX:
        return "it is the longest prefix";
    }
    return "";
}

static int find_losers(struct finding *finding, struct regex_room *room)
{
    struct explanation *about = finding->about;
    const struct server *server = about->answer.server;
    struct explain_loser *losers =
        arena_array(finding->arena, server->locations_count, sizeof(losers[0]));

    if (losers == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < server->locations_count; i++) {
        const struct location *location = &server->locations[i];
        int res;

        if (location == about->answer.location)
            continue;
        res = pattern_match(&location->pattern, room, about->path, NULL);
        if (res != 0)
            losers[about->losers_count++] =
                (struct explain_loser){ location, place_of(finding, location->pattern.text.ptr),
                                        res < 0 };
    }
    about->losers = losers;
    return 0;
}

static int find_location(struct finding *finding)
{
    struct explanation *about = finding->about;
    const struct location *found = NULL;
    struct regex_room *room = NULL;
    int res;

    if (about->answer.server == NULL || about->path.len == 0)
        return 0;
    res = regex_room_create(about->config->limits.regex_steps_max, &room);
    if (res == 0)
        res = find_losers(finding, room);
    if (res == 0 && about->answer.location != NULL) {
        (void)http_location_find(about->answer.server, room, about->path, &about->captures, &found);
        about->location = reason(finding, why_location(about->answer.location),
                                 about->answer.location->pattern.text.ptr);
        if (about->location.place[0] == '\0') /* what stands in the server block itself */
            about->location.text = "no other one matches";
    }
    regex_room_destroy(room);
    return res;
}

/* ---- what is sent ---- */

/* The query, without its '?'. */
static struct span args_of(const struct explanation *about)
{
    const char *mark = memchr(about->target.ptr, '?', about->target.len);
    const char *end = about->target.ptr + about->target.len;

    return mark != NULL ? span_make(mark + 1, (size_t)(end - mark) - 1) : span_make("", 0);
}

static void find_redirect(struct finding *finding, struct regex_room *room)
{
    struct explanation *about = finding->about;
    const struct redirect *redirect = NULL;
    struct captures captures;

    about->redirect = (struct explain_reason){ "", "" };
    if (about->answer.server == NULL || about->path.len == 0 || about->answer.looks_count > 0)
        return;
    (void)http_redirect_of(about->answer.server, room, about->answer.location, about->path,
                           args_of(about), &captures, &redirect);
    if (redirect == NULL || redirect->status != about->answer.status)
        return;
    about->redirected = redirect;
    about->redirect = reason(finding, "it covers the path", redirect->from.ptr);
}

static bool is_file(const struct explain_look *look)
{
    return look->error == 0 && look->kind == FILE_REGULAR;
}

/* The last file that was found, and its sidecar in the coding of the answer. */
static void find_file(struct finding *finding, struct span coding)
{
    static const struct {
        const char *coding, *suffix;
    } sidecars[] = { { "gzip", ".gz" }, { "br", ".br" }, { "zstd", ".zst" } };
    struct explanation *about = finding->about;
    const char *suffix = NULL;

    for (size_t i = 0; i < sizeof(sidecars) / sizeof(sidecars[0]); i++) {
        if (span_eq(coding, span_str(sidecars[i].coding)))
            suffix = sidecars[i].suffix;
    }
    for (size_t i = 0; i < about->answer.looks_count; i++) {
        const struct explain_look *look = &about->answer.looks[i];
        size_t len = strlen(look->name);

        if (look->step == EXPLAIN_STEP_SIDECAR && is_file(look) && suffix != NULL &&
            len > strlen(suffix) && strcmp(look->name + len - strlen(suffix), suffix) == 0)
            about->sidecar = look;
        if (look->step != EXPLAIN_STEP_SIDECAR && look->step != EXPLAIN_STEP_LIST &&
            (is_file(look) || look->step == EXPLAIN_STEP_ERROR_PAGE))
            about->file = is_file(look) ? look : NULL;
    }
}

static void find_body(struct finding *finding, struct span coding)
{
    struct explanation *about = finding->about;
    const struct explain_answer *answer = &about->answer;
    bool listed =
        answer->looks_count > 0 && answer->looks[answer->looks_count - 1].step == EXPLAIN_STEP_LIST;
    bool found = (answer->status >= 200 && answer->status < 300) || answer->status == 304 ||
                 answer->status == 412 || answer->status == 416;
    const char *text = "what the server says itself";

    find_file(finding, coding);
    if (answer->status == 0)
        text = "nothing: the connection is closed";
    else if (about->redirected != NULL)
        text = "a redirect";
    else if (found && listed)
        text = "a listing";
    else if (about->file != NULL && about->file->step == EXPLAIN_STEP_ERROR_PAGE)
        text = "an error page";
    else if (!found)
        about->file = about->sidecar = NULL;
    else if (about->sidecar != NULL)
        text = "a sidecar";
    else if (about->file != NULL && coding.len > 0)
        text = "the file, compressed by the server";
    else if (about->file != NULL)
        text = "the file";
    else if (answer->looks_count > 0)
        text = "what a sidecar holds, decompressed by the server";
    if (answer->status >= 300 && answer->status < 400 && answer->status != 304 && !found &&
        about->redirected == NULL)
        text = about->answering != NULL ? "a redirect" : "a redirect to where the file is";
    else if (about->answering != NULL && answer->looks_count == 0 && answer->status != 0)
        text = "what return says";
    about->body = reason(finding, text, NULL);
}

/* ---- lists ---- */

struct reason_list {
    struct explain_reason *items;
    size_t count;
};

enum { REASONS_MAX = 8 };

static bool list_make(struct finding *finding, struct reason_list *list)
{
    list->items = arena_array(finding->arena, REASONS_MAX + 1, sizeof(list->items[0]));
    list->count = 0;
    finding->no_memory |= list->items == NULL;
    if (list->items != NULL)
        list->items[0] = (struct explain_reason){ "", "" };
    return list->items != NULL;
}

__attribute__((format(printf, 3, 4))) static void
list_add(struct finding *finding, struct reason_list *list, const char *format, ...)
{
    char text[EXPLAIN_WHY_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (list->count == REASONS_MAX)
        return;
    list->items[list->count++] = (struct explain_reason){ keep(finding, text), "" };
    list->items[list->count] = (struct explain_reason){ "", "" };
}

/* ---- where it is led ---- */

/* The rule of the _redirects that has led to the answer; NULL: none has. */
static const struct redirect_rule *rule_of(const struct explanation *about)
{
    const struct explain_answer *answer = &about->answer;
    const struct site_redirects *site = answer->server->site_redirects;
    char params[HTTP_PATH_MAX];
    struct captures captures;
    const struct redirect_rule *rule;
    uint32_t index;

    if (site == NULL || about->redirected != NULL)
        return NULL;
    index = redirect_rules_find(site->rules, about->path, args_of(about), params, sizeof(params),
                                &captures);
    if (index == REDIRECT_RULE_NONE)
        return NULL;
    rule = redirect_rules_at(site->rules, index);
    if (answer->ruled)
        return rule;
    if (rule->status != answer->status)
        return NULL;
    for (size_t i = 0; i < answer->looks_count && !rule->force; i++) {
        if (answer->looks[i].error == 0)
            return NULL; /* a folder's redirect, say */
    }
    return rule;
}

static void add_rule(struct finding *finding, struct reason_list *list,
                     const struct redirect_rule *rule)
{
    const struct server *server = finding->about->answer.server;
    const struct location *slash = http_location_slash(server);
    const char *written = server->site_redirects->written, *place;
    bool in_root = strcmp(written, "on") == 0 && slash != NULL && slash->root != NULL;

    list_add(finding, list, "_redirects: %s %s %d%s", rule->from, rule->to, rule->status,
             rule->force ? "!" : "");
    place = in_root ? arena_printf(finding->arena, "%s/" CONFIG_REDIRECTS_FILE ":%zu",
                                   slash->root->path, rule->number)
                    : arena_printf(finding->arena, "%s:%zu", written, rule->number);
    finding->no_memory |= place == NULL;
    list->items[list->count - 1].place = place != NULL ? place : "";
}

/* Rewrites, `return`, and rules of a _redirects. */
static void find_led(struct finding *finding, struct regex_room *room)
{
    struct explanation *about = finding->about;
    const struct explain_answer *answer = &about->answer;
    const struct location *last = answer->location, *first = NULL;
    const struct redirect_rule *rule;
    struct reason_list list;

    if (!list_make(finding, &list))
        return;
    about->led = list.items;
    if (answer->server == NULL || last == NULL || about->path.len == 0)
        return;
    (void)http_location_find(answer->server, room, about->path, NULL, &first);
    if (answer->rewrites > 0 && first != NULL && first->rewrite != NULL) {
        list_add(finding, &list, "rewrite = %.200s: the path becomes %.*s%s", first->rewrite->text,
                 answer->path.len < 200 ? (int)answer->path.len : 200, answer->path.ptr,
                 answer->rewrites > 1 ? ", over others" : "");
        list.items[list.count - 1].place = place_of(finding, first->rewrite);
    }
    rule = rule_of(about);
    if (rule != NULL) {
        add_rule(finding, &list, rule);
    } else if (last->answer != NULL && answer->looks_count == 0 && about->redirected == NULL &&
               (!last->internal || answer->rewrites > 0)) {
        list_add(finding, &list, "return = %.300s", last->answer->written);
        list.items[list.count - 1].place = place_of(finding, last->answer);
    } else {
        return;
    }
    about->answering = &list.items[list.count - 1];
}

/* ---- access, limits ---- */

static void find_access(struct finding *finding)
{
    struct explanation *about = finding->about;
    const struct location *location = about->answer.location;
    const struct admission *admission = location != NULL ? location->admission : NULL;
    struct reason_list list;

    if (!list_make(finding, &list))
        return;
    about->access = list.items;
    if (admission == NULL)
        return;
    if (admission->by_address != NULL)
        list_add(finding, &list, "allow and deny: %s %s", about->client,
                 address_set_has(&admission->by_address->clients, &about->answer.client)
                     ? "may"
                     : "may not");
    if (admission->signed_by != NULL)
        list_add(finding, &list, "signed: a link that ends by itself is asked for");
    if (admission->auth != NULL)
        list_add(finding, &list, "auth \"%s\": a password of %s is asked for",
                 admission->auth->realm, admission->auth->path);
    if (admission->referers != NULL)
        list_add(finding, &list, "referers: %zu names may lead here", admission->referers->count);
    if (list.count > 1 && location->satisfy == SATISFY_ANY)
        list_add(finding, &list, "satisfy = any: one of address, password and link will do");
}

static void find_limits(struct finding *finding)
{
    struct explanation *about = finding->about;
    const struct location *location = about->answer.location;
    struct reason_list list;

    if (!list_make(finding, &list))
        return;
    about->limits = list.items;
    if (location == NULL)
        return;
    const struct location_limits *limits = &location->limits;
    if (limits->requests != NULL)
        list_add(finding, &list, "limit_requests = %s", limits->requests_text);
    if (limits->requests_server != NULL)
        list_add(finding, &list, "limit_requests_server = %s", limits->requests_server_text);
    if (limits->rate > 0)
        list_add(finding, &list, "limit_rate = %llu bytes a second after %llu bytes",
                 (unsigned long long)limits->rate, (unsigned long long)limits->rate_after);
    if (limits->rate_client > 0)
        list_add(finding, &list, "limit_rate_client = %llu bytes a second",
                 (unsigned long long)limits->rate_client);
    if (list.count > 0 && address_set_has(&about->config->limit_exempt, &about->answer.client))
        list_add(finding, &list, "limit_exempt: none of these by client hold for %s",
                 about->client);
}

int explain_reasons(struct arena *arena, struct span host, struct explanation *ret)
{
    struct finding finding = { .arena = arena, .about = ret };
    char client[PEER_TEXT_MAX];
    struct regex_room *room = NULL;
    struct span coding;
    int res;

    peer_format(&ret->answer.client, client);
    ret->client = keep(&finding, client);
    ret->location = (struct explain_reason){ "", "" };
    find_server(&finding, host);
    res = find_location(&finding);
    if (res < 0)
        return res;
    res = regex_room_create(ret->config->limits.regex_steps_max, &room);
    if (res < 0)
        return res;
    find_redirect(&finding, room);
    find_led(&finding, room);
    regex_room_destroy(room);
    coding = explain_field_of(ret->answer.head, SPAN_LIT("Content-Encoding"));
    find_body(&finding, coding);
    find_access(&finding);
    find_limits(&finding);
    res = explain_fields(arena, ret);
    return finding.no_memory ? -ENOMEM : res;
}
