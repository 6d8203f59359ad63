#!/usr/bin/python3
"""What a handshake settles on: versions, ciphers, curves, ALPN; and what is refused with which
alert. Never below TLS 1.2, never without ECDHE and AEAD by default, no renegotiation."""

import contextlib
import ssl
import subprocess

from wire import each, hello, run, test
from wire.tls import TlsFault, Truncated, client_context

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def setup(world):
    world.root.write("a.txt", "a")
    world.root.pattern("large.bin", 300_000)
    world.has_1_3 = world.speaks_tls_1_3()
    return world.serve()


def versions(server):
    return (V12, V13) if server.world.has_1_3 else (V12,)


@test
def each_version_serves(server):
    for version in versions(server):
        context = client_context(versions=(version, version))
        with server.connect(context=context) as connection:
            assert connection.sock.tls.version() == {V12: "TLSv1.2", V13: "TLSv1.3"}[version]
            assert connection.get("/a.txt").body == b"a"
            assert len(connection.get("/large.bin").body) == 300_000


@test
def the_newest_version_in_common_is_taken(server):
    wanted = "TLSv1.3" if server.world.has_1_3 else "TLSv1.2"
    with server.connect() as connection:
        assert connection.sock.tls.version() == wanted


@each([("1.1", hello.TLS_1_1), ("1.0", hello.TLS_1_0), ("SSL 3", 0x0300), ("SSL 2", 0x0200)])
def older_versions_get_protocol_version(server, _, version):
    for ciphers in (hello.CIPHERS_1_2, hello.CIPHERS_OLD):
        got = hello.outcome(server, hello.client_hello(version=version, versions=(),
                                                       ciphers=ciphers))
        assert got[:2] == ("alert", hello.FATAL)
        # SSL 3 has no alert for it.
        assert got[2] == hello.PROTOCOL_VERSION or version == 0x0300, got


@test
def older_versions_in_the_list_get_protocol_version(server):
    """supported_versions (RFC 8446 section 4.2.1) that names old ones alone."""
    if not server.world.has_1_3:
        return  # without 1.3 the extension is unknown
    got = hello.outcome(server, hello.client_hello(versions=(hello.TLS_1_1, hello.TLS_1_0)))
    assert got == ("alert", hello.FATAL, hello.PROTOCOL_VERSION)


@test
def a_version_of_the_future_gets_what_there_is(server):
    if server.world.has_1_3:
        got = hello.outcome(server, hello.client_hello(versions=(0x7f7f, 0x0305, hello.TLS_1_3)))
        assert got[:2] == ("hello", hello.TLS_1_3)
    got = hello.outcome(server, hello.client_hello(version=0x0303, versions=()))
    assert got[:2] == ("hello", hello.TLS_1_2)


@each([("CBC and RSA key exchange", hello.CIPHERS_OLD), ("none known", (0x1a1a, 0xfafa)),
       ("NULL", (0x0001, 0x003b)), ("anonymous", (0xc018, 0x0034, 0x00a6)),
       ("RC4", (0x0005, 0xc011))])
def weak_ciphers_get_handshake_failure(server, _, ciphers):
    got = hello.outcome(server, hello.client_hello(versions=(), ciphers=ciphers))
    assert got == ("alert", hello.FATAL, hello.HANDSHAKE_FAILURE)


@test
def no_curve_in_common_is_refused(server):
    got = hello.outcome(server, hello.client_hello(versions=(), curves=(0x0001, 0x1a1a)))
    assert got == ("alert", hello.FATAL, hello.HANDSHAKE_FAILURE)


@test
def compression_is_never_chosen(server):
    octets = hello.client_hello(versions=(), compressions=b"\1\0")
    with server.connect_raw() as connection:
        connection.send(hello.record(hello.HANDSHAKE, octets))
        kind, data = hello.read_record(connection)
        assert kind == hello.HANDSHAKE and data[0] == 2
        at = 4 + 2 + 32
        at += 1 + data[at] + 2
        assert data[at] == 0, "a compression method"


