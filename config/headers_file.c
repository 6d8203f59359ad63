/* headers_file.c: see headers_file.h. A path without a sign is an exact one, one that ends in a
 * slash and a star a prefix, any other an expression; so what is said twice of a path, too, since a
 * set of patterns has each exact path and each prefix once, and the order of the file is kept. */
#include "config/headers_file.h"

#include "config/config_fields.h"
#include "config/config_text.h"
#include "config/headers_host.h"
#include "config/name_table.h"
#include "core/check.h"
#include "core/hex.h"
#include "core/uri_octet.h"
#include "match/template.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct file {
    struct arena *arena, *scratch;
    const struct headers_file_told *told;
    const struct headers_file_hosts *hosts;
    size_t rules_max;
    struct header_blocks *blocks;
    const struct pattern **patterns;
    struct field_rule *rules; /* of all blocks together, one behind the other */
    size_t rules_count;
    struct name_table known; /* exact paths, and prefixes */
    struct header_block *at; /* whose lines are read; NULL: nobody's, they are left out */
    struct span path;        /* of that block, as written */
    struct span names[HEADERS_FILE_GROUPS_MAX]; /* of what the path at hand has: "splat", "title" */
    size_t names_count;
    bool has_path;  /* there was a line with a path */
    bool full;      /* there were more than rules_max */
    bool has_hosts; /* lines are for some hosts */
    bool has_regex;
    size_t line;
};

