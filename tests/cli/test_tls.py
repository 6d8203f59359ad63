"""TLS as the command line and the files tell it: what stops the start, with which sentence; a
certificate made for trying out; and what -V and doctor tell. Every library that is built in."""
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "pki"))
import make_pki  # noqa: E402, it lies beside this folder
from command import AS_ROOT, BINARY, WAIT_S, Command, environment  # noqa: E402

ENGINES = ("reactor", "reactor-pool", "multi-reactor", "proactor")
KNOWN = ("openssl", "mbedtls")


def built_in():
    done = subprocess.run([BINARY, "-V"], env=environment(), text=True, capture_output=True,
                          timeout=WAIT_S, check=True)
    return tuple(re.findall(r"\(tls_backend = (\S+)\)\n", done.stdout))


BACKENDS = built_in()
PKI = tempfile.mkdtemp(prefix="gearshift-cli-pki-")


def setUpModule():
    make_pki.make(PKI)


def tearDownModule():
    shutil.rmtree(PKI, ignore_errors=True)


class Tls(Command):
    def backends(self):
        """Each library that is built in, as a subtest."""
        if not BACKENDS:
            self.skipTest("no TLS library is built in")
        for backend in BACKENDS:
            with self.subTest(backend):
                yield backend

    def tls_config(self, certificate="localhost-rsa.pem", key="localhost-rsa.key", text=""):
        """A server.conf above the certificates, whose paths are relative; "./" leads to its own
        folder."""
        certificate, key = (path if path is None or path.startswith("./") else f"pki/{path}"
                            for path in (certificate, key))
        key = f'key = "{key}"' if key else ""
        return self.write("server.conf", f"{text}\n"
                          f'server "localhost" {{ listen = {{"127.0.0.1:0 tls"}} root = "site"\n'
                          f'certificate = "{certificate}"\n{key} }}\n')

    def setUp(self):
        super().setUp()
        os.symlink(PKI, self.path("pki"))

    def refused(self, sentence, *arguments):
        """By a start as by -t."""
        for mode in ([], ["-t"]):
            with self.subTest(sentence=sentence, mode=mode):
                self.assert_refused(78, sentence, *mode, *arguments)


def secure_port(server):
    return int(re.fullmatch(r"https://[^/]*:(\d+)/", server.where[-1])[1])


def get(server, context, host="localhost"):
    """GET /hello.txt at the last address, with TLS: status, body, and the certificate (DER)."""
    connection = http.client.HTTPSConnection(host, secure_port(server), timeout=WAIT_S,
                                             context=context)
    # The name is for the certificate and the Host field: who listens is 127.0.0.1.
    raw = socket.create_connection(("127.0.0.1", secure_port(server)), timeout=WAIT_S)
    try:
        connection.sock = context.wrap_socket(raw, server_hostname=host)
        connection.request("GET", "/hello.txt")
        response = connection.getresponse()
        return response.status, response.read(), connection.sock.getpeercert(True)
    finally:
        connection.close()
        raw.close()


