/* config_scan.c: statements and blocks, and the flat text that libConfuse gets. */
#include "config/config_scan.h"
#include "core/check.h"
#include "config/config_lex.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SCAN_DEPTH_MAX = 4,        /* top, server, location, cache: blocks nest no deeper */
    SCAN_NESTING_MAX = 8,      /* files that include one another */
    SCAN_INCLUDES_MAX = 10000, /* files in all */
    SCAN_WORD_MAX = 64,        /* octets of a name that are looked at; no key is as long */
};

/* A block that is open. */
struct scan_block {
    enum config_block_kind kind;
    struct config_place place;
    struct config_place keys_seen[CONFIG_KEYS_COUNT];
};

/* A file that is being read. */
struct scan_file {
    const char *name;
    const char *path; /* absolute */
    struct config_lexer lexer;
    struct config_token token;    /* the one looked at */
    bool is_file;                 /* else one setting from elsewhere */
    const struct config_key *key; /* the last that got a value, not a list; or NULL */
    int key_line;
    size_t depth; /* of blocks when it began: it must close what it opens */
    struct scan_file *includer;
    size_t nesting; /* how many files are open around it */
};

struct scan {
    const struct config_build *build;
    struct scan_block blocks[SCAN_DEPTH_MAX];
    size_t depth;    /* index of the innermost */
    size_t includes; /* so far */
    struct config_flat_writer *writer;
};

static int scan_statements(struct scan *scan, struct scan_file *file);

static struct config_place place_of(const struct scan_file *file, const struct config_token *token)
{
    return (struct config_place){ file->name, file->is_file ? token->line : 0 };
}

#define FAIL_AT(token, ...) config_fail(scan->build, place_of(file, token), __VA_ARGS__)
#define FAIL(...)           FAIL_AT(&file->token, __VA_ARGS__)

static int next(struct scan *scan, struct scan_file *file)
{
    file->token = config_lexer_next(&file->lexer);
    if (file->token.kind == CONFIG_TOKEN_BAD)
        return FAIL("", "%s", file->token.what);
    return 0;
}

/* A token as it is quoted in a sentence. */
static const char *shown(const struct scan *scan, const struct config_token *token)
{
    return config_token_shown(scan->build->scratch, token);
}

/* What became of handing over a token: 0, or -errno and a sentence. */
static int emitted(struct scan *scan, const struct scan_file *file,
                   const struct config_token *token, int res)
{
    if (res == -E2BIG)
        return FAIL_AT(token, "", "the configuration is larger than %d words", CONFIG_TOKENS_MAX);
    return res;
}

/* Hands a token to libConfuse's text. */
static int emit(struct scan *scan, const struct scan_file *file, const struct config_token *token)
{
    return emitted(scan, file, token, config_flat_add(scan->writer, token, place_of(file, token)));
}

/* Likewise, the title of the block that begins with `name`. */
static int emit_title(struct scan *scan, const struct scan_file *file,
                      const struct config_token *title, const struct config_token *name)
{
    return emitted(scan, file, name,
                   config_flat_add_title(scan->writer, title, place_of(file, name)));
}

/* Emits the token looked at and takes the next. */
static int emit_next(struct scan *scan, struct scan_file *file)
{
    int res = emit(scan, file, &file->token);

    return res < 0 ? res : next(scan, file);
}

/* `epoll;` is what nginx wants. A word with a ';' inside is hardly meant, either. */
static int refuse_semicolon(struct scan *scan, struct scan_file *file, const char *subject)
{
    const struct config_token *token = &file->token;

    if (token->kind != CONFIG_TOKEN_WORD || memchr(token->text.ptr, ';', token->text.len) == NULL)
        return 0;
    return FAIL(subject,
                "no semicolon is needed in %s: a value ends at the next blank; one that "
                "holds a semicolon needs quotes",
                shown(scan, token));
}

