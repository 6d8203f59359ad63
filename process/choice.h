/* choice.h: the configuration, and the engine that serves it: named by itself, by an alias, chosen
 * by `auto`, or in place of one that cannot run here (auto.h). */
#ifndef PROCESS_CHOICE_H
#define PROCESS_CHOICE_H

#include "config/config.h"
#include "engines/engine.h"
#include "process/auto.h"

#include <stddef.h>

struct choice {
    struct config *config; /* owned */
    const struct engine_ops *ops;
    struct auto_choice by_auto; /* `ops` NULL: nothing was chosen */
};

/* Reads the configuration and finds its engine; where one is chosen, or an alias stands for a
 * setting, it is read once more with that, since header fields may hold the engine's name. Files
 * are read once (they may be pipes); source->texts (NULL: forgotten) keeps what they held. 0; -ENOTSUP: no engine can run here; another -errno: the
 * configuration is refused, or memory is missing (-ENOMEM); with a sentence. What has been set of
 * *ret_choice is the caller's in any case (choice_free()). */
int choice_make(const struct config_source *source, struct choice *ret_choice, char *why,
                size_t why_size);

/* Frees the configuration. */
void choice_free(struct choice *choice);

#endif
