/* config_keys.h: the one table of what may stand in server.conf.
 *
 * A key's name, the blocks it belongs to, its type, default, range and help line stand here and
 * nowhere else: the parser, the checks, -o, the environment and -T are derived from this
 * table, and a test holds docs/server.conf.md and man/server.conf.5 to it. */
#ifndef CONFIG_CONFIG_KEYS_H
#define CONFIG_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_block_kind {
    CONFIG_TOP,
    CONFIG_SERVER,
    CONFIG_LOCATION,
    CONFIG_REDIRECT,
    CONFIG_CACHE,
    CONFIG_AUTH,
    CONFIG_MAP,
    CONFIG_FIELDS,
    CONFIG_BLOCK_KINDS
};

/* A block, `name "title" { ... }`. */
struct config_block_type {
    const char *name;  /* CONFIG_TOP: "" */
    unsigned parents;  /* bits 1 << kind: the blocks that it may stand in; CONFIG_TOP: 0 */
    const char *where; /* "at the top level", "in a server block": to say where something stands */
    const char *title; /* an example of its title */
    const char *help;
    bool has_pattern; /* its title is a pattern (match/pattern.h), before which a word may stand */
};

/* How a value is written, and the type of what it becomes. The lists come last. */
enum config_type {
    CONFIG_BOOL,     /* bool */
    CONFIG_COUNT,    /* uint32_t */
    CONFIG_SIZE32,   /* uint32_t, octets */
    CONFIG_SIZE64,   /* uint64_t, octets */
    CONFIG_DURATION, /* uint32_t, milliseconds */
    CONFIG_CHOICE,   /* an enum: the index into `choices` */
    CONFIG_TEXT,     /* char * */
    CONFIG_PATH,     /* char *, made absolute */
    CONFIG_EXPIRES,  /* int64_t, seconds */
    CONFIG_TEXTS,    /* first of the lists: char ** and size_t */
    CONFIG_LISTEN,
    CONFIG_TYPES,
    CONFIG_ERROR_PAGES,
    CONFIG_HEADERS,
    CONFIG_CODINGS,
    CONFIG_PATHS, /* each made absolute */
    CONFIG_PROTOCOLS,
    CONFIG_INCLUDE /* a statement, not an assignment: include("file") */
};

#define CONFIG_NO_OFFSET SIZE_MAX

struct config_key {
    const char *name;
    const char *group; /* heading in the reference */
    unsigned blocks;   /* bits 1 << kind */
    enum config_type type;
    const char *fallback;       /* the default, as in the file; a list without its braces; NULL:
                                   none */
    uint64_t min, max;          /* COUNT; SIZE*: octets; DURATION: ms; EXPIRES: s; TEXTS: `max`
                                   elements, or any number with 0 */
    const char *const *choices; /* CHOICE: the words, NULL behind the last */
    const char *special;        /* TEXT, PATH: a word that is neither, such as "off"; or NULL */
    const char *instead; /* DURATION: a word that is none and is stored as UINT32_MAX; or NULL
                          */
    bool streams;        /* PATH: "stdout", "stderr" and "syslog:..." are such words, too */
    const char *(*check)(const char *text); /* TEXT, TEXTS: NULL or what is wrong, config_text.h */
    const char *allowed; /* TEXT, PATH and lists: completes "allowed: ..."; else derived */
    size_t offset;       /* of the value, in struct config (keys of the top level) or struct
                            location; CONFIG_NO_OFFSET: handled by name */
    size_t count_offset; /* TEXTS: of the number of elements */
    const char *help;
};

/* Number of keys; they are counted from 0 in the order of the reference. */
#define CONFIG_KEYS_COUNT 181

const struct config_key *config_key_at(size_t index);
size_t config_key_index(const struct config_key *key);
const struct config_block_type *config_block_type_at(enum config_block_kind kind);

/* The key, whatever block it belongs to, or NULL. A name may be that of two keys in different
 * blocks
 * (`control`): of these the first in the order of the reference. */
const struct config_key *config_key_find(const char *name);

/* The key that has this name in a block of `kind`; where none may stand there, as
 * config_key_find(). */
const struct config_key *config_key_in(enum config_block_kind kind, const char *name);

/* Where keys of this name may stand: bits 1 << kind; 0: there is none. */
unsigned config_key_blocks(const char *name);

/* Writes a value of a key of that type, CONFIG_DURATION, as in the file: perhaps its word
 * `instead`. */
void config_key_duration(const struct config_key *key, uint32_t value, char *text, size_t size);

/* Is its value a list? */
bool config_key_is_list(const struct config_key *key);

/* The kind of block of that name; CONFIG_TOP when there is none. */
enum config_block_kind config_block_find(const char *name);

/* Writes where something that may stand in `blocks` may stand: "in a server block or in a location
 * block". Cut at `size`. */
void config_blocks_where(unsigned blocks, char *text, size_t size);

/* The name of the key or block that may stand in `block` and is spelled most like `name`; NULL when
 * nothing comes near. */
const char *config_nearest(enum config_block_kind block, const char *name);

/* Writes what a key allows: "a duration from 10ms to 1d, as in 500ms, 10s, 1m, 2h, 1d or 1y".
 * Cut at `size`. */
void config_key_allowed(const struct config_key *key, char *text, size_t size);

#endif
