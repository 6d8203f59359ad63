#!/usr/bin/python3
"""Clients that prove themselves by a certificate (mutual TLS): who gets in, who does not, what the
access log tells of them, and that neither another Host nor a session of before is a way around it."""

import hashlib
import json
import re
import ssl

from wire import each, eventually, run, test
from wire.tls import TlsFault, client_context

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
NAMES = ("verify", "subject", "issuer", "serial", "fingerprint")
FORMAT = "escape=json {%s}" % ",".join(
    [f'\\"{name}\\":\\"${name}\\"' for name in ("host", "status")]
    + [f'\\"{name}\\":\\"$tls_client_{name}\\"' for name in NAMES])
SITE = 'certificate = "@pki@/%s.pem"\n key = "@pki@/%s.key"\n'
CONF = f"""
access_log = "@world@/access.log"
access_log_format = "{FORMAT}"
server "localhost" {{
    listen = {{"@listen@ tls"}}
    root = "@root@"
    status_page = "/status"
    {SITE % (("localhost-ecdsa",) * 2)}
}}
server "site.example.test" {{
    listen = {{"@listen@ tls"}}
    root = "@root@"
    {SITE % (("site",) * 2)}
    tls_client_ca = "@pki@/clients.pem"
    tls_crl = "@pki@/clients.crl"
}}
server "wild.example.test" {{
    listen = {{"@listen@ tls"}}
    alias_hosts = {{"*.wild.example.test"}}
    root = "@root@"
    {SITE % (("wildcard",) * 2)}
    tls_client_ca = "@pki@/clients.pem"
    tls_verify = optional
    tls_verify_depth = 0
}}
"""
OPEN, REQUIRED, OPTIONAL = "localhost", "site.example.test", "a.wild.example.test"


def setup(world):
    world.root.write("a.txt", "secret")
    server = world.serve(conf=CONF)
    server.has_1_3 = world.speaks_tls_1_3()
    return server


def as_client(server, name=None, version=None):
    """What a client wants that has the certificate of that name."""
    context = client_context(versions=(version, version) if version else None)
    if name:
        context.load_cert_chain(f"{server.world.pki}/{name}.pem", f"{server.world.pki}/{name}.key")
    return context


def versions(server):
    return (V12, V13) if server.has_1_3 else (V12,)


def answer(server, context, sni, host=None, session=None):
    """The answer; None: the connection was refused, and told nothing."""
    try:
        with server.connect(context=context, server_name=sni, session=session) as connection:
            got = connection.get("/a.txt", host=host or sni)
            assert got.status != 200 or got.body == b"secret"
            return got
    except (TlsFault, ConnectionError):
        return None


def status(*arguments, **options):
    got = answer(*arguments, **options)
    return got and got.status


@each([
    (None, OPEN, 200), (None, REQUIRED, None), (None, OPTIONAL, 200),
    ("client", OPEN, 200), ("client", REQUIRED, 200), ("client", OPTIONAL, 200),
    ("client-below", REQUIRED, 200), ("client-below", OPTIONAL, None),
    ("client-revoked", REQUIRED, None), ("client-revoked", OPTIONAL, 200),
    ("client-expired", REQUIRED, None), ("client-expired", OPTIONAL, None),
    ("client-stranger", OPEN, 200), ("client-stranger", REQUIRED, None),
    ("client-stranger", OPTIONAL, None),
])
def who_gets_in(server, name, sni, wanted):
    for version in versions(server):
        got = status(server, as_client(server, name, version), sni)
        assert got == wanted, (version, got)


@each([(OPEN, REQUIRED), (OPEN, OPTIONAL), (None, REQUIRED), (None, OPTIONAL),
       (OPTIONAL, REQUIRED), (REQUIRED, OPTIONAL), ("unknown.example", REQUIRED)])
def another_host_is_no_way_around(server, sni, host):
    """Whoever he is: what he had to prove was another server's to say."""
    for name in (None, "client"):
        if sni == REQUIRED and name is None:
            continue
        assert status(server, as_client(server, name), sni, host) == 421


@test
def without_a_name_the_open_server_is_open(server):
    assert status(server, as_client(server), None, OPEN) == 200


