/* values.c: one function for each variable that is not simply there. */
#include "http/values.h"

#include "config/config_text.h"
#include "config/map_values.h"
#include "core/check.h"
#include "core/decimal.h"
#include "core/uri_octet.h"
#include "http/authority.h"
#include "http/fields.h"
#include "http/real_ip.h"
#include "http/request_id.h"
#include "match/captures.h"

#include <string.h>

enum { HOST_MAX = 255 }; /* octets of a name in the DNS (RFC 1035 section 2.3.4) */

static const struct span nothing = { "", 0 };

static bool has_target(const struct http_exchange *x)
{
    return x->target.path.len > 0;
}

/* A name of the server that is no wildcard; of a wildcard what stands behind it; of a server for
 * all names, which has no other, that. */
static struct span server_name(const struct server *server)
{
    for (size_t i = 0; i < server->hosts_count; i++) {
        if (server->hosts[i][0] != '*' && strcmp(server->hosts[i], CONFIG_HOST_DEFAULT) != 0)
            return span_str(server->hosts[i]);
    }
    return span_str(server->name + (server->name[0] == '*' ? 2 : 0));
}

/* The host that the request names, checked and without its port, in lower case and without a dot at
 * its end; else a name of the server. */
static struct span host_of(const struct http_exchange *x, char *scratch)
{
    struct span host = nothing;

    if (x->request.head_len > 0)
        host = http_request_slice(&x->request, x->request.authority);
    if (host.len > 0 && host.ptr[host.len - 1] == '.')
        host.len--;
    if (host.len == 0 || host.len > HOST_MAX)
        return server_name(x->server);
    for (size_t i = 0; i < host.len; i++)
        scratch[i] =
            host.ptr[i] >= 'A' && host.ptr[i] <= 'Z' ? (char)(host.ptr[i] | 0x20) : host.ptr[i];
    return span_make(scratch, host.len);
}

static struct span args_of(const struct http_exchange *x)
{
    return has_target(x) ? http_target_args(&x->target) : nothing;
}

/* Path and query lie behind each other; the absolute form may have no path. */
static struct span request_uri_of(const struct http_exchange *x, char *scratch, size_t cap)
{
    struct span uri;

    if (!has_target(x))
        return nothing;
    uri = span_make(x->target.raw_path.ptr, x->target.raw_path.len + x->target.query.len);
    if (x->target.raw_path.len > 0)
        return uri;
    if (x->target.query.len + 1 > cap)
        return (struct span){ NULL, 0 };
    scratch[0] = '/';
    if (x->target.query.len > 0)
        memcpy(scratch + 1, x->target.query.ptr, x->target.query.len);
    return span_make(scratch, x->target.query.len + 1);
}

static struct span method_of(const struct http_exchange *x)
{
    struct span line = http_request_slice(&x->request, x->request.request_line);
    const char *blank = line.len > 0 ? memchr(line.ptr, ' ', line.len) : NULL;

    return blank != NULL ? span_make(line.ptr, (size_t)(blank - line.ptr)) : nothing;
}

/* What stands behind the last blank of the request line, which is judged by now. */
static struct span protocol_of(const struct http_exchange *x)
{
    struct span line = http_request_slice(&x->request, x->request.request_line);
    const char *blank = line.len > 0 ? memrchr(line.ptr, ' ', line.len) : NULL;

    return has_target(x) && blank != NULL
               ? span_make(blank + 1, (size_t)(line.ptr + line.len - blank) - 1)
               : nothing;
}

static struct span of_certificate(const struct client_certificate *certificate,
                                  enum template_tls what)
{
    if (certificate == NULL)
        return nothing;
    switch (what) {
    case TEMPLATE_TLS_CLIENT_SUBJECT:
        return span_str(certificate->subject);
    case TEMPLATE_TLS_CLIENT_ISSUER:
        return span_str(certificate->issuer);
    case TEMPLATE_TLS_CLIENT_SERIAL:
        return span_str(certificate->serial);
    case TEMPLATE_TLS_CLIENT_FINGERPRINT:
        return span_str(certificate->fingerprint);
    default:
        UNREACHABLE();
    }
}

