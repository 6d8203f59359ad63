/* main.c: arguments, configuration, privileges, logs, certificates, listeners, signals; then the
 * engine runs.
 * Wires; decides nothing. The order of a start:
 *
 *   configuration, engine -> limit of descriptors -> user -> document roots -> probe -> error log
 *   -> access logs -> certificates and keys -> listeners -> create (opens the access logs for
 *   itself) -> signals -> pid file -> drop root -> run
 *
 * Whatever needs root is open by then, and what must be opened again later (logs) is the user's. */
#include "core/check.h"
#include "config/config.h"
#include "config/config_print.h"
#include "core/draining.h"
#include "core/log.h"
#include "core/log_repeat.h"
#include "core/log_stream.h"
#include "core/log_syslog.h"
#include "core/stats.h"
#include "process/options.h"
#include "process/pid_file.h"
#include "process/privileges.h"
#include "core/safe_open.h"
#include "process/auto.h"
#include "process/choice.h"
#include "process/descriptors.h"
#include "process/doctor.h"
#include "engines/engine.h"
#include "engines/ktls.h"
#include "process/life.h"
#include "engines/listen.h"
#include "process/signals.h"
#include "http/request.h"
#include "tls/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if !defined(GEARSHIFT_VERSION) || !defined(GEARSHIFT_LIBURING)
#error "the build defines GEARSHIFT_VERSION and GEARSHIFT_LIBURING"
#endif

/* As in sysexits.h: 69 is EX_UNAVAILABLE, 78 EX_CONFIG. */
enum exit_status {
    STATUS_OK,
    STATUS_RUNTIME,
    STATUS_USAGE,
    STATUS_ENGINE = 69,
    STATUS_CONFIG = 78
};

enum {
    WHY_SIZE = 1024,
    STATS_SLOTS = 256 /* threads with counters of their own; others share the last */
};

/* Everything that a start acquires, to be given back in reverse. */
struct process {
    const struct options *options;
    struct choice choice;
    struct config *config;        /* its configuration, */
    const struct engine_ops *ops; /* and its engine */
    struct privileges privileges;
    struct tls_server tls;
    struct listener *listeners;
    struct engine *engine;
    struct pid_file pid_file;
    char files_why[512]; /* which descriptors there will not be, or "" */
    char ktls_why[256];  /* why the kernel does not encrypt, or "" */
    char why[WHY_SIZE];  /* the sentence of the last refusal */
};

/* Tells why the start ends: to whoever started us, and to the error log where that is a file. */
static int refuse(enum exit_status status, const char *why)
{
    fprintf(stderr, "gearshift: %s\n", why);
    if (log_fd() != STDERR_FILENO)
        log_line(LOG_ERROR, why);
    return (int)status;
}

/* What names something is at fault, unless memory for it is missing. */
static int refuse_config(int error, const char *why)
{
    return refuse(error == -ENOMEM ? STATUS_RUNTIME : STATUS_CONFIG, why);
}

static int refuse_log(struct process *p, const char *key, const char *path, int error,
                      const char *what)
{
    snprintf(p->why, sizeof p->why, "%s: %s %s cannot be written: %s", config_place(p->config, key),
             key, path, safe_open_text(error, what));
    return refuse(STATUS_CONFIG, p->why);
}

/* Reads the configuration, and finds the engine. */
static int configure(struct process *p)
{
    int error = choice_make(&p->options->source, &p->choice, p->why, sizeof p->why);

    p->config = p->choice.config;
    p->ops = p->choice.ops;
    if (error == -ENOTSUP)
        return refuse(STATUS_ENGINE, p->why);
    return error < 0 ? refuse_config(error, p->why) : STATUS_OK;
}

/* Can a log be written to this standard stream? */
static int check_stream(struct process *p, const char *key, const char *path)
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
static int check_syslog(struct process *p, const char *key, const char *path,
                        const struct log_syslog *syslog)
{
    int fd = log_syslog_open(syslog);

    if (fd < 0)
        return refuse_log(p, key, path, fd, NULL);
    close(fd);
    return STATUS_OK;
}

/* Opens or makes a log, which becomes the user's. */
static int prepare_log(struct process *p, const char *key, const char *path,
                       struct safe_file *ret_file)
{
    const char *what = NULL;

