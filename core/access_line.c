/* access_line.c: see access_line.h. */
#include "core/access_line.h"

#include "core/check.h"
#include "core/decimal.h"
#include "core/hex.h"
#include "core/json_text.h"
#include "core/utf8.h"

#include <string.h>
#include <unistd.h>

static bool is_clean(unsigned char octet)
{
    return octet >= 0x20 && octet < 0x7f && octet != '"' && octet != '\\';
}

static char *put(char *out, const char *text, size_t len)
{
    memcpy(out, text, len);
    return out + len;
}

#define PUT_LIT(out, literal) put((out), (literal), sizeof(literal) - 1)

/* "\xHH", as Apache and nginx write it. */
static char *put_octet(char *out, unsigned char octet)
{
    return hex_put(PUT_LIT(out, "\\x"), octet);
}

/* Writes from the front of *text until `len` octets of it are used, or a few more: what a character
 * takes is not torn. */
static char *put_escaped(char *out, struct span *text, size_t len, enum access_escape escape)
{
    for (size_t used = 0; used < len;) {
        unsigned char octet = (unsigned char)*text->ptr;
        size_t step = 1;
        if (is_clean(octet))
            *out++ = (char)octet;
        else if (escape == ACCESS_ESCAPE_JSON)
            out = json_put_char(out, *text, &step);
        else
            out = put_octet(out, octet);
        used += step;
        *text = span_make(text->ptr + step, text->len - step);
    }
    return out;
}

/* At most ACCESS_SPAN_MAX octets of `text`, without a character that would be cut there. */
static struct span cut(struct span text)
{
    if (text.len <= ACCESS_SPAN_MAX)
        return text;
    size_t len = ACCESS_SPAN_MAX;
    for (size_t back = 1; back < 4; back++) {
        struct span last =
            span_make(text.ptr + ACCESS_SPAN_MAX - back, text.len - ACCESS_SPAN_MAX + back);
        if (utf8_char_len(last) > back)
            len = ACCESS_SPAN_MAX - back;
    }
    return span_make(text.ptr, len);
}

/* Sixteen octets at a time are copied and looked at together; nearly all text is clean. Vector
 * extensions of gcc and clang, which become plain instructions where there are no vectors. */
typedef unsigned char octets_16 __attribute__((vector_size(16)));
typedef uint64_t words_2 __attribute__((vector_size(16)));

static bool is_dirty(octets_16 octets)
{
    words_2 dirty =
        (words_2)((octets < 0x20) | (octets > 0x7e) | (octets == '"') | (octets == '\\'));

    return __builtin_expect((dirty[0] | dirty[1]) != 0, 0);
}

/* Less than sixteen octets: as two words that overlap. */
static char *put_rest(char *out, struct span text, enum access_escape escape)
{
    if (text.len >= 8) {
        words_2 words;
        memcpy(&words, text.ptr, 8);
        memcpy((char *)&words + 8, text.ptr + text.len - 8, 8);
        if (!is_dirty((octets_16)words)) {
            memcpy(out, &words, 8);
            memcpy(out + text.len - 8, (char *)&words + 8, 8);
            return out + text.len;
        }
    } else if (text.len >= 4) {
        uint32_t first, last;
        memcpy(&first, text.ptr, 4);
        memcpy(&last, text.ptr + text.len - 4, 4);
        uint64_t both = (uint64_t)first << 32 | last;
        if (!is_dirty((octets_16)(words_2){ both, both })) {
            memcpy(out, &first, 4);
            memcpy(out + text.len - 4, &last, 4);
            return out + text.len;
        }
    }
    return put_escaped(out, &text, text.len, escape);
}

static char *put_span(char *out, struct span text, enum access_escape escape)
{
    if (text.len == 0) {
        *out = '-';
        return escape == ACCESS_ESCAPE_DEFAULT ? out + 1 : out;
    }
    struct span left = cut(text);

    while (left.len >= sizeof(octets_16)) {
        octets_16 octets;
        memcpy(&octets, left.ptr, sizeof octets);
        if (is_dirty(octets)) {
            out = put_escaped(out, &left, sizeof octets, escape);
            continue;
        }
        out = put(out, left.ptr, sizeof octets);
        left = span_make(left.ptr + sizeof octets, left.len - sizeof octets);
    }
    return put_rest(out, left, escape);
}

static char *put_number(char *out, uint64_t value)
{
    struct decimal room;
    struct span digits = decimal_text(value, &room);
    return put(out, digits.ptr, digits.len);
}

