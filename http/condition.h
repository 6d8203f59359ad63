/* condition.h: conditional requests in the order of RFC 9110 section 13.2.2. Pure. */
#ifndef HTTP_CONDITION_H
#define HTTP_CONDITION_H

#include "core/span.h"
#include "http/request.h"

#include <stdbool.h>
#include <stdint.h>

/* The selected representation's validators. */
struct http_validators {
    struct span etag;       /* empty: none */
    bool has_last_modified; /* false: no validator that lies is sent (see etag.h) */
    int64_t last_modified_s;
    bool modified_exact; /* If-Modified-Since holds for that date alone, not for later ones */
};

enum http_condition {
    HTTP_CONDITION_PASS,
    HTTP_CONDITION_NOT_MODIFIED /* 304 */,
    HTTP_CONDITION_FAILED /* 412 */
};

/* Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since of a GET or HEAD for
 * an existing representation. Invalid dates are ignored, and so are those of a field that comes
 * twice; lists may come in several lines. `now_s` is for two-digit years. */
enum http_condition http_condition_evaluate(const struct http_request *request,
                                            const struct http_validators *validators,
                                            int64_t now_s);

/* Does If-Range (strong comparison; a date must be equal to Last-Modified) let Range be honoured?
 * True when there is no If-Range. */
bool http_condition_range_allowed(const struct http_request *request,
                                  const struct http_validators *validators, int64_t now_s);

#endif
