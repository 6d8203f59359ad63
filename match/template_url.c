/* template_url.c: keeps account of the part of the URL that it is in, since that decides what may
 * stand there. */
#include "match/template_url.h"

#include "core/hex.h"
#include "core/uri_encode.h"
#include "core/uri_octet.h"

#include <string.h>

/* ---- at load ---- */

static bool is_host_octet(char octet)
{
    return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
           (octet >= '0' && octet <= '9') || octet == '-' || octet == '_' || octet == '.';
}

/* The text behind piece `i`'s variable, up to the next one. */
static struct span text_behind(const struct template *template, size_t i)
{
    return i + 1 < template->count ? template->pieces[i + 1].text : span_make("", 0);
}

/* Does the host go on behind the variable of piece `i`? */
static bool host_goes_on(const struct template *template, size_t i)
{
    struct span text = text_behind(template, i);

    if (text.len > 0)
        return is_host_octet(text.ptr[0]);
    return i + 1 < template->count && template->pieces[i + 1].variable != TEMPLATE_NOTHING &&
           !template_is_clients((enum template_variable) template->pieces[i + 1].variable) &&
           template->pieces[i + 1].variable != TEMPLATE_IS_ARGS;
}

static const char *check_octets(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] <= ' ' || (unsigned char)text.ptr[i] >= 0x7f ||
            strchr("\"<>\\^`{|}", text.ptr[i]) != NULL)
            return "holds a character that a URL must have percent-encoded";
    }
    return NULL;
}

/* How many octets of the scheme and "://" the text begins with; 0: none. */
static size_t scheme_len(struct span text)
{
    if (text.len >= 7 && strncasecmp(text.ptr, "http://", 7) == 0)
        return 7;
    return text.len >= 8 && strncasecmp(text.ptr, "https://", 8) == 0 ? 8 : 0;
}

/* The authority begins with what is left of piece `i`'s text, `text`. */
static const char *check_authority(const struct template *template, size_t i, struct span text)
{
    enum template_variable variable = (enum template_variable) template->pieces[i].variable;

    if (text.len > 0)
        return is_host_octet(text.ptr[0]) || text.ptr[0] == '[' ? NULL : "names no host";
    if (variable == TEMPLATE_NOTHING || variable == TEMPLATE_URI ||
        variable == TEMPLATE_REQUEST_URI || variable == TEMPLATE_ARGS ||
        variable == TEMPLATE_IS_ARGS)
        return "names no host";
    if (template_is_clients(variable) && !host_goes_on(template, i))
        return "leads to a host that the client chooses; a map with the hosts that are meant is "
               "the way";
    return NULL;
}

static const char *check_start(const struct template *template)
{
    const struct template_piece *first = &template->pieces[0];
    struct span text = first->text;

    if (text.len > 0 && text.ptr[0] == '/') {
        bool next_is_path = text.len == 1 && (first->variable == TEMPLATE_URI ||
                                              first->variable == TEMPLATE_REQUEST_URI);
        return next_is_path || (text.len > 1 && text.ptr[1] == '/')
                   ? "begins with //, which leads to another host"
                   : NULL;
    }
    if (text.len > 0) {
        size_t len = scheme_len(text);

        return len == 0 ? "is neither a path nor a URL"
                        : check_authority(template, 0, span_make(text.ptr + len, text.len - len));
    }
    switch ((enum template_variable)first->variable) {
    case TEMPLATE_URI:
    case TEMPLATE_REQUEST_URI:
    case TEMPLATE_MAP:
    case TEMPLATE_CAPTURE:
        return NULL;
    case TEMPLATE_SCHEME:
        text = text_behind(template, 0);
        if (text.len < 3 || memcmp(text.ptr, "://", 3) != 0)
            return "is neither a path nor a URL: :// must follow $scheme";
        return check_authority(template, 1, span_make(text.ptr + 3, text.len - 3));
    case TEMPLATE_ARG:
    case TEMPLATE_COOKIE:
    case TEMPLATE_HTTP:
        return "begins with a variable that the client chooses, who could be led to any host; "
               "write a '/' before it, or map it";
    default:
        return "is neither a path nor a URL";
    }
}

const char *template_url_check(const struct template *template)
{
    for (size_t i = 0; i < template->count; i++) {
        const char *what = check_octets(template->pieces[i].text);

        if (what != NULL)
            return what;
    }
    if (template_is_constant(template) && template_constant(template).len == 0)
        return "is empty";
    return check_start(template);
}

/* ---- for a request ---- */

static void put_one(struct template_url *url, char octet)
{
    if (url->len == url->cap)
        url->too_long = true;
    else
        url->text[url->len++] = octet;
}

/* Something follows what was held. Left out, a path would go on with what is meant for the query:
 * "/?$args/$arg_a" would begin with "//". */
