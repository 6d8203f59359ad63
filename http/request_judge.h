/* request_judge.h: what the fields of a parsed head mean for the message itself: which host, how
 * the body is framed, whether the connection stays. Pure; private to http_request_parse(). */
#ifndef HTTP_REQUEST_JUDGE_H
#define HTTP_REQUEST_JUDGE_H

#include "http/request.h"

/* Judges a request whose request line and fields are filled in, and fills in authority, framing,
 * content_length, expect_continue and keep_alive. Returns 0, or 400 (Host, authority, framing), 417
 * or 413, in this order. */
int http_request_judge(struct http_request *request, const struct http_limits *limits);

#endif
