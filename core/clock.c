/* clock.c: reading the clocks, and the date strings that every answer and every log line carries.
 *
 * Formats by hand: strftime(3) obeys the locale and takes a lock. http/date.c formats the dates of
 * files; core knows nothing of http, so the few lines for "now" are here again. */
#include "core/clock.h"

#include "core/check.h"

#include <string.h>

enum { SECONDS_A_DAY = 86400 };

/* A moment in the proleptic Gregorian calendar. */
struct civil {
    int64_t year;
    unsigned month, day; /* from 1 */
    unsigned weekday;    /* 0 is Sunday */
    unsigned hour, minute, second;
};

/* Days are counted from 0000-03-01, so that the leap day is the last of its year and the length of
 * every month follows from (153 * m + 2) / 5; 400 years are 146097 days. */
static struct civil civil_from_seconds(int64_t seconds)
{
    /* 0000-01-01T00:00:00 and 9999-12-31T23:59:59 */
    const int64_t first = -62167219200, last = 253402300799;
    int64_t clamped = seconds < first ? first : seconds > last ? last : seconds;
    int64_t days = clamped / SECONDS_A_DAY;
    int64_t rest = clamped % SECONDS_A_DAY;

    if (rest < 0) {
        rest += SECONDS_A_DAY;
        days--;
    }
    int64_t from_march = days + 719468;
    int64_t era = (from_march >= 0 ? from_march : from_march - 146096) / 146097;
    unsigned day_of_era = (unsigned)(from_march - era * 146097);
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned march_month = (5 * day_of_year + 2) / 153;
    unsigned month = march_month < 10 ? march_month + 3 : march_month - 9;

    return (struct civil){
        .year = (int64_t)year_of_era + era * 400 + (month <= 2),
        .month = month,
        .day = day_of_year - (153 * march_month + 2) / 5 + 1,
        .weekday = (unsigned)((days % 7 + 11) % 7), /* 1970-01-01 was a Thursday */
        .hour = (unsigned)rest / 3600,
        .minute = (unsigned)rest / 60 % 60,
        .second = (unsigned)rest % 60,
    };
}

static char *put_2(char *out, unsigned value)
{
    *out++ = (char)('0' + value / 10 % 10);
    *out++ = (char)('0' + value % 10);
    return out;
}

static char *put_4(char *out, unsigned value)
{
    return put_2(put_2(out, value / 100), value % 100);
}

static char *put_time(char *out, unsigned hour, unsigned minute, unsigned second)
{
    out = put_2(out, hour);
    *out++ = ':';
    out = put_2(out, minute);
    *out++ = ':';
    return put_2(out, second);
}

static char *put_name(char *out, const char *names, unsigned index)
{
    memcpy(out, names + (size_t)index * 3, 3);
    return out + 3;
}

static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static void format_http_date(int64_t wall_s, char *out)
{
    struct civil t = civil_from_seconds(wall_s);

    out = put_name(out, "SunMonTueWedThuFriSat", t.weekday);
    *out++ = ',';
    *out++ = ' ';
    out = put_2(out, t.day);
    *out++ = ' ';
    out = put_name(out, month_names, t.month - 1);
    *out++ = ' ';
    out = put_4(out, (unsigned)t.year);
    *out++ = ' ';
    out = put_time(out, t.hour, t.minute, t.second);
    memcpy(out, " GMT", sizeof " GMT");
}

/* "22/Nov/2026:12:00:00 +0000" */
static void format_log_date(int64_t wall_s, char *out)
{
    time_t seconds = (time_t)wall_s;
    struct tm local;
    long offset_min = 0;

    if (localtime_r(&seconds, &local) != NULL)
        offset_min = local.tm_gmtoff / 60;
    struct civil t = civil_from_seconds(wall_s + offset_min * 60);
    unsigned offset = (unsigned)(offset_min < 0 ? -offset_min : offset_min);

    out = put_2(out, t.day);
    *out++ = '/';
    out = put_name(out, month_names, t.month - 1);
    *out++ = '/';
    out = put_4(out, (unsigned)t.year);
    *out++ = ':';
    out = put_time(out, t.hour, t.minute, t.second);
    *out++ = ' ';
    *out++ = offset_min < 0 ? '-' : '+';
    out = put_2(out, offset / 60);
    out = put_2(out, offset % 60);
    *out = '\0';
}

void clock_format_utc(int64_t wall_s, char *ret_text)
{
    struct civil t = civil_from_seconds(wall_s);

    char *out = put_4(ret_text, (unsigned)t.year);
    *out++ = '-';
    out = put_2(out, t.month);
    *out++ = '-';
    out = put_2(out, t.day);
    *out++ = 'T';
    out = put_time(out, t.hour, t.minute, t.second);
    *out = '\0';
}

uint64_t clock_monotonic_ns(void)
{
    struct timespec now;

    MUST(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec + 1;
}

/* 0 means "no time" to those who keep one. */
static uint64_t ms_of(uint64_t ns)
{
    return ns < 1000000 ? 1 : ns / 1000000;
}

uint64_t clock_monotonic_ms(void)
{
    return ms_of(clock_monotonic_ns());
}

void clock_update(struct clock *clock)
{
    struct timespec wall;

    clock->now_ns = clock_monotonic_ns();
    clock->now_ms = ms_of(clock->now_ns);
    MUST(clock_gettime(CLOCK_REALTIME_COARSE, &wall) == 0);
    clock->wall_ms = (int32_t)(wall.tv_nsec / 1000000);
    if (clock->wall_s == wall.tv_sec && clock->http_date[0] != '\0')
        return;
    clock->wall_s = wall.tv_sec;
    format_http_date(clock->wall_s, clock->http_date);
    format_log_date(clock->wall_s, clock->log_date);
}
