/* packed.h: items that a test has made up, as a struct dir_listing keeps them. */
#ifndef TESTS_UNIT_PACKED_H
#define TESTS_UNIT_PACKED_H

#include "core/check.h"
#include "core/dir_pack.h"

/* The caller owns it: dir_pack_free(). */
static inline struct dir_pack *packed(const struct dir_item *items, size_t count)
{
    struct dir_pack *pack = dir_pack_create();

    CHECK(pack != NULL);
    for (size_t i = 0; i < count; i++)
        CHECK(dir_pack_add(pack, &items[i]) == 0);
    return pack;
}

#endif
