#!/usr/bin/python3
"""What a service manager hears (sd_notify(3)), on a socket of our own: order and content."""

import os
import signal
import socket
import time
import unittest

from supervised import Supervised, WAIT_S, environment, wait_until


class Manager(Supervised):
    def setUp(self):
        super().setUp()
        self.socket = self.listen(self.path("notify"))
        self.name = self.path("notify")

    def listen(self, name):
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind(name)
        manager.settimeout(WAIT_S)
        manager.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        return manager

    def hear(self):
        """The next message, and who has sent it."""
        data, extra, _, _ = self.socket.recvmsg(4096, 256)
        pid = int.from_bytes(extra[0][2][:4], "little")
        return dict(line.split("=", 1) for line in data.decode().splitlines()), pid

    def assert_heard(self, server, key, **but):
        """The next message but those of the watchdog is that one, from the server itself."""
        while True:
            message, pid = self.hear()
            self.assertEqual(pid, server.pid)
            if "WATCHDOG" not in message:
                break
        self.assertEqual(message.get(key), "1", message)
        return message

    def assert_ready(self, server, engine="reactor", port=True):
        message = self.assert_heard(server, "READY")
        self.assertEqual(message["MAINPID"], str(server.pid))
        self.assertRegex(message["STATUS"], rf"gearshift [0-9.]+, engine {engine}, listening on "
                                            rf"127\.0\.0\.1:{server.address[1]}")
        return message

    def assert_reloading(self, server, since):
        message = self.assert_heard(server, "RELOADING")
        self.assertGreaterEqual(int(message["MONOTONIC_USEC"]), since)

    def assert_silent(self):
        self.socket.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            self.socket.recv(4096)
        self.socket.settimeout(WAIT_S)

    def managed(self, *arguments, text="", watchdog_us=None):
        env = environment(NOTIFY_SOCKET=self.name)
        del env["GEARSHIFT_PROCESSES"], env["GEARSHIFT_CONTROL"]
        if watchdog_us is not None:
            env["WATCHDOG_USEC"] = str(watchdog_us)
        return self.serve("-c", self.conf(text), *arguments, env=env)


def now_us():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


class Told(Manager):
    def test_a_life(self):
        server = self.managed()
        self.assert_ready(server)
        since = now_us()
        self.assert_done("reload")
        self.assert_reloading(server, since)
        self.assert_ready(server)
        since = now_us()
        server.send(signal.SIGHUP)
        self.assert_reloading(server, since)
        self.assert_ready(server)
        self.assert_done("shift", "coroutine")
        self.assert_reloading(server, since)
        self.assert_ready(server, "coroutine")
        self.conf("no_such_key = 1")
        self.assertEqual(self.order("reload")[0], 78)
        self.assert_reloading(server, since)
        self.assertIn("refused", self.assert_ready(server, "coroutine")["STATUS"])
        self.assertEqual(self.order("upgrade")[0], 78)
        self.assert_reloading(server, since)
        self.assertIn("refused", self.assert_ready(server, "coroutine")["STATUS"])
        self.conf()
        since = now_us()
        self.assert_done("upgrade")
        self.assert_reloading(server, since)
        self.assertNotIn("refused", self.assert_ready(server)["STATUS"])
        server.send(signal.SIGTERM)
        self.assert_heard(server, "STOPPING")
        self.assertEqual(server.wait(), 0)
        self.assert_silent()

    def test_drained(self):
        server = self.managed()
        self.assert_ready(server)
        server.send(signal.SIGQUIT)
        self.assert_heard(server, "STOPPING")
        self.assertEqual(server.wait(), 0)
        self.assert_silent()

    def test_two_reloads_end_once(self):
        """What is told to be ready is what was asked for last."""
        server = self.managed()
        self.assert_ready(server)
        os.kill(server.pid, signal.SIGSTOP)
        server.send(signal.SIGHUP)
        server.send(signal.SIGUSR2)
        os.kill(server.pid, signal.SIGCONT)
        self.assert_heard(server, "RELOADING")
        self.assert_heard(server, "RELOADING")
        self.assert_ready(server)
        self.assert_silent()
        self.assertIn("generation 3", self.assert_done("status"))

    def test_a_start_that_fails(self):
        env = environment(NOTIFY_SOCKET=self.name)
        status, _, _ = self.run_command("-c", self.conf("engine = no-such"), env=env)
        self.assertEqual(status, 78)
        self.assert_silent()

    def test_an_abstract_socket(self):
        name = f"gearshift-test-{os.getpid()}"
        self.socket = self.listen("\0" + name)
        self.name = "@" + name
        server = self.managed()
        self.assert_ready(server)
        self.assertEqual(server.stop(), 0)
        self.assert_heard(server, "STOPPING")

    def test_nobody_there(self):
        self.name = self.path("no-such")
        server = self.managed()
        self.assertTrue(wait_until(lambda: "cannot be told" in server.stderr()))
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))
        self.assertEqual(server.stop(), 0)
        self.name = "vsock:2:1"
        server = self.managed()
        self.assertIn("NOTIFY_SOCKET=vsock:2:1 is neither a path nor", server.stderr())
        self.assertEqual(server.stop(), 0)

    def test_in_the_foreground(self):
        for number in (signal.SIGTERM, signal.SIGQUIT):
            with self.subTest(number=number):
                server = self.managed(text="processes = 0")
                self.assert_ready(server)
                server.send(number)
                self.assert_heard(server, "STOPPING")
                self.assertEqual(server.wait(), 0)
                self.assert_silent()


class Watchdog(Manager):
    def beats(self, server, text=""):
        """How many come within a second and a half."""
        count, end = 0, time.monotonic() + 1.5
        while time.monotonic() < end:
            message, pid = self.hear()
            self.assertEqual(pid, server.pid)
            count += message.get("WATCHDOG") == "1"
        return count

    def test_it_beats(self):
        for processes in (1, 0):
            with self.subTest(processes=processes):
                server = self.managed(text=f"processes = {processes}", watchdog_us=400000)
                self.assertGreater(self.beats(server), 2)
                if processes == 1:
                    self.assert_done("upgrade")
                    self.assertGreater(self.beats(server), 2)
                self.assertEqual(server.stop(), 0)
                self.socket.close()
                os.remove(self.name)
                self.socket = self.listen(self.name)

    def test_another_process_is_meant(self):
        env = environment(NOTIFY_SOCKET=self.name, WATCHDOG_USEC="200000", WATCHDOG_PID="1")
        del env["GEARSHIFT_PROCESSES"], env["GEARSHIFT_CONTROL"]
        server = self.serve("-c", self.conf(), env=env)
        message, _ = self.hear()
        self.assertEqual(message["READY"], "1")
        self.assert_silent()
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
