/* dictionary.h: `gearshift dictionary OLD NEW`: makes deltas (core/delta.h) of the files of a
 * site's new version from those of its former one, which clients still have. Beforehand, where a
 * site is built; the server sends them where `deltas` is set. */
#ifndef PROCESS_DICTIONARY_H
#define PROCESS_DICTIONARY_H

/* Runs the command whose name is argv[0]. The exit status. */
int dictionary(int argc, char **argv);

#endif
