"""Engine multi-reactor as the system sees it: its threads and their CPUs, how connections reach
them, that none is left waiting while a thread has room, and none is lost at the end."""
import contextlib
import os
import re
import signal
import socket
import struct
import time
import unittest

from command import WAIT_S, Command, wait_until

MODES = ("handoff", "reuseport", "shared")
REQUEST = b"GET /hello.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"
BUSY = REQUEST + b"GET"  # ... and a second one that never ends: it is not idle, and keeps its place


def answer(connection, timeout=WAIT_S):
    """The status of the next answer; None when the time is over, 0 when the connection ended."""
    connection.settimeout(timeout)
    text = b""
    with contextlib.suppress(ConnectionError):
        while not text.endswith(b"hello\n"):
            try:
                piece = connection.recv(4096)
            except TimeoutError:
                return None
            if not piece:
                break
            text += piece
    return int(text.split()[1]) if text else 0


class MultiReactor(Command):
    def multi(self, *settings, **popen):
        arguments = [word for setting in settings for word in ("-o", setting)]
        return self.serve(self.site, "--port", "0", "-e", "multi-reactor", *arguments, **popen)

    def threads(self, server):
        """Per thread, the CPUs that it may run on. A sanitizer's own threads do not count."""
        found = []
        for task in os.listdir(f"/proc/{server.pid}/task"):
            with open(f"/proc/{server.pid}/task/{task}/status", encoding="ascii") as file:
                text = file.read()
            if int(task) == server.pid or text.startswith("Name:\treactor-"):
                found.append(re.search(r"^Cpus_allowed_list:\s*(\S+)$", text, re.M)[1])
        return found


class Threads(MultiReactor):
    def test_one_a_cpu_unless_set(self):
        told = []
        for settings in ((), ("threads=0",)):
            server = self.multi(*settings)
            self.assertTrue(wait_until(lambda: " threads, accept" in server.stderr()))
            told.append(re.search(r"multi-reactor: (\d+) threads", server.stderr())[1])
            self.assertEqual(server.stop(), 0)
        self.assertEqual(told[0], told[1])
        self.assertLessEqual(int(told[0]), len(os.sched_getaffinity(0)))

    def test_number(self):
        for mode, more in (("handoff", 1), ("reuseport", 0), ("shared", 0)):
            for threads in (1, 2, 5):
                with self.subTest(mode=mode, threads=threads):
                    server = self.multi(f"threads={threads}", f"accept={mode}", "file_workers=0")
                    self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
                    self.assertTrue(wait_until(
                        lambda: len(self.threads(server)) == threads + more))
                    self.assertEqual(server.stop(), 0)

    def test_one_a_cpu(self):
        cpus = sorted(os.sched_getaffinity(0))
        for allowed in {1, len(cpus)}:
            def restrict(count=allowed):
                os.sched_setaffinity(0, cpus[:count])
            server = self.multi("threads=0", "file_workers=0", preexec_fn=restrict)
            self.assertTrue(wait_until(lambda: len(self.threads(server)) <= allowed))
            self.assertEqual(server.stop(), 0)

    def test_pinned(self):
        cpus = sorted(os.sched_getaffinity(0))
        server = self.multi("threads=3", "pin=on", "file_workers=0")
        wanted = sorted(str(cpus[index % len(cpus)]) for index in range(3))
        self.assertTrue(wait_until(lambda: sorted(self.threads(server)) == wanted),
                        self.threads(server))
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
        self.assertEqual(server.stop(), 0)

    def test_fewer_connections_than_threads(self):
        for mode in (["-t"], []):
            self.assert_refused(78, "connections_max = 2 .* 3 threads", *mode, self.site, "--port",
                                "0", "-e", "multi-reactor", "-o", "threads=3", "-o",
                                "connections_max=2")


