/* redirect_find.c: see redirect_find.h. */
#include "config/redirect_find.h"

#include <stdlib.h>
#include <string.h>

static int compare_texts(struct span x, struct span y)
{
    if (x.len != y.len)
        return x.len < y.len ? -1 : 1;
    return x.len > 0 ? memcmp(x.ptr, y.ptr, x.len) : 0;
}

static int compare(const void *a, const void *b)
{
    const struct redirect *x = a, *y = b;
    int order = compare_texts(x->from, y->from);

    if (order != 0)
        return order;
    if (x->query.ptr == NULL || y->query.ptr == NULL)
        return (x->query.ptr == NULL) - (y->query.ptr == NULL);
    return compare_texts(x->query, y->query);
}

void redirects_exact_sort(struct server *server)
{
    if (server->redirects_exact_count > 0)
        qsort(server->redirects_exact, server->redirects_exact_count, sizeof(struct redirect),
              compare);
}

static const struct redirect *find(const struct server *server, struct span path, struct span query)
{
    const struct redirect key = { .from = path, .query = query };

    return bsearch(&key, server->redirects_exact, server->redirects_exact_count,
                   sizeof(struct redirect), compare);
}

const struct redirect *redirect_exact_find(const struct server *server, struct span path,
                                           struct span query)
{
    const struct redirect *redirect = NULL;

    if (server->redirects_exact_count == 0)
        return NULL;
    if (query.ptr != NULL)
        redirect = find(server, path, query);
    return redirect != NULL ? redirect : find(server, path, (struct span){ NULL, 0 });
}
