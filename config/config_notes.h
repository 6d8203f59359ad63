/* config_notes.h: where parts of the configuration were said, for who explains an answer
 * (explain/). Kept beside the configuration, so that what serves is no larger for it. */
#ifndef CONFIG_CONFIG_NOTES_H
#define CONFIG_CONFIG_NOTES_H

#include "config/config.h"
#include "config/config_build.h"

/* Notes that `what`, a text in the configuration's arena, was said at `place`; it is known by its
 * address. Without memory, or where build->notes is NULL, nothing is noted. */
void config_note(const struct config_build *build, const void *what, struct config_place place);

/* "/etc/gearshift/server.conf:12", or "-o headers", in `ret_text`; false: nothing was noted, and it
 * is "". `what`: a server's name; the text of a location's pattern; `from` of a redirect; the value
 * of a header_rule; the text of a cache_rule's pattern; of a location its `answer`, `rewrite`,
 * `hsts`, `cors`, `early_hints`, `download`, and, for security_headers, its `headers`. */
bool config_note_find(const struct config *config, const void *what, char *ret_text, size_t size);

#endif