/* ".123" */
static char *put_ms(char *out, unsigned ms)
{
    ms %= 1000;
    *out++ = '.';
    *out++ = (char)('0' + ms / 100);
    *out++ = (char)('0' + ms / 10 % 10);
    *out++ = (char)('0' + ms % 10);
    return out;
}

/* "2026-11-22T12:00:00.123Z" */
static char *put_utc(char *out, const struct access_record *record, struct access_stamp *stamp)
{
    if (stamp->s != record->wall_s || stamp->utc[0] == '\0') {
        stamp->s = record->wall_s;
        clock_format_utc(stamp->s, stamp->utc);
    }
    out = put_ms(put(out, stamp->utc, CLOCK_UTC_LEN), (unsigned)record->wall_ms);
    *out++ = 'Z';
    return out;
}

/* "22/Nov/2026:12:00:00 +0000" as "2026-11-22T12:00:00+00:00"; nothing where it is no such date. */
static char *put_iso8601(char *out, const char *date)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    if (strlen(date) != 26)
        return out;
    for (unsigned month = 0; month < 12; month++) {
        if (memcmp(months + (size_t)3 * month, date + 3, 3) != 0)
            continue;
        out = put(out, date + 7, 4);
        *out++ = '-';
        *out++ = (char)('0' + (month + 1) / 10);
        *out++ = (char)('0' + (month + 1) % 10);
        *out++ = '-';
        out = put(out, date, 2);
        *out++ = 'T';
        out = put(out, date + 12, 8);
        out = put(out, date + 21, 3);
        *out++ = ':';
        return put(out, date + 24, 2);
    }
    return out;
}

static char *put_seconds(char *out, uint64_t s, unsigned ms)
{
    return put_ms(put_number(out, s), ms);
}

/* The port, or nothing known. */
static char *put_port(char *out, uint16_t port, enum access_escape escape)
{
    return port != 0 ? put_number(out, port) : put_span(out, span_make("", 0), escape);
}

/* Of the certificate that a client has proved itself with. */
static struct span certificate_text(const struct client_certificate *certificate,
                                    enum access_variable variable)
{
    if (certificate == NULL)
        return SPAN_LIT("");
    switch (variable) {
    case ACCESS_SSL_CLIENT_S_DN:
    case ACCESS_TLS_CLIENT_SUBJECT:
        return span_str(certificate->subject);
    case ACCESS_SSL_CLIENT_I_DN:
    case ACCESS_TLS_CLIENT_ISSUER:
        return span_str(certificate->issuer);
    case ACCESS_SSL_CLIENT_SERIAL:
    case ACCESS_TLS_CLIENT_SERIAL:
        return span_str(certificate->serial);
    case ACCESS_TLS_CLIENT_FINGERPRINT:
        return span_str(certificate->fingerprint);
    default:
        UNREACHABLE();
    }
}

