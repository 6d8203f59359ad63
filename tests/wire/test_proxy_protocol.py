#!/usr/bin/python3
"""`proxy_protocol` behind an address of `listen`: a proxy's word, in front of TLS and HTTP, about who
the client is (docs/server.conf.md "Who the client is")."""

import itertools
import json
import os
import signal
import time

from wire import each, eventually, head, patience, run, test
from wire.proxied import LOCAL, PROXY, connect, dial, tlv, v1, v2, v2_raw

PROXIED, NORMAL, UNIX = range(3)
CONF = """
%s
access_log = "@world@/logs/%s.log"
header_timeout = %s
server "localhost" {
    listen = {"@listen@ proxy_protocol", "127.0.0.1:0", "unix:@world@/logs/%s.sock proxy_protocol"}
    root = "@root@"
    status_page = "/status"
}
"""
CLIENT = "192.0.2.7"
SSL = tlv(0x20, b"\x01\0\0\0\0" + tlv(0x21, b"TLSv1.3") + tlv(0x22, b"client"))
LONGEST = b"PROXY UNKNOWN " + b"f" * (107 - 16) + b"\r\n"

HEADERS = [
    ("v1 TCP4", v1(CLIENT), CLIENT), ("v1 TCP6", v1("2001:db8::7"), "2001:db8::7"),
    ("v1 UNKNOWN", b"PROXY UNKNOWN\r\n", "127.0.0.1"), ("v1 longest", LONGEST, "127.0.0.1"),
    ("v2 TCP4", v2(CLIENT), CLIENT), ("v2 TCP6", v2("2001:db8::7"), "2001:db8::7"),
    ("v2 mapped", v2("::ffff:192.0.2.9"), "192.0.2.9"), ("v2 unix", v2("unix:"), "unix:"),
    ("v2 TLVs", v2(CLIENT, tlv(1, b"h2") + tlv(4, b"") + SSL), CLIENT),
    ("v2 longest", v2(CLIENT, tlv(4, b"x" * (4096 - 28 - 3))), CLIENT),
    ("v2 LOCAL", v2_raw(LOCAL, 0), "127.0.0.1"),
    ("v2 LOCAL with an address", v2_raw(LOCAL, 0x11, bytes(12)), "127.0.0.1"),
    ("v2 UDP", v2(CLIENT, transport=2), "127.0.0.1"),
    ("v2 UNSPEC", v2_raw(PROXY, 0, b"abc"), "127.0.0.1"),
]
REFUSED = [  # what the error log says of it
    ("nothing of it", head("GET", "/a.txt"), "missing"),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "missing"),
    ("lower case", v1(CLIENT).lower(), "missing"),
    ("blank lines", b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", "missing"),
    ("no family", b"PROXY TCP 192.0.2.7 192.0.2.8 1 2\r\n", "wrong"),
    ("family of another", b"PROXY TCP6 192.0.2.7 192.0.2.8 1 2\r\n", "wrong"),
    ("leading zero", b"PROXY TCP4 192.0.2.07 192.0.2.8 1 2\r\n", "wrong"),
    ("port", b"PROXY TCP4 192.0.2.7 192.0.2.8 65536 2\r\n", "wrong"),
    ("LF alone", b"PROXY TCP4 192.0.2.7 192.0.2.8 1 2\n\r\n", "wrong"),
    ("no CRLF", b"PROXY UNKNOWN " + b"f" * 200, "too long"),
    ("108 octets", LONGEST.replace(b"\r", b"f\r"), "too long"),
    ("version 3", v2_raw(0x31, 0x11, bytes(12)), "wrong"),
    ("command", v2_raw(0x22, 0x11, bytes(12)), "wrong"),
    ("family", v2_raw(PROXY, 0x41, bytes(12)), "wrong"),
    ("transport", v2_raw(PROXY, 0x13, bytes(12)), "wrong"),
    ("address cut", v2_raw(PROXY, 0x21, bytes(35)), "wrong"),
    ("TLV cut", v2(CLIENT, b"\x04\0\x02x"), "wrong"),
    ("checksum", v2(CLIENT, tlv(3, b"\1\2\3\4")), "wrong"),
    ("4097 octets", v2(CLIENT, tlv(4, b"x" * (4097 - 28 - 3))), "too long"),
    ("65551 octets", v2_raw(PROXY, 0x11, bytes(65535)), "too long"),
]


