/* succession_take.c: the successor's half of succession.h.
 *
 * All is read before anything is taken. What cannot be read, or a configuration that this binary
 * cannot understand, ends in the other binary, which gets all that it has left, and why. */
#include "process/succession.h"

#include "core/check.h"
#include "core/fd_slot.h"
#include "core/inherited.h"
#include "core/log.h"
#include "core/netstring.h"
#include "core/stats.h"
#include "process/binary.h"
#include "process/notify.h"
#include "process/supervisor_internal.h"
#include "tls/self_signed.h"
#include "tls/ticket_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATE_MAX = 256 * 1024 * 1024 };

struct estate;

/* A kind of record. False: it is malformed. */
struct record_kind {
    const char *name;
    bool (*take)(struct estate *e, struct span rest);
    int pass; /* the readers' order: counting, then what needs others */
};

/* What is being read. */
struct estate {
    struct supervisor *s;
    char *text; /* owned */
    struct span records;
    struct generation *generation; /* owned until it is s->current */
    char **settings;               /* owned, with copies */
    size_t settings_count;
    struct ticket_keys *keys;
    size_t workers_count, worker, log_slot;
    enum exit_status failed; /* with: */
    char *why;               /* owned; NULL: nothing failed */
};

static int find_fd(const char *name)
{
    const struct inherited *entry;

    for (size_t i = 0; (entry = inherited_at(i)) != NULL; i++) {
        if (strcmp(entry->name, name) == 0)
            return entry->fd;
    }
    return -1;
}

bool succession_waits(void)
{
    return find_fd(SUCCESSION_STATE) >= 0;
}

/* ---- fields ---- */

/* A copy with an end, which the caller frees; NULL: there is none. */
static char *take_text(struct span *rest)
{
    struct span octets;

    return netstring_take(rest, &octets) ? strndup(octets.ptr, octets.len) : NULL;
}

/* -1 stays that. False: nothing like it was passed. */
static bool take_fd(struct span *rest, int *ret_fd)
{
    int64_t number;

    if (!netstring_take_number(rest, &number) || number < -1 || number > INT32_MAX)
        return false;
    *ret_fd = (int)number;
    if (number == -1)
        return true;
    const struct inherited *entry = inherited_find(*ret_fd);
    if (entry == NULL || entry->claimed)
        return false;
    inherited_claim(*ret_fd);
    return true;
}

static bool take_number(struct span *rest, int64_t least, int64_t most, int64_t *ret)
{
    return netstring_take_number(rest, ret) && *ret >= least && *ret <= most;
}

/* FOLDER NAME */
static bool take_place(struct span *rest, struct place *ret_place)
{
    struct span name;

    *ret_place = (struct place){ .suspect = PLACE_NOBODY };
    if (!take_fd(rest, &ret_place->dir_fd) || !netstring_take(rest, &name) || name.len == 0 ||
        name.len >= sizeof ret_place->name)
        return false;
    memcpy(ret_place->name, name.ptr, name.len);
    return true;
}

/* FOLDER NAME DEVICE INODE */
static bool take_file(struct span *rest, struct socket_file *ret_file)
{
    int64_t device, number;

    if (!take_place(rest, &ret_file->place) || !netstring_take_number(rest, &device) ||
        !netstring_take_number(rest, &number))
        return false;
    ret_file->device = (dev_t)device;
    ret_file->number = (ino_t)number;
    return true;
}

/* ---- records ---- */

static bool take_binary(struct estate *e, struct span rest)
{
    struct span path;

    (void)e;
    if (!netstring_take(&rest, &path))
        return false;
    binary_set_path(path.ptr, path.len);
    return true;
}

static bool take_supervisor(struct estate *e, struct span rest)
{
    int64_t started, tickets, generation;

    if (!take_number(&rest, 0, INT64_MAX, &started) ||
        !take_number(&rest, 0, UINT32_MAX - 2, &tickets) ||
        !take_number(&rest, 1, UINT32_MAX - 2, &generation))
        return false;
    e->s->started_ms = (uint64_t)started;
    e->s->tickets = (unsigned)tickets;
    e->s->generations = (unsigned)generation;
    return true;
}

