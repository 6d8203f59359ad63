#!/usr/bin/python3
"""Every end has a deadline, and no client moves it: one that does not read its answer, one that
has sent half a request, and the same with TLS. On each engine; the servers run side by side."""

import os
import signal
import socket
import unittest

from secured import Secured
from supervised import WAIT_S, children, wait_until

ENGINES = ("reactor", "reactor-pool", "multi-reactor", "leader-followers", "proactor", "coroutine",
           "iterative", "thread-per-connection", "thread-pool", "process-per-connection", "select",
           "sigio", "aio", "emulated-proactor")
BIG = 64 << 20
ASKS = b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Stop(Secured):
    def setUp(self):
        super().setUp()
        with open(self.path("site/big"), "wb") as file:
            file.truncate(BIG)
        self.controls = {}

    def begin_all(self):
        """A server of each engine, with its clients."""
        servers = {}
        for engine in ENGINES:
            with self.subTest(engine):
                self.need_engine("proactor" if engine == "proactor" else "reactor")
                self.control = self.controls[engine] = self.path(f"control.{engine}")
                servers[engine] = self.supervise(
                    text=f"engine = {engine}\ndrain_timeout = 1s\nworkers = 16\n"
                         "header_timeout = 60s\nsend_timeout = 60s\n"
                         "tls_handshake_timeout = 60s", addresses=2)
                self.hold_up(servers[engine], engine)
        return servers

    def connect(self, address):
        client = socket.socket()
        self.addCleanup(client.close)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(WAIT_S)
        client.connect(address)
        return client

    def hold_up(self, server, engine):
        stalled, secured = self.connect(server.address), self.secured_address(server)
        stalled.sendall(ASKS)
        self.assertEqual(stalled.recv(12), b"HTTP/1.1 200")
        self.connect(server.address).sendall(b"GET /a.txt HTTP/1.1\r\nHos")
        self.connect(secured).sendall(b"\x16\x03\x01\x02")
        if engine != "iterative":  # it has somebody else
            client = self.context().wrap_socket(self.connect(secured), server_hostname="localhost")
            self.addCleanup(client.close)
            client.sendall(ASKS)
            self.assertEqual(client.recv(12), b"HTTP/1.1 200")

    def assert_ended_by_themselves(self, servers):
        for engine, server in servers.items():
            with self.subTest(engine):
                self.assertEqual(server.wait(), 0)
                self.assertNotRegex(server.stderr(), "kill|did not end|signal")

    def ended_by(self, number):
        servers = self.begin_all()
        for server in servers.values():
            server.send(number)
        self.assert_ended_by_themselves(servers)

    def test_drained(self):
        self.ended_by(signal.SIGQUIT)

    def test_stopped(self):
        self.ended_by(signal.SIGTERM)

    def test_retired(self):
        servers = self.begin_all()
        before = {}
        for engine, server in servers.items():
            before[engine] = self.workers(server)
            server.send(signal.SIGHUP)
        for engine, server in servers.items():
            with self.subTest(engine):
                self.assertTrue(wait_until(
                    lambda e=engine, s=server: len(self.workers(s)) == 1 and
                    self.workers(s) != before[e]))
                self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))
                self.assertNotRegex(server.stderr(), "kill|did not end|signal")
                server.send(signal.SIGTERM)
        self.assert_ended_by_themselves(servers)

    def test_supervisor_killed(self):
        """Then the workers, and their children, drain by themselves."""
        servers = self.begin_all()
        workers = {engine: self.workers(server) for engine, server in servers.items()}
        for engine in workers:
            workers[engine] += [pid for worker in workers[engine] for pid in children(worker)]
        for server in servers.values():
            server.process.kill()
        for engine, pids in workers.items():
            with self.subTest(engine):
                self.assertTrue(wait_until(
                    lambda pids=pids: not any(os.path.exists(f"/proc/{pid}") for pid in pids)))


if __name__ == "__main__":
    unittest.main()
