/* main.c: arguments, and what they ask for: a text, a test, a server in the foreground, or a
 * supervisor with its workers. Wires; decides nothing. */
#include "config/config_print.h"
#include "config/config_texts.h"
#include "core/check.h"
#include "core/delta_make.h"
#include "core/inherited.h"
#include "core/log.h"
#include "core/log_repeat.h"
#include "core/shared_memory.h"
#include "core/stats.h"
#include "engines/engine.h"
#include "explain/explain.h"
#include "http/compressor.h"
#include "http/request.h"
#include "process/binary.h"
#include "process/control_client.h"
#include "process/dictionary.h"
#include "process/doctor.h"
#include "process/exit_status.h"
#include "process/foreground.h"
#include "process/health.h"
#include "process/instance.h"
#include "process/keys.h"
#include "process/notify.h"
#include "process/options.h"
#include "process/refuse.h"
#include "process/sign.h"
#include "process/succession.h"
#include "process/supervisor.h"
#include "process/top.h"
#include "process/unused.h"
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

enum { WHY_SIZE = 1024 };

/* Tells why a start ends: to whoever started us, and to the error log where that is a file. */
static int tell_why(enum exit_status status, const char *why)
{
    if (status == STATUS_OK || why[0] == '\0')
        return (int)status;
    refuse(status, "%s", why);
    if (log_fd() != STDERR_FILENO)
        log_line(LOG_ERROR, why);
    return (int)status;
}

/* Says what is valid and does nothing; tells whether there is any. */
static bool warn_of_unused(const struct choice *choice, bool strict)
{
    char text[WHY_SIZE];
    size_t index = 0, count = 0;

    for (; unused_next(choice, &index, text, sizeof text); count++)
        fprintf(stderr, "gearshift: %s%s\n", strict ? "" : "warning: ", text);
    return count > 0;
}

static enum exit_status test(struct instance *instance, bool strict)
{
    const char *file = instance->source->file;

    enum exit_status status = instance_test(instance);
    if (status != STATUS_OK)
        return status;
    if (warn_of_unused(&instance->choice, strict) && strict) {
        instance->why[0] = '\0'; /* all has been said */
        return STATUS_CONFIG;
    }
    if (instance->choice.by_auto.ops != NULL)
        printf("gearshift: %s\n", instance->choice.by_auto.sentence);
    printf("gearshift: configuration%s%s is valid\n", file != NULL ? " " : "",
           file != NULL ? file : "");
    return STATUS_OK;
}

static enum exit_status print(struct instance *instance)
{
    config_print(instance->config, stdout);
    return STATUS_OK;
}

static enum exit_status run(struct instance *instance)
{
    if (instance->config->processes > 0)
        shared_memory_keep_descriptors();
    if (stats_create(STATS_SLOTS) < 0) { /* before any process that counts */
        snprintf(instance->why, sizeof instance->why, "no memory for counters");
        return STATUS_RUNTIME;
    }
    return instance->config->processes == 0 ? foreground(instance) : supervise(instance);
}

/* Another binary has been the supervisor of this process until now. */
static enum exit_status succeed(struct instance *instance)
{
    shared_memory_keep_descriptors();
    return supervise(instance);
}

/* What needs the configuration. */
static int act_on(const struct options *options)
{
    struct config_texts texts = { 0 }; /* a file may be a pipe, and is read once for all */
    struct config_source source = options->source;
    struct instance instance;

    source.texts = &texts;
    instance_init(&instance, &source);
    inherited_take();
    notify_take();
    bool succeeds = options->action == OPTIONS_SERVE && succession_waits();
    enum exit_status status = succeeds ? succeed(&instance) : instance_configure(&instance);
    if (status == STATUS_OK && !succeeds)
        status = options->action == OPTIONS_TEST    ? test(&instance, options->strict)
                 : options->action == OPTIONS_PRINT ? print(&instance)
                                                    : run(&instance);
    int result = tell_why(status, instance.why);
    instance_close(&instance);
    config_texts_free(&texts);
    log_repeat_end();
    return result;
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

/* As they can be written in `compress`. */
static void print_codings(void)
{
    printf("compress:   ");
    for (unsigned coding = CODING_COUNT; coding-- > 0;) {
        const struct compressor_ops *ops = compressor_find((enum coding)coding);
        char version[COMPRESSOR_VERSION_MAX];

        if (ops == NULL)
            continue;
        ops->version(version);
        printf(" %s (%s)", ops->name, version);
    }
    printf("\n");
}

/* What `gearshift dictionary` can make. */
static void print_deltas(void)
{
    printf("dictionary: ");
    for (unsigned format = DELTA_FORMATS; format-- > 0;) {
        const struct delta_maker *maker = delta_maker_find((enum delta_format)format);
        struct span name = delta_format_name((enum delta_format)format);
        char version[DELTA_VERSION_MAX];

        if (maker == NULL)
            continue;
        maker->version(version);
        printf(" %.*s (%s)", (int)name.len, name.ptr, version);
    }
    printf("\n");
}

static int build_info(void)
{
    printf("gearshift %s\n"
           "compiler:    %s\n"
           "HTTP parser: %s, strict\n"
           "liburing:    %s\n"
           "probes:      %s\n"
           "server.conf: %s\n",
           GEARSHIFT_VERSION,
#ifdef __clang__
           __VERSION__,
#else
           "gcc " __VERSION__,
#endif
           http_parser_version(), GEARSHIFT_LIBURING,
#ifdef GS_USDT
           "USDT",
#else
           "none",
#endif
           options_default_file());
    print_tls_libraries();
    print_codings();
    print_deltas();
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
    return act_on(options);
}

/* What is asked for by a first word, and needs no server: see the header of each. */
static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    { "doctor", doctor },         { "top", top },   { "sign", sign },
    { "dictionary", dictionary }, { "keys", keys }, { "health", health },
};

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
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
    const struct command *command = argc > 1 ? command_find(argv[1]) : NULL;
    if (command != NULL)
        return refuse_unwritten(command->run(argc - 1, argv + 1));
    if (explain_is_asked(argc, argv))
        return refuse_unwritten(explain(argc, argv));
    if (argc > 1 && control_client_knows(argv[1]))
        return refuse_unwritten(control_client(argc - 1, argv + 1));
    if (binary_note(argc, argv) < 0) {
        fputs("gearshift: out of memory\n", stderr);
        return STATUS_RUNTIME;
    }
    if (options_parse(argc, argv, why, sizeof why, &options) < 0) {
        fprintf(stderr, "gearshift: %s\nTry 'gearshift -h'.\n", why);
        return STATUS_USAGE;
    }
    int status = act(&options);
    /* A server has told on its first line all that there is to tell, and goes on without. */
    if (options.action != OPTIONS_SERVE)
        status = refuse_unwritten(status);
    options_free(&options);
    return status;
}
