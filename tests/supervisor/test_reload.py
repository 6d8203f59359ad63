#!/usr/bin/python3
"""Reloads: what is taken, what is refused, and that the one that serves goes on meanwhile."""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
import unittest

from supervised import AS_ROOT, BINARY, Supervised, environment, is_sanitized, memory_kib, wait_until
from command import free_port  # behind it: it says where that lies


class Taken(Supervised):
    def test_by_signal_under_load(self):
        server = self.supervise()

        async def work():
            for _ in range(5):
                server.send(signal.SIGHUP)
                await asyncio.sleep(0.3)
        self.assert_nothing_lost(self.under_load(server, work))
        self.assert_one_generation(server)

    def test_the_same_connection(self):
        server = self.supervise()
        with server.connect() as kept:
            answers = kept.makefile("rb")

            def ask():
                kept.sendall(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertEqual(answers.readline(), b"HTTP/1.1 200 OK\r\n")
                while answers.readline() != b"\r\n":
                    pass
                self.assertEqual(answers.read(6), b"hello\n")
            ask()
            for _ in range(3):
                before = self.workers(server)
                self.assert_done("reload")
                self.assertTrue(wait_until(lambda: not set(before) & set(self.workers(server))))
                ask()

    def test_an_address_appears_and_disappears(self):
        server = self.supervise()
        path = self.path("g.sock")
        self.conf(server=f'listen = {{"127.0.0.1:0", "unix:{path}"}}')
        whole = self.read("server.conf").replace('    listen = {"127.0.0.1:0"}\n', "", 1)
        self.write("server.conf", whole)
        self.assert_done("reload")
        number = os.stat(path).st_ino

        def asks():
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
                client.sendall(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return client.recv(15)
        self.assertEqual(asks(), b"HTTP/1.1 200 OK")
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))
        self.assert_done("reload")
        self.assert_one_generation(server)
        self.assertEqual(os.stat(path).st_ino, number)  # an old worker's end takes nothing away
        self.assertEqual(asks(), b"HTTP/1.1 200 OK")
        self.conf()
        self.assert_done("reload")
        self.assertTrue(wait_until(lambda: not os.path.exists(path)))
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))

    def test_an_address_disappears_though_a_client_stays(self):
        """Its connection cannot move, so the old worker stays: new ones are refused all the same, and
        do not wait for nobody in the queue of a socket."""
        engines = ("reactor", "multi-reactor", "proactor", "process-per-connection")
        server = self.supervise()
        path, port = self.path("g.sock"), free_port()
        for engine in engines:
            self.conf(f"engine = {engine}")
            one = self.read("server.conf")
            self.write("server.conf", one.replace(
                '{"127.0.0.1:0"}', f'{{"127.0.0.1:0", "127.0.0.1:{port}", "unix:{path}"}}'))
            self.assert_done("reload")
            with socket.create_connection(("127.0.0.1", port)) as stays:
                stays.settimeout(20)

                def ask():
                    stays.sendall(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    return stays.recv(4096)
                self.assertIn(b" 200 OK\r\n", ask())
                self.write("server.conf", one)
                self.assert_done("reload")
                with self.assertRaises(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.1", port), 5)
                self.assertFalse(os.path.exists(path))
                self.assertIn(b"\r\nConnection: close\r\n", ask())

    def test_one_address_in_the_place_of_another(self):
        """All of the machine's at the same port, and one again: the kernel lets both listen until the
        old worker has left its own."""
        port = free_port()
        server = self.supervise(listen=f"127.0.0.1:{port}")

        def listens(address):
            with socket.create_connection((address, port), 5) as client:
                client.settimeout(20)
                client.sendall(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
                return client.recv(15) == b"HTTP/1.1 200 OK"
        for engine in ("reactor", "multi-reactor", "proactor"):
            self.conf(f"engine = {engine}", listen=f"0.0.0.0:{port}")
            self.assert_done("reload")
            self.assertTrue(listens("127.0.0.1") and listens("127.0.0.2"))
            self.conf(f"engine = {engine}", listen=f"127.0.0.1:{port}")
            self.assert_done("reload")
            self.assertTrue(listens("127.0.0.1"))
            self.assertRaises(ConnectionRefusedError, listens, "127.0.0.2")
        self.assertEqual(server.stop(), 0)

    def test_another_root(self):
        server = self.supervise()
        os.mkdir(self.path("other"))
        self.write("other/a.txt", "other\n")
        self.write("server.conf", self.read("server.conf").replace("/site", "/other"))
        self.assert_done("reload")
        self.assertEqual(server.get("/a.txt"), (200, b"other\n"))

    def test_fifty_in_a_row(self):
        server = self.supervise()

        async def work():
            for _ in range(50):
                server.send(signal.SIGHUP)
                await asyncio.sleep(0.05)
                self.assertLessEqual(len(self.workers(server)), 10)  # 8 that end
        self.assert_nothing_lost(self.under_load(server, work))
        self.assert_one_generation(server)

    def test_nothing_grows(self):
        server = self.supervise()

        def settle():
            self.assertTrue(wait_until(
                lambda: '"workers_ending":0' in self.assert_done("status", "--json")))
            return len(os.listdir(f"/proc/{server.pid}/fd")), memory_kib(server.pid)
        for _ in range(20):
            self.assert_done("reload")
        files, memory = settle()
        for _ in range(100):
            self.assert_done("reload")
        _, after_memory = settle()
        # The end of a client, or of a worker, may not have been seen yet.
        self.assertTrue(wait_until(lambda: settle()[0] <= files), (settle(), files))
        if not is_sanitized(server.pid):
            self.assertLess(after_memory, memory + 200)

    def test_a_test_opens_no_listening_socket(self):
        """nginx lost what was in a queue by that."""
        server = self.supervise()
        port = server.address[1]
        file = self.conf(server="").replace("server.conf", "test.conf")
        self.write("test.conf", self.read("server.conf").replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        trace = self.path("trace")
        if shutil.which("strace") is None:
            self.skipTest("no strace")
        done = subprocess.run(["strace", "-f", "-o", trace, "-e", "trace=listen,bind", BINARY, "-c",
                               file, "-t"], env=environment(), capture_output=True, check=False)
        if b"ptrace" in done.stderr:
            self.skipTest("strace may not trace")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotRegex(self.read("trace"), r"listen\(")
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))

    def test_paths_that_take_a_restart(self):
        server = self.supervise(text='pid_file = "@DIR@/a.pid"')
        self.write("server.conf", self.read("server.conf").replace("a.pid", "b.pid")
                   .replace("/control\"", "/other\""))
        self.assert_done("reload")
        self.assertRegex(server.stderr(), r"warn pid_file = .*b\.pid takes a restart: the server "
                                          r"keeps .*a\.pid")
        self.assertRegex(server.stderr(), "warn control = .*other takes a restart: the server keeps "
                                          ".*control")
        self.assertEqual(self.read("a.pid"), f"{server.pid}\n")
        self.assertFalse(os.path.exists(self.path("b.pid")))
        self.assert_done("status")

    def test_an_error_log_elsewhere(self):
        server = self.supervise(text='error_log = "@DIR@/one.log"')
        self.write("server.conf", self.read("server.conf").replace("one.log", "two.log"))
        self.assert_done("reload")
        self.assertTrue(wait_until(lambda: "has ended" in self.read("two.log")))
        self.assertNotIn("generation 1 has ended", self.read("one.log"))
        self.assertEqual(server.stop(), 0)
        self.assertIn("ended: stopped", self.read("two.log"))

    @unittest.skipUnless(AS_ROOT, "only root can become another user")
    def test_another_user(self):
        server = self.supervise(text='user = "nobody"')
        self.write("server.conf", self.read("server.conf").replace("nobody", "daemon"))
        self.assert_done("reload")
        self.assert_one_generation(server)
        worker, = self.workers(server)
        with open(f"/proc/{worker}/status", encoding="ascii") as file:
            self.assertIn(f"Uid:\t{pwd.getpwnam('daemon').pw_uid}\t", file.read())
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))


