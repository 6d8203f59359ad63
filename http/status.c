/* status.c: one row a status: reason phrase, status line and page, all made by the compiler.
 *
 * A status that is not in the table is one this server never answers. */
#include "http/status.h"

#include "core/check.h"

/* Code, reason phrase (RFC 9110 section 15, RFC 6585 section 5, RFC 7725, RFC 8470 and IANA's
 * registry), what the page tells a person. Those of 4xx and 5xx that the server never gives by
 * itself are here for `return`. */
// clang-format off
#define STATUSES_WITHOUT_PAGE(row)                                                                 \
    row(100, "Continue", "")                                                                       \
    row(200, "OK", "")                                                                             \
    row(204, "No Content", "")                                                                     \
    row(206, "Partial Content", "")                                                                \
    row(304, "Not Modified", "")

#define STATUSES_WITH_PAGE(row)                                                                    \
    row(301, "Moved Permanently", "This page has moved.")                                          \
    row(302, "Found", "This page is elsewhere for now.")                                           \
    row(303, "See Other", "The answer is on another page.")                                        \
    row(307, "Temporary Redirect", "This page is elsewhere for now.")                              \
    row(308, "Permanent Redirect", "This page has moved.")                                         \
    row(400, "Bad Request", "The request is malformed.")                                           \
    row(401, "Unauthorized", "A name and a password are needed here.")                       \
    row(402, "Payment Required", "This page is not free.")                                         \
    row(403, "Forbidden", "This page may not be read.")                                            \
    row(404, "Not Found", "There is no such page here.")                                           \
    row(405, "Method Not Allowed", "This method is not served here.")                              \
    row(406, "Not Acceptable", "There is no form of this page that your browser takes.")           \
    row(408, "Request Timeout", "The request took too long to arrive.")                            \
    row(409, "Conflict", "The request contradicts what is here.")                                  \
    row(410, "Gone", "This page is gone.")                                                \
    row(411, "Length Required", "The request does not say how long its body is.")                  \
    row(412, "Precondition Failed", "A condition of the request does not hold.")                   \
    row(413, "Content Too Large", "The request's body is too large.")                              \
    row(414, "URI Too Long", "The address is too long.")                                           \
    row(415, "Unsupported Media Type", "What was sent is of a kind that is not taken here.")       \
    row(416, "Range Not Satisfiable", "The range asked for lies outside the file.")                \
    row(417, "Expectation Failed", "The expectation of the request cannot be met.")                \
    row(418, "I'm a teapot", "Short and stout.")                                                   \
    row(421, "Misdirected Request", "This host is not served on this connection.")                 \
    row(422, "Unprocessable Content", "What was sent makes no sense here.")                        \
    row(423, "Locked", "This page is locked.")                                                     \
    row(424, "Failed Dependency", "What this depends on has failed.")                              \
    row(425, "Too Early", "The request came too early; try again.")                                \
    row(426, "Upgrade Required", "This page needs another protocol.")                              \
    row(428, "Precondition Required", "The request must be conditional.")                          \
    row(429, "Too Many Requests", "You have asked too often; try again later.")             \
    row(431, "Request Header Fields Too Large", "The request's header fields are too large.")      \
    row(451, "Unavailable For Legal Reasons", "The law forbids to show this page.")                \
    row(500, "Internal Server Error", "Something went wrong here.")                                \
    row(501, "Not Implemented", "This method is not known here.")                                  \
    row(502, "Bad Gateway", "Another server that was asked has failed.")                           \
    row(503, "Service Unavailable", "The server is too busy; try again later.")                    \
    row(504, "Gateway Timeout", "Another server that was asked did not answer.")                   \
    row(505, "HTTP Version Not Supported", "This version of HTTP is not served.")                  \
    row(506, "Variant Also Negotiates", "The server is not set up right.")                         \
    row(507, "Insufficient Storage", "There is no room for this.")                                 \
    row(508, "Loop Detected", "This leads back to itself.")                                        \
    row(511, "Network Authentication Required", "The network wants you to log in first.")
// clang-format on

/* A style of its own, because nothing else may be loaded; both colour schemes, no script. */
#define PAGE(code, reason, text)                                                                   \
    "<!doctype html>\n"                                                                            \
    "<html lang=\"en\"><head><meta charset=\"utf-8\">\n"                                           \
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"                   \
    "<meta name=\"color-scheme\" content=\"light dark\">\n"                                        \
    "<title>" #code " " reason "</title>\n"                                                        \
    "<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:20vh auto 0;"           \
    "padding:0 1rem}h1{font-size:1.5rem}</style>\n"                                                \
    "</head><body><h1>" #code " " reason "</h1><p>" text "</p></body></html>\n"

struct status_row {
    struct span reason, line, page;
};

#define LITERAL(text)                                                                              \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }
#define LINE(code, reason) "HTTP/1.1 " #code " " reason "\r\n"

#define ROW_INDEX(code, reason, text) ROW_##code,
#define ROW_WITHOUT_PAGE(code, reason, text)                                                       \
    [ROW_##code] = { LITERAL(reason), LITERAL(LINE(code, reason)), { "", 0 } },
#define ROW_WITH_PAGE(code, reason, text)                                                          \
    [ROW_##code] = { LITERAL(reason), LITERAL(LINE(code, reason)),                                 \
                     LITERAL(PAGE(code, reason, text)) },

enum row_index { STATUSES_WITHOUT_PAGE(ROW_INDEX) STATUSES_WITH_PAGE(ROW_INDEX) ROW_COUNT };

static const struct status_row status_rows[ROW_COUNT] = { STATUSES_WITHOUT_PAGE(ROW_WITHOUT_PAGE)
                                                              STATUSES_WITH_PAGE(ROW_WITH_PAGE) };

/* The row of a status, or NULL. */
static const struct status_row *status_row_find(int status)
{
#define ROW_CASE(code, reason, text)                                                               \
    case code:                                                                                     \
        return &status_rows[ROW_##code];
    switch (status) {
        STATUSES_WITHOUT_PAGE(ROW_CASE)
        STATUSES_WITH_PAGE(ROW_CASE)
    default:
        return NULL;
    }
}

struct span http_status_reason(int status)
{
    const struct status_row *row = status_row_find(status);

    return row != NULL ? row->reason : SPAN_LIT("Unknown");
}

struct span http_status_line(int status)
{
    const struct status_row *row = status_row_find(status);

    CHECK(row != NULL);
    return row->line;
}

struct span http_status_page(int status)
{
    const struct status_row *row = status_row_find(status);

    CHECK(row != NULL);
    return row->page;
}
