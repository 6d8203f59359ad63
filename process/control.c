/* control.c: see control.h. */
#include "process/control.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/json_text.h"
#include "core/safe_open.h"
#include "core/socket_file.h"
#include "core/span.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    LINE_MS = 10000, /* a client that says nothing, and waits for nothing, stays so long */
    RETRY_MS = 1000  /* who cannot be accepted, as for want of a descriptor, waits so long */
};

struct control_client {
    int fd;          /* owned; -1: nobody */
    unsigned ticket; /* what it waits for; 0: nothing */
    bool asked_all;  /* it has ended its side, and is sent away once it is answered */
    uint64_t due_ms; /* when it is sent away */
    size_t len;
    char line[CONTROL_LINE_MAX];
};

struct control {
    int fd;
    struct socket_file file;
    control_order *order;
    void *context;
    uint64_t retry_ms; /* nobody is accepted before it; 0: as they come */
    struct control_client clients[CONTROL_CLIENTS_MAX];
};

bool control_path(const char *setting, char *ret_path, size_t size)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    int len;

    if (strcmp(setting, "off") == 0)
        return false;
    if (strcmp(setting, "auto") != 0)
        len = snprintf(ret_path, size, "%s", setting);
    else if (geteuid() == 0)
        len = snprintf(ret_path, size, "/run/gearshift/control");
    else if (runtime != NULL && runtime[0] == '/')
        len = snprintf(ret_path, size, "%s/gearshift/control", runtime);
    else
        return false;
    return len > 0 && (size_t)len < size;
}

/* The folder of an automatic path. It may be there. */
static int make_folder(const char *path, char *why, size_t why_size)
{
    const char *what = NULL;
    char folder[128];

    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    int error = socket_file_make_folder(folder, &what);
    if (error < 0)
        snprintf(why, why_size, "the folder %s cannot be made: %s", folder,
                 safe_open_text(error, what));
    return error;
}

static struct control *control_make(control_order *order, void *context)
{
    struct control *control = calloc(1, sizeof *control);

    if (control == NULL)
        return NULL;
    control->order = order;
    control->context = context;
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
        control->clients[i].fd = -1;
    return control;
}

int control_open(const char *path, bool automatic, control_order *order, void *context, char *why,
                 size_t why_size, struct control **ret_control)
{
    const char *what = NULL;

    int error = automatic ? make_folder(path, why, why_size) : 0;
    if (error < 0)
        return error;
    struct control *control = control_make(order, context);
    if (control == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    error = control->fd < 0 ? -errno : 0;
    if (error == 0)
        error = socket_file_bind(control->fd, path, 0600, &control->file, &what);
    if (error == -EADDRINUSE)
        what = "another server answers there";
    if (error == 0 && listen(control->fd, CONTROL_CLIENTS_MAX) != 0) {
        error = -errno;
        socket_file_remove(&control->file);
    }
    if (error < 0) {
        snprintf(why, why_size, "%s: %s", path, safe_open_text(error, what));
        if (control->fd >= 0)
            close(control->fd);
        free(control);
        return error;
    }
    *ret_control = control;
    return 0;
}

static struct control_client *find_free(struct control *control)
{
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (control->clients[i].fd < 0)
            return &control->clients[i];
    }
    return NULL;
}

size_t control_poll(struct control *control, struct pollfd *entries)
{
    size_t count = 0;

    if (control == NULL)
        return 0;
    if (find_free(control) != NULL && control->retry_ms == 0)
        entries[count++] = (struct pollfd){ .fd = control->fd, .events = POLLIN };
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        const struct control_client *client = &control->clients[i];
        if (client->fd >= 0) /* POLLHUP, that it has gone, is told in any case */
            entries[count++] = (struct pollfd){
                .fd = client->fd,
                .events = client->asked_all ? 0 : POLLIN,
            };
    }
    return count;
}

