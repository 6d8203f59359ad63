/* config_parse.c: the table of keys as libConfuse's options, and libConfuse's tree as ours. */
#include "config/config_parse.h"
#include "core/check.h"
#include "config/config_scan.h"

#include <confuse.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The options of one kind of block: its keys, the blocks in it, its title, and the end. */
#define OPTIONS_MAX (CONFIG_KEYS_COUNT + CONFIG_BLOCK_KINDS + 2)

struct option_sets {
    cfg_opt_t of[CONFIG_BLOCK_KINDS][OPTIONS_MAX];
};

/* What libConfuse keeps of a value. */
struct raw_value {
    int line; /* of the flat text */
    char text[];
};

/* libConfuse's callback for a value: a pointer type, so that each value has its line. */
static int value_make(cfg_t *cfg, cfg_opt_t *option, const char *text, void *ret_value)
{
    size_t size = strlen(text) + 1;
    struct raw_value *value = malloc(sizeof(*value) + size);

    (void)option;
    if (value == NULL)
        return -1;
    value->line = cfg->line;
    memcpy(value->text, text, size);
    *(struct raw_value **)ret_value = value;
    return 0;
}

/* libConfuse would write to standard error. config_scan() has found what is wrong before it. */
static void error_ignore(cfg_t *cfg, const char *format, va_list args)
{
    (void)cfg;
    (void)format;
    (void)args;
}

/* Inner kinds have greater numbers, so that they are there when an outer one points to them. */
static void options_make(struct option_sets *options)
{
    static const cfg_opt_t end = CFG_END();

    for (int kind = CONFIG_BLOCK_KINDS - 1; kind >= 0; kind--) {
        cfg_opt_t *option = options->of[kind];

        for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
            const struct config_key *key = config_key_at(i);
            cfg_flag_t flags = CFGF_NODEFAULT | (config_key_is_list(key) ? CFGF_LIST : 0);

            if ((key->blocks & 1u << kind) != 0 && key->type != CONFIG_INCLUDE)
                *option++ = (cfg_opt_t)CFG_PTR_CB(key->name, NULL, flags, value_make, free);
        }
        for (int inner = CONFIG_TOP + 1; inner < CONFIG_BLOCK_KINDS; inner++) {
            const struct config_block_type *type =
                config_block_type_at((enum config_block_kind)inner);

            if ((type->parents & 1u << kind) == 0)
                continue;
            CHECK(inner > kind);
            *option++ = (cfg_opt_t)CFG_SEC(type->name, options->of[inner], CFGF_MULTI);
        }
        if (kind != CONFIG_TOP)
            *option++ =
                (cfg_opt_t)CFG_PTR_CB(CONFIG_FLAT_TITLE, NULL, CFGF_NODEFAULT, value_make, free);
        *option = end;
    }
}

static int entry_copy(const struct config_build *build, const struct config_flat *flat,
                      cfg_opt_t *option, struct config_entry *entry)
{
    unsigned count = cfg_opt_size(option);

    entry->is_set = true;
    entry->count = count;
    entry->items = arena_array(build->scratch, count, sizeof(entry->items[0]));
    if (entry->items == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < count; i++) {
        const struct raw_value *value = cfg_opt_getnptr(option, i);

        CHECK(value->line > 0 && (size_t)value->line <= flat->count);
        entry->items[i].text = arena_strdup(build->scratch, value->text);
        entry->items[i].place = flat->places[value->line - 1];
        if (entry->items[i].text == NULL)
            return -ENOMEM;
    }
    if (count > 0)
        entry->place = entry->items[0].place;
    return 0;
}

/* Room for all blocks inside; 0 or -ENOMEM. */
static int blocks_reserve(const struct config_build *build, cfg_t *section,
                          struct config_block *block)
{
    size_t count = 0;

    for (cfg_opt_t *option = section->opts; option->name != NULL; option++) {
        if (option->type == CFGT_SEC)
            count += cfg_opt_size(option);
    }
    block->blocks = arena_array(build->scratch, count, sizeof(struct config_block *));
    return block->blocks == NULL ? -ENOMEM : 0;
}

/* The title of libConfuse's `section`, and where that begins. 0 or -ENOMEM. */
static int title_copy(const struct config_build *build, const struct config_flat *flat,
                      cfg_t *section, struct config_block *block)
{
    const struct raw_value *value = cfg_getptr(section, CONFIG_FLAT_TITLE);

    CHECK(value != NULL && value->line > 0 && (size_t)value->line <= flat->count);
    block->place = flat->places[value->line - 1];
    block->title = arena_strdup(build->scratch, value->text);
    return block->title == NULL ? -ENOMEM : 0;
}

