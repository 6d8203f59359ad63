/* listen.c: listening sockets, and a sentence for everything that a kernel can refuse about them.
 * The only socket code outside of the engines' own loops. */
#include "engines/listen.h"

#include "core/check.h"
#include "core/inherited.h"
#include "core/safe_open.h"
#include "core/socket_file.h"
#include "core/setting.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A socket address with its length. */
struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
        struct sockaddr_un unix_path;
        struct sockaddr_storage storage;
    };
    socklen_t len;
};

/* A setting for a sentence; "?" when it cannot be read. */
static void read_sysctl(const char *path, char *ret_line, size_t size)
{
    if (!setting_read(path, ret_line, size))
        snprintf(ret_line, size, "?");
}

/* An address for a sentence, with the name that it was found by. */
struct address_text {
    char text[320];
};

static const char *tell_address(const struct listen_config *config, struct address_text *room)
{
    if (config->name == NULL)
        return config->text;
    snprintf(room->text, sizeof room->text, "%s (of %.255s)", config->text, config->name);
    return room->text;
}

static int make_unix_address(const struct listen_config *config, char *why, size_t why_size,
                             struct address *ret_address)
{
    struct address address = { .unix_path.sun_family = AF_UNIX, .len = sizeof address.unix_path };
    size_t len = strlen(config->host);

    if (len >= sizeof address.unix_path.sun_path) {
        snprintf(why, why_size, "%s: the path of a unix socket may have at most %zu octets",
                 config->text, sizeof address.unix_path.sun_path - 1);
        return -ENAMETOOLONG;
    }
    memcpy(address.unix_path.sun_path, config->host, len + 1);
    *ret_address = address;
    return 0;
}

/* getaddrinfo(3) and not inet_pton(3): it knows the scope of a link-local address (fe80::1%eth0).
 * Numeric only, so it asks nobody. */
static int make_inet_address(const struct listen_config *config, char *why, size_t why_size,
                             struct address *ret_address)
{
    struct addrinfo hints = {
        .ai_family = config->kind == LISTEN_IPV6 ? AF_INET6 : AF_INET,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
    };
    struct addrinfo *found = NULL;
    char port[8];

    snprintf(port, sizeof port, "%u", config->port);
    int error = getaddrinfo(config->host, port, &hints, &found);
    if (error == EAI_MEMORY) {
        snprintf(why, why_size, "%s: out of memory", config->text);
        return -ENOMEM;
    }
    if (error != 0) {
        snprintf(why, why_size, "%s: '%s' is not a numeric address: %s", config->text, config->host,
                 gai_strerror(error));
        return -EINVAL;
    }
    CHECK(found->ai_addrlen <= sizeof ret_address->storage);
    memcpy(&ret_address->storage, found->ai_addr, found->ai_addrlen);
    ret_address->len = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

static int make_address(const struct listen_config *config, char *why, size_t why_size,
                        struct address *ret_address)
{
    return config->kind == LISTEN_UNIX ? make_unix_address(config, why, why_size, ret_address)
                                       : make_inet_address(config, why, why_size, ret_address);
}

static int explain_socket(const struct listen_config *config, int error, char *why, size_t why_size)
{
    struct address_text room;

    if (error == EAFNOSUPPORT && config->kind == LISTEN_IPV6)
        snprintf(why, why_size,
                 "%s: this kernel has no IPv6 (module not loaded, or ipv6.disable=1): take the "
                 "address out of the configuration",
                 tell_address(config, &room));
    else
        snprintf(why, why_size, "%s: no socket: %s", tell_address(config, &room), strerror(error));
    return -error;
}

static int explain_congestion(const struct listen_config *config, int error, char *why,
                              size_t why_size)
{
    bool unknown = error == ENOENT;
    char names[256];

    read_sysctl(unknown ? "/proc/sys/net/ipv4/tcp_available_congestion_control"
                        : "/proc/sys/net/ipv4/tcp_allowed_congestion_control",
                names, sizeof names);
    if (unknown)
        snprintf(why, why_size, "%s: congestion control '%s' is not known here; available: %s",
                 config->text, config->congestion, names);
    else
        snprintf(why, why_size,
                 "%s: congestion control '%s' is refused: %s; this user may take: %s", config->text,
                 config->congestion, strerror(error), names);
    return -error;
}

static int explain_bind(const struct listen_config *config, int error, char *why, size_t why_size)
{
    struct address_text room;
    const char *text = tell_address(config, &room);
    char port[32];

    switch (error) {
    case EADDRINUSE:
        snprintf(why, why_size,
                 "%s: another process listens there already: stop it (ss -ltnp shows it), or take "
                 "another %s",
                 text, config->kind == LISTEN_UNIX ? "path" : "port");
        break;
    case EADDRNOTAVAIL:
        snprintf(why, why_size,
                 "%s: this machine has no such address ('ip address' shows those that it has)",
                 text);
        break;
    case EACCES:
        if (config->kind == LISTEN_UNIX) {
            snprintf(why, why_size, "%s: no permission to create the socket in its folder", text);
            break;
        }
        read_sysctl("/proc/sys/net/ipv4/ip_unprivileged_port_start", port, sizeof port);
        snprintf(why, why_size,
                 "%s: ports below %s (sysctl net.ipv4.ip_unprivileged_port_start) need root or "
                 "CAP_NET_BIND_SERVICE",
                 text, port);
        break;
    default:
        snprintf(why, why_size, "%s: cannot listen: %s", text, strerror(error));
    }
    return -error;
}

static int set_flag(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0 ? 0 : -errno;
}

/* A socket with its options, not bound. The descriptor, or -errno and a sentence. */
static int socket_open(const struct listen_config *config, const struct address *address, char *why,
                       size_t why_size)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = 0;