static int fail_allowed(struct scan *scan, const struct scan_file *file,
                        const struct config_token *name, const struct config_key *key,
                        const char *what)
{
    char allowed[256];

    config_key_allowed(key, allowed, sizeof(allowed));
    return FAIL_AT(name, key->name, "%s; allowed: %s", what, allowed);
}

/* Looks at the token behind '{'; leaves behind '}'. */
static int scan_list(struct scan *scan, struct scan_file *file, const struct config_key *key,
                     int line)
{
    int res = 0;

    while (res == 0 && !config_token_is(&file->token, '}')) {
        if (!config_token_is_value(&file->token))
            return FAIL(key->name,
                        "%s stands where a value of the list is expected that begins in "
                        "line %d",
                        shown(scan, &file->token), line);
        res = refuse_semicolon(scan, file, key->name);
        if (res == 0)
            res = emit_next(scan, file);
        if (res < 0 || config_token_is(&file->token, '}'))
            break;
        if (!config_token_is(&file->token, ','))
            return FAIL(key->name,
                        "the list that begins in line %d goes on with %s; its values "
                        "are separated by commas and } ends it",
                        line, shown(scan, &file->token));
        res = emit_next(scan, file);
    }
    return res < 0 ? res : emit_next(scan, file);
}

/* Looks at the token behind the key. */
static int scan_setting(struct scan *scan, struct scan_file *file, const struct config_key *key,
                        const struct config_token *name)
{
    struct config_place *seen = &scan->blocks[scan->depth].keys_seen[config_key_index(key)];
    int line = name->line;
    int res;

    if (!config_token_is(&file->token, '=')) {
        if (config_token_is(&file->token, '{'))
            return FAIL_AT(name, key->name, "it is not a block; write %s = value", key->name);
        return FAIL_AT(name, key->name, "= is missing before %s; write %s = value",
                       shown(scan, &file->token), key->name);
    }
    if (seen->file != NULL)
        return FAIL_AT(name, key->name, "it is set twice, first at %s:%d; allowed: once in a block",
                       seen->file, seen->line);
    *seen = place_of(file, name);
    res = emit(scan, file, name);
    if (res == 0)
        res = emit_next(scan, file);
    if (res < 0)
        return res;
    if (config_token_is(&file->token, '{')) {
        if (!config_key_is_list(key))
            return fail_allowed(scan, file, name, key, "it takes one value, not a list in braces");
        res = emit_next(scan, file);
        return res < 0 ? res : scan_list(scan, file, key, line);
    }
    if (!config_token_is_value(&file->token) || file->token.line != line)
        return fail_allowed(scan, file, name, key, "a value is missing behind =, on the same line");
    res = refuse_semicolon(scan, file, key->name);
    if (res < 0)
        return res;
    file->key = key;
    file->key_line = line;
    return emit_next(scan, file);
}

/* Looks at the token behind the block's name. */
static int scan_block_open(struct scan *scan, struct scan_file *file, enum config_block_kind kind,
                           const struct config_token *name)
{
    const struct config_block_type *type = config_block_type_at(kind);
    struct config_token title = file->token;
    struct scan_block *block;
    int res;

    if (!config_token_is_value(&file->token))
        return FAIL_AT(name, type->name, "its title is missing before %s; write %s \"%s\" { ... }",
                       shown(scan, &file->token), type->name, type->title);
    CHECK(scan->depth + 1 < SCAN_DEPTH_MAX);
    block = &scan->blocks[scan->depth + 1];
    *block = (struct scan_block){ .kind = kind, .place = place_of(file, name) };
    res = emit(scan, file, name);
    if (res == 0)
        res = next(scan, file);
    if (res < 0)
        return res;
    if (!config_token_is(&file->token, '{'))
        return FAIL(type->name, "its opening brace { is missing before %s",
                    shown(scan, &file->token));
    scan->depth++;
    res = emit(scan, file, &file->token);
    if (res == 0)
        res = emit_title(scan, file, &title, name);
    return res < 0 ? res : next(scan, file);
}