static bool take_config_text(struct estate *e, struct span rest)
{
    struct span text;

    char *path = take_text(&rest);
    bool whole = path != NULL && netstring_take(&rest, &text) &&
                 config_texts_keep(&e->s->texts, path, text.ptr, text.len) == 0;
    free(path);
    return whole;
}

/* A word more, of at most CONTROL_WORDS_MAX. */
static bool take_word(struct span rest, char **words, size_t *count)
{
    char *text = take_text(&rest);

    if (text == NULL || *count == CONTROL_WORDS_MAX) {
        free(text);
        return false;
    }
    words[(*count)++] = text;
    return true;
}

static bool take_setting(struct estate *e, struct span rest)
{
    return take_word(rest, e->settings, &e->settings_count);
}

/* As reload_ask() keeps it. */
static bool take_asked(struct estate *e, struct span rest)
{
    return take_word(rest, e->s->request.settings, &e->s->request.settings_count);
}

static bool take_listener(struct estate *e, struct span rest)
{
    struct listen_passed at = { .file = NULL };
    struct socket_file file;
    int64_t kind, port, ipv6_only, deferred, beside;

    if (!take_fd(&rest, &at.fd) || at.fd < 0 || !take_number(&rest, 0, LISTEN_UNIX, &kind))
        return false;
    char *host = take_text(&rest);
    bool whole = host != NULL && take_number(&rest, 0, UINT16_MAX, &port) &&
                 take_number(&rest, 0, 1, &ipv6_only) && take_number(&rest, 0, 1, &deferred) &&
                 take_number(&rest, -1, INT32_MAX, &beside);
    char *inherited = whole ? take_text(&rest) : NULL;
    whole = whole && inherited != NULL;
    if (whole && rest.len > 0) {
        whole = take_file(&rest, &file);
        at.file = &file;
    }
    if (whole) {
        at.kind = (enum listen_kind)kind;
        at.host = host;
        at.port = (uint16_t)port;
        at.beside = (int)beside;
        at.inherited = inherited[0] != '\0' ? inherited : NULL;
        at.ipv6_only = ipv6_only != 0;
        at.deferred = deferred != 0;
        whole = listen_set_adopt(&e->s->sockets, &at) == 0;
    }
    free(host);
    free(inherited);
    return whole;
}

static bool take_control(struct estate *e, struct span rest)
{
    struct socket_file file;
    int fd;

    if (!take_fd(&rest, &fd) || fd < 0 || !take_file(&rest, &file))
        return false;
    e->s->control = control_adopt(fd, &file, orders_take, e->s);
    return e->s->control != NULL;
}

static bool take_client(struct estate *e, struct span rest)
{
    struct control_passed client;
    int64_t ticket;

    if (e->s->control == NULL || !take_fd(&rest, &client.fd) || client.fd < 0 ||
        !take_number(&rest, 0, UINT32_MAX, &ticket) || !netstring_take(&rest, &client.line))
        return false;
    client.ticket = (unsigned)ticket;
    control_adopt_client(e->s->control, &client);
    return true;
}

static bool take_pid_file(struct estate *e, struct span rest)
{
    struct pid_file file = { .fd = -1 };

    if (!take_fd(&rest, &file.fd) || file.fd < 0 || !take_place(&rest, &file.place))
        return false;
    e->s->pid_file = file;
    return true;
}

static bool take_ticket_keys(struct estate *e, struct span rest)
{
    int fd;

    if (!take_fd(&rest, &fd) || fd < 0)
        return false;
    if (ticket_keys_adopt(fd, &e->keys) < 0) {
        e->keys = NULL;
        log_info(
            "the keys of TLS tickets are of another version of this server: new ones are made, "
            "and clients make full handshakes");
    }
    return true;
}

static bool take_counters(struct estate *e, struct span rest)
{
    int fd;

    (void)e;
    if (!take_fd(&rest, &fd) || fd < 0)
        return false;
    if (stats_adopt(fd, STATS_SLOTS) < 0)
        log_info("the counters are of another version of this server: they begin again");
    return true;
}

