/* advice.h: what an operator can do about an error of the system, for the end of a sentence. */
#ifndef CORE_ADVICE_H
#define CORE_ADVICE_H

/* What to do about `error` (positive): "; raise the limit of open files (ulimit -n)" for EMFILE,
 * likewise ENFILE; "" where there is nothing to say. Static. */
const char *advice_on(int error);

#endif
