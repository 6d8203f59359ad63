/* progress.c: what the peer has taken. See progress.h. */
#include "engines/progress.h"

#include "session/session.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* An older kernel knows less, and fills in less. */
#define TOLD(info_len, member)                                                                     \
    ((info_len) >= offsetof(struct tcp_info, member) + sizeof(((struct tcp_info *)0)->member))

struct progress progress_of(int fd, const struct session *s)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && TOLD(len, tcpi_bytes_acked)) {
        bool offers = TOLD(len, tcpi_snd_wnd) && info.tcpi_unacked == 0;
        return (struct progress){ .taken = (int64_t)info.tcpi_bytes_acked,
                                  .offered = offers ? info.tcpi_snd_wnd : 0 };
    }
    int queued;
    int64_t sent = (int64_t)session_sent_total(s);
    if (ioctl(fd, SIOCOUTQ, &queued) != 0)
        queued = 0;
    return (struct progress){ .taken = sent - queued };
}