static int scan_block_close(struct scan *scan, struct scan_file *file)
{
    if (scan->depth == file->depth)
        return FAIL("", "a closing brace } stands here without an opening one");
    scan->depth--;
    return emit_next(scan, file);
}

/* What may be meant by a token that begins no statement. */
static int fail_statement(struct scan *scan, struct scan_file *file)
{
    static const char quotes[] =
        "a value with blanks or any of = { } ( ) , # in it needs quotes around all of it";

    if (file->key != NULL && file->key_line == file->token.line)
        return FAIL(file->key->name, "%s stands behind its value; %s", shown(scan, &file->token),
                    quotes);
    return FAIL("", "%s stands where the name of a key or block is expected; %s",
                shown(scan, &file->token), quotes);
}

/* What may be meant by a name that may not stand here. */
static int fail_name(struct scan *scan, struct scan_file *file, const char *name,
                     const struct config_token *token)
{
    const struct config_block_type *here = config_block_type_at(scan->blocks[scan->depth].kind);
    enum config_block_kind kind = config_block_find(name);
    unsigned blocks = config_key_blocks(name) | config_block_type_at(kind)->parents;
    const char *nearest = config_nearest(scan->blocks[scan->depth].kind, name);
    char where[128];

    config_blocks_where(blocks, where, sizeof(where));
    file->token = *token;
    if (blocks != 0)
        return FAIL(name, "it cannot stand %s; allowed: %s", here->where, where);
    if (strchr(name, ';') != NULL)
        return FAIL("", "%s is no key; no semicolon is needed here", shown(scan, token));
    if (nearest != NULL)
        return FAIL("", "%s is no key or block %s; did you mean \"%s\"?", shown(scan, token),
                    here->where, nearest);
    if (file->key != NULL && file->key_line == token->line)
        return fail_statement(scan, file);
    return FAIL("", "%s is no key or block %s; server.conf(5) lists all", shown(scan, token),
                here->where);
}

/* Reads the file and scans it in this place. */
static int scan_included(struct scan *scan, struct scan_file *file, const char *path,
                         const struct config_token *name)
{
    const struct config_files *files = scan->build->files;
    struct scan_file inner = { .path = config_path(scan->build, place_of(file, name), path),
                               .name = path,
                               .is_file = true,
                               .includer = file,
                               .nesting = file->nesting + 1 };
    char *text = NULL;
    size_t len = 0;
    int res;

    if (path[0] != '/' && file->is_file && strchr(file->name, '/') != NULL) {
        const char *folder = config_folder(scan->build, file->name);

        inner.name = folder == NULL ? NULL
                                    : arena_printf(scan->build->scratch, "%s%s%s", folder,
                                                   strcmp(folder, "/") == 0 ? "" : "/", path);
    }
    if (inner.path == NULL || inner.name == NULL)
        return -ENOMEM;
    for (const struct scan_file *outer = file; outer != NULL; outer = outer->includer) {
        if (strcmp(outer->path, inner.path) == 0)
            return FAIL_AT(name, "include", "\"%s\" includes itself, directly or by others",
                           inner.name);
    }
    if (inner.nesting > SCAN_NESTING_MAX)
        return FAIL_AT(name, "include", "more than %d files include one another", SCAN_NESTING_MAX);
    if (++scan->includes > SCAN_INCLUDES_MAX)
        return FAIL_AT(name, "include", "more than %d files are included", SCAN_INCLUDES_MAX);
    res = files->read(files->context, inner.path, &text, &len);
    if (res < 0) {
        FAIL_AT(name, "include", "\"%s\" cannot be read: %s", inner.name, strerror(-res));
        return res;
    }
    config_lexer_init(&inner.lexer, span_make(text, len), 1);
    inner.depth = scan->depth;
    res = scan_statements(scan, &inner);
    free(text);
    return res;
}

