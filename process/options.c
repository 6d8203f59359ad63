/* options.c: reading the command line with getopt_long(3), its own messages off, so that every
 * refusal is one sentence of ours. */
#include "process/options.h"

#include "core/check.h"
#include "core/decimal.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef GEARSHIFT_SYSCONFDIR
#define GEARSHIFT_SYSCONFDIR "/etc"
#endif

#define DEFAULT_FILE GEARSHIFT_SYSCONFDIR "/gearshift/server.conf"

#define TLS_PORT "8443"

enum { OPTION_ROOT = 256, OPTION_LISTEN, OPTION_TLS_PORT, OPTION_TLS_SELF_SIGNED, OPTION_STRICT };

static const struct option long_options[] = {
    { "root", required_argument, NULL, OPTION_ROOT },
    { "port", required_argument, NULL, 'p' },
    { "listen", required_argument, NULL, OPTION_LISTEN },
    { "tls-port", required_argument, NULL, OPTION_TLS_PORT },
    { "tls-self-signed", no_argument, NULL, OPTION_TLS_SELF_SIGNED },
    { "config", required_argument, NULL, 'c' },
    { "test", no_argument, NULL, 't' },
    { "strict", no_argument, NULL, OPTION_STRICT },
    { "print", no_argument, NULL, 'T' },
    { "engine", required_argument, NULL, 'e' },
    { "option", required_argument, NULL, 'o' },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'v' },
    { "build-info", no_argument, NULL, 'V' },
    { NULL, 0, NULL, 0 },
};

static const char help_text[] =
    "usage: gearshift [DIR] [-p N] [--listen ADDR] [--tls-port N] [--tls-self-signed]\n"
    "                 [-c FILE] [-e NAME] [-o KEY=VALUE]...\n"
    "       gearshift -t [--strict] | -T | -h | -v | -V\n"
    "       gearshift doctor [--json]   tells what of this machine the server can use\n"
    "       gearshift top [-n LOOKS]    shows what a server that runs does, once a second\n"
    "       gearshift explain URL [-X METHOD] [-H FIELD]... [--from ADDRESS] [--at ADDRESS]\n"
    "                 [--json] [DIR | -c FILE]   tells what would be answered, and why\n"
    "       gearshift sign URL --key FILE [--expires 1h]   makes a link that ends by itself\n"
    "       gearshift dictionary OLD NEW   makes deltas of files, for clients that have the old "
    "ones\n"
    "       gearshift keys [KEY]        tells what may stand in server.conf\n"
    "       gearshift health [URL] [--timeout 3s]   asks a server whether it is well\n"
    "       gearshift status | stats | reload | shift ENGINE [KEY=VALUE]... | upgrade | drain |\n"
    "                 stop | reopen [--control PATH | -c FILE] [--json]\n"
    "                                   has a server that runs do it\n"
    "\n"
    "Serves the folder DIR, or what a server.conf says, over HTTP/1.1.\n"
    "\n"
    "  DIR, --root DIR        the folder to serve; no configuration file is needed\n"
    "  -p, --port N           its port (8080; 0: any that is free, printed at the start)\n"
    "      --listen ADDR      its address (127.0.0.1): HOST, HOST:PORT, [IPV6]:PORT, unix:PATH;\n"
    "                         a name such as localhost is all of its addresses\n"
    "      --tls-port N       serves it with TLS, too, at this port of the same host (" TLS_PORT
    ");\n"
    "                         -o certificate=FILE -o key=FILE name the certificate\n"
    "      --tls-self-signed  makes a certificate for localhost, for trying out\n"
    "  -c, --config FILE      the configuration (" DEFAULT_FILE ")\n"
    "  -e, --engine NAME      the engine that moves the octets\n"
    "  -o, --option KEY=VALUE sets any key of server.conf; may be repeated, the last one wins\n"
    "  -t, --test             tests the configuration, and all that it names, and ends\n"
    "      --strict           with -t: what it would warn of is an error\n"
    "  -T, --print            prints the configuration in force and ends\n"
    "  -h, --help             this text\n"
    "  -v, --version          the version\n"
    "  -V, --build-info       the version, and what is built in\n"
    "\n"
    "The command line wins over the environment (GEARSHIFT_KEY=value), that over the file.\n"
    "\n"
    "signals: TERM, INT stop; QUIT stops when the answers in progress are sent; USR1 opens\n"
    "         the logs again; HUP reads the configuration anew (processes = 0: stops); USR2\n"
    "         executes the binary anew\n"
    "exit:    0 well; 1 the system refused something, or serving failed; 2 wrong arguments;\n"
    "         69 the engine cannot run here; 78 wrong configuration\n";

