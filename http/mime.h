/* mime.h: file name -> media type. The table is read once at start (mime_table_load() is the only
 * call that reads a file). */
#ifndef HTTP_MIME_H
#define HTTP_MIME_H

#include "config/config.h"
#include "core/span.h"

struct mime_table;

/* Builds the table; each of these wins over those before it: the types built in (mime_lines.h),
 * config->mime_types (a mime.types file; its absence is a warning in the error log, not a failure),
 * the types that the web needs, which are pinned, and config->types. 0, or with a sentence:
 * -ENOMEM, -errno of a file that exists but cannot be read, -EINVAL when config->types holds
 * something that is no media type. The caller owns the table. */
int mime_table_load(const struct config *config, char *why, size_t why_size,
                    struct mime_table **ret_table);

/* NULL is allowed. */
void mime_table_free(struct mime_table *table);

/* The media type of a path by its last extension (case-insensitive; ".profile" has none);
 * config->default_type when unknown. Borrowed from the table. */
struct span mime_table_find(const struct mime_table *table, struct span path);

/* Likewise, as `location` has it: its `types` come before the table, and its `default_type` before
 * that of the configuration. Borrowed from the table or the location. */
struct span mime_find(const struct mime_table *table, const struct location *location,
                      struct span path);

/* Does this type take a charset parameter: text/ of any kind, and JavaScript under its old names,
 * unless it has one already? Not JSON, which is UTF-8 and has no such parameter (RFC 8259 section
 * 11), nor XML (application/xml, SVG, XHTML, feeds), which names its encoding itself: a charset
 * would overrule that (RFC 7303 section 3). */
bool mime_is_text(struct span type);

#endif
