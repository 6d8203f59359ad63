/* search_path.c: the paths that the search looks for: below a root, of `try`, of an error page. See
 * search.h. */
#include "http/search.h"

#include "config/config_headers.h"
#include "config/site_redirects.h"
#include "core/check.h"
#include "core/uri_encode.h"
#include "http/response.h"
#include "http/values.h"
#include "match/template_url.h"

#include <string.h>

bool http_search_map_path(const struct location *location, struct span uri, struct span *ret_name)
{
    struct span prefix = location->prefix;
    if (location->file.len > 0) {
        *ret_name = location->file;
        return span_eq(uri, prefix);
    }
    if (location->strip_prefix) {
        if (uri.len < prefix.len - 1 || memcmp(uri.ptr, prefix.ptr, prefix.len - 1) != 0)
            return false;
        uri.ptr += prefix.len - 1;
        uri.len -= prefix.len - 1;
    }
    if (uri.len > 0 && uri.ptr[0] == '/') {
        uri.ptr++;
        uri.len--;
    }
    if (uri.len > 0 && uri.ptr[uri.len - 1] == '/')
        uri.len--;
    *ret_name = uri;
    return !http_search_is_withheld(location, uri);
}

bool http_search_is_withheld(const struct location *location, struct span name)
{
    return (location->redirects_file && span_eq(name, SPAN_LIT(CONFIG_REDIRECTS_FILE))) ||
           (location->headers_file && span_eq(name, SPAN_LIT(CONFIG_HEADERS_FILE)));
}

bool http_search_is_hidden(struct span uri)
{
    static const char well_known[] = "/.well-known";
    size_t len = sizeof(well_known) - 1;
    if (uri.len >= len && memcmp(uri.ptr, well_known, len) == 0 &&
        (uri.len == len || uri.ptr[len] == '/')) {
        uri.ptr += len;
        uri.len -= len;
    }
    /* Most paths have one dot. */
    const char *end = uri.ptr + uri.len, *dot = uri.ptr;
    while (dot < end && (dot = memchr(dot, '.', (size_t)(end - dot))) != NULL) {
        if (dot > uri.ptr && dot[-1] == '/')
            return true;
        dot++;
    }
    return false;
}

bool http_search_expand(struct http_exchange *x, const struct template *template)
{
    struct span path = x->target.path;
    size_t len = 0;
    if ((template->uses & ~(UINT32_C(1) << TEMPLATE_URI)) != 0)
        return http_values_path(x, template, x->try_text, &x->search.uri);
    for (size_t i = 0; i < template->count; i++) {
        struct span text = template->pieces[i].text;
        /* "$uri/index.html" for "/docs/": one slash. */
        if (i > 0 && text.len > 0 && text.ptr[0] == '/' && path.ptr[path.len - 1] == '/')
            len--;
        if (len + text.len + path.len >= sizeof(x->try_text))
            return false;
        memcpy(x->try_text + len, text.ptr, text.len);
        len += text.len;
        if (template->pieces[i].variable == TEMPLATE_NOTHING)
            break;
        memcpy(x->try_text + len, path.ptr, path.len);
        len += path.len;
    }
    x->search.uri = span_make(x->try_text, len);
    return true;
}

bool http_search_error_page(struct http_exchange *x, const struct error_page *page)
{
    size_t len = strlen(page->uri);
    if (page->varying != NULL)
        return http_values_path(x, page->varying, x->try_text, &x->search.uri);
    if (len >= sizeof(x->try_text))
        return false;
    memcpy(x->try_text, page->uri, len);
    x->search.uri = span_make(x->try_text, len);
    return true;
}

enum http_static_result http_search_redirect_path(struct http_exchange *x, struct span path,
                                                  bool slash)
{
    char to[HTTP_OUT_SIZE];
    long path_len = uri_location_encode(path, to, sizeof(to) - 1);
    long query_len;
    CHECK(path_len >= 0);
    if (slash)
        to[path_len++] = '/';
    query_len = uri_query_encode(x->target.query, to + path_len, sizeof(to) - (size_t)path_len);
    return query_len >= 0 && http_response_redirect(x, x->search.location, 301,
                                                    span_make(to, (size_t)(path_len + query_len)))
               ? HTTP_STATIC_DONE
               : HTTP_STATIC_ROOM;
}

enum http_static_result http_search_redirect_url(struct http_exchange *x, int status,
                                                 const struct template_url *url)
{
    return !url->too_long && http_response_redirect(x, x->search.location, status,
                                                    span_make(url->text, url->len))
               ? HTTP_STATIC_DONE
               : HTTP_STATIC_ROOM;
}