class Refused(Supervised):
    def assert_goes_on(self, server, status, sentence, *words):
        before = self.workers(server)
        result = self.order(*words)
        self.assertEqual((result[0], result[1]), (status, ""), result)
        self.assertRegex(result[2], sentence)
        self.assertRegex(server.stderr(), sentence)
        self.assertTrue(wait_until(lambda: self.workers(server) == before))
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))

    def test_configurations(self):
        server = self.supervise()
        for text, status, sentence in (
                ("no_such_key = 1", 78, "no_such_key"),
                ("engine = no-such", 78, "no-such"),
                ("engine = reactor\nthreads = 4", 78, "threads = 4"),
                ("processes = 0", 78, "processes = 0 takes the supervisor away"),
                ('error_log = "/no/such/folder/e.log"', 78, "/no/such/folder"),
                ('include("/no/such/file")', 78, "/no/such/file")):
            with self.subTest(text):
                self.conf(text)
                self.assert_goes_on(server, status, sentence, "reload")
        self.conf(server='root = "/no/such/root"')
        self.assert_goes_on(server, 78, "root", "reload")
        os.remove(self.path("server.conf"))
        self.assert_goes_on(server, 78, "server.conf", "reload")
        self.conf()
        self.assert_done("reload")

    def test_shifts(self):
        server = self.supervise()
        self.assert_goes_on(server, 78, "'gearbox' is not built in", "shift", "gearbox")
        self.assert_goes_on(server, 78, "needs multi-reactor", "shift", "reactor", "threads=3")
        self.assertEqual(self.order("shift")[0], 2)
        self.assertEqual(self.order("shift", "threads=3")[0], 2)

    def test_an_address_that_is_taken(self):
        server = self.supervise()
        with socket.create_server(("127.0.0.1", 0)) as other:
            self.write("server.conf", self.read("server.conf").replace(
                '"127.0.0.1:0"', f'"127.0.0.1:{other.getsockname()[1]}"'))
            self.assert_goes_on(server, 1, "another process listens", "reload")


