/* access_format.h: what a line of an access log looks like: a text with variables, compiled once
 * when the configuration is loaded into a list of pieces, so that no request parses it again. The
 * names are nginx's. Pure. How pieces become a line: access_line.h. */
#ifndef CORE_ACCESS_FORMAT_H
#define CORE_ACCESS_FORMAT_H

#include "core/arena.h"
#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ACCESS_PIECES_MAX = 64,   /* variables in one format */
    ACCESS_FIELDS_MAX = 16,   /* different $http_NAME in one format */
    ACCESS_OTHERS_MAX = 16,   /* different variables that somebody else knows, likewise */
    ACCESS_FORMAT_MAX = 4096, /* octets of its text */
    ACCESS_SPAN_MAX = 8192,   /* octets of one value that are logged */
    ACCESS_ESCAPE_MAX = 6,    /* octets that one octet becomes: \u00HH; the rest is shorter */
    ACCESS_USER_MAX = 256,    /* octets of the name of a user: more than HTPASSWD_NAME_MAX */
    ACCESS_NUMBER_MAX = 32,   /* octets of a number, a time or a date */
    ACCESS_COPY = 16,         /* octets that may be read behind a text, and written behind a line */
    ACCESS_NAME_MAX = 64,     /* octets of a variable's name */
    ACCESS_STATUS_NO_ANSWER = 499 /* nginx's number for a client that closed first */
};

/* How values are escaped; nginx's words. Both give printable ASCII, and an end of line in no case.
 */
enum access_escape {
    ACCESS_ESCAPE_DEFAULT, /* \xHH; what is empty is "-" */
    ACCESS_ESCAPE_JSON     /* as the text of a JSON string; what is empty is empty */
};

/* In the order of access_format.c's table. */
enum access_variable {
    ACCESS_ARGS,
    ACCESS_AUTHORITY,
    ACCESS_BODY_BYTES_SENT,
    ACCESS_BYTES_SENT,
    ACCESS_CONNECTION,
    ACCESS_CONNECTION_REQUESTS,
    ACCESS_DOCUMENT_URI,
    ACCESS_HOST,
    ACCESS_HOSTNAME,
    ACCESS_HTTPS,
    ACCESS_IS_ARGS,
    ACCESS_MSEC,
    ACCESS_PATH,
    ACCESS_PID,
    ACCESS_QUERY,
    ACCESS_QUERY_STRING,
    ACCESS_REMOTE_ADDR,
    ACCESS_REMOTE_PORT,
    ACCESS_REMOTE_USER,
    ACCESS_REQUEST,
    ACCESS_REQUEST_ID,
    ACCESS_REQUEST_LENGTH,
    ACCESS_REQUEST_METHOD,
    ACCESS_REQUEST_TIME,
    ACCESS_REQUEST_TIME_MS,
    ACCESS_REQUEST_URI,
    ACCESS_SCHEME,
    ACCESS_SERVER_NAME,
    ACCESS_SERVER_PORT,
    ACCESS_SERVER_PROTOCOL,
    ACCESS_SSL_CIPHER,
    ACCESS_SSL_CLIENT_I_DN,
    ACCESS_SSL_CLIENT_S_DN,
    ACCESS_SSL_CLIENT_SERIAL,
    ACCESS_SSL_CLIENT_VERIFY,
    ACCESS_SSL_PROTOCOL,
    ACCESS_SSL_SERVER_NAME,
    ACCESS_STATUS,
    ACCESS_TIME_ISO8601,
    ACCESS_TIME_LOCAL,
    ACCESS_TIME_UTC,
    ACCESS_TLS_CIPHER,
    ACCESS_TLS_CLIENT_FINGERPRINT,
    ACCESS_TLS_CLIENT_ISSUER,
    ACCESS_TLS_CLIENT_SERIAL,
    ACCESS_TLS_CLIENT_SUBJECT,
    ACCESS_TLS_CLIENT_VERIFY,
    ACCESS_TLS_PROTOCOL,
    ACCESS_TLS_SERVER_NAME,
    ACCESS_URI,
    ACCESS_NAMED,      /* so many stand in the table */
    ACCESS_REFERER,    /* $http_referer */
    ACCESS_USER_AGENT, /* $http_user_agent */
    ACCESS_HTTP,       /* any other $http_NAME: struct access_piece.index */
    ACCESS_SENT,       /* $sent_http_NAME: likewise, an enum access_sent */
    ACCESS_OTHER,      /* what somebody else knows: likewise, more->others */
    ACCESS_NOTHING     /* the text behind the last variable */
};

