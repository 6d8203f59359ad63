/* control_client.c: see control_client.h. */
#include "process/control_client.h"

#include "config/config.h"
#include "core/check.h"
#include "process/control.h"
#include "process/options.h"
#include "process/refuse.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const orders[] = { "status",  "stats", "reload", "shift",
                                      "upgrade", "drain", "stop",   "reopen" };

/* What the command line says. */
struct asked {
    const char *path, *file;
    bool json;
    char line[CONTROL_LINE_MAX];
};

bool control_client_knows(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        if (strcmp(word, orders[i]) == 0)
            return true;
    }
    return false;
}

/* Appends a word to the line. */
static int add_word(struct asked *asked, const char *word)
{
    size_t len = strlen(asked->line);

    if (word[0] == '\0' || strpbrk(word, " \t\r\n") != NULL)
        return refuse(STATUS_USAGE, "'%s' is not one word", word);
    if (len + strlen(word) + 3 > sizeof asked->line)
        return refuse(STATUS_USAGE, "that is too long");
    snprintf(asked->line + len, sizeof asked->line - len, "%s%s", len > 0 ? " " : "", word);
    return STATUS_OK;
}

static int read_arguments(int argc, char **argv, struct asked *asked)
{
    int status = STATUS_OK;

    for (int i = 0; status == STATUS_OK && i < argc; i++) {
        const char **value = strcmp(argv[i], "--control") == 0 ? &asked->path
                             : strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--config") == 0
                                 ? &asked->file
                                 : NULL;
        if (value != NULL && i + 1 == argc)
            return refuse(STATUS_USAGE, "%s needs a value", argv[i]);
        if (value != NULL)
            *value = argv[++i];
        else if (strcmp(argv[i], "--json") == 0)
            asked->json = true;
        else if (argv[i][0] == '-')
            return refuse(STATUS_USAGE, "%s takes --control PATH, -c FILE and --json, not '%s'",
                          argv[0], argv[i]);
        else
            status = add_word(asked, argv[i]);
    }
    return status;
}

/* Where the server's socket is. */
static int find_path(const char *asked_path, const char *asked_file, char *ret_path, size_t size)
{
    struct config_source source = { .file = asked_file, .use_environment = true };
    struct config *config = NULL;
    char why[1024];
    const char *setting = asked_path;

    if (asked_path == NULL && asked_file != NULL &&
        config_load(&source, why, sizeof why, &config) < 0)
        return refuse(STATUS_CONFIG, "%s", why);
    if (setting == NULL)
        setting = config != NULL ? config->control : "auto";
    bool found = control_path(setting, ret_path, size);
    bool off = strcmp(setting, "off") == 0;
    config_free(config);
    if (found)
        return STATUS_OK;
    return refuse(STATUS_RUNTIME,
                  "no control socket is known: %s; name the server's by --control PATH, or its "
                  "configuration by -c FILE",
                  off ? "control = off" : CONTROL_NO_PLACE);
}

static int connect_to(const char *path, int *ret_fd)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof address.sun_path)
        return refuse(STATUS_USAGE, "%s: the path is too long for a unix socket", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        *ret_fd = fd;
        return STATUS_OK;
    }
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (error == ENOENT || error == ECONNREFUSED)
        return refuse(STATUS_RUNTIME,
                      error == ENOENT
                          ? "no server answers at %s: is one running, with `processes` "
                            "above 0 and this `control`?"
                          : "no server answers at %s: the one that made it has died; the "
                            "next one takes its place",
                      path);
    if (error == EACCES || error == EPERM)
        return refuse(
            STATUS_RUNTIME,
            "%s: it may be asked by root, and by the user who has started the server alone: %s",
            path, strerror(error));
    return refuse(STATUS_RUNTIME, "%s: %s", path, strerror(error));
}

int control_client_connect(const char *path, const char *file, int *ret_fd)
{
    char found[128];

    int status = find_path(path, file, found, sizeof found);
    return status == STATUS_OK ? connect_to(found, ret_fd) : status;
}

int control_client_read(int fd, char *line, size_t size)
{
    size_t len = 0;

    while (len + 1 < size) {
        ssize_t got = recv(fd, line + len, size - 1 - len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return refuse(STATUS_RUNTIME, "the server has closed the connection unasked");
        len += (size_t)got;
        line[len] = '\0';
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end = '\0';
            return STATUS_OK;
        }
    }
    return refuse(STATUS_RUNTIME, "the answer is too long");
}

static bool read_status(const char *answer, int *ret_status)
{
    static const char before[] = "{\"status\":";
    char *end = NULL;

    if (strncmp(answer, before, sizeof before - 1) != 0)
        return false;
    const char *digits = answer + sizeof before - 1;
    unsigned long number = strtoul(digits, &end, 10);
    *ret_status = (int)number;
    return end > digits && *end == ',' && number <= UINT8_MAX;
}

/* Prints the text of the member "message", which holds printable ASCII. \uHHHH stays as it is. */
static void print_message(const char *answer, FILE *out)
{
    static const char before[] = "\"message\":\"";
    const char *at = strstr(answer, before);

    for (at = at != NULL ? at + sizeof before - 1 : ""; *at != '\0' && *at != '"'; at++) {
        if (*at == '\\' && (at[1] == '"' || at[1] == '\\'))
            at++;
        else if (strncmp(at, "\\u0022", 6) == 0 || strncmp(at, "\\u005c", 6) == 0) {
            fputc(at[4] == '2' ? '"' : '\\', out);
            at += 5;
            continue;
        }
        fputc(*at, out);
    }
    fputc('\n', out);
}

int control_client(int argc, char **argv)
{
    struct asked asked = { .path = NULL };
    char answer[CONTROL_ANSWER_MAX];
    int fd = -1;

    int status = read_arguments(argc, argv, &asked);
    if (status == STATUS_OK)
        status = control_client_connect(asked.path, asked.file, &fd);
    if (status != STATUS_OK)
        return status;
    memcpy(asked.line + strlen(asked.line), "\n", 2); /* add_word() has left room */
    /* Who may not ask is answered before, and the connection closed. */
    if (send(fd, asked.line, strlen(asked.line), MSG_NOSIGNAL) < 0 && errno != EPIPE)
        status = refuse(STATUS_RUNTIME, "the control socket: %s", strerror(errno));
    if (status == STATUS_OK)
        status = control_client_read(fd, answer, sizeof answer);
    close(fd);
    if (status != STATUS_OK)
        return status;
    if (!read_status(answer, &status))
        return refuse(STATUS_RUNTIME, "the answer is not a server's");
    if (asked.json)
        printf("%s\n", answer);
    else
        print_message(answer, status == STATUS_OK ? stdout : stderr);
    return status;
}
