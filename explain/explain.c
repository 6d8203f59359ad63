/* explain.c: see explain.h. */
#include "explain/explain.h"

#include "config/config_roots.h"
#include "config/server_find.h"
#include "core/log.h"
#include "explain/print.h"
#include "explain/question.h"
#include "explain/reasons.h"
#include "http/target.h"
#include "process/exit_status.h"
#include "process/options.h"
#include "process/refuse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WHY_SIZE = 1024 };

bool explain_is_asked(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--explain") == 0)
            return true;
    }
    return argc > 1 && strcmp(argv[1], "explain") == 0;
}

static int status_of(int error)
{
    return error == -ENOMEM ? STATUS_RUNTIME : STATUS_CONFIG;
}

static int client_of(const struct explain_question *question, char *why, struct peer *ret_client)
{
    const char *from = question->from != NULL ? question->from : "127.0.0.1";

    *ret_client = (struct peer){ .family = PEER_UNIX };
    if (strcmp(from, "unix:") == 0 || peer_parse(span_str(from), ret_client))
        return 0;
    snprintf(why, WHY_SIZE, "--from takes an address, or unix:, not '%s'", from);
    return -EINVAL;
}

/* The path of the target, decoded as the server does it; empty: it has none. */
static struct span path_of(struct arena *arena, const struct explain_url *url)
{
    char *decoded = arena_alloc(arena, HTTP_PATH_MAX);
    struct http_target target;
    const char *slash = url->target.len > 0 && url->target.ptr[0] == '/' ? "" : "/";
    const char *whole = arena_printf(arena, "%s%.*s", slash, (int)url->target.len, url->target.ptr);

    if (decoded == NULL || whole == NULL ||
        http_target_parse(span_str(whole), false, decoded, &target) != 0)
        return span_make("", 0);
    return target.path;
}

/* Answers the question, with a configuration whose roots are open. An exit status. */
static int answer(const struct config *config, const struct explain_question *question,
                  struct explain_url url, const struct peer *client, struct arena *arena, char *why)
{
    struct explanation about = { .config = config,
                                 .method = question->method != NULL ? question->method : "GET" };
    struct explain_request request = { .client = *client };
    const char *octets;
    int res;

    request.listen = explain_listen_find(config, question, &url, why, WHY_SIZE);
    if (request.listen == NULL)
        return STATUS_USAGE;
    if (url.authority.len == 0)
        url.host = span_str(request.listen->servers[0]->name);
    if (request.listen->tls)
        request.named = server_find(request.listen, url.host);
    octets = explain_request_write(arena, question, &url, request.listen->servers[0]->name);
    if (octets == NULL)
        return STATUS_RUNTIME;
    request.head = span_str(octets);
    res = explain_exchange(config, &request, arena, why, WHY_SIZE, &about.answer);
    if (res < 0)
        return status_of(res);
    about.listen = request.listen;
    about.scheme = request.listen->tls ? "https" : "http";
    about.authority = url.authority;
    about.target = url.target.len > 0 ? url.target : SPAN_LIT("/");
    about.path = path_of(arena, &url);
    if (explain_reasons(arena, url.host, &about) < 0)
        return STATUS_RUNTIME;
    (question->json ? explain_print_json : explain_print)(&about, stdout);
    return STATUS_OK;
}

/* Nothing is logged, and no log is opened. */
static void leave_logs(struct config *config)
{
    for (size_t i = 0; i < config->servers_count; i++)
        config->servers[i].access_log = CONFIG_NO_LOG;
    config->access_logs_count = 0;
}

static int run(int argc, char **argv, struct arena *arena, char *why)
{
    struct explain_question question;
    struct config *config = NULL;
    struct options options;
    struct explain_url url;
    struct peer client;
    int status, res = explain_question_read(argc, argv, arena, why, WHY_SIZE, &question);

    if (res == 0)
        res = explain_url_read(question.url, why, WHY_SIZE, &url);
    if (res == 0)
        res = client_of(&question, why, &client);
    if (res == 0)
        res = options_parse(question.rest_count, question.rest, why, WHY_SIZE, &options);
    if (res < 0)
        return res == -ENOMEM ? STATUS_RUNTIME : STATUS_USAGE;
    if (options.action >= OPTIONS_HELP) {
        options_free(&options);
        snprintf(why, WHY_SIZE, "-h, -v and -V are not about a URL");
        return STATUS_USAGE;
    }
    res = config_load(&options.source, why, WHY_SIZE, &config);
    if (res == 0)
        res = config_roots_open(config, why, WHY_SIZE);
    if (res == 0)
        leave_logs(config);
    status = res < 0 ? status_of(res) : answer(config, &question, url, &client, arena, why);
    config_free(config);
    options_free(&options);
    return status;
}

int explain(int argc, char **argv)
{
    struct arena *arena = arena_create();
    char why[WHY_SIZE] = "out of memory";
    int status;

    log_take(STDERR_FILENO, NULL, geteuid(), LOG_WARN); /* who is refused is told below */
    /* "gearshift explain ...", or "gearshift ... --explain URL ..." */
    if (strcmp(argv[1], "explain") == 0) {
        argc--;
        argv++;
    }
    status = arena != NULL ? run(argc, argv, arena, why) : STATUS_RUNTIME;
    arena_destroy(arena);
    return status != STATUS_OK ? refuse((enum exit_status)status, "%s", why) : STATUS_OK;
}
