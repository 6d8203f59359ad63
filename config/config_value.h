/* config_value.h: the notations of server.conf for numbers: 10240, 16k, 500ms, on. Pure: text to
 * number and back. */
#ifndef CONFIG_CONFIG_VALUE_H
#define CONFIG_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

/* Room for any formatted number, with its unit and the NUL. */
#define CONFIG_VALUE_TEXT_MAX 24

/* Each returns 0, -EINVAL when the text is not in the notation, or -ERANGE when the number does not
 * fit into 64 bits. */
int config_bool_parse(const char *text, bool *ret_value);      /* on, off */
int config_count_parse(const char *text, uint64_t *ret_value); /* decimal digits */

/* Octets: digits, then nothing or one of k, m, g, t (powers of 1024; also in upper case). */
int config_size_parse(const char *text, uint64_t *ret_octets);

/* Milliseconds: digits, then ms, s, m, h, d or y (365 days); 0 needs no unit. */
int config_duration_parse(const char *text, uint64_t *ret_ms);

/* The shortest text that is parsed to the same number. Cut never: `text` holds
 * CONFIG_VALUE_TEXT_MAX octets. */
void config_size_format(uint64_t octets, char *text);
void config_duration_format(uint64_t ms, char *text);

/* Reads a share of all, "0.01" or "1/100". False: it is none above 0 and at most 1. An answer is in
 * it when 32 random bits are below *ret_below. */
bool config_sample_parse(const char *text, uint64_t *ret_below);

#endif
