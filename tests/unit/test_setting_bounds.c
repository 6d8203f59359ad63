/* test_setting_bounds.c: what server.conf allows, the code holds.
 *
 * Walks the table of keys. Each number has a row that says what holds it, at its least and at its
 * most; each text and list has a row that says how long it may be, and why that fits. A key without
 * a row fails the test, so that a new one is not added without the question being asked. What a
 * running server does with each of them is asked by tests/wire/test_setting_bounds.py. */
#include "config/config_keys.h"
#include "config/config_text.h"
#include "config/dictionary_rule.h"
#include "core/file_job.h"
#include "session/session_out.h"
#include "session/session_tls.h"
#include "http/body.h"
#include "http/exchange.h"
#include "http/fields.h"
#include "http/guard.h"
#include "http/range.h"
#include "tls/tls.h"

#include "config_fixture.h"

#include <limits.h>
#include <unistd.h>

#define KIB    (UINT64_C(1) << 10)
#define DAY_MS (UINT64_C(24) * 3600 * 1000)

/* Addresses that a process has, of 48 bits on x86-64 and arm64; half of them, for the rest. */
#define ADDRESSES (UINT64_C(1) << 46)

/* Milliseconds of a clock that has run for ten thousand years. */
#define LATE_MS (UINT64_C(365) * 10000 * DAY_MS)

/* Loads a text that is wrong; the sentence holds `part`. */
static void fixture_refuses(struct fixture *fixture, const char *text, const char *part)
{
    struct config *config = NULL;

    if (fixture_load_text(fixture, text, &config) == 0)
        fail_msg("accepted: %.200s", text);
    if (strstr(fixture->why, part) == NULL)
        fail_msg("of %.200s\n   got: %s\nwithout: %s", text, fixture->why, part);
}

static uint64_t key_min(const char *name)
{
    return config_key_find(name)->min;
}

static uint64_t key_max(const char *name)
{
    return config_key_find(name)->max;
}

/* What one head may be, and what is kept of it: env->input_size. */
static uint64_t input_size_max(void)
{
    return key_max("request_line_max") + key_max("header_max") + 1024;
}

/* ---- numbers ---- */

struct number_row {
    const char *key;
    uint64_t holds_min, holds_max; /* what the code holds */
    const char *by;
};