def serve(world, name, trusted='trusted = {"127.0.0.1", "unix:"}', header_timeout="10s"):
    server = world.serve(conf=CONF % (trusted, name, header_timeout, name), listeners=3)
    server.log = os.path.join(world.logs.path, name + ".log")
    return server


def setup(world):
    world.root.write("a.txt", "a")
    world.large = world.root.pattern("large.bin", 3_000_000)
    world.numbers = itertools.count()
    world.server = serve(world, "main")
    return world


def peer_of(server, mark):
    """Whom the access log tells as the client of the request with that mark."""
    def find():
        with open(server.log, encoding="ascii") as file:
            return [line.split(" ", 1)[0] for line in file if f"?{mark} " in line]
    assert eventually(find, 5), f"no line for {mark}"
    peer, = find()
    return peer


def closed_without_an_answer(server, data, listener=PROXIED, source=None):
    with dial(server, listener, source) as sock:
        try:
            sock.sendall(data)
            assert sock.recv(1000) == b""
        except ConnectionError:  # what was not read makes it a reset
            pass


def told(server, what):
    """Does the error log tell it?"""
    return eventually(lambda: what in server.stderr(), 5)


@each(HEADERS)
def the_client_is_who_the_header_says(world, _, header, client):
    together, before = next(world.numbers), next(world.numbers)
    for mark, pieces in ((together, None), (before, 4096)):
        with connect(world.server, header, pieces=pieces) as connection:
            assert connection.get(f"/a.txt?{mark}").body == b"a"
    assert peer_of(world.server, together) == peer_of(world.server, before) == client


@each(HEADERS[:1] + HEADERS[3:5] + HEADERS[7:9])
def it_may_come_octet_by_octet(world, _, header, client):
    mark = next(world.numbers)
    with connect(world.server, header, pieces=1) as connection:
        assert connection.get(f"/a.txt?{mark}").body == b"a"
    assert peer_of(world.server, mark) == client


@each([1, 2, 7, 15, 16, 17, 27, 28, 40, 100])
def it_may_come_in_two_pieces(world, size):
    header = v2(CLIENT, SSL)
    mark = next(world.numbers)
    with dial(world.server) as first:  # with the beginning of what follows in the second
        first.sendall(header[:size])
        time.sleep(0.02)
    with connect(world.server, header, pieces=size) as connection:
        assert connection.get(f"/a.txt?{mark}").body == b"a"
    assert peer_of(world.server, mark) == CLIENT


@test
def requests_in_the_segment_of_the_header_are_answered(world):
    marks = [next(world.numbers) for _ in range(20)]
    requests = b"".join(head("GET", f"/a.txt?{mark}") for mark in marks)
    with connect(world.server, v2(CLIENT)) as connection:
        connection.send(requests)
        for _ in marks:
            assert connection.read_response().body == b"a"
    assert {peer_of(world.server, mark) for mark in marks} == {CLIENT}


@test
def a_kept_connection_has_one_client(world):
    with connect(world.server, v1(CLIENT)) as connection:
        marks = [next(world.numbers) for _ in range(5)]
        for mark in marks:
            assert connection.get(f"/a.txt?{mark}", "X-Forwarded-For: 6.6.6.6").body == b"a"
        assert {peer_of(world.server, mark) for mark in marks} == {CLIENT}
        # A second header is no request.
        connection.send(v1("192.0.2.99") + head("GET", "/a.txt"))
        assert connection.read_response().status == 400


@test
def a_large_file_comes_whole(world):
    for header in (v1(CLIENT), v2(CLIENT, SSL)):
        with connect(world.server, header) as connection:
            assert connection.get("/large.bin").body == world.large
            assert connection.get("/large.bin", "Range: bytes=100-299").body == world.large[100:300]
            assert connection.get("/large.bin").body == world.large