static void send_away(struct control_client *client)
{
    close(client->fd);
    *client = (struct control_client){ .fd = -1 };
}

static bool may_ask(int fd)
{
    struct ucred who;
    socklen_t len = sizeof who;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
           (who.uid == 0 || who.uid == geteuid());
}

static void take_client(struct control *control, uint64_t now_ms)
{
    struct control_client *client = find_free(control);

    if (client == NULL)
        return;
    int fd = accept4(control->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        control->retry_ms = now_ms + RETRY_MS; /* else poll(2) would tell of it without an end */
    if (fd < 0)
        return;
    if (!may_ask(fd)) {
        static const char answer[] = "{\"status\":1,\"message\":\"only root, and the user who has "
                                     "started the server, may ask\"}\n";
        (void)!send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        close(fd);
        return;
    }
    client->fd = fd;
    client->due_ms = now_ms + LINE_MS;
}

/* Cuts the line into words and hands them on. */
static void take_line(struct control *control, struct control_client *client, char *line)
{
    const char *words[CONTROL_WORDS_MAX];
    char *rest = line;
    int count = 0;

    for (char *word; (word = strsep(&rest, " \t\r")) != NULL;) {
        if (word[0] == '\0')
            continue;
        if (count == CONTROL_WORDS_MAX) {
            control_answer(client, STATUS_USAGE, "too many words", NULL);
            return;
        }
        words[count++] = word;
    }
    if (count == 0)
        control_answer(client, STATUS_USAGE, "an empty line", NULL);
    else
        control->order(control->context, client, count, words);
}

/* Takes the lines that have come whole, as long as none of them has to wait. */
static void take_lines(struct control *control, struct control_client *client)
{
    while (client->fd >= 0 && client->ticket == 0) {
        char *end = memchr(client->line, '\n', client->len);
        if (end == NULL)
            return;
        char line[CONTROL_LINE_MAX];
        size_t len = (size_t)(end - client->line);
        memcpy(line, client->line, len);
        line[len] = '\0';
        client->len -= len + 1;
        memmove(client->line, end + 1, client->len);
        take_line(control, client, line);
    }
}

static void receive(struct control *control, struct control_client *client, bool has_gone)
{
    size_t room = sizeof client->line - client->len;

    ssize_t len = recv(client->fd, client->line + client->len, room, MSG_DONTWAIT);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    /* As of `echo reload | socat - UNIX-CONNECT:control`, which waits for the answer. */
    if (len == 0 && client->ticket != 0 && !has_gone) {
        client->asked_all = true;
        return;
    }
    if (len <= 0) {
        send_away(client);
        return;
    }
    client->len += (size_t)len;
    take_lines(control, client);
    if (client->fd < 0 || client->len < sizeof client->line)
        return;
    if (client->ticket == 0)
        control_answer(client, STATUS_USAGE, "the line is too long", NULL);
    if (client->fd >= 0) /* that, or more lines than one waits for */
        send_away(client);
}

void control_go_on(struct control *control, const struct pollfd *entries, size_t count,
                   uint64_t now_ms)
{
    if (control == NULL)
        return;
    if (now_ms >= control->retry_ms)
        control->retry_ms = 0;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].revents == 0)
            continue;
        if (entries[i].fd == control->fd)
            take_client(control, now_ms);
        for (size_t j = 0; entries[i].fd != control->fd && j < CONTROL_CLIENTS_MAX; j++) {
            if (control->clients[j].fd == entries[i].fd) {
                receive(control, &control->clients[j], (entries[i].revents & POLLHUP) != 0);
                break;
            }
        }
    }
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        struct control_client *client = &control->clients[i];
        if (client->fd >= 0 && client->ticket == 0 && now_ms >= client->due_ms)
            send_away(client);
    }
}

