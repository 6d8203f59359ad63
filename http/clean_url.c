/* clean_url.c: see clean_url.h. The page was found, so whoever follows finds it, too: under the
 * address without ".html", `try` has it (config_clean_urls.c), and that address leads nowhere else.
 */
#include "http/clean_url.h"

#include "http/redirect.h"
#include "http/search.h"
#include "http/vhost.h"

#include <string.h>

static const struct span extension = SPAN_LIT(".html");

static bool has_index_page(const struct location *location)
{
    for (size_t i = 0; i < location->index_count; i++) {
        if (strcmp(location->index[i], "index.html") == 0)
            return true;
    }
    return false;
}

/* The address of the page; ptr NULL: it is what was asked for. */
static struct span address_of(const struct http_exchange *x)
{
    const struct location *location = x->search.location;
    struct span path = x->target.path, uri = x->search.uri, base = path;
    const char *slash = memrchr(path.ptr, '/', path.len);
    size_t folder = (size_t)(slash - path.ptr) + 1; /* octets of it, with its '/' */

    base = span_make(path.ptr + folder, path.len - folder);
    if (uri.len == path.len + extension.len && memcmp(uri.ptr, path.ptr, path.len) == 0)
        return span_eq(base, SPAN_LIT("index")) && has_index_page(location)
                   ? span_make(path.ptr, folder)
                   : span_make(NULL, 0);
    if (!span_eq(uri, path) || base.len <= extension.len ||
        memcmp(path.ptr + path.len - extension.len, extension.ptr, extension.len) != 0)
        return span_make(NULL, 0);
    if (span_eq(base, SPAN_LIT("index.html")) && has_index_page(location))
        return span_make(path.ptr, folder);
    return span_make(path.ptr, path.len - extension.len);
}

bool http_clean_url_is_due(const struct http_exchange *x)
{
    const struct location *location = NULL;
    struct span address = address_of(x);

    if (address.ptr == NULL || x->search.rewrites > 0) /* nobody has asked for that */
        return false;
    (void)http_location_find(x->server, x->env->regexes, address, NULL, &location);
    return location != NULL && location->clean_urls && location->answer == NULL &&
           !http_redirect_covers(x, location, address);
}

enum http_static_result http_clean_url_redirect(struct http_exchange *x)
{
    return http_search_redirect_path(x, address_of(x), false);
}
