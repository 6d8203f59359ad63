/* env.c: makes and ends what the HTTP connections of one thread share. See env.h. */
#include "http/cache_notice.h"
#include "http/env.h"

#include "config/listing_page.h"
#include "core/arena.h"
#include "core/check.h"
#include "core/draws.h"
#include "core/fd_slot.h"
#include "core/safe_open.h"
#include "http/auth.h"
#include "http/accept.h"
#include "http/answer_fields.h"
#include "http/exchange.h"
#include "http/head_memo.h"
#include "http/listing_page.h"
#include "http/mix.h"
#include "http/shared_files.h"
#include "match/template.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static_assert((int)HTTP_LOCATION_FIELDS_MAX == CONFIG_FIELDS_SIZE_MAX,
              "what the configuration allows, and what is made room for");

/* The configured field lines of one location as one text. */
static int location_fields(const struct location *location, char *why, size_t why_size,
                           struct span *ret_text)
{
    char text[HTTP_LOCATION_FIELDS_MAX + 1] = "";
    size_t len = 0;
    for (size_t i = 0; i < location->headers_count; i++) {
        if (location->headers[i].varying != NULL)
            continue;
        int n = snprintf(text + len, sizeof(text) - len, "%s: %s\r\n", location->headers[i].name,
                         location->headers[i].value);
        len += (size_t)n;
        if (n < 0 || len >= sizeof(text)) {
            snprintf(why, why_size,
                     "the headers of location \"%.*s\" are longer than the %d octets allowed",
                     (int)location->pattern.text.len, location->pattern.text.ptr,
                     HTTP_LOCATION_FIELDS_MAX);
            return -EINVAL;
        }
    }
    char *copy = malloc(len + 1);
    if (copy == NULL)
        return -ENOMEM;
    memcpy(copy, text, len + 1);
    *ret_text = span_make(copy, len);
    return 0;
}

