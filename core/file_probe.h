/* file_probe.h: which ways to open and read a file this kernel, its filters and the program's file
 * system offer; for `gearshift doctor`. Serving does not ask: it tries, and falls back. */
#ifndef CORE_FILE_PROBE_H
#define CORE_FILE_PROBE_H

/* openat2(2) with RESOLVE_BENEATH. 0 or -errno. */
int file_probe_beneath(void);

/* openat2(2) with RESOLVE_CACHED, which never waits for a disk. 0 or -errno. */
int file_probe_cached(void);

/* A file that is there in any case: the program itself. The descriptor, which the caller owns, or
 * -errno. */
int file_probe_open(void);

/* preadv2(2) with RWF_NOWAIT, which asks the page cache. 0 or -errno. */
int file_probe_nowait(int fd);

#endif
