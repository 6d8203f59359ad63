/* last_words.h: what a worker writes to its standard error: a failed check, a sanitizer's report, the
 * C library's farewell. It comes by a pipe, is passed on as it is, and its end is kept, for the error
 * log, which is elsewhere mostly.
 *
 * Lines of the error log go to the log itself, and not through here. */
#ifndef PROCESS_LAST_WORDS_H
#define PROCESS_LAST_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { LAST_WORDS_MAX = 1024, LAST_WORDS_LINES = 5 };

struct last_words {
    int fd;     /* the pipe's end for reading, not blocking; owned; -1: none */
    size_t len; /* of what is kept */
    char text[LAST_WORDS_MAX];
};

void last_words_init(struct last_words *words);

/* Makes the pipe; nothing is kept from before. 0 and its other end, which the caller owns; or
 * -errno. */
int last_words_open(struct last_words *words, int *ret_end);

/* In the worker: the pipe's other end, which it takes, becomes standard error. */
void last_words_take_over(int end);

/* Passes on what has come. Does not wait. */
void last_words_hear(struct last_words *words);

/* The process has died: its last lines go to the error log. */
void last_words_tell(struct last_words *words, unsigned index, pid_t pid);

/* Closes the pipe. */
void last_words_close(struct last_words *words);

#endif
