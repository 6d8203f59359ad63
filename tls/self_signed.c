/* self_signed.c: see self_signed.h. */
#include "tls/self_signed.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_S = 24 * 3600 };

/* One that is kept: what its spans show is one block, which is wiped before it is freed. */
struct kept {
    char *octets; /* owned; NULL: the place is free */
    struct self_signed self_signed;
};

static struct kept table[SELF_SIGNED_MAX];

/* "a.test\nb.test\n"; the caller frees it. NULL: out of memory. */
static char *join_names(const struct server *server)
{
    size_t size = 1;

    for (size_t i = 0; i < server->hosts_count; i++)
        size += strlen(server->hosts[i]) + 1;
    char *names = malloc(size), *at = names;
    for (size_t i = 0; names != NULL && i < server->hosts_count; i++) {
        size_t len = strlen(server->hosts[i]);
        memcpy(at, server->hosts[i], len);
        at[len] = '\n';
        at += len + 1;
    }
    if (names != NULL)
        *at = '\0';
    return names;
}

static struct kept *find(struct span names)
{
    for (size_t i = 0; i < SELF_SIGNED_MAX; i++) {
        if (table[i].octets != NULL && span_eq(table[i].self_signed.names, names))
            return &table[i];
    }
    return NULL;
}

static struct kept *free_or_oldest(void)
{
    struct kept *oldest = &table[0];

    for (size_t i = 0; i < SELF_SIGNED_MAX; i++) {
        if (table[i].octets == NULL)
            return &table[i];
        if (table[i].self_signed.made_s < oldest->self_signed.made_s)
            oldest = &table[i];
    }
    return oldest;
}

static void forget(struct kept *kept)
{
    const struct self_signed *s = &kept->self_signed;

    if (kept->octets != NULL)
        explicit_bzero(kept->octets, s->names.len + s->certificate.len + s->key.len);
    free(kept->octets);
    *kept = (struct kept){ .octets = NULL };
}

static struct span put(char **at, struct span octets)
{
    struct span copy = span_make(*at, octets.len);

    if (octets.len > 0)
        memcpy(*at, octets.ptr, octets.len);
    *at += octets.len;
    return copy;
}

bool self_signed_find(const struct server *server, int64_t now_s, struct self_signed *ret)
{
    char *names = join_names(server);
    const struct kept *kept = names != NULL ? find(span_str(names)) : NULL;

    free(names);
    if (kept == NULL || now_s < kept->self_signed.made_s ||
        now_s - kept->self_signed.made_s > (int64_t)SELF_SIGNED_KEPT_DAYS * DAY_S)
        return false;
    *ret = kept->self_signed;
    return true;
}

void self_signed_adopt(const struct self_signed *passed)
{
    struct kept *kept = find(passed->names);
    char *octets = malloc(passed->names.len + passed->certificate.len + passed->key.len + 1);
    char *at = octets;

    if (octets == NULL)
        return;
    if (kept == NULL)
        kept = free_or_oldest();
    forget(kept);
    kept->octets = octets;
    kept->self_signed.names = put(&at, passed->names);
    kept->self_signed.certificate = put(&at, passed->certificate);
    kept->self_signed.key = put(&at, passed->key);
    kept->self_signed.made_s = passed->made_s;
}

void self_signed_keep(const struct server *server, struct span certificate, struct span key,
                      int64_t now_s)
{
    char *names = join_names(server);

    if (names == NULL)
        return;
    const struct self_signed made = {
        .names = span_str(names), .certificate = certificate, .key = key, .made_s = now_s
    };
    self_signed_adopt(&made);
    free(names);
}

bool self_signed_at(size_t index, struct self_signed *ret)
{
    for (size_t i = 0; i < SELF_SIGNED_MAX; i++) {
        if (table[i].octets == NULL || index-- > 0)
            continue;
        *ret = table[i].self_signed;
        return true;
    }
    return false;
}
