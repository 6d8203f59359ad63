/* ticket_keys.c: session ticket keys that rotate. See ticket_keys.h. */
#include "tls/ticket_keys.h"

#include "core/check.h"
#include "core/shared_memory.h"
#include "core/shared_mutex.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

enum { MAGIC = 0x7469636b, SHARED_VERSION = 1 /* changes with struct shared_keys */ };

/* In memory that all processes share, which may be of two binaries. */
struct shared_keys {
    uint32_t version; /* SHARED_VERSION */
    pthread_mutex_t lock; /* of what follows */
    uint32_t lifetime_ms;
    bool have_old;
    uint64_t made_ms; /* when `newest` was made, and `old` ceased to encrypt */
    struct ticket_key newest, old;
};

/* Of this process. */
struct ticket_keys {
    uint32_t magic;
    unsigned holders;
    int memory; /* descriptor of `shared`; -1: none */
    struct shared_keys *shared; /* the others may hold it still when this process lets go */
};

static int key_make(struct ticket_key *ret_key)
{
    struct ticket_key key;

    /* Up to 256 octets come whole (getrandom(2)). */
    static_assert(sizeof(key) <= 256, "a key is drawn at once");
    ssize_t len = getrandom(&key, sizeof(key), 0);
    if (len < 0)
        return -errno;
    CHECK((size_t)len == sizeof(key));
    *ret_key = key;
    explicit_bzero(&key, sizeof(key));
    return 0;
}

int ticket_keys_create(uint32_t lifetime_ms, uint64_t now_ms, struct ticket_keys **ret_keys)
{
    struct ticket_keys *keys = calloc(1, sizeof(*keys));
    int memory = -1;
    struct shared_keys *shared =
        shared_memory_make("gearshift-ticket-keys", sizeof(*shared), &memory);
    int res = keys == NULL || shared == NULL ? -ENOMEM : 0;

    CHECK(lifetime_ms > 0);
    if (res == 0)
        res = key_make(&shared->newest);
    if (res == 0)
        res = -shared_mutex_init(&shared->lock);
    if (res < 0) {
        if (shared != NULL)
            munmap(shared, sizeof(*shared));
        if (memory >= 0)
            close(memory);
        free(keys);
        return res;
    }
    shared->version = SHARED_VERSION;
    shared->lifetime_ms = lifetime_ms;
    shared->made_ms = now_ms;
    *keys = (struct ticket_keys){ .magic = MAGIC, .holders = 1, .memory = memory, .shared = shared };
    *ret_keys = keys;
    return 0;
}

int ticket_keys_memory(const struct ticket_keys *keys)
{
    CHECK_OBJ(keys, MAGIC);
    return keys->memory;
}

void ticket_keys_forget_memory(struct ticket_keys *keys)
{
    if (keys != NULL && keys->memory >= 0) {
        close(keys->memory);
        keys->memory = -1;
    }
}

int ticket_keys_adopt(int memory, struct ticket_keys **ret_keys)
{
    struct ticket_keys *keys = calloc(1, sizeof(*keys));
    struct shared_keys *shared = shared_memory_map(memory, sizeof(*shared));
    int res = keys == NULL ? -ENOMEM : shared == NULL ? -errno : 0;

    if (res == 0 && shared->version != SHARED_VERSION)
        res = -EPROTO;
    if (res < 0) {
        if (shared != NULL)
            munmap(shared, sizeof(*shared));
        close(memory);
        free(keys);
        return res;
    }
    *keys = (struct ticket_keys){
        .magic = MAGIC, .holders = 1, .memory = memory, .shared = shared
    };
    *ret_keys = keys;
    return 0;
}

struct ticket_keys *ticket_keys_hold(struct ticket_keys *keys)
{
    if (keys == NULL)
        return NULL;
    CHECK_OBJ(keys, MAGIC);
    keys->holders++;
    return keys;
}

void ticket_keys_destroy(struct ticket_keys *keys)
{
    if (keys == NULL)
        return;
    CHECK_OBJ(keys, MAGIC);
    if (--keys->holders > 0)
        return;
    ticket_keys_forget_memory(keys);
    munmap(keys->shared, sizeof(*keys->shared));
    keys->magic = 0;
    free(keys);
}

/* A process that has died with it may have left half a key: it makes its place anew. */
static void lock(struct shared_keys *keys)
{
    int error = pthread_mutex_lock(&keys->lock);
    if (error == EOWNERDEAD) {
        keys->made_ms = 0; /* both are too old to be believed */
        error = pthread_mutex_consistent(&keys->lock);
    }
    MUST(error == 0);
}

/* Brings the keys up to `now_ms`. The lock is held. */
static int rotate(struct shared_keys *keys, uint64_t now_ms)
{
    /* Another thread may have read its clock earlier and come later. */
    uint64_t age_ms = now_ms > keys->made_ms ? now_ms - keys->made_ms : 0;
    struct ticket_key next;

    if (age_ms < keys->lifetime_ms)
        return 0;
    int res = key_make(&next);
    if (res < 0)
        return res;
    /* What has lain idle for two lifetimes decrypts no more. */
    keys->have_old = age_ms < 2 * (uint64_t)keys->lifetime_ms;
    if (keys->have_old) {
        keys->old = keys->newest;
        keys->made_ms += keys->lifetime_ms;
    } else {
        explicit_bzero(&keys->old, sizeof(keys->old));
        keys->made_ms = now_ms;
    }
    keys->newest = next;
    explicit_bzero(&next, sizeof(next));
    return 0;
}

void ticket_keys_set_lifetime(struct ticket_keys *handle, uint32_t lifetime_ms)
{
    CHECK_OBJ(handle, MAGIC);
    CHECK(lifetime_ms > 0);
    lock(handle->shared);
    handle->shared->lifetime_ms = lifetime_ms;
    pthread_mutex_unlock(&handle->shared->lock);
}

int ticket_keys_newest(struct ticket_keys *handle, uint64_t now_ms, struct ticket_key *ret_key)
{
    CHECK_OBJ(handle, MAGIC);
    struct shared_keys *keys = handle->shared;
    lock(keys);
    int res = rotate(keys, now_ms);
    if (res == 0)
        *ret_key = keys->newest;
    pthread_mutex_unlock(&keys->lock);
    return res;
}

enum ticket_key_use ticket_keys_find(struct ticket_keys *handle, uint64_t now_ms,
                                     const unsigned char *name, struct ticket_key *ret_key)
{
    enum ticket_key_use use = TICKET_KEY_NONE;

    CHECK_OBJ(handle, MAGIC);
    struct shared_keys *keys = handle->shared;
    lock(keys);
    if (rotate(keys, now_ms) < 0) {
        /* No key is believed longer than its time. */
    } else if (memcmp(keys->newest.name, name, TICKET_KEY_NAME_SIZE) == 0) {
        *ret_key = keys->newest;
        use = TICKET_KEY_NEWEST;
    } else if (keys->have_old && memcmp(keys->old.name, name, TICKET_KEY_NAME_SIZE) == 0) {
        *ret_key = keys->old;
        use = TICKET_KEY_OLD;
    }
    pthread_mutex_unlock(&keys->lock);
    return use;
}
