/* access_line.h: one answered request, and how it becomes a line of an access log. Pure, and
 * without snprintf(3), since it is part of every request. */
#ifndef CORE_ACCESS_LINE_H
#define CORE_ACCESS_LINE_H

#include "core/access_format.h"
#include "core/client_certificate.h"
#include "core/clock.h"
#include "core/span.h"

#include <stdint.h>

/* What only some formats ask for (ACCESS_NEEDS_MORE). Spans as in struct access_record. */
struct access_more {
    struct span method, target, uri, protocol;
    struct span args;        /* without its '?' */
    struct span host;        /* of the request, else the server's name */
    struct span server_name; /* its title */
    struct span scheme;
    struct span tls_protocol, tls_cipher;         /* empty without TLS */
    struct span tls_server_name;                  /* that the client asked for */
    struct span tls_verify;                       /* SUCCESS or NONE; empty without TLS */
    const struct client_certificate *certificate; /* the client's, or NULL */
    struct span request_id;
    struct span http[ACCESS_FIELDS_MAX]; /* by access_piece.index */
    struct span sent[ACCESS_SENT_COUNT]; /* by enum access_sent */
    const struct span *others;           /* by access_piece.index; NULL where there are none */
    uint64_t bytes_sent;                 /* of the whole answer, handed to the kernel or to TLS */
    uint64_t request_length;             /* octets of the request, its body included */
    uint64_t connection;                 /* number of the connection, counted by the process */
    uint64_t connection_requests;        /* begun on it, this one included */
    uint16_t server_port, remote_port;   /* 0: a unix socket */
};

/* What one answered request leaves in the access log. All spans are borrowed for the call and may
 * hold any octet. */
struct access_record {
    struct span peer;         /* address text */
    struct span host;         /* as the request names it, without port; $authority */
    struct span request_line; /* as received, without CRLF */
    struct span referer, user_agent;
    struct span user;     /* who it is; empty: nobody knows */
    const char *log_date; /* struct clock's */
    int64_t wall_s;
    int32_t wall_ms;
    uint32_t duration_ms;           /* first octet of the request to the last of the answer */
    uint16_t status;                /* 0: closed before an answer, logged as 499, as nginx does */
    uint64_t body_bytes;            /* of the body handed to the kernel */
    const struct access_more *more; /* NULL where the format does not need it */
};

/* The second of the last line in UTC, since most lines are of the second of the line before. Zeroed
 * at first; one a thread or log. */
struct access_stamp {
    int64_t s;
    char utc[CLOCK_UTC_LEN + 1];
};

/* Writes one line with its LF at `out`, where format->line_max octets are free, and returns its
 * end. It is printable ASCII but for what the format itself says, so that one request is one line
 * whatever it held. Escaped as \xHH: every other octet, '"' and '\'. JSON (RFC 8259): every other
 * character of UTF-8, '"' and '\' as \uHHHH, those beyond U+FFFF as two of them; an octet that is
 * not UTF-8 as \\xHH, which reads as the text \xHH. A span is cut after ACCESS_SPAN_MAX octets,
 * between characters. */
char *access_line_put(char *out, const struct access_format *format,
                      const struct access_record *record, struct access_stamp *stamp);

#endif
