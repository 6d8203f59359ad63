/* access_log.h: access logs: lines that gather in memory and leave in one write. One a thread and
 * destination; what a line looks like is access_line.h's.
 *
 * Whatever becomes of a destination, serving goes on. A file is written by a thread of its own
 * (log_writer.h); pipes, sockets and terminals are never waited for. Lines that find no room wait
 * in the buffer; when that is full, new ones are dropped. Dropped lines are counted, and the error
 * log is told how many, at once and then once a minute. */
#ifndef CORE_ACCESS_LOG_H
#define CORE_ACCESS_LOG_H

#include "core/access_line.h"
#include "core/log_writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct access_log;
struct fd_slot;
struct log_syslog;

struct access_log_options {
    const char *path; /* of a file, or "stdout", "stderr" (log_stream.h), or "syslog:..."; copied */
    uid_t owner;      /* as log_file_open() */
    const struct fd_slot *slot; /* where the open file is left; borrowed. NULL: it is opened by path */
    const struct log_syslog *syslog; /* what the path says, complete; borrowed. NULL: no syslog */
    size_t line_max;                 /* octets of a line at most: access_format.line_max */
    size_t buffer_size;              /* it is written when so many are in it; 0: after every line */
    struct log_writer *writer; /* writes files, and outlives the log; NULL: who appends does it */
};

/* 0, or -errno and `*ret_what` as log_file_open(). The caller owns the log; access_log_close() ends
 * it. */
int access_log_open(const struct access_log_options *options, struct access_log **ret_log,
                    const char **ret_what);

/* Appends one line, which `format` makes of `record`. Writes the buffer out when it is full: whole
 * lines. */
void access_log_append(struct access_log *log, const struct access_format *format,
                       const struct access_record *record);

/* Writes out what is buffered, or has it written. Called once a second by the loop, and before it
 * sleeps for long. */
void access_log_flush(struct access_log *log);

/* Flushes, then opens the path again; a standard stream and syslog stay. 0; -EBUSY: the writer is
 * at it, and the log asks to be called once more (access_log_owes()); or as log_file_open(); on
 * failure the old file stays. */
int access_log_reopen(struct access_log *log, const char **ret_what);

/* Was it asked to open its path again, and could not yet? */
bool access_log_reopen_due(const struct access_log *log);

/* Is something buffered? */
bool access_log_pending(const struct access_log *log);

/* Is there something that it has to look after in a second, buffered or not: lines that wait for
 * room, a writer at work, a number of lost lines that is to be told when a minute is over? Then
 * access_log_flush() is to be called once a second. */
bool access_log_owes(const struct access_log *log);

/* Its descriptor. */
int access_log_fd(const struct access_log *log);

/* Writes what it can, tells how many lines were lost, and closes. A writer is waited for, for some
 * seconds. NULL is allowed. */
void access_log_close(struct access_log *log);

#endif
