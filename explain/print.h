/* print.h: an explanation as text for people, or as one JSON object. */
#ifndef EXPLAIN_PRINT_H
#define EXPLAIN_PRINT_H

#include "explain/reasons.h"

#include <stdio.h>

/* Lines of a word and what is about it; whatever strangers chose is shown in printable ASCII. */
void explain_print(const struct explanation *about, FILE *out);

/* The same, for scripts: docs/explain.md tells its members. */
void explain_print_json(const struct explanation *about, FILE *out);

#endif
