/* mime.c: media types by extension, in an open hash table that is only read once it is made.
 *
 * The built-in types have the form of a mime.types file, so that one parser reads both. Looked up
 * when the fields of a file's answers are made, not for every request. */
#include "http/mime.h"

#include "core/arena.h"
#include "core/check.h"
#include "config/config_text.h"
#include "core/log.h"
#include "core/safe_open.h"
#include "http/mime_lines.h"
#include "http/octet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

enum { SLOTS_MIN = 512 };

struct slot {
    struct span extension; /* as written, compared without case; empty: the slot is free */
    struct span type;
};

struct mime_table {
    struct arena *arena; /* owns all that follows */
    struct slot *slots;
    size_t slots_count; /* a power of two, at least twice `used` */
    size_t used;
    struct span default_type;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* FNV-1a of the lower-case form. */
static uint32_t extension_hash(struct span extension)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < extension.len; i++)
        hash = (hash ^ (uint8_t)lower(extension.ptr[i])) * 16777619u;
    return hash;
}

/* The slot of an extension, or the free one where it belongs. */
static struct slot *slot_find(const struct mime_table *table, struct span extension)
{
    size_t mask = table->slots_count - 1;
    size_t i = extension_hash(extension) & mask;

    while (table->slots[i].extension.len > 0 && !span_caseeq(table->slots[i].extension, extension))
        i = (i + 1) & mask;
    return &table->slots[i];
}

/* Doubles the slots. The old ones stay in the arena: less than as much again. 0 or -ENOMEM. */
static int table_grow(struct mime_table *table)
{
    struct mime_table grown = *table;

    grown.slots_count = table->slots_count > 0 ? 2 * table->slots_count : SLOTS_MIN;
    grown.slots = arena_array(table->arena, grown.slots_count, sizeof(*grown.slots));
    if (grown.slots == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < table->slots_count; i++)
        if (table->slots[i].extension.len > 0)
            *slot_find(&grown, table->slots[i].extension) = table->slots[i];
    *table = grown;
    return 0;
}

/* Sets the type of an extension, in place of an earlier one. `type` lives as long as the table;
 * `extension` is copied. 0 or -ENOMEM. */
static int table_set(struct mime_table *table, struct span extension, struct span type)
{
    struct slot *slot;

    CHECK(extension.len > 0);
    if (2 * table->used >= table->slots_count && table_grow(table) < 0)
        return -ENOMEM;
    slot = slot_find(table, extension);
    if (slot->extension.len == 0) {
        const char *copy = arena_strndup(table->arena, extension.ptr, extension.len);

        if (copy == NULL)
            return -ENOMEM;
        slot->extension = span_make(copy, extension.len);
        table->used++;
    }
    slot->type = type;
    return 0;
}

/* Length of the token at the front (RFC 9110 section 5.6.2). */
static size_t token_len(struct span text)
{
    size_t len = 0;

    while (len < text.len && http_octet_is(text.ptr[len], HTTP_OCTET_TOKEN))
        len++;
    return len;
}

/* Length of "type/subtype" at the front; 0: there is none. */
static size_t media_type_len(struct span text)
{
    size_t type = token_len(text), subtype;

    if (type == 0 || type == text.len || text.ptr[type] != '/')
        return 0;
    subtype = token_len(span_make(text.ptr + type + 1, text.len - type - 1));
    return subtype > 0 ? type + 1 + subtype : 0;
}

/* Takes the next word of a line; empty at its end, or where a comment begins. */
static struct span take_word(struct span *line)
{
    static const char blanks[] = " \t\r\n\v\f";
    size_t len = 0;

    while (line->len > 0 && memchr(blanks, line->ptr[0], sizeof(blanks) - 1) != NULL) {
        line->ptr++;
        line->len--;
    }
    if (line->len > 0 && line->ptr[0] != '#')
        while (len < line->len && memchr(blanks, line->ptr[len], sizeof(blanks) - 1) == NULL)
            len++;

    struct span word = span_make(line->ptr, len);
    line->ptr += len;
    line->len -= len;
    return word;
}

/* Takes in a line of a mime.types file: a type, then its extensions. One that does not begin with a
 * type, or with one that is too long for a field, says nothing. 0 or -ENOMEM. */
