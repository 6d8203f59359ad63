/* map_values.h: `map "$uri" "$new" { ... }` as configured: a variable, and what it stands for
 * (match/map.h finds it). Part of config.h, for those who look inside. */
#ifndef CONFIG_MAP_VALUES_H
#define CONFIG_MAP_VALUES_H

#include "match/map.h"
#include "match/template.h"

enum {
    CONFIG_MAPS_MAX = 200,   /* an index is an octet (struct template_piece) */
    CONFIG_MAP_DEPTH_MAX = 4 /* maps that look at maps that look at maps */
};

/* What an entry stands for. */
struct config_map_value {
    const struct template *template; /* NULL: `text` is all of it */
    struct span text;
    const char *file; /* where it stands, for who explains an answer; "": among options */
    size_t line;
};

/* An entry in the block itself, as written. */
struct config_map_entry {
    const char *key, *value;
};

struct config_map {
    const char *name;                      /* of the variable, without '$' */
    const struct template *source;         /* what is looked up */
    const struct map *map;                 /* finds an index into values; */
    const struct config_map_value *values; /* that of no entry is none */
    size_t count;
    unsigned depth; /* 1: it looks at no other map; 2: at such a one */
    bool ignore_case;
    bool hostnames; /* keys may be patterns of names */
    char **files;
    size_t files_count;
    struct config_map_entry *entries; /* those that stand in no file */
    size_t entries_count;
};

#endif