@test
def a_unix_socket_takes_them(world):
    mark = next(world.numbers)
    with connect(world.server, v2(CLIENT), UNIX) as connection:
        assert connection.get(f"/a.txt?{mark}").body == b"a"
    assert peer_of(world.server, mark) == CLIENT
    mark = next(world.numbers)
    with connect(world.server, v2_raw(LOCAL, 0), UNIX) as connection:
        assert connection.get(f"/a.txt?{mark}").body == b"a"
    assert peer_of(world.server, mark) == "unix:"


@each(REFUSED)
def what_is_no_header_is_closed_and_told(world, _, data, reason):
    server = serve(world, f"refused-{next(world.numbers)}")
    closed_without_an_answer(server, data)
    assert told(server, f"PROXY header {reason}: a connection from 127.0.0.1 at "), server.stderr()
    closed_without_an_answer(server, data + head("GET", "/a.txt"))
    with connect(server, v1(CLIENT)) as connection:
        assert connection.get("/a.txt").body == b"a"
    server.stop()
    with open(server.log, encoding="ascii") as file:
        assert len(file.readlines()) == 1


def counted(server, reason):
    """What the status page says."""
    with server.connect(NORMAL) as connection:
        figures = json.loads(connection.get("/status?format=json").body)
    return figures["proxy_headers_refused_total"][reason]


@test
def whoever_is_not_trusted_is_closed_and_told(world):
    for header in (v1(CLIENT), v2(CLIENT), head("GET", "/a.txt"), b""):
        closed_without_an_answer(world.server, header, source="127.0.0.2")
    assert told(world.server, "PROXY header refused: a connection from 127.0.0.2 at ")
    assert told(world.server, "it is not in `trusted`")
    assert counted(world.server, "untrusted") >= 4
    mark = next(world.numbers)
    with connect(world.server, v1(CLIENT)) as connection:
        assert connection.get(f"/a.txt?{mark}").body == b"a"


@test
def a_unix_socket_is_trusted_by_name_alone(world):
    server = serve(world, "tcp-alone", 'trusted = {"0.0.0.0/0", "::/0"}')
    closed_without_an_answer(server, v2(CLIENT), UNIX)
    assert told(server, "PROXY header refused: a connection from unix: at unix:")
    with connect(server, v2(CLIENT)) as connection:
        assert connection.get("/a.txt").body == b"a"


@test
def a_network_is_trusted(world):
    server = serve(world, "network", 'trusted = {"10.0.0.0/8", "127.0.0.2/31"}')
    for source, trusted in (("127.0.0.2", True), ("127.0.0.3", True), ("127.0.0.4", False)):
        if not trusted:
            closed_without_an_answer(server, v2(CLIENT), source=source)
            continue
        with connect(server, v2(CLIENT), source=source) as connection:
            assert connection.get("/a.txt").body == b"a"


@test
def a_header_that_ends_early_is_told(world):
    server = serve(world, "cut")
    for header in (v1(CLIENT), v2(CLIENT)):
        with dial(server) as sock:
            sock.sendall(header[:-1])
    assert told(server, "PROXY header cut: a connection from 127.0.0.1 at ")
    assert eventually(lambda: server.stderr().count("PROXY header cut") == 2, 5)


@test
def a_look_whether_somebody_listens_is_no_fault(world):
    server = serve(world, "look")
    for _ in range(5):
        dial(server).close()
    with connect(server, v2_raw(LOCAL, 0)) as connection:
        assert connection.get("/a.txt").body == b"a"
    dial(server).close()
    with connect(server, v1(CLIENT)) as connection:
        assert connection.get("/a.txt").body == b"a"
    server.stop()
    assert "PROXY" not in server.stderr(), server.stderr()


