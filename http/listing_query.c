/* listing_query.c: the few words that a listing knows in its query. */
#include "http/listing_query.h"

#include "core/check.h"

#include <stddef.h>

enum field { FIELD_KEY, FIELD_DESCENDING, FIELD_PREVIEW, FIELD_ZIP, FIELD_TAR };

static const struct word {
    struct span text;
    enum field field;
    int value;
} words[] = {
    { SPAN_LIT("sort=name"), FIELD_KEY, DIR_BY_NAME },
    { SPAN_LIT("sort=size"), FIELD_KEY, DIR_BY_SIZE },
    { SPAN_LIT("sort=time"), FIELD_KEY, DIR_BY_TIME },
    { SPAN_LIT("sort=namedirfirst"), FIELD_KEY, DIR_BY_NAME }, /* Caddy's name for that */
    { SPAN_LIT("order=asc"), FIELD_DESCENDING, false },
    { SPAN_LIT("order=desc"), FIELD_DESCENDING, true },
    { SPAN_LIT("C=N"), FIELD_KEY, DIR_BY_NAME },
    { SPAN_LIT("C=S"), FIELD_KEY, DIR_BY_SIZE },
    { SPAN_LIT("C=M"), FIELD_KEY, DIR_BY_TIME },
    { SPAN_LIT("O=A"), FIELD_DESCENDING, false },
    { SPAN_LIT("O=D"), FIELD_DESCENDING, true },
    { SPAN_LIT("preview=on"), FIELD_PREVIEW, true },
    { SPAN_LIT("archive=zip"), FIELD_ZIP, true },
    { SPAN_LIT("archive=tar"), FIELD_TAR, true },
};

static void take(struct span text, struct http_listing_form *form)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!span_eq(text, words[i].text))
            continue;
        switch (words[i].field) {
        case FIELD_KEY:
            form->key = (enum dir_key)words[i].value;
            return;
        case FIELD_DESCENDING:
            form->descending = words[i].value;
            return;
        case FIELD_PREVIEW:
            form->preview = words[i].value;
            return;
        case FIELD_ZIP:
            form->as_zip = form->zip;
            return;
        case FIELD_TAR:
            form->as_tar = form->tar;
            return;
        }
    }
}

void http_listing_query(struct span query, struct http_listing_form *form)
{
    size_t begin = 1; /* behind the '?' */

    for (size_t i = 1; i <= query.len; i++) {
        if (i < query.len && query.ptr[i] != '&' && query.ptr[i] != ';')
            continue;
        take(span_make(query.ptr + begin, i - begin), form);
        begin = i + 1;
    }
}
