/* test_listen.c: sockets of every kind, their options, and the sentence for each refusal. */
#include "engines/listen.c"
#include "process/listen_set.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

static char folder[] = "/tmp/test_listen.XXXXXX";
static char socket_path[64], socket_text[80];
static char why[512];

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(socket_path, sizeof socket_path, "%s/g.sock", folder);
    snprintf(socket_text, sizeof socket_text, "unix:%s", socket_path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder);
}

static struct listen_config ipv4(uint16_t port)
{
    static char text[] = "127.0.0.1:N", host[] = "127.0.0.1";
    return (struct listen_config){
        .text = text, .kind = LISTEN_IPV4, .host = host, .port = port, .backlog = 16
    };
}

static struct listen_config unix_path(void)
{
    return (struct listen_config){
        .text = socket_text, .kind = LISTEN_UNIX, .host = socket_path, .backlog = 16
    };
}

/* Opens `listens`, or none of them; the result of listen_set_take(). */
static int open_all(struct listen_config *listens, size_t count, struct listener **ret)
{
    struct config config = { .listens = listens, .listens_count = count };
    struct listen_set set;

    why[0] = '\0';
    listen_set_init(&set);
    size_t taken = 0;
    int res = listen_set_take(&set, &config, 1, why, sizeof why, ret, &taken);
    assert_true(res < 0 || taken == count);
    if (res == 0)
        listen_set_give(&set, *ret, count, true);
    return res;
}

static int check_one(struct listen_config *listen_config)
{
    struct config config = { .listens = listen_config, .listens_count = 1 };

    why[0] = '\0';
    return listeners_check(&config, why, sizeof why);
}

/* A refusal: this error, a sentence with this part, and nothing returned. */
static void assert_refused(struct listen_config config, int error, const char *part)
{
    struct listener *untouched = NULL;

    assert_int_equal(open_all(&config, 1, &untouched), error);
    assert_null(untouched);
    assert_non_null(strstr(why, config.text));
    if (strstr(why, part) == NULL)
        fail_msg("no \"%s\" in: %s", part, why);
}

static int option_of(int fd, int level, int option)
{
    int value = -1;
    socklen_t len = sizeof value;

    assert_int_equal(getsockopt(fd, level, option, &value, &len), 0);
    return value;
}

static void test_ipv4_any_port(void **state)
{
    (void)state;
    struct listen_config config = ipv4(0);
    struct listener *listeners = NULL;

    assert_int_equal(open_all(&config, 1, &listeners), 0);
    int fd = listeners[0].fd;
    assert_ptr_equal(listeners[0].config, &config);
    assert_true(listener_port(&listeners[0]) >= 1024);
    assert_int_equal(option_of(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
    assert_int_equal(option_of(fd, SOL_SOCKET, SO_REUSEADDR), 1);
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);

    /* What is accepted inherits TCP_NODELAY. */
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)listener_port(&listeners[0])),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof to), 0);
    int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    assert_true(accepted >= 0);
    assert_int_equal(option_of(accepted, IPPROTO_TCP, TCP_NODELAY), 1);
    close(accepted);
    close(client);
    listeners_close(listeners, 1);
    listeners_close(NULL, 0);
}

static bool have_ipv6(void)
{
    char any[] = "::1", text[] = "[::1]:0";
    struct listen_config config = { .text = text, .kind = LISTEN_IPV6, .host = any, .backlog = 1 };
    struct listener *listeners = NULL;

    if (open_all(&config, 1, &listeners) < 0)
        return false;
    listeners_close(listeners, 1);
    return true;
}

static void test_ipv6(void **state)
{
    (void)state;
    char any[] = "::", text[] = "[::]:0";

    if (!have_ipv6())
        skip();
    for (int only = 0; only <= 1; only++) {
        struct listen_config config = {
            .text = text, .kind = LISTEN_IPV6, .host = any, .backlog = 1, .ipv6_only = only
        };
        struct listener *listeners = NULL;
        assert_int_equal(open_all(&config, 1, &listeners), 0);
        assert_int_equal(option_of(listeners[0].fd, IPPROTO_IPV6, IPV6_V6ONLY), only);
        assert_true(listener_port(&listeners[0]) > 0);
        listeners_close(listeners, 1);
    }
}

