/* mix_answer.h: what the present answer has of the fields by its path (mix.h). Pure. */
#ifndef HTTP_MIX_ANSWER_H
#define HTTP_MIX_ANSWER_H

#include "http/exchange.h"
#include "http/mix.h"

/* What an answer is. */
enum http_answer {
    HTTP_ANSWER_FILE, /* x->search.name of the location */
    HTTP_ANSWER_SUCCESS,
    HTTP_ANSWER_ERROR
};

/* Of one that is no file. */
static inline enum http_answer http_answer_of(int status)
{
    return status >= 400 ? HTTP_ANSWER_ERROR : HTTP_ANSWER_SUCCESS;
}

/* The mix for the answer; NULL: the location has none, the path asked for is not known, or it
 * cannot be told. */
const struct http_mix *http_mix_of(struct http_exchange *x, const struct location *location,
                                   enum http_answer answer);

/* The lines of an answer that is no file, at a location that has_fields; before the path asked for
 * is known, and where they cannot be told, those of the location. `own_page`: of a page that the
 * server makes itself. */
struct span http_mix_fields(struct http_exchange *x, const struct location *location,
                            enum http_answer answer, bool own_page);

/* Writes the lines of fields whose values have variables, whether the location has a mix or not:
 * HTTP_VARYING_MAX octets at most. Returns the length. */
size_t http_mix_put_varying(struct http_exchange *x, const struct location *location,
                            enum http_answer answer, char *out);

#endif
