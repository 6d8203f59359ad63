/* date.c: the proleptic Gregorian calendar in integers, and the three date formats on top of it.
 *
 * No libc time function: strftime(3) and strptime(3) depend on the locale, and timegm(3) accepts
 * dates that do not exist. Called by the clock once a second, and for conditional requests. */
#include "http/date.h"

#include "core/check.h"

#include <string.h>

#define DAY_S         86400
#define YEAR_1_FIRST  INT64_C(-62135596800)
#define YEAR_9999_END INT64_C(253402300799)

static const char weekday_names[7][3] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char month_names[12][3] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

/* Fields of a date as read, or as taken apart. */
struct civil {
    int year, month, day; /* from 1 */
    int second;           /* of the day */
};

/* Days from 1970-01-01. Years begin in March here, so that the leap day is the last of a year; an
 * era is the 400 years, 146097 days, after which the calendar repeats itself. A day beyond its
 * month's end counts on into the next month. */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static int64_t seconds_from_civil(const struct civil *c)
{
    return days_from_civil(c->year, c->month, c->day) * DAY_S + c->second;
}

/* The inverse; `seconds` within the years 1 to 9999. */
static struct civil civil_from_seconds(int64_t seconds)
{
    int64_t second = (seconds % DAY_S + DAY_S) % DAY_S;
    int64_t days = (seconds - second) / DAY_S + 719468; /* from 0000-03-01, never negative here */
    int64_t era = days / 146097;
    int64_t day_of_era = days % 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* from March, 0 */
    struct civil c;

    c.second = (int)second;
    c.day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    c.month = (int)(month < 10 ? month + 3 : month - 9);
    c.year = (int)(year_of_era + era * 400 + (c.month <= 2));
    return c;
}

static int64_t clamp_seconds(int64_t seconds)
{
    if (seconds < YEAR_1_FIRST)
        return YEAR_1_FIRST;
    return seconds > YEAR_9999_END ? YEAR_9999_END : seconds;
}

/* Writes `digits` decimal digits of `value`. */
static char *put_digits(char *out, int value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return out + digits;
}

static char *put_name(char *out, const char name[3])
{
    memcpy(out, name, 3);
    return out + 3;
}

void http_date_format(int64_t seconds, char *ret_text)
{
    char *out = ret_text;

    CHECK(ret_text != NULL);
    seconds = clamp_seconds(seconds);

    struct civil c = civil_from_seconds(seconds);
    /* 0001-01-01 was a Monday. */
    size_t weekday = (size_t)((seconds - YEAR_1_FIRST) / DAY_S + 1) % 7;

    out = put_name(out, weekday_names[weekday]);
    *out++ = ',';
    *out++ = ' ';
    out = put_digits(out, c.day, 2);
    *out++ = ' ';
    out = put_name(out, month_names[c.month - 1]);
    *out++ = ' ';
    out = put_digits(out, c.year, 4);
    *out++ = ' ';
    out = put_digits(out, c.second / 3600, 2);
    *out++ = ':';
    out = put_digits(out, c.second / 60 % 60, 2);
    *out++ = ':';
    out = put_digits(out, c.second % 60, 2);
    memcpy(out, " GMT", 5);
}

/* Takes a literal off the front. */
static bool take(struct span *in, struct span literal)
{
    if (in->len < literal.len || memcmp(in->ptr, literal.ptr, literal.len) != 0)
        return false;
    in->ptr += literal.len;
    in->len -= literal.len;
    return true;
}

/* Takes exactly `digits` decimal digits off the front. */
static bool take_digits(struct span *in, size_t digits, int *ret_value)
{
    int value = 0;

    if (in->len < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (in->ptr[i] < '0' || in->ptr[i] > '9')
            return false;
        value = value * 10 + (in->ptr[i] - '0');
    }
    in->ptr += digits;
    in->len -= digits;
    *ret_value = value;
    return true;
}

/* Takes one of `count` names of three letters off the front; names are case-sensitive (RFC 9110
 * section 5.6.7). *ret_index counts from 1. */
static bool take_name(struct span *in, const char names[][3], int count, int *ret_index)
{
    for (int i = 0; i < count; i++) {
        if (take(in, span_make(names[i], 3))) {
            *ret_index = i + 1;
            return true;
        }
    }
    return false;
}

