/* log_syslog.h: a log that goes to a syslog daemon, each line a datagram, in the form of RFC 3164,
 * as nginx sends it: "<PRI>Mon dd hh:mm:ss HOST TAG: line". The destination is written as nginx has
 * it: syslog:                                            /dev/log
 *   syslog:server=unix:/run/log,facility=local0,tag=web
 *   syslog:server=[::1]:514,severity=notice,nohostname
 * Sends never wait: a datagram that there is no room for is lost, and the caller counts it. */
#ifndef CORE_LOG_SYSLOG_H
#define CORE_LOG_SYSLOG_H

#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

enum {
    LOG_SYSLOG_TAG_MAX = 32,         /* octets (RFC 3164 section 4.1.3) */
    LOG_SYSLOG_HOST_MAX = 255,       /* of the server's name */
    LOG_SYSLOG_PREFIX_MAX = 128,     /* of what stands in front of a line */
    LOG_SYSLOG_DATAGRAM_MAX = 65000, /* of a datagram; the rest of a longer line is cut off */
    LOG_SYSLOG_INFO = 6
};

struct log_syslog {
    uint8_t facility;                   /* 0 to 23 */
    uint8_t severity;                   /* 0 to 7, of lines that have none of their own */
    bool hostname;                      /* the name of this machine stands in each datagram */
    char tag[LOG_SYSLOG_TAG_MAX + 1];   /* letters, digits and '_' */
    char host[LOG_SYSLOG_HOST_MAX + 1]; /* name or numeric address; "": a unix socket */
    uint16_t port;
    struct sockaddr_storage address; /* complete for unix sockets; else log_syslog_aim() sets it */
    socklen_t address_len;           /* 0: not known yet */
};

/* Is it the destination of a log that goes to syslog, right or wrong? */
bool log_syslog_is(const char *text);

/* Reads a destination. NULL, or what is wrong, as the end of a sentence that begins with the text;
 * static. Looks nothing up. `ret_syslog` may be NULL. */
const char *log_syslog_parse(const char *text, struct log_syslog *ret_syslog);

/* Sends to this numeric address from now on. False: it is none. */
bool log_syslog_aim(struct log_syslog *syslog, const char *address);

/* Makes a socket that never waits, connected where that is possible now. The descriptor, close-on-
 * exec, which the caller owns, or -errno. A daemon that is not there is no failure: it may come. */
int log_syslog_open(const struct log_syslog *syslog);

/* Writes what stands in front of a line of `severity` at `wall_s` (local time, whose distance from
 * UTC is `offset_s`): at most LOG_SYSLOG_PREFIX_MAX octets. Returns its length.
 * Async-signal-safe. */
size_t log_syslog_prefix(const struct log_syslog *syslog, unsigned severity, int64_t wall_s,
                         int32_t offset_s, char *out);

/* Seconds that local time is ahead of UTC at `wall_s`. Not async-signal-safe. */
int32_t log_syslog_offset(int64_t wall_s);

/* Sends whole lines, each with its prefix and LF, each as a datagram without the LF; connects again
 * where the daemon was started anew. 0 or -errno; *ret_done tells how many octets, whole lines,
 * were sent or can never be. Async-signal-safe. */
int log_syslog_send(const struct log_syslog *syslog, int fd, const char *data, size_t len,
                    size_t *ret_done);

#endif
