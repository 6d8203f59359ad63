"""Signals: stop, drain, rotation; the pid file's life."""
import fcntl
import os
import pwd
import resource
import signal
import socket
import time
import unittest

from command import AS_ROOT, Command, wait_until

BIG = 32 * 1024 * 1024


class Stop(Command):
    def test_signals_that_stop(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number.name):
                server = self.serve(self.site, "--port", "0")
                with server.connect() as idle:
                    self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
                    began = time.monotonic()
                    self.assertEqual(server.stop(number), 0)
                    self.assertLess(time.monotonic() - began, 5)
                    self.assertEqual(idle.recv(1), b"")
                self.assertEqual(server.stderr(), "")

    def test_stop_does_not_wait_for_a_download(self):
        os.truncate(self.write("site/big", ""), BIG)
        server = self.serve(self.site, "--port", "0")
        with server.connect() as client:
            client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 200"))
            began = time.monotonic()
            self.assertEqual(server.stop(), 0)
            self.assertLess(time.monotonic() - began, 5)

    def test_hangup_under_nohup(self):
        def nohup():
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

        server = self.serve(self.site, "--port", "0", preexec_fn=nohup)
        server.send(signal.SIGHUP)
        time.sleep(0.2)
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
        self.assertEqual(server.stop(), 0)

    def test_client_that_resets_does_not_end_it(self):
        """SIGPIPE is ignored, in sendfile(2) too."""
        os.truncate(self.write("site/big", ""), BIG)
        server = self.serve(self.site, "--port", "0")
        for _ in range(20):
            client = server.connect()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            client.recv(100)
            client.close()
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
        self.assertEqual(server.stop(), 0)


class FileSize(Command):
    """A log that reaches `ulimit -f` (SIGXFSZ) costs lines, and does not end the server."""

    def test_limit(self):
        for engine in ("reactor", "reactor-pool", "multi-reactor", "proactor"):
            with self.subTest(engine):
                self.need_engine(engine)

                def limit():
                    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))

                file = self.config(f'engine = "{engine}"\nerror_log = "@DIR@/{engine}.e"\n'
                                   f'access_log = "@DIR@/{engine}.a"\naccess_log_buffer = 1k')
                server = self.serve("-c", file, preexec_fn=limit)
                for _ in range(5):
                    self.assertEqual(server.get("/hello.txt?" + "x" * 4000), (200, b"hello\n"))
                self.assertTrue(wait_until(lambda: "lines lost" in self.read(engine + ".e")))
                self.assertIn("File too large", self.read(engine + ".e"))
                self.assertEqual(server.stop(), 0)
                self.assertLessEqual(os.path.getsize(self.path(engine + ".a")), 8192)


class Drain(Command):
    def setUp(self):
        super().setUp()
        os.truncate(self.write("site/big", ""), BIG)

    def begin_download(self, server):
        client = socket.socket()
        self.addCleanup(client.close)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        client.settimeout(20)
        client.connect(server.address)
        client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        data = b""
        while b"\r\n\r\n" not in data:
            data += client.recv(4096)
        head, _, body = data.partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 200"), head)
        return client, len(body)

    def refuses(self, server):
        """Has it stopped accepting?"""
        try:
            with server.connect() as client:
                client.settimeout(0.2)
                client.sendall(b"GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n")
                return client.recv(1) == b""
        except OSError:
            return True

    def test_idle_server_ends_at_once(self):
        server = self.serve(self.site, "--port", "0")
        with server.connect() as idle:
            self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
            began = time.monotonic()
            self.assertEqual(server.stop(signal.SIGQUIT), 0)
            self.assertLess(time.monotonic() - began, 5)
            self.assertEqual(idle.recv(1), b"")

    def test_slow_download_is_finished(self):
        server = self.serve(self.site, "--port", "0")
        client, received = self.begin_download(server)
        server.send(signal.SIGQUIT)
        self.assertTrue(wait_until(lambda: self.refuses(server), 5))
        self.assertIsNone(server.process.poll())
        while True:
            piece = client.recv(256 * 1024)
            if not piece:
                break
            received += len(piece)
        self.assertEqual(received, BIG)
        client.close()
        self.assertEqual(server.wait(), 0)

    def test_deadline(self):
        server = self.serve(self.site, "--port", "0", "-o", "drain_timeout=1s")
        self.begin_download(server)  # and nobody reads on
        began = time.monotonic()
        self.assertEqual(server.stop(signal.SIGQUIT), 0)
        self.assertGreater(time.monotonic() - began, 0.9)
        self.assertLess(time.monotonic() - began, 4)

    def test_stop_cuts_it_short(self):
        server = self.serve(self.site, "--port", "0")
        self.begin_download(server)
        server.send(signal.SIGQUIT)
        time.sleep(0.2)
        self.assertIsNone(server.process.poll())
        began = time.monotonic()
        self.assertEqual(server.stop(signal.SIGTERM), 0)
        self.assertLess(time.monotonic() - began, 5)