    int error = safe_open(SAFE_LOG, path, p->config->log_owner, ret_file, &what);
    if (error < 0)
        return refuse_log(p, key, path, error, what);
    if (privileges_give(&p->privileges, path, ret_file, p->why, sizeof p->why) == 0)
        return STATUS_OK;
    close(ret_file->fd);
    return refuse(STATUS_CONFIG, p->why);
}

static int prepare_access_log(struct process *p, const struct access_log_config *log)
{
    const char *path = log->path;
    struct safe_file file;

    if (log->syslog != NULL)
        return check_syslog(p, "access_log", path, log->syslog);
    if (log_stream_number(path) >= 0)
        return check_stream(p, "access_log", path);
    int status = prepare_log(p, "access_log", path, &file);
    if (status == STATUS_OK)
        close(file.fd);
    return status;
}

/* Creates the access logs and gives them to the user; engines open them for themselves later. */
static int prepare_access_logs(struct process *p)
{
    int status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < p->config->access_logs_count; i++)
        status = prepare_access_log(p, &p->config->access_logs[i]);
    return status;
}

static int open_error_log(struct process *p)
{
    const struct config *config = p->config;
    struct safe_file file;

    if (config->error_syslog != NULL) {
        int error = log_take_syslog(config->error_syslog, config->log_level);
        return error < 0 ? refuse_log(p, "error_log", config->error_log, error, NULL) : STATUS_OK;
    }
    int stream = log_stream_number(config->error_log);
    if (stream >= 0) {
        log_take(stream, NULL, config->log_owner, config->log_level);
        return check_stream(p, "error_log", config->error_log);
    }
    int status = prepare_log(p, "error_log", config->error_log, &file);
    if (status == STATUS_OK)
        log_take(file.fd, config->error_log, config->log_owner, config->log_level);
    return status;
}

/* Who is to blame when listening, or an engine, is refused: the configuration, which names what
 * cannot be had, or the system as it is now. */
static enum exit_status status_of(int error)
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

/* Reads certificates and keys, and makes what all connections with TLS share. */
static int create_tls(struct process *p)
{
    int error = tls_server_create(p->config, p->why, sizeof p->why, &p->tls);

    return error < 0 ? refuse_config(error, p->why) : STATUS_OK;
}

/* Does the kernel encrypt? Asked while this is root, it loads its module; and asked before there is
 * a library, which need not keep what the kernel would have to know. */
static void find_ktls(struct process *p)
{
    struct tls_settings *tls = &p->config->tls;

    if (tls_is_wanted(p->config) && tls->ktls && ktls_probe(p->ktls_why, sizeof p->ktls_why) < 0)
        tls->ktls = false;
}

/* Lets the kernel encrypt, where the library can hand it the keys; tells why not. */
static void choose_ktls(struct process *p)
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

static int create_engine(struct process *p, bool has_logs, size_t listeners_count)
{
    struct engine_config cfg = {
        .config = p->config,
        .limits = session_limits_of(p->config),
        .listeners = p->listeners,
        .listeners_count = listeners_count,
        .tls = &p->tls,
        .orders = signals_orders(),
    };

    cfg.limits.has_logs = has_logs;
    int error = engine_check_config(p->ops, p->config, p->why, sizeof p->why);
    if (error == 0)
        error = p->ops->create(&cfg, p->why, sizeof p->why, &p->engine);
    return error < 0 ? refuse(status_of(error), p->why) : STATUS_OK;
}

static int create_pid_file(struct process *p)
{
    const struct config *config = p->config;

    if (config->pid_file == NULL)
        return STATUS_OK;
    int error =
        pid_file_create(config->pid_file, config->log_owner, p->why, sizeof p->why, &p->pid_file);
    if (error < 0)
        return refuse(error == -EBUSY ? STATUS_RUNTIME : STATUS_CONFIG, p->why);
    signals_lend_pid_file(&p->pid_file);
    return STATUS_OK;
}

/* The checks that a start and a test have in common, before anything is created. */
static int check_start(struct process *p)
{
    if (descriptors_raise(p->config, p->ops, p->files_why, sizeof p->files_why) < 0)
        return refuse(STATUS_RUNTIME, p->files_why);
    int error = privileges_find(p->config, p->why, sizeof p->why, &p->privileges);
    if (error == 0)
        error = config_roots_open(p->config, p->why, sizeof p->why);
    if (error < 0)
        return refuse_config(error, p->why);
    p->config->log_owner = p->privileges.drop ? p->privileges.uid : geteuid();
    if (p->ops->probe(p->config, p->why, sizeof p->why) < 0)
        return refuse(STATUS_ENGINE, p->why);
    return STATUS_OK;
}

