"""The processes of -e process-per-connection: none is left behind, whatever ends it or its parent; the
logs of all of them are one; and what an idle one, or an idle thread, keeps of memory."""
import contextlib
import os
import re
import signal
import socket
import unittest

from command import AS_ROOT, WAIT_S, Command, wait_until

LARGE = 24 << 20
REQUEST = "GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n"
STACK_SIZE = 256 << 10  # of a thread
KEPT_KIB = 16  # of the stack of one that is idle: four pages


class Client:
    """A connection that is kept."""

    def __init__(self, server, receive_buffer=None):
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(WAIT_S)
        self.sock.connect(server.address)

    def ask(self, path):
        self.sock.sendall(REQUEST.format(path).encode())

    def read(self, octets):
        """So many octets, or what comes until the end."""
        parts = []
        while octets > 0 and (piece := self.sock.recv(min(octets, 1 << 16))):
            parts.append(piece)
            octets -= len(piece)
        return b"".join(parts)

    def read_head(self):
        head = b""
        while not head.endswith(b"\r\n\r\n") and (octet := self.sock.recv(1)):
            head += octet
        return head

    def get(self, path):
        """The status and the body of a small answer."""
        self.ask(path)
        head = self.read_head()
        length = re.search(rb"\r\nContent-Length: (\d+)\r\n", head)
        return int(head.split()[1]), self.read(int(length[1]) if length else 0)

    def close(self):
        self.sock.close()


