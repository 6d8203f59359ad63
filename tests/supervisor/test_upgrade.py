#!/usr/bin/python3
"""Another binary takes the place of the one that runs, in the same process, and no client notices."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import ssl
import sys
import unittest

from supervised import BINARY, Supervised, is_sanitized, memory_kib, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../pki"))
import make_pki  # noqa: E402


class Upgrades(Supervised):
    """Started from a copy of the binary, which is then replaced."""

    def setUp(self):
        super().setUp()
        self.copy = self.path("bin/gearshift")
        os.mkdir(self.path("bin"))
        self.replace()

    def replace(self, script=None):
        """Puts another file there, as package managers do: by rename."""
        fresh = self.path("bin/.new")
        if script is None:
            shutil.copy(BINARY, fresh)
        else:
            with open(fresh, "w", encoding="utf-8") as file:
                file.write(script)
            os.chmod(fresh, 0o755)
        os.rename(fresh, self.copy)

    def upgradable(self, text="", server="", **options):
        return self.supervise(text=text, server=server, binary=self.copy, **options)

    def has_accepted(self, pid, client):
        """Whether this process holds the other end of a client's TCP connection (proc_pid_net(5))."""
        ends = tuple(f":{port:04X}" for port in (client.getpeername()[1], client.getsockname()[1]))
        with open(f"/proc/{pid}/net/tcp", encoding="ascii") as file:
            rows = [line.split() for line in file]
        sockets = {f"socket:[{row[9]}]" for row in rows
                   if row[1].endswith(ends[0]) and row[2].endswith(ends[1])}
        held = set()
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                held.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
        return bool(sockets & held)

    def running(self, server):
        return os.stat(f"/proc/{server.pid}/exe").st_ino


