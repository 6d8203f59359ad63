#!/usr/bin/python3
"""Workers that hang, crash, or lose their supervisor."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import time
import unittest

from supervised import (BINARY, WAIT_S, Supervised, children, environment, is_sanitized,
                        wait_until)
from command import end, free_port
from test_pairs import ENGINES

ALL = (*ENGINES, "iterative")
ASK = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def is_there(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Workers(Supervised):
    def each_engine(self, work):
        for name in ALL:
            with self.subTest(name):
                self.need_engine(name)
                work(name)


class Watchdog(Workers):
    def test_stopped(self):
        server = self.supervise(text="watchdog = 1s")
        worker, = self.workers(server)
        os.kill(worker, signal.SIGSTOP)
        self.assertTrue(wait_until(lambda: self.workers(server) not in ([], [worker])))
        self.assertTrue(wait_until(lambda: "serves again" in server.stderr()))
        self.assertRegex(server.stderr(), rf"error worker 0, process {worker}: an event loop has "
                                          r"made no turn for 1000 ms \(watchdog\); it is ended")
        self.assertRegex(server.stderr(), rf"process {worker}, was ended by signal 9 \(Killed\)")
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))
        self.assertEqual(server.stop(), 0)

    def test_one_of_two(self):
        server = self.supervise(text="watchdog = 1s\nprocesses = 2\naccept = shared")
        victim, other = self.workers(server)
        os.kill(victim, signal.SIGSTOP)
        self.assertTrue(wait_until(lambda: victim not in self.workers(server)))
        self.assert_one_generation(server, 2)
        self.assertIn(other, self.workers(server))

    def test_off(self):
        server = self.supervise(text="watchdog = 0")
        worker, = self.workers(server)
        os.kill(worker, signal.SIGSTOP)
        time.sleep(2)
        os.kill(worker, signal.SIGCONT)
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))
        self.assertEqual(self.workers(server), [worker])
        self.assertEqual(server.stderr(), "")

    def test_idle_ones_are_well(self):
        """All engines at once: each is asked some ten times, and a client that dawdles is none of
        the watchdog's."""
        servers = []

        def begin(name):
            self.control = self.path(f"control.{name}")
            server = self.supervise("-e", name, text='watchdog = 1s', name=f"{name}.conf")
            client = server.connect()
            self.addCleanup(client.close)
            client.sendall(ASK[:20])
            servers.append((name, server, self.workers(server), client))
        for name in ALL:
            with self.subTest(name):
                self.need_engine(name)
                begin(name)
        time.sleep(3.5)
        for name, server, workers, client in servers:
            with self.subTest(name):
                self.assertEqual(self.workers(server), workers, server.stderr())
                client.sendall(ASK[20:])
                self.assertRegex(client.recv(4096), rb"\AHTTP/1.1 200 ")
                self.assertLess(cpu_ticks(workers[0]), 50)
                self.assertNotRegex(server.stderr(), " (error|warn) ")

    def test_the_supervisor_is_stopped(self):
        """It has not looked for long, and blames nobody."""
        server = self.supervise(text="watchdog = 1s")
        workers = self.workers(server)
        server.send(signal.SIGSTOP)
        time.sleep(2.5)
        server.send(signal.SIGCONT)
        time.sleep(1.5)
        self.assertEqual(self.workers(server), workers)
        self.assertEqual(server.stderr(), "")