    if (fd < 0)
        return explain_socket(config, errno, why, why_size);
    if (config->kind == LISTEN_UNIX)
        return fd;
    error = set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (error == 0)
        error = set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (error == 0 && config->deferred)
        error = set_flag(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1); /* second */
    if (error == 0 && config->kind == LISTEN_IPV6)
        error = set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, config->ipv6_only);
    if (error < 0) {
        snprintf(why, why_size, "%s: a socket option is refused: %s", config->text,
                 strerror(-error));
        goto fail;
    }
    if (config->congestion != NULL &&
        setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, config->congestion,
                   (socklen_t)strlen(config->congestion)) != 0) {
        error = explain_congestion(config, errno, why, why_size);
        goto fail;
    }
    return fd;

fail:
    close(fd);
    return error;
}

/* Binds `fd` to its path. 0 and what the caller owns, or -errno and a sentence. */
static int bind_unix(int fd, const struct listen_config *config, char *why, size_t why_size,
                     struct socket_file **ret_file)
{
    struct socket_file *file = malloc(sizeof(*file));
    const char *what = NULL;

    if (file == NULL) {
        snprintf(why, why_size, "%s: out of memory", config->text);
        return -ENOMEM;
    }
    int error = socket_file_bind(fd, config->host, 0666, file, &what);
    if (error == 0) {
        *ret_file = file;
        return 0;
    }
    free(file);
    if (what == NULL)
        return explain_bind(config, -error, why, why_size);
    snprintf(why, why_size, "%s: %s", config->text, what);
    return error;
}

static bool is_meant(const struct inherited *passed, const struct listen_config *config)
{
    static const enum listen_kind kinds[] = { [INHERITED_IPV4] = LISTEN_IPV4,
                                              [INHERITED_IPV6] = LISTEN_IPV6,
                                              [INHERITED_UNIX] = LISTEN_UNIX };

    return !passed->claimed && passed->kind != INHERITED_OTHER &&
           strcmp(passed->name, config->inherited) == 0 && kinds[passed->kind] == config->kind &&
           passed->port == config->port && strcmp(passed->address, config->host) == 0;
}

/* Why there is no socket of that name that can be used. */
static int explain_inherited(const struct listen_config *config, char *why, size_t why_size)
{
    const struct inherited *passed;
    char names[256] = "";

    for (size_t i = 0; (passed = inherited_at(i)) != NULL; i++) {
        if (strcmp(passed->name, config->inherited) == 0 && passed->reason != NULL) {
            snprintf(
                why, why_size,
                "%s: what was passed under this name is %s, and has to be a stream socket that "
                "listens (ListenStream=, Accept=no)",
                config->text, passed->reason);
            return -EINVAL;
        }
        size_t len = strlen(names);
        if (strstr(names, passed->name) == NULL)
            snprintf(names + len, sizeof names - len, "%s%.60s", len > 0 ? ", " : "", passed->name);
    }
    if (names[0] != '\0')
        snprintf(
            why, why_size,
            "%s: no socket of this name was passed, but: %s (FileDescriptorName= of the socket "
            "unit gives it)",
            config->text, names);
    else
        snprintf(why, why_size,
                 "%s: no socket was passed (LISTEN_FDS): the server has to be started by a socket "
                 "unit",
                 config->text);
    return -ENOENT;
}