class Addresses(MultiReactor):
    def test_taken(self):
        """Sharing a port among threads does not share it with another server."""
        server = self.multi("threads=2", "accept=reuseport")
        port = str(server.address[1])
        for engine in ("multi-reactor", "reactor"):
            self.assert_refused(1, "another process listens there", self.site, "--port", port,
                                "-e", engine, "-o", "threads=1")
        self.assertEqual(server.stop(), 0)

    def test_unix(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                path = self.path("g.sock")
                os.chmod(self.folder, 0o777)  # the user that it becomes removes it
                server = self.serve(self.site, "--listen", f"unix:{path}", "-e", "multi-reactor",
                                    "-o", "threads=3", "-o", f"accept={mode}")
                for _ in range(20):
                    self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
                self.assertEqual(server.stop(signal.SIGQUIT), 0)
                self.assertFalse(os.path.exists(path))

    def test_several(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                file = self.write("several.conf", f"""
                    engine = multi-reactor
                    threads = 3
                    accept = {mode}
                    server "localhost" {{
                        listen = {{"127.0.0.1:0", "127.0.0.2:0", "unix:{self.path('s.sock')}"}}
                        root = "{self.site}"
                    }}""")
                server = self.serve("-c", file, addresses=3)
                for index in range(3):
                    self.assertEqual(server.get("/hello.txt", index), (200, b"hello\n"))
                self.assertEqual(server.stop(), 0)


class Limits(MultiReactor):
    def test_every_place_is_taken(self):
        """Where threads take connections from one queue, as many are served as the setting allows,
        and whenever one leaves, who waits gets its place: hundreds of times, since a wake-up that
        is lost shows once in a while."""
        for mode in ("handoff", "shared"):
            with self.subTest(mode=mode), contextlib.ExitStack() as stack:
                server = self.multi("threads=4", f"accept={mode}", "connections_max=8",
                                    "file_workers=0", "header_timeout=5m")
                waiting = []
                for _ in range(24):
                    connection = stack.enter_context(server.connect())
                    connection.sendall(BUSY)
                    waiting.append(connection)
                served = [connection for connection in waiting if answer(connection, 0.3) == 200]
                self.assertEqual(len(served), 8)
                for _ in range(300):
                    leaving = served.pop(0)
                    leaving.close()
                    waiting.remove(leaving)
                    following = stack.enter_context(server.connect())
                    following.sendall(BUSY)
                    waiting.append(following)
                    # One of those that wait, in the order of the queue: the first of them.
                    first = next(one for one in waiting if one not in served)
                    self.assertEqual(answer(first, 5), 200)
                    served.append(first)
                self.assertEqual(server.stop(), 0)

    def test_evenly(self):
        """Dealt out, connections never differ by more than one, whoever leaves."""
        server = self.multi("threads=4", "accept=handoff", "connections_max=400",
                            "file_workers=0", "header_timeout=5m")
        with contextlib.ExitStack() as stack:
            for _ in range(400):
                connection = stack.enter_context(server.connect())
                connection.sendall(BUSY)
                self.assertEqual(answer(connection, 5), 200)
            with server.connect() as one_more:
                one_more.sendall(REQUEST)
                self.assertIsNone(answer(one_more, 0.3))
        self.assertEqual(server.stop(), 0)


class End(MultiReactor):
    def test_who_waits_in_the_backlog_is_served(self):
        """A drain answers those whose connection the kernel has made already."""
        for mode in MODES:
            with self.subTest(mode=mode), contextlib.ExitStack() as stack:
                server = self.multi("threads=3", f"accept={mode}")
                server.get("/hello.txt")
                server.send(signal.SIGSTOP)
                connections = [stack.enter_context(server.connect()) for _ in range(40)]
                for connection in connections:
                    connection.sendall(REQUEST)
                server.send(signal.SIGQUIT)
                server.send(signal.SIGCONT)
                self.assertEqual([answer(connection) for connection in connections], [200] * 40)
                self.assertEqual(server.wait(), 0)

    def test_signals_in_any_order(self):
        for mode in MODES:
            for numbers in ((signal.SIGTERM,), (signal.SIGQUIT,), (signal.SIGUSR1, signal.SIGTERM),
                            (signal.SIGQUIT, signal.SIGUSR1, signal.SIGTERM)):
                with self.subTest(mode=mode, numbers=numbers):
                    server = self.multi("threads=4", f"accept={mode}")
                    with server.connect() as busy:
                        busy.sendall(REQUEST[:-2])
                        for number in numbers:
                            server.send(number)
                        if numbers == (signal.SIGQUIT,):
                            time.sleep(0.1)
                            busy.sendall(b"\r\n")
                            self.assertIn(answer(busy), (0, 200))
                        self.assertEqual(server.wait(), 0)
                    self.assertNotRegex(server.stderr(), "(?m)^(?!.* info ).")

    def test_every_thread_opens_its_log_again(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                log, old = self.path(f"{mode}.log"), self.path(f"{mode}.old")
                os.chmod(self.folder, 0o777)
                server = self.multi("threads=3", f"accept={mode}", f"access_log={log}")
                os.rename(log, old)
                server.send(signal.SIGUSR1)
                self.assertTrue(wait_until(lambda: os.path.exists(log)))
                time.sleep(0.3)
                for _ in range(50):
                    server.get("/hello.txt")
                self.assertEqual(server.stop(), 0)
                self.assertEqual((len(self.read(f"{mode}.log").splitlines()),
                                  self.read(f"{mode}.old")), (50, ""))

    def test_resets(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                server = self.multi("threads=3", f"accept={mode}")
                server.get("/hello.txt")
                before = len(os.listdir(f"/proc/{server.pid}/fd"))
                for _ in range(500):
                    connection = server.connect()
                    connection.sendall(REQUEST)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                          struct.pack("ii", 1, 0))
                    connection.close()
                self.assertTrue(wait_until(
                    lambda: len(os.listdir(f"/proc/{server.pid}/fd")) <= before + 2))
                self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
