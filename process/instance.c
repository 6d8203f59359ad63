/* instance.c: what a configuration names becomes descriptors, keys and sockets. Decides nothing
 * that the configuration does not. */
#include "process/instance.h"

#include "config/config_roots.h"
#include "core/check.h"
#include "core/cpus.h"
#include "core/log.h"
#include "core/log_stream.h"
#include "core/stats.h"
#include "engines/ktls.h"
#include "engines/listen.h"
#include "process/descriptors.h"
#include "process/limit_table.h"
#include "process/log_files.h"
#include "process/pid_file.h"
#include "process/serve.h"
#include "process/unused.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void instance_init(struct instance *instance, const struct config_source *source)
{
    *instance = (struct instance){ .source = source, .error_log_fd = -1 };
}

/* What names something is at fault, unless memory for it is missing. */
static enum exit_status status_of_config(int error)
{
    return error == -ENOMEM ? STATUS_RUNTIME : STATUS_CONFIG;
}

enum exit_status instance_status(int error)
{
    switch (-error) {
    case EINVAL:
    case ENOENT: /* a congestion control, too */
    case EACCES:
    case EEXIST:
    case EISDIR:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP: /* a link in a folder of others */
        return STATUS_CONFIG;
    case EOPNOTSUPP:
        return STATUS_ENGINE;
    default:
        return STATUS_RUNTIME;
    }
}

enum exit_status instance_configure(struct instance *p)
{
    int error = choice_make(p->source, &p->choice, p->why, sizeof p->why);

    p->config = p->choice.config;
    p->ops = p->choice.ops;
    if (error == -ENOTSUP)
        return STATUS_ENGINE;
    return error < 0 ? status_of_config(error) : STATUS_OK;
}

/* Reads certificates and keys, and makes what all connections with TLS share. */
static enum exit_status create_tls(struct instance *p)
{
    p->files_seen = tls_files_look(p->config);
    int error = tls_server_create(p->config, p->tls_before, p->why, sizeof p->why, &p->tls);

    return error < 0 ? status_of_config(error) : STATUS_OK;
}

/* Does the kernel encrypt? Asked while this is root, it loads its module; and asked before there is
 * a library, which need not keep what the kernel would have to know. */
static void find_ktls(struct instance *p)
{
    struct tls_settings *tls = &p->config->tls;

    if (tls_is_wanted(p->config) && tls->ktls && ktls_probe(p->ktls_why, sizeof p->ktls_why) < 0)
        tls->ktls = false;
}

/* Lets the kernel encrypt, where the library can hand it the keys; tells why not. */
static void choose_ktls(struct instance *p)
{
    if (p->ktls_why[0] != '\0')
        log_info("ktls: %s; the server encrypts itself", p->ktls_why);
    if (p->tls.ops == NULL || !p->config->tls.ktls)
        return;
    p->tls.ktls = p->tls.ops->offload != NULL;
    if (!p->tls.ktls)
        log_info("ktls: %s cannot hand keys to the kernel; the server encrypts itself",
                 p->tls.ops->name);
}

/* The checks that a start and a test have in common, before anything is created. */
static enum exit_status check_start(struct instance *p)
{
    if (descriptors_raise(p->config, p->ops, p->files_why, sizeof p->files_why) < 0) {
        snprintf(p->why, sizeof p->why, "%s", p->files_why);
        return STATUS_RUNTIME;
    }
    int error = privileges_find(p->config, p->why, sizeof p->why, &p->privileges);
    if (error == 0)
        error = config_roots_open(p->config, p->why, sizeof p->why);
    if (error < 0)
        return status_of_config(error);
    p->config->log_owner = p->privileges.drop ? p->privileges.uid : geteuid();
    if (p->ops->probe(p->config, p->why, sizeof p->why) < 0)
        return STATUS_ENGINE;
    return STATUS_OK;
}

enum exit_status instance_test(struct instance *p)
{
    const char *pid_file = p->config->pid_file;

    enum exit_status status = check_start(p);
    if (status == STATUS_OK)
        status = log_files_check(p);
    if (status == STATUS_OK)
        status = create_tls(p);
    if (status != STATUS_OK)
        return status;
    if (pid_file != NULL &&
        pid_file_check(pid_file, p->config->log_owner, p->why, sizeof p->why) < 0)
        return STATUS_CONFIG;
    int error = listeners_check(p->config, p->why, sizeof p->why);
    return error < 0 ? instance_status(error) : serve_test(p);
}

/* Does each event loop of each worker accept from a socket of its own? */
static bool has_own_sockets(const struct instance *p)
{
    return p->config->accept_mode == ACCEPT_REUSEPORT &&
           (p->ops->settings & ENGINE_SETTING_ACCEPT) != 0;
}

static unsigned sockets_of_each(const struct instance *p)
{
    unsigned processes = p->config->processes > 0 ? p->config->processes : 1;

    return has_own_sockets(p) ? processes * cpus_threads(p->config->threads) : 1;
}

/* Takes the listening sockets of the configuration from the set, `each` (listen_set_take()). */
static enum exit_status take_sockets(struct instance *p, struct listen_set *set, unsigned each)
{
    p->set = set;
    int error = listen_set_take(set, p->config, each, p->why, sizeof p->why, &p->listeners,
                                &p->listeners_count);
    if (error < 0)
        return instance_status(error);
    for (size_t i = 0; i < p->config->listens_count; i++)
        p->config->listens[i].port_bound = (uint16_t)listener_port(&p->listeners[i]);
    return STATUS_OK;
}