/* One that a service manager has made, with the options that ours have. */
static int inherit(const struct listen_config *config, char *why, size_t why_size,
                   struct listener *ret_listener)
{
    const struct inherited *passed;
    size_t i = 0;

    while ((passed = inherited_at(i)) != NULL && !is_meant(passed, config))
        i++;
    if (passed == NULL)
        return explain_inherited(config, why, why_size);
    const struct listener listener = { .fd = passed->fd, .config = config };
    int flags = fcntl(listener.fd, F_GETFL);
    int error = flags < 0 || fcntl(listener.fd, F_SETFL, flags | O_NONBLOCK) != 0 ? -errno : 0;
    if (error == 0 && config->kind != LISTEN_UNIX)
        error = set_flag(listener.fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (error < 0) {
        snprintf(why, why_size, "%s: a socket option is refused: %s", config->text,
                 strerror(-error));
        return error;
    }
    error = listener_adjust(&listener, config, why, why_size);
    if (error < 0)
        return error;
    inherited_claim(listener.fd);
    *ret_listener = listener;
    return 0;
}

int listener_open(const struct listen_config *config, char *why, size_t why_size,
                  struct listener *ret_listener)
{
    struct listener listener = { .config = config };
    struct address address;

    if (config->inherited != NULL)
        return inherit(config, why, why_size, ret_listener);
    int error = make_address(config, why, why_size, &address);
    if (error < 0)
        return error;
    listener.fd = socket_open(config, &address, why, why_size);
    if (listener.fd < 0)
        return listener.fd;
    if (config->kind == LISTEN_UNIX)
        error = bind_unix(listener.fd, config, why, why_size, &listener.file);
    else if (bind(listener.fd, &address.any, address.len) != 0)
        error = explain_bind(config, errno, why, why_size);
    /* With SO_REUSEADDR the address may turn out to be taken only here (listen(2)). */
    if (error == 0 && listen(listener.fd, config->backlog) != 0)
        error = explain_bind(config, errno, why, why_size);
    if (error < 0) {
        listener_close(&listener);
        return error;
    }
    *ret_listener = listener;
    return 0;
}

int listener_begin(const struct listener *listener, char *why, size_t why_size)
{
    const struct listen_config *config = listener->config;

    return listen(listener->fd, config->backlog) == 0 ? 0
                                                      : explain_bind(config, errno, why, why_size);
}

int listener_adjust(const struct listener *listener, const struct listen_config *config, char *why,
                    size_t why_size)
{
    if (config->congestion != NULL && config->kind != LISTEN_UNIX &&
        setsockopt(listener->fd, IPPROTO_TCP, TCP_CONGESTION, config->congestion,
                   (socklen_t)strlen(config->congestion)) != 0)
        return explain_congestion(config, errno, why, why_size);
    return listener_begin(&(struct listener){ .fd = listener->fd, .config = config }, why,
                          why_size);
}

void listener_forget_file(struct listener *listener)
{
    if (listener->file == NULL)
        return;
    place_close(&listener->file->place);
    free(listener->file);
    listener->file = NULL;
}

/* The kernel lets nobody but the user who has made a socket open another one beside it (socket(7),
 * SO_REUSEPORT). */
static int explain_beside(const struct listen_config *config, char *why, size_t why_size)
{
    snprintf(why, why_size,
             "%s: accept = reuseport opens sockets beside the one that was passed, which only the "
             "user who has made it may do, and that is somebody else; set accept = shared",
             config->text);
    return -EACCES;
}

int listener_open_beside(const struct listener *first, char *why, size_t why_size,
                         struct listener *ret_listener)
{
    const struct listen_config *config = first->config;
    struct address address = { .len = sizeof address.storage };
    int error;