static struct span tls_of(const struct http_tls *tls, enum template_tls what)
{
    if (tls == NULL)
        return nothing;
    switch (what) {
    case TEMPLATE_TLS_PROTOCOL:
        return span_str(tls->protocol);
    case TEMPLATE_TLS_CIPHER:
        return span_str(tls->cipher);
    case TEMPLATE_TLS_SERVER_NAME:
        return tls->server_name;
    case TEMPLATE_TLS_CLIENT_VERIFY:
        return http_tls_verify(tls);
    default:
        return of_certificate(tls->certificate, what);
    }
}

static struct span number(uint64_t value, char *scratch)
{
    struct decimal room;
    struct span text = decimal_text(value, &room);

    memcpy(scratch, text.ptr, text.len);
    return span_make(scratch, text.len);
}

/* A value of a query, decoded as a form's: escapes, and '+' for a blank. */
static struct span decode(struct span value, char *scratch, size_t cap)
{
    const char *at = value.ptr, *end = at + value.len;
    size_t len = 0;

    while (at < end) {
        int octet = uri_escape_octet(at, end);

        if (len == cap)
            return (struct span){ NULL, 0 };
        scratch[len++] = octet >= 0 ? (char)octet : *at == '+' ? ' ' : *at;
        at += octet >= 0 ? 3 : 1;
    }
    return span_make(scratch, len);
}

/* The value of the first element `name`=value of a list with `separator`; blanks around an element
 * do not count. *ret_found: there is one, perhaps without a value. */
static struct span element_of(struct span list, char separator, struct span name)
{
    while (list.len > 0) {
        const char *end = memchr(list.ptr, separator, list.len);
        size_t len = end != NULL ? (size_t)(end - list.ptr) : list.len;
        struct span element = span_trim(span_make(list.ptr, len));

        if (element.len > name.len && element.ptr[name.len] == '=' &&
            memcmp(element.ptr, name.ptr, name.len) == 0)
            return span_make(element.ptr + name.len + 1, element.len - name.len - 1);
        len += end != NULL;
        list = span_make(list.ptr + len, list.len - len);
    }
    return nothing;
}

static struct span capture_of(const struct http_exchange *x, uint8_t index)
{
    return x->captures != NULL && index < x->captures->count ? x->captures->groups[index] : nothing;
}

static struct span value_of(void *context, const struct template_piece *piece, char *scratch,
                            size_t cap)
{
    struct http_exchange *x = context;
    const struct peer *client = http_client_of(x, x->peer);
    bool is_tls = x->secure;

    CHECK(cap >= HOST_MAX && cap >= PEER_TEXT_MAX);
    switch ((enum template_variable)piece->variable) {
    case TEMPLATE_ARGS:
        return args_of(x);
    case TEMPLATE_HOST:
        return host_of(x, scratch);
    case TEMPLATE_HTTPS:
        return is_tls ? SPAN_LIT("on") : nothing;
    case TEMPLATE_IS_ARGS:
        return args_of(x).len > 0 ? SPAN_LIT("?") : nothing;
    case TEMPLATE_REMOTE_ADDR:
        return span_make(scratch, peer_format(client, scratch));
    case TEMPLATE_REMOTE_PORT:
        return number(client->port, scratch);
    case TEMPLATE_REMOTE_USER:
        return x->user != NULL ? span_str(x->user) : nothing;
    case TEMPLATE_REQUEST_ID:
        return http_request_id(x);
    case TEMPLATE_REQUEST_METHOD:
        return method_of(x);
    case TEMPLATE_REQUEST_URI:
        return request_uri_of(x, scratch, cap);
    case TEMPLATE_SCHEME:
        return is_tls ? SPAN_LIT("https") : SPAN_LIT("http");
    case TEMPLATE_SERVER_NAME:
        return server_name(x->server);
    case TEMPLATE_SERVER_PORT:
        return number(x->listen->port != 0 ? x->listen->port : x->listen->port_bound, scratch);
    case TEMPLATE_SERVER_PROTOCOL:
        return protocol_of(x);
    case TEMPLATE_TLS:
        return tls_of(x->tls, (enum template_tls)piece->index);
    case TEMPLATE_URI:
        return has_target(x) ? x->target.path : nothing;
    case TEMPLATE_ARG:
        return decode(element_of(args_of(x), '&', piece->name), scratch, cap);
    case TEMPLATE_COOKIE:
        return element_of(http_request_named(&x->request, SPAN_LIT("cookie")), ';', piece->name);
    case TEMPLATE_HTTP:
        return http_request_named(&x->request, piece->name);
    case TEMPLATE_CAPTURE:
        return capture_of(x, piece->index);
    case TEMPLATE_MAP:
    case TEMPLATE_NAMED:
    case TEMPLATE_NOTHING:
        break;
    }
    UNREACHABLE();
}