/* The fields of an answer that can be logged. */
enum access_sent {
    ACCESS_SENT_CACHE_CONTROL,
    ACCESS_SENT_CONNECTION,
    ACCESS_SENT_CONTENT_ENCODING,
    ACCESS_SENT_CONTENT_LENGTH,
    ACCESS_SENT_CONTENT_RANGE,
    ACCESS_SENT_CONTENT_TYPE,
    ACCESS_SENT_ETAG,
    ACCESS_SENT_LAST_MODIFIED,
    ACCESS_SENT_LOCATION,
    ACCESS_SENT_COUNT
};

/* What a format asks for beyond struct access_record's own members, as bits. */
enum access_need {
    ACCESS_NEEDS_MORE = 1 << 0,       /* record->more */
    ACCESS_NEEDS_REQUEST_ID = 1 << 1, /* more->request_id */
    ACCESS_NEEDS_HTTP = 1 << 2,       /* more->http */
    ACCESS_NEEDS_SENT = 1 << 3,       /* more->sent */
    ACCESS_NEEDS_ID_SENT = 1 << 4     /* of no format: an answer tells its id */
};

/* A text, and the variable behind it. ACCESS_COPY octets can be read where it begins. */
struct access_piece {
    struct span text;
    uint8_t variable; /* enum access_variable */
    uint8_t index;
};

struct access_format {
    const struct access_piece *pieces;
    size_t count;
    enum access_escape escape;
    unsigned needs;            /* enum access_need */
    const struct span *fields; /* names of $http_NAME, as ACCESS_HTTP's index counts them: in lower
                                  case, with '_' for '-' */
    size_t fields_count;
    const struct span
        *others; /* names that somebody else knows, as ACCESS_OTHER's index counts them */
    size_t others_count;
    size_t line_max;  /* octets of a line at most, with its LF and what is written too much */
    const char *text; /* as written: "combined", "json", or the format itself */
};

/* Who knows variables beyond those of this file: of a query, of cookies, of maps. */
struct access_names {
    /* Takes the name as number `index` of the format's others: 0; -ENOMEM; or -EINVAL and in `what`
     * (cut at `what_size`) why not, to stand behind the name of the key. */
    int (*take)(void *context, struct span name, size_t index, char *what, size_t what_size);
    void *context;
};

/* Compiles "combined", "json" or a text with variables, at least one: $name or ${name}. In front of
 * it may stand "escape=json " or "escape=default ". "$$" is a dollar sign. `names` (NULL: nobody
 * knows more) is borrowed for the call. All of the result comes from `arena` and lives as long. 0;
 * -ENOMEM; or -EINVAL and in `what` (cut at `what_size`) what is wrong and what is allowed, to
 * stand behind the name of the key. */
int access_format_compile(struct arena *arena, const char *text, const struct access_names *names,
                          char *what, size_t what_size, const struct access_format **ret_format);

/* Name number `i` of those that this file knows; NULL behind the last. */
const char *access_format_name_at(size_t i);

/* Does this file know a variable of that name? */
bool access_format_knows(struct span name);

/* The field of an answer of this name (compared without case), or -1: it is not among them. */
int access_sent_find(struct span name);

#endif
