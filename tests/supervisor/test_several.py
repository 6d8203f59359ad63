#!/usr/bin/python3
"""Several processes: whose limits are whose, and an engine that serves one connection at a time."""

import contextlib
import unittest

from supervised import BODY, WAIT_S, Supervised, wait_until

REQUEST = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF = REQUEST[:-2]  # such a connection is not idle: nobody takes its place


class Several(Supervised):
    def ask(self, server, timeout=WAIT_S):
        """A new connection on which an answer has come; None: none has in time."""
        client = server.connect()
        self.addCleanup(client.close)
        client.settimeout(timeout)
        client.sendall(REQUEST)
        answer = b""
        with contextlib.suppress(TimeoutError):
            while not answer.endswith(b"\r\n\r\n" + BODY):
                more = client.recv(4096)
                self.assertTrue(more, answer)
                answer += more
            return client
        return None

    def hold(self, server):
        """Takes a place for good: half of a second request."""
        client = self.ask(server)
        self.assertIsNotNone(client)
        client.sendall(HALF)
        return client

    def test_limits_are_of_each_process(self):
        """connections_max = 2: two processes serve four at a time, and a fifth has to wait."""
        for engine in ("reactor", "thread-per-connection"):
            with self.subTest(engine):
                server = self.supervise(text=f"engine = {engine}\nprocesses = 2\naccept = shared\n"
                                             "connections_max = 2\nheader_timeout = 1h")
                held = [self.hold(server) for _ in range(4)]
                with server.connect() as fifth:
                    fifth.sendall(REQUEST)
                    fifth.settimeout(0.3)
                    with self.assertRaises(TimeoutError):
                        fifth.recv(1)
                    fifth.settimeout(WAIT_S)
                    held[0].close()  # and each process gives a place that is free to who waits
                    self.assertTrue(fifth.recv(4096).startswith(b"HTTP/1.1 200 OK"))
                self.assertEqual(server.stop(), 0)

    def test_idle_ones_stay_while_a_process_has_room(self):
        """Processes that share a socket: who is idle in one makes way only once all of them are full."""
        for settings in ("engine = reactor", "engine = coroutine", "engine = reactor-pool",
                         "engine = multi-reactor\naccept = handoff", "engine = multi-reactor\naccept = shared",
                         "engine = proactor\naccept = shared", "engine = leader-followers",
                         "engine = thread-per-connection", "engine = process-per-connection"):
            with self.subTest(settings):
                server = self.supervise(text=f"{settings}\nprocesses = 3\nconnections_max = 4\nkeepalive_timeout = 1h")
                held = [self.ask(server) for _ in range(12)]
                self.assertNotIn(None, held)
                self.assertEqual(self.closed(held), 0)
                further = [self.ask(server) for _ in range(3)]
                self.assertNotIn(None, further)
                # Two processes may each close one for the same client.
                self.assertIn(self.closed(held), range(3, 7))
                self.assertEqual(server.stop(), 0)

    def test_who_has_a_worker_makes_way(self):
        """thread-pool: all workers have an idle client each, long before connections_max."""
        server = self.supervise(text="engine = thread-pool\nworkers = 2\nworker_queue = 1\nprocesses = 2\n"
                                     "keepalive_timeout = 1h")
        self.assertNotIn(None, [self.ask(server) for _ in range(12)])
        self.assertEqual(server.stop(), 0)

    def closed(self, clients):
        """How many the server has closed."""
        count = 0
        for client in clients:
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                count += client.recv(1) == b""
        return count

    def test_iterative(self):
        """As many connections at a time as there are processes; each of the others has its turn."""
        server = self.supervise(text="engine = iterative\nprocesses = 3\naccept = shared\n"
                                     "header_timeout = 1h")
        for client in [self.hold(server) for _ in range(2)]:
            client.close()
        held = [self.hold(server) for _ in range(2)]
        for _ in range(20):  # the third process serves them, one after another
            self.ask(server).close()
        before = self.workers(server)
        self.assertEqual(len(before), 3)
        self.assert_done("reload")
        self.assertTrue(wait_until(lambda: len(set(self.workers(server)) - set(before)) == 3))
        self.ask(server).close()
        for client in held:
            client.sendall(b"\r\n")
            self.assertIn(BODY, client.recv(4096))
            client.close()
        self.assert_one_generation(server, 3)
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