class Life(Command):
    """The error log tells of a server's life, and who ended it: one line each."""

    def life(self, number, settings="", client=None):
        """What the log says of a server's life, without dates."""
        file = self.config(f'error_log = "@DIR@/e.log"\n{settings}')
        server = self.serve("-c", file)
        if client is not None:
            client(server)
        self.assertEqual(server.stop(number), 0)
        lines = [line.split(" ", 1)[1] for line in self.read("e.log").splitlines()
                 if "(RLIMIT_NOFILE)" not in line]
        port = server.address[1]
        self.assertRegex(lines[0], rf"^info ready: gearshift \S+, process {server.pid}, engine \S+,"
                                   rf" listening on 127\.0\.0\.1:{port}$")
        return lines[1:]

    def me(self):
        return f"from process {os.getpid()} of user {os.geteuid()}"

    def test_stop(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number.name):
                self.assertEqual(self.life(number), [
                    f"info stopping: everything is closed at once: {number.name} {self.me()}",
                    "info ended: stopped"])
            os.unlink(self.path("e.log"))

    def test_drain(self):
        first, last = self.life(signal.SIGQUIT)
        self.assertEqual(first, "info draining: no new connections, answers in progress have "
                                f"drain_timeout: SIGQUIT {self.me()}")
        self.assertRegex(last, r"^info ended: drained in \d+ ms$")

    def test_drain_that_is_cut(self):
        os.truncate(self.write("site/big", ""), BIG)

        def ask(server):
            client = server.connect()
            self.addCleanup(client.close)
            client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 200"))

        lines = self.life(signal.SIGQUIT, "drain_timeout = 500ms", ask)
        self.assertEqual(lines[1:], ["info ended: drain_timeout (500 ms) was over, and what was "
                                     "left was cut off"])

    def test_the_level_decides(self):
        server = self.serve("-c", self.config('error_log = "@DIR@/e.log"\nlog_level = warn'))
        self.assertEqual(server.stop(), 0)
        self.assertNotRegex(self.read("e.log"), "ready|stopping|ended")


class Rotation(Command):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("logs"))
        if AS_ROOT:  # the server has to create new files there, as the user that it became
            nobody = pwd.getpwnam("nobody")
            os.chown(self.path("logs"), nobody.pw_uid, nobody.pw_gid)
        self.file = self.config('error_log = "@DIR@/logs/e.log"\naccess_log = "@DIR@/logs/a.log"')

    def test_both_logs_are_opened_again(self):
        server = self.serve("-c", self.file)
        server.get("/hello.txt?before")
        for name in ("e.log", "a.log"):
            os.rename(self.path("logs/" + name), self.path("logs/" + name + ".1"))
        server.get("/hello.txt?between")
        server.send(signal.SIGUSR1)
        for name in ("e.log", "a.log"):
            self.assertTrue(wait_until(lambda: os.path.exists(self.path("logs/" + name))), name)
        self.assertTrue(wait_until(lambda: "between" in self.read("logs/a.log.1")))
        server.get("/hello.txt?after")
        self.assertEqual(server.stop(), 0)
        old, new = self.read("logs/a.log.1"), self.read("logs/a.log")
        self.assertEqual([word in old for word in ("?before ", "?between ", "?after ")],
                         [True, True, False])
        self.assertEqual([word in new for word in ("?before ", "?between ", "?after ")],
                         [False, False, True])

    def test_failure_keeps_the_old_files(self):
        server = self.serve("-c", self.file)
        for name in ("e.log", "a.log"):
            os.rename(self.path("logs/" + name), self.path("logs/" + name + ".1"))
            os.mkdir(self.path("logs/" + name))
        server.send(signal.SIGUSR1)
        self.assertTrue(wait_until(lambda: self.read("logs/e.log.1").count("cannot be opened again") == 2))
        errors = self.read("logs/e.log.1")
        self.assertIn("error the error log cannot be opened again, the old file stays\n", errors)
        self.assertRegex(errors,
                         r"error access log \S+/a\.log cannot be opened again.*Is a directory")
        self.assertEqual(server.get("/hello.txt?after"), (200, b"hello\n"))
        self.assertEqual(server.stop(), 0)
        self.assertIn("?after ", self.read("logs/a.log.1"))

    def test_access_log_is_written_within_seconds(self):
        server = self.serve("-c", self.file)
        server.get("/hello.txt?now")
        self.assertTrue(wait_until(lambda: "?now " in self.read("logs/a.log"), 5))


