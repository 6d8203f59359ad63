/* body.c: see body.h. The grammar of a chunked body is a table: state by class of octet. llhttp is
 * not asked, since it refuses chunk extensions that are legal. Called by the connection for every
 * piece of a body that arrives. */
#include "http/body.h"

#include "core/check.h"
#include "http/octet.h"

enum body_state {
    BODY_REFUSED, /* 0: where the table says nothing */
    BODY_DONE,
    BODY_LENGTH,         /* in a body of known length */
    BODY_SIZE_START,     /* before the first digit of a chunk's size */
    BODY_SIZE,           /* behind a digit */
    BODY_EXT_BLANK,      /* behind a blank where only ';' may follow */
    BODY_EXT_START,      /* behind ';' */
    BODY_EXT_NAME,       /* in an extension's name */
    BODY_EXT_NAME_BLANK, /* behind a blank where '=' or ';' may follow */
    BODY_EXT_VALUE_START,
    BODY_EXT_VALUE,      /* in a value that is a token */
    BODY_EXT_QUOTED,     /* in a value that is a quoted string */
    BODY_EXT_ESCAPE,     /* behind a backslash in it */
    BODY_EXT_QUOTED_END, /* behind its closing quote */
    BODY_SIZE_LF,
    BODY_DATA, /* in a chunk's data */
    BODY_DATA_CR,
    BODY_DATA_LF,
    BODY_TRAILER_START, /* at the start of a trailer line, or of the empty line */
    BODY_TRAILER_NAME,
    BODY_TRAILER_VALUE,
    BODY_TRAILER_LF,
    BODY_END_LF,
    BODY_STATES,
};

enum octet_class {
    CLASS_OTHER, /* CTL, DEL: allowed nowhere */
    CLASS_CR,
    CLASS_LF,
    CLASS_BLANK, /* SP, HTAB */
    CLASS_HEX,   /* token characters as well */
    CLASS_TOKEN, /* the other token characters */
    CLASS_SEMICOLON,
    CLASS_EQUALS,
    CLASS_QUOTE,
    CLASS_BACKSLASH,
    CLASS_COLON,
    CLASS_TEXT, /* the other visible characters, and obs-text */
    CLASSES,
};

/* What quoted strings and field values may hold. */
#define TEXT_BUT_QUOTE_AND_BACKSLASH(state)                                                        \
    [CLASS_BLANK] = (state), [CLASS_HEX] = (state), [CLASS_TOKEN] = (state),                       \
    [CLASS_SEMICOLON] = (state), [CLASS_EQUALS] = (state), [CLASS_COLON] = (state),                \
    [CLASS_TEXT] = (state)
#define ANY_TEXT(state)                                                                            \
    TEXT_BUT_QUOTE_AND_BACKSLASH(state), [CLASS_QUOTE] = (state), [CLASS_BACKSLASH] = (state)

/* RFC 9112 section 7.1. Where SIZE_LF leads is decided by the size. */
static const uint8_t next_state[BODY_STATES][CLASSES] = {
    [BODY_SIZE_START] = { [CLASS_HEX] = BODY_SIZE },
    [BODY_SIZE] = { [CLASS_HEX] = BODY_SIZE,
                    [CLASS_BLANK] = BODY_EXT_BLANK,
                    [CLASS_SEMICOLON] = BODY_EXT_START,
                    [CLASS_CR] = BODY_SIZE_LF },
    [BODY_EXT_BLANK] = { [CLASS_BLANK] = BODY_EXT_BLANK, [CLASS_SEMICOLON] = BODY_EXT_START },
    [BODY_EXT_START] = { [CLASS_BLANK] = BODY_EXT_START,
                         [CLASS_HEX] = BODY_EXT_NAME,
                         [CLASS_TOKEN] = BODY_EXT_NAME },
    [BODY_EXT_NAME] = { [CLASS_HEX] = BODY_EXT_NAME,
                        [CLASS_TOKEN] = BODY_EXT_NAME,
                        [CLASS_BLANK] = BODY_EXT_NAME_BLANK,
                        [CLASS_EQUALS] = BODY_EXT_VALUE_START,
                        [CLASS_SEMICOLON] = BODY_EXT_START,
                        [CLASS_CR] = BODY_SIZE_LF },
    [BODY_EXT_NAME_BLANK] = { [CLASS_BLANK] = BODY_EXT_NAME_BLANK,
                              [CLASS_EQUALS] = BODY_EXT_VALUE_START,
                              [CLASS_SEMICOLON] = BODY_EXT_START },
    [BODY_EXT_VALUE_START] = { [CLASS_BLANK] = BODY_EXT_VALUE_START,
                               [CLASS_HEX] = BODY_EXT_VALUE,
                               [CLASS_TOKEN] = BODY_EXT_VALUE,
                               [CLASS_QUOTE] = BODY_EXT_QUOTED },
    [BODY_EXT_VALUE] = { [CLASS_HEX] = BODY_EXT_VALUE,
                         [CLASS_TOKEN] = BODY_EXT_VALUE,
                         [CLASS_BLANK] = BODY_EXT_BLANK,
                         [CLASS_SEMICOLON] = BODY_EXT_START,
                         [CLASS_CR] = BODY_SIZE_LF },
    [BODY_EXT_QUOTED] = { TEXT_BUT_QUOTE_AND_BACKSLASH(BODY_EXT_QUOTED),
                          [CLASS_QUOTE] = BODY_EXT_QUOTED_END,
                          [CLASS_BACKSLASH] = BODY_EXT_ESCAPE },
    [BODY_EXT_ESCAPE] = { ANY_TEXT(BODY_EXT_QUOTED) },
    [BODY_EXT_QUOTED_END] = { [CLASS_BLANK] = BODY_EXT_BLANK,
                              [CLASS_SEMICOLON] = BODY_EXT_START,
                              [CLASS_CR] = BODY_SIZE_LF },
    [BODY_SIZE_LF] = { [CLASS_LF] = BODY_DATA },
    [BODY_DATA_CR] = { [CLASS_CR] = BODY_DATA_LF },
    [BODY_DATA_LF] = { [CLASS_LF] = BODY_SIZE_START },
    [BODY_TRAILER_START] = { [CLASS_HEX] = BODY_TRAILER_NAME,
                             [CLASS_TOKEN] = BODY_TRAILER_NAME,
                             [CLASS_CR] = BODY_END_LF },
    [BODY_TRAILER_NAME] = { [CLASS_HEX] = BODY_TRAILER_NAME,
                            [CLASS_TOKEN] = BODY_TRAILER_NAME,
                            [CLASS_COLON] = BODY_TRAILER_VALUE },
    [BODY_TRAILER_VALUE] = { ANY_TEXT(BODY_TRAILER_VALUE), [CLASS_CR] = BODY_TRAILER_LF },
    [BODY_TRAILER_LF] = { [CLASS_LF] = BODY_TRAILER_START },
    [BODY_END_LF] = { [CLASS_LF] = BODY_DONE },
};