@each([("nothing", b""), ("half a line", v1(CLIENT)[:20]), ("half of version 2", v2(CLIENT)[:20])])
def the_header_has_a_deadline(world, _, data):
    server = serve(world, f"late-{next(world.numbers)}", header_timeout="1s")
    began = time.monotonic()
    closed_without_an_answer(server, data)
    took = time.monotonic() - began
    assert 0.85 <= took <= 1 + patience(1.0), took
    assert told(server, "PROXY header late: a connection from 127.0.0.1 at ")


@test
def slowly_it_has_the_same_deadline(world):
    server = serve(world, "slow", header_timeout="1s")
    header = v2(CLIENT, tlv(4, bytes(3000)))
    began = time.monotonic()
    with dial(server) as sock:
        try:
            for octet in header:
                sock.sendall(bytes([octet]))
                sock.settimeout(0.05)
                try:
                    assert sock.recv(10) == b""
                    break
                except TimeoutError:
                    continue
        except ConnectionError:
            pass
    took = time.monotonic() - began
    assert 0.85 <= took <= 1 + patience(1.0), took
    assert told(server, "PROXY header late")


@test
def behind_the_header_the_request_has_its_own(world):
    server = serve(world, "after", header_timeout="1s")
    with connect(server, v1(CLIENT), pieces=4096) as connection:
        began = time.monotonic()
        connection.send(b"GET /a.txt HTTP/1.1\r\n")
        assert connection.read_response().status == 408
        assert 0.85 <= time.monotonic() - began <= 1 + patience(1.0)


@test
def a_drain_does_not_wait_for_headers(world):
    server = serve(world, "drain", header_timeout="1h")
    with connect(server, v2(CLIENT)) as served:
        assert served.get("/a.txt").body == b"a"
    with dial(server) as silent, dial(server) as half:
        half.sendall(v1(CLIENT)[:20])
        time.sleep(0.1)
        server.kill(signal.SIGQUIT)
        for sock in (silent, half):
            try:
                assert sock.recv(10) == b""
            except ConnectionError:
                pass
        server.ended()


@test
def many_of_a_kind_are_told_in_a_few_lines(world):
    server = serve(world, "many")
    for _ in range(30):
        closed_without_an_answer(server, b"X")
    server.stop()
    text = server.stderr()
    assert text.count("PROXY header missing: a connection") == 10, text
    assert "PROXY header missing: " in text and ": 20 more such lines were left out" in text, text


@test
def at_a_normal_address_a_header_is_a_bad_request(world):
    with dial(world.server, NORMAL) as sock:
        sock.sendall(v1(CLIENT) + head("GET", "/a.txt"))
        assert sock.recv(1000).startswith(b"HTTP/1.1 400 ")
    if world.tls:  # the first octet is no letter: a bad record
        closed_or_alert = (b"", b"\x15")
    else:
        closed_or_alert = (b"H",)
    with dial(world.server, NORMAL) as sock:
        sock.sendall(v2(CLIENT) + head("GET", "/a.txt"))
        try:
            assert sock.recv(1000)[:1] in closed_or_alert
        except ConnectionError:
            assert world.tls
    with world.server.connect(NORMAL) as connection:
        assert connection.get("/a.txt").body == b"a"


@test
def what_follows_the_header_is_what_the_address_is_for(world):
    """HTTP where TLS is expected is answered 400, behind a header as without one; and TLS where HTTP
    is, too."""
    other = head("GET", "/a.txt") if world.tls else b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n"
    with dial(world.server) as sock:
        sock.sendall(v1(CLIENT) + other)
        assert sock.recv(1000).startswith(b"HTTP/1.1 400 ")


@test
def nothing_of_them_stays(world):
    """Memory and descriptors of headers in every state come back."""
    server = serve(world, "stays")

    def all_of_them():
        for data in (v1(CLIENT)[:20], v2(CLIENT)[:20], v1(CLIENT), b"X", b""):
            for _ in range(20):
                with dial(server) as sock:
                    sock.sendall(data)
        with connect(server, v2(CLIENT)) as connection:
            assert connection.get("/a.txt").body == b"a"

    server.expect_all_back(all_of_them, 10)


if __name__ == "__main__":
    run(setup, jobs=8)
