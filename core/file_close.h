/* file_close.h: closes a file that was read, in a thread that may not wait. */
#ifndef CORE_FILE_CLOSE_H
#define CORE_FILE_CLOSE_H

#include <stdbool.h>

/* Closes `fd`, which was open for reading. Where it is `remote` (file_system.h), the last word
 * about it may wait for who answers (FUSE_FLUSH; CLOSE of NFSv4): a thread of its own says it,
 * which ends with that, and of which there are never more than there were descriptors. Where no
 * thread can be had, it is closed here. */
void file_close(int fd, bool remote);

#endif