/* Could prepare_log() succeed? */
static int check_log(struct process *p, const char *key, const char *path,
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
    return error < 0 ? refuse(STATUS_CONFIG, p->why) : STATUS_OK;
}

/* Could every log be opened? */
static int check_logs(struct process *p)
{
    const struct config *config = p->config;
    int status = check_log(p, "error_log", config->error_log, config->error_syslog);

    for (size_t i = 0; status == STATUS_OK && i < config->access_logs_count; i++)
        status =
            check_log(p, "access_log", config->access_logs[i].path, config->access_logs[i].syslog);
    return status;
}

/* -t: everything that a start would do, but nothing is created and no address taken. */
static int test(struct process *p)
{
    const char *file = p->options->source.file;

    int status = check_start(p);
    if (status == STATUS_OK)
        status = check_logs(p);
    if (status == STATUS_OK)
        status = create_tls(p);
    if (status != STATUS_OK)
        return status;
    if (p->config->pid_file != NULL &&
        pid_file_check(p->config->pid_file, p->config->log_owner, p->why, sizeof p->why) < 0)
        return refuse(STATUS_CONFIG, p->why);
    int error = listeners_check(p->config, p->why, sizeof p->why);
    if (error < 0)
        return refuse(status_of(error), p->why);
    /* An engine reads the media types and judges its own settings. One that never runs needs no
     * access logs, which it would create. */
    status = create_engine(p, false, 0);
    if (status != STATUS_OK)
        return status;
    p->ops->destroy(p->engine);
    p->engine = NULL;
    if (p->choice.by_auto.ops != NULL)
        printf("gearshift: %s\n", p->choice.by_auto.sentence);
    printf("gearshift: configuration%s%s is valid\n", file != NULL ? " " : "",
           file != NULL ? file : "");
    return STATUS_OK;
}

static int print(struct process *p)
{
    config_print(p->config, stdout);
    bool written = ferror(stdout) == 0 && fflush(stdout) == 0;
    return written ? STATUS_OK : refuse(STATUS_RUNTIME, "standard output cannot be written");
}

/* A start up to the moment in which the engine can run. */
static int start(struct process *p)
{
    int status = check_start(p);
    draining_share();
    if (status == STATUS_OK && stats_create(STATS_SLOTS) < 0)
        status = refuse(STATUS_RUNTIME, "no memory for counters");
    if (status == STATUS_OK)
        status = open_error_log(p);
    if (status == STATUS_OK && p->files_why[0] != '\0')
        log_line(LOG_WARN, p->files_why);
    if (status == STATUS_OK && p->choice.by_auto.ops != NULL)
        log_line(p->choice.by_auto.level, p->choice.by_auto.sentence);
    if (status == STATUS_OK)
        status = prepare_access_logs(p);
    if (status != STATUS_OK)
        return status;
    find_ktls(p);
    status = create_tls(p);
    if (status != STATUS_OK)
        return status;
    choose_ktls(p);
    if (p->config->tls.self_signed)
        log_warn("--tls-self-signed: the certificate was made just now and signed by nobody else: "
                 "browsers will warn of it");
    int error = listeners_open(p->config, p->why, sizeof p->why, &p->listeners);
    if (error < 0)
        return refuse(status_of(error), p->why);
    for (size_t i = 0; i < p->config->listens_count; i++)
        p->config->listens[i].port_bound = (uint16_t)listener_port(&p->listeners[i]);
    status = create_engine(p, true, p->config->listens_count);
    if (status != STATUS_OK)
        return status;
    signals_delay_drain(p->config->deadlines.drain_delay_ms);
    signals_install(p->ops, p->engine);
    status = create_pid_file(p);
    if (status != STATUS_OK)
        return status;
    if (privileges_drop(&p->privileges, p->why, sizeof p->why) < 0)
        return refuse(STATUS_RUNTIME, p->why);
    config_roots_hand_over(p->config, p->privileges.user);
    return STATUS_OK;
}

