/* config_listen.h: `listen = {"127.0.0.1:8080 backlog=511"}`: addresses, their parameters, and
 * which servers share them. */
#ifndef CONFIG_CONFIG_LISTEN_H
#define CONFIG_CONFIG_LISTEN_H

#include "config/config.h"
#include "config/config_tree.h"

/* The most addresses that `entry` (the key `listen`) can stand for: one for each address, and
 * HOST_ADDRESSES_MAX for what may be the name of a host. */
size_t config_listen_max(const struct config_entry *entry);

/* Adds `server` to the addresses of `entry`, and those that are new to config->listens, which has
 * room for them (config_listen_max()). A name stands for all of its addresses. Called once for each
 * server, in their order. 0, or -errno and a sentence. */
int config_listen_add(const struct config_build *build, const struct config_entry *entry,
                      struct config *config, struct server *server);

#endif
