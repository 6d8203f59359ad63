#!/usr/bin/python3
"""Connections behind a proxy move, too: the client that its PROXY header has named goes along, and a
header that has still to come is awaited by the successor."""

import time
import unittest

from supervised import Supervised, wait_until

ENGINES = ("reactor", "reactor-pool", "multi-reactor", "leader-followers", "proactor", "coroutine",
           "thread-per-connection", "thread-pool", "process-per-connection",
           "multi-reactor threads=2 accept=handoff")
REQUEST = b"GET /%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n"


def header(address):
    return f"PROXY TCP4 {address} 192.0.2.99 1234 80\r\n".encode()


class Client:
    """A proxy's connection."""

    def __init__(self, test, server):
        self.test = test
        self.socket = server.connect()
        test.addCleanup(self.socket.close)
        self.answers = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)
        return self

    def ask(self, name, fields=b""):
        self.send(REQUEST % (name.encode(), fields))
        self.test.assertFalse(self.answer())
        return self

    def ask_to_the_end(self, name):
        """Until it is told to close: the order may still be on its way to who answers."""
        for number in range(100):
            self.send(REQUEST % (f"{name}-{number}".encode(), b""))
            if self.answer():
                return f"{name}-{number}"
            time.sleep(0.02)
        self.test.fail("not told to close")

    def answer(self):
        """True: it tells to close."""
        self.test.assertEqual(self.answers.readline(), b"HTTP/1.1 404 Not Found\r\n")
        length, told = None, False
        while (line := self.answers.readline()) != b"\r\n":
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
            told |= line.lower() == b"connection: close\r\n"
        self.answers.read(length)
        return told


class Proxied(Supervised):
    def begin(self, engine, names=""):
        text = ('trusted = "127.0.0.1"\nreal_ip_from = "203.0.113.7"\nworkers = 64\n'
                f'access_log_format = "$remote_addr $request_uri"\nengine = {engine}\n{names}')
        text += f'\naccess_log = "{self.path("access.log")}"'
        path = self.conf(text)
        self.write("server.conf", self.read("server.conf").replace(
            '{"127.0.0.1:0"}', '{"127.0.0.1:0 proxy_protocol"}'))
        self.conf = lambda *_: path
        server = self.supervise()
        del self.conf
        return server

    def logged(self, name):
        """Of whom a request is told in the access log."""
        found = []

        def is_there():
            found[:] = [line.split()[0] for line in self.read("access.log").splitlines()
                        if line.endswith(f" /{name}")]
            return found
        self.assertTrue(wait_until(is_there), name)
        self.assertEqual(len(found), 1)
        return found[0]

    def shift(self, server, engine):
        before = self.workers(server)
        self.assert_done("shift", *engine.split())
        time.sleep(0.1)  # until the old one has heard of it
        return before

    def old_ends(self, server, before):
        self.assertTrue(wait_until(lambda: not set(before) & set(self.workers(server))))

    def test_each_engine(self):
        self.need_engine("proactor")
        server = self.begin(ENGINES[0])
        named = Client(self, server).send(header("198.51.100.1")).ask("named-0")
        trusted = Client(self, server).send(header("203.0.113.7")).ask("trusted-0")
        local = Client(self, server).send(b"PROXY UNKNOWN\r\n").ask("local-0")
        for i, engine in enumerate(ENGINES[1:] + ENGINES[:1], 1):
            with self.subTest(engine):
                silent, half = Client(self, server), Client(self, server)
                half.send(header("198.51.100.3")[:20])
                before = self.shift(server, engine)
                silent.send(header("198.51.100.2")).ask(f"silent-{i}")
                half.send(header("198.51.100.3")[20:]).ask(f"half-{i}")
                self.old_ends(server, before)
                named.ask(f"named-{i}")
                trusted.ask(f"trusted-{i}", b"X-Forwarded-For: 192.0.2.4\r\n")
                local.ask(f"local-{i}", b"X-Forwarded-For: 192.0.2.4\r\n")
                self.assertEqual(self.logged(f"silent-{i}"), "198.51.100.2")
                self.assertEqual(self.logged(f"half-{i}"), "198.51.100.3")
                self.assertEqual(self.logged(f"named-{i}"), "198.51.100.1")
                self.assertEqual(self.logged(f"trusted-{i}"), "192.0.2.4")
                self.assertEqual(self.logged(f"local-{i}"), "127.0.0.1")

    def test_another_protocol(self):
        """An address that wants a header now, or does not any more, is another one for those who are
        there: they end with their next answer."""
        server = self.begin("reactor")
        named = Client(self, server).send(header("198.51.100.1")).ask("named")
        whole = self.read("server.conf")
        self.write("server.conf", whole.replace(" proxy_protocol", ""))
        self.assert_done("reload")
        fresh = Client(self, server).ask("fresh")
        self.assertEqual(self.logged(named.ask_to_the_end("named")), "198.51.100.1")
        self.assert_one_generation(server)
        self.write("server.conf", whole)
        self.assert_done("reload")
        self.assertEqual(self.logged(fresh.ask_to_the_end("fresh")), "127.0.0.1")

    def test_trusted_no_more(self):
        server = self.begin("reactor")
        silent = Client(self, server)
        named = Client(self, server).send(header("198.51.100.1")).ask("named")
        self.write("server.conf", self.read("server.conf").replace(
            'trusted = "127.0.0.1"', 'trusted = "192.0.2.1"'))
        self.assert_done("reload")
        self.assert_one_generation(server)
        self.assertEqual(silent.socket.recv(1), b"")
        named.ask("named-again")
        self.assertEqual(self.logged("named-again"), "198.51.100.1")


if __name__ == "__main__":
    unittest.main()