def children(pid):
    """Processes that were forked and not waited for, zombies among them."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def has_ended(pid):
    """Whether anybody has waited for it, or not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Children(Command):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("logs"))
        if AS_ROOT:
            os.chmod(self.path("logs"), 0o777)  # logs are opened again after privileges were dropped
        with open(self.path("site/large.bin"), "wb") as file:
            file.truncate(LARGE)
        self.clients = contextlib.ExitStack()
        self.addCleanup(self.clients.close)

    def start(self, *arguments, engine="process-per-connection"):
        return self.serve("-c", self.config('access_log = "@DIR@/logs/a.log"\n'
                                            'keepalive_timeout = 5m\n'), "-e", engine, *arguments)

    def connect(self, server, **options):
        client = Client(server, **options)
        self.clients.callback(client.close)
        return client

    def kept(self, server, count):
        """Connections that have had an answer; their processes."""
        clients = [self.connect(server) for _ in range(count)]
        for client in clients:
            self.assertEqual(client.get("hello.txt"), (200, b"hello\n"))
        return clients

    def test_none_is_left(self):
        server = self.start()
        for _ in range(20):
            self.assertEqual(server.get("/hello.txt")[0], 200)
        self.assertTrue(wait_until(lambda: not children(server.pid)), "zombies, or idle ones")
        kept = self.kept(server, 5)
        pids = children(server.pid)
        self.assertEqual(len(pids), 5)
        self.assertEqual(server.stop(), 0)
        self.assertTrue(all(has_ended(pid) for pid in pids))
        self.assertEqual([client.read(1) for client in kept], [b""] * 5)

    def test_one_that_crashes(self):
        """Its signal is named, its client is closed, and the others are served on."""
        server = self.start()
        victim, = self.kept(server, 1)
        pid, = children(server.pid)
        others = self.kept(server, 3)
        os.kill(pid, signal.SIGABRT)
        self.assertEqual(victim.read(1), b"")
        line = f"process {pid} of a connection was ended by signal 6 (Aborted)"
        self.assertTrue(wait_until(lambda: line in server.stderr()), server.stderr())
        self.assertTrue(wait_until(lambda: pid not in children(server.pid)), "a zombie")
        for client in [*others, *self.kept(server, 2)]:
            self.assertEqual(client.get("hello.txt"), (200, b"hello\n"))
        self.assertEqual(server.stop(), 0)

    def test_parent_that_is_killed(self):
        """Nobody can tell them any more: they end by themselves, with the answer that they send."""
        server = self.start()
        idle, = self.kept(server, 1)
        busy = self.connect(server, receive_buffer=16384)
        busy.ask("large.bin")
        self.assertIn(b" 200 ", busy.read_head())
        pids = children(server.pid)
        self.assertEqual(len(pids), 2)
        server.send(signal.SIGKILL)
        self.assertEqual(server.wait(), -signal.SIGKILL)
        self.assertEqual(idle.read(1), b"")
        self.assertEqual(len(busy.read(LARGE)), LARGE)
        self.assertEqual(busy.read(1), b"")
        self.assertTrue(wait_until(lambda: all(has_ended(pid) for pid in pids)))

    def test_logs_are_opened_again_by_all(self):
        """SIGUSR1 of the parent reaches those who wait for a request."""
        server = self.start()
        clients = self.kept(server, 4)
        os.rename(self.path("logs/a.log"), self.path("logs/a.log.1"))
        server.send(signal.SIGUSR1)
        self.assertTrue(wait_until(lambda: os.path.exists(self.path("logs/a.log"))))
        for number, client in enumerate(clients):
            self.assertEqual(client.get(f"hello.txt?after{number}")[0], 200)
        self.assertEqual(server.stop(), 0)
        new = self.read("logs/a.log")
        self.assertEqual([new.count(f"?after{number} ") for number in range(4)], [1] * 4)
        self.assertNotIn("?after", self.read("logs/a.log.1"))

    def test_the_log_is_one(self):
        """Of many processes at once: each request is one whole line, and none is missing."""
        server = self.start("-o", "access_log_buffer=1k")
        clients = [self.connect(server) for _ in range(12)]
        for number in range(20):
            for index, client in enumerate(clients):
                client.ask(f"hello.txt?c{index}n{number}")
            for client in clients:
                self.assertIn(b" 200 ", client.read_head())
                self.assertEqual(client.read(6), b"hello\n")
        self.clients.close()
        self.assertTrue(wait_until(lambda: not children(server.pid)))
        self.assertEqual(server.stop(), 0)
        lines = self.read("logs/a.log").splitlines()
        asked = sorted(f"c{index}n{number}" for index in range(12) for number in range(20))
        self.assertEqual(sorted(re.search(r"\?(\w+) HTTP/1.1\" 200 6\b", line)[1]
                                for line in lines), asked)

    def test_an_idle_one_keeps_little_of_its_stack(self):
        """It gives back what a request took, and what was received, after about a second."""
        for engine, count in (("process-per-connection", 8), ("thread-per-connection", 8),
                              ("thread-pool", 64)):
            with self.subTest(engine):
                server = self.start(engine=engine)
                self.kept(server, 8)

                def stacks():
                    pids = children(server.pid) or [server.pid]
                    return sorted(kib for pid in pids
                                  for kib in stacks_kib(pid, pid != server.pid))

                if len(stacks()) < count and int(server.status_line("VmSize")[0]) > 1 << 30:
                    continue  # a sanitizer has made them larger
                self.assertGreaterEqual(len(stacks()), count)
                self.assertTrue(wait_until(lambda: stacks()[count - 1] <= KEPT_KIB), stacks())
                self.assertEqual(server.stop(), 0)


def stacks_kib(pid, first):
    """What the stack of a process's first thread has taken, or the stacks of the others, which are
    known by their size: a sanitizer may have other things of that size."""
    stacks, is_one = [], False
    with open(f"/proc/{pid}/smaps", encoding="ascii", errors="replace") as file:
        for line in file:
            if match := re.match(r"([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0\s*(\[stack\])?$", line):
                size = int(match[2], 16) - int(match[1], 16)
                is_one = bool(match[3]) if first else not match[3] and size == STACK_SIZE
            elif re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                is_one = False
            elif is_one and line.startswith("Private_Dirty:"):
                stacks.append(int(line.split()[1]))
    return stacks


if __name__ == "__main__":
    unittest.main()
