/* single_loop.h: the engines that run one event loop (loop.h), on the thread that calls run(): what
 * they have in common is all but the options of the loop. */
#ifndef ENGINES_REACTOR_SINGLE_LOOP_H
#define ENGINES_REACTOR_SINGLE_LOOP_H

#include "engines/engine.h"
#include "engines/reactor/loop.h"

/* As engine_ops.probe: the demultiplexer and the executor of file jobs that `config` chooses. */
int single_loop_probe(const struct config *config, char *why, size_t why_size);

/* As engine_ops.create, with a loop of these options (borrowed for the call). */
int single_loop_create(const struct engine_config *cfg, const struct loop_options *options,
                       char *why, size_t why_size, struct engine **ret_engine);

/* As the calls of engine_ops. */
int single_loop_run(struct engine *e);
void single_loop_wake(struct engine *e);
void single_loop_destroy(struct engine *e);

#endif
