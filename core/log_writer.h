/* log_writer.h: a thread that writes logs for an event loop, so that a disk that is slow, or hangs,
 * costs lines and never a turn of the loop. One a session environment, made when it is needed
 * first: after root is given up, and after a fork. */
#ifndef CORE_LOG_WRITER_H
#define CORE_LOG_WRITER_H

#include <stdbool.h>
#include <stdint.h>

struct log_writer;

/* Something to be written; a member of what it is about. One owner hands it over; run() is called
 * by the writer's thread, once. */
struct log_writer_job {
    void (*run)(struct log_writer_job *job);
    struct log_writer_job *next; /* private to log_writer.c */
    bool busy;                   /* likewise */
};

/* 0, or -errno. The caller owns it, and calls all functions from one thread at a time. No thread is
 * made yet. */
int log_writer_create(struct log_writer **ret_writer);

/* Hands a job over, which is not busy; the thread is made if there is none. False: it cannot be,
 * and the caller has to run the job itself. */
bool log_writer_begin(struct log_writer *writer, struct log_writer_job *job);

/* Is the job still the writer's? */
bool log_writer_is_busy(struct log_writer *writer, const struct log_writer_job *job);

/* Waits until it is not, for `ms` at most. False: it still is. */
bool log_writer_wait(struct log_writer *writer, const struct log_writer_job *job, uint32_t ms);

/* Ends the thread. One that hangs in a write stays behind, with what it needs, until the process
 * ends. NULL is allowed. */
void log_writer_destroy(struct log_writer *writer);

#endif
