/* listing_page.h: the page of listings that is built in: listing_page.html, a template as
 * config/listing_page.h has it, that loads nothing from elsewhere and works without its script. */
#ifndef HTTP_LISTING_PAGE_H
#define HTTP_LISTING_PAGE_H

extern const char http_listing_page[];
extern const char http_listing_page_end[]; /* where a NUL stands */

/* The field that is sent with it where the location has none of that name: nothing but what the
 * page itself holds is done, whatever a name or a README may say. The hashes are those of its style
 * and its script, as tests/wire/test_listing_page.py says. */
#define HTTP_LISTING_POLICY                                                                        \
    "Content-Security-Policy: default-src 'none'; "                                                \
    "style-src 'sha256-QvFuZ67v5ujUNXnSvS85LQrBwcGGCV1h9KoqAosgXhE='; "                            \
    "script-src 'sha256-suGYs3HX9o5ESqoSOPmDPPFc516F8UuFQ7G0XwKA2YQ='; "                           \
    "img-src 'self' data:; form-action 'self'; base-uri 'none'\r\n"

#endif
