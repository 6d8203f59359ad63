/* headers_host.h: signs in a line of a _headers, and lines that are for a host
 * ("https://:project.pages.dev/x"; headers_file.h). Pure. */
#ifndef CONFIG_HEADERS_HOST_H
#define CONFIG_HEADERS_HOST_H

#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    HEADERS_HOST_MAX = 253,    /* octets of a host, */
    HEADERS_HOST_SIGNS_MAX = 2 /* and '*' and :names in it: each multiplies the comparisons */
};

/* The names of the server that the file is read for, in lower case; "_" is any, "*.example.org" any
 * below that. */
struct headers_file_hosts {
    char *const *names;
    size_t count;
};

/* For which of the names a line holds. */
enum headers_host_holds {
    HEADERS_HOST_FOR_NONE,
    HEADERS_HOST_FOR_SOME, /* or for some of the hosts that a name with a '*' stands for */
    HEADERS_HOST_FOR_ALL
};

/* A letter, a digit or '_'. */
bool headers_is_word(char c);

/* Octets of the sign at the front of `text`, which is not empty: 1 for '*', those of ":name"; 0: it
 * is none. */
size_t headers_sign_len(struct span text);

/* Is there a sign anywhere in it? */
bool headers_has_sign(struct span text);

/* What speaks against the host of a line, the end of a sentence; NULL: nothing. `has_path`: there
 * is a '/' behind it. */
const char *headers_host_refused(struct span host, bool has_path);

/* Is the host, in which '*' is anything and ":name" one label, that of the names? It is not
 * refused. */
enum headers_host_holds headers_host_holds(struct span host,
                                           const struct headers_file_hosts *hosts);

#endif
