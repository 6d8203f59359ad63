"""What cold files do to hot requests: some clients read files that are not in the page cache, while
another asks for a small file on a schedule that does not wait for answers. What counts is the time
from when a request was due (bench/coldbench measures the same on files of its own)."""

import collections
import ctypes
import multiprocessing
import os
import selectors
import signal
import socket
import time

from . import clients, request
from .clients import ClientFailed

CLIENTS = 4
RATE = 1000          # hot requests a second
CONNECTIONS = 16
LATE_S = 3           # how long the last answers may take
WARM_MAX = 0.5       # share of the octets that were in memory all the same
_CACHESTAT = 451     # cachestat(2), Linux 6.5


def evict(path):
    """Drops a file's clean pages from the page cache (posix_fadvise(2))."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fd)


def cached_octets(path):
    """Octets of a file in the page cache, or None where the kernel cannot tell."""
    libc, found = ctypes.CDLL(None, use_errno=True), (ctypes.c_uint64 * 5)()
    fd = os.open(path, os.O_RDONLY)
    try:
        failed = libc.syscall(_CACHESTAT, fd, (ctypes.c_uint64 * 2)(0, 0), found, 0)
    finally:
        os.close(fd)
    return None if failed else found[0] * os.sysconf("SC_PAGE_SIZE")


def download(connection, target, size, buffer):
    """GETs a target on a kept connection; the body is dropped in the kernel (MSG_TRUNC)."""
    connection.sendall(request.head(target))
    status, fields, _, rest = request.read_head(connection)
    if status != 200 or int(fields.get("content-length", -1)) != size:
        raise ConnectionError(f"GET {target}: status {status}, "
                              f"{fields.get('content-length', 'no')} octets")
    left = size - len(rest)
    while left > 0:
        count = connection.recv_into(buffer, min(left, len(buffer)), socket.MSG_TRUNC)
        if count == 0:
            raise ConnectionError(f"GET {target}: the body ended {left} octets early")
        left -= count


def cold_client(port, files, end, result):
    """Reads evicted (path, target, size) until `end`; puts octets, those warm all the same, and
    what went wrong."""
    total, warm, turn, buffer = 0, 0, 0, bytearray(1 << 20)
    try:
        connection = request.connect(port)
        while time.monotonic() < end:
            path, target, size = files[turn % len(files)]
            turn += 1
            evict(path)
            warm += min(size, cached_octets(path) or 0)
            download(connection, target, size, buffer)
            total += size
        result.put((total, warm, None))
    except OSError as error:
        result.put((total, warm, str(error)))


class Schedule:
    """Sends a request each 1/rate s on connections in turn, whatever comes back, and keeps how long
    after its time each was answered, in ms."""

    def __init__(self, port, target, rate, connections):
        self.request, self.rate = request.head(target), rate
        self.poll, self.sockets, self.latencies = selectors.EpollSelector(), [], []
        self.due_of, self.received, self.size = {}, {}, None
        for _ in range(connections):
            s = request.connect(port)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            s.setblocking(False)
            self.due_of[s], self.received[s] = collections.deque(), 0
            self.poll.register(s, selectors.EVENT_READ)
            self.sockets.append(s)

    def run(self, begin, end, late_s=LATE_S):
        """How many are not answered so long after the end."""
        due, turn = begin, 0
        while True:
            now = time.monotonic()
            if now >= end + late_s or (now >= end and not any(self.due_of.values())):
                return sum(len(waiting) for waiting in self.due_of.values())
            while due <= now and due < end:
                s = self.sockets[turn % len(self.sockets)]
                turn += 1
                s.send(self.request)
                self.due_of[s].append(due)
                due += 1 / self.rate
            for key, _ in self.poll.select(0):
                self._receive(key.fileobj)
            # epoll's timeout has milliseconds: the rest is slept off, in steps.
            time.sleep(max(0, min(due - time.monotonic(), 5e-5)))

    def overdue(self):
        """For how long those that are not answered have waited, in ms."""
        now = time.monotonic()
        return [(now - due) * 1e3 for waiting in self.due_of.values() for due in waiting]

    def _receive(self, s):
        data = s.recv(1 << 16)
        if not data:
            raise ConnectionError("a hot connection was closed")
        if self.size is None:
            self.size = _answer_size(data)
        self.received[s] += len(data)
        now = time.monotonic()
        while self.received[s] >= self.size:
            self.received[s] -= self.size
            self.latencies.append((now - self.due_of[s].popleft()) * 1e3)


def _answer_size(data):
    head, _, _ = data.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return len(head) + 4 + int(value)
    raise ConnectionError(f"no Content-Length: {data[:40]!r}")


def be_on_time():
    """The clock shares its CPU with the cold clients: with a real-time priority (sched(7)) a
    request waits for the server, and not for them. False: that is not allowed."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError:
        return False
    return True


