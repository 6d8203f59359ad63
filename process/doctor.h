/* doctor.h: `gearshift doctor`: what of this machine the server can use, and what would help it.
 *
 * doctor_checks.c, doctor_models.c and doctor_tls.c find out; doctor.c prints, as text or, with --json, as one JSON
 * object whose members are the groups below: arrays of {"name", "ok", "text"} and, where there is
 * one, "advice". */
#ifndef PROCESS_DOCTOR_H
#define PROCESS_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

enum doctor_group { DOCTOR_ENGINES, DOCTOR_FILES, DOCTOR_TLS, DOCTOR_MACHINE, DOCTOR_GROUPS };

struct doctor_finding {
    enum doctor_group group;
    char name[32];
    bool ok;          /* available, or as it should be */
    char text[512];   /* what there is, or why not */
    char advice[512]; /* what to do; "": nothing */
};

enum { DOCTOR_FINDINGS_MAX = 64 };

struct doctor_report {
    struct doctor_finding findings[DOCTOR_FINDINGS_MAX];
    size_t count;
    bool can_serve; /* an engine can run */
};

/* A finding without a text yet; it belongs to the report. */
struct doctor_finding *doctor_add(struct doctor_report *report, enum doctor_group group,
                                  const char *name, bool ok);

/* What there is, or why not; and what to do. Each is cut at its member's size. */
void doctor_say(struct doctor_finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void doctor_advise(struct doctor_finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The TLS libraries, and the kernel's kTLS. */
void doctor_examine_tls(struct doctor_report *report);

/* The other names of engines, what each costs, and the limits that are theirs. */
void doctor_examine_models(struct doctor_report *report);

/* Looks at everything; changes nothing, but that asking for kTLS lets root load its module. */
void doctor_examine(struct doctor_report *report);

/* The sub-command: argv[0] is "doctor". The exit status: 0; 69 when no engine can run, 2 for wrong
 * arguments, 1 when the output cannot be written. */
int doctor(int argc, char **argv);

#endif
