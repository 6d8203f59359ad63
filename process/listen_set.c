/* listen_set.c: sockets are counted by the instances that listen on them. */
#include "process/listen_set.h"

#include "core/check.h"
#include "core/inherited.h"
#include "engines/listen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One socket of the set. */
struct listen_socket {
    struct list in_set;
    struct listener listener; /* owned; its config is the last taker's, for messages alone */
    enum listen_kind kind;
    char *host;      /* owned, as in listen_config */
    char *inherited; /* likewise; NULL: the server has made it */
    uint16_t port;   /* as it was asked for: 0 where the system has chosen */
    bool ipv6_only, deferred;
    const struct listen_socket *first; /* the one beside which it was opened; NULL: it is one.
                                          Whoever takes this has taken that */
    unsigned takers;
    bool closed; /* `listener.fd` is but a number, by which takers know it */
};

static struct listen_socket *socket_of(struct list *node)
{
    return container_of(node, struct listen_socket, in_set);
}

void listen_set_init(struct listen_set *set)
{
    list_init(&set->sockets);
}

/* Is it the same address, with the same of what a listening socket cannot change? */
static bool is_same(const struct listen_socket *socket, const struct listen_config *config)
{
    return socket->kind == config->kind && socket->port == config->port &&
           socket->ipv6_only == config->ipv6_only && socket->deferred == config->deferred &&
           strcmp(socket->host, config->host) == 0 &&
           (socket->inherited != NULL) == (config->inherited != NULL) &&
           (socket->inherited == NULL || strcmp(socket->inherited, config->inherited) == 0);
}

static struct listen_socket *socket_with(struct listen_set *set, int fd)
{
    for (struct list *node = set->sockets.next; node != &set->sockets; node = node->next) {
        if (socket_of(node)->listener.fd == fd)
            return socket_of(node);
    }
    UNREACHABLE();
}

static struct listen_socket *find(struct listen_set *set, const struct listener *listeners,
                                  size_t count, const struct listen_config *config)
{
    for (struct list *node = set->sockets.next; node != &set->sockets; node = node->next) {
        struct listen_socket *socket = socket_of(node);
        bool taken = false; /* port 0 may be asked for twice */
        for (size_t i = 0; i < count; i++)
            taken = taken || listeners[i].fd == socket->listener.fd;
        if (!taken && socket->first == NULL && is_same(socket, config))
            return socket;
    }
    return NULL;
}

static void socket_free(struct listen_socket *socket)
{
    list_remove(&socket->in_set);
    inherited_forget(socket->listener.fd);
    if (socket->closed)
        socket->listener.fd = -1;
    listener_close(&socket->listener);
    free(socket->inherited);
    free(socket->host);
    free(socket);
}

static struct listen_socket *socket_make(const struct listen_config *config)
{
    struct listen_socket *socket = calloc(1, sizeof *socket);
    char *host = strdup(config->host);
    char *inherited = config->inherited != NULL ? strdup(config->inherited) : NULL;

    if (socket == NULL || host == NULL || (config->inherited != NULL && inherited == NULL)) {
        free(socket);
        free(host);
        free(inherited);
        return NULL;
    }
    socket->inherited = inherited;
    socket->kind = config->kind;
    socket->host = host;
    socket->port = config->port;
    socket->ipv6_only = config->ipv6_only;
    socket->deferred = config->deferred;
    return socket;
}

/* One that nobody has yet, or one that overlaps with what an earlier configuration has at the same
 * port, as 0.0.0.0 does with 127.0.0.1: both are there until those who have the earlier one leave
 * it. 0, or -errno and a sentence. */
static int open_first(struct listen_set *set, const struct listen_config *config, char *why,
                      size_t why_size, struct listener *ret_listener)
{
    bool may = false;

    int error = listener_open(config, why, why_size, ret_listener);
    if (error != -EADDRINUSE || config->kind == LISTEN_UNIX || config->port == 0)
        return error;
    for (struct list *node = set->sockets.next; node != &set->sockets; node = node->next) {
        const struct listen_socket *socket = socket_of(node);
        if (socket->closed || socket->kind == LISTEN_UNIX || socket->port != config->port)
            continue;
        listener_let_over(&(struct listener){ .fd = socket->listener.fd, .config = config });
        may = true;
    }
    return may ? listener_open_over(config, why, why_size, ret_listener) : error;
}

