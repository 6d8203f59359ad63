"""Starts and stops the server under test, and opens connections to it."""

import contextlib
import ctypes
import os
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import time

from wire.client import TIMEOUT_S, Connection
from wire.request import octets
from wire.site import eventually

START_S = 60  # with 1,024 threads, on a busy machine
STOP_S = 60
PR_CAPBSET_DROP, CAP_SYS_RESOURCE = 24, 24  # prctl(2), capabilities(7)
CAP_IPC_LOCK, CAP_SYS_PTRACE = 14, 19
ROUNDS_MAX = 8
KEPT_KIB = 2048
FULL_HANDSHAKE_EVERY = 8
ADDRESS = re.compile(r" on (?:https?://(?P<host>\[[0-9a-fA-F:.]+\]|[0-9.]+):(?P<port>[0-9]+)/"
                     r"|unix:(?P<path>\S+))")
REPORTS = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|"
                     r"^\S+\.[ch]:\d+: \w+: ", re.MULTILINE)  # the last one is a failed CHECK()


def open_files_of(pid):
    """What the descriptors of a process are open for."""
    files = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):  # closed in between
                files.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
    return files


def may(capability):
    """Has this process a capability (capabilities(7))? Root of a container has few of them."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        effective = int(re.search(r"^CapEff:\s*(\w+)", file.read(), re.MULTILINE)[1], 16)
    return bool(effective >> capability & 1)


# Settings of a server whose open_files() are asked for: once it has become another user, only
# CAP_SYS_PTRACE may look (ptrace(2)), which containers do not give.
LOOKED_INTO = {} if os.geteuid() != 0 or may(CAP_SYS_PTRACE) else {"user": "", "allow_root": "on"}


class ServerFailed(AssertionError):
    """It did not start, did not stop, crashed, or a sanitizer found something."""


def _address(line):
    """What a line on standard output says about where the server listens: a (host, port), or the
    path of a unix socket."""
    match = ADDRESS.search(line)
    if not match:
        raise ServerFailed(f"no address in {line!r}")
    return match["path"] or (match["host"].strip("[]"), int(match["port"]))


class Server:
    """One running server. `argv` is the whole command; `listeners` says how many lines with an
    address it prints, `tls` whether connect() speaks TLS. `descriptors_max` is how many
    descriptors are left to it, without its knowing: it inherits five times as many, and its limit
    is that of all. With `descriptors_hard` it is the limit itself. It cannot raise either."""

    def __init__(self, argv, stderr_path, listeners=1, descriptors_max=None, tls=False,
                 descriptors_hard=False):
        self.argv = argv
        self.context = None  # what connect() speaks; None: no TLS
        if tls:
            from wire.tls import client_context
            self.context = client_context()
        self.resumes = True   # connect() resumes most sessions, as browsers do
        self._session = None  # of TLS 1.2, the last one
        self._offered = 0     # connections that have offered one
        self.stderr_path = stderr_path
        self.stopped = False
        self.world = None  # set by the World that started it
        self.inherited = 5 * descriptors_max if descriptors_max and not descriptors_hard else 0

        def limit_descriptors():
            # What root may, too, it is not to have after execve(2).
            ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE, 0, 0, 0)
            limit = descriptors_max + self.inherited
            for number in range(descriptors_max, limit):
                os.dup2(0, number)
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("GEARSHIFT_")}
        # Its process is the one that is measured; tests/supervisor has those with workers.
        environment.update({"GEARSHIFT_PROCESSES": "0", "GEARSHIFT_CONTROL": "off"})
        environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
        with open(stderr_path, "wb") as stderr:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=stderr, env=environment,
                                            close_fds=not descriptors_max,
                                            preexec_fn=limit_descriptors
                                            if descriptors_max else None)
        try:
            self.banner = self._read_banner(listeners)
        except BaseException:
            self.process.kill()
            self.process.wait()
            self.stopped = True
            raise
        self.banner = self.banner[:listeners]  # what follows: how others reach one on all addresses
        self.addresses = [_address(line) for line in self.banner]

    def _read_banner(self, lines_wanted):
        """The lines on standard output that say where it serves."""
        limit = time.monotonic() + START_S
        text = b""
        while text.count(b"\n") < lines_wanted:
            ready, _, _ = select.select([self.process.stdout], [], [],
                                        max(0, limit - time.monotonic()))
            data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not data:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(max(0, min(5, limit - time.monotonic())))
                raise ServerFailed(f"did not start: {self.argv}\nexit status "
                                   f"{self.process.poll()}, stdout {text!r}\n{self.stderr()}")
            text += data
        return text.decode().splitlines()

    @property
    def pid(self):
        return self.process.pid

    @property
    def port(self):
        return self.addresses[0][1]

    def stderr(self):
        with open(self.stderr_path, "rb") as file:
            return file.read().decode("utf-8", "replace")

    # Stopping

    def kill(self, number):
        self.process.send_signal(number)

    def wait(self, timeout_s=STOP_S):
        """Its exit status, once it has ended by itself."""
        return self.process.wait(timeout_s)

    def stop(self, number=signal.SIGTERM):
        """Asks it to stop and checks that it lived and died without a complaint."""
        if self.stopped:
            return
        self.stopped = True
        crashed = self.process.poll()
        if crashed is None:
            self.process.send_signal(number)
        try:
            status = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise ServerFailed(f"did not stop within {STOP_S} s of {number!r}") from None
        finally:
            self.process.stdout.close()
        stderr = self.stderr()
        if status != 0:
            when = "ended by itself" if crashed is not None else f"at {number!r}"
            raise ServerFailed(f"exit status {status}, {when}\n{stderr[-6000:]}")
        if REPORTS.search(stderr):
            raise ServerFailed(f"reported a fault\n{stderr[-6000:]}")

    def ended(self):
        """For a test that stopped it by its own means: reap it, and check as stop() does."""
        self.wait()
        self.stop()

    # What the kernel tells of it

    def children(self):
        """Processes that it has forked and that have not ended, zombies among them."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
                return [int(pid) for pid in file.read().split()]
        return []

    def descriptors(self):
        """Number of open descriptors, without those that it has inherited; with a process for each
        connection, those as well that its processes have and it has not."""
        count = len(os.listdir(f"/proc/{self.pid}/fd")) - self.inherited
        children = self.children()
        own = open_files_of(self.pid) if children else []
        return count + sum(path not in own for pid in children for path in open_files_of(pid))

    def open_files(self):
        """What its descriptors lead to (proc_pid_fd(5)). For a server of LOOKED_INTO."""
        return open_files_of(self.pid)

    def tasks(self):
        """Names of its threads, sorted: its own, and those that the kernel has made for it; without
        those of a model with a thread for each connection."""
        names = []
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                with open(f"/proc/{self.pid}/task/{task}/comm", encoding="ascii",
                          errors="replace") as file:
                    names.append(file.read().strip())
        return sorted(name for name in names if name != "connection")

    def cpu_s(self):
        """CPU time used so far, user and system, with that of children that have ended. Nothing
        where it never sleeps by design: there the time says how long it runs, and no more."""
        if "demultiplexer=busy" in self.argv:
            return 0.0
        with open(f"/proc/{self.pid}/stat", "rb") as file:
            fields = file.read().rsplit(b")", 1)[1].split()
        return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")

    def memory_kib(self, key="VmRSS"):
        with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as file:
            return int(re.search(rf"^{key}:\s*(\d+) kB", file.read(), re.MULTILINE)[1])

    def is_sanitized(self):
        """Built with a sanitizer whose shadow memory makes figures of memory meaningless?"""
        return self.memory_kib("VmSize") > 1 << 30

    def expect_all_back(self, what, timeout_s):
        """Does what(), with connections that all end, several times: descriptors and memory return.
        Pools and the allocator keep what the busiest moment took, so some rounds may set a new
        mark; a leak does in each."""
        descriptors = self.descriptors()
        marks, after = [], self.memory_kib()
        while len(marks) < ROUNDS_MAX and (not marks or after > marks[-1] + KEPT_KIB):
            marks.append(max([after, *marks]))
            what()
            assert eventually(lambda: self.descriptors() <= descriptors + 2, timeout_s), \
                f"{descriptors} descriptors before, {self.descriptors()} after"
            after = self.memory_kib()
        assert self.is_sanitized() or after <= marks[-1] + KEPT_KIB, f"{marks}, then {after} KiB"

    # Talking to it

    def connect(self, listener=0, receive_buffer=None, address=None, wait=True, **tls_options):
        """A new connection.

        listener        which of the server's addresses
        receive_buffer  makes the kernel hold back the server early
        address         another address than the one that the server has told
        wait            with TLS, for the end of the handshake; False where the server may not
                        accept it now: then the handshake goes on with what is sent and received
        tls_options     see TlsSocket; `context` another than the server's"""
        sock = self._connect(address or self.addresses[listener], receive_buffer)
        resumes = self.resumes and wait and not tls_options
        context = tls_options.pop("context", self.context)
        if context is None:
            return Connection(sock)
        if resumes:
            tls_options["session"] = self._session_to_resume()
        from wire.tls import TlsSocket
        connection = Connection(TlsSocket(sock, context, **tls_options))
        try:
            if wait:
                connection.sock.handshake()
            if resumes and connection.sock.tls.version() == "TLSv1.2":
                self._session = connection.sock.tls.session
        except BaseException:
            sock.close()
            raise
        return connection

    def _session_to_resume(self):
        """What a connection offers that asks for nothing special: seven of eight the last session,
        and the eighth makes a whole handshake. With TLS 1.2 that saves either side the most of its
        time (mbed TLS 2 ms a connection); with 1.3 there is a key exchange in any case, and little
        to save."""
        self._offered += 1
        return self._session if self._offered % FULL_HANDSHAKE_EVERY else None

    def connect_raw(self, listener=0):
        """A new connection without TLS, whatever the server expects."""
        return Connection(self._connect(self.addresses[listener]))

    @staticmethod
    def _connect(address, receive_buffer=None):
        """A connected socket."""
        if isinstance(address, str):
            sock = socket.socket(socket.AF_UNIX)
        else:
            sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        sock.settimeout(TIMEOUT_S)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            sock.connect(address)
        except BaseException:
            sock.close()
            raise
        return sock

    def ask(self, method, target, *fields, **options):
        """One request on a connection of its own; its answer."""
        with self.connect() as connection:
            return connection.ask(method, target, *fields, **options)

    def get(self, target, *fields, **options):
        return self.ask("GET", target, *fields, **options)

    def head(self, target, *fields, **options):
        return self.ask("HEAD", target, *fields, **options)

    def send(self, data, method="GET"):
        """These octets on a connection of their own; the first answer."""
        with self.connect() as connection:
            connection.send(data)
            return connection.read_response(method)

    def status(self, data, method="GET"):
        return self.send(data, method).status

    def refuses(self, data, *statuses, method="GET"):
        """These octets get one answer with one of these statuses, which says that the connection
        closes, and it does, with nothing after it."""
        with self.connect() as connection:
            connection.send(octets(data))
            answer = connection.read_response(method)
            assert answer.status in statuses, f"{answer.status}, not {statuses}"
            assert answer.closes, f"{answer.status} without Connection: close"
            connection.expect_end()
        return answer

    def exchange(self, data, methods):
        """These octets on a connection of their own; the answers to so many methods."""
        with self.connect() as connection:
            connection.send(data)
            return [connection.read_response(method) for method in methods]


def find_binary(path):
    """The server's absolute path; a sentence when there is none."""
    found = shutil.which(path) if os.sep not in path else os.path.abspath(path)
    if not found or not os.access(found, os.X_OK):
        raise SystemExit(f"no server at {path}: build it, or name it with --server")
    return found
