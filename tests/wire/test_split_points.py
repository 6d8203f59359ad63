#!/usr/bin/python3
"""The same octets get the same answers however they are cut into segments (HTTP.md "Reading a
request" 11)."""

import time

from wire import each, head, run

SETTLE_S = 0.08  # time for the server to read what has been sent

CONVERSATIONS = {
    "a plain request":
        (head("GET", "/a.txt", "Accept: */*"), ["GET"]),
    "pipelined requests":
        (head("GET", "/a.txt") + head("HEAD", "/a.txt") + head("GET", "/none")
         + head("GET", "/b.bin", "Range: bytes=-4"),
         ["GET", "HEAD", "GET", "GET"]),
    "empty lines":
        (b"\r\n\r\n" + head("GET", "/a.txt") + b"\r\n" + head("GET", "/b.bin"), ["GET", "GET"]),
    "a body with a length":
        (head("POST", "/a.txt", "Content-Length: 20") + head("GET", "/secret")[:20]
         + head("GET", "/a.txt"),
         ["POST", "GET"]),
    "a chunked body":
        (head("GET", "/a.txt", "Transfer-Encoding: chunked")
         + b"5;a=\"b\\\"c\";d\r\nhello\r\n00a\r\n0123456789\r\n0\r\nX: y\r\n\r\n"
         + head("GET", "/b.bin"), ["GET", "GET"]),
    "an absolute form":
        (head("GET", "http://localhost/a.txt?q=%20", "If-None-Match: \"x\", W/\"y\""), ["GET"]),
    "a close":
        (head("GET", "/a.txt", "Connection: close") + head("GET", "/b.bin"), ["GET"]),
    "version 1.0":
        (head("GET", "/a.txt", host=None, version="1.0"), ["GET"]),
    "a bare LF": (b"GET /a.txt HTTP/1.1\r\nHost: localhost\nA: b\r\n\r\n", ["GET"]),
    "a bare CR": (b"GET /a.txt HTTP/1.1\r\nHost: localhost\rA: b\r\n\r\n", ["GET"]),
    "an obs-fold": (b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n A: b\r\n\r\n", ["GET"]),
    "a bad version": (head("GET", "/a.txt", version="1.10"), ["GET"]),
    "another version": (head("GET", "/a.txt", version="2.0"), ["GET"]),
    "a bad target": (head("GET", "/a%zz"), ["GET"]),
    "two framings": (head("GET", "/a.txt", "Content-Length: 3", "Transfer-Encoding: chunked"),
                     ["GET"]),
    "a bad chunk":
        (head("GET", "/a.txt") + head("GET", "/a.txt", "Transfer-Encoding: chunked")
         + b"5\r\nhelloX\r\n0\r\n\r\n", ["GET", "GET"]),
}


def setup(world):
    world.root.write("a.txt", "a file\n")
    world.root.pattern("b.bin", 1000)
    # With TLS, as many handshakes at once take a busy machine longer than the defaults grant.
    return world.serve(settings={"header_timeout": "2m", "keepalive_timeout": "2m",
                                 "tls_handshake_timeout": "2m"})


def whole(server, octets, methods):
    """The answers to octets that come in one segment."""
    return [answer.masked() for answer in server.exchange(octets, methods)]


def finish(connection, methods, wanted):
    got = [connection.read_response(method) for method in methods]
    assert [answer.masked() for answer in got] == wanted
    if got[-1].closes:
        connection.expect_end()
    else:
        assert connection.is_open() and not connection.pending


@each(list(CONVERSATIONS))
def in_two_pieces_at_every_point(server, name):
    """All cuts at a time, each on its own connection."""
    octets, methods = CONVERSATIONS[name]
    wanted = whole(server, octets, methods)
    connections = [server.connect() for _ in range(1, len(octets))]
    try:
        for cut, connection in enumerate(connections, 1):
            connection.send(octets[:cut])
        time.sleep(SETTLE_S)
        for cut, connection in enumerate(connections, 1):
            try:
                connection.send(octets[cut:])
            except ConnectionError:
                pass  # refused already, and closed: the answer is still there
        for cut, connection in enumerate(connections, 1):
            try:
                finish(connection, methods, wanted)
            except AssertionError as error:
                raise AssertionError(f"cut behind {octets[:cut]!r}: {error}") from error
    finally:
        for connection in connections:
            connection.close()


@each(list(CONVERSATIONS))
def octet_by_octet(server, name):
    octets, methods = CONVERSATIONS[name]
    wanted = whole(server, octets, methods)
    with server.connect() as connection:
        connection.drip(octets, 0.0005)
        finish(connection, methods, wanted)


if __name__ == "__main__":
    run(setup)
