"""The other names of engines (-e poll, -e sigio): what doctor tells of each, and how a start is
refused where the kernel, a filter or a limit does not allow its system calls."""
import errno
import os
import resource
import unittest

from command import wait_until
from test_doctor import Doctors, limited
from test_engines import forbid

ALIASES = ("poll", "select", "sigio", "aio", "polling", "emulated-proactor")
# alias, system call, its number on x86-64
CALLS = (("poll", "poll", 7), ("select", "select", 270), ("sigio", "signalfd", 289),
         ("sigio", "poll", 7), ("aio", "io_setup", 206), ("aio", "io_submit", 209),
         ("aio", "io_getevents", 208), ("aio", "io_cancel", 210))


class Models(Doctors):
    def test_each_has_its_cost(self):
        engines = self.doctor()["engines"]
        for name in ALIASES:
            self.assertRegex(engines[name]["text"], r"\A(can run: \S+ with \S+=\S+; cost: .{20,}"
                                                    r"|cannot run: .{20,})\Z")
        self.assertIn("4 to 7 times", engines["poll"]["text"])
        self.assertIn("a whole CPU", engines["polling"]["text"])
        for finding in engines.values():
            if finding["text"].startswith("can run: "):
                self.assertIn("; cost: ", finding["text"])

    def test_calls_that_are_forbidden(self):
        if os.uname().machine != "x86_64":
            self.skipTest("system calls have other numbers here")
        for alias, call, number in CALLS:
            for error in (errno.EPERM, errno.ENOSYS):
                popen = {"preexec_fn": forbid(number, error)}
                reason = rf"{call}: {os.strerror(error)}; .*(allow|needs)"
                engines = self.doctor(**popen)["engines"]
                self.assertFalse(engines[alias]["ok"], (alias, call))
                self.assertRegex(engines[alias]["text"], "cannot run: " + reason)
                self.assertTrue(engines["reactor"]["ok"])
                self.assert_refused(69, reason, self.site, "--port", "0", "-e", alias, **popen)

    def test_more_operations_than_are_left(self):
        """As io_setup(2) says when fs.aio-max-nr is used up, which is the whole machine's."""
        if os.uname().machine != "x86_64":
            self.skipTest("system calls have other numbers here")
        self.assert_refused(69, "more than the sysctl fs.aio-max-nr leaves: raise it, or lower "
                                "connections_max", self.site, "--port", "0", "-e", "aio",
                            preexec_fn=forbid(206, errno.EAGAIN))

    def test_limits(self):
        """Few signals are told of, and serve all the same."""
        popen = {"preexec_fn": limited(resource.RLIMIT_SIGPENDING, 8)}
        machine = self.doctor(**popen)["machine"]
        self.assertFalse(machine["sigpending"]["ok"])
        self.assertRegex(machine["sigpending"]["text"], r"\A8: .* sigio")
        self.assertIn("LimitSIGPENDING=", machine["sigpending"]["advice"])
        with open("/proc/sys/fs/aio-max-nr", encoding="ascii") as file:
            self.assertTrue(machine["aio-max-nr"]["text"].startswith(file.read().strip() + ", "))
        server = self.serve(self.site, "--port", "0", "-e", "sigio", **popen)
        for _ in range(50):
            self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
        self.assertEqual(server.stop(), 0)

    def test_what_epoll_alone_can(self):
        for name in ("poll", "select", "sigio", "aio", "busy"):
            self.assert_refused(78, f"accept = shared needs demultiplexer = epoll; with {name} set",
                                self.site, "--port", "0", "-e", "multi-reactor", "-o", "threads=2",
                                "-o", "accept=shared", "-o", f"demultiplexer={name}", "-o",
                                "connections_max=100")

    def test_who_makes_way_is_told(self):
        """Another client waits while a request comes: its answer says that it is the last one, and
        the connection does not just end under the next request."""
        for engine in ("iterative", "thread-pool"):
            settings = ("-o", "workers=1") if engine == "thread-pool" else ()
            server = self.serve(self.site, "--port", "0", "-e", engine, *settings)
            with server.connect() as first, server.connect() as second:
                first.sendall(b"GET /hello.txt HTTP/1.1\r\n")
                self.assertTrue(wait_until(lambda: self.accepted(server) == len(settings) // 2 + 1))
                first.sendall(b"Host: a\r\n\r\n")
                second.sendall(b"GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertIn(b"\r\nConnection: close\r\n", first.recv(4096))
                first.close()
                answer = second.recv(4096)
                self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"))
                self.assertNotIn(b"\r\nConnection:", answer)  # nobody waits any more
            self.assertEqual(server.stop(), 0)

    @staticmethod
    def accepted(server):
        """How many of its descriptors are connections."""
        with open("/proc/net/tcp", encoding="ascii") as file:
            rows = [line.split() for line in file]
        mine = {os.readlink(f"/proc/{server.pid}/fd/{fd}")
                for fd in os.listdir(f"/proc/{server.pid}/fd")}
        return sum(row[3] == "01" and f"socket:[{row[9]}]" in mine for row in rows[1:])


if __name__ == "__main__":
    unittest.main()