@test
def ciphers_of_1_2_are_a_setting(server):
    own = server.world.serve(settings={
        "tls_ciphers": '{"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",'
                       ' "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"}', "tls_protocols": '{"1.2"}'})
    with own.connect(context=client_context(versions=(V12, V12))) as connection:
        assert connection.sock.tls.cipher()[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"
    got = hello.outcome(own, hello.client_hello(versions=(), ciphers=(0xc02b, 0xc02f)))
    assert got == ("alert", hello.FATAL, hello.HANDSHAKE_FAILURE)


@test
def ciphers_of_1_3_are_a_setting(server):
    if not server.world.has_1_3:
        return
    own = server.world.serve(settings={"tls_ciphers": '{"TLS_CHACHA20_POLY1305_SHA256"}',
                                       "tls_protocols": '{"1.3"}'})
    with own.connect() as connection:
        assert connection.sock.tls.cipher()[0] == "TLS_CHACHA20_POLY1305_SHA256"
        assert connection.get("/a.txt").body == b"a"


@test
def versions_are_a_setting(server):
    if not server.world.has_1_3:
        return
    own = server.world.serve(settings={"tls_protocols": '{"1.2"}'})
    with own.connect() as connection:
        assert connection.sock.tls.version() == "TLSv1.2"
    own = server.world.serve(settings={"tls_protocols": '{"1.3"}'})
    with own.connect() as connection:
        assert connection.sock.tls.version() == "TLSv1.3"
    got = hello.outcome(own, hello.client_hello(versions=()))
    assert got == ("alert", hello.FATAL, hello.PROTOCOL_VERSION)


@test
def curves_are_a_setting(server):
    own = server.world.serve(settings={"tls_curves": '{"secp384r1"}'})
    try:
        own.connect(context=client_context(curve="prime256v1"))
    except (TlsFault, Truncated):  # an alert, or, once the server has begun to answer, the end
        pass
    else:
        raise AssertionError("another curve")
    with own.connect(context=client_context(curve="secp384r1")) as connection:
        assert connection.get("/a.txt").body == b"a"


@each([("http/1.1", ["http/1.1"], "http/1.1"), ("h2 first", ["h2", "http/1.1"], "http/1.1"),
       ("among unknown ones", ["x", "http/1.1", "y"], "http/1.1"),
       ("an old client's", ["http/1.0"], "http/1.0"),
       ("both", ["http/1.0", "http/1.1"], "http/1.1"), ("none", None, None)])
def alpn_settles_on_a_version_of_http_1(server, _, offered, wanted):
    for version in versions(server):
        context = client_context(versions=(version, version), alpn=offered)
        with server.connect(context=context) as connection:
            assert connection.sock.tls.selected_alpn_protocol() == wanted
            assert connection.get("/a.txt").body == b"a"


@each([("h2", ["h2"]), ("h3 and h2", ["h3", "h2"]), ("another case", ["HTTP/1.1"]),
       ("a longer one", ["http/1.1x"]), ("a shorter one", ["http/1"])])
def no_protocol_in_common_is_an_alert(server, _, offered):
    """RFC 7301 section 3.2."""
    lists = ((hello.TLS_1_3,), ()) if server.world.has_1_3 else ((),)
    for version_list in lists:
        got = hello.outcome(server, hello.client_hello(versions=version_list, alpn=offered))
        assert got == ("alert", hello.FATAL, hello.NO_APPLICATION_PROTOCOL)


def s_client(server, version, typed):
    """What openssl s_client prints. `typed` are octets, and what has to be seen before them, how
    many times."""
    process = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", version, "-no_ign_eof"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = b""
    try:
        for awaited, times, octets in typed:
            while output.count(awaited) < times:
                data = process.stdout.read1(65536)
                assert data, output[-3000:]
                output += data
            with contextlib.suppress(BrokenPipeError):  # it has ended: what it printed tells why
                process.stdin.write(octets)
                process.stdin.flush()
        output += process.stdout.read()  # its end ends s_client; that of its input would, too
    finally:
        process.kill()
        process.communicate()
    return output


REQUEST = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@test
def renegotiation_is_refused(server):
    """The alert no_renegotiation, or the end; in no case a second handshake."""
    output = s_client(server, "-tls1_2", [(b"Verify return code", 1, b"R\n"),
                                          (b"RENEGOTIATING", 1, REQUEST)])
    assert b"no renegotiation" in output or b"HTTP/1.1 200" not in output, output[-3000:]
    assert output.count(b"verify return:1") <= 3, output
    assert server.get("/a.txt").body == b"a"


@each([("asked back for", b"K\n"), ("alone", b"k\n")])
def keys_are_updated(server, _, letter):
    """KeyUpdate, RFC 8446 section 4.6.3."""
    if not server.world.has_1_3 or server.world.tls == "mbedtls":
        return  # mbed TLS 3.6 knows no KeyUpdate: it closes the connection with an alert
    output = s_client(server, "-tls1_3", [(b"Verify return code", 1, letter),
                                          (b"KEYUPDATE", 1, letter), (b"KEYUPDATE", 2, REQUEST)])
    assert b"HTTP/1.1 200 OK" in output and output.count(b"KEYUPDATE") == 2, output[-3000:]


if __name__ == "__main__":
    run(setup, tls=True)