class BeforeReady(Workers):
    SLOW = "engine = multi-reactor\nthreads = 256\nstart_timeout = "  # takes a while to be ready

    def reload_but(self, server, number, start_timeout):
        """A reload whose new worker gets a signal before it is ready."""
        worker, = self.workers(server)
        self.conf(self.SLOW + start_timeout)

        async def meet():
            order = asyncio.create_task(asyncio.to_thread(self.order, "reload"))
            met = set()
            while not order.done():
                for pid in set(self.workers(server)) - {worker} - met:
                    os.kill(pid, number)
                    met.add(pid)
                await asyncio.sleep(0)
            self.assertEqual(len(met), 1)
            return await order
        status, out, err = asyncio.run(meet())
        self.assertEqual((status, out), (1, ""))
        self.assertTrue(wait_until(lambda: self.workers(server) == [worker]))
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))
        self.assertIn(err.split(": ", 1)[1], server.stderr())
        self.conf()
        self.assert_done("reload")
        return err

    def test_one_that_hangs(self):
        err = self.reload_but(self.supervise(), signal.SIGSTOP, "1s")
        self.assertRegex(err, "as before: its workers are not ready within start_timeout")

    def test_one_that_crashes(self):
        server = self.supervise()
        how = r"exited with status \d+" if is_sanitized(server.pid) else \
            r"was ended by signal 11 \(Segmentation fault\)"
        err = self.reload_but(server, signal.SIGSEGV, "1m")  # what a sanitizer says takes its time
        self.assertRegex(err, f"as before: worker 0 {how} before it was ready")


class EndedAtTheStart(Workers):
    """A server that is asked to end before its worker is ready ends well, and says how."""

    def launch(self, text, port):
        """Starts it, and does not wait until it serves; the process, and that of its worker."""
        env = environment()
        del env["GEARSHIFT_PROCESSES"]
        with open(self.path("stderr"), "wb") as stderr:
            server = subprocess.Popen(
                [BINARY, "-c", self.conf("log_level = info\n" + text, listen=f"127.0.0.1:{port}")],
                env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr)
        self.addCleanup(end, server)
        while not (workers := children(server.pid)):
            self.assertIsNone(server.poll(), self.read("stderr"))
        return server, workers[0]

    def assert_ends_well(self, server):
        status, log = server.wait(WAIT_S), self.read("stderr")
        self.assertEqual(status, 0, log)
        self.assertRegex(log, r"(?m) info ended: (stopped|drained)")
        self.assertNotRegex(log, "check failed|has died| error ")

    def test_the_worker_is_not_ready(self):
        """It has no handlers of signals yet, and ends by the signal."""
        for number in (signal.SIGTERM, signal.SIGQUIT):
            with self.subTest(number):
                server, worker = self.launch(BeforeReady.SLOW + "1m", 0)
                os.kill(worker, signal.SIGSTOP)
                server.send_signal(number)
                self.assertTrue(wait_until(lambda: ": SIG" in self.read("stderr")))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGCONT)
                self.assert_ends_well(server)

    def test_the_worker_becomes_ready(self):
        """The supervisor hears of both at once."""
        for number in (signal.SIGTERM, signal.SIGQUIT):
            with self.subTest(number):
                port = free_port()
                server, _ = self.launch("", port)
                server.send_signal(signal.SIGSTOP)
                with socket.create_connection(("127.0.0.1", port), WAIT_S) as client:
                    client.sendall(ASK)
                    self.assertRegex(client.recv(4096), rb"\AHTTP/1.1 200 ")
                server.send_signal(number)
                server.send_signal(signal.SIGCONT)
                self.assert_ends_well(server)


