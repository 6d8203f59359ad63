/* probe.h: places at which bpftrace and SystemTap can ask (USDT, sys/sdt.h): one instruction each
 * that does nothing, and a note in the binary. Without GS_USDT there is neither, and no argument is
 * evaluated.
 *
 * docs/status.md lists them: names, arguments, and what an operator asks with them. Arguments are
 * integers and pointers; a connection is known by the address of its struct. */
#ifndef CORE_PROBE_H
#define CORE_PROBE_H

#ifdef GS_USDT
#include <sys/sdt.h>
#define PROBE2(name, a, b)          DTRACE_PROBE2(gearshift, name, a, b)
#define PROBE3(name, a, b, c)       DTRACE_PROBE3(gearshift, name, a, b, c)
#define PROBE5(name, a, b, c, d, e) DTRACE_PROBE5(gearshift, name, a, b, c, d, e)
#else
#define PROBE2(name, a, b)          ((void)0)
#define PROBE3(name, a, b, c)       ((void)0)
#define PROBE5(name, a, b, c, d, e) ((void)0)
#endif

#endif