/* libConfuse's `section` and all in it; as deep as blocks nest. */
static int block_copy(const struct config_build *build, const struct config_flat *flat,
                      cfg_t *section, struct config_block *block)
{
    int res = blocks_reserve(build, section, block);

    for (cfg_opt_t *option = section->opts; res == 0 && option->name != NULL; option++) {
        unsigned count = cfg_opt_size(option);

        if (strcmp(option->name, CONFIG_FLAT_TITLE) == 0)
            continue;
        if (option->type != CFGT_SEC) {
            struct config_entry *entry = config_entry_of(block, option->name);

            entry->place = block->place;
            if (count > 0 || (option->flags & CFGF_MODIFIED) != 0)
                res = entry_copy(build, flat, option, entry);
            continue;
        }
        for (unsigned i = 0; res == 0 && i < count; i++) {
            cfg_t *section_inner = cfg_opt_getnsec(option, i);
            struct config_block *inner = arena_alloc(build->scratch, sizeof(*inner));

            if (inner == NULL)
                return -ENOMEM;
            inner->kind = config_block_find(option->name);
            block->blocks[block->blocks_count++] = inner;
            res = title_copy(build, flat, section_inner, inner);
            if (res == 0)
                res = block_copy(build, flat, section_inner, inner);
        }
    }
    return res;
}

/* Where libConfuse's scanner finds no memory it calls exit(3) or abort(3). Ended by its means, the
 * process tells at least what the matter is, and has the exit status of a start that the system
 * refused. */
static volatile sig_atomic_t within_libconfuse;

static void say_no_memory_and_end(void)
{
    static const char sentence[] = "gearshift: there is no memory for the configuration\n";
    enum { EXIT_RUNTIME = 1 };

    if (within_libconfuse == 0)
        return;
    ssize_t written = write(STDERR_FILENO, sentence, sizeof(sentence) - 1);
    (void)written;
    _exit(EXIT_RUNTIME);
}

static void on_abort(int number)
{
    (void)number;
    say_no_memory_and_end();
}

/* cfg_parse_fp() with its scanner's ends caught. */
static int parse_guarded(cfg_t *cfg, FILE *stream)
{
    static bool registered;
    const struct sigaction caught = { .sa_handler = on_abort };
    struct sigaction before;

    if (!registered && atexit(say_no_memory_and_end) == 0)
        registered = true;
    MUST(sigaction(SIGABRT, &caught, &before) == 0);
    within_libconfuse = 1;
    int res = cfg_parse_fp(cfg, stream);
    within_libconfuse = 0;
    MUST(sigaction(SIGABRT, &before, NULL) == 0);
    return res;
}

/* Has libConfuse read the flat text. 0 or -errno; then `*ret_spoilt` tells whether `cfg` is a half
 * that cfg_free() would follow into NULL pointers. */
static int flat_read(const struct config_build *build, const char *name,
                     const struct config_flat *flat, cfg_t *cfg, bool *ret_spoilt)
{
    FILE *stream;
    int res;

    if (flat->count == 0)
        return 0;
    cfg_set_error_function(cfg, error_ignore);
    stream = fmemopen(flat->text, strlen(flat->text), "r");
    if (stream == NULL)
        return -errno;
    errno = 0;
    res = parse_guarded(cfg, stream);
    *ret_spoilt = res != CFG_SUCCESS;
    res = res == CFG_SUCCESS ? 0 : errno == ENOMEM ? -ENOMEM : -EINVAL;
    fclose(stream);
    if (res == -EINVAL)
        config_fail(build, (struct config_place){ name, 0 }, "",
                    "libConfuse cannot read it, for want of memory or by a fault of gearshift");
    return res;
}

int config_parse(const struct config_build *build, const char *name, bool is_file, struct span text,
                 enum config_block_kind kind, struct config_block **ret_block)
{
    struct config_block *block = arena_alloc(build->scratch, sizeof(*block));
    struct option_sets *options = NULL;
    struct config_flat flat;
    cfg_t *cfg = NULL;
    bool spoilt = false;
    int res;

    if (block == NULL)
        return -ENOMEM;
    block->kind = kind;
    block->place = (struct config_place){ name, 0 };
    res = config_scan(build, name, is_file, text, kind, &flat);
    if (res < 0)
        return res;
    res = -ENOMEM;
    options = calloc(1, sizeof(*options));
    if (options == NULL)
        goto out;
    options_make(options);
    cfg = cfg_init(options->of[kind], CFGF_NONE);
    if (cfg == NULL)
        goto out;
    res = flat_read(build, name, &flat, cfg, &spoilt);
    if (res == 0)
        res = block_copy(build, &flat, cfg, block);
    if (res == 0)
        *ret_block = block;
out:
    /* The half of a failed parse is left: the process ends, for want of memory. */
    if (cfg != NULL && !spoilt)
        cfg_free(cfg);
    if (!spoilt)
        free(options);
    config_flat_free(&flat);
    return res;
}

struct config_entry *config_entry_of(struct config_block *block, const char *name)
{
    const struct config_key *key = config_key_in(block->kind, name);

    CHECK(key != NULL);
    return &block->entries[config_key_index(key)];
}

const struct config_entry *config_entry_at(const struct config_block *block, const char *name)
{
    const struct config_key *key = config_key_in(block->kind, name);

    CHECK(key != NULL);
    return &block->entries[config_key_index(key)];
}

size_t config_blocks_of(const struct config_block *block, enum config_block_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < block->blocks_count; i++)
        count += block->blocks[i]->kind == kind;
    return count;
}