static void tell(const struct file *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void tell(const struct file *f, const char *format, ...)
{
    char what[600];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    f->told->tell(f->told->context, f->line, what);
}

static int shown(struct span text)
{
    return text.len < 100 ? (int)text.len : 100;
}

/* ---- paths ---- */

/* What an expression takes for itself. */
static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The octet at the front of `text`, perhaps escaped; its length in *ret_len. */
static char octet_at(struct span text, size_t *ret_len)
{
    int octet = uri_escape_octet(text.ptr, text.ptr + text.len);

    *ret_len = octet >= 0 ? 3 : 1;
    return octet >= 0 ? (char)octet : text.ptr[0];
}

/* The path without escapes, in scratch, with a NUL behind it, which is not counted; ptr NULL: no
 * memory. */
static struct span decode(const struct file *f, struct span path)
{
    char *text = arena_alloc(f->scratch, path.len + 1);
    size_t len = 0, used;

    for (size_t i = 0; text != NULL && i < path.len; i += used)
        text[len++] = octet_at(span_make(path.ptr + i, path.len - i), &used);
    return span_make(text, len);
}

static char *put(char *out, struct span text)
{
    memcpy(out, text.ptr, text.len);
    return out + text.len;
}

/* Writes the expression of the path; 4 octets for each of its own, at most 8 for each sign. NULL:
 * no memory, or (*ret_many) more signs than there are groups. */
static char *expression(struct file *f, struct span path, bool *ret_many)
{
    char *text = arena_alloc(f->scratch, 8 * path.len + 8), *out = text;

    f->names_count = 0;
    if (text == NULL)
        return NULL;
    *out++ = '^';
    for (size_t i = 0; i < path.len;) {
        struct span rest = span_make(path.ptr + i, path.len - i);
        size_t len = headers_sign_len(rest);

        if (len > 0 && f->names_count == HEADERS_FILE_GROUPS_MAX) {
            *ret_many = true;
            return NULL;
        }
        if (len > 0) {
            f->names[f->names_count++] =
                len == 1 ? SPAN_LIT("splat") : span_make(rest.ptr + 1, len - 1);
            out = put(out, len == 1 ? SPAN_LIT("(.*)") : SPAN_LIT("([^/]+)"));
        } else {
            char octet = octet_at(rest, &len);

            if (is_word(octet) || octet == '/')
                *out++ = octet;
            else
                out = hex_put(put(out, SPAN_LIT("\\x")), (unsigned char)octet);
        }
        i += len;
    }
    *out++ = '$';
    return text;
}

static int compile_as(struct file *f, const char *word, const char *text, struct pattern *pattern)
{
    char what[300] = "";
    int res = pattern_compile(f->arena, word, text, what, sizeof(what), pattern);

    if (res == -EINVAL)
        tell(f, "the path %s; its lines are left out", what);
    return res;
}

/* A path without signs, or with one star behind its last slash: by hash. 1: it is none of these, or
 * there already. */
static int compile_hashed(struct file *f, struct span path, struct pattern *pattern)
{
    bool below = path.len >= 2 && path.ptr[path.len - 1] == '*' && path.ptr[path.len - 2] == '/' &&
                 !headers_has_sign(span_make(path.ptr, path.len - 1));
    struct span text, name;
    const char *what;
    uint32_t hash;

    if (!below && headers_has_sign(path))
        return 1;
    text = decode(f, span_make(path.ptr, path.len - below));
    if (text.ptr == NULL)
        return -ENOMEM;
    what = strlen(text.ptr) < text.len ? "has a NUL in it" : config_text_path(text.ptr);
    if (what != NULL) {
        tell(f, "\"%.*s\" %s; its lines are left out", shown(path), path.ptr, what);
        return -EINVAL;
    }
    name.ptr = arena_printf(f->scratch, "%s%s", below ? "^" : "=", text.ptr);
    if (name.ptr == NULL)
        return -ENOMEM;
    name.len = text.len + 1;
    hash = name_hash(name);
    if (name_table_find(&f->known, hash, name) != NULL)
        return 1;
    name_table_add(&f->known, name, 0);
    if (below)
        f->names[f->names_count++] = SPAN_LIT("splat");
    return compile_as(f, below ? "" : "=", text.ptr, pattern);
}

static int compile(struct file *f, struct span path, struct pattern *pattern)
{
    bool many = false;
    char *text;
    int res;

    f->names_count = 0;
    res = compile_hashed(f, path, pattern);
    if (res != 1)
        return res;
    text = expression(f, path, &many);
    if (many) {
        tell(f, "\"%.*s\" has more than %d placeholders; its lines are left out", shown(path),
             path.ptr, HEADERS_FILE_GROUPS_MAX);
        return -EINVAL;
    }
    if (text == NULL)
        return -ENOMEM;
    f->has_regex = true;
    return compile_as(f, "~", text, pattern);
}

/* Of "https://host/path": the path in *path, where the host is each name of the server. False: the
 * lines are left out, which is told where that may surprise. */
static bool take_host(struct file *f, struct span *path)
{
    static const struct span scheme = SPAN_LIT("https://");
    struct span url = *path, host;
    enum headers_host_holds holds;
    const char *slash, *what;

    f->has_hosts = true;
    if (url.len <= scheme.len || !span_caseeq(span_make(url.ptr, scheme.len), scheme)) {
        tell(f, "\"%.*s\" is neither a path nor a URL with https://; its lines are left out",
             shown(url), url.ptr);
        return false;
    }
    host = span_make(url.ptr + scheme.len, url.len - scheme.len);
    slash = memchr(host.ptr, '/', host.len);
    host.len = slash != NULL ? (size_t)(slash - host.ptr) : host.len;
    what = headers_host_refused(host, slash != NULL);
    if (what != NULL) {
        tell(f, "\"%.*s\" %s; its lines are left out", shown(url), url.ptr, what);
        return false;
    }
    holds = headers_host_holds(host, f->hosts);
    if (holds == HEADERS_HOST_FOR_SOME) {
        tell(f,
             "\"%.*s\" is for some names of the server alone, which want a server block of their "
             "own; its lines are left out",
             shown(url), url.ptr);
        return false;
    }
    *path = span_make(slash, url.len - (size_t)(slash - url.ptr));
    return holds == HEADERS_HOST_FOR_ALL;
}

/* A line with a path. */
static int take_path(struct file *f, struct span path)
{
    struct header_block *block = &f->blocks->blocks[f->blocks->count];
    int res;

    f->has_path = true;
    f->at = NULL;
    if (path.ptr[0] != '/' && !take_host(f, &path))
        return 0;
    if (f->blocks->count == f->rules_max) {
        if (!f->full)
            tell(f, "there are more than headers_rules_max = %zu paths; what follows is left out",
                 f->rules_max);
        f->full = true;
        return 0;
    }
    res = compile(f, path, &block->pattern);
    if (res == -EINVAL)
        return 0;
    if (res < 0)
        return res;
    f->path = path;
    f->patterns[f->blocks->count++] = &block->pattern;
    block->rules = &f->rules[f->rules_count];
    f->at = block;
    return 0;
}

/* ---- fields ---- */

/* Octets of the placeholder at the front of `text`, and in *ret_group which group it is; 0: it is
 * none of the path's. */
static size_t placeholder_len(const struct file *f, struct span text, size_t *ret_group)
{
    size_t len = text.ptr[0] == ':' ? headers_sign_len(text) : 0;

    for (size_t i = 0; len > 1 && i < f->names_count; i++) {
        if (span_eq(f->names[i], span_make(text.ptr + 1, len - 1))) {
            *ret_group = i + 1;
            return len;
        }
    }
    return 0;
}

/* Does the value hold ":name" of one that the path has? */
static bool has_placeholder(const struct file *f, struct span value)
{
    size_t group;

    for (size_t i = 0; f->names_count > 0 && i < value.len; i++) {
        if (placeholder_len(f, span_make(value.ptr + i, value.len - i), &group) > 0)
            return true;
    }
    return false;
}

/* Makes a value with placeholders one with captures, and the path an expression, if it is none yet.
 * 0; -ENOMEM; or -EINVAL: it has too many, or the path is none, which is told. */
static int compile_value(struct file *f, struct header_rule *rule)
{
    const struct template_names names = { .captures = true, .groups = (unsigned)f->names_count };
    size_t len = strlen(rule->value), used, group = 0;
    char *text = arena_alloc(f->scratch, 2 * len + 1), *out = text;
    char what[300];
    bool many = false;
    int res;

    if (text == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < len; i += used) {
        used = placeholder_len(f, span_make(rule->value + i, len - i), &group);
        if (used > 0) {
            *out++ = '$';
            *out++ = (char)('0' + group);
            continue;
        }
        if (rule->value[i] == '$')
            *out++ = '$';
        *out++ = rule->value[i];
        used = 1;
    }
    *out = '\0';
    res = template_compile(f->arena, text, &names, what, sizeof(what), &rule->varying);
    if (res == -EINVAL)
        tell(f, "\"%s: %.*s\" has more than %d placeholders; it is left out", rule->name,
             shown(span_str(rule->value)), rule->value, TEMPLATE_VARIABLES_MAX);
    if (res < 0)
        return res;
    if (!pattern_is_regex(f->at->pattern.kind)) {
        char *expressed = expression(f, f->path, &many);

        res = expressed != NULL ? compile_as(f, "~", expressed, &f->at->pattern) : -ENOMEM;
        if (res < 0)
            return res;
        f->has_regex = true;
    }
    rule->captured = &f->at->pattern;
    rule->of_site = true;
    return 0;
}

/* What speaks against the field; NULL: nothing. */
static const char *field_refused(const struct file *f, enum field_deed deed, struct span name,
                                 const char *value)
{
    const char *what = config_is_token(name) ? config_field_refused(deed, name)
                                             : "has no header field's name before the ':'";

    if (what == NULL && name.len > 100)
        what = "has a name that is longer than 100 characters";
    if (what != NULL || deed == FIELD_REMOVE)
        return what;
    if (span_caseeq(name, SPAN_LIT("Basic-Auth")))
        return "is a password for Netlify; here it would be sent to everybody (auth \"...\" { } in "
               "server.conf asks for one)";
    if (value[0] == '\0')
        return "has no value; \"! Name\" leaves a field out";
    if (span_caseeq(name, SPAN_LIT("Content-Type")))
        return has_placeholder(f, span_str(value))
                   ? "has a placeholder of its path in its value, which is not replaced there"
                   : config_text_media_type(value);
    return config_text_field_value(value);
}

static int take_field(struct file *f, struct span line)
{
    bool removes = line.ptr[0] == '!';
    const char *colon = memchr(line.ptr, ':', line.len);
    struct field_rule rule = { .deed = removes ? FIELD_REMOVE : FIELD_SET };
    struct span name, value = { "", 0 };
    const char *what;

    if (removes) {
        name = span_trim(span_make(line.ptr + 1, line.len - 1));
    } else if (colon == NULL) {
        tell(f, "\"%.*s\" is neither a path nor a field (\"Name: value\"); it is left out",
             shown(line), line.ptr);
        return 0;
    } else {
        name = span_trim(span_make(line.ptr, (size_t)(colon - line.ptr)));
        value = span_trim(span_make(colon + 1, (size_t)(line.ptr + line.len - colon) - 1));
    }
    if (!removes && span_caseeq(name, SPAN_LIT("Vary")))
        rule.deed = FIELD_ADD;
    rule.field.name = arena_strndup(f->arena, name.ptr, name.len);
    rule.field.value = arena_strndup(f->arena, value.ptr, value.len);
    if (rule.field.name == NULL || rule.field.value == NULL)
        return -ENOMEM;
    what = field_refused(f, rule.deed, name, rule.field.value);
    if (what == NULL && strlen(rule.field.value) != value.len)
        what = "has a NUL in it";
    if (what != NULL) {
        if (span_caseeq(name, SPAN_LIT("Basic-Auth")))
            line = name; /* the rest is a secret */
        tell(f, "\"%.*s\" %s; it is left out", shown(line), line.ptr, what);
        return 0;
    }
    int res = !removes && has_placeholder(f, value) ? compile_value(f, &rule.field) : 0;
    if (res < 0)
        return res == -EINVAL ? 0 : res;
    f->rules[f->rules_count++] = rule;
    f->at->count++;
    return 0;
}

/* ---- lines ---- */

static bool is_path(struct span line)
{
    const char *colon = memchr(line.ptr, ':', line.len);
    const char *end = line.ptr + line.len;

    return line.ptr[0] == '/' ||
           (colon != NULL && end - colon >= 3 && colon[1] == '/' && colon[2] == '/' &&
            memchr(line.ptr, ' ', (size_t)(colon - line.ptr)) == NULL);
}

static int take_line(struct file *f, struct span line)
{
    if (line.len == 0 || line.ptr[0] == '#')
        return 0;
    if (line.len > HEADERS_FILE_LINE_MAX) {
        tell(f, "the line has more than %d bytes; it is left out", HEADERS_FILE_LINE_MAX);
        if (is_path(line))
            f->at = NULL;
        f->has_path |= is_path(line);
        return 0;
    }
    if (is_path(line))
        return take_path(f, line);
    if (f->at != NULL)
        return take_field(f, line);
    if (!f->has_path)
        tell(f, "\"%.*s\" stands before any path; it is left out", shown(line), line.ptr);
    return 0;
}

/* Blanks, and the carriage returns of other systems. */
static struct span trim(struct span line)
{
    while (line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t')) {
        line.ptr++;
        line.len--;
    }
    while (line.len > 0 && strchr(" \t\r", line.ptr[line.len - 1]) != NULL &&
           line.ptr[line.len - 1] != '\0')
        line.len--;
    return line;
}

static int take_lines(struct file *f, struct span text)
{
    int res = 0;

    if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark */
        text.ptr += 3;
        text.len -= 3;
    }
    while (res == 0 && text.len > 0) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end != NULL ? (size_t)(end - text.ptr) : text.len;

        f->line++;
        res = take_line(f, trim(span_make(text.ptr, len)));
        len += end != NULL;
        text.ptr += len;
        text.len -= len;
    }
    return res;
}

