/* worker.c: see worker.h. */
#include "worker.h"

#include "load.h"

#include "config/config_roots.h"
#include "core/check.h"
#include "core/clock.h"
#include "core/log.h"
#include "engines/engine.h"
#include "process/choice.h"
#include "tls/tls.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SETTINGS_MAX = 24, AWAIT_READY_MS = 60000 };

/* ---- the site ---- */

static void write_file(const struct site *site, const char *name, size_t size)
{
    static char block[7 * 16 * 256]; /* whole turns of the sixteen, seven octets each */
    char path[128];

    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = "0123456789abcdef"[i / 7 % 16];
    snprintf(path, sizeof(path), "%s/%s", site->folder, name);
    FILE *file = fopen(path, "w");
    MUST(file != NULL);
    for (size_t len; size > 0; size -= len) {
        len = size < sizeof(block) ? size : sizeof(block);
        MUST(fwrite(block, 1, len, file) == len);
    }
    MUST(fclose(file) == 0);
}

static void listen_at(struct site *site, unsigned index)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(address);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    MUST(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
    MUST(bind(fd, (struct sockaddr *)&address, len) == 0 && listen(fd, 512) == 0);
    MUST(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    site->fds[index] = fd;
    site->ports[index] = ntohs(address.sin_port);
}

void site_open(struct site *site, unsigned addresses, bool tls)
{
    *site = (struct site){ .folder = "/tmp/gearshift-handover-XXXXXX",
                           .addresses = addresses,
                           .tls = tls };
    MUST(mkdtemp(site->folder) != NULL && chmod(site->folder, 0755) == 0);
    write_file(site, "small.txt", SMALL_SIZE);
    write_file(site, "big.bin", BIG_SIZE);
    for (unsigned i = 0; i < addresses + tls; i++)
        listen_at(site, i);
}

void site_close(struct site *site)
{
    static const char *const names[] = { "small.txt", "big.bin" };
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", site->folder, names[i]);
        unlink(path);
    }
    rmdir(site->folder);
    for (unsigned i = 0; i < site->addresses + site->tls; i++)
        close(site->fds[i]);
}

/* ---- in the worker ---- */

static struct {
    struct engine_orders orders;
    const struct engine_ops *ops;
    struct engine *engine;
} self;

static void on_signal(int number)
{
    if (number == SIGUSR2)
        __atomic_store_n(&self.orders.retire, 1, __ATOMIC_RELAXED);
    else
        __atomic_store_n(&self.orders.stop, 1, __ATOMIC_RELAXED);
    if (self.engine != NULL)
        self.ops->wake(self.engine);
}

static void install_handlers(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    sigfillset(&action.sa_mask);
    MUST(sigaction(SIGUSR2, &action, NULL) == 0 && sigaction(SIGTERM, &action, NULL) == 0);
    MUST(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
}

static void fail(const char *spec, const char *why)
{
    fprintf(stderr, "worker %s: %s\n", spec, why);
    _exit(1);
}

/* The words of `spec` behind the first one, and what all workers have in common. */
static size_t find_settings(char *spec, const char **settings, char *listen, size_t listen_size,
                            const char *header, const struct site *site)
{
    static const char *const common[] = {
        "connections_max=1024", "header_timeout=120s", "keepalive_timeout=120s",
        "drain_timeout=20s",    "threads=1",           "workers=256"
    };
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(common); i++)
        settings[n++] = common[i];
    if (strncmp(spec, "reactor-pool", 12) == 0)
        settings[n - 1] = "workers=2";
    int len = snprintf(listen, listen_size, "listen={");
    for (unsigned i = 0; i < site->addresses + site->tls; i++)
        len += snprintf(listen + len, listen_size - (size_t)len, "%s\"127.0.0.1:%u%s\"",
                        i > 0 ? ", " : "", site->ports[i], i < site->addresses ? "" : " tls");
    snprintf(listen + len, listen_size - (size_t)len, "}");
    settings[n++] = listen;
    settings[n++] = header;
    strtok(spec, " ");
    for (char *word = strtok(NULL, " "); word != NULL; word = strtok(NULL, " ")) {
        CHECK(n < SETTINGS_MAX);
        settings[n++] = word;
    }
    return n;
}

static int listener_of(const struct site *site, unsigned port)
{
    for (unsigned i = 0; i < site->addresses + site->tls; i++) {
        if (site->ports[i] == port)
            return site->fds[i];
    }
    return -1;
}

static struct choice configure(const struct site *site, const char *spec)
{
    char words[256], listen[256], header[64], why[1024] = "";
    const char *settings[SETTINGS_MAX];
    struct choice choice = { .config = NULL };
    snprintf(words, sizeof(words), "%s", spec);
    snprintf(header, sizeof(header), "headers={\"X-Worker: %d\"}", (int)getpid());
    size_t count = find_settings(words, settings, listen, sizeof(listen), header, site);
    const struct config_source source = {
        .root = site->folder,
        .engine = words,
        .settings = settings,
        .settings_count = count,
        .tls_self_signed = site->tls,
    };
    if (choice_make(&source, &choice, why, sizeof(why)) < 0 ||
        config_roots_open(choice.config, why, sizeof(why)) < 0)
        fail(spec, why);
    return choice;
}

