/* question.c: see question.h. */
#include "explain/question.h"

#include "config/server_find.h"
#include "core/decimal.h"
#include "http/authority.h"
#include "process/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define USAGE                                                                                      \
    "usage: gearshift explain URL [-X METHOD] [-H \"NAME: VALUE\"]... [--from ADDRESS] "           \
    "[--at ADDRESS] [--json] [DIR | -c FILE] [-o KEY=VALUE]..."

/* ---- arguments ---- */

/* Is it one of the server's options whose value is the next argument? */
static bool takes_value(const char *argument)
{
    static const char *const names[] = { "-c",       "-e",       "-o",        "-p",
                                         "--config", "--engine", "--root",    "--option",
                                         "--port",   "--listen", "--tls-port" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(argument, names[i]) == 0)
            return true;
    }
    return false;
}

/* Where the value of one of our own options goes; NULL: it is none. */
static const char **value_of(struct explain_question *question, const char *argument)
{
    if (strcmp(argument, "-X") == 0 || strcmp(argument, "--method") == 0)
        return &question->method;
    if (strcmp(argument, "-H") == 0 || strcmp(argument, "--header") == 0)
        return &question->fields[question->fields_count++];
    if (strcmp(argument, "--from") == 0)
        return &question->from;
    if (strcmp(argument, "--at") == 0)
        return &question->at;
    return strcmp(argument, "--explain") == 0 ? &question->url : NULL;
}

int explain_question_read(int argc, char **argv, struct arena *arena, char *why, size_t why_size,
                          struct explain_question *ret_question)
{
    struct explain_question question = { .url = NULL };

    question.fields = arena_array(arena, (size_t)argc + 1, sizeof(question.fields[0]));
    question.rest = arena_array(arena, (size_t)argc + 1, sizeof(question.rest[0]));
    if (question.fields == NULL || question.rest == NULL)
        return options_refuse(why, why_size, "out of memory"), -ENOMEM;
    question.rest[question.rest_count++] = argv[0];
    for (int i = 1; i < argc; i++) {
        const char **value = value_of(&question, argv[i]);

        if (strcmp(argv[i], "--json") == 0) {
            question.json = true;
        } else if (value != NULL && i + 1 == argc) {
            return options_refuse(why, why_size, "%s needs a value", argv[i]);
        } else if (value != NULL) {
            *value = argv[++i];
        } else if (question.url == NULL && argv[i][0] != '-') {
            question.url = argv[i];
        } else {
            question.rest[question.rest_count++] = argv[i];
            if (takes_value(argv[i]) && i + 1 < argc)
                question.rest[question.rest_count++] = argv[++i];
        }
    }
    if (question.url == NULL)
        return options_refuse(why, why_size, "%s", USAGE);
    *ret_question = question;
    return 0;
}

/* ---- the URL ---- */

int explain_url_read(const char *text, char *why, size_t why_size, struct explain_url *ret_url)
{
    struct explain_url url = { .scheme = "http" };
    const char *at = text;

    if (strchr(text, '#') != NULL)
        return options_refuse(why, why_size, "'%s' has a '#', which clients do not send", text);
    if (text[0] == '/') {
        url.target = span_str(text);
        *ret_url = url;
        return 0;
    }
    if (strncasecmp(at, "https://", 8) == 0) {
        url.scheme = "https";
        at += 8;
    } else if (strncasecmp(at, "http://", 7) == 0) {
        at += 7;
    }
    url.authority = span_make(at, strcspn(at, "/?"));
    url.target = span_str(at + url.authority.len);
    if (!http_authority_parse(url.authority, &url.host))
        return options_refuse(
            why, why_size,
            "'%s' is no URL with a host, such as https://www.example.org/path, and no "
            "path that begins with '/'",
            text);
    url.has_port = url.host.len + 1 < url.authority.len;
    if (url.has_port && !decimal_parse_port(span_make(url.host.ptr + url.host.len + 1,
                                                      url.authority.len - url.host.len - 1),
                                            &url.port))
        return options_refuse(why, why_size, "'%s' has no port that there is", text);
    if (!url.has_port)
        url.port = url.scheme[4] == 's' ? 443 : 80;
    *ret_url = url;
    return 0;
}

