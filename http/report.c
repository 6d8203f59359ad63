/* report.c: see report.h. */
#include "http/report.h"

#include "core/check.h"
#include "core/draining.h"
#include "core/log_repeat.h"
#include "core/stats_text.h"
#include "http/response.h"
#include "http/report_page.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_path(const struct http_exchange *x, const char *path)
{
    return path != NULL && span_eq(x->target.path, span_str(path));
}

bool http_report_is_asked(const struct http_exchange *x)
{
    return is_path(x, x->server->health) || is_path(x, x->server->status_page);
}

bool http_report_may_see(const struct server *server, const struct peer *peer)
{
    return peer_is_local(peer) || address_set_has(&server->status_allow, peer);
}

static bool holds(struct span text, struct span part)
{
    return text.len > 0 && memmem(text.ptr, text.len, part.ptr, part.len) != NULL;
}

enum form { FORM_PAGE, FORM_JSON, FORM_PROMETHEUS };

/* ?format= decides, then Accept; a browser, or who says nothing, gets the page, or JSON. */
static enum form form_of(const struct http_exchange *x)
{
    struct span accept = http_request_field(&x->request, HTTP_FIELD_ACCEPT);

    if (span_eq(x->target.query, SPAN_LIT("?format=json")))
        return FORM_JSON;
    if (span_eq(x->target.query, SPAN_LIT("?format=prometheus")))
        return FORM_PROMETHEUS;
    if (span_eq(x->target.query, SPAN_LIT("?format=html")) || holds(accept, SPAN_LIT("text/html")))
        return FORM_PAGE;
    bool prometheus = holds(accept, SPAN_LIT("text/plain")) ||
                      holds(accept, SPAN_LIT("application/openmetrics-text"));
    return prometheus ? FORM_PROMETHEUS : FORM_JSON;
}

/* The report in malloc(3)ed memory; NULL: there is none to be had. */
static char *make_text(const struct http_exchange *x, enum form form, size_t *ret_len)
{
    const struct stats_teller teller = { .version = GEARSHIFT_VERSION,
                                         .engine = x->env->config->engine,
                                         .process = (int)getpid(),
                                         .draining = draining_has_begun() };
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_len);

    if (out == NULL)
        return NULL;
    if (form == FORM_PAGE)
        fputs(http_report_page, out);
    else if (form == FORM_JSON)
        stats_text_json(&teller, out);
    else
        stats_text_prometheus(&teller, out);
    bool failed = ferror(out) != 0;
    if (fclose(out) == 0 && !failed && *ret_len > 0)
        return text;
    free(text);
    return NULL;
}

static int no_memory(void)
{
    log_fault("no memory for a report; the answer is 503", ENOMEM);
    return 503;
}

int http_report_respond(struct http_exchange *x)
{
    static const struct span types[] = { SPAN_LIT("text/html; charset=utf-8"),
                                         SPAN_LIT("application/json"),
                                         SPAN_LIT("text/plain; version=0.0.4; charset=utf-8") };
    size_t len = 0;
    char *text;

    if (is_path(x, x->server->health)) {
        if (!http_out_empty(&x->out))
            return -ENOBUFS;
        bool ends = draining_has_begun();
        len = strlen(ends ? "draining\n" : "ok\n");
        text = strdup(ends ? "draining\n" : "ok\n");
        if (text == NULL)
            return no_memory();
        http_response_report(x, ends ? 503 : 200, SPAN_LIT("text/plain; charset=utf-8"), text, len);
        return 0;
    }
    const struct peer *client = x->from_proxy ? &x->client : x->peer;
    if (client == NULL || !http_report_may_see(x->server, client))
        return 403;
    if (!http_out_empty(&x->out))
        return -ENOBUFS;
    enum form form = form_of(x);
    text = make_text(x, form, &len);
    if (text == NULL)
        return no_memory();
    http_response_report(x, 200, types[form], text, len);
    return 0;
}
