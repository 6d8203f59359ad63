#!/usr/bin/python3
"""TLS over reloads: its connections do not move, and nobody loses one all the same; tickets and
certificates."""

import asyncio
import socket
import ssl
import unittest

from secured import Secured, libraries
from supervised import BODY, WAIT_S, wait_until

REQUEST = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"
# What follows what: a reload, or an engine. Each connection of the blocking one needs a thread.
STEPS = ("reload", "proactor", "thread-per-connection", "reload", "multi-reactor")


class Tls(Secured):
    def begin(self, backend, text="", **more):
        return self.supervise(text=f"tls_backend = {backend}\nworkers = 600\n{text}", addresses=2,
                              **more)

    def connect(self, server, context, session=None):
        """A connection on which an answer has come, and with TLS 1.3 the tickets before it."""
        raw = socket.create_connection(self.secured_address(server), timeout=WAIT_S)
        client = context.wrap_socket(raw, server_hostname="localhost", session=session)
        self.addCleanup(client.close)
        client.sendall(REQUEST)
        answer = b""
        while not answer.endswith(b"\r\n\r\n" + BODY):
            more = client.recv(4096)
            self.assertTrue(more, answer)
            answer += more
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"))
        return client

    def under_way(self, backend, **load):
        self.need_engine("proactor")
        server = self.begin(backend, "engine = reactor\ndrain_timeout = 20s")

        async def work():
            for step in STEPS:
                await self.order_meanwhile(*(("reload",) if step == "reload" else ("shift", step)))
                await asyncio.sleep(0.1)
        clients = self.under_load(server, work, address=self.secured_address(server),
                                  context=self.context(), **load)
        self.assertEqual(server.stop(), 0)
        self.assertGreater(clients.counts["told"], 0)
        self.assert_nothing_lost(clients, told=0)

    def resumed(self, backend, version):
        server = self.begin(backend, "processes = 2")
        context = self.context()
        context.minimum_version = context.maximum_version = version
        first = self.connect(server, context)
        self.assertFalse(first.session_reused)
        session = first.session
        for words in (("reload",), ("shift", "multi-reactor")):
            before = set(self.workers(server))
            self.assert_done(*words)
            first.close()  # the old worker waits for nobody else
            self.assertTrue(wait_until(lambda before=before: not before & set(self.workers(server))))
            for _ in range(4):
                client = self.connect(server, context, session)
                self.assertTrue(client.session_reused)
                client.close()
            first = self.connect(server, context, session)
            session = first.session

    def certificates(self, backend):
        server = self.begin(backend)
        context = self.context()

        def served():
            with self.connect(server, context) as client:
                return client.getpeercert(binary_form=True)
        text = f"tls_backend = {backend}"
        old = served()
        for certificate, key, sentence in (
                ("localhost-rsa.pem", "other.key", "other.key"),
                ("localhost-rsa.pem", "no-such.key", "no-such.key"),
                ("no-such.pem", "localhost-rsa.key", "no-such.pem"),
                ("empty.pem", "localhost-rsa.key", "empty.pem"),
                ("localhost-ecdsa.pem", "encrypted.key", "encrypted.key")):
            with self.subTest(certificate=certificate, key=key):
                self.conf(text, certificate=certificate, key=key)
                status, out, err = self.order("reload")
                self.assertEqual((status, out), (78, ""), err)
                self.assertIn(sentence, err)
                self.assertIn(sentence, server.stderr())
                self.assertEqual(served(), old)
        self.conf(text, certificate="localhost-rsa.pem")
        self.assert_done("reload")
        new = served()
        with open(f"{self.pki}/localhost-rsa.pem", encoding="ascii") as file:
            chain = file.read()
        first = chain[:chain.index("-----END CERTIFICATE-----")] + "-----END CERTIFICATE-----\n"
        self.assertEqual(new, ssl.PEM_cert_to_DER_cert(first))


def add_tests():
    for backend, versions in libraries().items():
        tests = {
            "load": lambda self, b=backend: self.under_way(
                b, kept=200 if b == "openssl" else 50, idle=0, rate=400, new=40),
            "pipelined": lambda self, b=backend: self.under_way(b, kept=40, idle=0, rate=100, new=20,
                                                                pipelined=4),
            "certificates": lambda self, b=backend: self.certificates(b),
        }
        for version in versions:
            number = getattr(ssl.TLSVersion, f"TLSv{version.replace('.', '_')}")
            tests[f"resumed_{version.replace('.', '_')}"] = (
                lambda self, b=backend, n=number: self.resumed(b, n))
        for name, test in tests.items():
            setattr(Tls, f"test_{name}_{backend}", test)


add_tests()

if __name__ == "__main__":
    unittest.main()
