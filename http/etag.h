/* etag.h: entity tags (RFC 9110 sections 8.8.3 and 13.1). Pure. */
#ifndef HTTP_ETAG_H
#define HTTP_ETAG_H

#include "core/config.h"
#include "core/file_job.h"
#include "core/span.h"

#include <stdbool.h>

enum { HTTP_ETAG_MAX = 80 };

/* Writes the strong tag of a file's representation, quotes included: from inode, size and mtime to
 * the nanosecond, with a suffix for a content coding other than identity, so each coding has its
 * own. Returns its length (no NUL), or 0 when the mtime cannot be a validator: 0 or before
 * (reproducible builds), or later than `now_s`. `ret_text` holds HTTP_ETAG_MAX octets. */
size_t http_etag_format(const struct file_meta *meta, enum coding coding, int64_t now_s,
                        char *ret_text);

enum http_etag_compare { HTTP_ETAG_WEAK, HTTP_ETAG_STRONG };

/* Does `list` (the value of If-Match or If-None-Match: `*` or 1#entity-tag) match `etag`? `etag`
 * empty: the representation has no tag, and only `*` matches. Empty list elements are allowed; a
 * malformed list matches with what stood before the fault. */
bool http_etag_list_matches(struct span list, struct span etag, enum http_etag_compare how);

#endif
