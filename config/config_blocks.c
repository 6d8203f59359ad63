/* config_blocks.c: the table of blocks that may stand in server.conf. See config_keys.h. */
#include "config/config_keys.h"
#include "core/check.h"

#define TOP    (1u << CONFIG_TOP)
#define SERVER (1u << CONFIG_SERVER)
#define PATHS  (SERVER | 1u << CONFIG_LOCATION)

static const struct config_block_type block_types[CONFIG_BLOCK_KINDS] = {
    [CONFIG_TOP] = { "", 0, "at the top level", "", "", false },
    [CONFIG_SERVER] = { "server", TOP, "in a server block", "www.example.org",
                        "a site: the title is the host name that it answers to", false },
    [CONFIG_LOCATION] = { "location", SERVER, "in a location block", "/downloads/",
                          "what holds for the paths that match the title, instead of the server's",
                          true },
    [CONFIG_REDIRECT] = { "redirect", SERVER, "in a redirect block", "/old/",
                          "sends the path in the title, those below it or those that match it "
                          "elsewhere",
                          true },
    [CONFIG_CACHE] = { "cache", PATHS, "in a cache block", "*.css",
                       "caching fields for the files that match the title", true },
    [CONFIG_AUTH] = { "auth", PATHS, "in an auth block", "Members only",
                      "asks for a name and a password; the title is what for", false },
    [CONFIG_MAP] = { "map", TOP, "in a map block", "$uri\" \"$new",
                     "a variable, and what it stands for by the value of another", false },
    [CONFIG_FIELDS] = { "headers", PATHS, "in a headers block", "*.html",
                        "header fields of the answers to paths that match the title", true },
};

const struct config_block_type *config_block_type_at(enum config_block_kind kind)
{
    CHECK(kind < CONFIG_BLOCK_KINDS);
    return &block_types[kind];
}
