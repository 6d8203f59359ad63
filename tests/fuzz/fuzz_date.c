/* fuzz_date.c: dates. The first 8 octets are a time, both the present and one to be written; the
 * rest is a date to be read.
 *
 * What is written can be read, and what could be read is written as the same second. */
#include "http/date.h"

#include "core/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t first_s = INT64_C(-62135596800), last_s = INT64_C(253402300799);

static int64_t clamp(int64_t seconds)
{
    return seconds < first_s ? first_s : seconds > last_s ? last_s : seconds;
}

static void check_round_trip(int64_t seconds)
{
    char text[HTTP_DATE_LEN + 1];
    int64_t parsed;

    http_date_format(seconds, text);
    CHECK(strlen(text) == HTTP_DATE_LEN);
    CHECK(http_date_parse(span_make(text, HTTP_DATE_LEN), 0, &parsed));
    CHECK(parsed == clamp(seconds));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t now_s, seconds = 0;

    if (size < sizeof(now_s))
        return 0;
    memcpy(&now_s, data, sizeof(now_s));
    check_round_trip(now_s);

    struct span text = span_make((const char *)data + sizeof(now_s), size - sizeof(now_s));
    if (!http_date_parse(text, now_s, &seconds)) {
        CHECK(seconds == 0);
        return 0;
    }
    /* One more than the last: 9999-12-31 23:59:60. */
    CHECK(seconds >= first_s && seconds <= last_s + 1);
    check_round_trip(seconds);
    /* Of the three formats, only that with a whole weekday and two digits looks at the present. */
    if (memchr(text.ptr, '-', text.len) != NULL)
        CHECK(seconds <= clamp(now_s) + INT64_C(51) * 366 * 86400);
    else
        CHECK(http_date_parse(text, 0, &now_s) && now_s == seconds);
    return 0;
}
