/* progress.h: how much of what was sent the peer of a connection has taken. An engine asks the
 * kernel (engines/progress.h); the minimum rate of sending is judged by it (http/send_window.h). */
#ifndef CORE_PROGRESS_H
#define CORE_PROGRESS_H

#include <stdint.h>

struct progress {
    int64_t taken;    /* octets that the peer has taken, on a scale that grows with them */
    uint32_t offered; /* octets that it would take now, when it has taken all that has left this
                         machine; else 0 */
};

#endif
