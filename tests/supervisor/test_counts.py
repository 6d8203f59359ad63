#!/usr/bin/python3
"""Counters are the server's, not a worker's: through shifts, reloads, and workers that are killed."""

import json
import os
import signal
import unittest

from supervised import Supervised, is_sanitized, memory_kib, wait_until

REQUEST = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Counts(Supervised):
    def figures(self, server):
        status, body = server.get("/status?format=json")
        self.assertEqual(status, 200)
        return json.loads(body)

    def ask(self, client):
        client.sendall(REQUEST)
        data = b""
        while not data.endswith(b"\r\n\r\nhello\n"):
            piece = client.recv(4096)
            self.assertTrue(piece, data)
            data += piece

    def open_figures(self, server):
        """Connections by state, with the look's own."""
        figures = self.figures(server)
        for state, count in figures["connections"].items():
            self.assertLess(count, 1 << 32, state)
        return figures

    def assert_open(self, server, count):
        """So many, and one that asks; when the last ones' ends are noticed. Each was accepted, and
        those that are not open were closed."""
        def settled():
            figures = self.open_figures(server)
            still = (figures["connections_accepted_total"] - figures["connections_closed_total"])
            return sum(figures["connections"].values()) == count + 1 == still
        self.assertTrue(wait_until(settled), self.figures(server))

    def supervise_with_status(self, *arguments, text=""):
        return self.supervise(*arguments, text=text, server='status_page = "/status"')

    def kept(self, server, count):
        clients = [server.connect() for _ in range(count)]
        for client in clients:
            self.addCleanup(client.close)
            self.ask(client)
        return clients

    def test_through_shifts(self):
        server = self.supervise_with_status(text="workers = 50")
        clients = self.kept(server, 10)
        self.assert_open(server, 10)
        before = self.figures(server)
        engines = ("multi-reactor", "process-per-connection", "leader-followers", "coroutine",
                   "thread-per-connection", "reactor-pool", "thread-pool", "reactor")
        for engine in engines:
            self.assert_done("shift", engine)
            self.assert_one_generation(server)
            figures = self.figures(server)
            self.assertEqual(figures["engine"], engine)
            self.assertEqual(figures["started"], before["started"])
            for client in clients:
                self.ask(client)
            self.assert_open(server, 10)
        after = self.figures(server)
        # Each of the ten was accepted once, and then moved.
        self.assertEqual(after["connections_moved_total"], 10 * len(engines))
        self.assertEqual(after["requests_total"]["GET"] - before["requests_total"]["GET"],
                         after["servers"][0]["requests_total"]
                         - before["servers"][0]["requests_total"])
        self.assertGreaterEqual(after["cpu_seconds_total"], before["cpu_seconds_total"])
        for client in clients:
            client.close()
        self.assert_open(server, 0)

    def test_killed(self):
        for engine in ("reactor", "leader-followers", "process-per-connection"):
            with self.subTest(engine):
                server = self.supervise_with_status("-e", engine)
                clients = self.kept(server, 5)
                self.assert_open(server, 5)
                before = self.figures(server)
                worker, = self.workers(server)
                os.kill(worker, signal.SIGKILL)
                self.assertTrue(wait_until(lambda w=worker: self.workers(server) not in ([], [w])))
                self.assert_open(server, 0)
                after = self.figures(server)
                self.assertGreaterEqual(after["requests_total"]["GET"],
                                        before["requests_total"]["GET"])
                self.assertGreaterEqual(after["cpu_seconds_total"], before["cpu_seconds_total"])
                self.assertNotIn(worker, {thread["process"] for thread in after["threads"]})
                for client in clients:
                    client.close()
                self.assertEqual(server.stop(), 0)

    def test_a_connection_s_process_is_killed(self):
        server = self.supervise_with_status("-e", "process-per-connection")
        self.kept(server, 3)
        self.assert_open(server, 3)
        worker, = self.workers(server)
        with open(f"/proc/{worker}/task/{worker}/children", encoding="ascii") as file:
            victims = [int(number) for number in file.read().split()]
        os.kill(victims[0], signal.SIGKILL)
        self.assert_open(server, 2)

    def test_several_processes(self):
        server = self.supervise_with_status(text="processes = 3\naccept = shared")
        self.kept(server, 12)
        self.assert_open(server, 12)
        self.assertEqual(self.figures(server)["responses_total"]["4xx"], 0)
        self.conf("processes = 1", 'status_page = "/status"')
        self.assert_done("reload")
        self.assert_one_generation(server)
        self.assert_open(server, 12)

    def test_servers_come_and_go(self):
        """A server's count is its own, wherever it stands in the file."""
        server = self.supervise_with_status()
        self.kept(server, 4)

        def requests():
            return {one["server"]: one["requests_total"] for one in self.figures(server)["servers"]}
        self.assertGreaterEqual(requests()["localhost"], 4)
        whole = self.read("server.conf")
        first = (f'server "first.example" {{ listen = {{"127.0.0.1:0"}} root = "{self.site}" '
                 'status_page = "/status" }\n')
        # It has the index of the other one now, and becomes the one of whoever names no host.
        self.write("server.conf", whole.replace('server "localhost"', first + 'server "localhost"'))
        before = requests()["localhost"]
        self.assert_done("reload")
        self.kept(server, 4)
        counts = requests()
        self.assertGreaterEqual(counts["localhost"], before + 4)
        self.assertLessEqual(counts["first.example"], 2)  # looks, which name no host
        self.write("server.conf", whole)
        self.assert_done("reload")
        self.assertGreaterEqual(requests()["localhost"], counts["localhost"])

    def test_the_supervisor_grows_by_no_look(self):
        server = self.supervise_with_status()
        self.kept(server, 2)
        for _ in range(20):
            self.assert_done("stats")

        def files():
            return len(os.listdir(f"/proc/{server.pid}/fd"))
        memory, before = memory_kib(server.pid), files()
        for _ in range(50):
            self.assert_done("stats")
        if not is_sanitized(server.pid):
            self.assertLess(memory_kib(server.pid), memory + 200)
        # The last client's end may not have been seen, now as before.
        self.assertTrue(wait_until(lambda: files() <= before), (files(), before))


if __name__ == "__main__":
    unittest.main()