static int all_location_fields(struct http_env *env, char *why, size_t why_size)
{
    const struct config *config = env->config;
    size_t count = config->locations_count;
    env->location_fields = calloc(count + 1, sizeof(env->location_fields[0]));
    if (env->location_fields == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < config->servers_count; i++) {
        for (size_t j = 0; j < config->servers[i].locations_count; j++) {
            const struct location *location = &config->servers[i].locations[j];
            CHECK(location->id < count);
            int r = location_fields(location, why, why_size, &env->location_fields[location->id]);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

static int open_access_logs(struct http_env *env, char *why, size_t why_size)
{
    const struct config *config = env->config;
    env->access_logs_count = env->limits.has_logs ? config->access_logs_count : 0;
    env->access_logs = calloc(env->access_logs_count + 1, sizeof(env->access_logs[0]));
    if (env->access_logs == NULL)
        return -ENOMEM;
    if (env->access_logs_count > 0 && !env->limits.logs_inline) {
        int r = log_writer_create(&env->log_writer);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < env->access_logs_count; i++) {
        const struct access_log_config *log = &config->access_logs[i];
        const struct access_log_options options = { .path = log->path,
                                                    .owner = config->log_owner,
                                                    .slot = config->log_slots != NULL
                                                                ? &config->log_slots[i]
                                                                : NULL,
                                                    .syslog = log->syslog,
                                                    .line_max = log->line_max,
                                                    .buffer_size = config->access_log_buffer,
                                                    .writer = env->log_writer };
        const char *what = NULL;
        int r = access_log_open(&options, &env->access_logs[i], &what);
        if (r < 0) {
            snprintf(why, why_size, "access log %s cannot be opened: %s", log->path,
                     safe_open_text(r, what));
            return r;
        }
    }
    return 0;
}

/* What the lines of all servers need, and what draws random numbers where one does. */
static int find_needs(struct http_env *env)
{
    bool samples = false;
    size_t others = 0;

    for (size_t i = 0; i < env->config->servers_count; i++) {
        const struct server *server = &env->config->servers[i];
        if (server->access_log == CONFIG_NO_LOG || env->access_logs_count == 0)
            continue;
        env->needs |= server->access->format->needs;
        samples |= server->access->sample_below < CONFIG_SAMPLE_ALL;
        if (others < server->access->format->others_count)
            others = server->access->format->others_count;
    }
    if (others > 0 && (env->logged_text = malloc(others * ACCESS_SPAN_MAX)) == NULL)
        return -ENOMEM;
    if (env->config->request_id)
        env->needs |= ACCESS_NEEDS_ID_SENT;
    if ((env->config->template_uses >> TEMPLATE_REQUEST_ID & 1) != 0)
        env->needs |= ACCESS_NEEDS_REQUEST_ID;
    if (!samples && (env->needs & (ACCESS_NEEDS_REQUEST_ID | ACCESS_NEEDS_ID_SENT)) == 0)
        return 0;
    return draws_create(&env->draws);
}

/* Room for what is put together of variables. */
static int make_values(struct http_env *env)
{
    const struct config *config = env->config;

    if (config->template_uses == 0)
        return 0;
    env->values_text = malloc(HTTP_COPY_MAX);
    for (size_t i = 0; i < config->servers_count; i++) {
        for (size_t j = 0; j < config->servers[i].locations_count; j++) {
            if (config->servers[i].locations[j].has_varying ||
                config->servers[i].locations[j].fields_vary)
                env->needs |= HTTP_NEEDS_VALUES;
        }
    }
    return env->values_text != NULL ? 0 : -ENOMEM;
}

/* Addresses are set aside for all connections; memory is taken only as they come. */
static void fail_pools(const struct http_env *env, int res, char *why, size_t why_size)
{
    const struct config *config = env->config;
    size_t each = sizeof(struct http_exchange) + env->input_size +
                  (size_t)HTTP_OUT_READS * HTTP_READ_SIZE +
                  config->limits.ranges_max * sizeof(struct http_range);

    snprintf(why, why_size,
             "no memory for connections_max = %u connections of %zu KiB of addresses each "
             "(request_line_max, header_max and ranges_max count): %s; lower these, or allow more "
             "(ulimit -v, vm.overcommit_memory)",
             env->limits.connections_max, each / 1024, strerror(-res));
}

static int make_pools(struct http_env *env)
{
    const struct http_limits *limits = &env->config->limits;
    uint32_t ranges_max = limits->ranges_max;
    uint32_t connections_max = env->limits.connections_max;
    /* A head that the guard has not refused yet, and something of what is pipelined behind it. */
    env->input_size = (size_t)limits->request_line_max + limits->head_max + 1024;
    int r =
        pool_create("exchanges", sizeof(struct http_exchange), connections_max, &env->exchanges);
    if (r == 0)
        r = pool_create("inputs", env->input_size, connections_max, &env->inputs);
    if (r == 0)
        r = pool_create("reads", HTTP_READ_SIZE, (size_t)HTTP_OUT_READS * connections_max,
                        &env->reads);
    if (r == 0)
        r = pool_create("ranges",
                        sizeof(struct http_range) * (size_t)(ranges_max > 0 ? ranges_max : 1),
                        connections_max, &env->ranges);
    if (r == 0 && env->config->has_regex)
        r = pool_create("captures", sizeof(struct captures), connections_max, &env->captures);
    if (r == 0 && env->config->has_regex)
        r = regex_room_create(limits->regex_steps_max, &env->regexes);
    return r;
}

static void fail_coding(const struct server *server, const struct location *location,
                        unsigned missing, char *why, size_t why_size)
{
    enum coding coding = CODING_GZIP;

    while ((missing & 1u << coding) == 0)
        coding++;
    snprintf(why, why_size,
             "server \"%s\", location \"%.*s\": compress: %.*s is not built in; take it out of "
             "the list, or build gearshift with its library (gearshift -V tells which it has)",
             server->name, (int)location->pattern.text.len, location->pattern.text.ptr,
             (int)http_coding_name(coding).len, http_coding_name(coding).ptr);
}

/* Where a location says `compress`, or has sidecars that may have to be decompressed: a cache for
 * what comes of it. */
static int make_compressed(struct http_env *env, char *why, size_t why_size)
{
    unsigned wanted = 0, known = compressor_codings();
    for (size_t i = 0; i < env->config->servers_count; i++) {
        const struct server *server = &env->config->servers[i];
        for (size_t j = 0; j < server->locations_count; j++) {
            const struct location *location = &server->locations[j];
            wanted |= location->compress;
            if (env->config->limits.decompress_max > 0)
                wanted |= location->precompressed;
            if ((location->compress & ~known) == 0)
                continue;
            fail_coding(server, location, location->compress & ~known, why, why_size);
            return -EINVAL;
        }
    }
    if (wanted == 0)
        return 0;
    int r = compress_cache_create(env->limits.compress_bytes_max, env->cache, &env->compressed);
    if (r < 0)
        snprintf(why, why_size, "no memory for what `compress` makes: %s", strerror(-r));
    return r;
}

/* Where a location asks for passwords: what they are looked at with. */
static int make_auth(struct http_env *env, char *why, size_t why_size)
{
    int r = !env->config->has_auth
                ? 0
                : http_auth_create(env->config, env->limits.verifications_max, &env->auth);
    if (r < 0)
        snprintf(why, why_size, "auth: there is no memory, or no random number to be had: %s",
                 strerror(-r));
    return r;
}

static bool lists(const struct config *config)
{
    for (size_t i = 0; i < config->servers_count; i++)
        for (size_t j = 0; j < config->servers[i].locations_count; j++)
            if (config->servers[i].locations[j].autoindex)
                return true;
    return false;
}

/* The page of listings that is built in, where any location lists. */
static int make_listing_page(struct http_env *env)
{
    struct span text =
        span_make(http_listing_page, (size_t)(http_listing_page_end - http_listing_page));
    char why[256];
    int line, r;
    if (!lists(env->config))
        return 0;
    env->listing_arena = arena_create();
    if (env->listing_arena == NULL)
        return -ENOMEM;
    r = listing_page_parse(env->listing_arena, text, &env->listing_page, &line, why, sizeof(why));
    CHECK(r != -EINVAL);
    return r;
}

/* The file cache, and what tells it of changes. */
static int make_file_cache(struct http_env *env)
{
    const struct config *config = env->config;
    uint32_t valid_ms = http_roots_valid_ms(config);
    struct cache_notice *notice = NULL;
    struct shared_files *shared = env->limits.files;
    /* Of what all have together each keeps a part by itself. */
    uint64_t bytes_max = env->limits.cache_bytes_max / (shared != NULL ? SHARED_FILES_PART : 1);
    int r = file_cache_create(env->limits.cache_files_max, bytes_max, valid_ms,
                              config->cache_inactive_ms, &env->cache);
    if (r == 0 && shared != NULL)
        file_cache_set_shared(env->cache, shared);
    if (r == 0 && config->notice != NULL) {
        r = cache_notice_create(config->notice, valid_ms, &notice);
        if (r == 0)
            file_cache_set_notice(env->cache, notice);
    }
    if (r == 0)
        env->told = file_cache_told(env->cache);
    return r;
}

/* The file cache, the roots and the pools. */
static int make_stores(struct http_env *env, char *why, size_t why_size)
{
    const struct config *config = env->config;
    int r = make_file_cache(env);
    if (r < 0) {
        snprintf(why, why_size, "no memory for cache_files = %u files: %s",
                 env->limits.cache_files_max, strerror(-r));
        return r;
    }
    r = make_compressed(env, why, why_size);
    if (r < 0)
        return r;
    r = make_auth(env, why, why_size);
    if (r < 0)
        return r;
    r = http_roots_create(config, env->limits.files, &env->roots);
    if (r < 0) {
        snprintf(why, why_size, "no memory for %zu roots", config->roots_count);
        return r;
    }
    r = make_pools(env);
    if (r < 0) {
        fail_pools(env, r, why, why_size);
        return r;
    }
    env->heads = http_head_memo_create();
    return env->heads != NULL ? 0 : -ENOMEM;
}

int http_env_create(const struct config *config, const struct session_limits *limits,
                    const struct clock *clock, bool file_segments, char *why, size_t why_size,
                    struct http_env **ret_env)
{
    struct http_env *env = calloc(1, sizeof(*env));
    snprintf(why, why_size, "out of memory"); /* unless another reason is given */
    if (env == NULL)
        return -ENOMEM;
    env->config = config;
    env->limits = *limits;
    env->clock = clock;
    env->file_segments = file_segments;
    env->stamp_s = INT64_MIN;
    int r = make_stores(env, why, why_size);
    if (r == 0)
        r = all_location_fields(env, why, why_size);
    if (r == 0)
        r = mime_table_load(config, why, why_size, &env->mime);
    if (r == 0)
        r = open_access_logs(env, why, why_size);
    if (r == 0)
        r = find_needs(env);
    if (r == 0)
        r = http_answer_fields_create(env);
    if (r == 0)
        r = http_mixes_create(env);
    if (r == 0)
        r = make_values(env);
    if (r == 0)
        r = make_listing_page(env);
    if (r < 0) {
        http_env_destroy(env);
        return r;
    }
    *ret_env = env;
    return 0;
}

void http_env_destroy(struct http_env *env)
{
    if (env == NULL)
        return;
    for (size_t i = 0; env->access_logs != NULL && i < env->access_logs_count; i++)
        access_log_close(env->access_logs[i]);
    free(env->access_logs);
    log_writer_destroy(env->log_writer);
    draws_destroy(env->draws);
    mime_table_free(env->mime);
    for (size_t i = 0; env->location_fields != NULL && i < env->config->locations_count; i++)
        free((char *)(uintptr_t)env->location_fields[i].ptr);
    free(env->location_fields);
    http_head_memo_destroy(env->heads);
    pool_destroy(env->captures);
    regex_room_destroy(env->regexes);
    http_answer_fields_destroy(env);
    http_mixes_destroy(env->mixes);
    free(env->values_text);
    free(env->logged_text);
    pool_destroy(env->ranges);
    pool_destroy(env->reads);
    pool_destroy(env->inputs);
    pool_destroy(env->exchanges);
    arena_destroy(env->listing_arena);
    compress_cache_destroy(env->compressed);
    http_auth_destroy(env->auth);
    file_cache_destroy(env->cache);
    http_roots_destroy(env->roots);
    free(env);
}

/* An idle connection has none of these: a process that waits for one keeps no page of them. */
static bool trim_pools(struct http_env *env)
{
    bool owes = pool_trim(env->reads);
    owes |= pool_trim(env->inputs);
    owes |= pool_trim(env->exchanges);
    owes |= pool_trim(env->ranges);
    if (env->captures != NULL)
        owes |= pool_trim(env->captures);
    return owes;
}

bool http_env_tick(struct http_env *env, bool reopen)
{
    bool owes = trim_pools(env);
    for (size_t i = 0; i < env->access_logs_count; i++) {
        if (!reopen && !access_log_reopen_due(env->access_logs[i])) {
            access_log_flush(env->access_logs[i]);
            owes |= access_log_owes(env->access_logs[i]);
            continue;
        }
        const char *what = NULL;
        int r = access_log_reopen(env->access_logs[i], &what);
        if (r < 0 && r != -EBUSY)
            log_error("access log %s cannot be opened again, the old file stays: %s",
                      env->config->access_logs[i].path, safe_open_text(r, what));
        owes |= access_log_owes(env->access_logs[i]);
    }
    return owes;
}

void http_env_end_logs(struct http_env *env)
{
    for (size_t i = 0; i < env->access_logs_count; i++)
        access_log_close(env->access_logs[i]);
    env->access_logs_count = 0;
}

size_t http_env_reclaim(struct http_env *env)
{
    size_t closed = file_cache_reclaim(env->cache, HTTP_RECLAIM_COUNT);
    return closed > 0 ? closed : http_roots_reclaim(env->roots, HTTP_RECLAIM_COUNT);
}

uint64_t http_env_sweep(struct http_env *env)
{
    uint64_t now_ms = env->clock->now_ms;
    uint64_t files_ms = file_cache_sweep(env->cache, HTTP_SWEEP_COUNT, now_ms);
    uint64_t roots_ms = http_roots_sweep(env->roots, HTTP_SWEEP_COUNT, now_ms);
    return files_ms < roots_ms ? files_ms : roots_ms;
}

struct span http_env_stamp(struct http_env *env)
{
    if (env->stamp_s != env->clock->wall_s) {
        int len = snprintf(env->stamp_text, sizeof(env->stamp_text), "%sDate: %s\r\n",
                           env->config->server_header ? "Server: gearshift\r\n" : "",
                           env->clock->http_date);
        CHECK(len > 0 && (size_t)len < sizeof(env->stamp_text));
        env->stamp = span_make(env->stamp_text, (size_t)len);
        env->stamp_s = env->clock->wall_s;
    }
    return env->stamp;
}
