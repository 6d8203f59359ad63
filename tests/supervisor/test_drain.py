#!/usr/bin/python3
"""The end of a server with workers: what balancers hear, when the listeners close, and when all is over."""

import asyncio
import os
import signal
import socket
import subprocess
import time
import unittest

from supervised import BINARY, Supervised, environment, wait_until

REPORTS = 'health = "/healthz" status_page = "/status"'
LARGE = 24 << 20


class Drained(Supervised):
    def health(self, server):
        return server.get("/healthz")

    def assert_delayed(self, server, ask):
        """Asked to drain with a long delay: it says 503 and serves; asked again, it ends."""
        self.assertEqual(self.health(server), (200, b"ok\n"))
        ask()
        self.assertTrue(wait_until(lambda: self.health(server) == (503, b"draining\n")))
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))
        time.sleep(0.2)
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))
        ask()
        self.assertEqual(server.wait(), 0)

    def test_by_signal(self):
        server = self.supervise(text="drain_delay = 1h", server=REPORTS)
        self.assert_delayed(server, lambda: server.send(signal.SIGQUIT))
        with open(server.stderr_path, encoding="utf-8") as file:
            lines = file.read()
        self.assertIn("draining: health says 503, and after drain_delay no new connections: SIGQUIT",
                      lines)
        self.assertIn("draining: no new connections, answers in progress have drain_timeout", lines)
        self.assertIn("ended: drained in", lines)

    def test_by_order(self):
        server = self.supervise(text="drain_delay = 1h\nprocesses = 2\naccept = shared",
                                server=REPORTS)
        waiting = []

        def ask():
            waiting.append(subprocess.Popen([BINARY, "drain", "--control", self.control],
                                            env=environment(), stdout=subprocess.PIPE, text=True))
        self.assert_delayed(server, ask)
        for client in waiting:
            self.assertEqual(client.communicate(timeout=20)[0], "the server has ended\n")
            self.assertEqual(client.returncode, 0)

    def test_a_worker_that_dies_meanwhile_is_replaced(self):
        server = self.supervise(text="drain_delay = 1h", server=REPORTS)
        server.send(signal.SIGQUIT)
        self.assertTrue(wait_until(lambda: self.health(server)[0] == 503))
        before = self.workers(server)
        os.kill(before[0], signal.SIGKILL)
        self.assertTrue(wait_until(lambda: self.workers(server) not in ([], before)))
        self.assertEqual(self.health(server), (503, b"draining\n"))
        server.send(signal.SIGQUIT)
        self.assertEqual(server.wait(), 0)

    def test_without_a_supervisor_there_is_no_delay(self):
        """Whoever starts the service anew needs the addresses."""
        server = self.supervise(text="drain_delay = 1h", server=REPORTS)
        worker, = self.workers(server)
        server.process.kill()
        server.wait()
        self.assertTrue(wait_until(lambda: not os.path.exists(f"/proc/{worker}")))

    def test_after_the_delay(self):
        """Nobody is refused before, everybody afterwards; drain_timeout counts from then."""
        os.truncate(self.write("site/large.bin", ""), LARGE)
        server = self.supervise(text="drain_delay = 1s\ndrain_timeout = 1s", server=REPORTS)
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(server.address)
            slow.sendall(b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(slow.recv(100).startswith(b"HTTP/1.1 200 OK"))
            begun = time.monotonic()
            server.send(signal.SIGQUIT)

            def refused():
                try:
                    server.connect().close()
                except ConnectionRefusedError:
                    return True
                return False
            self.assertTrue(wait_until(refused))
            self.assertGreater(time.monotonic() - begun, 0.9)
            self.assertEqual(server.wait(), 0)
            self.assertGreater(time.monotonic() - begun, 1.9)
        self.assertNotIn("killed", server.stderr())

    def test_a_reload_says_nothing_of_it(self):
        """What balancers ask while generations change is answered 200."""
        server = self.supervise(text="drain_delay = 1h", server=REPORTS)
        answers = set()

        async def work():
            for engine in ("coroutine", "multi-reactor", "reactor"):
                order = asyncio.create_task(self.order_meanwhile("shift", engine))
                while not order.done():
                    answers.add(await asyncio.to_thread(self.health, server))
                await order
        self.assert_nothing_lost(self.under_load(server, work, rate=100, new=20))
        self.assertEqual(answers, {(200, b"ok\n")})


if __name__ == "__main__":
    unittest.main()
