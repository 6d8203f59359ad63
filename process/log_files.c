/* log_files.c: logs are opened once as root, and given to the user who serves. */
#include "process/log_files.h"

#include "core/log.h"
#include "core/log_stream.h"
#include "core/log_syslog.h"
#include "core/safe_open.h"

#include <stdio.h>
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

static enum exit_status prepare_access_log(struct instance *p, const struct access_log_config *log)
{
    const char *path = log->path;
    struct safe_file file;

    if (log->syslog != NULL)
        return check_syslog(p, "access_log", path, log->syslog);
    if (log_stream_number(path) >= 0)
        return check_stream(p, "access_log", path);
    enum exit_status status = prepare_log(p, "access_log", path, &file);
    if (status == STATUS_OK)
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

    if (p->config->error_syslog != NULL)
        return check_syslog(p, "error_log", path, p->config->error_syslog);
    int stream = log_stream_number(path);
    if (stream >= 0)
        return check_stream(p, "error_log", path);
    enum exit_status status = prepare_log(p, "error_log", path, &file);
    p->error_log_fd = status == STATUS_OK ? file.fd : -1;
    return status;
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
        status = check_log(p, "access_log", config->access_logs[i].path, config->access_logs[i].syslog);
    return status;
}