static bool take_self_signed(struct estate *e, struct span rest)
{
    struct self_signed made;

    (void)e;
    if (!netstring_take(&rest, &made.names) || !netstring_take(&rest, &made.certificate) ||
        !netstring_take(&rest, &made.key) || !netstring_take_number(&rest, &made.made_s))
        return false;
    self_signed_adopt(&made);
    return true;
}

static bool count_worker(struct estate *e, struct span rest)
{
    (void)rest;
    e->workers_count++;
    return true;
}

/* In place of the one that this binary has made, which the workers do not know. */
static bool take_log_slot(struct estate *e, struct span rest)
{
    struct instance *instance = &e->generation->instance;
    struct fd_slot slot;

    if (!take_fd(&rest, &slot.in) || !take_fd(&rest, &slot.out))
        return false;
    if (instance->log_slots == NULL || e->log_slot > instance->config->access_logs_count) {
        fd_slot_close(&slot); /* the configuration means something else to this binary */
        return true;
    }
    fd_slot_close(&instance->log_slots[e->log_slot]);
    instance->log_slots[e->log_slot++] = slot;
    return true;
}

static bool take_worker(struct estate *e, struct span rest)
{
    struct worker_passed passed = { .pulse = -1 };
    int64_t pid, ready;

    if (!take_number(&rest, 1, INT32_MAX, &pid) || !take_number(&rest, 0, 1, &ready) ||
        !take_fd(&rest, &passed.channel) || !take_fd(&rest, &passed.inbox) ||
        !take_fd(&rest, &passed.handover) || !take_fd(&rest, &passed.words))
        return false;
    if (rest.len > 0 && !take_fd(&rest, &passed.pulse)) /* an older binary does not pass it */
        return false;
    worker_adopt(&e->generation->workers[e->worker++], (pid_t)pid, ready != 0, &passed);
    return true;
}

static bool take_failed(struct estate *e, struct span rest)
{
    int64_t status;

    if (!take_number(&rest, 1, 255, &status))
        return false;
    e->failed = (enum exit_status)status;
    free(e->why);
    e->why = take_text(&rest);
    return e->why != NULL;
}

/* First what the generation is made of; the rest only once it is known. */
static const struct record_kind kinds[] = {
    { "binary", take_binary, 1 },           { "supervisor", take_supervisor, 1 },
    { "text", take_config_text, 1 },        { "setting", take_setting, 1 },
    { "listener", take_listener, 1 },       { "worker", count_worker, 1 },
    { "failed", take_failed, 1 },           { "asked", take_asked, 2 },
    { "control", take_control, 2 },         { "client", take_client, 2 },
    { "pid-file", take_pid_file, 2 },       { "ticket-keys", take_ticket_keys, 2 },
    { "counters", take_counters, 2 },       { "worker", take_worker, 2 },
    { "self-signed", take_self_signed, 2 }, { "log-slot", take_log_slot, 2 },
};

static bool take_record(struct estate *e, struct span record, int pass)
{
    struct span name;

    if (!netstring_take(&record, &name))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i].pass == pass && span_eq(name, span_str(kinds[i].name)))
            return kinds[i].take(e, record);
    }
    return true;
}

static bool take_records(struct estate *e, int pass)
{
    struct span rest = e->records, record;

    while (rest.len > 0) {
        if (!netstring_take(&rest, &record) || !take_record(e, record, pass))
            return false;
    }
    return true;
}

/* ---- the whole ---- */

static bool read_state(struct estate *e)
{
    struct span record, rest, name;
    struct stat info;
    int64_t version;

    int fd = find_fd(SUCCESSION_STATE);
    if (fstat(fd, &info) != 0 || info.st_size > STATE_MAX)
        return false;
    e->text = malloc((size_t)info.st_size + 1);
    if (e->text == NULL || pread(fd, e->text, (size_t)info.st_size, 0) != info.st_size)
        return false;
    e->records = rest = span_make(e->text, (size_t)info.st_size);
    return netstring_take(&rest, &record) && netstring_take(&record, &name) &&
           span_eq(name, SPAN_LIT("version")) && netstring_take_number(&record, &version) &&
           version == 1;
}

