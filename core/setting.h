/* setting.h: what the kernel tells in one line of a file beneath /proc/sys or /sys. */
#ifndef CORE_SETTING_H
#define CORE_SETTING_H

#include <stdbool.h>
#include <stddef.h>

/* The first line of the file, without its end, cut to `size` octets with the NUL. False: there is
 * none, and `ret_line` is not touched, or not of use. */
bool setting_read(const char *path, char *ret_line, size_t size);

#endif
