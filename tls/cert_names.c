/* cert_names.c: see cert_names.h. */
#include "tls/cert_names.h"

#include "core/arena.h"
#include "core/check.h"
#include "config/name_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_MAX = 253 /* octets of a host name (RFC 1035 section 2.3.4, without the root) */ };

/* What was added. */
struct addition {
    struct span name; /* in lower case; in the arena */
    enum cert_kind kind;
    int32_t certificate;
    int64_t since;
};

struct cert_names {
    struct arena *arena;
    struct addition *additions; /* NULL once finished */
    size_t additions_count, room;
    struct name_table table; /* to an index into choices */
    struct cert_choice *choices;
    size_t choices_count;
};

struct cert_names *cert_names_create(void)
{
    struct cert_names *names = calloc(1, sizeof(*names));

    if (names == NULL)
        return NULL;
    names->arena = arena_create();
    if (names->arena == NULL) {
        free(names);
        return NULL;
    }
    return names;
}

void cert_names_destroy(struct cert_names *names)
{
    if (names == NULL)
        return;
    free(names->additions);
    arena_destroy(names->arena);
    free(names);
}

int cert_names_add(struct cert_names *names, struct span name, enum cert_kind kind, int64_t since,
                   int32_t certificate)
{
    CHECK(names->choices == NULL && certificate >= 0);
    if (names->additions_count == names->room) {
        size_t room = names->room > 0 ? 2 * names->room : 64;
        struct addition *additions =
            reallocarray(names->additions, room, sizeof(names->additions[0]));
        if (additions == NULL)
            return -ENOMEM;
        names->additions = additions;
        names->room = room;
    }
    char *copy = arena_strndup(names->arena, name.ptr, name.len);
    if (copy == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < name.len; i++)
        copy[i] = (char)(copy[i] >= 'A' && copy[i] <= 'Z' ? copy[i] | 0x20 : copy[i]);
    names->additions[names->additions_count++] =
        (struct addition){ span_make(copy, name.len), kind, certificate, since };
    return 0;
}

/* By name and kind; the one that is taken first. */
static int compare(const void *a, const void *b)
{
    const struct addition *x = a, *y = b;
    size_t len = x->name.len < y->name.len ? x->name.len : y->name.len;
    int order = memcmp(x->name.ptr, y->name.ptr, len);

    if (order != 0)
        return order;
    if (x->name.len != y->name.len)
        return x->name.len < y->name.len ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->since != y->since)
        return x->since > y->since ? -1 : 1;
    return x->certificate < y->certificate ? -1 : x->certificate > y->certificate;
}

int cert_names_finish(struct cert_names *names)
{
    size_t count = names->additions_count;

    if (count > 0)
        qsort(names->additions, count, sizeof(names->additions[0]), compare);
    names->choices = arena_array(names->arena, count, sizeof(names->choices[0]));
    if (names->choices == NULL || name_table_make(names->arena, count, false, &names->table) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct addition *addition = &names->additions[i];
        if (i == 0 || !span_eq(addition->name, names->additions[i - 1].name)) {
            struct cert_choice *choice = &names->choices[names->choices_count];
            for (size_t kind = 0; kind < CERT_KINDS; kind++)
                choice->certificates[kind] = CERT_NONE;
            name_table_add(&names->table, addition->name, names->choices_count++);
        }
        int32_t *taken = &names->choices[names->choices_count - 1].certificates[addition->kind];
        if (*taken == CERT_NONE)
            *taken = addition->certificate;
    }
    free(names->additions);
    names->additions = NULL;
    return 0;
}

static const struct cert_choice *find(const struct cert_names *names, struct span name)
{
    const struct name_slot *slot = name_table_find(&names->table, name_hash(name), name);

    return slot != NULL ? &names->choices[slot->index] : NULL;
}

const struct cert_choice *cert_names_find(const struct cert_names *names, struct span host)
{
    char text[HOST_MAX + 1];

    CHECK(names->choices != NULL);
    if (host.len == 0 || host.len > HOST_MAX)
        return NULL;
    for (size_t i = 0; i < host.len; i++)
        text[i] =
            (char)(host.ptr[i] >= 'A' && host.ptr[i] <= 'Z' ? host.ptr[i] | 0x20 : host.ptr[i]);
    const struct cert_choice *choice = find(names, span_make(text, host.len));
    const char *dot = memchr(text, '.', host.len);
    if (choice != NULL || dot == NULL || dot == text)
        return choice;
    /* The star takes the place of the first label, whatever that is, and of no more. */
    size_t label = (size_t)(dot - text);
    text[label - 1] = '*';
    return find(names, span_make(text + label - 1, host.len - label + 1));
}

size_t cert_names_count(const struct cert_names *names)
{
    return names->choices_count;
}
