/* test_config_print.c: what -T prints can be loaded, and prints the same again; and it is the same
 * configuration, for texts that use all there is. */
#include "config/config_print.c"

#include "config_fixture.h"

static char *print(const struct config *config)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    assert_int_equal(config_print(config, out), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void compare_cache(const struct cache_rules *a, const struct cache_rules *b)
{
    assert_int_equal(a == NULL, b == NULL);
    for (size_t i = 0; a != NULL && i < a->count; i++) {
        assert_int_equal(a->rules[i].pattern.kind, b->rules[i].pattern.kind);
        assert_string_equal(a->rules[i].pattern.text.ptr, b->rules[i].pattern.text.ptr);
        assert_int_equal(a->rules[i].expires_s, b->rules[i].expires_s);
    }
    assert_int_equal(a != NULL ? a->count : 0, b != NULL ? b->count : 0);
}

static void compare_locations(const struct location *a, const struct location *b)
{
    assert_int_equal(a->id, b->id);
    assert_true(span_eq(a->prefix, b->prefix));
    assert_int_equal(a->root == NULL, b->root == NULL);
    if (a->root != NULL)
        assert_string_equal(a->root->path, b->root->path);
    assert_int_equal(a->strip_prefix, b->strip_prefix);
    assert_int_equal(a->headers_count, b->headers_count);
    for (size_t i = 0; i < a->headers_count; i++) {
        assert_string_equal(a->headers[i].name, b->headers[i].name);
        assert_string_equal(a->headers[i].value, b->headers[i].value);
    }
    compare_cache(a->cache_own, b->cache_own);
    compare_cache(a->cache_outer, b->cache_outer);
    assert_int_equal(a->error_pages_count, b->error_pages_count);
    assert_int_equal(a->precompressed, b->precompressed);
    assert_int_equal(a->compress, b->compress);
    assert_int_equal(a->compress_types_count, b->compress_types_count);
    assert_int_equal(a->try_count, b->try_count);
    assert_int_equal(a->index_count, b->index_count);
    assert_int_equal(a->admission == NULL, b->admission == NULL);
    assert_int_equal(a->satisfy, b->satisfy);
    if (a->admission != NULL) {
        assert_int_equal(a->admission->auth == NULL, b->admission->auth == NULL);
        assert_int_equal(a->admission->signed_by == NULL, b->admission->signed_by == NULL);
        assert_int_equal(a->admission->referers == NULL, b->admission->referers == NULL);
    }
    if (a->admission != NULL && a->admission->by_address != NULL) {
        assert_int_equal(a->admission->by_address->allow_count,
                         b->admission->by_address->allow_count);
        assert_int_equal(a->admission->by_address->deny_count,
                         b->admission->by_address->deny_count);
    }
}

static void compare_rules(const struct access_rules *a, const struct access_rules *b)
{
    assert_string_equal(a->format->text, b->format->text);
    assert_int_equal(a->filters, b->filters);
    assert_int_equal(a->sample_below, b->sample_below);
    assert_memory_equal(a->status_bits, b->status_bits, sizeof(a->status_bits));
    assert_int_equal(a->skip_count, b->skip_count);
    for (size_t i = 0; i < a->skip_count; i++)
        assert_string_equal(a->skip[i], b->skip[i]);
}

static void compare(const struct config *a, const struct config *b)
{
    assert_int_equal(a->servers_count, b->servers_count);
    assert_int_equal(a->listens_count, b->listens_count);
    assert_int_equal(a->access_logs_count, b->access_logs_count);
    assert_int_equal(a->tls.protocols, b->tls.protocols);
    assert_int_equal(a->tls.ciphers_count, b->tls.ciphers_count);
    assert_int_equal(a->trusted.ipv4_count, b->trusted.ipv4_count);
    assert_int_equal(a->real_ip.from.ipv4_count, b->real_ip.from.ipv4_count);
    assert_int_equal(a->real_ip.header, b->real_ip.header);
    assert_int_equal(a->real_ip.recursive, b->real_ip.recursive);
    assert_memory_equal(&a->limits, &b->limits, sizeof(a->limits));
    assert_memory_equal(&a->deadlines, &b->deadlines, sizeof(a->deadlines));
    for (size_t i = 0; i < a->listens_count; i++) {
        assert_string_equal(a->listens[i].text, b->listens[i].text);
        assert_int_equal(a->listens[i].tls, b->listens[i].tls);
        assert_int_equal(a->listens[i].proxy_protocol, b->listens[i].proxy_protocol);
        assert_int_equal(a->listens[i].servers_count, b->listens[i].servers_count);
        for (size_t j = 0; j < a->listens[i].servers_count; j++)
            assert_int_equal(a->listens[i].servers[j] - a->servers,
                             b->listens[i].servers[j] - b->servers);
    }
    for (size_t i = 0; i < a->servers_count; i++) {
        assert_int_equal(a->servers[i].locations_count, b->servers[i].locations_count);
        assert_int_equal(a->servers[i].hosts_count, b->servers[i].hosts_count);
        assert_int_equal(a->servers[i].redirects_count, b->servers[i].redirects_count);
        assert_int_equal(a->servers[i].access_log, b->servers[i].access_log);
        compare_rules(a->servers[i].access, b->servers[i].access);
        assert_int_equal(a->servers[i].certificates_count, b->servers[i].certificates_count);
        for (size_t j = 0; j < a->servers[i].certificates_count; j++) {
            const struct certificate *x = &a->servers[i].certificates[j];
            const struct certificate *y = &b->servers[i].certificates[j];

            assert_string_equal(x->chain_path, y->chain_path);
            assert_string_equal(x->key_path, y->key_path);
            assert_int_equal(x->ocsp_path == NULL, y->ocsp_path == NULL);
        }
        const struct client_auth *x = a->servers[i].client_auth, *y = b->servers[i].client_auth;
        assert_int_equal(x == NULL, y == NULL);
        if (x != NULL) {
            assert_string_equal(x->ca, y->ca);
            assert_string_equal(x->crl, y->crl);
            assert_int_equal(x->verify, y->verify);
            assert_int_equal(x->depth, y->depth);
        }
        for (size_t j = 0; j < a->servers[i].locations_count; j++)
            compare_locations(&a->servers[i].locations[j], &b->servers[i].locations[j]);
    }
}

static void test_round_trip(void **state)
{
    static const char *const texts[] = {
        "server a { root = /srv/www }",
        "threads = 7 user = \"\" pid_file = \"a b\\\"c\\\\d\\${e}$f.pid\" error_log = /e.log "
        "access_log = \"/x/a.log\" access_log_format = json log_level = debug body_max = 0 "
        "header_timeout = 1500ms linger_timeout = 0 file_io = read cache_bytes = 1000 mime_types = "
        "\"\" types = {\"css=text/css; charset=x\", \"x=a/b\"}\n"
        "server a { root = /srv/www access_log = off }",
        "access_log_format = \"\\\"$request\\\" \\${status}\" access_log_sample = 1/10 request_id "
        "= on\n"
        "access_log = \"syslog:server=192.0.2.1,tag=t\" error_log = \"syslog:\"\n"
        "server a { root = /srv/www access_log_format = \"escape=json [$uri]\" "
        "access_log_skip = {\"/a b\"} }\n"
        "server b { root = /srv/www access_log_status = {4xx, 503} access_log_sample = 1 }\n",
        "server A { alias_hosts = {\"*.b\", C} listen = {\"1.1.1.1:1 deferred backlog=7 "
        "congestion=reno\", "
        "\"unix:a/b.sock\", \"[::]:2 ipv6only=off\"} root = /srv/www }\n",
        "server a { listen = {\"1.1.1.1:1 backlog=7\", \"2.2.2.2:2\"} root = /srv/www }\n"
        "server b { listen = {\"3.3.3.3:3\", \"1.1.1.1:1\"} access_log = /b root = /srv/www }\n"
        "server a { listen = {\"4.4.4.4:4\", \"3.3.3.3:3\"} access_log = /c root = /srv/www }\n",
        "server a { root = /srv/www headers = {\"X-Content-Type-Options:\", \"A: "
        "\\\"b\\\\c\\\"\"}\n"
        "try = {\"$uri\", \"$uri.html\"} error_pages = {\"404=/4\", \"500=/5\"} precompressed = "
        "{gzip, "
        "zstd} index = {} charset = \"\" symlinks = deny dotfiles = on autoindex = on\n"
        "compress = {br, gzip} compress_types = {\"text/*\", \"a/b\"}\n"
        "cache \"*.css\" { control = \"public, max-age=1\" } cache \"*\" { expires = 90s }\n"
        "redirect \"/o/\" { to = \"/n/\" status = 308 } redirect \"/p\" { to = \"http://x/?a=b\" "
        "}\n"
        "location \"/back/\" { headers = {\"x-content-type-options: nosniff\", \"A:\"} cache \"*\" "
        "{ "
        "expires = 0 } error_pages = {\"404=/44\", \"403=/3\"} }\n"
        "location \"/alias/\" { alias = /srv/other }\n"
        "location \"/\" { headers = {\"B: c\"} cache \"z\" { expires = 1y } } }",
        "server a { location \"/x/\" { alias = /srv/www } }",
        "server a { root = /srv/www cache = \"/a\" { expires = 1s } cache ~ 'b\"' { expires = 1s } "
        "download = {\"= /a\"} access_log_skip = {\"~ ^/a\", /b} location \"/\" { cache \"/b/\" { "
        "expires = 2s } } }",
        "server a { location \"/x/\" { root = /srv/www } location \"/\" { autoindex = on } }",
        "server a { location \"/\" { alias = /srv/www } }",
        "server a { redirect \"/\" { to = \"https://x/\" } }",
        "tls_backend = openssl tls_protocols = \"1.2\" tls_ciphers = {A, B} tls_curves = x25519 "
        "tls_session_tickets = off tls_ticket_key_lifetime = 1m tls_session_cache = 7 "
        "tls_handshake_timeout = 1s ktls = off tls_certificates = /certs\n"
        "server a { root = /srv/www listen = {\"1.1.1.1:0\", \"1.1.1.1:0 tls backlog=3\", "
        "\"[::1]:0 tls\", \"unix:/a tls\"} certificate = {\"a b\", c} key = {d, c} "
        "ocsp = {\"\", r} "
        "tls_client_ca = ca tls_verify = optional tls_verify_depth = 3 tls_crl = crl }\n"
        "server b { root = /srv/www listen = \"1.1.1.1:0 tls\" certificate = both }",
        "trusted = {\"10.0.0.0/8\", \"unix:\", \"2001:db8::1\"} real_ip_from = \"10.0.0.1\" "
        "real_ip_header = Forwarded real_ip_recursive = on\n"
        "server a { root = /srv/www listen = {\"1.1.1.1:0\", \"1.1.1.1:0 proxy_protocol "
        "backlog=3\", "
        "\"[::1]:0 tls proxy_protocol\", \"unix:/a proxy_protocol\"} certificate = c key = c }\n"
        "server b { root = /srv/www listen = \"1.1.1.1:0 proxy_protocol\" }",
        "server a { root = /srv/www allow = {\"10.0.0.0/8\", all} deny = {\"file:b/../list\", "
        "\"unix:\"} location \"/x/\" { } location \"/y/\" { deny = {} } "
        "location \"/z/\" { allow = \"::1\" } }",
        "auth_verifications_max = 3 auth_cache = 0\n"
        "server a { root = /srv/www auth \"M \\\"x\\\"\" { users = users } satisfy = any signed = "
        "{k, k} location \"/x/\" { auth = off referers = {none, server_names, \"*.b\"} } "
        "location \"/y/\" { auth \"N\" { users = /site/users } signed = {} satisfy = all } }",
        "engine = other server a { root = /srv/www headers = {\"E: e;desc=\\\"$engine\\\"\"} }",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct fixture fixture = { .files[1] = { "/site/b/../list", "10.0.0.1" },
                                   .files[2] = { "/site/users",
                                                 "a:{SHA}O/MvdjOwOQpt8I9HBSVZugThPMw=" },
                                   .files[3] = { "/site/k", "0123456789abcdef\n" },
                                   .files_count = 4 };
        struct config *first = fixture_config(&fixture, texts[i]);
        char *printed = print(first);
        struct config *second = fixture_config(&fixture, printed);
        char *again = print(second);

        assert_string_equal(printed, again);
        compare(first, second);
        free(again);
        free(printed);
        config_free(second);
        config_free(first);
    }
}

/* Every key of the top level, of a server and of a location is there, once with one location. */
static void test_complete(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(&fixture, "server a { root = /srv/www }");
    char *text = print(config);

    (void)state;
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        const struct config_key *key = config_key_at(i);
        const unsigned blocks = 1u << CONFIG_TOP | 1u << CONFIG_SERVER;
        char line[64];

        if ((key->blocks & blocks) == 0 || key->type == CONFIG_INCLUDE)
            continue;
        snprintf(line, sizeof(line),
                 "%s%s = ", (key->blocks & 1u << CONFIG_TOP) != 0 ? "\n" : "\n    ", key->name);
        if (strstr(text, line) == NULL)
            fail_msg("%s is missing in\n%s", key->name, text);
    }
    free(text);
    config_free(config);
}

static void test_stream_fails(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(&fixture, "server a { root = /srv/www }");
    FILE *full = fopen("/dev/full", "w");

    (void)state;
    assert_non_null(full);
    assert_int_equal(config_print(config, full), -EIO);
    fclose(full);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_complete),
        cmocka_unit_test(test_stream_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
