"""The processes that a measurement starts: each in a session of its own, so that whatever it forks
is found again in /proc, and none outlives this program, however it ends."""

import ctypes
import functools
import os
import signal
import subprocess
import time

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
STOP_S = 3.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Keeper:
    """A process that outlives this one for a moment and ends every session still registered: the
    kernel's own PR_SET_PDEATHSIG reaches a child, and not the workers that a server has forked."""

    def __init__(self):
        read_end, self.pipe = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                os.setsid()
                # A lock that this process holds must not be kept beyond it.
                os.closerange(3, read_end)
                os.closerange(read_end + 1, os.sysconf("SC_OPEN_MAX"))
                _keep(read_end)
                status = 0
            finally:
                os._exit(status)
        os.close(read_end)

    def add(self, session):
        os.write(self.pipe, b"+%d\n" % session)

    def remove(self, session):
        os.write(self.pipe, b"-%d\n" % session)

    def close(self):
        os.close(self.pipe)
        os.waitpid(self.pid, 0)


def _keep(pipe):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sessions = set()
    with os.fdopen(pipe, "rb") as lines:
        for line in lines:
            (sessions.add if line[:1] == b"+" else sessions.discard)(int(line[1:]))
    for session in sessions:
        _signal_session(session, signal.SIGKILL)


_keeper = None


def _keeper_of_this_process():
    global _keeper  # one a process, made when the first child is
    if _keeper is None:
        _keeper = Keeper()
    return _keeper


def close_keeper():
    """Called once at the end, when everything started has been stopped."""
    global _keeper
    if _keeper is not None:
        _keeper.close()
        _keeper = None


def start(argv, *, cpus=None, stdout=None, stderr=None, cwd=None, env=None):
    """Starts a program in a session of its own, bound to `cpus`; the Popen."""
    keeper = _keeper_of_this_process()

    def prepare():
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if cpus:
            os.sched_setaffinity(0, cpus)

    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                               cwd=cwd, env=env, start_new_session=True, preexec_fn=prepare)
    keeper.add(process.pid)
    return process


def stop(process):
    """Ends the session of a process that start() has made: politely, then not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        _signal_session(process.pid, number)
        deadline = time.monotonic() + STOP_S
        while time.monotonic() < deadline:
            process.poll()
            if all(state == "Z" for state in (s[0] for _, s in session(process.pid))):
                break
            time.sleep(0.005)
        else:
            continue
        break
    process.wait()
    _keeper_of_this_process().remove(process.pid)


def _signal_session(number, signal_number):
    for pid, _ in session(number):
        try:
            os.kill(pid, signal_number)
        except ProcessLookupError:
            pass


def _stat_fields(pid):
    """/proc/PID/stat from the third field, the state, on (proc_pid_stat(5)); None: it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            text = file.read()
    except OSError:
        return None
    return text[text.rindex(")") + 2:].split()


def catches(pid, number):
    """Whether a process has a handler for a signal (SigCgt in proc_pid_status(5))."""
    try:
        with open(f"/proc/{pid}/status", encoding="latin-1") as file:
            mask = next(int(line.split()[1], 16) for line in file if line.startswith("SigCgt:"))
    except (OSError, StopIteration):
        return False
    return bool(mask >> (number - 1) & 1)


def octets_read(pid):
    """What a process has read so far, by read(2) and its like, from sockets too; of one that has
    ended as well, until it is waited for (proc_pid_io(5)). -1 where the kernel does not count."""
    try:
        with open(f"/proc/{pid}/io", encoding="latin-1") as file:
            return int(file.readline().split()[1])
    except (OSError, IndexError):
        return -1


def session(number):
    """(pid, fields) of each process of a session."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and _session_of(int(name)) == number:
            fields = _stat_fields(name)
            if fields and int(fields[3]) == number:
                found.append((int(name), fields))
    return found


def _session_of(pid):
    """A call instead of a file for each process of the machine, some ten times a run; None: gone."""
    try:
        return os.getsid(pid)
    except OSError:
        return None


def pids(process):
    return [pid for pid, fields in session(process.pid) if fields[0] != "Z"]


def _cpu_ns(pid):
    """CPU time of a process with all its threads, the ended ones too, to the nanosecond. The clock
    is the one that clock_getcpuclockid(3) names."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return 0


def cpu_ns(pids):
    """CPU time of these processes so far, all read one right after the other."""
    return sum(map(_cpu_ns, pids))


def _switches(pid):
    """Voluntary and involuntary context switches of all threads."""
    counts = [0, 0]
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/status", encoding="latin-1") as file:
                for line in file:
                    if line.startswith("voluntary_ctxt_switches"):
                        counts[0] += int(line.split()[1])
                    elif line.startswith("nonvoluntary_ctxt_switches"):
                        counts[1] += int(line.split()[1])
    except OSError:
        pass
    return counts


def usage(process):
    """What a session has used so far: cpu_s, user_s and system_s, waits (voluntary context
    switches) and preemptions. Children that have been reaped are counted."""
    total = {"cpu_s": 0.0, "user_s": 0.0, "system_s": 0.0, "waits": 0, "preemptions": 0}
    for pid, fields in session(process.pid):
        waits, preemptions = _switches(pid)
        total["cpu_s"] += _cpu_ns(pid) / 1e9 + (int(fields[13]) + int(fields[14])) * TICK_S
        total["user_s"] += (int(fields[11]) + int(fields[13])) * TICK_S
        total["system_s"] += (int(fields[12]) + int(fields[14])) * TICK_S
        total["waits"] += waits
        total["preemptions"] += preemptions
    return total


def memory_kib(process):
    """Proportional set size of a session, pages that processes share counted once; where the
    kernel does not tell it, resident set size."""
    total = 0
    for pid, fields in session(process.pid):
        resident = int(fields[21]) * os.sysconf("SC_PAGE_SIZE") // 1024
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="latin-1") as file:
                total += next((int(line.split()[1]) for line in file if line.startswith("Pss:")),
                              resident)
        except OSError:
            total += resident
    return total


def busy_s():
    """CPU number -> seconds that it has been busy so far, interrupts and stolen time included."""
    found = {}
    with open("/proc/stat", encoding="latin-1") as file:
        for line in file:
            if line[:3] == "cpu" and line[3].isdigit():
                name, *values = line.split()
                v = [int(value) for value in values[:8]]
                found[int(name[3:])] = (sum(v[0:3]) + sum(v[5:8])) * TICK_S
    return found


def kernel_threads_s():
    """CPU seconds of ksoftirqd so far: the network's work, which belongs to no process."""
    found = filter(None, map(_stat_fields, _ksoftirqd()))
    return sum((int(fields[11]) + int(fields[12])) * TICK_S for fields in found)


@functools.lru_cache(maxsize=1)
def _ksoftirqd():
    """Their process IDs, which stay."""
    pids = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/comm", encoding="latin-1") as file:
                if file.read().startswith("ksoftirqd/"):
                    pids.append(int(name))
        except OSError:
            pass
    return pids
