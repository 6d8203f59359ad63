/* succession_write.c: the predecessor's half of succession.h. */
#include "process/succession.h"

#include "core/netstring.h"
#include "core/stats.h"
#include "process/binary.h"
#include "process/supervisor_internal.h"
#include "tls/self_signed.h"
#include "tls/ticket_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FIELDS_MAX = 12 };

static const char listener_name[] = "gearshift-listener";
static const char state_name[] = SUCCESSION_STATE;
static const char binary_name[] = SUCCESSION_BINARY;

struct writer {
    FILE *out;
    struct passed *passed;
};

/* A field of a record: octets, or a number where `ptr` of them is NULL. */
struct field {
    struct span octets;
    int64_t number;
};

#define NUMBER(value) ((struct field){ .number = (int64_t)(value) })
#define OCTETS(value) ((struct field){ .octets = (value) })
#define TEXT(value)   ((struct field){ .octets = span_str(value) })

#define RECORD(w, name, ...)                                                                       \
    put_record(w, name, (const struct field[]){ __VA_ARGS__ },                                     \
               sizeof((const struct field[]){ __VA_ARGS__ }) / sizeof(struct field))

static void put_record(struct writer *w, const char *name, const struct field *fields, size_t count)
{
    char *text = NULL;
    size_t len = 0;
    FILE *record = open_memstream(&text, &len);

    if (record == NULL)
        return; /* the reader misses it, and goes back */
    netstring_put(record, span_str(name));
    for (size_t i = 0; i < count; i++) {
        if (fields[i].octets.ptr != NULL)
            netstring_put(record, fields[i].octets);
        else
            netstring_put_number(record, fields[i].number);
    }
    fclose(record);
    netstring_put(w->out, span_make(text, len));
    free(text);
}

static int pass(struct writer *w, int fd, const char *name)
{
    return passed_add(w->passed, fd, name);
}

static void put_texts(struct writer *w, const struct supervisor *s)
{
    const struct generation *g = s->current;

    for (const struct config_text *text = s->texts.first; text != NULL; text = text->next)
        RECORD(w, "text", TEXT(text->path), OCTETS(span_make(text->text, text->len)));
    for (size_t i = g->borrowed_count; i < g->source.settings_count; i++)
        RECORD(w, "setting", TEXT(g->settings[i]));
    for (size_t i = 0; i < s->request.settings_count; i++)
        RECORD(w, "asked", TEXT(s->request.settings[i]));
}

static void put_listeners(struct writer *w, const struct supervisor *s)
{
    struct listen_passed at;

    for (size_t i = 0; listen_set_at(&s->sockets, i, &at); i++) {
        const char *name = at.inherited != NULL ? at.inherited : "";
        int fd = pass(w, at.fd, at.inherited != NULL ? at.inherited : listener_name);
        if (at.file == NULL)
            RECORD(w, "listener", NUMBER(fd), NUMBER(at.kind), TEXT(at.host), NUMBER(at.port),
                   NUMBER(at.ipv6_only), NUMBER(at.deferred), NUMBER(at.beside), TEXT(name));
        else
            RECORD(w, "listener", NUMBER(fd), NUMBER(at.kind), TEXT(at.host), NUMBER(at.port),
                   NUMBER(at.ipv6_only), NUMBER(at.deferred), NUMBER(at.beside), TEXT(name),
                   NUMBER(pass(w, at.file->place.dir_fd, "gearshift-folder")),
                   TEXT(at.file->place.name), NUMBER(at.file->device), NUMBER(at.file->number));
    }
}

static void put_control(struct writer *w, const struct control *control)
{
    struct control_passed client;

    if (control == NULL)
        return;
    const struct socket_file *file = control_file(control);
    RECORD(w, "control", NUMBER(pass(w, control_fd(control), "gearshift-control")),
           NUMBER(pass(w, file->place.dir_fd, "gearshift-folder")), TEXT(file->place.name),
           NUMBER(file->device), NUMBER(file->number));
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (control_client_at(control, i, &client))
            RECORD(w, "client", NUMBER(pass(w, client.fd, "gearshift-client")),
                   NUMBER(client.ticket), OCTETS(client.line));
    }
}

