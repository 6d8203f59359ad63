/* last_words.c: see last_words.h. */
#include "process/last_words.h"

#include "core/check.h"
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { READS_MAX = 64 }; /* in one turn of the supervisor, of PIECE octets each */

void last_words_init(struct last_words *words)
{
    words->fd = -1;
    words->len = 0;
}

int last_words_open(struct last_words *words, int *ret_end)
{
    int ends[2];

    last_words_close(words);
    words->len = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -errno;
    MUST(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    words->fd = ends[0];
    *ret_end = ends[1];
    return 0;
}

void last_words_take_over(int end)
{
    (void)dup2(end, STDERR_FILENO); /* refused: it goes where it went */
    close(end);
}

/* Keeps the end of what was there and `len` octets more. */
static void keep(struct last_words *words, const char *data, size_t len)
{
    if (len > sizeof words->text) {
        data += len - sizeof words->text;
        len = sizeof words->text;
    }
    size_t room = sizeof words->text - len;
    size_t stays = words->len < room ? words->len : room;
    memmove(words->text, words->text + words->len - stays, stays);
    memcpy(words->text + stays, data, len);
    words->len = stays + len;
}

void last_words_hear(struct last_words *words)
{
    char piece[4096];

    for (int i = 0; words->fd >= 0 && i < READS_MAX; i++) {
        ssize_t len = read(words->fd, piece, sizeof piece);
        if (len < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (len <= 0) {
            last_words_close(words);
            return;
        }
        keep(words, piece, (size_t)len);
        ssize_t written = write(STDERR_FILENO, piece, (size_t)len);
        (void)written; /* who has closed it wants to hear nothing */
    }
}

/* The beginning of the last LAST_WORDS_LINES lines that are not empty. */
static char *last_lines(char *text)
{
    char *at = text + strlen(text);

    for (int lines = 0; at > text; at--) {
        if (at[-1] == '\n' && at[0] != '\0' && at[0] != '\n' && ++lines == LAST_WORDS_LINES)
            return at;
    }
    return text;
}

void last_words_tell(struct last_words *words, unsigned index, pid_t pid)
{
    char text[LAST_WORDS_MAX + 1];

    last_words_hear(words);
    memcpy(text, words->text, words->len);
    text[words->len] = '\0';
    words->len = 0;
    char *rest = last_lines(text);
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (line[0] != '\0')
            log_error("worker %u, process %d, said at last: %s", index, (int)pid, line);
    }
}

void last_words_close(struct last_words *words)
{
    if (words->fd >= 0)
        close(words->fd);
    words->fd = -1;
}