def hot_client(port, target, rate, connections, apart, stalls, begin, end, result):
    """Puts the latencies in ms, whether others of its CPU could not delay it (never where that is
    not `apart` from the server's), and what went wrong. `stalls`: no answer is one, too."""
    latencies = []
    on_time = apart and be_on_time()
    try:
        schedule = Schedule(port, target, rate, connections)
        latencies = schedule.latencies
        lost = schedule.run(begin, end, 0 if stalls else LATE_S)
        if stalls:
            latencies, lost = latencies + schedule.overdue(), 0
        result.put((latencies, on_time,
                    f"{lost} hot requests were not answered" if lost else None))
    except (OSError, IndexError) as error:
        result.put((latencies, on_time, str(error) or "an answer that nobody asked for"))


def load(port, hot, cold, seconds, *, cpus=None, apart=False, rate=RATE, connections=CONNECTIONS,
         stalls=False):
    """Runs all clients, on `cpus` if given, which are `apart` from the server's. `hot` is a target
    (`stalls`: requests without an answer count with the time that has passed), `cold` for each client its (path, target, size). Latencies, whether others could not delay their
    clock, octets of cold files, those warm all the same, and what went wrong."""
    results, own = [], os.sched_getaffinity(0)
    begin = time.monotonic() + 0.2
    end = begin + seconds
    context = multiprocessing.get_context("fork")
    tasks = [(hot_client, (port, hot, rate, connections, apart, stalls, begin, end))]
    tasks += [(cold_client, (port, files, end)) for files in cold if files]
    started = []
    try:
        if cpus:
            os.sched_setaffinity(0, cpus)  # inherited
        for function, arguments in tasks:
            queue = context.SimpleQueue()
            process = context.Process(target=_child, args=(function, *arguments, queue),
                                      daemon=True)
            process.start()
            started.append((process, queue))
        os.sched_setaffinity(0, own)
        for process, queue in started:
            results.append(_result(process, queue, end + LATE_S + 20))
    finally:
        os.sched_setaffinity(0, own)
        for process, _ in started:
            if process.is_alive():
                process.kill()
            process.join()
    (latencies, on_time, *faults), rest = results[0], results[1:]
    faults += [fault for _, _, fault in rest]
    return (latencies, on_time, sum(r[0] for r in rest), sum(r[1] for r in rest),
            [fault for fault in faults if fault])


def _child(function, *arguments):
    """A terminal's Ctrl-C is the parent's business, which ends its children."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    function(*arguments)


def _result(process, queue, deadline):
    while queue.empty():
        if not process.is_alive() and queue.empty() or time.monotonic() > deadline:
            raise ClientFailed("a client of the cold files ended without a result")
        time.sleep(0.01)
    return queue.get()


def percentile(values, p):
    """Of sorted values."""
    return values[min(len(values) - 1, int(len(values) * p / 100))]


def run(bench, server, workload, seconds):
    """The figures of a run, in the form of a load generator's."""
    files = [(ask.file.path, ask.target, ask.length) for ask in workload.extra["cold"]]
    shares = [files[number::CLIENTS] for number in range(CLIENTS)]
    apart = bool(bench.client_cpus) and not set(bench.client_cpus) & set(bench.server_cpus)
    latencies, on_time, octets, warm, faults = load(
        server.port, workload.asks[0].target, shares, seconds, cpus=bench.client_cpus, apart=apart)
    if faults:
        raise ClientFailed("; ".join(sorted(set(faults))))
    if octets and warm / octets > WARM_MAX:
        raise ClientFailed(f"{warm / octets:.0%} of the files stayed in memory when they were "
                           "evicted (a tmpfs, or files just written?)")
    values = sorted(latencies)
    if not values:
        raise ClientFailed("not one hot request was answered")
    figures = {"requests": len(values), "octets": octets, "us": seconds * 1e6,
               "curve": [[p, percentile(values, p)] for p in clients.PERCENTILES],
               "warm": warm / octets if octets else 0.0, "on_time": on_time}
    figures.update({name: percentile(values, p) for p, name in clients.KEPT.items()})
    return figures