enum exit_status instance_adopt(struct instance *p, struct listen_set *set)
{
    enum exit_status status = instance_configure(p);
    if (status != STATUS_OK)
        return status;
    int error = privileges_find(p->config, p->why, sizeof p->why, &p->privileges);
    if (error < 0)
        return status_of_config(error);
    p->config->log_owner = p->privileges.drop ? p->privileges.uid : geteuid();
    status = log_files_open_error_log(p);
    if (status != STATUS_OK)
        return status;
    p->log_waits = true;
    instance_take_log(p);
    return take_sockets(p, set, 1); /* all that there are */
}

/* What is set and does nothing may be a mistake. */
static void warn_of_unused(const struct instance *p)
{
    char text[sizeof p->why];
    size_t index = 0;

    while (unused_next(&p->choice, &index, text, sizeof text))
        log_line(LOG_WARN, text);
}

enum exit_status instance_open(struct instance *p, struct listen_set *set, bool first)
{
    enum exit_status status = check_start(p);
    if (status == STATUS_OK)
        status = log_files_open_error_log(p);
    if (status != STATUS_OK)
        return status;
    p->log_waits = true;
    if (first)
        instance_take_log(p);
    if (p->files_why[0] != '\0')
        log_line(LOG_WARN, p->files_why);
    if (p->choice.by_auto.ops != NULL)
        log_line(p->choice.by_auto.level, p->choice.by_auto.sentence);
    warn_of_unused(p);
    status = log_files_prepare(p);
    if (status != STATUS_OK)
        return status;
    int error = limit_table_give(p->config);
    if (error < 0) {
        snprintf(p->why, sizeof p->why, "%s: no memory for so many clients: %s; lower it",
                 config_place(p->config, "limit_clients"), strerror(-error));
        return STATUS_RUNTIME;
    }
    find_ktls(p);
    status = create_tls(p);
    if (status != STATUS_OK)
        return status;
    choose_ktls(p);
    if (p->config->tls.self_signed)
        log_warn("--tls-self-signed: the certificate was made here and is signed by nobody else: "
                 "browsers will warn of it");
    return take_sockets(p, set, sockets_of_each(p));
}

void instance_name_counters(const struct instance *p)
{
    for (size_t i = 0; i < p->config->servers_count; i++)
        stats_name(STATS_KIND_SERVER, i, p->config->servers[i].name);
    for (size_t i = 0; i < p->config->listens_count; i++)
        stats_name(STATS_KIND_LISTEN, i, p->config->listens[i].text);
}

static void own_sockets(struct instance *p, bool with_files)
{
    if (p->set == NULL)
        return;
    listen_set_give(p->set, p->listeners, p->listeners_count, with_files);
    p->set = NULL;
}

void instance_own_sockets(struct instance *p)
{
    own_sockets(p, true);
}

/* Which of an address's sockets `at` is. */
static size_t place_of(const struct instance *p, size_t at)
{
    size_t place = 0;

    for (size_t i = 0; i < at; i++)
        place += p->listeners[i].config == p->listeners[at].config;
    return place;
}

void instance_own_share(struct instance *p, unsigned index)
{
    struct listener *own = calloc(p->listeners_count + 1, sizeof own[0]);
    size_t count = 0;

    CHECK(own != NULL);
    for (size_t i = 0; i < p->listeners_count; i++) {
        bool shared = !has_own_sockets(p) || p->listeners[i].config->kind == LISTEN_UNIX;
        if (!shared && place_of(p, i) % p->config->processes != index)
            continue;
        own[count] = p->listeners[i];
        own[count++].of_processes = shared && p->config->processes > 1;
    }
    free(p->listeners);
    p->listeners = own;
    p->listeners_count = count;
    own_sockets(p, false);
}

void instance_give_up_sockets(struct instance *p)
{
    if (p->set != NULL)
        listen_set_put(p->set, p->listeners, p->listeners_count);
    p->listeners = NULL;
    p->listeners_count = 0;
}

void instance_take_log(struct instance *p)
{
    const struct config *config = p->config;
    int stream = log_stream_number(config->error_log);

    if (!p->log_waits)
        return;
    p->log_waits = false;
    if (config->error_syslog == NULL) {
        log_take(stream >= 0 ? stream : p->error_log_fd, stream >= 0 ? NULL : config->error_log,
                 config->log_owner, config->log_level);
        if (stream < 0 && p->log_slots != NULL)
            log_take_slot(&p->log_slots[config->access_logs_count]);
        p->error_log_fd = -1;
    } else if (log_take_syslog(config->error_syslog, config->log_level) < 0) {
        log_error("%s: error_log %s: no socket can be had, messages go where they went",
                  config_place(config, "error_log"), config->error_log);
    }
}

void instance_close(struct instance *p)
{
    log_files_close_slots(p);
    if (p->error_log_fd >= 0)
        close(p->error_log_fd);
    if (p->set != NULL)
        listen_set_put(p->set, p->listeners, p->listeners_count);
    else
        listeners_close(p->listeners, p->listeners_count);
    tls_server_destroy(&p->tls);
    choice_free(&p->choice);
    instance_init(p, p->source);
}