class Taken(Upgrades):
    def test_five_under_load(self):
        server = self.upgradable("drain_timeout = 20s")
        seen = [self.running(server)]

        async def work():
            for _ in range(5):
                self.replace()
                told = await self.order_meanwhile("upgrade")
                self.assertRegex(told, "has taken over: generation [0-9]+ serves")
                seen.append(self.running(server))
                await asyncio.sleep(0.1)
        clients = self.under_load(server, work, kept=50, idle=50, rate=500, new=100)
        self.assert_nothing_lost(clients)
        self.assertTrue(all(a != b for a, b in zip(seen, seen[1:])), seen)
        self.assert_one_generation(server)
        self.assertEqual(server.stop(), 0)

    def test_from_engine_to_engine(self):
        self.need_engine("proactor")
        server = self.upgradable("processes = 2\naccept = shared\nworkers = 400")

        async def work():
            for engine in ("proactor", "thread-pool", "reactor"):
                self.conf(f"engine = {engine}\nprocesses = 2\naccept = shared\nworkers = 400")
                await self.order_meanwhile("upgrade")
        self.assert_nothing_lost(self.under_load(server, work, kept=30, idle=30, rate=200, new=50))
        self.assert_one_generation(server, 2)

    def test_all_works_afterwards(self):
        pid_file = self.path("pid")
        server = self.upgradable(f'pid_file = "{pid_file}"')
        before = self.workers(server)
        server.send(signal.SIGUSR2)
        self.assertTrue(wait_until(lambda: self.workers(server) not in ([], before)
                                   and len(self.workers(server)) == 1))
        self.assertEqual(self.read("pid"), f"{server.pid}\n")
        self.assertIn("generation 2,", self.assert_done("status"))
        self.assert_done("reload")
        self.assertIn("engine coroutine,", self.assert_done("shift", "coroutine"))
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))
        self.assert_done("reopen")
        worker, = self.workers(server)
        os.kill(worker, signal.SIGKILL)
        self.assertTrue(wait_until(lambda: "serves again" in server.stderr()))
        self.assert_done("upgrade")
        self.assert_done("drain")
        self.assertEqual(server.wait(), 0)
        self.assertFalse(os.path.exists(pid_file) or os.path.exists(self.control))

    def test_a_unix_socket_stays(self):
        path = self.path("g.sock")
        server = self.upgradable()
        self.conf(server=f'listen = {{"127.0.0.1:0", "unix:{path}"}}')
        whole = self.read("server.conf").replace('    listen = {"127.0.0.1:0"}\n', "", 1)
        self.write("server.conf", whole)
        self.assert_done("reload")
        number = os.stat(path).st_ino
        self.assert_done("upgrade")
        self.assert_one_generation(server)
        self.assertEqual(os.stat(path).st_ino, number)
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))
        self.assertEqual(server.stop(), 0)
        self.assertFalse(os.path.exists(path))

    def test_counters_go_on(self):
        server = self.upgradable(server='status_page = "/status"')
        for _ in range(7):
            server.get("/a.txt")
        self.assert_done("upgrade")
        status, page = server.get("/status?format=prometheus")
        self.assertEqual(status, 200)
        line, = [line for line in page.decode().splitlines()
                 if line.startswith('gearshift_requests_total{method="GET"')]
        self.assertGreaterEqual(float(line.split()[-1]), 7)

    def test_old_workers_are_watched_and_write_to_new_logs(self):
        """Until they have ended, the other binary's workers are what all workers are."""
        server = self.upgradable('watchdog = 2s\naccess_log = "@DIR@/a.log"\ndrain_timeout = 1h')
        old, = self.workers(server)
        with server.connect() as kept:
            kept.sendall(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n")  # the old worker keeps it
            self.assertTrue(wait_until(lambda: self.has_accepted(old, kept)))
            self.assert_done("upgrade")
            os.rename(self.path("a.log"), self.path("a.log.1"))
            self.assert_done("reopen")
            kept.sendall(b"\r\n")
            self.assertTrue(kept.recv(4096).startswith(b"HTTP/1.1 200"))
            self.assertTrue(wait_until(lambda: "/a.txt" in self.read("a.log")))
        self.assertTrue(wait_until(lambda: old not in self.workers(server)))
        old, = self.workers(server)
        with server.connect() as kept:
            kept.sendall(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n")
            self.assertTrue(wait_until(lambda: self.has_accepted(old, kept)))
            self.assert_done("upgrade")
            os.kill(old, signal.SIGSTOP)
            self.assertTrue(wait_until(lambda: old not in self.workers(server)))
        self.assertRegex(server.stderr(), rf"process {old}: an event loop has made no turn for 2000 ms")
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))

    def test_a_shift_that_waits_is_not_lost(self):
        server = self.upgradable()
        server.send(signal.SIGUSR2)
        self.assertTrue(wait_until(lambda: "is tried with" in server.stderr()))
        self.assertIn("engine coroutine,", self.assert_done("shift", "coroutine"))

    def test_nothing_grows(self):
        server = self.upgradable()
        for _ in range(3):
            self.assert_done("upgrade")
        self.assert_one_generation(server)
        files, memory = len(os.listdir(f"/proc/{server.pid}/fd")), memory_kib(server.pid)
        for _ in range(47):
            self.assert_done("upgrade")
        self.assert_one_generation(server)
        self.assertTrue(wait_until(lambda: len(os.listdir(f"/proc/{server.pid}/fd")) <= files))
        if not is_sanitized(server.pid):
            self.assertLess(memory_kib(server.pid), memory + 200)


class Queues(Upgrades):
    def test_own_sockets_of_loops_stay(self):
        """accept = reuseport: a queue for each loop, with clients in it."""
        text = "engine = multi-reactor\nthreads = 2\nprocesses = 2\naccept = reuseport"
        server = self.upgradable(text)

        async def work():
            for _ in range(3):
                await self.order_meanwhile("upgrade")
            self.conf(text.replace("threads = 2", "threads = 1"))
            await self.order_meanwhile("upgrade")
        self.assert_nothing_lost(self.under_load(server, work, kept=20, idle=20, rate=100, new=100))
        self.assert_one_generation(server, 2)


