/* report_page.h: the document of `status_page` for a browser: report_page.html, one file that loads
 * nothing from elsewhere. It asks for the JSON once a second, and shows what lies between. */
#ifndef HTTP_REPORT_PAGE_H
#define HTTP_REPORT_PAGE_H

/* NUL-terminated. */
extern const char http_report_page[];

#endif
