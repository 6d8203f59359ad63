/* config_scan.h: reads server.conf's structure before libConfuse does, and closes its traps.
 *
 * libConfuse 3.3 counts a line of comment three times, accepts a file that ends inside a block,
 * takes the last of two settings, merges blocks of the same title, keeps the ';' of `epoll;` in the
 * value, replaces ${...} by the environment, drops the backslash of an unknown escape, skips
 * characters that it does not know, and stays in a bad state after a string that never ends. So it
 * gets text in which none of this can occur: checked, without comments, includes put in, and
 * exactly one token on each line, so that its line numbers lead back to file and line. */
#ifndef CONFIG_CONFIG_SCAN_H
#define CONFIG_CONFIG_SCAN_H

#include "config/config_build.h"
#include "config/config_flat.h"
#include "config/config_keys.h"
#include "core/span.h"

/* Checks `text` as the inside of a block of `kind`: the contents of the file `name`, or, with
 * `is_file` false, one setting that came from elsewhere, where `name` tells the place ("-o index").
 * 0 and what libConfuse gets, which the caller owns (config_flat_free()) and which borrows `name`
 * and build->scratch; or -errno and a sentence. */
int config_scan(const struct config_build *build, const char *name, bool is_file, struct span text,
                enum config_block_kind kind, struct config_flat *ret_flat);

#endif