/* What was seen so far. */
struct seen {
    const char *root, *listen, *port, *tls_port;
};

int options_refuse(char *why, size_t why_size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why, why_size, format, args);
    va_end(args);
    return -EINVAL;
}

static int take_root(struct seen *seen, const char *root, char *why, size_t why_size)
{
    if (seen->root != NULL)
        return options_refuse(why, why_size,
                              "one folder can be served from the command line, '%s' is "
                              "another: use a server.conf with locations",
                              root);
    seen->root = root;
    return 0;
}

static bool port_is_valid(const char *text)
{
    uint16_t port;

    return strlen(text) <= 5 && decimal_parse_port(span_str(text), &port);
}

/* Does the address have a port? "::1" has none, "[::1]:80" and "127.0.0.1:80" have one. */
static bool has_port(const char *listen)
{
    const char *colon = strchr(listen, ':');

    if (listen[0] == '[')
        return strstr(listen, "]:") != NULL;
    return colon != NULL && strchr(colon + 1, ':') == NULL;
}

/* Makes the address of the folder's server from --listen and --port. */
static int make_listen(const struct seen *seen, char *why, size_t why_size, char *ret, size_t size)
{
    const char *host = seen->listen != NULL ? seen->listen : "127.0.0.1";
    const char *port = seen->port != NULL ? seen->port : "8080";
    int len;

    if (seen->port != NULL && !port_is_valid(seen->port))
        return options_refuse(why, why_size, "--port takes a number from 0 to 65535, not '%s'",
                              seen->port);
    bool complete = strncmp(host, "unix:", 5) == 0 || has_port(host);
    if (complete && seen->port != NULL)
        return options_refuse(why, why_size, "--listen %s leaves no room for --port", host);
    if (complete)
        len = snprintf(ret, size, "%s", host);
    else if (host[0] != '[' && strchr(host, ':') != NULL)
        len = snprintf(ret, size, "[%s]:%s", host, port);
    else
        len = snprintf(ret, size, "%s:%s", host, port);
    if (len < 0 || (size_t)len >= size)
        return options_refuse(why, why_size, "--listen: '%s' is too long for an address", host);
    return 0;
}

/* Makes the address with TLS of the folder's server: the host of --listen, or 127.0.0.1 where that
 * has none, and the port of --tls-port. */
static int make_tls_listen(const struct seen *seen, char *why, size_t why_size, char *ret,
                           size_t size)
{
    const char *host = seen->listen != NULL ? seen->listen : "127.0.0.1";
    const char *port = seen->tls_port != NULL ? seen->tls_port : TLS_PORT;
    int host_len, len;

    if (!port_is_valid(port))
        return options_refuse(why, why_size, "--tls-port takes a number from 0 to 65535, not '%s'",
                              port);
    if (strncmp(host, "unix:", 5) == 0)
        host = "127.0.0.1";
    host_len = (int)(has_port(host) ? (size_t)(strrchr(host, ':') - host) : strlen(host));
    if (host[0] != '[' && memchr(host, ':', (size_t)host_len) != NULL)
        len = snprintf(ret, size, "[%.*s]:%s tls", host_len, host, port);
    else
        len = snprintf(ret, size, "%.*s:%s tls", host_len, host, port);
    if (len < 0 || (size_t)len >= size)
        return options_refuse(why, why_size, "--listen: '%s' is too long for an address", host);
    return 0;
}

/* Takes one option that getopt_long(3) found. */
static int take_option(int option, const char *value, struct seen *seen, struct options *options,
                       char *why, size_t why_size)
{
    switch (option) {
    case OPTION_ROOT:
        return take_root(seen, value, why, why_size);
    case 'p':
        seen->port = value;
        return 0;
    case OPTION_LISTEN:
        seen->listen = value;
        return 0;
    case OPTION_TLS_PORT:
        seen->tls_port = value;
        return 0;
    case OPTION_TLS_SELF_SIGNED:
        options->source.tls_self_signed = true;
        return 0;
    case 'c':
        options->source.file = value;
        return 0;
    case 'e':
        options->source.engine = value;
        return 0;
    case 'o':
        if (value[0] == '=' || strchr(value, '=') == NULL)
            return options_refuse(why, why_size, "-o takes KEY=VALUE, not '%s'", value);
        options->settings[options->source.settings_count++] = value;
        return 0;
    case 't':
        options->action = OPTIONS_TEST;
        return 0;
    case OPTION_STRICT:
        options->strict = true;
        return 0;
    case 'T':
        options->action = OPTIONS_PRINT;
        return 0;
    case 'h':
        options->action = OPTIONS_HELP;
        return 0;
    case 'v':
        options->action = OPTIONS_VERSION;
        return 0;
    case 'V':
        options->action = OPTIONS_BUILD;
        return 0;
    default:
        UNREACHABLE();
    }
}

