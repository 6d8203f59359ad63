/* uring_version.h: which liburing is built in, for those who may not see its header. */
#ifndef ENGINES_URING_VERSION_H
#define ENGINES_URING_VERSION_H

#include <stddef.h>

/* Writes the version, "2.5": of the library that is loaded where it tells (from 2.4 on), else of
 * the one that this program was built with. Cut at `size`. */
void uring_version(char *text, size_t size);

#endif
