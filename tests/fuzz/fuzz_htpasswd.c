/* fuzz_htpasswd.c: arbitrary octets as a file of passwords. Whoever is in what is accepted is found
 * by name, has a hash that can be looked at, and whoever is not is not found. */
#include "core/htpasswd.h"

#include "core/arena.h"
#include "core/check.h"
#include "core/password.h"

#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Is it looked at in no time? What libcrypt takes may be seconds, as the hash says. */
static bool is_fast(const char *hash)
{
    return strncmp(hash, "$1$", 3) == 0 || strncmp(hash, "$apr1$", 6) == 0 || hash[0] == '{';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct htpasswd file;
    struct htpasswd_fault fault;

    CHECK(arena != NULL);
    int res = htpasswd_parse(span_make((const char *)data, size), arena, &file, &fault);
    if (res == 0) {
        for (size_t i = 0; i < file.count; i++) {
            const struct htpasswd_user *user = &file.users[i];

            CHECK(htpasswd_find(&file, span_str(user->name)) == user);
            CHECK(password_hash_check(user->hash) == NULL);
            CHECK(i == 0 || strcmp(file.users[i - 1].name, user->name) < 0);
            if (i == 0 && is_fast(user->hash))
                CHECK(password_verify("x", user->hash) >= 0);
        }
        CHECK(htpasswd_find(&file, SPAN_LIT("")) == NULL);
    } else {
        CHECK(res == -EINVAL && fault.line > 0 && fault.what != NULL);
    }
    arena_destroy(arena);
    return 0;
}
