/* life.c: see life.h. */
#include "process/life.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/log_stream.h"
#include "engines/listen.h"
#include "process/lan.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

enum {
    PLACES_SIZE = 512,   /* of the addresses in one line */
    PLACE_SIZE_MAX = 160 /* of one of them, cut */
};

/* What connections at an address begin with, as it is written in `listen`. */
static const char *beginning(const struct listen_config *listen)
{
    if (listen->proxy_protocol)
        return listen->tls ? " tls proxy_protocol" : " proxy_protocol";
    return listen->tls ? " tls" : "";
}

/* Writes an address as a log shows it: "[::1]:8443 tls". Returns its length. */
static size_t put_place(const struct listener *listener, const struct listen_config *listen,
                        char *text, size_t size)
{
    const char *format = listen->kind == LISTEN_IPV6 ? "[%s]:%u%s" : "%s:%u%s";
    int len;

    if (listen->kind == LISTEN_UNIX)
        len = snprintf(text, size, "%.120s%s", listen->text, beginning(listen));
    else
        len =
            snprintf(text, size, format, listen->host, listener_port(listener), beginning(listen));
    return len > 0 ? (size_t)len : 0;
}

struct life life_of(const struct instance *instance)
{
    const struct config_source *source = instance->source;

    return (struct life){
        .version = GEARSHIFT_VERSION,
        .engine = instance->config->engine,
        .site = source->root != NULL ? source->root : source->file,
        .config = instance->config,
        .listeners = instance->listeners,
    };
}

/* Its addresses, cut where they are many. */
static void put_places(const struct life *life, char *text, size_t size)
{
    const struct config *config = life->config;
    size_t len = 0, i = 0;

    text[0] = '\0';
    for (; i < config->listens_count && len + PLACE_SIZE_MAX < size; i++) {
        if (i > 0)
            len += (size_t)snprintf(text + len, size - len, ", ");
        len += put_place(&life->listeners[i], &config->listens[i], text + len, size - len);
    }
    if (i < config->listens_count)
        snprintf(text + len, size - len, ", ...");
}

void life_log_ready(const struct life *life)
{
    char places[PLACES_SIZE];

    put_places(life, places, sizeof places);
    log_info("ready: gearshift %s, process %d, engine %s, listening on %s", life->version,
             (int)getpid(), life->engine, places);
}

void life_describe(const struct life *life, char *text, size_t size)
{
    char places[PLACES_SIZE];

    put_places(life, places, sizeof places);
    snprintf(text, size, "gearshift %s, engine %s, listening on %s", life->version, life->engine,
             places);
}

/* Is standard output a log? Then it holds nothing but the log's lines. */
static bool stdout_is_log(const struct config *config)
{
    for (size_t i = 0; i < config->access_logs_count; i++) {
        if (log_stream_number(config->access_logs[i].path) == STDOUT_FILENO)
            return true;
    }
    return log_stream_number(config->error_log) == STDOUT_FILENO;
}

void life_announce(const struct life *life)
{
    if (stdout_is_log(life->config))
        return;
    for (size_t i = 0; i < life->config->listens_count; i++) {
        const struct listen_config *listen = &life->config->listens[i];
        printf("gearshift: serving %s on ", life->site);
        if (listen->kind == LISTEN_UNIX)
            printf("unix:%s", listen->host);
        else
            printf(listen->kind == LISTEN_IPV6 ? "%s://[%s]:%u/" : "%s://%s:%u/",
                   listen->tls ? "https" : "http", listen->host,
                   listener_port(&life->listeners[i]));
        printf(" (engine %s)\n", life->engine);
    }
    for (size_t i = 0; i < life->config->listens_count; i++)
        lan_print(&life->config->listens[i], (uint16_t)listener_port(&life->listeners[i]), stdout);
    fflush(stdout);
}

void life_log_end(const struct life *life, enum life_end end, uint64_t drain_ms)
{
    uint32_t drain_max_ms = life->config->deadlines.drain_ms;
    uint64_t taken_ms = clock_monotonic_ms() - drain_ms;

    if (end == LIFE_FAILED)
        log_info("ended: serving failed");
    else if (end == LIFE_STOPPED)
        log_info("ended: stopped");
    else if (taken_ms >= drain_max_ms)
        log_info("ended: drain_timeout (%u ms) was over, and what was left was cut off",
                 (unsigned)drain_max_ms);
    else
        log_info("ended: drained in %llu ms", (unsigned long long)taken_ms);
}