class Crashes(Workers):
    def test_the_signal_and_the_last_words(self):
        server = self.supervise(text='error_log = "@DIR@/error.log"')
        worker, = self.workers(server)
        with open(f"/proc/{worker}/fd/2", "w", encoding="ascii") as stderr:
            stderr.write("one\ntwo\nthree\nfour\nfive\n\nhttp/conn.c:7: f: check failed: 1 == 2\n")
        os.kill(worker, signal.SIGABRT)
        self.assertTrue(wait_until(lambda: "serves again" in self.read("error.log")))
        log = self.read("error.log")
        self.assertRegex(log, rf"process {worker}, was ended by signal 6 \(Aborted\)")
        self.assertRegex(log, rf"error worker 0, process {worker}, said at last: "
                              r"http/conn.c:7: f: check failed: 1 == 2\n")
        self.assertIn("said at last: two\n", log)
        self.assertNotIn("said at last: one\n", log)
        self.assertIn("http/conn.c:7: f: check failed: 1 == 2\n", server.stderr())

    def test_the_roots_are_the_workers_alone(self):
        """A file system can be unmounted, and who replaces a dead worker serves what is there then."""
        server = self.supervise(text="cache_valid = 100ms")
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))
        self.assert_done("reload")
        self.assertTrue(wait_until(lambda: not self.held_by(server.pid)), self.held_by(server.pid))
        self.assert_one_generation(server)
        worker, = self.workers(server)
        os.rename(self.site, self.site + ".before")
        os.kill(worker, signal.SIGKILL)
        self.assertTrue(wait_until(lambda: "cannot be opened" in server.stderr()))
        os.mkdir(self.site, 0o755)
        self.write("site/a.txt", "another\n")
        self.assertTrue(wait_until(lambda: "serves again" in server.stderr()))
        self.assertEqual(server.get("/a.txt"), (200, b"another\n"))
        self.assertEqual(self.held_by(server.pid), [])

    def held_by(self, pid):
        """Folders and files of the site that a process has open."""
        return [path for path in self.names_of(pid) if path.startswith(self.site)]

    def names_of(self, pid):
        """What a process has open."""
        names = []
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                names.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        return names

    def test_others_do_not_notice(self):
        """Of three, one is killed: who was with the others has every answer, and whoever comes is
        taken by them."""
        server = self.supervise(text="processes = 3\naccept = shared")
        with server.connect() as before:
            before.sendall(ASK)
            self.assertRegex(before.recv(4096), rb"\AHTTP/1.1 200 ")

        def sockets(pid):
            return sum(name.startswith("socket:") for name in self.names_of(pid))

        async def work():  # on a busy machine one of them may have all
            os.kill(min(self.workers(server), key=sockets), signal.SIGKILL)
            await asyncio.sleep(1)
        clients = self.under_load(server, work, kept=30, idle=30, rate=300, new=100)
        kept_by_victim = clients.counts["reset"] + clients.counts["lost"] + clients.counts["closed"]
        self.assertLess(kept_by_victim, 60, clients.counts)  # not those of all
        self.assertEqual(clients.counts["refused"], 0)
        self.assertGreater(clients.counts["answered"], 300)
        self.assert_one_generation(server, 3)


class Orphans(Workers):
    def orphan(self, name):
        server = self.supervise("-e", name, name=f"{name}.conf")
        worker, = self.workers(server)
        descendants = {worker, *children(worker)}
        with server.connect() as kept:
            kept.sendall(ASK)
            self.assertRegex(kept.recv(4096), rb"\AHTTP/1.1 200 ")
            descendants |= set(children(worker))
            server.process.kill()
            server.wait()
            self.assertTrue(wait_until(lambda: not any(map(is_there, descendants))))
            self.assertEqual(kept.recv(1), b"")
        self.assertIn("the supervisor has died: draining", server.stderr())
        os.remove(self.control)

    def test_each_engine(self):
        self.each_engine(self.orphan)

    def test_before_ready(self):
        """The supervisor dies while its workers start: none stays."""
        for delay_ms in (0, 2, 5, 10, 20, 40):
            server = self.supervise(text="processes = 4\naccept = shared", name="many.conf")
            server.send(signal.SIGHUP)
            time.sleep(delay_ms / 1000)
            pids = self.workers(server)
            server.process.kill()
            server.wait()
            self.assertTrue(wait_until(lambda: not any(map(is_there, pids))), pids)
            os.remove(self.control)

    def test_answers_in_progress_are_finished(self):
        self.write("site/large", "x" * (1 << 24))
        server = self.supervise()
        with server.connect() as client:
            client.sendall(ASK.replace(b"a.txt", b"large"))
            got = len(client.recv(1 << 16))
            server.process.kill()
            server.wait()
            time.sleep(0.2)
            while piece := client.recv(1 << 20):
                got += len(piece)
        self.assertGreater(got, 1 << 24)


if __name__ == "__main__":
    unittest.main()