/* What is looked up and is longer than any key, or takes an expression too long, is the default's.
 */
static void map_of(void *context, const struct template_piece *piece, char *key,
                   struct template_mapped *ret_mapped)
{
    const uint32_t raw = UINT32_C(1) << TEMPLATE_REQUEST_URI | UINT32_C(1) << TEMPLATE_ARGS;
    struct http_exchange *x = context;
    const struct config_map *map = &x->env->config->maps[piece->index];
    struct template_source source = http_values_of(x);
    long len = template_put(map->source, &source, TEMPLATE_TEXT, key, TEMPLATE_KEY_MAX);
    int entry = -1;

    ret_mapped->captures.count = 0;
    ret_mapped->raw = (map->source->uses & raw) != 0;
    if (len >= 0)
        entry =
            map_find(map->map, x->env->regexes, span_make(key, (size_t)len), &ret_mapped->captures);
    if (entry < 0)
        entry = map_default(map->map);
    if (x->env->watch != NULL)
        x->env->watch->map(x->env->watch->context, piece->index,
                           span_make(key, len >= 0 ? (size_t)len : 0), entry);
    ret_mapped->template = entry >= 0 ? map->values[entry].template : NULL;
    ret_mapped->text = entry >= 0 ? map->values[entry].text : nothing;
}

struct template_source http_values_of(struct http_exchange *x)
{
    return (struct template_source){ .value = value_of, .context = x, .map = map_of };
}

/* What the expression of the rule's own block captures in the path that it is for. */
static bool capture(struct http_exchange *x, const struct header_rule *rule,
                    const struct http_values_paths *paths, struct captures *ret_captures)
{
    struct span file = paths->file[rule->of_site];

    return pattern_match(rule->captured, x->env->regexes, paths->asked[rule->of_site],
                         ret_captures) > 0 ||
           (file.len > 0 && pattern_match(rule->captured, x->env->regexes, file, ret_captures) > 0);
}

size_t http_values_put_fields(struct http_exchange *x, const struct location *location,
                              bool but_caching, char *ret_text)
{
    return http_values_put_rules(x, location->headers, location->headers_count, but_caching, NULL,
                                 ret_text);
}

size_t http_values_put_rules(struct http_exchange *x, const struct header_rule *rules, size_t count,
                             bool but_caching, const struct http_values_paths *paths,
                             char *ret_text)
{
    struct template_source source = http_values_of(x);
    const struct captures *captures_before = x->captures;
    struct captures captures;
    size_t len = 0;

    for (size_t i = 0; i < count; i++) {
        const struct header_rule *rule = &rules[i];
        size_t name_len = strlen(rule->name), room = HTTP_VARYING_MAX - len;

        if (rule->varying == NULL || room < name_len + 4 ||
            (but_caching && http_fields_is_caching(rule->name)))
            continue;
        if (rule->captured != NULL)
            x->captures = capture(x, rule, paths, &captures) ? &captures : NULL;
        char *value = ret_text + len + name_len + 2;
        room -= name_len + 4;
        long value_len =
            template_put(rule->varying, &source, TEMPLATE_FIELD, value,
                         room < CONFIG_FIELD_VALUE_MAX ? room : CONFIG_FIELD_VALUE_MAX);
        x->captures = captures_before;
        if (value_len <= 0)
            continue;
        memcpy(ret_text + len, rule->name, name_len);
        memcpy(ret_text + len + name_len, ": ", 2);
        memcpy(value + value_len, "\r\n", 2);
        len += name_len + (size_t)value_len + 4;
    }
    return len;
}

bool http_values_path(struct http_exchange *x, const struct template *template, char *ret_text,
                      struct span *ret_path)
{
    struct template_source source = http_values_of(x);
    long len = template_put(template, &source, TEMPLATE_PATH, ret_text, HTTP_PATH_MAX - 1);

    if (len < 0 || !template_path_is_clean(span_make(ret_text, (size_t)len)))
        return false;
    *ret_path = span_make(ret_text, (size_t)len);
    return true;
}
