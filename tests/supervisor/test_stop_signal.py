#!/usr/bin/python3
"""What SIGTERM does, and a server that is process 1 of a container."""

import os
import shutil
import signal
import subprocess
import time
import unittest

from supervised import BINARY, Supervised, WAIT_S, environment, wait_until
from command import end

BIG = 8 * 1024 * 1024


class StopSignal(Supervised):
    def download(self, server):
        """A connection with an answer in progress, that the client takes slowly."""
        with open(self.path("site/big"), "wb") as file:
            file.write(bytes(BIG))
        client = server.connect()
        self.addCleanup(client.close)
        client.sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        self.assertTrue(client.recv(15).startswith(b"HTTP/1.1 200"))
        return client

    def rest(self, client):
        client.settimeout(WAIT_S)
        count = 0
        try:
            while data := client.recv(1 << 16):
                count += len(data)
        except ConnectionResetError:
            pass
        return count

    def test_it_drains(self):
        for processes in (0, 1):
            with self.subTest(processes=processes):
                server = self.supervise(text=f"processes = {processes}\nstop_signal = drain")
                client = self.download(server)
                server.send(signal.SIGTERM)
                self.assertTrue(wait_until(lambda: "draining: " in self.read_all(server)))
                self.assertGreater(self.rest(client), BIG)
                self.assertEqual(server.wait(), 0)
                self.assertRegex(self.read_all(server), "SIGTERM from process [0-9]+")

    def read_all(self, server):
        with open(server.stderr_path, encoding="utf-8") as file:
            return file.read()

    def test_it_stops(self):
        """The default; and SIGINT in any case."""
        for text, number in (("", signal.SIGTERM), ("stop_signal = drain", signal.SIGINT)):
            for processes in (0, 1):
                with self.subTest(text=text, processes=processes):
                    server = self.supervise(text=f"processes = {processes}\n{text}")
                    client = self.download(server)
                    server.send(number)
                    self.assertEqual(server.wait(), 0)
                    self.assertLess(self.rest(client), BIG)

    def test_a_reload_changes_it(self):
        server = self.supervise()
        self.conf("stop_signal = drain")
        self.assert_done("reload")
        server.send(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)
        self.assertIn("draining: ", self.read_all(server))


class ProcessOne(Supervised):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0 or shutil.which("unshare") is None:
            self.skipTest("root makes a namespace of processes, with unshare(1)")

    def contained(self, text):
        """A server that is process 1; the unshare(1) around it, and its number outside."""
        env = environment()
        del env["GEARSHIFT_PROCESSES"], env["GEARSHIFT_CONTROL"]
        process = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", BINARY, "-c",
             self.conf(text)], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self.addCleanup(end, process)
        self.addCleanup(process.stderr.close)
        line = process.stdout.readline()
        self.assertTrue(line, line)
        with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as file:
            return process, int(file.read())

    def in_it(self, first, *command):
        return subprocess.run(["nsenter", "-t", str(first), "-p", "-m", *command], text=True,
                              capture_output=True, timeout=WAIT_S, check=True).stdout

    def test_orphans_are_reaped_and_term_ends_it(self):
        for text in ("", "stop_signal = drain", "processes = 2\naccept = shared"):
            with self.subTest(text):
                process, first = self.contained(text)
                # An orphan whose parent ends before it: process 1 gets it.
                self.in_it(first, "sh", "-c", "(sleep 0.2; exit 3) & exit 0")
                time.sleep(0.5)
                states = [line.split()[1:3] for line in
                          self.in_it(first, "ps", "-eo", "pid,ppid,stat").splitlines()[1:]]
                self.assertFalse([state for state in states if state[1].startswith("Z")], states)
                self.assertIn("generation 2", self.assert_done("upgrade"))
                os.kill(first, signal.SIGTERM)
                self.assertEqual(process.wait(WAIT_S), 0)

    def test_without_a_supervisor(self):
        """Also where the engine has children of its own, for whom it waits."""
        for engine in ("reactor", "process-per-connection"):
            with self.subTest(engine):
                process, first = self.contained(f"processes = 0\nengine = {engine}")
                for _ in range(3):
                    self.in_it(first, "sh", "-c", "(sleep 0.1; exit 3) & exit 0")

                def others():
                    return [line.split() for line in
                            self.in_it(first, "ps", "-eo", "ppid,stat,comm").splitlines()[1:]
                            if line.split()[0] == "1"]
                self.assertTrue(wait_until(lambda: not others()), others())
                os.kill(first, signal.SIGTERM)
                self.assertEqual(process.wait(WAIT_S), 0)
                self.assertNotIn(b"ended with status 3", process.stderr.read())


if __name__ == "__main__":
    unittest.main()