static int serve(struct process *p)
{
    int status = start(p);

    const struct config_source *source = &p->options->source;
    struct life life = {
        .version = GEARSHIFT_VERSION,
        .engine = p->config->engine,
        .site = source->root != NULL ? source->root : source->file,
        .config = p->config,
        .listeners = p->listeners,
    };
    bool ran = status == STATUS_OK;
    if (ran) {
        life_log_ready(&life);
        life_announce(&life);
        status = p->ops->run(p->engine) < 0 ? STATUS_RUNTIME : STATUS_OK;
    }
    signals_ignore();
    if (ran)
        life_log_end(&life, status != STATUS_OK);
    if (p->engine != NULL)
        p->ops->destroy(p->engine);
    listeners_close(p->listeners, p->config->listens_count);
    pid_file_remove(&p->pid_file);
    return status;
}

static void print_engines(void)
{
    printf("engines:\n");
    for (size_t i = 0; engine_at(i) != NULL; i++)
        printf("  %-22s %s\n", engine_at(i)->name, engine_at(i)->summary);
    for (size_t i = 0; engine_alias_at(i) != NULL; i++)
        printf("  %-22s %s with %s\n", engine_alias_at(i)->name, engine_alias_at(i)->engine,
               engine_alias_at(i)->setting);
    printf("  %-22s the best one that can run here ('gearshift doctor' tells which)\n",
           ENGINE_AUTO);
}

static int help(void)
{
    printf("%s\n", options_help());
    print_engines();
    return STATUS_OK;
}

static void print_tls_libraries(void)
{
    char features[256];

    for (size_t i = 0; tls_at(i) != NULL; i++) {
        tls_at(i)->features(features, sizeof features);
        printf("%-12s %s (tls_backend = %s)\n", i == 0 ? "TLS:" : "", features, tls_at(i)->name);
    }
    if (tls_at(0) == NULL)
        printf("%-12s none built in\n", "TLS:");
}

static int build_info(void)
{
    printf("gearshift %s\n"
           "compiler:    %s\n"
           "HTTP parser: %s, strict\n"
           "liburing:    %s\n"
           "server.conf: %s\n",
           GEARSHIFT_VERSION,
#ifdef __clang__
           __VERSION__,
#else
           "gcc " __VERSION__,
#endif
           http_parser_version(), GEARSHIFT_LIBURING, options_default_file());
    print_tls_libraries();
    print_engines();
    return STATUS_OK;
}

/* Started with 0, 1 or 2 closed, a file of ours would get that number and receive messages. False:
 * there is nothing to put in their place. */
static bool open_standard_streams(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return false;
    }
    return true;
}

static int act(const struct options *options)
{
    struct process process = { .options = options, .pid_file.fd = -1 };

    switch (options->action) {
    case OPTIONS_HELP:
        return help();
    case OPTIONS_VERSION:
        printf("gearshift %s\n", GEARSHIFT_VERSION);
        return STATUS_OK;
    case OPTIONS_BUILD:
        return build_info();
    case OPTIONS_TEST:
    case OPTIONS_PRINT:
    case OPTIONS_SERVE:
        break;
    }
    int status = configure(&process);
    if (status == STATUS_OK)
        status = options->action == OPTIONS_TEST    ? test(&process)
                 : options->action == OPTIONS_PRINT ? print(&process)
                                                    : serve(&process);
    tls_server_destroy(&process.tls);
    choice_free(&process.choice);
    log_repeat_end();
    return status;
}

int main(int argc, char **argv)
{
    struct options options;
    char why[WHY_SIZE] = "";

    if (!open_standard_streams()) {
        fprintf(stderr,
                "gearshift: a standard stream is closed, and /dev/null cannot be opened: %s\n",
                strerror(errno));
        return STATUS_RUNTIME;
    }
    MUST(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    MUST(signal(SIGUSR1, SIG_IGN) != SIG_ERR); /* until there are logs to be opened again */
    MUST(signal(SIGXFSZ, SIG_IGN) != SIG_ERR); /* a log at `ulimit -f`: the write fails */
    if (argc > 1 && strcmp(argv[1], "doctor") == 0)
        return doctor(argc - 1, argv + 1);
    if (options_parse(argc, argv, why, sizeof why, &options) < 0) {
        fprintf(stderr, "gearshift: %s\nTry 'gearshift -h'.\n", why);
        return STATUS_USAGE;
    }
    int status = act(&options);
    options_free(&options);
    return status;
}
