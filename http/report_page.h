/* report_page.h: the document of `status_page` for a browser. */
#ifndef HTTP_REPORT_PAGE_H
#define HTTP_REPORT_PAGE_H

/* It shows the JSON, and asks for it again each second; NUL-terminated. */
extern const char http_report_page[];

#endif