    if (config->kind == LISTEN_UNIX)
        return -EOPNOTSUPP;
    /* The address that it is bound to: the system may have chosen the port. */
    MUST(getsockname(first->fd, &address.any, &address.len) == 0);
    int fd = socket_open(config, &address, why, why_size);
    if (fd < 0)
        return fd;
    error = set_flag(first->fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (error == 0)
        error = set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (error < 0) {
        snprintf(why, why_size, "%s: SO_REUSEPORT is refused: %s; set accept = shared",
                 config->text, strerror(-error));
        goto fail;
    }
    if (bind(fd, &address.any, address.len) != 0) {
        error = errno == EADDRINUSE && config->inherited != NULL
                    ? explain_beside(config, why, why_size)
                    : explain_bind(config, errno, why, why_size);
        goto fail;
    }
    *ret_listener = (struct listener){ .fd = fd, .config = config };
    return 0;

fail:
    close(fd);
    return error;
}

void listener_let_over(const struct listener *listener)
{
    if (listener->config->kind != LISTEN_UNIX) /* where it is refused, bind(2) will say so */
        (void)set_flag(listener->fd, SOL_SOCKET, SO_REUSEPORT, 1);
}

int listener_open_over(const struct listen_config *config, char *why, size_t why_size,
                       struct listener *ret_listener)
{
    struct address address;

    if (config->kind == LISTEN_UNIX)
        return -EOPNOTSUPP;
    int error = make_address(config, why, why_size, &address);
    if (error < 0)
        return error;
    int fd = socket_open(config, &address, why, why_size);
    if (fd < 0)
        return fd;
    if (set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0 || bind(fd, &address.any, address.len) != 0) {
        error = explain_bind(config, errno, why, why_size);
        close(fd);
        return error;
    }
    *ret_listener = (struct listener){ .fd = fd, .config = config };
    return 0;
}

/* Could the file of a unix socket be made? 0, or -errno and a sentence. */
static int check_unix(const struct listen_config *config, char *why, size_t why_size)
{
    const char *what = NULL;

    int error = socket_file_check(config->host, &what);
    if (error < 0)
        snprintf(why, why_size, "%s: no socket can be made there: %s", config->text,
                 safe_open_text(error, what));
    return error;
}

int listeners_check(const struct config *config, char *why, size_t why_size)
{
    for (size_t i = 0; i < config->listens_count; i++) {
        const struct listen_config *listen_config = &config->listens[i];
        struct address address;

        if (listen_config->inherited != NULL)
            continue; /* who tests is not who is started with sockets */
        int error = make_address(listen_config, why, why_size, &address);
        if (error < 0)
            return error;
        int fd = socket_open(listen_config, &address, why, why_size);
        if (fd < 0)
            return fd;
        close(fd);
        if (listen_config->kind == LISTEN_UNIX) {
            error = check_unix(listen_config, why, why_size);
            if (error < 0)
                return error;
        }
    }
    return 0;
}

static void close_one(struct listener *listener, bool removes_file)
{
    if (listener->fd < 0)
        return;
    if (listener->holders != NULL && atomic_fetch_sub(listener->holders, 1) > 1) {
        listener->fd = -1;
        return;
    }
    /* The name goes first: once the socket is closed, a successor may have taken it. */
    if (listener->file != NULL && removes_file)
        socket_file_remove(listener->file);
    else if (listener->file != NULL)
        place_close(&listener->file->place);
    free(listener->file);
    listener->file = NULL;
    close(listener->fd);
    listener->fd = -1;
}

void listener_close(struct listener *listener)
{
    close_one(listener, true);
}

void listener_leave(struct listener *listener)
{
    close_one(listener, false);
}

void listeners_close(struct listener *listeners, size_t count)
{
    if (listeners == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        listener_close(&listeners[i]);
    free(listeners);
}

unsigned listener_port(const struct listener *listener)
{
    struct address address = { .len = sizeof address.storage };

    if (listener->config->kind == LISTEN_UNIX)
        return 0;
    MUST(getsockname(listener->fd, &address.any, &address.len) == 0);
    return ntohs(address.any.sa_family == AF_INET6 ? address.ipv6.sin6_port
                                                   : address.ipv4.sin_port);
}