/* time-of-day: 00:00:00 to 23:59:60. A leap second comes only at the end of a day, and counts as
 * the second after it, as in POSIX time. */
static bool take_time(struct span *in, struct civil *c)
{
    int hour, minute, second;

    if (!take_digits(in, 2, &hour) || !take(in, SPAN_LIT(":")) || !take_digits(in, 2, &minute) ||
        !take(in, SPAN_LIT(":")) || !take_digits(in, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    if (second == 60 && (hour != 23 || minute != 59))
        return false;
    c->second = hour * 3600 + minute * 60 + second;
    return true;
}

/* What follows the weekday in an IMF-fixdate: ", 06 Nov 1994 08:49:37 GMT". */
static bool take_imf_fixdate(struct span *in, struct civil *c)
{
    return take(in, SPAN_LIT(", ")) && take_digits(in, 2, &c->day) && take(in, SPAN_LIT(" ")) &&
           take_name(in, month_names, 12, &c->month) && take(in, SPAN_LIT(" ")) &&
           take_digits(in, 4, &c->year) && take(in, SPAN_LIT(" ")) && take_time(in, c) &&
           take(in, SPAN_LIT(" GMT"));
}

/* In an asctime-date: " Nov  6 08:49:37 1994". */
static bool take_asctime(struct span *in, struct civil *c)
{
    if (!take(in, SPAN_LIT(" ")) || !take_name(in, month_names, 12, &c->month) ||
        !take(in, SPAN_LIT(" ")))
        return false;
    if (take(in, SPAN_LIT(" ")) ? !take_digits(in, 1, &c->day) : !take_digits(in, 2, &c->day))
        return false;
    return take(in, SPAN_LIT(" ")) && take_time(in, c) && take(in, SPAN_LIT(" ")) &&
           take_digits(in, 4, &c->year);
}

/* In an rfc850-date, after the whole name of the weekday: ", 06-Nov-94 08:49:37 GMT". */
static bool take_rfc850(struct span *in, struct civil *c)
{
    return take(in, SPAN_LIT(", ")) && take_digits(in, 2, &c->day) && take(in, SPAN_LIT("-")) &&
           take_name(in, month_names, 12, &c->month) && take(in, SPAN_LIT("-")) &&
           take_digits(in, 2, &c->year) && take(in, SPAN_LIT(" ")) && take_time(in, c) &&
           take(in, SPAN_LIT(" GMT"));
}

/* Gives a two-digit year its century: the latest that puts the date at most 50 years ahead of
 * `now_s`, to the second. */
static void set_century(struct civil *c, int64_t now_s)
{
    struct civil limit = civil_from_seconds(clamp_seconds(now_s));

    limit.year += 50;
    c->year += limit.year / 100 * 100;
    if (seconds_from_civil(c) > seconds_from_civil(&limit))
        c->year -= 100;
}

static int days_in_month(int year, int month)
{
    static const int days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : days[month - 1];
}

bool http_date_parse(struct span text, int64_t now_s, int64_t *ret_seconds)
{
    /* What a weekday's whole name adds to its short one. */
    static const struct span weekday_rests[7] = { { "day", 3 },    { "day", 3 },   { "sday", 4 },
                                                  { "nesday", 6 }, { "rsday", 5 }, { "day", 3 },
                                                  { "urday", 5 } };
    struct civil c = { 0 };
    int weekday;
    bool well_formed;

    if (!take_name(&text, weekday_names, 7, &weekday) || text.len == 0)
        return false;
    if (text.ptr[0] == ',') {
        well_formed = take_imf_fixdate(&text, &c);
    } else if (text.ptr[0] == ' ') {
        well_formed = take_asctime(&text, &c);
    } else {
        well_formed = take(&text, weekday_rests[weekday - 1]) && take_rfc850(&text, &c);
        if (well_formed)
            set_century(&c, now_s);
    }
    if (!well_formed || text.len != 0)
        return false;
    if (c.year < 1 || c.year > 9999 || c.day < 1 || c.day > days_in_month(c.year, c.month))
        return false;
    *ret_seconds = seconds_from_civil(&c);
    return true;
}