/* ---- the address ---- */

static bool has_name(const struct listen_config *listen, struct span host)
{
    const struct server *server = server_find(listen, host);

    return listen->servers_count == 1 || server != listen->servers[0];
}

/* The better of those of the scheme, and with the port where `port` is not 0: one that has a server
 * of the name. */
static const struct listen_config *search(const struct config *config,
                                          const struct explain_url *url, bool by_port)
{
    const struct listen_config *found = NULL;

    for (size_t i = 0; i < config->listens_count; i++) {
        const struct listen_config *listen = &config->listens[i];

        if (listen->tls != (url->scheme[4] == 's') || (by_port && listen->port != url->port))
            continue;
        if (found == NULL || (!has_name(found, url->host) && has_name(listen, url->host)))
            found = listen;
    }
    return found;
}

/* "127.0.0.1:80, [::1]:443 tls", as far as there is room. */
static void write_addresses(const struct config *config, char *text, size_t size)
{
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < config->listens_count && len < size; i++) {
        const struct listen_config *listen = &config->listens[i];
        int n = snprintf(text + len, size - len, "%s%s%s", i > 0 ? ", " : "", listen->text,
                         listen->tls ? " tls" : "");
        len += n > 0 ? (size_t)n : 0;
    }
}

const struct listen_config *explain_listen_find(const struct config *config,
                                                const struct explain_question *question,
                                                const struct explain_url *url, char *why,
                                                size_t why_size)
{
    const struct listen_config *found = NULL;
    char addresses[500];

    for (size_t i = 0; question->at != NULL && i < config->listens_count; i++) {
        if (strcmp(config->listens[i].text, question->at) == 0)
            found = &config->listens[i];
    }
    if (question->at == NULL && url->authority.len == 0)
        found = &config->listens[0];
    else if (question->at == NULL) {
        found = search(config, url, true);
        if (found == NULL && !url->has_port)
            found = search(config, url, false);
    }
    if (found != NULL)
        return found;
    write_addresses(config, addresses, sizeof(addresses));
    if (question->at != NULL)
        options_refuse(why, why_size, "no server listens at %s; there are: %s", question->at,
                       addresses);
    else
        options_refuse(why, why_size, "no server listens for %s at port %u; there are: %s",
                       url->scheme, url->port, addresses);
    return NULL;
}

/* ---- the request ---- */

static bool has_host(const struct explain_question *question)
{
    for (size_t i = 0; i < question->fields_count; i++) {
        if (strncasecmp(question->fields[i], "Host:", 5) == 0)
            return true;
    }
    return false;
}

const char *explain_request_write(struct arena *arena, const struct explain_question *question,
                                  const struct explain_url *url, const char *host)
{
    const char *slash = url->target.len > 0 && url->target.ptr[0] == '/' ? "" : "/";
    char *text = arena_printf(arena, "%s %s%.*s HTTP/1.1\r\n",
                              question->method != NULL ? question->method : "GET", slash,
                              (int)url->target.len, url->target.ptr);

    if (text != NULL && !has_host(question))
        text = url->authority.len > 0 ? arena_printf(arena, "%sHost: %.*s\r\n", text,
                                                     (int)url->authority.len, url->authority.ptr)
                                      : arena_printf(arena, "%sHost: %s\r\n", text, host);
    for (size_t i = 0; text != NULL && i < question->fields_count; i++)
        text = arena_printf(arena, "%s%s\r\n", text, question->fields[i]);
    /* So that nothing begins behind it; it is not told. */
    return text != NULL ? arena_printf(arena, "%sConnection: close\r\n\r\n", text) : NULL;
}