static const struct number_row number_rows[] = {
    { "processes", 0, UINT16_MAX, "an array of workers, each a process; 0: no supervisor" },
    { "threads", 0, UINT16_MAX, "an array of loops, each a thread; 0: one a CPU" },
    { "coalesce_us", 0, UINT16_MAX, "struct processor_batch.patience_us; 0: no wait stays" },
    { "workers", 0, UINT16_MAX, "an array of threads; 0: the engine says how many" },
    { "worker_queue", 1, UINT_MAX / 2,
      "struct workers.waiting, unsigned, and what a worker puts back" },
    { "file_workers", 0, UINT16_MAX, "as workers; 0: none is made" },
    { "remote_workers", 1, UINT16_MAX, "an array of threads" },
    { "access_log_buffer", 1, SIZE_MAX / 2, "access_log_open()" },
    { "redirects_file_max", 1, UINT32_MAX, "compared with a length" },
    { "redirects_rules_max", 1, UINT32_MAX / 4, "redirect_rules_make()" },
    { "map_entries_max", 1, 100000000, "counted up to it while the configuration is read" },
    { "auth_verifications_max", 1, UINT32_MAX, "counted up to it; each takes memory of its own" },
    { "auth_cache", 0, UINT32_MAX, "added to a clock of 64 bits" },
    { "connections_max", 1, UINT32_MAX, "pools: test_pools_fit(); an engine wants one" },
    { "request_line_max", sizeof("M t HTTP/1.1") - 1, UINT32_MAX / 4,
      "offsets in a head: test_heads_fit()" },
    { "header_field_max", 1, UINT32_MAX / 4, "likewise" },
    { "header_max", 1, UINT32_MAX / 4, "likewise" },
    { "header_count_max", 1, UINT32_MAX - 1, "struct http_guard.fields" },
    { "body_max", 0, UINT64_C(999999999999999999), "Content-Length has 18 digits at most" },
    { "chunk_overhead_max", 1, UINT32_MAX - 1, "struct http_body" },
    { "ranges_max", 0, HTTP_RANGES_MAX, "http_range_parse()" },
    { "regex_steps_max", 1, UINT32_MAX, "pcre2_set_match_limit(3)" },
    { "headers_file_max", 1, 16 << 20, "of 64 MiB that are read at most (config_load.c)" },
    { "headers_rules_max", 1, 100000, "arrays and a table of as many as the file has lines" },
    { "keepalive_requests", 0, UINT32_MAX, "struct http_conn.requests" },
    { "autoindex_max", 1, UINT32_MAX, "struct dir_listing, grown as names come" },
    { "limit_rate", 0, UINT64_C(1) << 40, "rate_piece(): what it multiplies has 64 bits" },
    { "limit_rate_after", 0, UINT64_MAX, "struct http_pace.free_left" },
    { "limit_rate_client", 0, UINT64_C(1) << 40, "rate_piece()" },
    { "limit_connections", 0, UINT32_MAX, "conn_table_add(): 24 bits are counted" },
    { "limit_clients", 1, UINT32_MAX, "rate_table_create(): 8 bytes each" },
    { "client_prefix_ipv4", 0, 32, "cut() of rate_table.c" },
    { "client_prefix_ipv6", 0, 128, "likewise" },
    { "autoindex_readme_max", 0, UINT32_MAX - 1, "malloc(3)ed, with one octet more" },
    { "listing_memory", 1, SIZE_MAX, "http_env.listings_size is compared with it" },
    { "archive_entries_max", 1, UINT32_MAX, "struct archive, grown as names come" },
    { "archive_bytes_max", 1, INT64_MAX, "places in the stream, 64 bits" },
    { "header_timeout", 1, UINT32_MAX, "test_times_fit()" },
    { "body_timeout", 1, UINT32_MAX, "likewise" },
    { "keepalive_timeout", 1, UINT32_MAX, "likewise" },
    { "send_timeout", 1, UINT32_MAX, "likewise" },
    { "send_rate_min", 0, UINT32_MAX, "test_times_fit()" },
    { "linger_timeout", 0, UINT32_MAX, "likewise; 0: closed at once" },
    { "start_timeout", 1, UINT32_MAX, "added to a clock of 64 bits; the wait is cut to an int" },
    { "watchdog", 0, INT_MAX, "as start_timeout; 0: nobody is asked" },
    { "drain_delay", 0, INT_MAX, "timer_settime(2)" },
    { "drain_timeout", 0, INT_MAX, "the wait of a loop, an int" },
    { "send_turn", 1, INT_MAX,
      "sendfile(2) takes up to 0x7ffff000 octets, the loop's budget is a size_t" },
    { "small_file_max", 0, UINT32_MAX - 1, "a file's contents, malloc(3)ed" },
    { "cache_files", 0, UINT32_MAX / 2, "buckets, doubled up to it" },
    { "cache_bytes", 0, UINT64_MAX / 2, "struct file_cache.bytes" },
    { "cache_valid", 0, UINT32_MAX, "test_times_fit()" },
    { "cache_watches", 1, UINT32_MAX / 4, "places, doubled up to twice of it" },
    { "cache_inactive", 1000, UINT32_MAX, "SWEEP_STEP_MS: the sweep counts in seconds" },
    { "compress_cache", 1, UINT64_MAX / 2, "struct compress_cache.bytes; buckets up to a maximum" },
    { "compress_min", 1, UINT32_MAX,
      "compared with a size of 64 bits; an empty file is never one" },
    { "compress_max", 0, UINT32_MAX, "likewise; what is made is malloc(3)ed, and shorter" },
    { "decompress_max", 0, UINT32_MAX, "compression_create(): malloc(3)ed as it grows; 0: none" },
    { "etag_content_max", 0, UINT64_MAX, "compared with a size of 64 bits; read in slices" },
    { "tls_ticket_key_lifetime", 1, UINT32_MAX / 2, "a key decrypts as long again" },
    { "tls_verify_depth", 0, INT_MAX / 2, "OpenSSL takes an int; one more of mbed TLS's" },
    { "tls_session_cache", 0, INT_MAX, "a ring of 32-bit indices; OpenSSL takes a long" },
    { "tls_watch", 0, UINT32_MAX, "watch.c adds it to a 64-bit clock" },
    { "tls_handshake_timeout", 1, UINT32_MAX, "test_times_fit()" },
    { "status", 300, 399, "http_status_line(), config_redirect_parse()" },
    { "maintenance_retry_after", 0, UINT32_MAX - 999, "printed in seconds, rounded up" },
    { "cors_max_age", 0, UINT32_MAX, "printed in seconds" },
    { "expires", 0, INT64_MAX / 2,
      "now + so many seconds; http_date_format() ends at the year 9999" },
};

