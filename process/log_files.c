/* log_files.c: logs are opened once as root, and given to the user who serves. */
#include "process/log_files.h"

#include "core/log.h"
#include "core/log_stream.h"
#include "core/log_syslog.h"
#include "core/safe_open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum exit_status refuse_log(struct instance *p, const char *key, const char *path, int error,
                                   const char *what)
{
    snprintf(p->why, sizeof p->why, "%s: %s %s cannot be written: %s", config_place(p->config, key),
             key, path, safe_open_text(error, what));
    return STATUS_CONFIG;
}

/* Can a log be written to this standard stream? */
static enum exit_status check_stream(struct instance *p, const char *key, const char *path)
{
    const char *what = NULL;
    struct log_stream stream;

    if (path == p->config->error_log && log_stream_number(path) == STDERR_FILENO)
        return STATUS_OK; /* the default: who has closed it wants to hear nothing */
    int error = log_stream_open(log_stream_number(path), &stream, &what);
    if (error < 0)
        return refuse_log(p, key, path, error, what);
    close(stream.fd);
    return STATUS_OK;
}

/* Can there be a socket to syslog? A daemon that is not there yet is no failure. */
static enum exit_status check_syslog(struct instance *p, const char *key, const char *path,
                                     const struct log_syslog *syslog)
{
    int fd = log_syslog_open(syslog);

    if (fd < 0)
        return refuse_log(p, key, path, fd, NULL);
    close(fd);
    return STATUS_OK;
}

/* Opens or makes a log, which becomes the user's. */
static enum exit_status prepare_log(struct instance *p, const char *key, const char *path,
                                    struct safe_file *ret_file)
{
    const char *what = NULL;

    int error = safe_open(SAFE_LOG, path, p->config->log_owner, ret_file, &what);
    if (error < 0)
        return refuse_log(p, key, path, error, what);
    if (privileges_give(&p->privileges, path, ret_file, p->why, sizeof p->why) == 0)
        return STATUS_OK;
    close(ret_file->fd);
    return STATUS_CONFIG;
}

/* Leaves a log file in its slot, if there are slots. `fd` stays the caller's. */
static enum exit_status leave(struct instance *p, size_t place, const char *key, const char *path,
                              int fd)
{
    int error = p->log_slots != NULL ? fd_slot_put(&p->log_slots[place], fd) : 0;

    return error < 0 ? refuse_log(p, key, path, error, NULL) : STATUS_OK;
}

/* A slot for each log that is a file; the error log's is the last one. */
static enum exit_status make_slots(struct instance *p)
{
    struct config *config = p->config;
    size_t count = config->access_logs_count;
    int error = 0;

    p->log_slots = calloc(count + 1, sizeof p->log_slots[0]);
    if (p->log_slots == NULL) {
        snprintf(p->why, sizeof p->why, "out of memory");
        return STATUS_RUNTIME;
    }
    for (size_t i = 0; i <= count; i++)
        p->log_slots[i] = FD_SLOT_NONE;
    for (size_t i = 0; error == 0 && i <= count; i++)
        error = fd_slot_open(&p->log_slots[i]);
    config->log_slots = p->log_slots;
    if (error == 0)
        return STATUS_OK;
    snprintf(p->why, sizeof p->why, "a pair of sockets for a log cannot be made: %s",
             strerror(-error));
    return STATUS_RUNTIME;
}

static enum exit_status prepare_access_log(struct instance *p, const struct access_log_config *log)
{
    const char *path = log->path;
    struct safe_file file;

    if (log->syslog != NULL)
        return check_syslog(p, "access_log", path, log->syslog);
    if (log_stream_number(path) >= 0)
        return check_stream(p, "access_log", path);
    enum exit_status status = prepare_log(p, "access_log", path, &file);
    if (status != STATUS_OK)
        return status;
    status = leave(p, (size_t)(log - p->config->access_logs), "access_log", path, file.fd);
    close(file.fd);
    return status;
}

enum exit_status log_files_prepare(struct instance *p)
{
    enum exit_status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < p->config->access_logs_count; i++)
        status = prepare_access_log(p, &p->config->access_logs[i]);
    return status;
}

enum exit_status log_files_open_error_log(struct instance *p)
{
    const char *path = p->config->error_log;
    struct safe_file file;

    enum exit_status status = p->leaves_logs ? make_slots(p) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    if (p->config->error_syslog != NULL)
        return check_syslog(p, "error_log", path, p->config->error_syslog);
    int stream = log_stream_number(path);
    if (stream >= 0)
        return check_stream(p, "error_log", path);
    status = prepare_log(p, "error_log", path, &file);
    if (status != STATUS_OK)
        return status;
    p->error_log_fd = file.fd;
    return leave(p, p->config->access_logs_count, "error_log", path, file.fd);
}

/* As prepare_log() and leave(), for one that was opened before. */
static enum exit_status reopen(struct instance *p, size_t place, const char *key, const char *path)
{
    struct safe_file file;

    if (log_stream_number(path) >= 0)
        return STATUS_OK;
    enum exit_status status = prepare_log(p, key, path, &file);
    if (status == STATUS_OK) {
        status = leave(p, place, key, path, file.fd);
        close(file.fd);
    }
    if (status != STATUS_OK)
        log_error("%s; the old file stays", p->why);
    return status;
}

enum exit_status log_files_reopen(struct instance *p)
{
    const struct config *config = p->config;
    size_t count = config->access_logs_count;
    enum exit_status result =
        config->error_syslog == NULL ? reopen(p, count, "error_log", config->error_log) : STATUS_OK;

    if (log_reopen() < 0) /* before anything more is said */
        log_line(LOG_ERROR, "the error log cannot be opened again, the old file stays");
    for (size_t i = 0; i < count; i++) {
        const struct access_log_config *log = &config->access_logs[i];
        enum exit_status status =
            log->syslog == NULL ? reopen(p, i, "access_log", log->path) : STATUS_OK;
        result = status != STATUS_OK ? status : result;
    }
    return result;
}

void log_files_only_get(struct instance *p)
{
    for (size_t i = 0; p->log_slots != NULL && i <= p->config->access_logs_count; i++)
        fd_slot_only_get(&p->log_slots[i]);
}

void log_files_close_slots(struct instance *p)
{
    for (size_t i = 0; p->log_slots != NULL && i <= p->config->access_logs_count; i++)
        fd_slot_close(&p->log_slots[i]);
    free(p->log_slots);
    p->log_slots = NULL;
}

/* Could prepare_log() succeed? */
static enum exit_status check_log(struct instance *p, const char *key, const char *path,
                                  const struct log_syslog *syslog)
{
    struct safe_file file;
    const char *what = NULL;

    if (syslog != NULL)
        return check_syslog(p, key, path, syslog);
    if (log_stream_number(path) >= 0)
        return check_stream(p, key, path);
    int error = safe_open_check(SAFE_LOG, path, p->config->log_owner, &file, &what);
    if (error < 0)
        return refuse_log(p, key, path, error, what);
    if (file.fd < 0)
        return STATUS_OK;
    error = privileges_give_check(&p->privileges, path, &file, p->why, sizeof p->why);
    close(file.fd);
    return error < 0 ? STATUS_CONFIG : STATUS_OK;
}

enum exit_status log_files_check(struct instance *p)
{
    const struct config *config = p->config;
    enum exit_status status = check_log(p, "error_log", config->error_log, config->error_syslog);

    for (size_t i = 0; status == STATUS_OK && i < config->access_logs_count; i++)
        status =
            check_log(p, "access_log", config->access_logs[i].path, config->access_logs[i].syslog);
    return status;
}