uint64_t control_due_ms(const struct control *control)
{
    uint64_t due_ms = control != NULL && control->retry_ms != 0 ? control->retry_ms : UINT64_MAX;

    for (size_t i = 0; control != NULL && i < CONTROL_CLIENTS_MAX; i++) {
        const struct control_client *client = &control->clients[i];
        if (client->fd >= 0 && client->ticket == 0 && client->due_ms < due_ms)
            due_ms = client->due_ms;
    }
    return due_ms;
}

void control_answer(struct control_client *client, enum exit_status status, const char *message,
                    const char *more)
{
    char answer[CONTROL_ANSWER_MAX];
    struct span left = span_str(message);
    size_t more_len = more != NULL ? strlen(more) : 0;
    char *out =
        answer + snprintf(answer, sizeof answer, "{\"status\":%d,\"message\":\"", (int)status);

    CHECK(more_len < sizeof answer / 2);
    while (left.len > 0 &&
           (size_t)(answer + sizeof answer - out) > JSON_CHAR_MAX + more_len + sizeof "\"}\n") {
        size_t used;
        out = json_put_char(out, left, &used);
        left = span_make(left.ptr + used, left.len - used);
    }
    out +=
        snprintf(out, (size_t)(answer + sizeof answer - out), "\"%s}\n", more != NULL ? more : "");
    client->ticket = 0;
    client->due_ms = clock_monotonic_ms() + LINE_MS;
    /* It fits into the socket's buffer, unless somebody asks and never reads. */
    if (send(client->fd, answer, (size_t)(out - answer), MSG_NOSIGNAL | MSG_DONTWAIT) !=
        out - answer)
        send_away(client);
}

void control_wait(struct control_client *client, unsigned ticket)
{
    client->ticket = ticket;
}

void control_done(struct control *control, unsigned ticket, enum exit_status status,
                  const char *message)
{
    for (size_t i = 0; control != NULL && i < CONTROL_CLIENTS_MAX; i++) {
        struct control_client *client = &control->clients[i];
        if (client->fd < 0 || client->ticket == 0 || client->ticket > ticket)
            continue;
        control_answer(client, status, message, NULL);
        take_lines(control, client);
        if (client->fd >= 0 && client->ticket == 0 && client->asked_all)
            send_away(client);
    }
}

int control_fd(const struct control *control)
{
    return control->fd;
}

const struct socket_file *control_file(const struct control *control)
{
    return &control->file;
}

bool control_client_at(const struct control *control, size_t index, struct control_passed *ret)
{
    CHECK(index < CONTROL_CLIENTS_MAX);
    const struct control_client *client = &control->clients[index];

    *ret = (struct control_passed){
        .fd = client->fd,
        .ticket = client->ticket,
        .line = span_make(client->line, client->len),
    };
    return client->fd >= 0;
}

struct control *control_adopt(int fd, const struct socket_file *file, control_order *order,
                              void *context)
{
    struct control *control = control_make(order, context);

    if (control != NULL) {
        control->fd = fd;
        control->file = *file;
    }
    return control;
}

void control_adopt_client(struct control *control, const struct control_passed *passed)
{
    struct control_client *client = find_free(control);

    if (client == NULL || passed->line.len > sizeof client->line) {
        close(passed->fd);
        return;
    }
    client->fd = passed->fd;
    client->ticket = passed->ticket;
    client->due_ms = clock_monotonic_ms() + LINE_MS;
    client->len = passed->line.len;
    if (passed->line.len > 0)
        memcpy(client->line, passed->line.ptr, passed->line.len);
}

void control_forget(struct control *control)
{
    if (control == NULL)
        return;
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (control->clients[i].fd >= 0)
            close(control->clients[i].fd);
    }
    close(control->fd);
    place_close(&control->file.place);
    free(control);
}

void control_close(struct control *control)
{
    if (control == NULL)
        return;
    socket_file_remove(&control->file);
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (control->clients[i].fd >= 0)
            close(control->clients[i].fd);
    }
    close(control->fd);
    free(control);
}
