/* listing_page.h: a page of listings as a template: HTML with placeholders, made into steps.
 *
 *   {{path}}                     a value, escaped for HTML
 *   {{#entries}} ... {{/entries}} what stands there for each entry, or where something holds
 *   {{^readme}} ... {{/readme}}  where it does not hold
 *   {{! ... }}                   a comment
 *
 * That is the subset of Mustache that a listing needs; docs/HTTP.md lists the names.
 * config_location.c has `autoindex_template` read by it, http/env.c the page that is built in;
 * http/listing_html.c writes it out. Pure. */
#ifndef CONFIG_LISTING_PAGE_H
#define CONFIG_LISTING_PAGE_H

#include "core/arena.h"
#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of the table in listing_page.c. */
enum listing_name {
    /* of the page */
    LISTING_PATH,
    LISTING_SUMMARY,
    LISTING_FOLDERS,
    LISTING_FILES,
    LISTING_TOTAL_BYTES,
    LISTING_TOTAL_SIZE,
    LISTING_SORT,
    LISTING_ORDER,
    LISTING_NAME_ORDER,
    LISTING_SIZE_ORDER,
    LISTING_TIME_ORDER,
    LISTING_NAME_SORTED,
    LISTING_SIZE_SORTED,
    LISTING_TIME_SORTED,
    LISTING_README_NAME,
    LISTING_README,
    LISTING_PARENT,
    LISTING_EMPTY,
    LISTING_IMAGES,
    LISTING_PREVIEW,
    LISTING_ZIP,
    LISTING_TAR,
    LISTING_BREADCRUMBS,
    LISTING_ENTRIES,
    /* of an entry */
    LISTING_HREF,
    LISTING_ENTRY_NAME,
    LISTING_KIND,
    LISTING_BYTES,
    LISTING_SIZE,
    LISTING_MODIFIED,
    LISTING_MODIFIED_ISO,
    LISTING_FOLDER,
    LISTING_FILE,
    LISTING_IMAGE,
    LISTING_SIZED,
    LISTING_ROUNDED,
    LISTING_DATED,
    /* of a breadcrumb */
    LISTING_CURRENT,
    LISTING_NAMES
};

enum listing_step_kind {
    LISTING_TEXT,  /* as it stands there */
    LISTING_VALUE, /* of `name` */
    LISTING_BEGIN, /* of a section: what follows holds up to `end`, for each, or if */
    LISTING_END
};

struct listing_step {
    uint8_t kind;     /* enum listing_step_kind */
    uint8_t name;     /* enum listing_name; VALUE, BEGIN, END */
    bool inverted;    /* BEGIN: {{^name}} */
    uint32_t end;     /* BEGIN: index of the step behind its END */
    struct span text; /* TEXT */
};

struct listing_page {
    struct listing_step *steps;
    size_t count;
};

enum {
    LISTING_PAGE_MAX = 1 << 20,    /* octets of a template */
    LISTING_ENTRY_TEXT_MAX = 8192, /* octets of text that stand there for one entry */
    LISTING_CRUMB_TEXT_MAX = 2048, /* ... for one breadcrumb */
    LISTING_VALUES_MAX = 24        /* values in either */
};

/* Makes `text`, which is borrowed for as long as the page is used, into steps. 0 and a page in the
 * arena; or -EINVAL, the line of the fault, counted from 1, and what is wrong, the end of a
 * sentence that begins with the file; or -ENOMEM. */
int listing_page_parse(struct arena *arena, struct span text, struct listing_page **ret_page,
                       int *ret_line, char *why, size_t why_size);

#endif
