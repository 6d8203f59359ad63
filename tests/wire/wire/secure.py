"""What `--tls BACKEND` means for a server: certificates, its command line, its configuration. What
it means for a client is in tls.py."""

import fcntl
import os
import re
import sys

PKI_SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../pki")
CERTIFICATES = ('certificate = {"@pki@/localhost-ecdsa.pem", "@pki@/localhost-rsa.pem"}\n'
                'key = {"@pki@/localhost-ecdsa.key", "@pki@/localhost-rsa.key"}\n')
SERVER_BLOCK = re.compile(r'^(\s*server\s+"[^"]*"\s*\{)', re.MULTILINE)
LISTEN_LIST = re.compile(r"\blisten\s*=\s*\{[^}]*\}")


def pki_folder(server_path):
    """The folder with the test CA and its certificates (tests/pki), beside the server: made by
    whoever comes first, and again when the script that makes it is newer."""
    folder = os.path.join(os.path.dirname(server_path), "pki")
    stamp = os.path.join(folder, "made")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        script = os.path.join(PKI_SCRIPT, "make_pki.py")
        if not os.path.exists(stamp) or os.path.getmtime(stamp) < os.path.getmtime(script):
            sys.path.insert(0, PKI_SCRIPT)
            import make_pki
            make_pki.make(folder)
            with open(stamp, "w", encoding="ascii"):
                pass
    return folder


def configuration(text):
    """The text of a configuration file in which every address has TLS and every server the
    certificates of localhost. One that names certificates itself is left alone."""
    if re.search(r"\bcertificate\s*=", text):
        return text
    text = LISTEN_LIST.sub(lambda match: re.sub(r'"([^"]*)"', r'"\1 tls"', match[0]), text)
    return SERVER_BLOCK.sub(lambda match: match[1] + "\n" + CERTIFICATES, text)


def arguments(given):
    """The arguments by which a folder is served with TLS at the address that they name, or at a
    free port."""
    given = list(given)
    if "--listen" in given:
        given[given.index("--listen") + 1] += " tls"
    else:
        given += ["--listen", "127.0.0.1:0 tls"]
    for line in CERTIFICATES.splitlines():
        given += ["-o", re.sub(r"\s*=\s*", "=", line, count=1)]
    return given
