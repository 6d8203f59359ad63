/* dictionary_names.h: which of two versions of a site's files belong together. Pure. */
#ifndef PROCESS_DICTIONARY_NAMES_H
#define PROCESS_DICTIONARY_NAMES_H

#include <stdbool.h>

/* Are the two names, without folders, those of one file in two versions: the same, or with another
 * hash in one place, as bundlers put it there (app.3fa1c2d4.js and app.9be0d172.js,
 * index-DiwrgTda.js and index-B0x_k3-q.js)? A hash has 6 to 64 letters, digits, '-' and '_', with a
 * digit or capitals among small letters; both are of one length, and in front of them stands a
 * name. */
bool dictionary_names_match(const char *old_name, const char *new_name);

/* Is the name that of a file which deltas are made of? Not dotfiles, and not what was made of
 * another file: sidecars, deltas. */
bool dictionary_name_suits(const char *name);

#endif
