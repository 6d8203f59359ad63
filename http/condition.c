/* condition.c: the four preconditions and If-Range, each a function that says what its field asks.
 *
 * A field that is to be ignored counts as one that is not there. */
#include "http/condition.h"

#include "core/check.h"
#include "http/date.h"
#include "http/etag.h"

/* Does one of the lines of If-Match or If-None-Match match? */
static bool any_line_matches(const struct http_request *request, enum http_field field,
                             struct span etag, enum http_etag_compare how)
{
    uint32_t cursor = 0;
    struct span value;

    /* One line is the rule, and need not be looked for. */
    if ((request->repeated >> field & 1) == 0)
        return http_etag_list_matches(http_request_field(request, field), etag, how);
    while (http_request_field_next(request, field, &cursor, &value))
        if (http_etag_list_matches(value, etag, how))
            return true;
    return false;
}

/* The date in a field that may hold but one. False: there is none that is valid. */
static bool field_date(const struct http_request *request, enum http_field field, int64_t now_s,
                       int64_t *ret_seconds)
{
    return http_request_has(request, field) && (request->repeated >> field & 1) == 0 &&
           http_date_parse(http_request_field(request, field), now_s, ret_seconds);
}

/* Do If-Match, or without it If-Unmodified-Since, hold? (RFC 9110 sections 13.1.1 and 13.1.4) */
static bool still_the_same(const struct http_request *request,
                           const struct http_validators *validators, int64_t now_s)
{
    int64_t since_s;

    if (http_request_has(request, HTTP_FIELD_IF_MATCH))
        return any_line_matches(request, HTTP_FIELD_IF_MATCH, validators->etag, HTTP_ETAG_STRONG);
    if (validators->has_last_modified &&
        field_date(request, HTTP_FIELD_IF_UNMODIFIED_SINCE, now_s, &since_s))
        return validators->last_modified_s <= since_s;
    return true;
}

/* Do If-None-Match, or without it If-Modified-Since, say that the client has it already? (RFC 9110
 * sections 13.1.2 and 13.1.3) */
static bool known_to_client(const struct http_request *request,
                            const struct http_validators *validators, int64_t now_s)
{
    int64_t since_s;

    if (http_request_has(request, HTTP_FIELD_IF_NONE_MATCH))
        return any_line_matches(request, HTTP_FIELD_IF_NONE_MATCH, validators->etag,
                                HTTP_ETAG_WEAK);
    if (validators->has_last_modified &&
        field_date(request, HTTP_FIELD_IF_MODIFIED_SINCE, now_s, &since_s))
        return validators->modified_exact ? validators->last_modified_s == since_s
                                          : validators->last_modified_s <= since_s;
    return false;
}

enum http_condition http_condition_evaluate(const struct http_request *request,
                                            const struct http_validators *validators, int64_t now_s)
{
    CHECK(request != NULL && validators != NULL);
    if (!still_the_same(request, validators, now_s))
        return HTTP_CONDITION_FAILED;
    if (known_to_client(request, validators, now_s))
        return HTTP_CONDITION_NOT_MODIFIED;
    return HTTP_CONDITION_PASS;
}

bool http_condition_range_allowed(const struct http_request *request,
                                  const struct http_validators *validators, int64_t now_s)
{
    int64_t date_s;
    struct span value;

    CHECK(request != NULL && validators != NULL);
    if (!http_request_has(request, HTTP_FIELD_IF_RANGE))
        return true;
    if (request->repeated >> HTTP_FIELD_IF_RANGE & 1)
        return false;
    value = http_request_field(request, HTTP_FIELD_IF_RANGE);
    /* The whole value must be one strong tag, so a list is never equal; a weak tag is no date. */
    if (value.len > 0 && value.ptr[0] == '"')
        return span_eq(value, validators->etag);
    return validators->has_last_modified && http_date_parse(value, now_s, &date_s) &&
           date_s == validators->last_modified_s;
}