/* Looks at the token behind `include`. The path has no escapes: libConfuse never sees it. */
static int scan_include(struct scan *scan, struct scan_file *file, const struct config_token *name)
{
    struct config_token path;
    char *text;
    int res;

    if (!config_token_is(&file->token, '('))
        return FAIL("include", "( is missing before %s; write include(\"file\")",
                    shown(scan, &file->token));
    res = next(scan, file);
    if (res < 0)
        return res;
    path = file->token;
    if (path.kind != CONFIG_TOKEN_STRING || path.text.len <= 2 ||
        memchr(path.text.ptr, '\\', path.text.len) != NULL)
        return FAIL("include", "the name of a file in quotes, and without backslashes, is missing; "
                               "write include(\"file\")");
    res = next(scan, file);
    if (res < 0)
        return res;
    if (!config_token_is(&file->token, ')'))
        return FAIL("include", ") is missing before %s; write include(\"file\")",
                    shown(scan, &file->token));
    text = arena_strndup(scan->build->scratch, path.text.ptr + 1, path.text.len - 2);
    if (text == NULL)
        return -ENOMEM;
    res = scan_included(scan, file, text, name);
    return res < 0 ? res : next(scan, file);
}

static int scan_statement(struct scan *scan, struct scan_file *file)
{
    enum config_block_kind here = scan->blocks[scan->depth].kind;
    struct config_token token = file->token;
    char name[SCAN_WORD_MAX] = "";
    enum config_block_kind kind;
    const struct config_key *key;
    int res;

    if (config_token_is(&token, '}'))
        return scan_block_close(scan, file);
    if (token.kind != CONFIG_TOKEN_WORD)
        return fail_statement(scan, file);
    if (token.text.len < sizeof(name))
        memcpy(name, token.text.ptr, token.text.len);
    if (strcmp(name, ";") == 0)
        return FAIL("", "no semicolon is needed here: a setting ends with its value");
    key = config_key_in(here, name);
    kind = config_block_find(name);
    if (key == NULL && kind == CONFIG_TOP)
        return fail_name(scan, file, name, &token);
    if (((key != NULL ? key->blocks : config_block_type_at(kind)->parents) & 1u << here) == 0)
        return fail_name(scan, file, name, &token);
    res = next(scan, file);
    if (res < 0)
        return res;
    if (key == NULL)
        return scan_block_open(scan, file, kind, &token);
    if (key->type == CONFIG_INCLUDE)
        return scan_include(scan, file, &token);
    return scan_setting(scan, file, key, &token);
}

static int scan_statements(struct scan *scan, struct scan_file *file)
{
    int res = next(scan, file);

    while (res == 0 && file->token.kind != CONFIG_TOKEN_END) {
        res = scan_statement(scan, file);
        if (res == 0 && !file->is_file && file->token.kind != CONFIG_TOKEN_END)
            return FAIL("", "%s stands behind the value", shown(scan, &file->token));
    }
    if (res == 0 && scan->depth > file->depth)
        return config_fail(scan->build, scan->blocks[scan->depth].place,
                           config_block_type_at(scan->blocks[scan->depth].kind)->name,
                           "its closing brace } is missing at the end of %s", file->name);
    return res;
}

int config_scan(const struct config_build *build, const char *name, bool is_file, struct span text,
                enum config_block_kind kind, struct config_flat *ret_flat)
{
    struct scan scan = { .build = build, .blocks[0].kind = kind };
    struct scan_file file = { .name = name, .is_file = is_file };
    int res;

    file.path = config_path(build, (struct config_place){ name, 0 }, name);
    if (file.path == NULL)
        return -ENOMEM;
    res = config_flat_open(&scan.writer);
    if (res < 0)
        return res;
    config_lexer_init(&file.lexer, text, 1);
    res = scan_statements(&scan, &file);
    if (res < 0) {
        config_flat_close(scan.writer, NULL);
        return res;
    }
    return config_flat_close(scan.writer, ret_flat);
}