def unverified():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Files(Tls):
    def test_refused(self):
        os.mkdir(self.path("folder.pem"))
        self.write("garbage.pem", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n")
        for backend in self.backends():
            for certificate, key, sentence in (
                    ("no.pem", "site.key", r"/pki/no\.pem: .*No such file"),
                    ("site.pem", "no.key", r"/pki/no\.key: .*No such file"),
                    ("./folder.pem", "site.key", r"/folder\.pem: .*(Is a dir|no regular file)"),
                    ("site.pem", "./folder.pem", r"/folder\.pem: .*(Is a dir|no regular file)"),
                    ("./garbage.pem", "site.key", r"/garbage\.pem: .*(PEM|certificate)"),
                    ("empty.pem", "site.key", r"/pki/empty\.pem: .*certificate"),
                    ("site.pem", "empty.pem", r"/pki/empty\.pem: .*key"),
                    ("site.pem", None, r"/pki/site\.pem: .*key"),
                    ("site.key", "site.key", r"/pki/site\.key: .*certificate"),
                    ("localhost-ecdsa.pem", "encrypted.key", r"/pki/encrypted\.key: .*passphrase"),
                    ("site.pem", "other.key", r"/pki/other\.key: .*key"),
                    ("localhost-rsa.pem", "other.key", r"/pki/other\.key: .*key"),
                    ("expired.pem", "expired.key", r"/pki/expired\.pem: .*expired on 2020-02-01")):
                self.refused(sentence, "-c", self.tls_config(certificate, key),
                             "-o", f"tls_backend={backend}")

    @unittest.skipIf(AS_ROOT, "root reads everything")
    def test_unreadable(self):
        self.write("secret.key", "")
        os.chmod(self.path("secret.key"), 0)
        for backend in self.backends():
            self.refused(r"/secret\.key: .*Permission denied", "-o", f"tls_backend={backend}",
                         "-c", self.tls_config("site.pem", "./secret.key"))

    def test_served(self):
        trusting = ssl.create_default_context(cafile=os.path.join(PKI, "ca.pem"))
        for backend in self.backends():
            for certificate, key in (("localhost-rsa.pem", "localhost-rsa.key"),
                                     ("localhost-ecdsa.pem", "localhost-ecdsa.key"),
                                     ("localhost-rsa.both.pem", None)):
                file = self.tls_config(certificate, key, f"tls_backend = {backend}")
                status, out, err = self.run_command("-t", "-c", file)
                self.assertEqual((status, err), (0, ""))
                self.assertIn("is valid", out)
                server = self.serve("-c", file)
                self.assertEqual(get(server, trusting)[:2], (200, b"hello\n"))
                self.assertEqual(server.stop(), 0)

    def test_key_that_everybody_may_read(self):
        """It is used, and warned of; a start and -t say the same."""
        for backend in self.backends():
            for certificate, key, mode, what in (
                    ("localhost-rsa.pem", "localhost-rsa.key", 0o644, "read"),
                    ("localhost-rsa.pem", "localhost-rsa.key", 0o602, "replace"),
                    ("localhost-rsa.both.pem", None, 0o604, "read"),
                    ("localhost-rsa.pem", "localhost-rsa.key", 0o660, None)):
                with self.subTest(f"{mode:o}"):
                    path = os.path.join(PKI, key or certificate)
                    self.addCleanup(os.chmod, path, os.stat(path).st_mode & 0o777)
                    os.chmod(path, mode)
                    file = self.tls_config(certificate, key, f"tls_backend = {backend}")
                    status, _, err = self.run_command("-t", "-c", file)
                    server = self.serve("-c", file)
                    self.assertEqual(server.stop(), 0)
                    for text in (err, server.stderr()):
                        if what is None:
                            self.assertNotIn(" warn ", text)
                            continue
                        self.assertRegex(text, rf" warn server 'localhost': \S+/{key or certificate}: "
                                               rf"the permissions of this private key \({mode:o}\) "
                                               rf"let every user of the machine {what} it: chmod o= ")
                        self.assertEqual(text.count(" warn "), 1)
                    self.assertEqual(status, 0)
                    os.chmod(path, 0o600)

    @unittest.skipUnless(AS_ROOT, "only root has files that nobody may read")
    def test_keys_are_read_before_root_is_dropped(self):
        os.chmod(PKI, 0o700)
        for backend in self.backends():
            server = self.serve("-c", self.tls_config(), "-o", f"tls_backend={backend}")
            self.assertNotEqual(server.status_line("Uid")[0], "0")
            self.assertEqual(get(server, unverified())[:2], (200, b"hello\n"))
            self.assertEqual(server.stop(), 0)


class Settings(Tls):
    def test_pairs(self):
        path = os.path.join(PKI, "site")
        self.refused("-o key: keys: 2, certificates: 1; name one key for each", self.site,
                     "--tls-port", "0", "-o", f"certificate={path}.pem",
                     "-o", f'key={{"{path}.key", "{path}.key"}}')
        self.refused("-o key: keys: 1, certificates: 0", self.site, "--tls-port", "0",
                     "-o", f"key={path}.key")
        self.refused("-o certificate: no address of the server has TLS", self.site,
                     "-o", f"certificate={path}.pem", "-o", f"key={path}.key")
        self.refused('"localhost" has no certificate for 127.0.0.1:0, which has TLS; add .*'
                     "--tls-self-signed", self.site, "--tls-port", "0")
        file = self.config(server='}\nserver "b" { listen = "127.0.0.1:1 tls" root = "/"')
        self.refused(r'server\.conf:6: server: "b" has no certificate for 127\.0\.0\.1:1, ',
                     "-c", file)

    def test_unknown(self):
        for setting in ("tls_protocols=1.1", "tls_protocols=SSLv3", "tls_protocols={}"):
            self.refused("-o tls_protocols: .*(allowed|name at least one of)", self.site, "-o", setting)
        for arguments in ([], ["--tls-self-signed", "--tls-port", "0"]):
            self.refused("-o tls_backend: .*'wolfssl' is not built in", self.site,
                         "-o", "tls_backend=wolfssl", *arguments)
        for backend in self.backends():
            for setting in ("tls_ciphers=TLS_NO_SUCH_CIPHER", "tls_ciphers=ALL",
                            "tls_ciphers={TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, HIGH}",
                            "tls_curves=secp1024r9", "tls_curves={secp256r1, x}"):
                key, value = setting.split("=")
                wrong = value.strip("{}").split(", ")[-1]
                self.refused(f"-o {key}: .*{wrong}", self.site, "--tls-port", "0",
                             "--tls-self-signed", "-o", f"tls_backend={backend}", "-o", setting)

    def test_obeyed(self):
        """One version, one cipher, one curve; the handshake fails for who has none of them."""
        cipher = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
        for backend in self.backends():
            server = self.serve("-c", self.tls_config("localhost-ecdsa.pem", "localhost-ecdsa.key"),
                                "-o", f"tls_backend={backend}", "-o", "tls_protocols=1.2",
                                "-o", f"tls_ciphers={cipher}", "-o", "tls_curves=secp384r1")

            def handshake(context):
                with socket.create_connection(("127.0.0.1", secure_port(server)), WAIT_S) as raw:
                    with context.wrap_socket(raw) as tls:
                        return tls.version(), tls.cipher()[0]

            self.assertEqual(handshake(unverified()),
                             ("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"))
            for refused in (lambda c: setattr(c, "minimum_version", ssl.TLSVersion.TLSv1_3),
                            lambda c: c.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256"),
                            lambda c: c.set_ecdh_curve("prime256v1")):
                context = unverified()
                context.maximum_version = ssl.TLSVersion.TLSv1_3
                refused(context)
                with self.assertRaises(ssl.SSLError):
                    handshake(context)
            self.assertEqual(server.stop(), 0)


class SelfSigned(Tls):
    def test_every_engine(self):
        engines = {one["name"]: one["ok"]
                   for one in json.loads(self.run_command("doctor", "--json")[1])["engines"]}
        for backend in self.backends():
            for engine in ENGINES:
                if not engines[engine]:
                    continue
                with self.subTest(engine):
                    self.check(engine, backend)

    def check(self, engine, backend):
        server = self.serve(self.site, "--port", "0", "--tls-port", "0", "--tls-self-signed",
                            "-e", engine, "-o", f"tls_backend={backend}", addresses=2)
        self.assertRegex(server.where[0], r"\Ahttp://127\.0\.0\.1:\d+/\Z")
        self.assertRegex(server.where[1], r"\Ahttps://127\.0\.0\.1:\d+/\Z")
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
        status, body, certificate = get(server, unverified())
        self.assertEqual((status, body), (200, b"hello\n"))
        # Who trusts it needs no exception for these names.
        trusting = ssl.create_default_context(cadata=certificate)
        for host in ("localhost", "127.0.0.1"):
            self.assertEqual(get(server, trusting, host)[:2], (200, b"hello\n"))
        with self.assertRaises(ssl.SSLCertVerificationError):
            get(server, ssl.create_default_context())
        self.assertEqual(server.stop(), 0)
        self.assertRegex(server.stderr(), r" warn --tls-self-signed: .*browsers will warn")

    def test_anew_each_time(self):
        for backend in self.backends():
            seen = set()
            for _ in range(2):
                server = self.serve(self.site, "--port", "0", "--tls-port", "0",
                                    "--tls-self-signed", "-o", f"tls_backend={backend}",
                                    addresses=2)
                seen.add(get(server, unverified())[2])
                self.assertEqual(server.stop(), 0)
            self.assertEqual(len(seen), 2)

    def test_with_a_file(self):
        """Only servers without a certificate get it."""
        file = self.write("server.conf", 'server "a" { listen = "127.0.0.1:0 tls" root = "site" }')
        for backend in self.backends():
            server = self.serve("-c", file, "--tls-self-signed", "-o", f"tls_backend={backend}")
            self.assertEqual(get(server, unverified())[:2], (200, b"hello\n"))
            self.assertEqual(server.stop(), 0)
        self.refused("has no certificate for 127.0.0.1:0", "-c", file)

    def test_refused(self):
        path = os.path.join(PKI, "site")
        self.refused("--tls-self-signed: every server with TLS has a certificate", self.site,
                     "--tls-self-signed", "-o", f"certificate={path}.pem", "-o", f"key={path}.key")
        self.refused("--tls-self-signed: no address has TLS", "-c", self.config(),
                     "--tls-self-signed")
        for arguments, sentence in ((["--tls-port", "x"], "--tls-port takes a number"),
                                    (["--tls-port"], "--tls-port needs a value")):
            status, out, err = self.run_command(self.site, *arguments)
            self.assertEqual((status, out), (2, ""))
            self.assertIn(sentence, err)

    def test_certificate_of_the_command_line(self):
        path = os.path.join(PKI, "localhost-ecdsa")
        trusting = ssl.create_default_context(cafile=os.path.join(PKI, "ca.pem"))
        for backend in self.backends():
            server = self.serve(self.site, "--port", "0", "--tls-port", "0",
                                "-o", f"certificate={path}.pem", "-o", f"key={path}.key",
                                "-o", f"tls_backend={backend}", addresses=2)
            self.assertEqual(get(server, trusting)[:2], (200, b"hello\n"))
            self.assertEqual(server.stop(), 0)
            self.assertNotIn("self-signed", server.stderr())

    def test_unix_socket(self):
        path = self.path("g.sock")
        for backend in self.backends():
            server = self.serve(self.site, "-o", f'listen=unix:{path} tls', "--tls-port", "0",
                                "--tls-self-signed", "-o", f"tls_backend={backend}", addresses=2)
            self.assertEqual(server.where[0], f"unix:{path}")
            with socket.socket(socket.AF_UNIX) as raw:
                raw.settimeout(WAIT_S)
                raw.connect(path)
                with unverified().wrap_socket(raw, server_hostname="localhost") as tls:
                    tls.sendall(b"GET /hello.txt HTTP/1.0\r\n\r\n")
                    self.assertTrue(tls.recv(64).startswith(b"HTTP/1.1 200 "))
            self.assertEqual(server.stop(), 0)


class Told(Tls):
    def test_build_info(self):
        _, out, _ = self.run_command("-V")
        lines = re.search(r"(?m)^TLS: +\S.*\n(?: {13}\S.*\n)*", out)[0].splitlines()
        if not BACKENDS:
            self.assertEqual(lines, ["TLS:         none built in"])
        for backend, line in zip(BACKENDS, lines, strict=bool(BACKENDS)):
            self.assertRegex(line, r"(?i)(openssl|mbed ?tls) \d+\.\d+.*: TLS 1\.2")
            self.assertTrue(line.endswith(f"(tls_backend = {backend})"), line)

    def test_doctor(self):
        status, out, err = self.run_command("doctor", "--json")
        self.assertEqual((status, err), (0, ""))
        findings = {one["name"]: one for one in json.loads(out)["tls"]}
        self.assertEqual(tuple(findings), (*KNOWN, "ktls"))
        for name in KNOWN:
            self.assertEqual(findings[name]["ok"], name in BACKENDS)
            if name in BACKENDS:
                self.assertIn("TLS 1.2", findings[name]["text"])
            else:
                self.assertIn("-dev and build again", findings[name]["advice"])
        try:
            with open("/proc/sys/net/ipv4/tcp_available_ulp", encoding="ascii") as file:
                loaded = "tls" in file.read().split()
        except OSError:
            loaded = findings["ktls"]["ok"]
        self.assertEqual(findings["ktls"]["ok"], loaded, findings["ktls"]["text"])
        self.assertEqual("advice" in findings["ktls"], not loaded)

    def test_print(self):
        """What -T prints of a server with TLS can be loaded again."""
        file = self.tls_config(text='tls_protocols = {"1.2"}')
        status, out, _ = self.run_command("-T", "-c", file)
        self.assertEqual(status, 0)
        self.assertIn(f'certificate = {{"{self.folder}/pki/localhost-rsa.pem"}}', out)
        self.assertIn('listen = {"127.0.0.1:0 tls backlog=', out)
        again = self.run_command("-T", "-c", self.write("again.conf", out))
        self.assertEqual(again, (0, out, ""))

    @unittest.skipIf(BACKENDS, "a TLS library is built in")
    def test_none_built_in(self):
        self.refused('listen: "127.0.0.1:8443" has TLS, and no TLS library is built in: install ',
                     self.site, "--tls-self-signed")


if __name__ == "__main__":
    unittest.main()
