/* config_auth.c: see config_auth.h. A file of passwords is read once, however many locations name
 * it: as long as the configuration is in force, what it held when that was loaded holds. */
#include "config/config_auth.h"

#include "config/config_store.h"
#include "config/config_text.h"
#include "core/check.h"
#include "core/htpasswd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Octets of a realm: browsers show less. */
enum { REALM_MAX = 200 };

/* The one auth block in `block`; NULL: it has none, or says that there is none (*ret_off). */
static int find_block(const struct config_build *build, const struct config_block *block,
                      const struct config_block **ret_auth, bool *ret_off)
{
    const struct config_entry *off = config_entry_at(block, "auth");
    const struct config_block *auth = NULL;

    if (off->is_set && strcmp(off->items->text, "off") != 0)
        return config_fail_item(build, off->items, config_key_find("auth"),
                                "\"%.100s\" is not known", off->items->text);
    for (size_t i = 0; i < block->blocks_count; i++) {
        if (block->blocks[i]->kind != CONFIG_AUTH)
            continue;
        if (auth != NULL || off->is_set)
            return config_fail_advise(build, block->blocks[i]->place, "auth",
                                      "take one of them away", "auth stands here twice");
        auth = block->blocks[i];
    }
    *ret_auth = auth;
    *ret_off = off->is_set;
    return 0;
}

static int users_read(const struct config_build *build, struct config_place place, const char *path,
                      struct htpasswd *ret_users)
{
    struct htpasswd_fault fault;
    const char *what = NULL;
    char *text = NULL;
    size_t len = 0;
    int res = config_data_read(build, path, &text, &len, &what);

    if (res == -ENOMEM)
        return res;
    if (res < 0)
        return config_fail(build, place, "users", "%.400s cannot be read: %s", path,
                           what != NULL ? what : strerror(-res));
    res = htpasswd_parse(span_make(text, len), build->arena, ret_users, &fault);
    explicit_bzero(text, len);
    free(text);
    if (res != -EINVAL)
        return res;
    place = (struct config_place){ path, (int)fault.line, 1 };
    if (fault.first > 0)
        return config_fail_advise(build, place, "users", "take one of the lines away",
                                  "\"%.100s\" stands twice, first in line %zu", fault.name,
                                  fault.first);
    return config_fail_allowed(
        build, place, "users", "name:hash, as made by htpasswd -B or mkpasswd -m yescrypt",
        "%s%.100s%s %s", fault.name != NULL ? "\"" : "",
        fault.name != NULL ? fault.name : "the line", fault.name != NULL ? "\"" : "", fault.what);
}

/* The users of the file at `path`, which is kept. */
static int users_find(const struct config_build *build, struct config_place place, const char *path,
                      const struct htpasswd **ret_users)
{
    struct config_shared *shared = build->shared;
    struct span name = span_str(path);
    const struct name_slot *slot = name_table_find(&shared->users, name_hash(name), name);
    struct htpasswd *users;
    int res;

    if (slot != NULL) {
        *ret_users = shared->user_files[slot->index];
        return 0;
    }
    users = arena_alloc(build->arena, sizeof(*users));
    if (users == NULL)
        return -ENOMEM;
    res = users_read(build, place, path, users);
    if (res < 0)
        return res;
    name_table_add(&shared->users, name, shared->user_files_count);
    shared->user_files[shared->user_files_count++] = users;
    *ret_users = users;
    return 0;
}

/* The field that asks for a name and a password (RFC 7617 section 2); NULL: no memory. */
static char *challenge_make(struct arena *arena, const char *realm)
{
    char quoted[2 * REALM_MAX + 1];
    size_t len = 0;

    for (; *realm != '\0'; realm++) {
        CHECK(len + 2 < sizeof(quoted));
        if (*realm == '"' || *realm == '\\')
            quoted[len++] = '\\';
        quoted[len++] = *realm;
    }
    quoted[len] = '\0';
    return arena_printf(arena, "WWW-Authenticate: Basic realm=\"%s\", charset=\"UTF-8\"\r\n",
                        quoted);
}

static int rules_make(const struct config_build *build, const struct config_block *block,
                      struct auth_rules *rules)
{
    const struct config_key *key = config_key_find("users");
    const struct config_entry *users = config_entry_at(block, key->name);
    const char *what = config_text_field_value(block->title);
    char *path = NULL;
    int res;

    if (what == NULL && strlen(block->title) > REALM_MAX)
        what = "has more than 200 octets";
    if (what != NULL)
        return config_fail_allowed(build, block->place, "auth",
                                   "a name for what is kept, which browsers show", "\"%.220s\" %s",
                                   block->title, what);
    if (!users->is_set)
        return config_fail_advise(build, block->place, "auth",
                                  "add users = \"/path/of/a/file\" to it",
                                  "\"%.100s\" does not say whom it lets in", block->title);
    res = config_text(build, key, users->items, &path);
    if (res == 0)
        res = users_find(build, users->items->place, path, &rules->users);
    if (res < 0)
        return res;
    rules->path = path;
    rules->realm = arena_strdup(build->arena, block->title);
    rules->challenge = challenge_make(build->arena, block->title);
    return rules->realm != NULL && rules->challenge != NULL ? 0 : -ENOMEM;
}

int config_auth_make(const struct config_build *build, const struct config_layers *layers,
                     const struct auth_rules **ret_rules)
{
    const struct config_block *blocks[] = { layers->location, layers->server };
    const struct config_block *found = NULL;
    struct auth_rules *rules;
    bool off = false;

    for (size_t i = 0; i < ARRAY_LEN(blocks) && found == NULL && !off; i++) {
        int res = blocks[i] != NULL ? find_block(build, blocks[i], &found, &off) : 0;

        if (res < 0)
            return res;
    }
    *ret_rules = NULL;
    if (found == NULL)
        return 0;
    rules = arena_alloc(build->arena, sizeof(*rules));
    if (rules == NULL)
        return -ENOMEM;
    *ret_rules = rules;
    return rules_make(build, found, rules);
}
