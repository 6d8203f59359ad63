"""A supervised server with two addresses: a plain one, and one with TLS, whose certificates are made
anew for each class of tests."""

import os
import re
import ssl
import subprocess
import sys
import tempfile

from supervised import BINARY, Supervised, environment

MAKE_PKI = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../pki/make_pki.py")


def libraries():
    """The TLS libraries that are built in, with the versions of TLS that each has:
    {"openssl": {"1.2", "1.3"}}."""
    text = subprocess.run([BINARY, "-V"], env=environment(), capture_output=True, text=True,
                          check=True).stdout
    return {name: set(re.findall(r"1\.\d", versions)) for versions, name in
            re.findall(r": TLS ([^(\n]*)\(tls_backend = (\w+)\)", text)}


class Secured(Supervised):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory(prefix="gearshift-pki-")
        cls.addClassCleanup(folder.cleanup)
        cls.pki = folder.name
        os.chmod(cls.pki, 0o755)
        subprocess.run([sys.executable, MAKE_PKI, cls.pki], check=True, capture_output=True)

    def conf(self, text="", server="", name="server.conf", certificate="localhost-ecdsa.pem",
             key=None):
        key = key or certificate.replace(".pem", ".key")
        return self.write(name, f"""control = "{self.control}"
{text}
server "localhost" {{
    listen = {{"127.0.0.1:0", "127.0.0.1:0 tls"}}
    root = "{self.folder}/site"
    certificate = "{self.pki}/{certificate}"
    key = "{self.pki}/{key}"
    {server}
}}
""")

    def secured_address(self, server):
        return "127.0.0.1", int(re.search(r":(\d+)/", server.where[1]).group(1))

    def context(self):
        """A client's, which trusts the tests' CA."""
        context = ssl.create_default_context(cafile=os.path.join(self.pki, "ca.pem"))
        context.check_hostname = True
        return context


__all__ = ["Secured", "libraries"]
