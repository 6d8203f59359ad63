#!/usr/bin/env python3
"""Makes a test CA and the certificates that the TLS tests serve, with the openssl command.

    make_pki.py FOLDER

The hierarchy is that of public ones: an RSA root (`ca.pem`), which clients trust, and two
intermediates, RSA and ECDSA, which sign the servers' certificates and follow them in each file.

    localhost-rsa.pem    .key   localhost, 127.0.0.1, ::1
    localhost-ecdsa.pem  .key   the same names
    site.pem             .key   site.example.test
    wildcard.pem         .key   *.wild.example.test
    expired.pem          .key   localhost, its time is over
    localhost-rsa.both.pem      certificate, chain and key in one file
    encrypted.key               localhost-ecdsa.key, under the passphrase "secret"
    other.key                   no certificate's key
    empty.pem                   nothing

And what clients prove themselves with:

    clients.pem                 an authority of clients, which no server's certificate comes from
    client.pem           .key   CN=alice, signed by it
    client-below.pem     .key   signed by an authority below it, whose certificate follows
    client-revoked.pem   .key   signed by it, and revoked
    client-expired.pem   .key   signed by it, its time is over
    localhost-ecdsa.ocsp        a response about it that holds for ten years
    site.ocsp                   one about site.pem
    clients.crl                 what the two authorities have revoked
    strangers.pem               another authority of clients
    client-stranger.pem  .key   CN=alice, signed by that

Nothing here protects anything: keys are made anew each time and are readable by their owner only
because servers like it so.
"""

import os
import subprocess
import sys
import tempfile

VALID = ("20200101000000Z", "20491231235959Z")
OVER = ("20200101000000Z", "20200201000000Z")

LOCALHOST = ("DNS:localhost", "IP:127.0.0.1", "IP:::1")

SETTINGS = """
[req]
distinguished_name = name
prompt = no
[name]
[ca]
default_ca = test_ca
[test_ca]
database = {work}/index.txt
rand_serial = yes
new_certs_dir = {work}
default_md = sha256
policy = any
unique_subject = no
copy_extensions = none
email_in_dn = no
[any]
commonName = supplied
"""

CA_EXTENSIONS = """
basicConstraints = critical, CA:TRUE{path_length}
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""

SERVER_EXTENSIONS = """
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""