/* The most lines of each kind that the text may have, up to the limits. */
static size_t lines_of(struct span text)
{
    size_t count = 1;

    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '\n';
    return count;
}

int headers_file_parse(struct arena *arena, struct arena *scratch, struct span text,
                       size_t rules_max, const struct headers_file_hosts *hosts,
                       const struct headers_file_told *told,
                       const struct header_blocks **ret_blocks, bool *ret_hosts, bool *ret_regex)
{
    size_t lines = lines_of(text), paths = lines < rules_max ? lines : rules_max;
    struct file f = {
        .arena = arena, .scratch = scratch, .told = told, .hosts = hosts, .rules_max = rules_max
    };
    int res;

    f.blocks = arena_alloc(arena, sizeof(*f.blocks));
    f.patterns = arena_array(scratch, paths + 1, sizeof(f.patterns[0]));
    f.rules = arena_array(arena, lines, sizeof(f.rules[0]));
    if (f.blocks == NULL || f.patterns == NULL || f.rules == NULL ||
        name_table_make(scratch, lines, false, &f.known) < 0)
        return -ENOMEM;
    f.blocks->is_file = true;
    f.blocks->blocks = arena_array(arena, paths + 1, sizeof(f.blocks->blocks[0]));
    if (f.blocks->blocks == NULL)
        return -ENOMEM;
    res = take_lines(&f, text);
    if (res == 0 && f.blocks->count > 0)
        res = pattern_set_make(arena, f.patterns, f.blocks->count, &f.blocks->set);
    if (res < 0)
        return res;
    *ret_blocks = f.blocks->count > 0 ? f.blocks : NULL;
    *ret_hosts |= f.has_hosts;
    *ret_regex |= f.has_regex;
    return 0;
}
