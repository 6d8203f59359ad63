#!/usr/bin/python3
"""When a reload is done, it is done: whoever connects from then on meets the new configuration."""

import json
import os
import re
import shutil
import socket
import ssl
import unittest

from secured import Secured, libraries
from supervised import BINARY, BODY, WAIT_S, Supervised, environment, wait_until

ENGINES = ("reactor", "reactor-pool", "multi-reactor", "leader-followers", "coroutine", "proactor",
           "iterative", "thread-pool", "thread-per-connection", "process-per-connection")
RELOADS = 10
RETIRED_MAX = 8
REQUEST = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Generations(Supervised):
    def setUp(self):
        super().setUp()
        for name in ("even", "odd"):
            os.mkdir(self.path(name))
            self.write(f"{name}/a.txt", f"{name}\n")

    def configure(self, text, number):
        """The configuration of reload `number`, and what it answers."""
        name = ("even", "odd")[number % 2]
        self.conf(text)
        self.write("server.conf", self.read("server.conf").replace("/site", f"/{name}"))
        return f"{name}\n".encode()

    def ask_control(self, word):
        """As the command does it, without the time that a process takes to start and to end."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(WAIT_S)
            client.connect(self.control)
            client.sendall(word.encode() + b"\n")
            answer = json.loads(client.makefile("rb").readline())
        self.assertEqual(answer["status"], 0, answer)
        return answer["message"]


class Taken(Generations):
    def test_new_connections_meet_the_new_configuration(self):
        for engine in ENGINES:
            with self.subTest(engine):
                self.need_engine(engine)
                text = f"engine = {engine}\nworkers = 4"
                self.conf(text)
                server = self.supervise(text=text)
                seen, wanted = [], []
                for number in range(RELOADS):
                    wanted.append(self.configure(text, number))
                    self.ask_control("reload")
                    seen.append(server.get("/a.txt")[1])
                self.assertEqual(server.stop(), 0)
                self.assertEqual(seen, wanted)


@unittest.skipUnless(libraries(), "no TLS library is built in")
class Held(Secured):
    """Connections with TLS, which cannot move, hold the generation that has accepted them."""

    def hold(self, server):
        raw = socket.create_connection(self.secured_address(server), timeout=WAIT_S)
        client = self.context().wrap_socket(raw, server_hostname="localhost")
        self.addCleanup(client.close)
        self.assertFalse(self.asks(client)[1])
        return client

    def asks(self, client):
        """One request: the body, and whether the client is told to close."""
        client.sendall(REQUEST)
        answers = client.makefile("rb")
        self.assertEqual(answers.readline(), b"HTTP/1.1 200 OK\r\n")
        fields = b"".join(iter(answers.readline, b"\r\n"))
        length = int(re.search(rb"(?i)content-length: (\d+)", fields)[1])
        return answers.read(length), b"Connection: close\r\n" in fields

    def ending(self):
        return json.loads(self.assert_done("status", "--json"))["workers_ending"]

    def begin(self, text=""):
        """A drain_timeout that no test waits for."""
        return self.supervise(text=f"drain_timeout = 1h\nkeepalive_timeout = 1h\n{text}",
                              addresses=2)

    def number(self, name, text):
        """What reload `name` is to answer from now on."""
        os.makedirs(self.path(name), exist_ok=True)
        self.write(f"{name}/a.txt", f"{name}\n")
        self.conf(f"drain_timeout = 1h\nkeepalive_timeout = 1h\n{text}")
        self.write("server.conf", self.read("server.conf").replace("/site", f"/{name}"))
        return f"{name}\n".encode()

    def test_reloads_do_not_wait(self):
        for engine in ("reactor", "proactor", "thread-per-connection"):
            with self.subTest(engine):
                self.need_engine(engine)
                server = self.begin(f"engine = {engine}\nprocesses = 2\naccept = shared")
                held = [(self.hold(server), BODY)]
                for name in ("one", "two", "three"):
                    body = self.number(name, f"engine = {engine}\nprocesses = 2\naccept = shared")
                    self.assert_done("reload")
                    self.assertEqual(server.get("/a.txt"), (200, body))
                    held.append((self.hold(server), body))
                self.assertGreaterEqual(self.ending(), 3)
                for client, body in held[:-1]:  # each is served by whom has accepted it, to its end
                    self.assertEqual(self.asks(client), (body, True))
                self.assertEqual(self.asks(held[-1][0]), (held[-1][1], False))
                self.assertTrue(wait_until(lambda: self.ending() == 0))
                self.assertEqual(server.stop(), 0)

    def test_what_is_late_goes_through_all(self):
        """A plain connection that is busy at the first reload moves after the third one."""
        server = self.begin()
        self.hold(server)
        with server.connect() as late:
            late.sendall(REQUEST[:-2])  # its end comes later
            for name in ("one", "two", "three"):
                body = self.number(name, "")
                self.assert_done("reload")
            late.sendall(b"\r\n")
            self.assertIn(BODY, late.recv(4096))
            late.settimeout(WAIT_S)

            def answer():
                late.sendall(REQUEST)
                return late.recv(4096)
            said = []
            self.assertTrue(wait_until(lambda: said.append(answer()) or said[-1].endswith(body)),
                            said)
            self.assertNotIn(b"Connection: close", b"".join(said))

    def test_there_are_not_too_many(self):
        server = self.begin()
        held = [self.hold(server)]
        for _ in range(RETIRED_MAX + 1):
            self.assertNotIn("is ended before", server.stderr())
            self.assert_done("reload")
            held.append(self.hold(server))
            self.assertLessEqual(self.ending(), RETIRED_MAX)
        self.assertRegex(server.stderr(), "generation 1 is ended before drain_timeout is over")
        self.assertEqual(held[0].recv(1), b"")
        for client in held[1:-1]:
            self.assertEqual(self.asks(client), (BODY, True))


@unittest.skipUnless(libraries(), "no TLS library is built in")
class SelfSigned(Supervised):
    """Who has told a browser to trust a certificate for trying out is not asked again."""

    def served(self, server):
        port = int(re.search(r":(\d+)/", server.where[0])[1])
        return ssl.get_server_certificate(("127.0.0.1", port), timeout=WAIT_S)

    def configure(self, backend):
        return self.write("server.conf", f"""control = "{self.control}"
tls_backend = {backend}
server "localhost" {{
    listen = {{"127.0.0.1:0 tls"}}
    root = "{self.folder}/site"
}}
""")

    def test_it_stays(self):
        copy = self.path("gearshift")
        shutil.copy(BINARY, copy)
        for backend in libraries():
            with self.subTest(backend):
                env = environment()
                del env["GEARSHIFT_PROCESSES"], env["GEARSHIFT_CONTROL"]
                server = self.serve("-c", self.configure(backend), "--tls-self-signed", env=env,
                                    binary=copy)
                first = self.served(server)
                self.assert_done("reload")
                self.assertEqual(self.served(server), first)
                self.assert_done("upgrade")
                self.assertEqual(self.served(server), first)
                for other in libraries():
                    self.configure(other)
                    self.assert_done("reload")
                    self.assertEqual(self.served(server), first)
                self.write("server.conf", self.read("server.conf").replace(
                    "root =", 'alias_hosts = {"other.test"}\n    root ='))
                self.assert_done("reload")
                self.assertNotEqual(self.served(server), first)
                self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
