/* ticket_keys.h: the keys that session tickets are encrypted with (RFC 5077 section 4), of a
 * process and of those that it forks: they lie in memory that all of them share, so that one of
 * them makes the next key for all.
 *
 * A key encrypts for one lifetime and decrypts for one more; then it is gone, and what was recorded
 * under it can no longer be read. Whichever thread first asks after a lifetime is over makes the
 * next key: there is no timer. Keys are drawn from getrandom(2) and never leave these processes.
 * Knows no TLS library; thread-safe. */
#ifndef TLS_TICKET_KEYS_H
#define TLS_TICKET_KEYS_H

#include <stddef.h>
#include <stdint.h>

enum { TICKET_KEY_NAME_SIZE = 16, TICKET_KEY_CIPHER_SIZE = 32, TICKET_KEY_MAC_SIZE = 32 };

/* The layout that RFC 5077 section 4 recommends: the name stands in front of each ticket. */
struct ticket_key {
    unsigned char name[TICKET_KEY_NAME_SIZE];
    unsigned char cipher[TICKET_KEY_CIPHER_SIZE]; /* AES-256 */
    unsigned char mac[TICKET_KEY_MAC_SIZE];       /* HMAC-SHA256 */
};

enum ticket_key_use {
    TICKET_KEY_NONE,   /* unknown, or its time is over: a full handshake */
    TICKET_KEY_NEWEST, /* the one that encrypts now */
    TICKET_KEY_OLD     /* decrypts still; the client should get a new ticket */
};

struct ticket_keys;

/* Keys of which each encrypts for `lifetime_ms` (above 0), the first one made at `now_ms` (as
 * clock_monotonic_ms()). 0, or -errno (-ENOMEM, getrandom(2)). The caller owns it. */
int ticket_keys_create(uint32_t lifetime_ms, uint64_t now_ms, struct ticket_keys **ret_keys);

/* The same, held once more: each holder destroys it. NULL is allowed. */
struct ticket_keys *ticket_keys_hold(struct ticket_keys *keys);

/* From now on a key encrypts for so long (above 0), for all processes. */
void ticket_keys_set_lifetime(struct ticket_keys *keys, uint32_t lifetime_ms);

/* Lets go; the last holder's process gives its part of the memory back, and the last process's end
 * is the end of the keys (the kernel clears what it hands out). NULL is allowed. */
void ticket_keys_destroy(struct ticket_keys *keys);

/* Copies the key to encrypt with at `now_ms`, which the caller wipes. 0, or -errno: a key was due
 * and could not be made (getrandom(2)). */
int ticket_keys_newest(struct ticket_keys *keys, uint64_t now_ms, struct ticket_key *ret_key);

/* Copies the key of that name (TICKET_KEY_NAME_SIZE octets), if it may still decrypt at `now_ms`.
 * The caller wipes it. */
enum ticket_key_use ticket_keys_find(struct ticket_keys *keys, uint64_t now_ms,
                                     const unsigned char *name, struct ticket_key *ret_key);

/* The descriptor of the memory in which they lie, by which another program of this process comes to
 * them; -1: there is none. It stays the keys'. */
int ticket_keys_memory(const struct ticket_keys *keys);

/* In a worker: closes that descriptor; the memory stays. NULL is allowed. */
void ticket_keys_forget_memory(struct ticket_keys *keys);

/* Those that another program of this process has made. Takes `memory`, also on failure. 0; -EPROTO:
 * that program is of another version, or it is no such memory; or another -errno. The caller owns
 * them (ticket_keys_destroy()). */
int ticket_keys_adopt(int memory, struct ticket_keys **ret_keys);

#endif
