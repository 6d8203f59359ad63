/* uring_version.c: liburing's version: asked of the library, or as pkg-config told the build. */
#include "engines/uring_version.h"

#include <liburing.h>
#include <stdio.h>

#ifndef GEARSHIFT_URING_VERSION
#error "the build defines GEARSHIFT_URING_VERSION"
#endif

void uring_version(char *text, size_t size)
{
#ifdef IO_URING_VERSION_MAJOR
    snprintf(text, size, "%d.%d", io_uring_major_version(), io_uring_minor_version());
#else
    snprintf(text, size, "%s", GEARSHIFT_URING_VERSION);
#endif
}
