/* random_key.c: see random_key.h. */
#include "core/random_key.h"

#include "core/check.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

void random_key(uint64_t ret_key[2])
{
    uint64_t key[2];

    if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key)) {
        const void *given = (const void *)getauxval(AT_RANDOM);

        CHECK(given != NULL);
        memcpy(key, given, sizeof(key));
    }
    memcpy(ret_key, key, sizeof(key));
}
