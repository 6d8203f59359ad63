/* listing_kind.h: what kind of thing a listing shows a name as. Pure. */
#ifndef HTTP_LISTING_KIND_H
#define HTTP_LISTING_KIND_H

#include "core/span.h"

#include <stdbool.h>

enum http_listing_kind {
    HTTP_KIND_FOLDER,
    HTTP_KIND_FILE,    /* any other */
    HTTP_KIND_IMAGE,   /* that browsers show */
    HTTP_KIND_PICTURE, /* other images */
    HTTP_KIND_VIDEO,
    HTTP_KIND_AUDIO,
    HTTP_KIND_ARCHIVE,
    HTTP_KIND_DISK,
    HTTP_KIND_DOCUMENT,
    HTTP_KIND_TEXT,
    HTTP_KIND_CODE,
    HTTP_KIND_FONT,
};

/* By the extension of a file's name, without regard to case. */
enum http_listing_kind http_listing_kind_of(const char *name);

/* One word of lower case letters. */
struct span http_listing_kind_word(enum http_listing_kind kind);

#endif