static void put_held(struct template_url *url)
{
    char held = url->held;

    url->held = '\0';
    if (held != '\0')
        put_one(url, held);
}

static void put_octet(struct template_url *url, char octet)
{
    put_held(url);
    put_one(url, octet);
}

static void put_encoded(struct template_url *url, struct span text,
                        long (*encode)(struct span text, char *ret_text, size_t cap))
{
    if (text.len > 0)
        put_held(url);
    long len = encode(text, url->text + url->len, url->cap - url->len);

    if (len < 0)
        url->too_long = true;
    else
        url->len += (size_t)len;
}

/* "https:///x" leads to the host x, as browsers read it: where a host is due, there has to be one
 * before anything else. A map may have said nothing. */
static void refuse_no_host(struct template_url *url)
{
    if (url->part == TEMPLATE_URL_AUTHORITY && url->text[url->len - 1] == '/')
        url->too_long = true;
}

/* Appends what is fit for a URL already, and follows the parts that it goes through. */
static void put_text(struct template_url *url, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char octet = text.ptr[i];

        switch (url->part) {
        case TEMPLATE_URL_START:
            url->part = octet == '/' ? TEMPLATE_URL_PATH : TEMPLATE_URL_SCHEME;
            break;
        case TEMPLATE_URL_SCHEME:
            if (octet == '/' && url->len > 0 && url->text[url->len - 1] == '/')
                url->part = TEMPLATE_URL_AUTHORITY;
            break;
        case TEMPLATE_URL_AUTHORITY:
            if (!is_host_octet(octet) && octet != '[')
                refuse_no_host(url);
            if (octet == '/')
                url->part = TEMPLATE_URL_PATH;
            else if (octet == '?' || octet == '#')
                url->part = TEMPLATE_URL_QUERY;
            break;
        case TEMPLATE_URL_PATH:
            if (octet == '?' || octet == '#')
                url->part = TEMPLATE_URL_QUERY;
            /* Only a path begins with '/': what would make a host of its next segment is left out.
             */
            if (octet == '/' && url->len == 1 && url->text[0] == '/')
                continue;
            break;
        case TEMPLATE_URL_QUERY:
            break;
        }
        put_octet(url, octet);
    }
}

/* Begins the path, unless it has begun, or `text` does so. */
static void begin_path(struct template_url *url, struct span text)
{
    refuse_no_host(url);
    if (url->part < TEMPLATE_URL_PATH && (text.len == 0 || text.ptr[0] != '/'))
        put_text(url, SPAN_LIT("/"));
    url->part = url->part < TEMPLATE_URL_PATH ? TEMPLATE_URL_PATH : url->part;
}

static bool is_unreserved(char octet)
{
    return (is_host_octet(octet) || octet == '~') != 0;
}

/* Percent-encodes all but unreserved characters and those in `more`. */
static void put_data(struct template_url *url, struct span text, const char *more)
{
    for (size_t i = 0; i < text.len; i++) {
        char octet = text.ptr[i], escape[3] = "%";

        if (is_unreserved(octet) || (octet != '\0' && strchr(more, octet) != NULL)) {
            put_octet(url, octet);
            continue;
        }
        hex_put(escape + 1, (unsigned char)octet);
        for (size_t j = 0; j < sizeof(escape); j++)
            put_octet(url, escape[j]);
    }
}

/* Without the slashes that, with what is there already, would begin it with "//". */
static struct span without_host(const struct template_url *url, struct span path)
{
    bool has_slash = url->len == 1 && url->text[0] == '/';

    while (url->len <= 1 && path.len > 0 && path.ptr[0] == '/' &&
           (has_slash || (url->len == 0 && path.len > 1 && path.ptr[1] == '/')))
        path = span_make(path.ptr + 1, path.len - 1);
    return path;
}

void template_url_put_path(struct template_url *url, struct span path)
{
    if (path.len == 0)
        return;
    if (url->part == TEMPLATE_URL_QUERY) {
        put_data(url, path, "/:@,!$()*");
        return;
    }
    begin_path(url, path);
    path = without_host(url, path);
    put_encoded(url, path, uri_location_encode);
}

void template_url_put_query(struct template_url *url, struct span query)
{
    if (query.len == 0 || url->part == TEMPLATE_URL_QUERY)
        return;
    begin_path(url, SPAN_LIT(""));
    put_encoded(url, query, uri_query_encode);
    url->part = TEMPLATE_URL_QUERY;
}

static void put_args(struct template_url *url, struct span args)
{
    char last = url->len > 0 ? url->text[url->len - 1] : '\0';

    if (args.len > 0) {
        if (url->part != TEMPLATE_URL_QUERY)
            put_text(url, SPAN_LIT("?"));
        put_encoded(url, args, uri_query_encode);
    } else if (!url->too_long && (last == '?' || last == '&')) {
        url->held = last;
        url->len--;
    }
}

