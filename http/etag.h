/* etag.h: entity tags (RFC 9110 sections 8.8.3 and 13.1). Pure. */
#ifndef HTTP_ETAG_H
#define HTTP_ETAG_H

#include "config/config.h"
#include "core/file_job.h"
#include "core/span.h"

#include <stdbool.h>

enum { HTTP_ETAG_MAX = 96 };

/* Writes the strong tag of a file's representation, quotes included: from inode, size, mtime and
 * ctime to the nanosecond, with a suffix for a content coding other than identity, so each coding
 * has its own, and behind it `recipe` (compressor_recipe()) where the coding was made here and now,
 * 0 where it is a file's: another library makes other octets of the same file. Of a delta it tells
 * which dictionary it is from (http_delta_recipe()). The ctime is what
 * nobody can set back (utimensat(2)): a file that is rewritten in place gets another one, whatever
 * its mtime says, and so does a new file that the file system gives the inode of a removed one.
 * Returns its length (no NUL), or 0 when the mtime is no validator (http_etag_dated()). `ret_text`
 * holds HTTP_ETAG_MAX octets. */
size_t http_etag_inode(const struct file_meta *meta, enum coding coding, uint16_t recipe,
                       int64_t now_s, char *ret_text);

/* Likewise, from size and mtime alone: the same on each host that has a copy. Nanoseconds are left
 * out where there are none, as tar, zip and some file systems keep whole seconds. While another
 * change could leave the same size and time (http_etag_is_settling()) the tag is weak, and another
 * one than that of later: so nobody who has got octets of that time has them confirmed later. */
size_t http_etag_portable(const struct file_meta *meta, enum coding coding, uint16_t recipe,
                          int64_t now_s, char *ret_text);

/* Likewise, from a hash of the octets, of `hash_len` octets; an mtime has no part in it. */
size_t http_etag_content(const uint8_t *hash, size_t hash_len, enum coding coding, uint16_t recipe,
                         char *ret_text);

/* Was it changed in this second or the one before, so that it may change again and keep its size
 * and its mtime? That is as coarse as the clock's tick, or as a second, or two on FAT. */
bool http_etag_is_settling(const struct file_meta *meta, int64_t now_s);

/* Does the mtime tell when the file was changed? Not at or below 1 (what reproducible builds set it
 * to: 0, and 1 in the stores of Nix and Guix), nor when it is later than `now_s`. */
bool http_etag_dated(const struct file_meta *meta, int64_t now_s);

enum http_etag_compare { HTTP_ETAG_WEAK, HTTP_ETAG_STRONG };

/* Does `list` (the value of If-Match or If-None-Match: `*` or 1#entity-tag) match `etag`? `etag`
 * empty: the representation has no tag, and only `*` matches. Empty list elements are allowed; a
 * malformed list matches with what stood before the fault. */
bool http_etag_list_matches(struct span list, struct span etag, enum http_etag_compare how);

#endif
