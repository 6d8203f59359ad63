#!/usr/bin/python3
"""A folder of certificates, chosen by the names in them (tls_certificates), and OCSP responses that
are sent along with one (ocsp)."""

import os
import shutil
import ssl
import subprocess

from wire import each, run, test
from wire.server import ServerFailed
from wire.tls import TlsFault, client_context

FOLDER = """
tls_certificates = "@world@/certificates"
server "localhost" {
    listen = {"@listen@ tls"}
    root = "@root@"
    certificate = "@pki@/expired-not.pem"
    key = "@pki@/localhost-rsa.key"
}
server "site.example.test" {
    listen = {"@listen@ tls"}
    root = "@root@"
}
server "_" {
    listen = {"@listen@ tls"}
    root = "@root@"
}
""".replace("expired-not", "localhost-rsa")
OCSP = """
server "localhost" {
    listen = {"@listen@ tls"}
    root = "@root@"
    certificate = {"@pki@/localhost-ecdsa.pem", "@pki@/localhost-rsa.pem"}
    key = {"@pki@/localhost-ecdsa.key", "@pki@/localhost-rsa.key"}
    ocsp = {"%s", ""}
}
"""


def setup(world):
    world.root.write("a.txt", "a")
    folder = f"{world.path}/certificates"
    os.makedirs(f"{folder}/site.example.test")
    shutil.copy(f"{world.pki}/site.pem", f"{folder}/site.example.test/fullchain.pem")
    shutil.copy(f"{world.pki}/site.key", f"{folder}/site.example.test/privkey.pem")
    shutil.copy(f"{world.pki}/wildcard.pem", f"{folder}/wild.crt")
    shutil.copy(f"{world.pki}/wildcard.key", f"{folder}/wild.key")
    shutil.copy(f"{world.pki}/localhost-ecdsa.pem", f"{folder}/other.crt")  # "localhost" has its own
    shutil.copy(f"{world.pki}/localhost-ecdsa.key", f"{folder}/other.key")
    shutil.copy(f"{world.pki}/expired.pem", f"{folder}/expired.crt")
    shutil.copy(f"{world.pki}/expired.key", f"{folder}/expired.key")
    with open(f"{folder}/README", "w", encoding="ascii") as file:
        file.write("not a certificate")
    with open(f"{folder}/broken.pem", "w", encoding="ascii") as file:
        file.write("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    server = world.serve(conf=FOLDER)
    server.trusting = client_context(world.pki + "/ca.pem")
    return server


def names_in(connection):
    return [value for kind, value in connection.sock.tls.getpeercert()["subjectAltName"]
            if kind == "DNS"]


@each([("site.example.test", "site.example.test"), ("SITE.example.TEST", "site.example.test"),
       ("a.wild.example.test", "*.wild.example.test"), ("localhost", "localhost")])
def the_name_finds_its_certificate(server, name, wanted):
    with server.connect(context=server.trusting, server_name=name) as connection:
        assert names_in(connection) == [wanted]
        assert connection.get("/a.txt", host=name).status == 200


@test
def a_servers_own_certificate_comes_first(server):
    """The folder has an ECDSA one for localhost, which clients would get by their choice."""
    with server.connect(context=server.trusting, server_name="localhost") as connection:
        key = connection.sock.tls.getpeercert(binary_form=True)
    with open(f"{server.world.pki}/localhost-rsa.pem", encoding="ascii") as file:
        assert key == ssl.PEM_cert_to_DER_cert(file.read().partition("-----END")[0]
                                               + "-----END CERTIFICATE-----\n")


@each(["wild.example.test", "a.b.wild.example.test", "nobody.example"])
def a_name_without_one_is_refused(server, name):
    try:
        server.connect(context=server.trusting, server_name=name).close()
    except (TlsFault, ConnectionError):
        return
    raise AssertionError("served")


@test
def what_is_of_no_use_is_left_out_and_told(server):
    text = server.stderr()
    for name, why in (("expired.crt", "expired on"), ("broken.pem", "is not well-formed")):
        lines = [line for line in text.splitlines() if f"/{name}: " in line]
        assert len(lines) == 1 and why in lines[0] and "left out" in lines[0], text
    assert "README" not in text and "3 certificates for 3 names" in text, text


def status_sent(server):
    """What `openssl s_client` sees of an OCSP response, for either certificate."""
    said = {}
    for kind, cipher in (("ecdsa", "ECDHE-ECDSA-AES128-GCM-SHA256"),
                         ("rsa", "ECDHE-RSA-AES128-GCM-SHA256")):
        done = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % server.port,
                               "-status", "-tls1_2", "-cipher", cipher], input="", timeout=30,
                              capture_output=True, text=True, check=False)
        said[kind] = "OCSP Response Status: successful" in done.stdout
        assert said[kind] or "OCSP response: no response sent" in done.stdout, done.stdout
    return said


@test
def a_response_is_sent_with_the_certificate_that_it_is_about(server):
    world = server.world
    conf = OCSP % "@pki@/localhost-ecdsa.ocsp"
    if world.tls == "mbedtls":
        try:
            world.serve(conf=conf)
        except ServerFailed as error:
            assert "mbed TLS cannot send OCSP responses" in str(error), error
            return
        raise AssertionError("ocsp is ignored")
    assert status_sent(world.serve(conf=conf)) == {"ecdsa": True, "rsa": False}


@each([("@pki@/site.ocsp", "it is about another certificate"),
       ("@pki@/missing.ocsp", "cannot be opened"), ("@pki@/empty.pem", "no OCSP response")])
def one_that_is_of_no_use_is_not_sent(server, path, why):
    world = server.world
    if world.tls == "mbedtls":
        return
    other = world.serve(conf=OCSP % path)
    assert why in other.stderr(), other.stderr()
    assert status_sent(other) == {"ecdsa": False, "rsa": False}


if __name__ == "__main__":
    run(setup, tls=True)
