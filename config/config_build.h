/* config_build.h: what every step of making a configuration needs: memory, the world outside, and a
 * place for the one sentence that tells why it failed.
 *
 * The way of a setting: text -> config_lex.c (tokens) -> config_parse.c and config_include.c (a
 * tree, config_tree.h, still text, each value with its place) -> config_source.c (command line,
 * environment) -> config_load.c, config_server.c (values, defaults, inheritance) -> struct config,
 * and config_check.c (what holds between settings). Only these files include this one, and tests,
 * which need no file system that way. */
#ifndef CONFIG_CONFIG_BUILD_H
#define CONFIG_CONFIG_BUILD_H

#include "core/arena.h"
#include "config/name_table.h"

#include <stddef.h>
#include <stdint.h>

struct host_addresses;

/* Where something was said: a line of a file, or (line 0) a name that needs none: "-o index". */
struct config_place {
    const char *file; /* NULL: nowhere */
    int line, column; /* counted from 1; columns in octets */
};

/* The world outside, or a test's idea of it. */
struct config_files {
    /* 0 and malloc(3)ed text that the caller owns, or -errno. */
    int (*read)(void *context, const char *path, char **ret_text, size_t *ret_len);
    /* The files whose absolute path matches the pattern of glob(7), in order of their names: 0 and
     * malloc(3)ed text that the caller owns, their paths, each with a NUL behind it; or -errno.
     * NULL: nothing ever matches. */
    int (*match)(void *context, const char *pattern, char **ret_paths, size_t *ret_len);
    /* 0 for a directory, or -errno (-ENOTDIR, -ENOENT, ...; -ETIMEDOUT: who has it does not
     * answer). */
    int (*directory)(void *context, const char *path);
    /* As `read`, a file that a key names: a regular one, that root opens by its rules
     * (safe_open.h); with -errno perhaps the end of a sentence, static. NULL: as `read`. */
    int (*read_data)(void *context, const char *path, char **ret_text, size_t *ret_len,
                     const char **ret_what);
    void *context;
    const char *working_directory; /* absolute; borrowed */
    /* The addresses of a host: as host_name_find(). NULL: no name is known. */
    int (*resolve)(const char *name, struct host_addresses *ret_addresses, const char **ret_what);
};

struct listen_config;
struct config_note;
struct access_rules;
struct client_rules;
struct htpasswd;

/* What several servers may share, by its text: indices into the lists of struct config. */
struct config_shared {
    struct name_table listens, roots, access_logs;
    const struct listen_config **wide; /* addresses that may overlap with others */
    size_t wide_count;
    struct access_rules *access; /* of servers that say nothing; NULL: not made yet */
    struct name_table clients;   /* into client_rules, by what they are made of */
    const struct client_rules **client_rules;
    size_t client_rules_count;
    struct name_table users; /* into user_files, by path */
    const struct htpasswd **user_files;
    size_t user_files_count;
};

struct config_build {
    struct arena *arena;   /* the configuration's */
    struct arena *scratch; /* for the load alone: text, places, what was said */
    const struct config_files *files;
    char *why;
    size_t why_size;
    struct config_shared *shared; /* while servers are made (config_server.c), else NULL */
    uint64_t hash_key[2];         /* of tables whose texts strangers may have chosen (siphash.h) */
    struct config_note **notes;   /* config_notes.h: the last one; NULL: none are taken */
};

/* Writes the sentence into build->why: the place, the subject (a key, a block; left out when the
 * name of the place tells it), what is wrong. Where there is no subject to look for in the line,
 * the place has its column. Octets that are no text are replaced. Returns -EINVAL. */
int config_fail(const struct config_build *build, struct config_place place, const char *subject,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Likewise, and behind that what would be right: "; allowed: ...". */
int config_fail_allowed(const struct config_build *build, struct config_place place,
                        const char *subject, const char *allowed, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Likewise, and behind that what to do: "; add ...". */
int config_fail_advise(const struct config_build *build, struct config_place place,
                       const char *subject, const char *advice, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* The text of a file that a key names, which the caller frees: 0, or -errno, and perhaps the end of
 * a sentence that says more than strerror(3). */
int config_data_read(const struct config_build *build, const char *path, char **ret_text,
                     size_t *ret_len, const char **ret_what);

/* The part of the path before the last '/', "." when it has none; in scratch. NULL: no memory. */
char *config_folder(const struct config_build *build, const char *path);

/* `text` as an absolute path without empty and "." segments: below the folder of the file that says
 * it, or, said anywhere else, below the working directory; in the configuration's arena. NULL: no
 * memory. */
char *config_path(const struct config_build *build, struct config_place place, const char *text);

#endif
