/* config_value.c: numbers with units. The unit tables serve parsing and formatting alike. */
#include "config/config_value.h"
#include "config/config.h"
#include "core/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* Ascending: formatting takes the last that divides. */
static const struct unit size_units[] = {
    { "", 1 },
    { "k", UINT64_C(1) << 10 },
    { "m", UINT64_C(1) << 20 },
    { "g", UINT64_C(1) << 30 },
    { "t", UINT64_C(1) << 40 },
};

static const struct unit duration_units[] = {
    { "ms", 1 },
    { "s", 1000 },
    { "m", UINT64_C(60) * 1000 },
    { "h", UINT64_C(3600) * 1000 },
    { "d", UINT64_C(24) * 3600 * 1000 },
    { "y", UINT64_C(365) * 24 * 3600 * 1000 },
};

int config_bool_parse(const char *text, bool *ret_value)
{
    bool on = strcmp(text, "on") == 0;

    if (!on && strcmp(text, "off") != 0)
        return -EINVAL;
    *ret_value = on;
    return 0;
}

/* Leading digits of `*text`, which moves behind them. strtoull(3) would take blanks and a sign. */
static int digits_parse(const char **text, uint64_t *ret_value)
{
    const char *at = *text;
    uint64_t value = 0;
    bool overflow = false;

    if (*at < '0' || *at > '9')
        return -EINVAL;
    for (; *at >= '0' && *at <= '9'; at++) {
        overflow |= __builtin_mul_overflow(value, UINT64_C(10), &value);
        overflow |= __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value);
    }
    *text = at;
    if (overflow)
        return -ERANGE;
    *ret_value = value;
    return 0;
}

int config_count_parse(const char *text, uint64_t *ret_value)
{
    uint64_t value = 0;
    int res = digits_parse(&text, &value);

    if (*text != '\0')
        return -EINVAL;
    if (res < 0)
        return res;
    *ret_value = value;
    return 0;
}

static int scaled_parse(const char *text, const struct unit *units, size_t units_count,
                        uint64_t *ret_value)
{
    uint64_t value = 0;
    int res = digits_parse(&text, &value);

    if (res == -EINVAL)
        return res;
    if (res == 0 && value == 0 && *text == '\0') {
        *ret_value = 0;
        return 0;
    }
    for (size_t i = 0; i < units_count; i++) {
        if (strcmp(text, units[i].name) != 0)
            continue;
        if (res < 0 || __builtin_mul_overflow(value, units[i].factor, &value))
            return -ERANGE;
        *ret_value = value;
        return 0;
    }
    return -EINVAL;
}

int config_size_parse(const char *text, uint64_t *ret_octets)
{
    char lower[64];
    size_t len = strlen(text);

    if (len >= sizeof(lower))
        return -EINVAL;
    memcpy(lower, text, len + 1);
    if (len > 0 && lower[len - 1] >= 'A' && lower[len - 1] <= 'Z')
        lower[len - 1] = (char)(lower[len - 1] - 'A' + 'a');
    return scaled_parse(lower, size_units, ARRAY_LEN(size_units), ret_octets);
}

int config_duration_parse(const char *text, uint64_t *ret_ms)
{
    return scaled_parse(text, duration_units, ARRAY_LEN(duration_units), ret_ms);
}

static void scaled_format(uint64_t value, const struct unit *units, size_t units_count, char *text)
{
    size_t unit = units_count - 1;
    int len;

    if (value == 0) {
        snprintf(text, CONFIG_VALUE_TEXT_MAX, "0");
        return;
    }
    while (value % units[unit].factor != 0)
        unit--;
    len = snprintf(text, CONFIG_VALUE_TEXT_MAX, "%" PRIu64 "%s", value / units[unit].factor,
                   units[unit].name);
    CHECK(len > 0 && len < CONFIG_VALUE_TEXT_MAX);
}

void config_size_format(uint64_t octets, char *text)
{
    scaled_format(octets, size_units, ARRAY_LEN(size_units), text);
}

void config_duration_format(uint64_t ms, char *text)
{
    scaled_format(ms, duration_units, ARRAY_LEN(duration_units), text);
}

/* A decimal fraction, or a share of `unit`: digits behind a point. */
static bool fraction_parse(const char *text, uint64_t *ret_below)
{
    uint64_t number = 0, unit = 1;
    bool point = false, digits = false;

    for (; *text != '\0'; text++) {
        if (*text == '.' && !point) {
            point = true;
            continue;
        }
        if (*text < '0' || *text > '9' || unit > 1000000000 || number > 1000000000)
            return false;
        digits = true;
        number = number * 10 + (uint64_t)(*text - '0');
        unit *= point ? 10 : 1;
    }
    if (!digits || number == 0 || number > unit)
        return false;
    *ret_below = (uint64_t)((double)number / (double)unit * (double)CONFIG_SAMPLE_ALL);
    return true;
}

bool config_sample_parse(const char *text, uint64_t *ret_below)
{
    uint64_t below = 0, parts = 0;

    if (strncmp(text, "1/", 2) == 0) {
        for (text += 2; *text >= '0' && *text <= '9' && parts < 1000000000; text++)
            parts = parts * 10 + (uint64_t)(*text - '0');
        if (*text != '\0' || parts == 0 || parts > 1000000000)
            return false;
        below = CONFIG_SAMPLE_ALL / parts;
    } else if (!fraction_parse(text, &below)) {
        return false;
    }
    *ret_below = below > 0 ? below : 1;
    return true;
}
