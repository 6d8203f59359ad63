/* mbed_sessions.c: a ring of sessions and a table of chains by id. See mbed_sessions.h. */
#include "tls/mbed_sessions.h"

#include "core/check.h"

#include <errno.h>
#include <mbedtls/platform_util.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DATA_MAX = 208 }; /* octets of a serialized session; it has some 120 */

#define NOTHING UINT32_MAX

struct entry {
    time_t made_s; /* CLOCK_BOOTTIME */
    uint32_t next; /* in its chain, or NOTHING */
    uint16_t len;  /* octets of `data`; 0: the entry is free */
    uint8_t id_len;
    unsigned char binding[MBED_BINDING_SIZE];
    unsigned char id[MBED_ID_MAX];
    unsigned char data[DATA_MAX];
};

struct mbed_sessions {
    pthread_mutex_t lock;
    uint32_t lifetime_s;
    uint32_t max;    /* entries */
    uint32_t used;   /* entries that have ever held a session: the first ones */
    uint32_t oldest; /* the entry to be taken next */
    uint32_t mask;   /* chains - 1; a power of two of them */
    uint32_t *chains;
    struct entry entries[];
};

static time_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec;
}

/* The ids kept here are random numbers of our own making, so their octets are hash enough. */
static uint32_t *chain_of(struct mbed_sessions *s, const unsigned char *id, size_t id_len)
{
    uint32_t hash = 0;
    memcpy(&hash, id, id_len < sizeof(hash) ? id_len : sizeof(hash));
    return &s->chains[hash & s->mask];
}

int mbed_sessions_create(uint32_t max, uint32_t lifetime_s, struct mbed_sessions **ret_sessions)
{
    CHECK(max >= 1);
    struct mbed_sessions *s = calloc(1, sizeof(*s) + max * sizeof(s->entries[0]));
    if (s == NULL)
        return -ENOMEM;
    uint32_t chains = 1;
    while (chains < max && chains < UINT32_MAX / 4)
        chains *= 2;
    s->chains = malloc(chains * sizeof(*s->chains));
    if (s->chains == NULL) {
        free(s);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < chains; i++)
        s->chains[i] = NOTHING;
    s->mask = chains - 1;
    s->max = max;
    s->lifetime_s = lifetime_s;
    pthread_mutex_init(&s->lock, NULL);
    *ret_sessions = s;
    return 0;
}

void mbed_sessions_destroy(struct mbed_sessions *s)
{
    if (s == NULL)
        return;
    /* Only what was written: zeros would take memory for entries that never had any. */
    mbedtls_platform_zeroize(s->entries, s->used * sizeof(s->entries[0]));
    pthread_mutex_destroy(&s->lock);
    free(s->chains);
    free(s);
}

/* Takes an entry that is in use out of its chain. */
static void unchain(struct mbed_sessions *s, uint32_t index)
{
    struct entry *entry = &s->entries[index];
    uint32_t *link = chain_of(s, entry->id, entry->id_len);

    while (*link != index) {
        CHECK(*link != NOTHING);
        link = &s->entries[*link].next;
    }
    *link = entry->next;
    mbedtls_platform_zeroize(entry->data, entry->len);
    entry->len = 0;
}

/* The entry of that id, or NOTHING. */
static uint32_t find(struct mbed_sessions *s, const unsigned char *id, size_t id_len)
{
    uint32_t i = *chain_of(s, id, id_len);

    while (i != NOTHING &&
           (s->entries[i].id_len != id_len || memcmp(s->entries[i].id, id, id_len) != 0))
        i = s->entries[i].next;
    return i;
}

bool mbed_sessions_put(struct mbed_sessions *s, const unsigned char *binding,
                       const unsigned char *id, size_t id_len, const mbedtls_ssl_session *session)
{
    unsigned char data[DATA_MAX];
    size_t len = 0;

    if (id_len == 0 || id_len > MBED_ID_MAX ||
        mbedtls_ssl_session_save(session, data, sizeof(data), &len) != 0)
        return false;
    pthread_mutex_lock(&s->lock);
    uint32_t index = s->oldest;
    s->oldest = index + 1 < s->max ? index + 1 : 0;
    if (index == s->used)
        s->used++;
    struct entry *entry = &s->entries[index];
    if (entry->len > 0)
        unchain(s, index);
    uint32_t *chain = chain_of(s, id, id_len);
    entry->made_s = now_s();
    entry->len = (uint16_t)len;
    entry->id_len = (uint8_t)id_len;
    memcpy(entry->binding, binding, sizeof(entry->binding));
    memcpy(entry->id, id, id_len);
    memcpy(entry->data, data, len);
    entry->next = *chain;
    *chain = index;
    pthread_mutex_unlock(&s->lock);
    mbedtls_platform_zeroize(data, sizeof(data));
    return true;
}

bool mbed_sessions_get(struct mbed_sessions *s, const unsigned char *binding,
                       const unsigned char *id, size_t id_len, mbedtls_ssl_session *session)
{
    unsigned char data[DATA_MAX];
    size_t len = 0;

    if (id_len == 0 || id_len > MBED_ID_MAX)
        return false;
    pthread_mutex_lock(&s->lock);
    uint32_t index = find(s, id, id_len);
    if (index != NOTHING) {
        const struct entry *entry = &s->entries[index];
        if (memcmp(entry->binding, binding, sizeof(entry->binding)) == 0 &&
            now_s() - entry->made_s < (time_t)s->lifetime_s) {
            len = entry->len;
            memcpy(data, entry->data, len);
        }
    }
    pthread_mutex_unlock(&s->lock);
    bool found = len > 0 && mbedtls_ssl_session_load(session, data, len) == 0;
    mbedtls_platform_zeroize(data, len);
    return found;
}

void mbed_sessions_drop(struct mbed_sessions *s, const unsigned char *id, size_t id_len)
{
    if (id_len == 0 || id_len > MBED_ID_MAX)
        return;
    pthread_mutex_lock(&s->lock);
    uint32_t index = find(s, id, id_len);
    if (index != NOTHING)
        unchain(s, index);
    pthread_mutex_unlock(&s->lock);
}