@test
def a_session_is_no_way_around(server):
    """One that was made without a certificate, or for another server, proves nothing."""
    for version in versions(server):
        bare, client = as_client(server, None, version), as_client(server, "client", version)
        for context, sni in ((bare, OPEN), (bare, OPTIONAL), (client, OPTIONAL), (client, OPEN)):
            with server.connect(context=context, server_name=sni) as connection:
                assert connection.get("/a.txt", host=sni).status == 200
                session = connection.sock.tls.session
            # Its own context; that of a client without a certificate cannot use another's.
            wanted = 200 if context is client else None
            assert status(server, context, REQUIRED, session=session) == wanted


@test
def the_log_tells_who(server):
    """And of a session that is resumed the same as of the one before. Whether the library resumes
    such sessions is its affair."""
    world = server.world
    log = f"{world.path}/who.log"
    other = world.serve(conf=CONF.replace("access.log", "who.log"))
    for version in versions(server):
        context = as_client(server, "client", version)
        session = None
        for _ in range(2):
            with other.connect(context=context, server_name=REQUIRED, session=session) as connection:
                assert connection.get("/a.txt", host=REQUIRED).status == 200
                session = connection.sock.tls.session
        assert status(other, as_client(server, None, version), OPTIONAL) == 200
    other.stop()
    with open(log, encoding="ascii") as file:
        rows = [json.loads(line) for line in file]
    assert len(rows) == 3 * len(versions(server))
    with open(f"{world.pki}/client.pem", encoding="ascii") as file:
        octets = ssl.PEM_cert_to_DER_cert(file.read())
    nobody = [row for row in rows if row["host"] == OPTIONAL]
    assert [list(row.values())[2:] for row in nobody] == [["NONE", "", "", "", ""]] * (len(rows) // 3)
    for row in rows:
        if row in nobody:
            continue
        assert row["verify"] == "SUCCESS" and row["subject"] == "CN=alice"
        assert row["issuer"] == "CN=Gearshift test clients"
        assert row["fingerprint"] == hashlib.sha256(octets).hexdigest()
        assert int(row["serial"], 16) > 0 and row["serial"] == row["serial"].upper()


@test
def answers_can_tell_who(server):
    """In a field, a page, and a map, as in the log: who is known here is sent to nobody else."""
    world = server.world
    fields = "$tls_client_verify|$tls_client_subject|$ssl_client_i_dn|$tls_client_serial|$tls_client_fingerprint"
    conf = CONF.replace("access.log", "told.log").replace('alias_hosts', """
        headers = {"X-Who: %s", "X-How: $tls_protocol|$tls_cipher|$tls_server_name"}
        location = "/who" { return = "200 $role $tls_client_subject" }
        alias_hosts""" % fields)
    other = world.serve(conf='map "$tls_client_subject" "$role" { "CN=alice" = "admin" default = "guest" }\n' + conf)
    for version in versions(server):
        with other.connect(context=as_client(server, "client", version), server_name=OPTIONAL) as connection:
            answer = connection.get("/a.txt", host=OPTIONAL)
            who = answer["X-Who"].split("|")
            assert who[:3] == ["SUCCESS", "CN=alice", "CN=Gearshift test clients"], who
            assert int(who[3], 16) > 0 and re.fullmatch("[0-9a-f]{64}", who[4])
            how = answer["X-How"].split("|")
            assert how[0] == connection.sock.tls.version() and how[1].startswith("TLS_") and how[2] == OPTIONAL
            assert connection.get("/who", host=OPTIONAL).body == b"admin CN=alice"
        with other.connect(context=as_client(server, None, version), server_name=OPTIONAL) as connection:
            assert connection.get("/a.txt", host=OPTIONAL)["X-Who"] == "NONE||||"
            assert connection.get("/who", host=OPTIONAL).body == b"guest "


@test
def the_operator_is_told_why(server):
    """Lines of the error log, and a counter."""
    other = server.world.serve(conf=CONF)
    reasons = ((None, "it has sent none"), ("client-revoked", "revoked"),
               ("client-expired", "expired"), ("client-stranger", ""))
    for name, reason in reasons:
        told = other.stderr().count("certificate is refused: ")
        assert status(other, as_client(server, name), REQUIRED) is None
        assert eventually(lambda: other.stderr().count("is refused: ") > told, 10), other.stderr()
        line = other.stderr().splitlines()[-1]
        assert f'client 127.0.0.1 of "{REQUIRED}": its certificate' in line and reason in line, line
    with other.connect(server_name=OPEN) as connection:
        got = connection.get("/status", "Accept: application/json", host=OPEN)
    failures = json.loads(got.body)["tls_handshake_failures_total"]
    assert failures["client_certificate"] == len(reasons), failures


if __name__ == "__main__":
    run(setup, tls=True)