static bool is_number(const struct config_key *key)
{
    return key->type == CONFIG_COUNT || key->type == CONFIG_SIZE32 || key->type == CONFIG_SIZE64 ||
           key->type == CONFIG_DURATION || key->type == CONFIG_EXPIRES;
}

static void test_numbers_fit(void **state)
{
    size_t numbers = 0;

    (void)state;
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        const struct config_key *key = config_key_at(i);
        const struct number_row *row = NULL;

        if (!is_number(key))
            continue;
        numbers++;
        for (size_t j = 0; j < ARRAY_LEN(number_rows); j++)
            if (strcmp(number_rows[j].key, key->name) == 0)
                row = &number_rows[j];
        if (row == NULL)
            fail_msg("%s: what holds it from %llu to %llu? Add a row that says so", key->name,
                     (unsigned long long)key->min, (unsigned long long)key->max);
        if (key->min < row->holds_min || key->max > row->holds_max)
            fail_msg("%s is allowed from %llu to %llu, and held from %llu to %llu: %s", key->name,
                     (unsigned long long)key->min, (unsigned long long)key->max,
                     (unsigned long long)row->holds_min, (unsigned long long)row->holds_max,
                     row->by);
        /* Where it is stored. */
        if (key->type != CONFIG_SIZE64 && key->type != CONFIG_EXPIRES)
            assert_true(key->max <= UINT32_MAX);
    }
    assert_int_equal(numbers, ARRAY_LEN(number_rows)); /* no row for a key that is gone */
}

/* Each can be set to its least and its most, and to nothing beyond. */
static void test_numbers_are_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(number_rows); i++) {
        const struct config_key *key = config_key_find(number_rows[i].key);
        bool is_duration = key->type == CONFIG_DURATION, is_expires = key->type == CONFIG_EXPIRES;
        const char *unit = is_duration ? "ms" : is_expires ? "s" : "";
        const char *form = (key->blocks & 1u << CONFIG_TOP) != 0
                               ? "%s = %llu%s\nserver a { root = /srv/www }"
                           : (key->blocks & 1u << CONFIG_LOCATION) != 0
                               ? "server a { root = /srv/www %s = %llu%s }"
                           : (key->blocks & 1u << CONFIG_SERVER) != 0
                               ? "server a { root = /srv/www listen = \"1.1.1.1:1 tls\" "
                                 "certificate = c tls_client_ca = c %s = %llu%s }"
                           : is_expires ? "server a { root = /srv/www cache \"x\" { %s = %llu%s } }"
                                        : "server a { redirect \"/x\" { to = /y %s = %llu%s } }";
        const uint64_t values[] = { key->min, key->max, key->max + 1, key->min - 1 };

        for (size_t j = 0; j < (key->min > 0 ? 4 : 3); j++) {
            struct fixture fixture = { .files_count = 1 };
            char text[256];

            snprintf(text, sizeof(text), form, key->name, (unsigned long long)values[j], unit);
            if (j < 2)
                config_free(fixture_config(&fixture, text));
            else
                fixture_refuses(&fixture, text, key->name);
        }
    }
}

/* A head, with what may stand in front of it and behind it, in a buffer and in offsets. */
static void test_heads_fit(void **state)
{
    const struct http_guard guard = { 0 };

    (void)state;
    assert_true(input_size_max() <= UINT32_MAX); /* struct buf, struct http_slice, the guard */
    assert_int_equal(sizeof(guard.scanned), sizeof(uint32_t));
    assert_int_equal(sizeof(guard.fields), sizeof(uint32_t));
    /* What the guard has not refused yet: empty lines, a line and fields up to the limit, their
     * ends. Room is left behind it, or nothing could be received any more. */
    assert_true(2 * HTTP_GUARD_EMPTY_LINES_MAX + 2 + 4 < 1024);
    /* Each request line that the guard passes begins with a method and ends with a version. */
    assert_true(key_min("request_line_max") >= strlen("M t HTTP/1.1"));
}

/* All pools of an environment, at the largest of all settings together, fit into the addresses that
 * there are: a start then fails for want of memory or descriptors alone, and says so. */