static enum octet_class octet_class(char octet)
{
    switch (octet) {
    case '\r':
        return CLASS_CR;
    case '\n':
        return CLASS_LF;
    case ' ':
    case '\t':
        return CLASS_BLANK;
    case ';':
        return CLASS_SEMICOLON;
    case '=':
        return CLASS_EQUALS;
    case '"':
        return CLASS_QUOTE;
    case '\\':
        return CLASS_BACKSLASH;
    case ':':
        return CLASS_COLON;
    default:
        return http_octet_is(octet, HTTP_OCTET_HEX)     ? CLASS_HEX
               : http_octet_is(octet, HTTP_OCTET_TOKEN) ? CLASS_TOKEN
               : http_octet_is(octet, HTTP_OCTET_VALUE) ? CLASS_TEXT
                                                        : CLASS_OTHER;
    }
}

static unsigned hex_digit(char octet)
{
    return octet <= '9' ? (unsigned)octet - '0' : ((unsigned)octet | 0x20) - 'a' + 10;
}

/* Takes one octet of framing or trailer in. Returns 0, or the status to refuse with. */
static int framing_octet(struct http_body *body, char octet, const struct http_limits *limits)
{
    uint8_t next = next_state[body->state][octet_class(octet)];
    if (next == BODY_REFUSED)
        return 400;
    if (body->overhead == limits->chunk_overhead_max)
        return 413;
    body->overhead++;
    if (next == BODY_SIZE) {
        if (body->left >> 60 != 0)
            return 400;
        body->left = body->left << 4 | hex_digit(octet);
    } else if (next == BODY_DATA) {
        if (body->left > limits->body_max - body->total)
            return 413;
        body->total += body->left;
        if (body->left == 0)
            next = BODY_TRAILER_START;
    }
    body->state = next;
    return 0;
}

/* Skips octets of the body itself; `next` is the state behind them. */
static size_t skip_data(struct http_body *body, size_t len, enum body_state next)
{
    size_t skipped = body->left < len ? (size_t)body->left : len;
    body->left -= skipped;
    if (body->left == 0)
        body->state = (uint8_t)next;
    return skipped;
}

void http_body_init(struct http_body *body, const struct http_request *request)
{
    *body = (struct http_body){ .state = BODY_DONE };
    if (request->framing == HTTP_FRAMING_CHUNKED) {
        body->state = BODY_SIZE_START;
    } else if (request->framing == HTTP_FRAMING_LENGTH && request->content_length > 0) {
        body->state = BODY_LENGTH;
        body->left = request->content_length;
    }
}

enum http_body_result http_body_feed(struct http_body *body, const char *data, size_t len,
                                     const struct http_limits *limits, size_t *ret_used,
                                     int *ret_status)
{
    CHECK(body->state != BODY_REFUSED && body->state < BODY_STATES);
    size_t used = 0;
    while (used < len && body->state != BODY_DONE) {
        if (body->state == BODY_LENGTH) {
            used += skip_data(body, len - used, BODY_DONE);
        } else if (body->state == BODY_DATA) {
            used += skip_data(body, len - used, BODY_DATA_CR);
        } else {
            int status = framing_octet(body, data[used], limits);
            if (status != 0) {
                body->state = BODY_REFUSED;
                *ret_status = status;
                return HTTP_BODY_REFUSED;
            }
            used++;
        }
    }
    *ret_used = used;
    return body->state == BODY_DONE ? HTTP_BODY_DONE : HTTP_BODY_MORE;
}