static void put_memory(struct writer *w, const struct supervisor *s)
{
    const struct ticket_keys *keys = s->current->instance.tls.ticket_keys;
    int fd = keys != NULL ? ticket_keys_memory(keys) : -1;

    if (fd >= 0)
        RECORD(w, "ticket-keys", NUMBER(pass(w, fd, "gearshift-ticket-keys")));
    struct self_signed made;
    for (size_t i = 0; self_signed_at(i, &made); i++)
        RECORD(w, "self-signed", OCTETS(made.names), OCTETS(made.certificate), OCTETS(made.key),
               NUMBER(made.made_s));
    fd = stats_memory();
    if (fd >= 0)
        RECORD(w, "counters", NUMBER(pass(w, fd, "gearshift-counters")));
}

static void put_workers(struct writer *w, const struct generation *g)
{
    const struct instance *instance = &g->instance;

    for (size_t i = 0; instance->log_slots != NULL && i <= instance->config->access_logs_count; i++)
        RECORD(w, "log-slot", NUMBER(pass(w, instance->log_slots[i].in, "gearshift-log-slot")),
               NUMBER(pass(w, instance->log_slots[i].out, "gearshift-log-slot")));
    for (size_t i = 0; i < g->workers_count; i++) {
        const struct worker *worker = &g->workers[i];
        int memory = worker->handover != NULL ? handover_memory(worker->handover) : -1;
        if (worker->pid != 0)
            RECORD(w, "worker", NUMBER(worker->pid), NUMBER(worker->ready),
                   NUMBER(pass(w, worker->channel, "gearshift-channel")),
                   NUMBER(pass(w, worker->inbox, "gearshift-inbox")),
                   NUMBER(pass(w, memory, "gearshift-handover")),
                   NUMBER(pass(w, worker->words.fd, "gearshift-stderr")),
                   NUMBER(pass(w, worker->pulse_memory, "gearshift-pulse")));
    }
}

static void put_all(struct writer *w, const struct supervisor *s)
{
    const struct pid_file *pid_file = &s->pid_file;

    RECORD(w, "version", NUMBER(1));
    RECORD(w, "binary", TEXT(binary_path()));
    RECORD(w, "supervisor", NUMBER(s->started_ms), NUMBER(s->tickets), NUMBER(s->generations));
    put_texts(w, s);
    put_listeners(w, s);
    put_control(w, s->control);
    if (pid_file->fd >= 0)
        RECORD(w, "pid-file", NUMBER(pass(w, pid_file->fd, "gearshift-pid-file")),
               NUMBER(pass(w, pid_file->place.dir_fd, "gearshift-folder")),
               TEXT(pid_file->place.name));
    put_memory(w, s);
    put_workers(w, s->current);
}

/* A memory file that holds it, and passes on with the rest. 0 or -errno. */
static int write_state(const struct supervisor *s, enum exit_status status, const char *failed,
                       struct passed *passed)
{
    int fd = memfd_create(state_name, MFD_CLOEXEC);
    struct writer w = { .passed = passed };

    if (fd < 0)
        return -errno;
    passed_add(passed, fd, state_name);
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    w.out = copy >= 0 ? fdopen(copy, "w") : NULL;
    if (w.out == NULL) {
        int error = -errno;
        if (copy >= 0)
            close(copy);
        return error;
    }
    put_all(&w, s);
    if (failed != NULL)
        RECORD(&w, "failed", NUMBER(status), TEXT(failed));
    bool whole = fflush(w.out) == 0 && ferror(w.out) == 0;
    fclose(w.out);
    return whole ? 0 : -EIO;
}

int succession_write(const struct supervisor *s, bool with_binary, enum exit_status status,
                     const char *failed, struct passed *ret_passed)
{
    *ret_passed = (struct passed){ .fds = NULL };
    int error = write_state(s, status, failed, ret_passed);
    if (error == 0 && with_binary) {
        int fd = binary_open();
        error = fd < 0 ? fd : 0;
        passed_add(ret_passed, fd, binary_name);
    }
    return error;
}

void succession_discard(struct passed *passed)
{
    for (size_t i = 0; i < passed->count; i++) {
        if (passed->names[i] == state_name || passed->names[i] == binary_name)
            close(passed->fds[i]);
    }
    passed_free(passed);
}