class Refused(Upgrades):
    def assert_goes_on(self, server, status, sentence):
        before, number = self.workers(server), self.running(server)
        result = self.order("upgrade")
        self.assertEqual((result[0], result[1]), (status, ""), result)
        self.assertRegex(result[2], "the upgrade is not done, the server goes on as before: " + sentence)
        self.assertRegex(server.stderr(), sentence)
        self.assertEqual(self.workers(server), before)
        self.assertEqual(self.running(server), number)
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))

    def test_binaries(self):
        server = self.upgradable("start_timeout = 2s")
        for script, status, sentence in (
                ("no program\n", 1, ".*: it cannot be executed: Exec format error"),
                ("#!/bin/sh\necho gearshift: too old >&2; exit 78\n", 78,
                 ".* -t exited with status 78: too old"),
                ("#!/bin/sh\nkill -SEGV $$\n", 1, ".* was ended by signal 11"),
                ("#!/bin/sh\nexec sleep 60\n", 1, ".*since start_timeout was over"),
                ("#!/bin/sh\nexec yes\n", 1, ".*since start_timeout was over: y y y")):
            with self.subTest(sentence):
                self.replace(script)
                self.assert_goes_on(server, status, sentence)
        os.remove(self.copy)
        self.assert_goes_on(server, 1, ".*: it cannot be executed: No such file")
        self.replace()
        self.assert_done("upgrade")
        self.assertNotEqual(self.running(server), os.stat(BINARY).st_ino)

    def test_configurations(self):
        server = self.upgradable()
        for text, sentence in (("no_such_key = 1", ".*no_such_key"),
                               ("engine = no-such", ".*no-such"),
                               ('error_log = "/no/such/folder/e.log"', ".*/no/such/folder")):
            with self.subTest(text):
                self.conf(text)
                self.assert_goes_on(server, 78, sentence)
        self.conf()
        self.assert_done("upgrade")

    def test_workers_that_do_not_come_to_serve(self):
        """-t finds nothing, and the start fails all the same: the binary of before comes back."""
        server = self.upgradable()
        number = self.running(server)
        self.replace()
        self.conf("processes = 0")

        async def work():
            status, _, err = await asyncio.to_thread(self.order, "upgrade")
            self.assertEqual(status, 78)
            self.assertRegex(err, "the upgrade is not done, the server goes on as before: .*"
                                  "processes = 0 takes the supervisor away")
        self.assert_nothing_lost(self.under_load(server, work, kept=20, idle=20, rate=100, new=20))
        self.assertEqual(self.running(server), number)
        self.assertTrue(wait_until(lambda: "generation 2 serves" in server.stderr()))
        self.assert_one_generation(server)
        self.conf()
        self.assert_done("reload")
        self.assert_done("upgrade")
        self.assertNotEqual(self.running(server), number)
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))
        self.assertEqual(server.stop(), 0)


class Tls(Upgrades):
    def upgradable_with_tls(self):
        """A server, and what a client of it has to know."""
        make_pki.make(self.path("pki"))
        server = self.upgradable(server=f'certificate = "{self.path("pki")}/localhost-rsa.pem"\n'
                                        f'key = "{self.path("pki")}/localhost-rsa.key"',
                                 listen="127.0.0.1:0 tls")
        return server, ssl.create_default_context(cafile=self.path("pki/ca.pem"))

    def test_tickets_stay(self):
        server, context = self.upgradable_with_tls()
        context.maximum_version = ssl.TLSVersion.TLSv1_2

        def ask(session):
            plain = socket.create_connection(server.address)
            with context.wrap_socket(plain, server_hostname="localhost", session=session) as client:
                client.sendall(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                self.assertTrue(client.recv(4096).startswith(b"HTTP/1.1 200"))
                return client.session_reused, client.session
        resumed, session = ask(None)
        self.assertFalse(resumed)
        for _ in range(2):
            self.assert_done("upgrade")
            self.assert_one_generation(server)
            self.assertTrue(ask(session)[0])

    def test_under_load(self):
        server, context = self.upgradable_with_tls()

        async def work():
            for _ in range(3):
                await self.order_meanwhile("upgrade")
        clients = self.under_load(server, work, context=context, kept=20, idle=0, rate=100, new=10)
        self.assert_nothing_lost(clients, told=None)


if __name__ == "__main__":
    unittest.main()
