/* report_text.h: the counters of core/stats.h as texts. */
#ifndef HTTP_REPORT_TEXT_H
#define HTTP_REPORT_TEXT_H

#include "config/config.h"

#include <stdio.h>

/* JSON (RFC 8259), one object. `out` may fail: ask ferror(3). */
void http_report_json(const struct config *config, FILE *out);

/* Prometheus' text format, version 0.0.4. */
void http_report_prometheus(const struct config *config, FILE *out);

/* The page that shows the JSON, and asks for it again each second; NUL-terminated. */
extern const char http_report_page[];

#endif