CLIENT_EXTENSIONS = """
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


class Pki:
    """Makes files in `folder`; what only the CA needs goes to `work`."""

    def __init__(self, folder, work):
        self.folder = folder
        self.work = work
        self.settings = os.path.join(work, "openssl.cnf")
        self.write(self.settings, SETTINGS.format(work=work))
        self.write(os.path.join(work, "index.txt"), "")

    def path(self, name):
        return os.path.join(self.folder, name)

    @staticmethod
    def write(path, text):
        with open(path, "w", encoding="ascii") as file:
            file.write(text)

    @staticmethod
    def read(path):
        with open(path, encoding="ascii") as file:
            return file.read()

    @staticmethod
    def openssl(*arguments):
        done = subprocess.run(["openssl", *arguments], check=False, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"openssl {' '.join(arguments)}: {done.stderr}")

    def key(self, path, kind):
        """A new private key, of kind "RSA" or "EC"."""
        option = {"RSA": "rsa_keygen_bits:2048", "EC": "ec_paramgen_curve:P-256"}[kind]
        self.openssl("genpkey", "-algorithm", kind, "-pkeyopt", option, "-out", path)
        os.chmod(path, 0o600)

    def sign(self, path, key, name, extensions, issuer, valid=VALID):
        """Certifies `key`. `issuer`: a certificate and its key; None: itself."""
        request = os.path.join(self.work, "request.pem")
        extension_file = os.path.join(self.work, "extensions.cnf")
        self.write(extension_file, extensions)
        self.openssl("req", "-new", "-config", self.settings, "-key", key, "-subj", f"/CN={name}",
                     "-out", request)
        by = ["-selfsign", "-keyfile", key] if issuer is None else \
            ["-cert", issuer[0], "-keyfile", issuer[1]]
        self.openssl("ca", "-batch", "-notext", "-config", self.settings, "-in", request,
                     "-out", path, "-extfile", extension_file, "-startdate", valid[0],
                     "-enddate", valid[1], *by)

    def authority(self, name, kind, issuer=None, path=None):
        """A CA; returns its certificate and its key."""
        key = os.path.join(self.work, f"{name}.key")
        path = path or os.path.join(self.work, f"{name}.pem")
        self.key(key, kind)
        extensions = CA_EXTENSIONS.format(path_length=", pathlen:0" if issuer else "")
        self.sign(path, key, f"Gearshift test {name}", extensions, issuer)
        return path, key

    def client(self, name, common_name, issuer, valid=VALID, chain=False):
        """NAME.key, and NAME.pem with, if asked for, the issuer's certificate behind it."""
        path, key = self.path(f"{name}.pem"), self.path(f"{name}.key")
        self.key(key, "EC")
        self.sign(path, key, common_name, CLIENT_EXTENSIONS, issuer, valid)
        if chain:
            self.write(path, self.read(path) + self.read(issuer[0]))

    def revoked(self, issuer):
        """The list of what this authority has revoked."""
        path = os.path.join(self.work, "list.pem")
        self.openssl("ca", "-gencrl", "-config", self.settings, "-cert", issuer[0], "-keyfile",
                     issuer[1], "-crldays", "3650", "-out", path)
        return self.read(path)

    def response(self, name, certificate, issuer):
        """An OCSP response about `certificate`, signed by its issuer."""
        index = os.path.join(self.work, "responses.txt")
        serial = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-serial"],
                                check=True, capture_output=True, text=True).stdout.split("=")[1]
        self.write(index, f"V\t491231235959Z\t\t{serial.strip()}\tunknown\t/CN=x\n")
        self.openssl("ocsp", "-index", index, "-rsigner", issuer[0], "-rkey", issuer[1], "-CA",
                     issuer[0], "-issuer", issuer[0], "-cert", certificate, "-respout",
                     self.path(name), "-no_nonce", "-noverify", "-ndays", "3650")

    def clients(self):
        """What clients prove themselves with."""
        above = self.authority("clients", "EC", path=self.path("clients.pem"))
        below = self.authority("clients below", "EC", above)
        strangers = self.authority("strangers", "EC", path=self.path("strangers.pem"))
        self.client("client", "alice", above)
        self.client("client-below", "bob", below, chain=True)
        self.client("client-revoked", "carol", above)
        self.client("client-expired", "dave", above, OVER)
        self.client("client-stranger", "alice", strangers)
        self.openssl("ca", "-config", self.settings, "-cert", above[0], "-keyfile", above[1],
                     "-revoke", self.path("client-revoked.pem"))
        self.write(self.path("clients.crl"), self.revoked(above) + self.revoked(below))

    def server(self, name, kind, names, issuer, valid=VALID):
        """NAME.key, and NAME.pem with the intermediate behind the certificate."""
        path, key = self.path(f"{name}.pem"), self.path(f"{name}.key")
        self.key(key, kind)
        self.sign(path, key, names[0].split(":", 1)[1],
                  SERVER_EXTENSIONS.format(names=",".join(names)), issuer, valid)
        self.write(path, self.read(path) + self.read(issuer[0]))


def make(folder):
    """Makes everything in `folder`, which may exist."""
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gearshift-pki-") as work:
        pki = Pki(folder, work)
        root = pki.authority("root", "RSA", path=pki.path("ca.pem"))
        rsa = pki.authority("intermediate RSA", "RSA", root)
        ecdsa = pki.authority("intermediate ECDSA", "EC", root)
        pki.server("localhost-rsa", "RSA", LOCALHOST, rsa)
        pki.server("localhost-ecdsa", "EC", LOCALHOST, ecdsa)
        pki.server("site", "EC", ("DNS:site.example.test",), ecdsa)
        pki.server("wildcard", "EC", ("DNS:*.wild.example.test",), ecdsa)
        pki.server("expired", "EC", LOCALHOST, ecdsa, OVER)
        pki.key(pki.path("other.key"), "EC")
        pki.openssl("pkey", "-in", pki.path("localhost-ecdsa.key"), "-aes256", "-passout",
                    "pass:secret", "-out", pki.path("encrypted.key"))
        pki.write(pki.path("localhost-rsa.both.pem"), pki.read(pki.path("localhost-rsa.pem")) +
                  pki.read(pki.path("localhost-rsa.key")))
        os.chmod(pki.path("localhost-rsa.both.pem"), 0o600)
        pki.write(pki.path("empty.pem"), "")
        pki.clients()
        pki.response("localhost-ecdsa.ocsp", pki.path("localhost-ecdsa.pem"), ecdsa)
        pki.response("site.ocsp", pki.path("site.pem"), ecdsa)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: make_pki.py FOLDER")
    make(sys.argv[1])
