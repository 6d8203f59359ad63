#!/usr/bin/python3
"""TLS over reloads: its connections do not move, and nobody loses one all the same; tickets and
certificates."""

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
import unittest

from secured import Secured, libraries
from supervised import BINARY, BODY, WAIT_S, environment, wait_until

HOOK = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "../../packaging/acme-deploy-hook")
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

    def leaf(self, name):
        """The certificate in a file, without those that follow it."""
        with open(f"{self.pki}/{name}", encoding="ascii") as file:
            first = file.read().partition("-----END CERTIFICATE-----")[0]
        return ssl.PEM_cert_to_DER_cert(first + "-----END CERTIFICATE-----\n")

    def watched(self, backend):
        """A renewal by somebody who tells nobody: the certificate first, its key later."""
        server = self.begin(backend)
        context = self.context()
        name = f"watched-{backend}"

        def put(source, suffix):
            shutil.copy(f"{self.pki}/{source}{suffix}", f"{self.pki}/new{suffix}")
            os.rename(f"{self.pki}/new{suffix}", f"{self.pki}/{name}{suffix}")

        def served():
            with self.connect(server, context) as client:
                return client.getpeercert(binary_form=True)
        for suffix in (".pem", ".key"):
            put("localhost-ecdsa", suffix)
        self.conf(f"tls_backend = {backend}\ntls_watch = 50ms", certificate=f"{name}.pem")
        self.assert_done("reload")
        self.conf("half = of an edit", certificate=f"{name}.pem")
        put("localhost-rsa", ".pem")
        refusal = "is not taken, the server goes on as before"
        self.assertTrue(wait_until(lambda: refusal in server.stderr()), server.stderr())
        self.assertEqual(served(), self.leaf("localhost-ecdsa.pem"))
        put("localhost-rsa", ".key")
        self.assertTrue(wait_until(lambda: served() == self.leaf("localhost-rsa.pem")))
        said = server.stderr()
        self.assertEqual(said.count(refusal), 1, said)
        self.assertIn(f"{name}.key: is not the key of the certificate", said)
        self.assertNotIn("half", said)

    def renewed(self, backend):
        """certbot's folders, renewed as it does it, and the hook that is run then."""
        live, archive = f"{self.folder}/live/localhost", f"{self.folder}/archive/localhost"

        def renew(source, number):
            for suffix, name in ((".pem", "fullchain"), (".key", "privkey")):
                shutil.copy(f"{self.pki}/{source}{suffix}", f"{archive}/{name}{number}.pem")
                os.symlink(f"../../archive/localhost/{name}{number}.pem", f"{live}/new")
                os.rename(f"{live}/new", f"{live}/{name}.pem")
        for folder in (live, archive):
            os.makedirs(folder)
        self.write("live/README", "this directory contains your keys and certificates")
        renew("localhost-ecdsa", 1)
        server = self.begin(backend)
        context = self.context()
        self.write("server.conf", f"""control = "{self.control}"
tls_backend = {backend}
tls_watch = 0
tls_certificates = "{self.folder}/live"
server "_" {{
    listen = {{"127.0.0.1:0", "127.0.0.1:0 tls"}}
    root = "{self.folder}/site"
}}
""")
        self.assert_done("reload")

        def served():
            with self.connect(server, context) as client:
                return client.getpeercert(binary_form=True)
        self.assertEqual(served(), self.leaf("localhost-ecdsa.pem"))
        renew("localhost-rsa", 2)

        def hook(**more):
            return subprocess.run([HOOK], text=True, capture_output=True, check=False, env={
                **environment(), "RENEWED_LINEAGE": live, "RENEWED_DOMAINS": "localhost",
                "GEARSHIFT": f"{BINARY} --control {self.control}", **more})
        done = hook(RENEWED_LINEAGE=archive)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(served(), self.leaf("localhost-ecdsa.pem"))
        done = hook()
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual(served(), self.leaf("localhost-rsa.pem"))


def add_tests():
    for backend, versions in libraries().items():
        tests = {
            "load": lambda self, b=backend: self.under_way(
                b, kept=200 if b == "openssl" else 50, idle=0, rate=400, new=40),
            "pipelined": lambda self, b=backend: self.under_way(b, kept=40, idle=0, rate=100, new=20,
                                                                pipelined=4),
            "certificates": lambda self, b=backend: self.certificates(b),
            "renewed": lambda self, b=backend: self.renewed(b),
            "watched": lambda self, b=backend: self.watched(b),
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
