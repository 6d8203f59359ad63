/* auto.h: which engine `engine = auto` takes, and which one engine_fallback = on takes in place of
 * one that cannot run here. */
#ifndef PROCESS_AUTO_H
#define PROCESS_AUTO_H

#include "config/config.h"
#include "core/log.h"
#include "engines/engine.h"

#include <stdbool.h>
#include <stddef.h>

#define ENGINE_AUTO "auto" /* a name in the configuration that is no engine's */

struct auto_choice {
    const struct engine_ops *ops; /* NULL: none is to be chosen, or none can run */
    enum log_level level;         /* of the sentence: a fallback is a warning */
    char sentence[1536];          /* what was chosen, and why no other one */
    char settings[4][64];         /* with these, as by -o, the configuration is to be read again:
                                     "engine=NAME"; "file_io=auto" and "file_jobs=auto" in place of what the engine
                                     does not have */
    size_t settings_count;
    unsigned settings_known; /* enum engine_setting: what one of those has a use for from which it
                                was chosen */
};

/* The best engine that can run: proactor, unless `config` (NULL: as it is by default) asks for
 * accept = handoff; else multi-reactor, when more than one event loop is asked for (`threads`, 0:
 * one a CPU); else reactor. Never `except` (or NULL). NULL when there is none. Writes what was
 * passed over, and why: "not proactor: ...; not ...", or nothing. */
const struct engine_ops *auto_best(const struct config *config, unsigned threads,
                                   const struct engine_ops *except, char *ret_why, size_t why_size);

/* Chooses, if `config` says auto, or if its engine `ops` (NULL: it names none) cannot run and
 * engine_fallback is on. 0; or, when none can run, -ENOTSUP and the sentence. */
int auto_choose(const struct config *config, const struct engine_ops *ops,
                struct auto_choice *ret_choice);

#endif
