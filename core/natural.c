/* natural.c: names compared piece by piece: a number, or one octet. Called for each two names of a
 * listing that is sorted. */
#include "core/natural.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Octets are compared as unsigned, as strcmp(3) does. */
static unsigned folded(char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned)c + 'a' - 'A' : (unsigned char)c;
}

static const char *skip_zeros(const char *at)
{
    while (at[0] == '0' && is_digit(at[1]))
        at++;
    return at;
}

/* Compares the numbers that begin at both, and moves behind them. */
static int compare_numbers(const char **a, const char **b)
{
    int difference = 0;

    *a = skip_zeros(*a);
    *b = skip_zeros(*b);
    for (; is_digit(**a) && is_digit(**b); (*a)++, (*b)++) {
        if (difference == 0)
            difference = (int)**a - (int)**b;
    }
    if (is_digit(**a) != is_digit(**b))
        return is_digit(**a) ? 1 : -1; /* the longer one */
    return difference;
}

int natural_compare(const char *a, const char *b)
{
    const char *whole_a = a, *whole_b = b;
    ptrdiff_t zeros = 0; /* how many more leading zeros the first number of a has that differs so */

    while (*a != '\0' && *b != '\0') {
        if (is_digit(*a) && is_digit(*b)) {
            ptrdiff_t more = (skip_zeros(a) - a) - (skip_zeros(b) - b);
            int difference = compare_numbers(&a, &b);

            if (difference != 0)
                return difference;
            zeros = zeros != 0 ? zeros : more;
            continue;
        }
        if (folded(*a) != folded(*b))
            return folded(*a) < folded(*b) ? -1 : 1;
        a++;
        b++;
    }
    if (*a != *b)
        return *a == '\0' ? -1 : 1;
    if (zeros != 0)
        return zeros < 0 ? -1 : 1;
    return strcmp(whole_a, whole_b);
}
