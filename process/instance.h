/* instance.h: one configuration made ready to serve: everything that a start acquires while it may
 * still be root, in the order of a start:
 *
 *   configuration, engine -> limit of descriptors -> user -> document roots -> probe -> error log
 *   -> access logs -> certificates and keys -> listeners
 *
 * and serve.h goes on from there. Whatever needs root is open by then. A server in the foreground
 * has one instance; a supervisor has one for each generation of its workers. */
#ifndef PROCESS_INSTANCE_H
#define PROCESS_INSTANCE_H

#include "config/config.h"
#include "core/fd_slot.h"
#include "engines/engine.h"
#include "process/choice.h"
#include "process/exit_status.h"
#include "process/listen_set.h"
#include "process/privileges.h"
#include "tls/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct instance {
    const struct config_source *source; /* borrowed */
    struct choice choice;
    struct config *config;        /* its configuration, */
    const struct engine_ops *ops; /* and its engine */
    struct privileges privileges;
    struct tls_server tls;
    const struct tls_server *tls_before; /* borrowed for instance_open(); whose tickets are taken */
    struct listen_set *set;              /* borrowed; whose the listening sockets are; NULL: ours */
    struct listener *listeners; /* one of each address, in the order of config->listens, and others
                                   of the same addresses behind these; or NULL. In a worker those
                                   that it accepts from, in any order */
    size_t listeners_count;
    uint64_t files_seen; /* tls_files_look(), before they were read; 0: they were not */
    bool log_waits;      /* for instance_take_log() */
    bool leaves_logs;    /* a supervisor's: log files are opened here alone, and left in */
    struct fd_slot
        *log_slots;      /* these: of each access log, and behind them the error log's; owned */
    int error_log_fd;    /* of a file; owned; -1: taken, or there is none */
    char files_why[512]; /* which descriptors there will not be, or "" */
    char ktls_why[256];  /* why the kernel does not encrypt, or "" */
    char why[1024];      /* the sentence of the last refusal */
};

/* An instance of which nothing is acquired yet. */
void instance_init(struct instance *instance, const struct config_source *source);

/* Who is to blame when `error` (-errno) comes of listening, or of an engine: the configuration,
 * which names what cannot be had, or the system as it is now. */
enum exit_status instance_status(int error);

/* Reads the configuration and finds the engine. This one, and the next two, return STATUS_OK, or
 * the status to exit with and instance->why, a sentence. What was acquired is given back by
 * instance_close() in any case. */
enum exit_status instance_configure(struct instance *instance);

/* -t, after instance_configure(): does everything that a start would do, but creates nothing and
 * takes no address; an engine is made and freed. */
enum exit_status instance_test(struct instance *instance);

/* Acquires all that is listed above, after instance_configure(), and says in the error log what a
 * start has to say. The sockets come from `set`, which is borrowed until instance_close(). `first`:
 * nobody has an error log yet, so that this one's is taken as soon as it is open; else
 * instance_take_log() is for when the instance is known to serve. */
enum exit_status instance_open(struct instance *instance, struct listen_set *set, bool first);

/* In place of instance_configure() and instance_open(): an instance that another binary in this
 * process has opened. The configuration is read and the error log taken; of the rest there are the
 * listening sockets, which are in `set`, and nothing else: it can be known, but not served. */
enum exit_status instance_adopt(struct instance *instance, struct listen_set *set);

/* Gives its servers and addresses their places among the counters (stats_name()): before workers
 * are forked, and again in each of them, which counts by this configuration then. */
void instance_name_counters(const struct instance *instance);

/* In a server in the foreground: the listening sockets are this instance's from now on, and the set
 * is empty (listen_set_give()). */
void instance_own_sockets(struct instance *instance);

/* The same in worker `index` of config->processes: those that it accepts from, without the files of
 * unix sockets. */
void instance_own_share(struct instance *instance, unsigned index);

/* Gives the listening sockets back to the set: this instance will not serve. */
void instance_give_up_sockets(struct instance *instance);

/* Directs the error log to where this configuration says, once; its path is borrowed from it. */
void instance_take_log(struct instance *instance);

/* Gives back what was acquired. The engine, if there was one, is destroyed. */
void instance_close(struct instance *instance);

#endif
