"""A server that is asked once: starts it, warms it, and asks, on a connection that is kept or on
one of its own."""

import os
import socket
import statistics
import time

from gearshift_compare import combinations, request, servers

WARM_UPS = 3
FREE_RUNS = 15        # requests that nobody watches, for their times
QUIET_S = 0.03        # what a server gets to come to rest
LINGER_S = 0.02       # ... behind the answer, while the recording goes on
TIMEOUT_S = 20


class Setting:
    """A server of one engine. `port` is where it is asked."""

    def __init__(self, arguments, engine, folder, cpus):
        self.a, self.engine, self.cpus = arguments, engine, cpus
        self.connection = None
        self.moments = []     # (time of day, call, bytes) of what the client does
        settings = {"keepalive_timeout": "600s", "log_level": "warn", **arguments.settings}
        if arguments.config:
            self.port = arguments.port
            argv = [arguments.gearshift, "-c", arguments.config, "-e", engine]
            for key, value in {"processes": "0", "control": "off", **arguments.settings}.items():
                argv += ["-o", f"{key}={value}"]
            self.server = servers.Server(engine, argv, self.port, None, folder)
            return
        library = next(iter(combinations.Binary(arguments.gearshift).tls), "openssl")
        what = combinations.Combination(engine, engine, tuple(settings.items()),
                                        tls=library if arguments.tls else "",
                                        binary=arguments.gearshift)
        self.server = servers.gearshift(what, arguments.root, folder, {})
        self.port = self.server.port_for(arguments.tls)

    def start(self):
        """Raises servers.StartFailed."""
        self.server.start(self.cpus)

    def stop(self):
        if self.connection is not None:
            self.connection.close()
        self.server.stop()

    def pids(self):
        return self.server.pids()

    def threads(self):
        """Number -> (name, process) of every thread."""
        found = {}
        for pid in self.pids():
            try:
                for thread in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{thread}/comm", encoding="utf-8") as file:
                        found[int(thread)] = (file.read().strip(), pid)
            except OSError:
                continue
        return found

    # Asking.

    def connect(self):
        self.moments.append((time.time(), "connect", 0))
        self.connection = socket.create_connection(("127.0.0.1", self.port), TIMEOUT_S)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.settimeout(TIMEOUT_S)
        if self.a.tls:
            self.connection = request.tls_context().wrap_socket(self.connection, server_hostname=self.a.host)
        # A call less in the picture: a socket with a timeout is polled before each.
        self.connection.settimeout(None)
        seconds = TIMEOUT_S.to_bytes(8, "little") + bytes(8)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, seconds)

    def _head(self, target, close):
        host = self.a.host if self.a.port in (None, 80, 443) else f"{self.a.host}:{self.a.port}"
        return request.head(target, ("Connection: close",) if close else (), host)

    def ask(self, target, close=False):
        """One request on the connection. Status and bytes; raises OSError."""
        head = self._head(target, close)
        self.moments.append((time.time(), "sendto", len(head)))
        self.connection.sendall(head)
        status, fields, size, rest = request.read_head(self.connection)
        size += len(rest)
        self.moments.append((time.time(), "recvfrom", size))
        left = request._body_length(status, fields) - len(rest)
        buffer = bytearray(1 << 18)
        while left > 0:
            count = self.connection.recv_into(buffer)
            if count == 0:
                if "content-length" in fields:
                    raise ConnectionError(f"the answer ended {left} bytes before its end")
                break
            self.moments.append((time.time(), "recvfrom", count))
            size, left = size + count, left - count
        if close:
            while self.connection.recv_into(buffer):
                pass
            self.moments.append((time.time(), "recvfrom", 0))
        return status, size

    def once(self):
        """The request that is looked at."""
        if self.a.close:
            self.connect()
        answer = self.ask(self.a.target, self.a.close)
        if self.a.close:
            self.connection.close()
            self.connection = None
        return answer

    def warm(self):
        """Everything but the request has been there before: a connection, and the file unless it is
        to be cold."""
        target = "/gearshift-trace/warms-up" if self.a.cold else self.a.target
        for _ in range(WARM_UPS):
            if self.connection is None:
                self.connect()
            self.ask(target, self.a.close)
            if self.a.close:
                self.connection.close()
                self.connection = None
        if self.a.cold:
            evict(self.a.cold)
        time.sleep(QUIET_S)

    def free_runs(self):
        """Milliseconds of the client between the first byte sent and the last one received, and
        thread switches of the server, of requests that nobody watches. None for a cold file, which
        is cold once."""
        if self.a.cold:
            return None
        times, before = [], switches(self.pids())
        for _ in range(FREE_RUNS):
            began = time.perf_counter()
            self.once()
            times.append((time.perf_counter() - began) * 1e3)
            time.sleep(0.002)
        time.sleep(QUIET_S)
        after = switches(self.pids())
        waits = sum(after[t] - before.get(t, 0) for t in after) / FREE_RUNS
        return {"ms": statistics.median(times), "least_ms": min(times), "waits": waits,
                "runs": FREE_RUNS}


def switches(pids):
    """Thread -> how often it has given its CPU away to wait (proc_pid_status(5))."""
    found = {}
    for pid in pids:
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/status", encoding="utf-8") as file:
                    found[int(thread)] = next(int(line.split()[1]) for line in file
                                              if line.startswith("voluntary_ctxt_switches"))
        except OSError:
            continue
    return found


def evict(path):
    """Puts a file out of the page cache; what is not on the disk yet is written first."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fd)


def descriptors(pids, server_port):
    """(pid, descriptor) -> what it is, in a word."""
    peers = _sockets(server_port)
    found = {}
    for pid in pids:
        try:
            for name in os.listdir(f"/proc/{pid}/fd"):
                found[pid, int(name)] = _word(os.readlink(f"/proc/{pid}/fd/{name}"), peers)
        except OSError:
            continue
    return found


def _sockets(server_port):
    """Inode of a socket -> "connection" or "listener"."""
    found = {}
    for path in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        try:
            with open(path, encoding="ascii") as file:
                lines = file.read().split("\n")[1:-1]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            local, peer = (int(words[i].rpartition(":")[2], 16) for i in (1, 2))
            if local == server_port:
                found[words[9]] = "listener" if words[3] == "0A" else "connection"
    return found


def _word(link, peers):
    if link.startswith("socket:["):
        return peers.get(link[8:-1], "socket")
    if link.startswith("anon_inode:"):
        return link[11:].strip("[]").replace("eventpoll", "epoll")  # or eventfd, signalfd, io_uring
    if link.startswith("pipe:"):
        return "pipe"
    return os.path.basename(link.removesuffix(" (deleted)")) or "/"
