/* config_site_redirects.c: see config_site_redirects.h. */
#include "config/config_site_redirects.h"

#include "config/config_site_file.h"
#include "config/config_store.h"
#include "config/config_warn.h"
#include "config/site_redirects.h"
#include "core/check.h"
#include "match/template_url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WARNINGS_MAX = 20 /* of one file that are told */ };

/* One file while it is read. */
struct reading {
    const struct config_build *build;
    struct config *config;
    const char *path;
    struct redirect_rules_maker *maker;
    const struct template **targets; /* malloc(3), by rule */
    size_t room;
    size_t told;
    bool any_force;
};

static void leave_out(struct reading *r, size_t line, const char *what)
{
    if (++r->told < WARNINGS_MAX)
        config_warn(r->build, r->config, "%s:%zu: the rule %s; it is left out", r->path, line,
                    what);
    else if (r->told == WARNINGS_MAX)
        config_warn(r->build, r->config, "%s:%zu: and more of that kind", r->path, line);
}

/* Where a rule leads. 0 and a template, or NULL; -ENOMEM; or -EINVAL and what is wrong. */
static int target_make(struct reading *r, const struct redirect_rule *rule, char *what, size_t size,
                       const struct template **ret_target)
{
    const struct template_names names = { .captures = true, .groups = rule->groups };
    bool is_url = rule->status > 300 && rule->status < 400;
    const char *wrong = NULL;
    int res;

    *ret_target = NULL;
    if (rule->target[0] == '\0')
        return 0;
    res = template_compile(r->build->arena, rule->target, &names, what, size, ret_target);
    if (res == 0 && is_url)
        wrong = template_url_check(*ret_target);
    if (wrong != NULL)
        snprintf(what, size, "%s", wrong);
    return wrong != NULL ? -EINVAL : res;
}

static int grow(struct reading *r)
{
    size_t room = r->room > 0 ? 2 * r->room : 64;
    const struct template **targets = realloc(r->targets, room * sizeof(targets[0]));

    if (targets == NULL)
        return -ENOMEM;
    r->targets = targets;
    r->room = room;
    return 0;
}

/* A rule that fits; or it is left out. */
static int add(struct reading *r, const struct redirect_line *line)
{
    const char *wrong = NULL;
    char what[600];
    size_t count = redirect_rules_made(r->maker);
    int res = redirect_rules_add(r->maker, line, &wrong);

    if (res == 0 && count == r->room && grow(r) < 0)
        return -ENOMEM;
    if (res == -EINVAL)
        leave_out(r, line->number, wrong);
    if (res < 0)
        return res == -EINVAL ? 0 : res;
    const struct redirect_rule *rule = redirect_rules_last(r->maker);
    res = target_make(r, rule, what, sizeof(what), &r->targets[count]);
    if (res == -EINVAL) {
        leave_out(r, line->number, what);
        redirect_rules_drop(r->maker);
        return 0;
    }
    r->any_force |= rule->force;
    return res;
}

static int add_all(struct reading *r, struct span text)
{
    struct redirect_reader reader;
    struct redirect_line line;
    int res;

    redirect_reader_init(&reader, text);
    while ((res = redirect_reader_next(&reader, &line)) != 0) {
        if (res < 0) {
            leave_out(r, reader.number, reader.what);
            continue;
        }
        if (redirect_rules_made(r->maker) == r->config->redirects_rules_max) {
            config_warn(r->build, r->config,
                        "%s:%zu: there are more than redirects_rules_max = %u rules; this one and "
                        "those behind it are left out",
                        r->path, line.number, r->config->redirects_rules_max);
            return 0;
        }
        res = add(r, &line);
        if (res < 0)
            return res;
    }
    return 0;
}

static int rules_make(struct reading *r, struct span text, struct site_redirects *site)
{
    int res = redirect_rules_begin(r->build->arena, &r->maker);

    if (res == 0)
        res = add_all(r, text);
    if (res == 0) {
        size_t count = redirect_rules_made(r->maker);

        site->targets = arena_array(r->build->arena, count, sizeof(site->targets[0]));
        if (site->targets == NULL)
            res = -ENOMEM;
        else if (count > 0)
            memcpy(site->targets, r->targets, count * sizeof(site->targets[0]));
        site->any_force = r->any_force;
    }
    if (res == 0)
        res = redirect_rules_make(r->maker, r->build->hash_key, &site->rules);
    redirect_rules_end(r->maker);
    free(r->targets);
    return res;
}

/* The text of the file; none: "". One that the site brings need not be there. */
static int file_read(const struct reading *r, const struct config_item *item, bool in_root,
                     char **ret_text, size_t *ret_len)
{
    const char *what = NULL;
    int res = config_data_read(r->build, r->path, ret_text, ret_len, &what);

    if (res == -ENOMEM || res == 0)
        return res;
    if (what == NULL)
        what = strerror(-res);
    if (!in_root)
        return config_fail(r->build, item->place, "redirects_file", "%.400s cannot be read: %s",
                           r->path, what);
    if (res != -ENOENT)
        config_warn(r->build, r->config, "%s cannot be read: %s; its rules are left out", r->path,
                    what);
    return 0;
}

/* The path of the file: of the root of "/", or as written. */
static int path_find(const struct config_build *build, const struct config_item *item,
                     const struct server *server, bool in_root, const char **ret_path)
{
    const struct location *slash = &server->locations[server->locations_count - 1];
    char *path = NULL;

    if (in_root && slash->root == NULL)
        return config_fail_advise(build, item->place, "redirects_file",
                                  "add root to the server, or name the file",
                                  "the server has no root that a _redirects could lie in");
    if (in_root) {
        path = arena_printf(build->arena, "%s/%s", slash->root->path, CONFIG_REDIRECTS_FILE);
    } else {
        int res = config_text(build, config_key_find("redirects_file"), item, &path);

        if (res < 0)
            return res;
    }
    *ret_path = path;
    return path != NULL ? 0 : -ENOMEM;
}

int config_site_redirects_make(const struct config_build *build, const struct config_block *block,
                               struct config *config, struct server *server)
{
    const struct config_entry *entry = config_entry_at(block, "redirects_file");
    const struct config_item *item = entry->items;
    struct reading r = { .build = build, .config = config };
    struct site_redirects *site;
    char *text = NULL;
    size_t len = 0;

    if (!entry->is_set || strcmp(item->text, "off") == 0)
        return 0;
    bool in_root = strcmp(item->text, "on") == 0;
    int res = path_find(build, item, server, in_root, &r.path);
    if (res < 0)
        return res;
    site = arena_alloc(build->arena, sizeof(*site));
    if (site == NULL)
        return -ENOMEM;
    site->written = in_root ? "on" : r.path;
    res = file_read(&r, item, in_root, &text, &len);
    if (res == 0 && len > config->redirects_file_max) {
        config_warn(build, config,
                    "%s has more than redirects_file_max = %u bytes; its rules are left out",
                    r.path, config->redirects_file_max);
        len = 0;
    }
    if (res == 0)
        res = rules_make(&r, span_make(text != NULL ? text : "", len), site);
    free(text);
    for (size_t i = 0; res == 0 && i < server->locations_count; i++) {
        server->locations[i].redirects_file = true;
        res = config_site_file_hide(build, &server->locations[i], CONFIG_REDIRECTS_FILE);
    }
    if (res == 0)
        server->site_redirects = site;
    return res;
}
