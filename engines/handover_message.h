/* handover_message.h: what handover_send.c and handover_receive.c say to each other. A newer binary
 * may be the receiver: the version stands first, and whoever does not know it takes nothing. All
 * numbers are the machine's: both sides run on it. docs/decisions/0039 has the reasons. */
#ifndef ENGINES_HANDOVER_MESSAGE_H
#define ENGINES_HANDOVER_MESSAGE_H

#include "engines/handover.h"

#include <assert.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { HANDOVER_VERSION = 1 };

/* In front of a message. */
struct handover_head {
    uint32_t version; /* HANDOVER_VERSION */
    uint32_t count;   /* records behind it, and descriptors beside it, in the same order */
    uint64_t number;  /* of this message; the acknowledgement has it, too, in every version here */
};

/* One connection. */
struct handover_record {
    int32_t address;   /* index in the receiver's config.listens */
    uint32_t requests; /* begun on it */
    uint64_t since_ms; /* idle since then (CLOCK_MONOTONIC) */
    uint16_t port;     /* of the client, host order */
    uint8_t family;    /* enum peer_family */
    uint8_t zero;
    uint8_t addr[16];
    uint32_t flags; /* HANDOVER_FLAGS; a receiver refuses what has others */
};

/* Of a record. A value never changes its meaning. */
enum {
    HANDOVER_HEADER_DUE = 1 << 0, /* as SESSION_MOVED_HEADER_DUE */
    HANDOVER_NAMED = 1 << 1,      /* as SESSION_MOVED_NAMED */
    HANDOVER_FLAGS = HANDOVER_HEADER_DUE | HANDOVER_NAMED
};

static_assert((int)HANDOVER_HEADER_DUE == (int)SESSION_MOVED_HEADER_DUE &&
                  (int)HANDOVER_NAMED == (int)SESSION_MOVED_NAMED,
              "they are passed on as they are");

static_assert(sizeof(struct handover_head) == 16 && sizeof(struct handover_record) == 40,
              "the same for every compiler");

struct handover_message {
    struct handover_head head;
    struct handover_record records[HANDOVER_MAX];
};

/* The answer. */
struct handover_ack {
    uint32_t version;
    uint32_t zero;
    uint64_t number;
    uint64_t taken; /* bit i: connection i is the receiver's from now on */
};

/* Room for the descriptors of a message. */
union handover_control {
    char room[CMSG_SPACE(HANDOVER_MAX * sizeof(int))];
    struct cmsghdr align;
};

#endif