static void test_taken(void **state)
{
    (void)state;
    struct listen_config first = ipv4(0);
    struct listener *listeners = NULL;

    assert_int_equal(open_all(&first, 1, &listeners), 0);
    struct listen_config second = ipv4((uint16_t)listener_port(&listeners[0]));
    assert_refused(second, -EADDRINUSE, "another process listens there already");
    /* A test of the configuration does not mind a server that runs. */
    assert_int_equal(check_one(&second), 0);

    /* Of several, those before the one that is refused are closed again. */
    struct listen_config both[] = { ipv4(0), second };
    struct listener *untouched = NULL;
    int next_fd = dup(0);
    close(next_fd);
    assert_int_equal(open_all(both, 2, &untouched), -EADDRINUSE);
    assert_null(untouched);
    int again = dup(0);
    assert_int_equal(again, next_fd);
    close(again);

    uint16_t port = (uint16_t)listener_port(&listeners[0]);
    listeners_close(listeners, 1);
    second = ipv4(port);
    assert_int_equal(open_all(&second, 1, &listeners), 0);
    assert_int_equal(listener_port(&listeners[0]), port);
    listeners_close(listeners, 1);
}

static void test_refusals(void **state)
{
    (void)state;
    char elsewhere[] = "192.0.2.1", name[] = "localhost", long_path[200];
    struct listen_config config = ipv4(0);

    config.host = elsewhere;
    assert_refused(config, -EADDRNOTAVAIL, "this machine has no such address");
    config.host = name;
    assert_refused(config, -EINVAL, "'localhost' is not a numeric address");
    assert_int_equal(check_one(&config), -EINVAL);

    memset(long_path, 'x', sizeof long_path);
    long_path[sizeof long_path - 1] = '\0';
    config = unix_path();
    config.host = long_path;
    assert_refused(config, -ENAMETOOLONG, "at most 107 octets");
    assert_int_equal(check_one(&config), -ENAMETOOLONG);
}

static void test_congestion(void **state)
{
    (void)state;
    char reno[] = "reno", unknown[] = "no-such", found[16] = "";
    struct listen_config config = ipv4(0);
    struct listener *listeners = NULL;
    socklen_t len = sizeof found;

    config.congestion = reno;
    assert_int_equal(check_one(&config), 0);
    assert_int_equal(open_all(&config, 1, &listeners), 0);
    assert_int_equal(getsockopt(listeners[0].fd, IPPROTO_TCP, TCP_CONGESTION, found, &len), 0);
    assert_string_equal(found, "reno");
    listeners_close(listeners, 1);

    config.congestion = unknown;
    assert_refused(config, -ENOENT, "congestion control 'no-such' is not known here; available: ");
    assert_non_null(strstr(why, "reno"));
    assert_int_equal(check_one(&config), -ENOENT);
}

