/* redirect_table.c: see redirect_table.h. */
#include "config/redirect_table.h"

#include "core/check.h"

#include <errno.h>

int redirect_table_make(struct arena *arena, const uint64_t key[2], struct server *server)
{
    struct redirect_table *table = arena_alloc(arena, sizeof(*table));
    struct span *texts = arena_array(arena, server->redirects_count, sizeof(texts[0]));
    size_t count = server->redirects_count, prefixes = 0, longest = 0;

    if (table == NULL || texts == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        texts[i] = server->redirects[i].from;
        if (!redirect_is_prefix(&server->redirects[i]))
            continue;
        prefixes++;
        longest = texts[i].len > longest ? texts[i].len : longest;
    }
    table->lengths = arena_array(arena, longest / 64 + 1, sizeof(table->lengths[0]));
    /* Indices are those of all: each table has room for all that its own share needs. */
    if (table->lengths == NULL ||
        text_table_make(arena, texts, count - prefixes, key, &table->exact) < 0 ||
        text_table_make(arena, texts, prefixes, key, &table->prefix) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        bool prefix = redirect_is_prefix(&server->redirects[i]);

        (void)text_table_add(prefix ? &table->prefix : &table->exact, (uint32_t)i);
        if (prefix)
            table->lengths[texts[i].len / 64] |= UINT64_C(1) << texts[i].len % 64;
    }
    server->redirects_table = table;
    return 0;
}

uint32_t redirect_table_find(const struct redirect_table *table, struct span path)
{
    uint32_t found = text_table_find(&table->exact, path);
    size_t len = path.len < table->prefix.len_max ? path.len : table->prefix.len_max;

    for (; found == TEXT_TABLE_NONE && len > 0; len--) {
        if (path.ptr[len - 1] == '/' && (table->lengths[len / 64] >> len % 64 & 1) != 0)
            found = text_table_find(&table->prefix, span_make(path.ptr, len));
    }
    return found;
}
