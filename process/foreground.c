/* foreground.c: see foreground.h. */
#include "process/foreground.h"

#include "core/check.h"
#include "core/inherited.h"
#include "process/life.h"
#include "process/notify.h"
#include "process/pid_file.h"
#include "process/serve.h"
#include "process/signals.h"

#include <signal.h>
#include <unistd.h>

/* One that serves. */
struct shown {
    struct life life;
    bool ready;
};

static void tell_ready(void *context)
{
    struct shown *shown = context;

    char text[1024];

    shown->ready = true;
    life_log_ready(&shown->life);
    life_announce(&shown->life);
    life_describe(&shown->life, text, sizeof text);
    notify_ready(text);
}

static enum life_end how_it_ended(enum exit_status status)
{
    if (status != STATUS_OK)
        return LIFE_FAILED;
    return signals_drain_ms() == 0 || engine_asked(&signals_orders()->stop) ? LIFE_STOPPED
                                                                            : LIFE_DRAINED;
}

enum exit_status foreground(struct instance *instance)
{
    struct pid_file pid_file = { .fd = -1 };
    struct listen_set set;
    struct shown shown = { .ready = false };

    /* Process 1 of a container gets the orphans of all others: the kernel reaps them. An engine
     * that has children of its own waits for all (waitpid(2)), and undoes it. */
    if (getpid() == 1)
        MUST(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    listen_set_init(&set);
    enum exit_status status = instance_open(instance, &set, true);
    inherited_close_rest();
    instance_own_sockets(instance);
    if (status != STATUS_OK)
        return status;
    shown.life = life_of(instance);
    notify_connect();
    const struct serve_params params = {
        .pid_path = instance->config->pid_file,
        .ret_pid_file = &pid_file,
        .ready = tell_ready,
        .context = &shown,
    };
    status = serve(instance, &params);
    if (shown.ready)
        life_log_end(&shown.life, how_it_ended(status), signals_drain_ms());
    pid_file_remove(&pid_file);
    return status;
}