static void serve(const struct site *site, const char *spec, struct handover *out, int inbox,
                  int ready_fd)
{
    char why[1024] = "";
    struct tls_server tls = { .ops = NULL };
    log_take(STDERR_FILENO, NULL, geteuid(), LOG_WARN);
    install_handlers();
    struct choice choice = configure(site, spec);
    struct config *config = choice.config;
    if (site->tls && tls_server_create(config, NULL, why, sizeof(why), &tls) < 0)
        fail(spec, why);
    struct listener *listeners = calloc(config->listens_count, sizeof(*listeners));
    MUST(listeners != NULL);
    for (size_t i = 0; i < config->listens_count; i++)
        listeners[i] = (struct listener){ .fd = listener_of(site, config->listens[i].port),
                                          .config = &config->listens[i] };
    const struct engine_config cfg = {
        .config = config,
        .limits = session_limits_of(config),
        .listeners = listeners,
        .listeners_count = config->listens_count,
        .tls = &tls,
        .orders = &self.orders,
        .out = out,
        .inboxes = &inbox,
        .inboxes_count = inbox >= 0 ? 1 : 0,
    };
    self.ops = choice.ops;
    if (self.ops->create(&cfg, why, sizeof(why), &self.engine) < 0)
        fail(spec, why);
    MUST(write(ready_fd, "R", 1) == 1);
    close(ready_fd);
    int res = self.ops->run(self.engine);
    signal(SIGUSR2, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    self.ops->destroy(self.engine);
    if (inbox >= 0)
        close(inbox);
    handover_destroy(out);
    free(listeners);
    tls_server_destroy(&tls);
    choice_free(&choice);
    exit(res < 0 ? 1 : 0);
}

/* ---- the test's side ---- */

static bool await_byte(int fd)
{
    struct pollfd polled = { .fd = fd, .events = POLLIN };
    char byte;
    return poll(&polled, 1, AWAIT_READY_MS) == 1 && read(fd, &byte, 1) == 1;
}

void worker_start(struct worker *w, const struct site *site, const char *spec,
                  const struct worker *predecessor)
{
    int ready[2], inbox = predecessor != NULL ? predecessor->inbox_end : -1;
    MUST(handover_create(site->addresses + site->tls, &w->out, &w->inbox_end) == 0);
    MUST(pipe2(ready, O_CLOEXEC) == 0);
    fflush(stdout);
    w->pid = fork();
    MUST(w->pid >= 0);
    if (w->pid == 0) {
        MUST(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
        close(ready[0]);
        close(w->inbox_end);
        load_close_copies();
        serve(site, spec, w->out, inbox, ready[1]);
    }
    close(ready[1]);
    handover_close_end(w->out);
    if (!await_byte(ready[0])) {
        fprintf(stderr, "worker %s does not serve\n", spec);
        exit(1);
    }
    close(ready[0]);
}

void worker_limit_files(const struct worker *w, unsigned more)
{
    enum { NUMBERS_MAX = 4096 };
    char path[64];
    bool used[NUMBERS_MAX] = { false };
    rlim_t limit = 0;
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)w->pid);
    DIR *folder = opendir(path);
    MUST(folder != NULL);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        size_t number = strtoul(entry->d_name, NULL, 10);
        if (entry->d_name[0] != '.' && number < NUMBERS_MAX)
            used[number] = true;
    }
    closedir(folder);
    for (unsigned free = 0; free < more || used[limit]; limit++) {
        CHECK(limit < NUMBERS_MAX - 1);
        free += !used[limit];
    }
    const struct rlimit low = { limit, limit };
    MUST(prlimit(w->pid, RLIMIT_NOFILE, &low, NULL) == 0);
}

void worker_retire(struct worker *w, const struct site *site, const int *map)
{
    for (unsigned i = 0; i < site->addresses + site->tls; i++)
        handover_map(w->out, i, map != NULL ? map[i] : (int)i);
    if (w->inbox_end >= 0)
        close(w->inbox_end);
    w->inbox_end = -1;
    MUST(kill(w->pid, SIGUSR2) == 0);
}

bool worker_await(struct worker *w, unsigned ms)
{
    uint64_t until_ms = clock_monotonic_ms() + ms;
    int status = -1;
    pid_t pid = 0;
    while (clock_monotonic_ms() < until_ms && (pid = waitpid(w->pid, &status, WNOHANG)) == 0)
        poll(NULL, 0, 2);
    if (pid == 0) {
        kill(w->pid, SIGKILL);
        waitpid(w->pid, NULL, 0);
    }
    if (w->inbox_end >= 0)
        close(w->inbox_end);
    handover_destroy(w->out);
    w->out = NULL;
    w->inbox_end = -1;
    return pid == w->pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool worker_stop(struct worker *w)
{
    kill(w->pid, SIGTERM);
    return worker_await(w, 20000);
}