static void test_pools_fit(void **state)
{
    uint64_t each = sizeof(struct http_exchange) + input_size_max() +
                    (uint64_t)HTTP_OUT_READS * HTTP_READ_SIZE +
                    HTTP_RANGES_MAX * sizeof(struct http_range) + sizeof(struct session_tls) +
                    SESSION_OUT_SIZE + 2 * TLS_PLAIN_MAX + 64 * KIB;

    (void)state;
    assert_true(key_max("connections_max") <= SIZE_MAX / each);
    assert_true(key_max("connections_max") * each <= 2 * ADDRESSES);
    assert_true(key_max("connections_max") * (each - input_size_max() + 64 * KIB) <= ADDRESSES / 8);
    assert_true(key_max("cache_files") * 2 * sizeof(void *) <= ADDRESSES / 8);
    assert_true(key_max("autoindex_max") <= ADDRESSES / 8 / sizeof(struct dir_item));
}

static void test_times_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        const struct config_key *key = config_key_at(i);

        if (key->type == CONFIG_DURATION)
            assert_true(key->max <= UINT64_MAX - LATE_MS && key->max <= UINT32_MAX);
    }
    /* http_conn_sent(): octets * 1000 against rate * window. */
    assert_true(key_max("send_rate_min") <= UINT64_MAX / key_max("send_timeout"));
    assert_true(key_max("tls_ticket_key_lifetime") * 2 / 1000 <= INT_MAX);
    assert_true((int64_t)key_max("expires") <= INT64_MAX - (int64_t)(LATE_MS / 1000));
}

/* ---- texts and lists ---- */

#define ANY SIZE_MAX /* copied into the configuration, and used from there */

struct text_row {
    const char *key;
    size_t longest;    /* octets that are accepted of one value, or ANY */
    const char *begin; /* of a value that is made as long as that; else NULL */
    size_t count_max;  /* of a list; ANY or what .max says */
    const char *by;
};

