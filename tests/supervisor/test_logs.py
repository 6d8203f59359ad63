#!/usr/bin/python3
"""Logs of workers are opened again after root was given up, by the supervisor, for all generations."""

import os
import signal
import socket
import unittest

from supervised import AS_ROOT, Supervised, wait_until

LOGS = 'error_log = "@DIR@/logs/error.log"\naccess_log = "@DIR@/logs/access.log"'
ASK = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Logs(Supervised):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("logs"), 0o755)  # as root, who serves may not write there

    def rotate(self, mark):
        for name in ("error.log", "access.log"):
            os.rename(self.path(f"logs/{name}"), self.path(f"logs/{name}.{mark}"))

    def has(self, name, text):
        return wait_until(lambda: text in self.read(f"logs/{name}"))

    def reopened(self, engine):
        self.control = self.path(f"control.{engine}")
        for name in os.listdir(self.path("logs")):
            os.remove(self.path(f"logs/{name}"))
        server = self.supervise("-e", engine, text=LOGS, name=f"{engine}.conf")
        with server.connect() as kept:  # has a thread or a process of its own, where there are such
            def ask():
                kept.sendall(ASK)
                answer = b""
                while not answer.endswith(b"hello\n"):
                    answer += kept.recv(4096)
                self.assertRegex(answer, rb"\AHTTP/1.1 200 ")
            ask()
            self.assertTrue(self.has("access.log", "GET /a.txt"))
            self.rotate(engine)
            self.assert_done("reopen")
            # A child looks at the order between two requests.
            self.assertTrue(wait_until(lambda: ask() or self.read("logs/access.log") != ""))
            self.assertEqual(server.get("/none.txt")[0], 404)
            self.assertTrue(self.has("access.log", "GET /none.txt"))
            worker, = self.workers(server)
            os.kill(worker, signal.SIGKILL)
            self.assertTrue(self.has("error.log", "serves again"))
        self.assertEqual(server.get("/after.txt")[0], 404)
        self.assertTrue(self.has("access.log", "GET /after.txt"))  # of the new worker
        self.assertNotIn("none.txt", self.read(f"logs/access.log.{engine}"))
        self.assertEqual(server.stop(), 0)

    def test_each_kind_of_engine(self):
        for name in ("multi-reactor", "leader-followers", "proactor", "thread-per-connection",
                     "process-per-connection"):
            with self.subTest(name):
                self.need_engine(name)
                self.reopened(name)

    def test_by_signal(self):
        server = self.supervise(text=LOGS + "\nprocesses = 2\naccept = shared")
        self.rotate("old")
        server.send(signal.SIGUSR1)
        self.assertTrue(wait_until(lambda: os.path.exists(self.path("logs/access.log"))))
        for _ in range(20):
            server.get("/a.txt")

        def lines(*names):
            return sum(self.read(f"logs/{name}").count("/a.txt") for name in names)
        # The supervisor opens the file before the workers take it, and until then they use the old.
        self.assertTrue(wait_until(lambda: lines("access.log.old", "access.log") == 20))
        self.assertGreater(lines("access.log"), 0)

    def test_one_that_cannot_be_opened(self):
        server = self.supervise(text=LOGS)
        self.rotate("old")
        os.mkdir(self.path("logs/access.log"))
        status, out, err = self.order("reopen")
        self.assertEqual((status, out), (78, ""))
        self.assertRegex(err, "cannot be opened again, the old file stays; the error log says which")
        self.assertTrue(self.has("error.log", "access.log cannot be written: "))
        self.assertIn("the old file stays", self.read("logs/error.log"))
        server.get("/a.txt")
        self.assertTrue(self.has("access.log.old", "GET /a.txt"))
        os.rmdir(self.path("logs/access.log"))
        self.assert_done("reopen")
        server.get("/b.txt")
        self.assertTrue(self.has("access.log", "GET /b.txt"))

    def test_an_old_generation(self):
        """It serves a client who takes his time, and logs elsewhere."""
        self.write("site/large", "x" * (1 << 24))
        server = self.supervise(text=LOGS)
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(server.address)
            client.sendall(ASK.replace(b"a.txt", b"large"))
            client.recv(100)
            self.conf(LOGS.replace("access.log", "new.log"))
            self.assert_done("reload")
            self.assertEqual(len(self.workers(server)), 2)
            self.rotate("old")
            self.assert_done("reopen")
            while client.recv(1 << 20):
                if len(self.workers(server)) == 1:
                    break
        self.assertTrue(self.has("access.log", "GET /large"))
        server.get("/a.txt")
        self.assertTrue(self.has("new.log", "GET /a.txt"))

    @unittest.skipUnless(AS_ROOT, "only root can become another user")
    def test_root_is_given_up(self):
        server = self.supervise(text=LOGS + '\nuser = "nobody"')
        worker, = self.workers(server)
        with open(f"/proc/{worker}/status", encoding="ascii") as file:
            self.assertNotRegex(file.read(), r"Uid:\t0")
        self.assertEqual(os.stat(self.path("logs")).st_uid, 0)
        self.rotate("old")
        self.assert_done("reopen")
        server.get("/a.txt")
        self.assertTrue(self.has("access.log", "GET /a.txt"))


if __name__ == "__main__":
    unittest.main()
