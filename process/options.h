/* options.h: the command line. Reads arguments only: what they name is judged by config_load(). */
#ifndef PROCESS_OPTIONS_H
#define PROCESS_OPTIONS_H

#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>

enum options_action {
    OPTIONS_SERVE,
    OPTIONS_TEST,    /* -t */
    OPTIONS_PRINT,   /* -T */
    OPTIONS_HELP,    /* -h */
    OPTIONS_VERSION, /* -v */
    OPTIONS_BUILD,   /* -V */
};

struct options {
    enum options_action action;
    bool strict;                 /* --strict: a test refuses what it would warn of */
    struct config_source source; /* its strings are argv's, or the members' below */
    char listen[128];            /* source.listen points here */
    char tls_listen[128];        /* source.tls_listen points here */
    const char **settings;       /* source.settings points here; owned */
};

/* Reads argv, which is borrowed for the life of `ret_options` and may be reordered
 * (getopt_long(3)). 0 and options that the caller frees (options_free()), or -EINVAL and one
 * sentence. Without a folder and without -c the installed server.conf is taken, and has to exist.
 */
int options_parse(int argc, char **argv, char *why, size_t why_size, struct options *ret_options);

/* Writes the sentence into `why`, as what is wrong with arguments. -EINVAL, always. */
int options_refuse(char *why, size_t why_size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void options_free(struct options *options);

/* The help of -h, but for the list of engines, which core does not know. A literal. */
const char *options_help(void);

/* Where the installed configuration is looked for. A literal. */
const char *options_default_file(void);

#endif
