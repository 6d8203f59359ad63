/* archive_entry.h: what archive.c and the two formats know of an entry. Nobody else includes it. */
#ifndef CORE_ARCHIVE_ENTRY_H
#define CORE_ARCHIVE_ENTRY_H

#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct archive_entry {
    const char *path; /* below the directory; the directory itself: "" */
    struct span name; /* in the archive; a folder's ends with '/' */
    uint64_t size;    /* of a file */
    uint64_t off;     /* of its first octet in the stream */
    int64_t mtime_s;
    int32_t mtime_ns;
    uint32_t crc;      /* ZIP: of what has been read */
    uint64_t dev, ino; /* of a directory that was opened */
    size_t parent;     /* index; the directory itself: its own */
    unsigned depth;
    bool is_dir;
};

enum { ARCHIVE_HEAD_MAX = 16384 }; /* octets of a head, a tail, a record or the end */

/* A format: pieces, which are written to `mem` of ARCHIVE_HEAD_MAX octets, and whose lengths follow
 * from all of the entry but its crc. Each returns its length. */
struct archive_format {
    size_t (*head)(const struct archive_entry *entry, char *mem);
    size_t (*tail)(const struct archive_entry *entry, char *mem);   /* behind the contents */
    size_t (*record)(const struct archive_entry *entry, char *mem); /* behind all of them */
    size_t (*end)(size_t count, uint64_t records_off, uint64_t records_len, char *mem);
};

extern const struct archive_format archive_tar, archive_zip;

#endif
