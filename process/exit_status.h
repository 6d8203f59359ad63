/* exit_status.h: how the program ends, as numbers that a script can ask for. -h lists them. */
#ifndef PROCESS_EXIT_STATUS_H
#define PROCESS_EXIT_STATUS_H

/* As in sysexits.h: 69 is EX_UNAVAILABLE, 78 EX_CONFIG. */
enum exit_status {
    STATUS_OK,
    STATUS_RUNTIME, /* the system refused something, or serving failed */
    STATUS_USAGE,   /* wrong arguments */
    STATUS_ENGINE = 69,
    STATUS_CONFIG = 78
};

#endif
