/* natural.h: the order in which people expect names: file2 before file10, without regard to the
 * case of ASCII letters. Pure. */
#ifndef CORE_NATURAL_H
#define CORE_NATURAL_H

/* Compares as strcmp(3) does: below 0, 0 or above 0. Digits that follow each other are a number,
 * whatever its length; other octets are compared one by one, ASCII letters without case. Names that
 * are equal so far are told apart by leading zeros (fewer first), then by strcmp(3): 0 means the
 * same octets. */
int natural_compare(const char *a, const char *b);

#endif
