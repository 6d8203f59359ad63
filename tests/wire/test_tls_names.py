#!/usr/bin/python3
"""Which certificate and which server a client gets: by the name that it asks for (SNI, RFC 6066
section 3), and by the algorithms that it knows. A Host that belongs to another server than the name
is misdirected (RFC 9110 section 15.5.20)."""

import ssl

from wire import each, head, hello, run, test
from wire.tls import client_context

CONF = """
server "localhost" {
    listen = {"@listen@ tls"}
    root = "@root@/default"
    certificate = {"@pki@/localhost-ecdsa.pem", "@pki@/localhost-rsa.pem"}
    key = {"@pki@/localhost-ecdsa.key", "@pki@/localhost-rsa.key"}
}
server "site.example.test" {
    listen = {"@listen@ tls"}
    alias_hosts = {"alias.example.test"}
    root = "@root@/site"
    certificate = {"@pki@/site.pem"}
    key = {"@pki@/site.key"}
}
server "wild.example.test" {
    listen = {"@listen@ tls"}
    alias_hosts = {"*.wild.example.test"}
    root = "@root@/wild"
    certificate = {"@pki@/wildcard.pem"}
    key = {"@pki@/wildcard.key"}
}
"""

NAMES = {"default": "localhost", "site": "site.example.test", "wild": "*.wild.example.test"}


def setup(world):
    for name in NAMES:
        world.root.write(f"{name}/who.txt", name)
    server = world.serve(conf=CONF)
    server.context = client_context(world.pki + "/ca.pem")
    return server


def certificate_names(connection):
    """The DNS names in the certificate that was sent, whose chain was verified."""
    return [value for kind, value in connection.sock.tls.getpeercert()["subjectAltName"]
            if kind == "DNS"]


@each([
    ("localhost", "default"), ("site.example.test", "site"), ("SITE.Example.TEST", "site"),
    ("alias.example.test", "site"), ("a.wild.example.test", "wild"),
    ("wild.example.test", "wild"), ("unknown.example", "default"),
    ("example.test", "default"), ("notsite.example.test", "default"),
    ("site.example.test.evil.example", "default"), (None, "default"),
])
def the_name_chooses_the_certificate(server, name, who):
    with server.connect(server_name=name) as connection:
        assert certificate_names(connection) == [NAMES[who]]
        answer = connection.get("/who.txt", host=name or "localhost")
        assert answer.status == 200 and answer.body == who.encode()


@test
def a_browser_accepts_the_names(server):
    """The chain and the name are verified, as they are out there."""
    context = client_context(server.world.pki + "/ca.pem")
    context.check_hostname = True
    for name in ("localhost", "127.0.0.1", "site.example.test", "x.wild.example.test"):
        with server.connect(context=context, server_name=name) as connection:
            assert connection.get("/who.txt", host=name).status == 200


@test
def a_body_for_another_host_is_not_asked_for(server):
    """Nor does a connection go on behind what may be meant for a tunnel."""
    for request in (head("GET", "/who.txt", "Content-Length: 5", "Expect: 100-continue",
                         host="localhost"), head("CONNECT", "localhost:443", host="localhost")):
        with server.connect(server_name="site.example.test") as connection:
            connection.send(request + head("GET", "/who.txt", host="site.example.test"))
            answer = connection.read_response()
            assert answer.status == 421 and answer.closes
            connection.expect_end()


@each([
    ("site.example.test", "localhost"), ("localhost", "site.example.test"),
    ("site.example.test", "a.wild.example.test"), ("site.example.test", "unknown.example"),
    ("unknown.example", "site.example.test"), ("a.wild.example.test", "site.example.test"),
])
def another_host_is_misdirected(server, name, host):
    """421, and the connection is of use for its own name afterwards."""
    with server.connect(server_name=name) as connection:
        answer = connection.get("/who.txt", host=host)
        assert answer.status == 421 and b"default" not in answer.body
        if not answer.closes:
            assert connection.get("/who.txt", host=name).status == 200


@each([
    ("site.example.test", "alias.example.test", "site"),
    ("a.wild.example.test", "b.wild.example.test", "wild"),
    ("site.example.test", "SITE.example.test:8443", "site"),
    ("unknown.example", "localhost", "default"), ("localhost", "other.example", "default"),
])
def another_name_of_the_same_server_is_not(server, name, host, who):
    with server.connect(server_name=name) as connection:
        answer = connection.get("/who.txt", host=host)
        assert answer.status == 200 and answer.body == who.encode()


@each([("localhost", "default"), ("site.example.test", "site"), ("a.wild.example.test", "wild")])
def without_a_name_the_host_chooses(server, host, who):
    with server.connect() as connection:
        assert connection.get("/who.txt", host=host).body == who.encode()


@each([("ECDHE-RSA-AES128-GCM-SHA256", "rsa"), ("ECDHE-ECDSA-AES128-GCM-SHA256", "ecdsa"),
       ("ECDHE-ECDSA-AES256-GCM-SHA384", "ecdsa"), ("ECDHE-RSA-AES256-GCM-SHA384", "rsa")])
def the_algorithms_choose_between_certificates(server, cipher, key):
    world = server.world
    version = ssl.TLSVersion.TLSv1_2
    context = client_context(world.pki + "/ca.pem", versions=(version, version), ciphers=cipher)
    with server.connect(context=context, server_name="localhost") as connection:
        assert connection.sock.tls.cipher()[0] == cipher
        with open(f"{world.pki}/localhost-{key}.pem", encoding="ascii") as file:
            wanted = ssl.PEM_cert_to_DER_cert(file.read().partition("-----END")[0]
                                              + "-----END CERTIFICATE-----\n")
        assert connection.sock.tls.getpeercert(binary_form=True) == wanted


@test
def a_client_without_the_only_algorithm_is_refused(server):
    """The site has an ECDSA certificate alone."""
    got = hello.outcome(server, hello.client_hello(versions=(), ciphers=(0xc02f, 0xc030),
                                                   name="site.example.test"))
    assert got == ("alert", hello.FATAL, hello.HANDSHAKE_FAILURE)


@each(["", "a" * 255, "site.example.test.", "..", "\0", "site.example.test\0", "a b", "\xff\xfe",
       "127.0.0.1", "[::1]", "*.wild.example.test", "-", "site.example.test:443"])
def odd_names_do_no_harm(server, name):
    """An alert or the default certificate, as the library has it."""
    got = hello.outcome(server, hello.client_hello(versions=(), name=name))
    assert got[0] in ("alert", "hello")
    assert server.get("/who.txt").body == b"default"


@each([
    ("two lists", hello.server_name("localhost") + hello.server_name("localhost")),
    ("an empty list", hello.extension(0, b"\0\0")),
    ("no list", hello.extension(0, b"")),
    ("a length too long", hello.extension(0, b"\0\x20\0\0\x09localhost")),
    ("another kind of name", hello.extension(0, b"\0\x0c\x01\0\x09localhost")),
])
def a_malformed_extension_does_no_harm(server, _, octets):
    got = hello.outcome(server, hello.client_hello(versions=(), more=octets))
    assert got[0] in ("alert", "hello")
    assert server.get("/who.txt").body == b"default"


if __name__ == "__main__":
    run(setup, tls=True)