/* A variable of struct access_more. */
static char *put_more(char *out, const struct access_piece *piece, enum access_escape escape,
                      const struct access_more *more)
{
    CHECK(more != NULL);
    switch ((enum access_variable)piece->variable) {
    case ACCESS_ARGS:
    case ACCESS_QUERY:
    case ACCESS_QUERY_STRING:
        return put_span(out, more->args, escape);
    case ACCESS_BYTES_SENT:
        return put_number(out, more->bytes_sent);
    case ACCESS_CONNECTION:
        return put_number(out, more->connection);
    case ACCESS_CONNECTION_REQUESTS:
        return put_number(out, more->connection_requests);
    case ACCESS_HOST:
        return put_span(out, more->host, escape);
    case ACCESS_HTTPS:
        return put_span(out, more->tls_protocol.len > 0 ? SPAN_LIT("on") : SPAN_LIT(""), escape);
    case ACCESS_HTTP:
        return put_span(out, more->http[piece->index], escape);
    case ACCESS_OTHER:
        return put_span(out, more->others[piece->index], escape);
    case ACCESS_IS_ARGS:
        return put_span(out, more->args.len > 0 ? SPAN_LIT("?") : SPAN_LIT(""), escape);
    case ACCESS_REMOTE_PORT:
        return put_port(out, more->remote_port, escape);
    case ACCESS_REQUEST_ID:
        return put_span(out, more->request_id, escape);
    case ACCESS_REQUEST_LENGTH:
        return put_number(out, more->request_length);
    case ACCESS_REQUEST_METHOD:
        return put_span(out, more->method, escape);
    case ACCESS_REQUEST_URI:
        return put_span(out, more->target, escape);
    case ACCESS_SCHEME:
        return put_span(out, more->scheme, escape);
    case ACCESS_SENT:
        return put_span(out, more->sent[piece->index], escape);
    case ACCESS_SERVER_NAME:
        return put_span(out, more->server_name, escape);
    case ACCESS_SERVER_PORT:
        return put_port(out, more->server_port, escape);
    case ACCESS_SERVER_PROTOCOL:
        return put_span(out, more->protocol, escape);
    case ACCESS_SSL_CIPHER:
    case ACCESS_TLS_CIPHER:
        return put_span(out, more->tls_cipher, escape);
    case ACCESS_SSL_CLIENT_I_DN:
    case ACCESS_SSL_CLIENT_S_DN:
    case ACCESS_SSL_CLIENT_SERIAL:
    case ACCESS_TLS_CLIENT_FINGERPRINT:
    case ACCESS_TLS_CLIENT_ISSUER:
    case ACCESS_TLS_CLIENT_SERIAL:
    case ACCESS_TLS_CLIENT_SUBJECT:
        return put_span(out,
                        certificate_text(more->certificate, (enum access_variable)piece->variable),
                        escape);
    case ACCESS_SSL_CLIENT_VERIFY:
    case ACCESS_TLS_CLIENT_VERIFY:
        return put_span(out, more->tls_verify, escape);
    case ACCESS_SSL_PROTOCOL:
    case ACCESS_TLS_PROTOCOL:
        return put_span(out, more->tls_protocol, escape);
    case ACCESS_SSL_SERVER_NAME:
    case ACCESS_TLS_SERVER_NAME:
        return put_span(out, more->tls_server_name, escape);
    case ACCESS_URI:
    case ACCESS_PATH:
    case ACCESS_DOCUMENT_URI:
        return put_span(out, more->uri, escape);
    default:
        UNREACHABLE();
    }
}

static char *put_variable(char *out, const struct access_piece *piece, enum access_escape escape,
                          const struct access_record *record, struct access_stamp *stamp)
{
    switch ((enum access_variable)piece->variable) {
    case ACCESS_REMOTE_ADDR:
        return put_span(out, record->peer, escape);
    case ACCESS_REMOTE_USER:
        return put_span(out, record->user, escape);
    case ACCESS_TIME_LOCAL:
        return put(out, record->log_date, strlen(record->log_date));
    case ACCESS_REQUEST:
        return put_span(out, record->request_line, escape);
    case ACCESS_STATUS:
        return put_number(out, record->status != 0 ? record->status : ACCESS_STATUS_NO_ANSWER);
    case ACCESS_BODY_BYTES_SENT:
        return put_number(out, record->body_bytes);
    case ACCESS_REFERER:
        return put_span(out, record->referer, escape);
    case ACCESS_USER_AGENT:
        return put_span(out, record->user_agent, escape);
    case ACCESS_AUTHORITY:
        return put_span(out, record->host, escape);
    case ACCESS_TIME_UTC:
        return put_utc(out, record, stamp);
    case ACCESS_TIME_ISO8601:
        return put_iso8601(out, record->log_date);
    case ACCESS_MSEC:
        return put_seconds(out, (uint64_t)record->wall_s, (unsigned)record->wall_ms);
    case ACCESS_REQUEST_TIME:
        return put_seconds(out, record->duration_ms / 1000, record->duration_ms % 1000);
    case ACCESS_REQUEST_TIME_MS:
        return put_number(out, record->duration_ms);
    case ACCESS_PID:
        return put_number(out, (uint64_t)getpid());
    case ACCESS_NOTHING:
        return out;
    default:
        return put_more(out, piece, escape, record->more);
    }
}

/* Most are a few octets; a copy of a fixed length costs a fraction of memcpy(3)'s call. What it
 * writes too much is overwritten; the format has room for it (ACCESS_COPY). */
static char *put_text(char *out, struct span text)
{
    if (text.len <= ACCESS_COPY)
        memcpy(out, text.ptr, ACCESS_COPY);
    else
        memcpy(out, text.ptr, text.len);
    return out + text.len;
}

char *access_line_put(char *out, const struct access_format *format,
                      const struct access_record *record, struct access_stamp *stamp)
{
    const struct access_piece *end = format->pieces + format->count;
    char *begin = out;

    for (const struct access_piece *piece = format->pieces; piece < end; piece++) {
        out = put_text(out, piece->text);
        out = put_variable(out, piece, format->escape, record, stamp);
    }
    *out++ = '\n';
    CHECK((size_t)(out - begin) + ACCESS_COPY <= format->line_max);
    return out;
}