/* In a child that is an ordinary user, on a port of root's. */
static void test_low_port(void **state)
{
    (void)state;
    char first[32];
    int status = 0;

    read_sysctl("/proc/sys/net/ipv4/ip_unprivileged_port_start", first, sizeof first);
    if (atoi(first) < 2)
        skip();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct listen_config config = ipv4(1);
        struct listener *listeners = NULL;
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        int error = open_all(&config, 1, &listeners);
        _exit(error == -EACCES && strstr(why, first) != NULL &&
                      strstr(why, "need root or CAP_NET_BIND_SERVICE") != NULL
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void test_unix(void **state)
{
    (void)state;
    struct listen_config config = unix_path();
    struct listener *listeners = NULL;
    struct stat info;

    assert_int_equal(check_one(&config), 0);
    assert_int_equal(open_all(&config, 1, &listeners), 0);
    assert_int_equal(listener_port(&listeners[0]), 0);
    assert_int_equal(stat(socket_path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0666);

    /* It answers, so it is not taken away, with a full backlog neither. */
    assert_refused(config, -EADDRINUSE, "another process listens there already");
    assert_int_equal(listen(listeners[0].fd, 0), 0);
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    memcpy(to.sun_path, socket_path, strlen(socket_path) + 1);
    int clients[8];
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)!connect(clients[i], (struct sockaddr *)&to, sizeof to);
    }
    assert_refused(config, -EADDRINUSE, "another process listens there already");
    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        close(clients[i]);
    assert_int_equal(access(socket_path, F_OK), 0);
    listeners_close(listeners, 1);
    assert_int_equal(access(socket_path, F_OK), -1);
}

static void test_unix_stale(void **state)
{
    (void)state;
    struct listen_config config = unix_path();
    struct listener *listeners = NULL;

    assert_int_equal(open_all(&config, 1, &listeners), 0);
    close(listeners[0].fd); /* as if the process had been killed */
    place_close(&listeners[0].file->place);
    free(listeners[0].file);
    free(listeners);
    assert_int_equal(access(socket_path, F_OK), 0);
    assert_int_equal(open_all(&config, 1, &listeners), 0);
    listeners_close(listeners, 1);
}

static void test_unix_not_a_socket(void **state)
{
    (void)state;
    struct listen_config config = unix_path();
    char nowhere[] = "/no/such/folder/g.sock", text[] = "unix:/no/such/folder/g.sock";

    close(open(socket_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_refused(config, -EEXIST, "exists and is not a socket");
    assert_int_equal(check_one(&config), -EEXIST);
    assert_non_null(strstr(why, "exists and is not a socket"));
    assert_int_equal(access(socket_path, F_OK), 0);
    assert_int_equal(unlink(socket_path), 0);

    /* A link is not followed: what it points to may be anything. */
    assert_int_equal(symlink("/etc/passwd", socket_path), 0);
    assert_refused(config, -EEXIST, "exists and is not a socket");
    assert_int_equal(unlink(socket_path), 0);

    config.host = nowhere;
    config.text = text;
    assert_refused(config, -ENOENT, "No such file or directory");
    assert_int_equal(check_one(&config), -ENOENT);
}

static int connect_to(unsigned port)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* Puts a link to `target` in the place of each socket of that name, as who owns the folder may. */
static void exchange_for_ever(const char *target)
{
    char trap[80];

    if (setuid(65534) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        _exit(1);
    snprintf(trap, sizeof trap, "%s.trap", socket_path);
    for (;;) {
        (void)!symlink(target, trap);
        if (access(socket_path, F_OK) == 0 && rename(trap, socket_path) == 0)
            unlink(socket_path);
    }
}

/* Between bind(2) and the mode's being right there is nothing to win. */
static void test_unix_race(void **state)
{
    (void)state;
    struct listen_config config = unix_path();
    char target[64], trap[80];
    struct stat info;

    if (geteuid() != 0)
        skip();
    snprintf(target, sizeof target, "%s/roots", folder);
    snprintf(trap, sizeof trap, "%s.trap", socket_path);
    close(open(target, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_int_equal(chown(folder, 65534, 65534), 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        exchange_for_ever(target);
    for (int i = 0; i < 10000; i++) {
        struct listener *listeners = NULL;
        if (open_all(&config, 1, &listeners) == 0)
            listeners_close(listeners, 1);
    }
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(chown(folder, 0, 0), 0);
    assert_int_equal(stat(target, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    unlink(trap);
    unlink(socket_path);
    assert_int_equal(unlink(target), 0);
}

/* A connection counts when it has said something, on each of several sockets. */
static void test_deferred(void **state)
{
    (void)state;
    struct listen_config config = ipv4(0);
    struct listener *first = NULL, beside;

    assert_int_equal(open_all(&config, 1, &first), 0);
    assert_int_equal(option_of(first->fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
    listeners_close(first, 1);
    config.deferred = true;
    assert_int_equal(open_all(&config, 1, &first), 0);
    assert_int_equal(listener_open_beside(first, why, sizeof why, &beside), 0);
    assert_true(option_of(first->fd, IPPROTO_TCP, TCP_DEFER_ACCEPT) > 0);
    assert_true(option_of(beside.fd, IPPROTO_TCP, TCP_DEFER_ACCEPT) > 0);
    listener_close(&beside);
    int client = connect_to(listener_port(first));
    assert_int_equal(accept(first->fd, NULL, NULL), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(write(client, "G", 1), 1);
    int fd = accept(first->fd, NULL, NULL);
    assert_true(fd >= 0);
    close(fd);
    close(client);
    listeners_close(first, 1);
}

/* Sockets side by side: the same port and options, each gets some of the connections, and nobody
 * else may join them without their leave. */
static void test_beside(void **state)
{
    (void)state;
    struct listen_config config = ipv4(0);
    struct listener *first = NULL, beside[2];
    unsigned counts[3] = { 0 };
    int clients[60];
    char reno[] = "reno", name[16] = "";
    socklen_t len = sizeof name;

    config.congestion = reno;
    config.backlog = 100;
    assert_int_equal(open_all(&config, 1, &first), 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(listener_open_beside(first, why, sizeof why, &beside[i]), 0);
        assert_int_equal(option_of(beside[i].fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
        assert_int_equal(listener_begin(&beside[i], why, sizeof why), 0);
        assert_int_equal(option_of(beside[i].fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
        assert_int_equal(listener_port(&beside[i]), listener_port(first));
        assert_int_equal(option_of(beside[i].fd, IPPROTO_TCP, TCP_NODELAY), 1);
        assert_int_equal(getsockopt(beside[i].fd, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
        assert_string_equal(name, "reno");
        assert_int_equal(fcntl(beside[i].fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
        assert_int_equal(fcntl(beside[i].fd, F_GETFD), FD_CLOEXEC);
    }
    assert_refused(ipv4((uint16_t)listener_port(first)), -EADDRINUSE, "another process listens");
    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        clients[i] = connect_to(listener_port(first));
    const struct listener *all[] = { first, &beside[0], &beside[1] };
    for (size_t i = 0; i < 3; i++) {
        for (int fd; (fd = accept(all[i]->fd, NULL, NULL)) >= 0; counts[i]++)
            close(fd);
        assert_true(counts[i] > 0); /* by chance 0 once in 10^10 */
    }
    assert_int_equal(counts[0] + counts[1] + counts[2], ARRAY_LEN(clients));
    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        close(clients[i]);
    listener_close(&beside[0]);
    listener_close(&beside[1]);
    listeners_close(first, 1);

    config = unix_path();
    assert_int_equal(open_all(&config, 1, &first), 0);
    assert_int_equal(listener_open_beside(first, why, sizeof why, &beside[0]), -EOPNOTSUPP);
    listeners_close(first, 1);
}

/* The last of those who hold a socket closes it, and removes its file. */
static void test_holders(void **state)
{
    (void)state;
    struct listen_config config = unix_path();
    struct listener *first = NULL;
    atomic_uint holders = 2;

    assert_int_equal(open_all(&config, 1, &first), 0);
    int fd = first->fd;
    first->holders = &holders;
    struct listener second = *first;
    listener_close(&second);
    listener_close(&second);
    assert_int_equal(second.fd, -1);
    assert_int_equal(holders, 1);
    assert_int_equal(access(socket_path, F_OK), 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    listeners_close(first, 1);
    assert_int_equal(holders, 0);
    assert_int_equal(access(socket_path, F_OK), -1);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ipv4_any_port),
        cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_congestion),
        cmocka_unit_test(test_deferred),
        cmocka_unit_test(test_low_port),
        cmocka_unit_test(test_unix),
        cmocka_unit_test(test_unix_stale),
        cmocka_unit_test(test_unix_race),
        cmocka_unit_test(test_unix_not_a_socket),
        cmocka_unit_test(test_beside),
        cmocka_unit_test(test_holders),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
