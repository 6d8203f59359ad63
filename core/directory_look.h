/* directory_look.h: is there a directory? Asked by who may wait a while and not for ever: a start
 * or a reload, whose supervisor has other things to do. */
#ifndef CORE_DIRECTORY_LOOK_H
#define CORE_DIRECTORY_LOOK_H

/* 0 if `path` is a directory, or -errno: -ENOTDIR, stat(2)'s, and -ETIMEDOUT if that has not
 * answered within `timeout_ms` (above 0), as where a server of files is down. Then a thread waits
 * on for it, and ends when it answers. */
int directory_look(const char *path, unsigned timeout_ms);

#endif