class Workers(Supervised):
    def test_killed(self):
        server = self.supervise()
        worker, = self.workers(server)
        os.kill(worker, signal.SIGKILL)
        self.assertTrue(wait_until(lambda: self.workers(server) not in ([], [worker])))
        self.assertTrue(wait_until(lambda: "serves again" in server.stderr()))
        self.assertRegex(server.stderr(), rf"worker 0, process {worker}, was ended by signal 9 "
                                          r"\(Killed\); a new one starts in 100 ms")
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))

    def test_one_of_several_killed(self):
        server = self.supervise(text="processes = 2\naccept = shared")
        victim = self.workers(server)[0]

        async def work():
            os.kill(victim, signal.SIGKILL)
            await asyncio.sleep(0.5)
        clients = self.under_load(server, work, idle=0)
        self.assertEqual(clients.counts["refused"], 0)
        self.assert_one_generation(server, 2)

    def test_crash_loop(self):
        server = self.supervise()
        begun = time.monotonic()
        for _ in range(4):
            self.assertTrue(wait_until(lambda: self.workers(server)))
            for worker in self.workers(server):
                os.kill(worker, signal.SIGKILL)
            self.assertTrue(wait_until(lambda: not self.workers(server)))
        self.assertRegex(server.stderr(), "a new one starts in 800 ms")
        self.assertTrue(wait_until(lambda: self.workers(server)))
        self.assertGreater(time.monotonic() - begun, 1.4)  # 100 + 200 + 400 + 800 ms
        self.assertTrue(wait_until(lambda: "serves again" in server.stderr()))

    def test_the_supervisor_is_killed(self):
        server = self.supervise()
        worker, = self.workers(server)
        with server.connect() as kept:
            kept.sendall(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(kept.recv(4096).startswith(b"HTTP/1.1 200"))
            server.process.kill()
            server.wait()
            self.assertTrue(wait_until(lambda: not os.path.exists(f"/proc/{worker}")))
            self.assertEqual(kept.recv(1), b"")

    def test_drained_and_stopped(self):
        for words, number in ((("drain",), None), (("stop",), None), ((), signal.SIGTERM),
                              ((), signal.SIGINT), ((), signal.SIGQUIT)):
            with self.subTest(words=words, number=number):
                server = self.supervise()
                if words:
                    self.assert_done(*words)
                else:
                    server.send(number)
                self.assertEqual(server.wait(), 0)
                self.assertFalse(os.path.exists(self.control))


if __name__ == "__main__":
    unittest.main()
