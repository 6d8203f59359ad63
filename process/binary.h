/* binary.h: the program that this process runs, and where its next version will lie. */
#ifndef PROCESS_BINARY_H
#define PROCESS_BINARY_H

#include <stddef.h>

/* Notes how the program was started, once, before its folder is left; the words of `argv` are
 * borrowed for the life of the process, their order is copied (getopt_long(3) changes it). 0, or
 * -ENOMEM. */
int binary_note(int argc, char **argv);

/* The path by which the program is looked up when it is executed again: argv[0], where that (or
 * what PATH finds for it) was this program at the start, so that a link that leads elsewhere today
 * is followed; else the file's own name (/proc/self/exe). Absolute. */
const char *binary_path(void);

/* `path` (copied) is that in place of it: as a predecessor in this process has known it. */
void binary_set_path(const char *path, size_t len);

/* The arguments as they were, ending with NULL. */
char *const *binary_arguments(void);

/* Opens the file that runs now, whatever its name is today: the descriptor (O_PATH), or -errno. */
int binary_open(void);

#endif