/* getopt_long(3) returned '?' or ':'. */
static int explain_option(int result, char **argv, char *why, size_t why_size)
{
    const char *last = argv[optind - 1];
    char letter[3] = { '-', (char)optopt, '\0' };
    /* For a long option optopt is 0, or its `val`, and the argument itself tells. */
    const char *name = optopt > 0 && optopt < 256 && strncmp(last, "--", 2) != 0 ? letter : last;

    if (result == ':')
        return options_refuse(why, why_size, "%s needs a value", name);
    if (strchr(name, '=') != NULL)
        return options_refuse(why, why_size, "option %s is unknown, ambiguous, or takes no value",
                              name);
    return options_refuse(why, why_size, "option %s is unknown or ambiguous", name);
}

/* Reads all arguments into `seen` and `options`. */
static int read_arguments(int argc, char **argv, struct seen *seen, struct options *options,
                          char *why, size_t why_size)
{
    int error = 0;

    opterr = 0;
    optind = 0; /* glibc: begin anew */
    while (error == 0) {
        int option = getopt_long(argc, argv, ":c:e:o:p:tThvV", long_options, NULL);
        if (option == -1)
            break;
        if (option == '?' || option == ':')
            return explain_option(option, argv, why, why_size);
        error = take_option(option, optarg, seen, options, why, why_size);
        if (options->action >= OPTIONS_HELP)
            return 0; /* whatever else is wrong: help is what was asked for */
    }
    for (; error == 0 && optind < argc; optind++)
        error = take_root(seen, argv[optind], why, why_size);
    return error;
}

/* Makes what a folder's server listens on, or finds the file that tells it. */
static int settle(const struct seen *seen, struct options *options, char *why, size_t why_size)
{
    const char *needs_folder = seen->port != NULL       ? "--port"
                               : seen->listen != NULL   ? "--listen"
                               : seen->tls_port != NULL ? "--tls-port"
                                                        : NULL;
    int error = 0;

    if (options->strict && options->action != OPTIONS_TEST)
        return options_refuse(why, why_size, "--strict belongs to -t");
    if (seen->root != NULL) {
        error = make_listen(seen, why, why_size, options->listen, sizeof options->listen);
        if (error == 0 && (seen->tls_port != NULL || options->source.tls_self_signed))
            error = make_tls_listen(seen, why, why_size, options->tls_listen,
                                    sizeof options->tls_listen);
        return error;
    }
    if (needs_folder != NULL)
        return options_refuse(why, why_size,
                              "%s belongs to a folder: name one, or set `listen` in server.conf",
                              needs_folder);
    if (options->source.file == NULL && access(DEFAULT_FILE, F_OK) != 0)
        return options_refuse(why, why_size,
                              "nothing to serve: name a folder, or -c FILE (there is no %s)",
                              DEFAULT_FILE);
    if (options->source.file == NULL)
        options->source.file = DEFAULT_FILE;
    return 0;
}

int options_parse(int argc, char **argv, char *why, size_t why_size, struct options *ret_options)
{
    struct seen seen = { NULL, NULL, NULL, NULL };
    struct options options = { .action = OPTIONS_SERVE, .source.use_environment = true };

    /* argc, at least 1: there cannot be more settings than arguments. */
    options.settings = calloc((size_t)argc + 1, sizeof *options.settings);
    if (options.settings == NULL)
        return options_refuse(why, why_size, "out of memory");
    int error = read_arguments(argc, argv, &seen, &options, why, why_size);
    if (error == 0 && options.action < OPTIONS_HELP)
        error = settle(&seen, &options, why, why_size);
    if (error < 0) {
        options_free(&options);
        return error;
    }
    options.source.root = seen.root;
    *ret_options = options;
    ret_options->source.settings = options.settings;
    if (seen.root != NULL && (seen.listen != NULL || seen.port != NULL))
        ret_options->source.listen = ret_options->listen; /* else `listen` keeps its default */
    if (options.tls_listen[0] != '\0')
        ret_options->source.tls_listen = ret_options->tls_listen;
    return 0;
}

void options_free(struct options *options)
{
    free(options->settings);
    options->settings = NULL;
}

const char *options_help(void)
{
    return help_text;
}

const char *options_default_file(void)
{
    return DEFAULT_FILE;
}
