/* dictionary_names.c: see dictionary_names.h. */
#include "process/dictionary_names.h"

#include "core/check.h"
#include "core/delta.h"

#include <string.h>

enum { HASH_MIN = 6, HASH_MAX = 64 };

static bool is_small(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_separator(char c)
{
    return c == '.' || c == '-' || c == '_';
}

/* Is it what a bundler writes, and no word? "Header" is one, "styles" too. */
static bool is_hash(const char *text, size_t len)
{
    bool digit = false, small = false, capital = false;

    if (len < HASH_MIN || len > HASH_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (!is_small(c) && !is_capital(c) && !is_digit(c) && c != '-' && c != '_')
            return false;
        digit |= is_digit(c);
        small |= is_small(c);
        capital |= is_capital(c) && i > 0;
    }
    return digit || (small && capital);
}

bool dictionary_names_match(const char *old_name, const char *new_name)
{
    size_t old_len = strlen(old_name), new_len = strlen(new_name), front = 0, back = 0;

    if (old_len != new_len)
        return false;
    if (memcmp(old_name, new_name, new_len) == 0)
        return true;
    while (old_name[front] == new_name[front])
        front++;
    while (old_name[old_len - 1 - back] == new_name[new_len - 1 - back])
        back++;
    /* Letters that both hashes happen to share are theirs. */
    while (front > 0 && !is_separator(new_name[front - 1]))
        front--;
    while (back > 0 && new_name[new_len - back] != '.')
        back--;
    return front > 1 && is_hash(old_name + front, old_len - front - back) &&
           is_hash(new_name + front, new_len - front - back);
}

bool dictionary_name_suits(const char *name)
{
    static const char *const suffixes[] = { ".gz", ".br", ".zst", ".dcb", ".dcz" };
    size_t len = strlen(name);

    if (len == 0 || name[0] == '.' || len + DELTA_SUFFIX_LEN > 255)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        size_t suffix_len = strlen(suffixes[i]);

        if (len > suffix_len && memcmp(name + len - suffix_len, suffixes[i], suffix_len) == 0)
            return false;
    }
    return true;
}