/* A new one; `first` (NULL: none) is one of its address. 0, or -errno and a sentence. */
static int add(struct listen_set *set, const struct listen_config *config,
               const struct listen_socket *first, char *why, size_t why_size,
               struct listen_socket **ret_socket)
{
    struct listen_socket *socket = socket_make(config);

    if (socket == NULL) {
        snprintf(why, why_size, "%s: out of memory", config->text);
        return -ENOMEM;
    }
    const struct listener beside = { .fd = first != NULL ? first->listener.fd : -1,
                                     .config = config };
    int error = first != NULL ? listener_open_beside(&beside, why, why_size, &socket->listener)
                              : open_first(set, config, why, why_size, &socket->listener);
    if (error < 0) {
        free(socket->inherited);
        free(socket->host);
        free(socket);
        return error;
    }
    if (first != NULL) { /* the name is that one's */
        free(socket->inherited);
        socket->inherited = NULL;
    }
    socket->first = first;
    list_push_back(&set->sockets, &socket->in_set);
    *ret_socket = socket;
    return 0;
}

/* What is being taken. */
struct taking {
    struct listen_set *set;
    const struct config *config;
    struct listener *listeners;
    size_t count, room;
    char *why;
    size_t why_size;
};

/* Appends it. 0, or -errno and a sentence; a new one is closed by listen_set_put(). */
static int note(struct taking *t, struct listen_socket *socket, const struct listen_config *config)
{
    if (t->count == t->room) {
        size_t room = 2 * t->room + 16;
        struct listener *more = realloc(t->listeners, room * sizeof *more);
        if (more == NULL) {
            snprintf(t->why, t->why_size, "listening sockets: out of memory");
            if (socket->takers == 0)
                socket_free(socket);
            return -ENOMEM;
        }
        t->listeners = more;
        t->room = room;
    }
    socket->takers++;
    t->listeners[t->count++] = (struct listener){ .fd = socket->listener.fd, .config = config };
    return 0;
}

static int take_first(struct taking *t, const struct listen_config *config)
{
    struct listen_socket *socket = find(t->set, t->listeners, t->count, config);
    int error = 0;

    if (socket == NULL)
        error = add(t->set, config, NULL, t->why, t->why_size, &socket);
    else
        error = listener_adjust(&socket->listener, config, t->why, t->why_size);
    return error < 0 ? error : note(t, socket, config);
}

/* Those beside the first one of address `index`: all that there are, and new ones up to `each`. */
static int take_others(struct taking *t, size_t index, unsigned each)
{
    const struct listen_config *config = &t->config->listens[index];
    const struct listen_socket *first = socket_with(t->set, t->listeners[index].fd);
    unsigned count = 1;

    for (struct list *node = t->set->sockets.next; node != &t->set->sockets; node = node->next) {
        struct listen_socket *socket = socket_of(node);
        if (socket->first != first)
            continue;
        int error = listener_adjust(&socket->listener, config, t->why, t->why_size);
        if (error == 0)
            error = note(t, socket, config);
        if (error < 0)
            return error;
        count++;
    }
    for (; count < each && config->kind != LISTEN_UNIX; count++) {
        struct listen_socket *socket;
        int error = add(t->set, config, first, t->why, t->why_size, &socket);
        if (error == 0)
            error = note(t, socket, config);
        if (error < 0)
            return error;
    }
    return 0;
}

int listen_set_take(struct listen_set *set, const struct config *config, unsigned each, char *why,
                    size_t why_size, struct listener **ret_listeners, size_t *ret_count)
{
    struct taking t = { .set = set, .config = config, .why = why, .why_size = why_size };
    int error = 0;

    for (size_t i = 0; error == 0 && i < config->listens_count; i++)
        error = take_first(&t, &config->listens[i]);
    for (size_t i = 0; error == 0 && i < config->listens_count; i++)
        error = take_others(&t, i, each);
    if (error < 0) {
        listen_set_put(set, t.listeners, t.count);
        return error;
    }
    *ret_listeners = t.listeners;
    *ret_count = t.count;
    return 0;
}

void listen_set_put(struct listen_set *set, struct listener *listeners, size_t count)
{
    if (listeners == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        for (struct list *node = set->sockets.next; node != &set->sockets; node = node->next) {
            struct listen_socket *socket = socket_of(node);
            if (socket->listener.fd != listeners[i].fd)
                continue;
            if (--socket->takers == 0)
                socket_free(socket);
            break;
        }
    }
    free(listeners);
}

