/* htpasswd.c: see htpasswd.h. */
#include "core/htpasswd.h"

#include "core/arena.h"
#include "core/password.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool has_control(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
            return true;
    }
    return false;
}

/* Takes the line from the front of *text; without what ends it. */
static struct span take_line(struct span *text)
{
    const char *end = memchr(text->ptr, '\n', text->len);
    size_t len = end != NULL ? (size_t)(end - text->ptr) : text->len;
    struct span line = span_make(text->ptr, len);

    len += end != NULL;
    *text = span_make(text->ptr + len, text->len - len);
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* Reads a line into `user`. 0, -ENOMEM, or -EINVAL. */
static int parse_line(struct span line, struct arena *arena, struct htpasswd_user *user,
                      struct htpasswd_fault *fault)
{
    const char *colon = memchr(line.ptr, ':', line.len);
    size_t name_len = colon != NULL ? (size_t)(colon - line.ptr) : 0;
    struct span hash;

    fault->line = user->line;
    if (colon == NULL)
        fault->what = "has no ':' between a name and a hash";
    else if (name_len == 0)
        fault->what = "has no name";
    else if (name_len > HTPASSWD_NAME_MAX)
        fault->what = "has a name of more than 255 octets";
    else if (has_control(line))
        fault->what = "holds a control character";
    if (fault->what != NULL)
        return -EINVAL;
    hash = span_make(colon + 1, line.len - name_len - 1);
    colon = memchr(hash.ptr, ':', hash.len);
    if (colon != NULL)
        hash.len = (size_t)(colon - hash.ptr);
    user->name = arena_strndup(arena, line.ptr, name_len);
    user->hash = arena_strndup(arena, hash.ptr, hash.len);
    if (user->name == NULL || user->hash == NULL)
        return -ENOMEM;
    fault->what = password_hash_check(user->hash);
    fault->name = user->name;
    return fault->what != NULL ? -EINVAL : 0;
}

static int compare_users(const void *a, const void *b)
{
    const struct htpasswd_user *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order != 0 ? order : x->line < y->line ? -1 : 1;
}

/* Puts them in order. 0, or -EINVAL: a name stands twice. */
static int sort_users(struct htpasswd *file, struct htpasswd_fault *fault)
{
    if (file->count > 0)
        qsort(file->users, file->count, sizeof(file->users[0]), compare_users);
    for (size_t i = 1; i < file->count; i++) {
        const struct htpasswd_user *user = &file->users[i];

        if (strcmp(user[-1].name, user->name) != 0)
            continue;
        *fault = (struct htpasswd_fault){
            .line = user->line, .name = user->name, .what = "stands twice", .first = user[-1].line
        };
        return -EINVAL;
    }
    return 0;
}

int htpasswd_parse(struct span text, struct arena *arena, struct htpasswd *ret_file,
                   struct htpasswd_fault *ret_fault)
{
    struct htpasswd file = { 0 };
    struct htpasswd_fault fault = { 0 };
    size_t lines = 1, line_number = 0;
    int res = 0;

    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n';
    file.users = arena_array(arena, lines, sizeof(file.users[0]));
    if (file.users == NULL)
        return -ENOMEM;
    while (res == 0 && text.len > 0) {
        struct span line = take_line(&text);
        struct htpasswd_user *user = &file.users[file.count];

        user->line = ++line_number;
        if (span_trim(line).len == 0 || line.ptr[0] == '#')
            continue;
        res = parse_line(line, arena, user, &fault);
        file.count++;
    }
    if (res == 0)
        res = sort_users(&file, &fault);
    if (res == -EINVAL)
        *ret_fault = fault;
    if (res == 0)
        *ret_file = file;
    return res;
}

const struct htpasswd_user *htpasswd_find(const struct htpasswd *file, struct span name)
{
    size_t low = 0, high = file->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct htpasswd_user *user = &file->users[middle];
        size_t len = strlen(user->name);
        int order = memcmp(name.ptr, user->name, name.len < len ? name.len : len);

        if (order == 0)
            order = name.len < len ? -1 : name.len > len;
        if (order == 0)
            return user;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