static enum exit_status make_generation(struct estate *e)
{
    struct supervisor *s = e->s;
    struct config_source source = *s->source;

    source.texts = &s->texts;
    e->generation = generation_create(s->generations, &source, (const char *const *)e->settings,
                                      e->settings_count);
    if (e->generation == NULL)
        return STATUS_RUNTIME;
    enum exit_status status = generation_adopt(e->generation, &s->sockets, e->workers_count);
    if (status != STATUS_OK)
        snprintf(s->why, s->why_size, "%s", e->generation->instance.why);
    return status;
}

/* The other binary gets back what it has left, as it has left it, and the sentence. Returns only
 * where that cannot be. */
static void give_back(struct estate *e, enum exit_status status)
{
    struct passed passed = { .fds = NULL };
    const struct inherited *entry;
    int state = find_fd(SUCCESSION_STATE), binary = find_fd(SUCCESSION_BINARY);
    char *text = NULL;
    size_t len = 0;

    FILE *record = open_memstream(&text, &len);
    if (state < 0 || binary < 0 || record == NULL)
        return;
    netstring_put(record, SPAN_LIT("failed"));
    netstring_put_number(record, (int64_t)status);
    netstring_put(record, span_str(e->s->why));
    fclose(record);
    FILE *out = fdopen(fcntl(state, F_DUPFD_CLOEXEC, 0), "w");
    if (out != NULL && lseek(state, 0, SEEK_END) >= 0) {
        netstring_put(out, span_make(text, len));
        fclose(out);
    }
    free(text);
    for (size_t i = 0; (entry = inherited_at(i)) != NULL; i++) {
        if (entry->fd != binary) /* the last one, so that the others keep their numbers */
            passed_add(&passed, entry->fd, entry->name);
    }
    notify_pass(true);
    passed_execute(&passed, NULL, binary, binary_arguments());
    passed_free(&passed);
}

/* What goes on from here. */
static void ask_for_generation(struct estate *e)
{
    struct supervisor *s = e->s;

    if (e->why == NULL) {
        s->upgrade.old_binary = find_fd(SUCCESSION_BINARY);
        if (s->upgrade.old_binary >= 0)
            inherited_claim(s->upgrade.old_binary);
        (void)reload_ask(s, true, NULL, 0);
        return;
    }
    char text[1200];
    snprintf(text, sizeof text, "the upgrade is not done, the server goes on as before: %s",
             e->why);
    log_line(LOG_ERROR, text);
    control_done(s->control, s->tickets, e->failed, text);
    /* Its workers are not to be replaced one by one: that needs what this binary has not opened. */
    (void)reload_ask(s, false, (const char *const *)e->settings, e->settings_count);
}

enum exit_status succession_take(struct supervisor *s)
{
    char *settings[CONTROL_WORDS_MAX];
    struct estate e = { .s = s, .settings = settings };

    snprintf(s->why, s->why_size, "what the other binary has left is not understood");
    bool whole = read_state(&e) && take_records(&e, 1);
    enum exit_status status = whole ? make_generation(&e) : STATUS_RUNTIME;
    if (status == STATUS_OK && !take_records(&e, 2)) {
        snprintf(s->why, s->why_size, "what the other binary has left is not understood");
        status = STATUS_RUNTIME;
    }
    if (status == STATUS_OK) {
        int state = find_fd(SUCCESSION_STATE);
        inherited_forget(state);
        close(state);
        s->why[0] = '\0';
        listen_set_close_rest(&s->sockets);
        s->current = e.generation;
        s->current->instance.tls.ticket_keys = e.keys;
        if (stats_memory() < 0 && stats_create(STATS_SLOTS) < 0)
            log_warn("no memory for counters");
        ask_for_generation(&e);
    } else if (e.why == NULL) {
        give_back(&e, status);
    }
    for (size_t i = 0; i < e.settings_count; i++)
        free(settings[i]);
    free(e.text);
    free(e.why);
    return status;
}