/* The path and query as sent; the first path may be none, in the absolute form. */
static void put_request_uri(struct template_url *url, struct span value)
{
    if (url->part == TEMPLATE_URL_QUERY) {
        put_data(url, value, "/:@,!$()*");
        return;
    }
    begin_path(url, value);
    value = without_host(url, value);
    put_encoded(url, value, uri_query_encode);
    if (memchr(value.ptr, '?', value.len) != NULL)
        url->part = TEMPLATE_URL_QUERY;
}

/* A part of what was sent, with its escapes, and perhaps the '?' between path and query. */
static void put_raw(struct template_url *url, struct span value)
{
    if (url->part == TEMPLATE_URL_QUERY)
        put_encoded(url, value, uri_query_encode);
    else if (value.len > 0 || url->part == TEMPLATE_URL_START)
        put_request_uri(url, value);
}

/* A label of the host that the text around it names: at the first octet that is none of a label's,
 * the path begins. */
static size_t put_label(struct template_url *url, struct span value)
{
    size_t i = 0;

    for (; i < value.len && is_host_octet(value.ptr[i]) && value.ptr[i] != '.'; i++)
        put_octet(url, value.ptr[i]);
    return i;
}

/* What a client says, decoded. */
static void put_clients(struct template_url *url, const struct template *template, size_t i,
                        struct span value)
{
    if (url->part == TEMPLATE_URL_QUERY) {
        put_data(url, value, template->pieces[i].variable == TEMPLATE_CAPTURE ? "/" : "");
        return;
    }
    if (url->part == TEMPLATE_URL_AUTHORITY && host_goes_on(template, i)) {
        size_t len = put_label(url, value);

        value = span_make(value.ptr + len, value.len - len);
        if (value.len == 0)
            return;
    }
    if (value.len == 0 && url->part != TEMPLATE_URL_START)
        return;
    begin_path(url, value);
    template_url_put_path(url, value);
}

/* A map's: the operator's, a part of a URL or a whole one, which may have been written without
 * escapes. */
static void put_mapped(struct template_url *url, struct span value)
{
    for (size_t i = 0; i < value.len; i++) {
        char escape[3] = "%";

        hex_put(escape + 1, (unsigned char)value.ptr[i]);
        put_text(url, check_octets(span_make(value.ptr + i, 1)) == NULL
                          ? span_make(value.ptr + i, 1)
                          : span_make(escape, 3));
    }
}

static void url_put_map(struct template_url *url, const struct template_piece *piece,
                        const struct template_source *source)
{
    struct template_mapped mapped;
    struct template_source inner = *source;
    char key[TEMPLATE_KEY_MAX];

    source->map(source->context, piece, key, &mapped);
    if (mapped.template == NULL) {
        put_mapped(url, mapped.text);
        return;
    }
    inner.captures = &mapped.captures;
    inner.captures_raw = mapped.raw;
    template_url_put(url, mapped.template, &inner);
}

static void url_put_value(struct template_url *url, const struct template *template, size_t i,
                          struct span value)
{
    switch ((enum template_variable) template->pieces[i].variable) {
    case TEMPLATE_ARGS:
        put_args(url, value);
        return;
    case TEMPLATE_URI:
        template_url_put_path(url, value);
        return;
    case TEMPLATE_REQUEST_URI:
        put_request_uri(url, value);
        return;
    case TEMPLATE_MAP:
        put_mapped(url, value);
        return;
    default:
        if (template_is_clients((enum template_variable) template->pieces[i].variable))
            put_clients(url, template, i, value);
        else
            put_text(url, value);
        return;
    }
}

/* The variable of piece `i`, which is no map. */
static void url_put_variable(struct template_url *url, const struct template *template, size_t i,
                             const struct template_source *source)
{
    const struct template_piece *piece = &template->pieces[i];
    char scratch[TEMPLATE_VALUE_MAX];
    struct span value = template_value(source, piece, scratch, sizeof(scratch));

    if (value.ptr == NULL)
        url->too_long = true;
    else if (piece->variable == TEMPLATE_CAPTURE && source->captures_raw &&
             url->part != TEMPLATE_URL_AUTHORITY)
        put_raw(url, value);
    else
        url_put_value(url, template, i, value);
}

void template_url_put(struct template_url *url, const struct template *template,
                      const struct template_source *source)
{
    for (size_t i = 0; i < template->count; i++) {
        const struct template_piece *piece = &template->pieces[i];

        if (source->captures == NULL)
            put_text(url, piece->text);
        else
            put_mapped(url, piece->text);
        if (piece->variable == TEMPLATE_MAP && source->map != NULL)
            url_put_map(url, piece, source);
        else if (piece->variable != TEMPLATE_NOTHING)
            url_put_variable(url, template, i, source);
    }
}
