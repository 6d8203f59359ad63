/* config_check.c: duplicates, found by sorting: configurations can be long. */
#include "config/config_check.h"
#include "core/check.h"
#include "match/glob.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The word of a pattern, or "" where it says no more than the title does: a firm prefix is the same
 * as one that is not, but for what may come before it; a path is redirected alone in any case. */
static const char *word_of(const struct config_block *block)
{
    const char *title = block->title;
    size_t len = strlen(title);

    if (block->word[0] == '^')
        return "";
    if (block->kind == CONFIG_REDIRECT && block->word[0] == '=' && len > 0 &&
        title[len - 1] != '/' && !glob_is_one(title))
        return "";
    return block->word;
}

static int compare_patterns(const struct config_block *x, const struct config_block *y)
{
    int order = strcmp(x->title, y->title);

    return order != 0 ? order : strcmp(word_of(x), word_of(y));
}

/* By what would be the same block, then by their order: each is a place in outer->blocks. */
static int compare_titles(const void *a, const void *b)
{
    struct config_block *const *x = *(struct config_block *const *const *)a;
    struct config_block *const *y = *(struct config_block *const *const *)b;
    int order = compare_patterns(*x, *y);

    if ((*x)->kind != (*y)->kind)
        return (*x)->kind < (*y)->kind ? -1 : 1;
    return order != 0 ? order : (x > y) - (x < y);
}

int config_check_titles(const struct config_build *build, const struct config_block *block)
{
    size_t count = block->blocks_count;
    struct config_block ***sorted = arena_array(build->scratch, count, sizeof(sorted[0]));

    if (sorted == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        sorted[i] = &block->blocks[i];
    if (count > 0)
        qsort(sorted, count, sizeof(sorted[0]), compare_titles);
    for (size_t i = 1; i < count; i++) {
        const struct config_block *first = *sorted[i - 1], *second = *sorted[i];

        if (second->kind == CONFIG_SERVER || first->kind != second->kind ||
            compare_patterns(first, second) != 0)
            continue;
        return config_fail_advise(build, second->place, config_block_type_at(second->kind)->name,
                                  "take one of them away",
                                  "\"%.200s\" stands twice, first at %s:%d", second->title,
                                  first->place.file, first->place.line);
    }
    return 0;
}

/* A name that a server answers to. */
struct taken_name {
    const char *name;
    size_t server; /* index into config->servers */
};

static int compare_names(const void *a, const void *b)
{
    const struct taken_name *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order != 0 ? order : (x->server > y->server) - (x->server < y->server);
}

/* Server block `index` of the top level. */
static const struct config_block *server_block_at(const struct config_block *top, size_t index)
{
    for (size_t i = 0; i < top->blocks_count; i++) {
        if (top->blocks[i]->kind == CONFIG_SERVER && index-- == 0)
            return top->blocks[i];
    }
    UNREACHABLE();
}

static int names_check(const struct config_build *build, const struct config_block *top,
                       const struct config *config, const struct listen_config *listen)
{
    struct taken_name *names;
    size_t count = 0;
    int res = 0;

    for (size_t i = 0; i < listen->servers_count; i++)
        count += listen->servers[i]->hosts_count;
    names = calloc(count, sizeof(names[0]));
    if (names == NULL)
        return -ENOMEM;
    count = 0;
    for (size_t i = 0; i < listen->servers_count; i++) {
        for (size_t j = 0; j < listen->servers[i]->hosts_count; j++)
            names[count++] = (struct taken_name){ listen->servers[i]->hosts[j],
                                                  (size_t)(listen->servers[i] - config->servers) };
    }
    qsort(names, count, sizeof(names[0]), compare_names);
    for (size_t i = 1; res == 0 && i < count; i++) {
        if (strcmp(names[i - 1].name, names[i].name) != 0)
            continue;

        const struct config_block *first = server_block_at(top, names[i - 1].server);
        const struct config_block *second = server_block_at(top, names[i].server);

        if (first == second)
            res = config_fail_advise(build, first->place, "server", "take one of them away",
                                     "\"%.100s\" stands twice among its title and alias_hosts",
                                     names[i].name);
        else
            res = config_fail_advise(
                build, second->place, "server",
                "give one of the two another name, or another address",
                "the name \"%.100s\" is taken, at %.200s, by the server at %s:%d", names[i].name,
                listen->text, first->place.file, first->place.line);
    }
    free(names);
    return res;
}

int config_check_proxies(const struct config_build *build, const struct config *config)
{
    for (size_t i = 0; i < config->listens_count; i++) {
        const struct listen_config *listen = &config->listens[i];

        if (listen->proxy_protocol && config->trusted_count == 0)
            return config_fail_advise(
                build, (struct config_place){ .file = listen->place }, "listen",
                "set trusted = {\"192.0.2.1\"} at the top level, with the addresses of the proxies "
                "(unix: for those that come by a unix socket)",
                "\"%.100s\" has proxy_protocol behind it, but nobody may send a PROXY header",
                listen->text);
    }
    return 0;
}

int config_check_names(const struct config_build *build, const struct config_block *top,
                       const struct config *config)
{
    int res = 0;

    for (size_t i = 0; res == 0 && i < config->listens_count; i++)
        res = names_check(build, top, config, &config->listens[i]);
    return res;
}