static const struct text_row text_rows[] = {
    { "engine", 64, "e", 0, "config_text_word()" },
    { "user", 64, "u", 0, "config_text_word()" },
    { "tls_backend", 64, "b", 0, "config_text_word()" },
    { "pid_file", ANY, NULL, 0, "the kernel says ENAMETOOLONG" },
    { "error_log", ANY, NULL, 0, "likewise" },
    { "access_log", ANY, NULL, 0, "likewise" },
    { "access_log_format", ANY, NULL, 0, "access_format_compile(): ACCESS_FORMAT_MAX" },
    { "node", 64, "n", 0, "CONFIG_NODE_MAX" },
    { "access_log_sample", ANY, NULL, 0, "config_sample_parse(): a number" },
    { "access_log_status", 3, NULL, ANY, "bits by status" },
    { "access_log_skip", ANY, NULL, CONFIG_SKIPS_MAX, "glob.h and regex.h bound what is compiled" },
    { "control", 107, "/", 0, "sun_path of unix(7)" },
    { "mime_types", ANY, NULL, 0, "likewise; what stands in it: test_mime_file_fits()" },
    { "certificate", ANY, NULL, ANY, "likewise" },
    { "key", ANY, NULL, ANY, "likewise" },
    { "ocsp", ANY, NULL, ANY, "likewise" },
    { "tls_certificates", ANY, NULL, 0, "likewise" },
    { "tls_client_ca", ANY, NULL, 0, "likewise" },
    { "tls_crl", ANY, NULL, 0, "likewise" },
    { "root", ANY, NULL, 0, "likewise" },
    { "alias", ANY, NULL, 0, "likewise" },
    { "include", ANY, NULL, 0, "likewise" },
    { "types", ANY, NULL, ANY, "a type is a media type; extensions lie in a table that grows" },
    { "default_type", CONFIG_FIELD_VALUE_MAX, "a/", 0, "fields.c asserts that it fits" },
    { "tls_protocols", ANY, NULL, ANY, "each must be one of two, once" },
    { "tls_ciphers", 64, "T", ANY, "joined in memory that is made for them" },
    { "tls_curves", 64, "x", ANY, "likewise" },
    { "listen", ANY, NULL, ANY, "config_listen.c: an address, or sun_path" },
    { "trusted", ANY, NULL, ANY, "address_range_check(); nothing is kept of its text" },
    { "real_ip_from", ANY, NULL, ANY, "likewise" },
    { "limit_exempt", ANY, NULL, ANY, "address_range_check()" },
    { "alias_hosts", 253, NULL, ANY, "config_text_host()" },
    { "status_page", ANY, NULL, 0, "compared with the path asked for" },
    { "status_allow", ANY, NULL, ANY, "address_range_check()" },
    { "health", ANY, NULL, 0, "compared with the path asked for" },
    { "index", ANY, NULL, CONFIG_TRIES_MAX, "one that makes a path too long ends the search" },
    { "try", ANY, NULL, CONFIG_TRIES_MAX, "one that makes a path too long is passed over" },
    { "autoindex_exclude", ANY, NULL, CONFIG_EXCLUDES_MAX, "fnmatch(3)" },
    { "archive", ANY, NULL, 2, "words" },
    { "autoindex_template", ANY, NULL, 0, "as mime_types; what stands in it: test_listing_page.c" },
    { "error_pages", ANY, NULL, ANY, "a status stands once; a path too long is none" },
    { "headers", ANY, NULL, ANY, "together CONFIG_FIELDS_SIZE_MAX, asserted in http/env.c" },
    { "return", ANY, NULL, 0, "template_compile(): TEMPLATE_TEXT_MAX, which is HTTP_COPY_MAX" },
    { "rewrite", ANY, NULL, 0, "what makes a path too long is 404 (http_values_path())" },
    { "maintenance", 1000, "m", 0, "fits into the path of a job" },
    { "maintenance_allow", ANY, NULL, ANY, "address_range_check()" },
    { "return_type", CONFIG_FIELD_VALUE_MAX, "a/", 0, "response.c asserts that it fits" },
    { "precompressed", ANY, NULL, ANY, "each must be one of three, once" },
    { "compress", ANY, NULL, ANY, "likewise" },
    { "deltas", ANY, NULL, ANY, "each must be one of two, once" },
    { "compress_types", CONFIG_FIELD_VALUE_MAX, "a/", CONFIG_MEDIA_RANGES_MAX,
      "compared where they lie" },
    { "types", ANY, NULL, ANY,
      "config_text_media_type() bounds each; looked at in turn for a file's fields" },
    { "default_type", CONFIG_FIELD_VALUE_MAX, "a/", 0, "fields.c asserts that it fits" },
    { "charset", 40, "c", 0, "http_fields_charset() takes 40" },
    { "allow", ANY, NULL, ANY, "address_range_check(), or a path" },
    { "deny", ANY, NULL, ANY, "likewise" },
    { "users", ANY, NULL, 0, "the kernel says ENAMETOOLONG" },
    { "file", ANY, NULL, ANY, "likewise; counted in add_files()" },
    { "redirects_file", ANY, NULL, 0, "likewise" },
    { "signed", ANY, NULL, ANY, "likewise; CONFIG_SIGNED_MAX" },
    { "referers", 253, NULL, CONFIG_REFERERS_MAX, "config_text_host(), as hosts of a server" },
    { "limit_requests", ANY, NULL, 0, "config_text_rate(): numbers" },
    { "limit_requests_server", ANY, NULL, 0, "likewise" },
    { "charset_types", CONFIG_FIELD_VALUE_MAX, "a/", CONFIG_MEDIA_RANGES_MAX,
      "compared where they lie" },
    { "early_hints", ANY, NULL, CONFIG_EARLY_HINTS_MAX,
      "together CONFIG_EARLY_HINTS_SIZE_MAX; fields.c asserts that it fits" },
    { "download", ANY, NULL, CONFIG_PATTERNS_MAX, "matched where they lie" },
    { "use_as_dictionary", DICTIONARY_RULE_MAX, "/", CONFIG_DICTIONARIES_MAX,
      "fields.c asserts that it fits" },
    { "hsts", 100, NULL, 0, "answer_fields.c asserts that it fits" },
    { "cors", 271, NULL, CONFIG_ORIGINS_MAX, "a host of 253, likewise" },
    { "cors_expose", 100, "c", ANY, "together CONFIG_CORS_NAMES_SIZE_MAX, likewise" },
    { "cors_headers", 100, "c", ANY, "likewise" },
    { "to", CONFIG_FIELD_VALUE_MAX, "/", 0, "a Location field; what is longer is 414" },
    { "control", CONFIG_FIELD_VALUE_MAX, "c", 0, "fields.c asserts that it fits" },
    { "set", ANY, NULL, ANY, "of all together HTTP_MIX_FIELDS_MAX octets are sent" },
    { "add", ANY, NULL, ANY, "likewise" },
    { "append", ANY, NULL, ANY, "likewise" },
    { "remove", ANY, NULL, ANY, "nothing of it is sent" },
};

static bool is_text(const struct config_key *key)
{
    return !is_number(key) && key->type != CONFIG_BOOL && key->type != CONFIG_CHOICE;
}

