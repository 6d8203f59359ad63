/* fields.h: the fields of an answer's head, and which line of the configuration set each. */
#ifndef EXPLAIN_FIELDS_H
#define EXPLAIN_FIELDS_H

#include "explain/reasons.h"

/* The value of the first field of that name in a head; empty: there is none. */
struct span explain_field_of(struct span head, struct span name);

/* Fills in about->fields, once all else is known. 0 or -ENOMEM. */
int explain_fields(struct arena *arena, struct explanation *about);

#endif
