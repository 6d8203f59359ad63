/* path_fields.h: header fields, and which of them an answer has by its path: as data, part of
 * struct config (config.h). */
#ifndef CONFIG_PATH_FIELDS_H
#define CONFIG_PATH_FIELDS_H

#include "match/pattern_set.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct root;
struct server;
struct template;

/* One header field to add: `headers = {"Name: value"}`. */
struct header_rule {
    char *name, *value;             /* the value is constant, but for `varying` */
    const char *written;            /* the value as written, with its variables; NULL: `value` */
    const struct template *varying; /* the value is this one's, put together for each answer; NULL:
                                       it is `value` */
    const struct pattern *captured; /* whose captures stand in it: the expression of the rule's own
                                       block; NULL: the location's */
    bool of_site;                   /* which is one of _headers */
};

/* What is done to the fields of an answer, in this order within a block. */
enum field_deed {
    FIELD_REMOVE, /* all of that name */
    FIELD_SET,    /* in the place of all of that name */
    FIELD_ADD,    /* beside those of that name */
    FIELD_APPEND  /* in the same line as the last of that name, behind ", " */
};

/* Which answers it is done to. USUAL: to all; but what says how long something may be kept
 * (config_field_is_caching()) is for no error. */
enum field_answers {
    FIELD_ANSWERS_USUAL,
    FIELD_ANSWERS_SUCCESS,
    FIELD_ANSWERS_ERRORS,
    FIELD_ANSWERS_ALL
};

struct field_rule {
    enum field_deed deed;
    struct header_rule field; /* REMOVE: its name alone */
};

/* `headers "*.html" { set = {"X-Frame-Options: DENY"} }` */
struct header_block {
    struct pattern pattern; /* of the path asked for, or of that of the file that is sent */
    struct field_rule *rules;
    size_t count;
    enum field_answers answers;
};

/* The headers blocks of a server, or of a location; or those of a file _headers. All that match
 * hold. */
struct header_blocks {
    struct header_block *blocks;
    size_t count;
    const struct pattern_set *set; /* of their patterns, in their order */
    bool is_file; /* of _headers: they hold in the order of the file, Link goes into a 103, and
                     what is set first of a name takes the place of what server.conf says, the rest
                     is beside it */
};

/* `cache "*.css" { control = "public, max-age=31536000"; expires = 1y }` */
struct cache_rule {
    struct pattern pattern; /* of the path that would lead to the file that is sent */
    char *control;          /* Cache-Control value, or NULL */
    int64_t expires_s; /* Expires: now + so many seconds, and max-age when control is NULL; -1: no
                          Expires field */
};

/* The cache blocks of a server, or of a location. */
struct cache_rules {
    struct cache_rule *rules;
    size_t count;
    const struct pattern_set *set; /* of their patterns, in their order */
};

/* The file _headers of a root. */
struct headers_file {
    const struct root *root;
    const char *path;
    const struct header_blocks *blocks; /* NULL: it has none, or there is none */
    const struct server *server; /* for whose hosts they are; NULL: for any, no line says a host */
    struct headers_file *next;
};

#endif