static void check_longest(const struct config_key *key, const struct text_row *row)
{
    char *text = calloc(1, row->longest + 2);
    size_t len = strlen(row->begin);

    assert_non_null(text);
    memcpy(text, row->begin, len);
    memset(text + len, 'x', row->longest - len);
    if (key->check(text) != NULL)
        fail_msg("%s: %zu octets are refused: %s", key->name, row->longest, key->check(text));
    text[row->longest] = 'x';
    if (key->check(text) == NULL)
        fail_msg("%s: more than %zu octets are accepted; %s", key->name, row->longest, row->by);
    free(text);
}

/* Where two keys have one name, the rows stand in the order of the keys. */
static const struct text_row *text_row_of(const struct config_key *key)
{
    size_t before = 0;

    for (size_t i = 0; i < config_key_index(key); i++)
        before += strcmp(config_key_at(i)->name, key->name) == 0;
    for (size_t i = 0; i < ARRAY_LEN(text_rows); i++) {
        if (strcmp(text_rows[i].key, key->name) == 0 && before-- == 0)
            return &text_rows[i];
    }
    return NULL;
}

static void test_texts_fit(void **state)
{
    size_t texts = 0;

    (void)state;
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        const struct config_key *key = config_key_at(i);
        const struct text_row *row = text_row_of(key);

        if (!is_text(key))
            continue;
        texts++;
        if (row == NULL)
            fail_msg("%s: how long may it be, and what holds it? Add a row that says so",
                     key->name);
        if (row->begin != NULL)
            check_longest(key, row);
        if (config_key_is_list(key))
            assert_int_equal(key->max, row->count_max == ANY ? 0 : row->count_max);
    }
    assert_int_equal(texts, ARRAY_LEN(text_rows));
}

/* struct http_static counts them in 16 bits, one further than there are. */
static void test_tries_fit(void **state)
{
    const struct http_static search = { 0 };

    (void)state;
    assert_int_equal(sizeof(search.try_index), sizeof(uint16_t));
    assert_int_equal(sizeof(search.index_index), sizeof(uint16_t));
    assert_true(CONFIG_TRIES_MAX < UINT16_MAX);
}

/* Elements of a list, up to the most and one more. */
static void test_lists_are_taken(void **state)
{
    static const char *const keys[] = { "index", "try" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        for (size_t more = 0; more < 2; more++) {
            struct fixture fixture = { .files_count = 1 };
            size_t count = CONFIG_TRIES_MAX + more;
            char *text = malloc(16 * count + 100);
            size_t len = (size_t)sprintf(text, "server a { root = /srv/www %s = {", keys[i]);

            for (size_t j = 0; j < count; j++)
                len += (size_t)sprintf(text + len, "%s\"%sa%zu\"", j > 0 ? ", " : "",
                                       i == 1 ? "/" : "", j);
            sprintf(text + len, "} }");
            if (more > 0)
                fixture_refuses(&fixture, text,
                                "the list has 1001 elements; allowed: 1000 at most");
            else
                config_free(fixture_config(&fixture, text));
            free(text);
        }
    }
}

/* A type of mime_types that would not fit into the fields of an answer is passed over. */
static void test_mime_file_fits(void **state)
{
    static char lines[3 * CONFIG_FIELD_VALUE_MAX];
    char path[] = "/tmp/gearshift-mime-XXXXXX", why[512] = "";
    struct config config = { .mime_types = path, .default_type = (char *)(uintptr_t) "a/default" };
    struct mime_table *table = NULL;
    int fd = mkstemp(path);
    size_t longest = CONFIG_FIELD_VALUE_MAX;
    int len = snprintf(lines, sizeof(lines), "a/%0*d held\na/%0*d not-held\n", (int)longest - 2, 0,
                       (int)longest - 1, 0);

    (void)state;
    assert_true(fd >= 0 && write(fd, lines, (size_t)len) == len);
    close(fd);
    assert_int_equal(mime_table_load(&config, why, sizeof(why), &table), 0);
    assert_int_equal(mime_table_find(table, SPAN_LIT("a.held")).len, longest);
    assert_true(span_eq(mime_table_find(table, SPAN_LIT("a.not-held")), SPAN_LIT("a/default")));
    mime_table_free(table);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_fit),    cmocka_unit_test(test_numbers_are_taken),
        cmocka_unit_test(test_heads_fit),      cmocka_unit_test(test_pools_fit),
        cmocka_unit_test(test_times_fit),      cmocka_unit_test(test_texts_fit),
        cmocka_unit_test(test_tries_fit),      cmocka_unit_test(test_lists_are_taken),
        cmocka_unit_test(test_mime_file_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