static int table_add_line(struct mime_table *table, struct span line)
{
    struct span word = take_word(&line), type = { NULL, 0 };

    if (word.len == 0 || media_type_len(word) != word.len || word.len > CONFIG_FIELD_VALUE_MAX)
        return 0;
    for (struct span extension; (extension = take_word(&line)).len > 0;) {
        if (type.ptr == NULL)
            type = span_make(arena_strndup(table->arena, word.ptr, word.len), word.len);
        if (type.ptr == NULL || table_set(table, extension, type) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int table_add_lines(struct mime_table *table, const struct mime_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        if (table_add_line(table, span_str(lines->lines[i])) < 0)
            return -ENOMEM;
    return 0;
}

/* Reads a mime.types file. Later lines win over earlier ones, as in Apache. 0, -ENOMEM, or -errno
 * and a sentence. */
static int table_add_file(struct mime_table *table, const char *path, char *why, size_t why_size)
{
    char *line = NULL;
    size_t line_size = 0;
    ssize_t len;
    struct safe_file opened;
    const char *what = NULL;

    int r = safe_open(SAFE_READ, path, 0, &opened, &what);
    if (r == -ENOENT) {
        log_warn("mime_types: %s does not exist; only the built-in types are known", path);
        return 0;
    }
    if (r < 0) {
        snprintf(why, why_size, "mime_types: %s cannot be opened: %s", path,
                 safe_open_text(r, what));
        return r;
    }
    /* A pipe is waited for. */
    FILE *file = fcntl(opened.fd, F_SETFL, 0) == 0 ? fdopen(opened.fd, "r") : NULL;
    if (file == NULL) {
        close(opened.fd);
        return -ENOMEM;
    }
    errno = 0;
    while (r == 0 && (len = getline(&line, &line_size, file)) >= 0)
        r = table_add_line(table, span_make(line, (size_t)len));
    if (r == 0 && !feof(file)) {
        r = errno != 0 ? -errno : -EIO;
        snprintf(why, why_size, "mime_types: %s cannot be read: %s", path, strerror(-r));
    }
    free(line);
    fclose(file);
    return r;
}

/* May this be sent as a Content-Type: a media type, perhaps with parameters? */
static bool type_is_sendable(struct span type)
{
    size_t len = media_type_len(type);

    if (len == 0 || (len < type.len && type.ptr[len] != ';' && type.ptr[len] != ' '))
        return false;
    for (size_t i = len; i < type.len; i++)
        if (!http_octet_is(type.ptr[i], HTTP_OCTET_VALUE))
            return false;
    return true;
}

/* Adds `types` of the configuration. 0, -ENOMEM, or -EINVAL and a sentence. */
static int table_add_config(struct mime_table *table, const struct config *config, char *why,
                            size_t why_size)
{
    for (size_t i = 0; i < config->types_count; i++) {
        struct span extension = span_str(config->types[i].name);
        const char *type = config->types[i].value;

        if (extension.len > 0 && extension.ptr[0] == '.')
            extension = span_make(extension.ptr + 1, extension.len - 1);
        if (extension.len == 0 || !type_is_sendable(span_str(type))) {
            snprintf(why, why_size, "types: \"%s=%s\" is not of the form extension=type/subtype",
                     config->types[i].name, type);
            return -EINVAL;
        }
        type = arena_strdup(table->arena, type);
        if (type == NULL || table_set(table, extension, span_str(type)) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* Fills an empty table, what wins last. */
static int table_fill(struct mime_table *table, const struct config *config, char *why,
                      size_t why_size)
{
    const char *default_type = arena_strdup(table->arena, config->default_type);
    int r;

    if (default_type == NULL)
        return -ENOMEM;
    table->default_type = span_str(default_type);
    r = table_add_lines(table, &mime_builtin);
    if (r == 0 && config->mime_types[0] != '\0')
        r = table_add_file(table, config->mime_types, why, why_size);
    if (r == 0)
        r = table_add_lines(table, &mime_pinned);
    if (r == 0)
        r = table_add_config(table, config, why, why_size);
    return r;
}

int mime_table_load(const struct config *config, char *why, size_t why_size,
                    struct mime_table **ret_table)
{
    struct arena *arena = arena_create();
    struct mime_table *table = arena != NULL ? arena_alloc(arena, sizeof(*table)) : NULL;
    int r = -ENOMEM;

    CHECK(config != NULL && ret_table != NULL);
    if (table != NULL) {
        table->arena = arena;
        r = table_fill(table, config, why, why_size);
    }
    if (r == -ENOMEM)
        snprintf(why, why_size, "mime_types: out of memory");
    if (r < 0)
        arena_destroy(arena);
    else
        *ret_table = table;
    return r;
}

void mime_table_free(struct mime_table *table)
{
    if (table != NULL)
        arena_destroy(table->arena);
}

/* What stands behind the last dot of the name, empty where there is none: ".profile" has none. */
static struct span extension_of(struct span path)
{
    for (size_t i = path.len; i > 0 && path.ptr[i - 1] != '/'; i--) {
        if (path.ptr[i - 1] == '.')
            return i == 1 || path.ptr[i - 2] == '/' ? span_make("", 0)
                                                    : span_make(path.ptr + i, path.len - i);
    }
    return span_make("", 0);
}

/* The location's own type of an extension; empty: it has none. */
static struct span location_type(const struct location *location, struct span extension)
{
    struct span of_others = span_make("", 0);

    for (size_t i = 0; i < location->types_count; i++) {
        if (span_caseeq(span_str(location->types[i].name), extension))
            return span_str(location->types[i].value);
        if (strcmp(location->types[i].name, "*") == 0)
            of_others = span_str(location->types[i].value);
    }
    return of_others;
}

struct span mime_find(const struct mime_table *table, const struct location *location,
                      struct span path)
{
    struct span extension = extension_of(path), type = span_make("", 0);

    if (location->types_count > 0)
        type = location_type(location, extension);
    if (type.len == 0 && extension.len > 0)
        type = slot_find(table, extension)->type;
    if (type.len > 0)
        return type;
    return location->default_type[0] != '\0' ? span_str(location->default_type)
                                             : table->default_type;
}

struct span mime_table_find(const struct mime_table *table, struct span path)
{
    static const struct location none = { .default_type = "" };

    CHECK(table != NULL);
    return mime_find(table, &none, path);
}

/* Is there a charset parameter in what follows a type? */
static bool has_charset(struct span params)
{
    static const struct span name = { "charset=", 8 };

    for (size_t i = 1; i + name.len <= params.len; i++)
        if (memchr("; \t", params.ptr[i - 1], 3) != NULL &&
            span_caseeq(span_make(params.ptr + i, name.len), name))
            return true;
    return false;
}

bool mime_is_text(struct span type)
{
    static const struct span scripts[] = { { "application/javascript", 22 },
                                           { "application/x-javascript", 24 },
                                           { "application/ecmascript", 22 } };
    static const struct span text = { "text/", 5 };
    size_t len = media_type_len(type);
    struct span name = span_make(type.ptr, len);

    if (has_charset(span_make(type.ptr + len, type.len - len)))
        return false;
    if (len > text.len && span_caseeq(span_make(type.ptr, text.len), text))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
        if (span_caseeq(name, scripts[i]))
            return true;
    return false;
}