class PidFile(Command):
    def test_life(self):
        os.mkdir(self.path("run"))
        if AS_ROOT:  # so that the user may remove it again
            os.chown(self.path("run"), pwd.getpwnam("nobody").pw_uid, -1)
        self.write("run/g.pid", "old\n")
        file = self.config('pid_file = "@DIR@/run/g.pid"')
        for number in (signal.SIGTERM, signal.SIGQUIT):
            server = self.serve("-c", file)
            self.assertEqual(self.read("run/g.pid"), f"{server.pid}\n")
            self.assertEqual(server.stop(number), 0)
            self.assertEqual(os.listdir(self.path("run")), [])

    def make(self, user='user = ""\nallow_root = on'):
        """A configuration with a pid file, in a folder that the server may write to."""
        os.mkdir(self.path("run"))
        os.mkdir(self.path("site/slow"))
        os.truncate(self.write("site/slow/big", ""), BIG)
        return self.config(f'{user if AS_ROOT else ""}\npid_file = "@DIR@/run/g.pid"\n'
                           'drain_timeout = 30s')

    def test_second_instance(self):
        """Neither empties the first one's file, nor removes it at its end."""
        file = self.make()
        server = self.serve("-c", file)
        for _ in range(2):
            self.assert_refused(1, rf"pid_file \S+/g\.pid: process {server.pid} has locked it",
                                "-c", file)
            self.assertEqual(self.read("run/g.pid"), f"{server.pid}\n")
        self.assertEqual(self.run_command("-t", "-c", file)[0], 0)  # disturbs nobody
        self.assertEqual(self.read("run/g.pid"), f"{server.pid}\n")
        self.assertEqual(server.stop(), 0)
        self.assertEqual(os.listdir(self.path("run")), [])

    def test_after_a_crash(self):
        """The lock ends with its process, whatever the file says."""
        file = self.make()
        server = self.serve("-c", file)
        server.send(signal.SIGKILL)
        server.wait()
        self.assertEqual(self.read("run/g.pid"), f"{server.pid}\n")
        successor = self.serve("-c", file)
        self.assertEqual(self.read("run/g.pid"), f"{successor.pid}\n")
        self.assertEqual(successor.stop(), 0)
        self.assertEqual(os.listdir(self.path("run")), [])

    def draining(self, file):
        """A server that drains, and the client that it waits for."""
        server = self.serve("-c", file)
        client = server.connect()
        self.addCleanup(client.close)
        client.sendall(b"GET /slow/big HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 200"))
        server.send(signal.SIGQUIT)
        return server, client

    def test_successor_of_a_draining_server(self):
        """It takes the file over, and keeps it when the old server ends."""
        file = self.make()
        server, client = self.draining(file)
        self.assertEqual(self.read("run/g.pid"), f"{server.pid}\n")
        successor = self.serve("-c", file)
        self.assertIsNone(server.process.poll())
        self.assertEqual(self.read("run/g.pid"), f"{successor.pid}\n")
        client.close()
        self.assertEqual(server.wait(), 0)
        self.assertEqual(self.read("run/g.pid"), f"{successor.pid}\n")
        self.assert_refused(1, f"process {successor.pid} has locked it", "-c", file)
        self.assertEqual(successor.stop(), 0)
        self.assertEqual(os.listdir(self.path("run")), [])

    def test_successor_that_crashed(self):
        """What the file says in the end is not the old server's to remove."""
        file = self.make()
        server, client = self.draining(file)
        successor = self.serve("-c", file)
        successor.send(signal.SIGKILL)
        successor.wait()
        client.close()
        self.assertEqual(server.wait(), 0)
        self.assertEqual(self.read("run/g.pid"), f"{successor.pid}\n")

    def test_lock_of_a_reader(self):
        """Whoever may read the file may lock it for reading: that keeps no server from starting."""
        file = self.make()
        self.write("run/g.pid", "")
        with open(self.path("run/g.pid"), encoding="ascii") as reader:
            fcntl.lockf(reader, fcntl.LOCK_SH)
            server = self.serve("-c", file)
            self.assertEqual(self.read("run/g.pid"), f"{server.pid}\n")
            self.assertEqual(server.stop(), 0)
        self.assertEqual(os.listdir(self.path("run")), [])


if __name__ == "__main__":
    unittest.main()
