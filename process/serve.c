/* serve.c: see serve.h. */
#include "process/serve.h"

#include "config/config_roots.h"
#include "core/conn_table.h"
#include "core/draining.h"
#include "core/file_notice.h"
#include "core/log.h"
#include "engines/listen.h"
#include "process/descriptors.h"
#include "process/notify.h"
#include "process/pid_file.h"
#include "process/signals.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What tells of changes of files, for all threads of the process; where there is none time does. */
static void create_notice(struct instance *p)
{
    struct config *config = p->config;

    if (config->cache_valid_ms != CONFIG_NOTIFY || config->cache_files_max == 0)
        return;
    if (p->ops->forks) {
        log_warn("cache_valid = notify: %s has a process for each connection, which ends before a "
                 "watch pays; files are looked at again after a second",
                 p->ops->name);
        return;
    }
    int error =
        file_notice_create(config->cache_watches_max, CONFIG_NOTIFY_VALID_MS, &config->notice);
    if (error < 0)
        log_warn("cache_valid = notify: inotify is not to be had (%s; see "
                 "fs.inotify.max_user_instances); files are looked at again after a second",
                 strerror(-error));
}

/* `params` NULL: it never serves. */
static enum exit_status create_engine(struct instance *p, const struct serve_params *params,
                                      struct engine **ret_engine)
{
    struct engine_config cfg = {
        .config = p->config,
        .limits = session_limits_of(p->config),
        .listeners = p->listeners,
        .listeners_count = params != NULL ? p->listeners_count : 0,
        .tls = &p->tls,
        .orders = signals_orders(),
        .out = params != NULL ? params->out : NULL,
        .inboxes = params != NULL ? params->inboxes : NULL,
        .inboxes_count = params != NULL ? params->inboxes_count : 0,
        .pulse = params != NULL ? params->pulse : NULL,
    };

    cfg.limits.has_logs = params != NULL;
    int error = engine_check_config(p->ops, p->config, p->why, sizeof p->why);
    if (error == 0)
        error = p->ops->create(&cfg, p->why, sizeof p->why, ret_engine);
    return error < 0 ? instance_status(error) : STATUS_OK;
}

enum exit_status serve_test(struct instance *p)
{
    struct engine *engine = NULL;

    enum exit_status status = create_engine(p, NULL, &engine);
    if (status == STATUS_OK)
        p->ops->destroy(engine);
    return status;
}

static enum exit_status create_pid_file(struct instance *p, const struct serve_params *params)
{
    if (params->pid_path == NULL)
        return STATUS_OK;
    int error = pid_file_create(params->pid_path, p->config->log_owner, p->why, sizeof p->why,
                                params->ret_pid_file);
    if (error < 0)
        return error == -EBUSY ? STATUS_RUNTIME : STATUS_CONFIG;
    signals_lend_pid_file(params->ret_pid_file);
    return STATUS_OK;
}

/* New sockets of an address get connections only now that somebody accepts them. */
static enum exit_status begin_to_listen(struct instance *p)
{
    int error = 0;

    for (size_t i = 0; error == 0 && i < p->listeners_count; i++)
        error = listener_begin(&p->listeners[i], p->why, sizeof p->why);
    return error < 0 ? instance_status(error) : STATUS_OK;
}

/* Everything between an engine and its run. */
static enum exit_status prepare(struct instance *p, const struct serve_params *params,
                                struct engine *engine)
{
    signals_delay_drain(p->config->deadlines.drain_delay_ms);
    signals_drain_on_term(p->config->stop_signal == STOP_SIGNAL_DRAIN);
    signals_install(p->ops, engine, params->supervised);
    if (!params->supervised)
        signals_watch(notify_watchdog_ms());
    enum exit_status status = create_pid_file(p, params);
    if (status != STATUS_OK)
        return status;
    if (privileges_drop(&p->privileges, p->why, sizeof p->why) < 0)
        return STATUS_RUNTIME;
    config_roots_hand_over(p->config, p->privileges.user);
    return begin_to_listen(p);
}

/* With the rights of whoever serves. */
static enum exit_status start_notice(struct instance *p)
{
    int error = file_notice_start(p->config->notice);

    if (error < 0)
        snprintf(p->why, sizeof p->why, "cache_valid = notify: cannot start a thread: %s",
                 strerror(-error));
    return error < 0 ? STATUS_RUNTIME : STATUS_OK;
}

enum exit_status serve(struct instance *p, const struct serve_params *params)
{
    struct engine *engine = NULL;

    instance_name_counters(p);
    descriptors_reserve(p->config, p->ops);
    if (p->config->clients != NULL)
        conn_table_join(p->config->clients);
    draining_share(); /* a successor does not drain because this one does */
    create_notice(p);
    enum exit_status status = create_engine(p, params, &engine);
    if (status != STATUS_OK)
        return status;
    status = prepare(p, params, engine);
    if (status == STATUS_OK && p->config->notice != NULL)
        status = start_notice(p);
    if (status == STATUS_OK) {
        p->why[0] = '\0';
        params->ready(params->context);
        status = p->ops->run(engine) < 0 ? STATUS_RUNTIME : STATUS_OK;
    }
    signals_ignore();
    p->ops->destroy(engine);
    file_notice_destroy(p->config->notice);
    p->config->notice = NULL;
    return status;
}
