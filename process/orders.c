/* orders.c: what the control socket asks for becomes what signals ask for, or a new generation. */
#include "process/supervisor_internal.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/span.h"
#include "core/stats_text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef void order_take(struct supervisor *s, struct control_client *client, int words_count,
                        const char *const *words);

static void take_status(struct supervisor *s, struct control_client *client, int words_count,
                        const char *const *words)
{
    const struct generation *g = s->current;
    char message[256], more[512];

    (void)words_count;
    (void)words;
    if (g == NULL) {
        control_answer(client, STATUS_RUNTIME, "it starts", NULL);
        return;
    }
    size_t serving = 0;
    for (size_t i = 0; i < g->workers_count; i++)
        serving += g->workers[i].ready;
    uint64_t up_s = (clock_monotonic_ms() - s->started_ms) / 1000;
    const char *state = s->drains ? "draining" : reload_is_busy(s) ? "reloading" : "serving";
    snprintf(
        message, sizeof message,
        "gearshift %s, process %d, up %llu s, %s: engine %s, generation %u, %zu of %zu workers "
        "ready",
        GEARSHIFT_VERSION, (int)getpid(), (unsigned long long)up_s, state,
        g->instance.config->engine, g->number, serving, g->workers_count);
    snprintf(more, sizeof more,
             ",\"version\":\"%s\",\"pid\":%d,\"state\":\"%s\",\"uptime_s\":%llu,\"engine\":\"%s\","
             "\"generation\":%u,\"workers\":%zu,\"workers_ready\":%zu,\"workers_ending\":%zu",
             GEARSHIFT_VERSION, (int)getpid(), state, (unsigned long long)up_s,
             g->instance.config->engine, g->number, g->workers_count, serving, retired_alive(s));
    control_answer(client, STATUS_OK, message, more);
}

/* The counters of all workers, as `status_page` has them. */
static void take_stats(struct supervisor *s, struct control_client *client, int words_count,
                       const char *const *words)
{
    const struct stats_teller teller = {
        .version = GEARSHIFT_VERSION,
        .engine = s->current != NULL ? s->current->instance.config->engine : "",
        .process = (int)getpid(),
        .draining = s->drains,
    };
    char *more = NULL;
    size_t len = 0;

    (void)words_count;
    (void)words;
    FILE *out = open_memstream(&more, &len);
    bool whole = out != NULL && fputs(",\"stats\":", out) >= 0;
    if (whole)
        stats_text_json(&teller, out);
    if (out != NULL)
        whole = fclose(out) == 0 && whole && len > 0 && more[len - 1] == '\n';
    if (whole && len < CONTROL_ANSWER_MAX / 2) {
        more[len - 1] = '\0';
        control_answer(client, STATUS_OK, "gearshift top shows the counters, --json prints them",
                       more);
    } else {
        control_answer(client, STATUS_RUNTIME, "out of memory", NULL);
    }
    free(more);
}

static void take_reload(struct supervisor *s, struct control_client *client, int words_count,
                        const char *const *words)
{
    (void)words_count;
    (void)words;
    if (s->drains)
        control_answer(client, STATUS_RUNTIME, "the server ends", NULL);
    else
        control_wait(client, reload_ask(s, true, NULL, 0));
}

static void take_upgrade(struct supervisor *s, struct control_client *client, int words_count,
                         const char *const *words)
{
    (void)words;
    if (words_count > 1)
        control_answer(client, STATUS_USAGE, "upgrade takes no arguments", NULL);
    else if (s->drains)
        control_answer(client, STATUS_RUNTIME, "the server ends", NULL);
    else
        control_wait(client, upgrade_ask(s));
}

/* shift ENGINE [KEY=VALUE...] */
static void take_shift(struct supervisor *s, struct control_client *client, int words_count,
                       const char *const *words)
{
    const char *settings[CONTROL_WORDS_MAX];
    char engine[128];

    if (words_count < 2 || strchr(words[1], '=') != NULL) {
        control_answer(client, STATUS_USAGE, "shift takes the name of an engine", NULL);
        return;
    }
    if (s->drains) {
        control_answer(client, STATUS_RUNTIME, "the server ends", NULL);
        return;
    }
    snprintf(engine, sizeof engine, "engine=%.100s", words[1]);
    settings[0] = engine;
    for (int i = 2; i < words_count; i++) {
        if (words[i][0] == '=' || strchr(words[i], '=') == NULL) {
            control_answer(client, STATUS_USAGE, "shift takes KEY=VALUE behind the engine", NULL);
            return;
        }
        settings[i - 1] = words[i];
    }
    control_wait(client, reload_ask(s, false, settings, (size_t)words_count - 1));
}

static void take_end(struct supervisor *s, struct control_client *client, int words_count,
                     const char *const *words)
{
    bool drain = strcmp(words[0], "drain") == 0;

    (void)words_count;
    log_info("%s: asked for on the control socket",
             drain ? drain_sentence(s) : "stopping: everything is closed at once");
    control_wait(client, CONTROL_THE_END);
    if (drain)
        drain_ask(s);
    else
        supervisor_stop(s);
}

static void take_reopen(struct supervisor *s, struct control_client *client, int words_count,
                        const char *const *words)
{
    (void)words_count;
    (void)words;
    enum exit_status status = supervisor_reopen_logs(s);
    control_answer(client, status,
                   status == STATUS_OK ? "the logs are opened again"
                                       : "a log cannot be opened again, the old file stays; the "
                                         "error log says which",
                   NULL);
}

static const struct {
    const char *word;
    order_take *take;
} orders[] = {
    { "status", take_status }, { "stats", take_stats },     { "reload", take_reload },
    { "shift", take_shift },   { "upgrade", take_upgrade }, { "drain", take_end },
    { "stop", take_end },      { "reopen", take_reopen },
};

void orders_take(void *context, struct control_client *client, int words_count,
                 const char *const *words)
{
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        if (strcmp(words[0], orders[i].word) != 0)
            continue;
        if (words_count > 1 && orders[i].take != take_shift) {
            char text[64];
            snprintf(text, sizeof text, "%s takes no arguments", words[0]);
            control_answer(client, STATUS_USAGE, text, NULL);
        } else {
            orders[i].take(context, client, words_count, words);
        }
        return;
    }
    control_answer(client, STATUS_USAGE,
                   "unknown order; there are: status, stats, reload, shift, upgrade, drain, stop, "
                   "reopen",
                   NULL);
}