/* Its place in the set; -1: NULL. */
static int index_of(const struct listen_set *set, const struct listen_socket *socket)
{
    int index = 0;

    for (struct list *node = set->sockets.next; node != &set->sockets; node = node->next) {
        if (socket_of(node) == socket)
            return index;
        index++;
    }
    return -1;
}

bool listen_set_at(const struct listen_set *set, size_t index, struct listen_passed *ret)
{
    for (struct list *node = set->sockets.next; node != &set->sockets; node = node->next) {
        const struct listen_socket *socket = socket_of(node);
        if (index-- > 0)
            continue;
        *ret = (struct listen_passed){
            .fd = socket->listener.fd,
            .kind = socket->kind,
            .host = socket->host,
            .port = socket->port,
            .ipv6_only = socket->ipv6_only,
            .deferred = socket->deferred,
            .beside = index_of(set, socket->first),
            .inherited = socket->inherited,
            .file = socket->listener.file,
        };
        return true;
    }
    return false;
}

static const struct listen_socket *socket_at(const struct listen_set *set, int index)
{
    for (struct list *node = set->sockets.next; node != &set->sockets; node = node->next) {
        if (index-- == 0)
            return socket_of(node);
    }
    return NULL;
}

int listen_set_adopt(struct listen_set *set, const struct listen_passed *passed)
{
    struct listen_socket *socket = calloc(1, sizeof *socket);
    char *host = strdup(passed->host);
    char *inherited = passed->inherited != NULL ? strdup(passed->inherited) : NULL;
    struct socket_file *file = passed->file != NULL ? malloc(sizeof *file) : NULL;

    if (socket == NULL || host == NULL || (passed->file != NULL && file == NULL) ||
        (passed->inherited != NULL && inherited == NULL)) {
        free(socket);
        free(host);
        free(inherited);
        free(file);
        return -ENOMEM;
    }
    if (file != NULL)
        *file = *passed->file;
    *socket = (struct listen_socket){
        .listener = { .fd = passed->fd, .file = file },
        .kind = passed->kind,
        .host = host,
        .inherited = inherited,
        .port = passed->port,
        .ipv6_only = passed->ipv6_only,
        .deferred = passed->deferred,
        .first = socket_at(set, passed->beside),
    };
    list_push_back(&set->sockets, &socket->in_set);
    return 0;
}

void listen_set_close_rest(struct listen_set *set)
{
    struct list *next;

    for (struct list *node = set->sockets.next; node != &set->sockets; node = next) {
        next = node->next;
        if (socket_of(node)->takers == 0)
            socket_free(socket_of(node));
    }
}

void listen_set_close(struct listen_set *set)
{
    for (struct list *node = set->sockets.next; node != &set->sockets; node = node->next) {
        struct listen_socket *socket = socket_of(node);
        struct listener listener = socket->listener;
        if (socket->closed)
            continue;
        listener_close(&listener);
        socket->listener.file = NULL;
        socket->closed = true;
    }
}

void listen_set_end(struct listen_set *set)
{
    for (struct list *node = set->sockets.next; node != &set->sockets; node = node->next) {
        const struct listen_socket *socket = socket_of(node);
        if (!socket->closed && socket->inherited == NULL)
            (void)shutdown(socket->listener.fd, SHUT_RDWR);
    }
}

void listen_set_give(struct listen_set *set, struct listener *listeners, size_t count,
                     bool with_files)
{
    for (size_t i = 0; listeners != NULL && i < count; i++) {
        for (struct list *node = set->sockets.next; node != &set->sockets; node = node->next) {
            struct listen_socket *socket = socket_of(node);
            if (socket->listener.fd != listeners[i].fd)
                continue;
            listeners[i].file = socket->listener.file;
            socket->listener.file = NULL;
            socket->listener.fd = -1;
            break;
        }
    }
    for (size_t i = 0; listeners != NULL && i < count && !with_files; i++)
        listener_forget_file(&listeners[i]);
    while (!list_empty(&set->sockets)) {
        struct listen_socket *socket = socket_of(set->sockets.next);
        listener_forget_file(&socket->listener);
        socket_free(socket);
    }
}
