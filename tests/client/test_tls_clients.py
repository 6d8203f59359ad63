#!/usr/bin/python3
"""What only TLS asks of clients: curl, wget and openssl s_client with versions, ciphers, names,
verified certificates, resumption and ALPN of their own choice."""

import base64
import os
import re

from client import Program, Skipped, run, test, url

SIZE = 3_000_000


def setup(world):
    world.curl = Program(world, "curl", package="curl")
    world.wget = Program(world, "wget", package="wget")
    world.openssl = Program(world, "openssl", package="openssl")
    world.root.write("a.txt", "a")
    world.large = world.root.pattern("large.bin", SIZE)
    world.has_1_3 = world.speaks_tls_1_3()
    world.server = world.serve()
    return world


def curl(world, *options, path="/large.bin", **more):
    address = url(world.server, path).replace("127.0.0.1", "localhost")
    return world.curl("-sSv", "--fail", *options, address, **more)


def s_client(world, *options, **more):
    """Its report on a handshake."""
    return world.openssl("s_client", "-connect", f"127.0.0.1:{world.server.port}", "-CAfile",
                         f"{world.pki}/ca.pem", *options, **more)


@test
def curl_with_each_version(world):
    for options, shown in ((["--tls-max", "1.2"], "TLSv1.2"), (["--tlsv1.3"], "TLSv1.3")):
        if shown == "TLSv1.3" and not world.has_1_3:
            assert "alert" in curl(world, *options, status=35).err
            continue
        ran = curl(world, *options)
        assert ran.out == world.large and f"SSL connection using {shown}" in ran.err, ran.err


@test
def curl_verifies_the_certificate(world):
    ran = curl(world)
    assert "SSL certificate verify ok" in ran.err and "ALPN: server accepted http/1.1" in ran.err
    curl(world, "--cacert", f"{world.pki}/localhost-rsa.pem", status=60)
    world.curl("-sS", "--connect-to", f"::127.0.0.1:{world.server.port}",
               "https://other.example.test/a.txt", status=60)


@test
def curl_is_not_served_below_1_2(world):
    for version in ("1.0", "1.1"):
        curl(world, "--tlsv1.0", "--tls-max", version, "--ciphers", "DEFAULT@SECLEVEL=0", status=35)


@test
def curl_keeps_a_connection(world):
    address = url(world.server, "/large.bin")
    ran = world.curl("-sS", "-w", "%{stderr}%{num_connects} ", "-o", os.devnull, "-o", os.devnull,
                     "-o", os.devnull, address, address, address)
    assert ran.err.split() == ["1", "0", "0"], ran


@test
def curl_with_each_kind_of_certificate(world):
    for cipher in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"):
        ran = curl(world, "--tls-max", "1.2", "--ciphers", cipher)
        assert ran.out == world.large and cipher in ran.err, ran.err


@test
def wget_verifies_the_certificate(world):
    address = url(world.server, "/large.bin").replace("127.0.0.1", "localhost")
    assert world.wget("-q", "-O", "-", address).out == world.large
    end = "-----END CERTIFICATE-----\n"
    with open(f"{world.pki}/site.pem", encoding="ascii") as file:
        leaf = file.read().partition(end)[0] + end  # without its chain: it vouches for nobody else
    stranger = os.path.join(world.path, "stranger.pem")
    with open(stranger, "w", encoding="ascii") as file:
        file.write(leaf)
    world.wget("-q", "-O", "-", "--ca-certificate", stranger, address, status=5)
    assert world.wget("-q", "-O", "-", "--secure-protocol=TLSv1_2", address).out == world.large


def allowing_early_data(session):
    """The session (DER in PEM) with max_early_data (the field 15 of OpenSSL's SSL_SESSION, between
    those before and behind it), which the server did not give: a client that asks for trouble."""
    der = base64.b64decode("".join(session.split("-----")[2].split()))
    header = 2 + (der[1] & 0x7f if der[1] & 0x80 else 0)
    place = header
    while place < len(der) and not (der[place] & 0xe0 == 0xa0 and der[place] & 0x1f > 15):
        size, octets = der[place + 1], 0
        if size & 0x80:
            octets = size & 0x7f
            size = int.from_bytes(der[place + 2:place + 2 + octets], "big")
        place += 2 + octets + size
    body = der[header:place] + b"\xaf\x04\x02\x02\x40\x00" + der[place:]
    text = base64.encodebytes(b"\x30\x82" + len(body).to_bytes(2, "big") + body).decode()
    return f"-----BEGIN SSL SESSION PARAMETERS-----\n{text}-----END SSL SESSION PARAMETERS-----\n"


@test
def early_data_is_not_offered_and_is_refused(world):
    """RFC 8446 section 8: what comes in it can be replayed. A ticket allows none; who sends some
    all the same is resumed, and what it holds is not answered."""
    if not world.has_1_3:
        raise Skipped("the library has no TLS 1.3")
    path = os.path.join(world.path, "session.pem")
    head = "GET /a.txt HTTP/1.1\r\nHost: localhost\r\n"
    s_client(world, "-tls1_3", "-ign_eof", "-sess_out", path, stdin=head + "Connection: close\r\n\r\n")
    early = os.path.join(world.path, "early")
    with open(early, "w", encoding="ascii") as file:
        file.write(head.replace("a.txt", "early") + "\r\n")
    options = ("-tls1_3", "-ign_eof", "-sess_in", path, "-early_data", early)
    last = head + "Connection: close\r\n\r\n"
    report = s_client(world, *options, stdin=last).text
    assert "Early data was not sent" in report and "Reused, TLSv1.3" in report, report
    with open(path, encoding="ascii") as file:
        session = allowing_early_data(file.read())
    with open(path, "w", encoding="ascii") as file:
        file.write(session)
    report = s_client(world, *options, stdin=last).text
    assert "Early data was rejected" in report and "Reused, TLSv1.3" in report, report
    assert report.count("HTTP/1.1 200 OK") == 1 and "404" not in report, report


@test
def s_client_verifies_the_chain(world):
    for version in ["-tls1_2"] + ["-tls1_3"] * world.has_1_3:
        ran = s_client(world, version, "-verify_return_error", "-verify_hostname", "localhost")
        assert "Verify return code: 0 (ok)" in ran.text and "Verified peername" in ran.text, ran
        assert "Compression: NONE" in ran.text, ran
        assert "Secure Renegotiation IS supported" in ran.text or version == "-tls1_3", ran


@test
def s_client_refuses_what_the_server_refuses(world):
    for options, alert in (
            (["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"], "alert protocol version"),
            (["-tls1_2", "-cipher", "AES128-SHA"], "alert handshake failure"),
            (["-alpn", "h2"], "alert no application protocol")):
        ran = s_client(world, *options, status=1)
        assert alert in ran.err.lower(), ran


@test
def s_client_resumes(world):
    for version in ["-tls1_2"] + ["-tls1_3"] * world.has_1_3:
        ran = s_client(world, version, "-reconnect")
        assert ran.text.count("\nReused, TLS") >= (5 if version == "-tls1_2" else 0), ran


@test
def s_client_and_the_names(world):
    for name in ("localhost", "unknown.example"):
        ran = s_client(world, "-servername", name)
        assert re.search("subject=CN ?= ?localhost", ran.text), ran  # OpenSSL 3.2 drops blanks


if __name__ == "__main__":
    run(setup, tls=True)
