#!/usr/bin/python3
"""How connections end (RFC 8446 section 6.1): close_notify in both directions, a cut by either
side, alerts, and the end of the server."""

import signal
import socket
import time

from wire import each, eventually, head, patience, run, test
from wire.tls import TlsFault, Truncated

SIZE = 8 << 20


def setup(world):
    world.root.write("a.txt", "a")
    world.root.sparse("large.bin", SIZE, {})
    return world.serve()


@each([
    ("by Connection: close", head("GET", "/a.txt", "Connection: close"), 200),
    ("by HTTP/1.0", head("GET", "/a.txt", version="1.0"), 200),
    ("by a refusal", b"GET /a.txt HTTP/1.1\r\n\r\n", 400),
    ("behind a large answer", head("GET", "/large.bin", "Connection: close"), 200),
])
def the_server_says_that_it_closes(server, _, octets, status):
    """expect_end() wants close_notify, then a FIN."""
    for _ in range(5):
        with server.connect() as connection:
            connection.send(octets)
            assert connection.read_response().status == status
            connection.expect_end()


@test
def it_does_so_when_a_deadline_is_over(server):
    own = server.world.serve(settings={"keepalive_timeout": "500ms", "header_timeout": "500ms"})
    with own.connect() as idle, own.connect() as fresh, own.connect() as half:
        idle.get("/a.txt")
        half.send(b"GET /a.t")
        idle.expect_end()
        fresh.expect_end()
        assert half.read_response().status == 408
        half.expect_end()


@test
def a_client_that_says_so_is_answered_alike(server):
    """close_notify alone, without a FIN: the server ends the connection, by its own."""
    with server.connect() as connection:
        assert connection.get("/a.txt").body == b"a"
        connection.sock.notify()
        connection.expect_end(3)
    with server.connect() as connection:
        connection.sock.notify()
        connection.expect_end(3)


@test
def what_was_asked_for_before_is_still_answered(server):
    with server.connect(receive_buffer=16384) as connection:
        connection.send(head("GET", "/a.txt") + head("GET", "/large.bin") + head("GET", "/a.txt"))
        connection.sock.notify()
        assert connection.read_response().body == b"a"
        assert len(connection.read_response().body) == SIZE
        assert connection.read_response().body == b"a"
        connection.expect_end()


@test
def what_follows_it_is_ignored(server):
    """RFC 8446 section 6.1: data behind a closure alert must be ignored."""
    with server.connect() as connection:
        assert connection.get("/a.txt").body == b"a"
        connection.sock.notify()
        connection.raw.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
        rest = b""
        try:
            rest = connection.read_to_end(3)
        except TlsFault:
            pass  # a client that has said close_notify may hear that this was none
        assert rest == b""
    assert server.get("/a.txt").body == b"a"


@each([
    ("idle", b""), ("half a request", b"GET /a.t"),
    ("half a body", head("POST", "/a.txt", "Content-Length: 9") + b"1234"),
    ("half a chunk", head("POST", "/a.txt", "Transfer-Encoding: chunked") + b"9\r\n1234"),
])
def a_client_that_cuts_gets_no_page(server, _, octets):
    """A FIN without close_notify: an attacker may have cut the request short, so it is not taken
    for a whole one. At most a 400."""
    descriptors = server.descriptors()
    with server.connect() as connection:
        assert connection.get("/a.txt").body == b"a"
        if octets:
            connection.send(octets)
        connection.raw.shutdown(socket.SHUT_WR)
        rest = connection.read_to_end(3)
        assert rest == b"" or rest.startswith(b"HTTP/1.1 400 "), rest
    assert eventually(lambda: server.descriptors() <= descriptors)


@test
def a_client_that_cuts_behind_whole_requests_harms_nobody(server):
    """Answered or not, the connection ends soon."""
    for _ in range(20):
        with server.connect() as connection:
            connection.send(head("GET", "/a.txt") * 3)
            connection.raw.shutdown(socket.SHUT_WR)
            rest = connection.read_to_end(3)
            assert rest.count(b"HTTP/1.1 200 OK") <= 3
    assert server.get("/a.txt").body == b"a"


@test
def an_answer_that_is_cut_short_is_seen_as_cut(server):
    """The client cannot take what came for the whole, whatever the end looks like: octets are
    missing."""
    own = server.world.serve(settings={"send_timeout": "500ms", "send_rate_min": "1m"})
    with own.connect(receive_buffer=4096) as connection:
        connection.send(head("GET", "/large.bin"))
        answer = connection.read_head()
        time.sleep(1.6)
        got = 0
        try:
            connection.sock.settimeout(5)
            while data := connection.receive(1 << 18):
                got += len(data)
        except (Truncated, ConnectionError):
            pass
        assert got < int(answer["Content-Length"])


@each([("a fatal alert", b"\x15\x03\x03\x00\x02\x02\x28"),
       ("a warning", b"\x15\x03\x03\x00\x02\x01\x5a"),
       ("a hello", b"\x16\x03\x03\x00\x04\x01\x00\x00\x00"), ("plain HTTP", head("GET", "/a.txt"))])
def octets_in_the_clear_end_the_connection(server, _, octets):
    with server.connect() as connection:
        assert connection.get("/a.txt").body == b"a"
        connection.raw.sendall(octets)
        connection.raw.shutdown(socket.SHUT_WR)
        try:
            assert connection.read_to_end(5) == b""
        except TlsFault:
            pass  # an alert says what is wrong
    assert server.get("/a.txt").body == b"a"


# The end of the server

@test
def sigquit_ends_connections_in_mid_handshake(server):
    own = server.world.serve(settings={"tls_handshake_timeout": "2s"})
    with own.connect_raw() as silent, own.connect_raw() as half, own.connect() as used:
        half.send(b"\x16\x03\x01")
        used.get("/a.txt")
        time.sleep(0.1)
        started = time.monotonic()
        own.kill(signal.SIGQUIT)
        used.expect_end()
        own.ended()
        assert time.monotonic() - started < patience(4)
        silent.read_to_end(2)
        half.read_to_end(2)


@test
def sigquit_lets_an_answer_finish_and_closes_in_order(server):
    own = server.world.serve()
    with own.connect(receive_buffer=16384) as connection:
        connection.send(head("GET", "/large.bin"))
        answer = connection.read_head()
        own.kill(signal.SIGQUIT)
        assert len(connection.read_octets(int(answer["Content-Length"]))) == SIZE
        connection.expect_end(3)
    own.ended()


@test
def sigterm_with_every_kind_of_connection(server):
    own = server.world.serve()
    with (own.connect_raw() as silent, own.connect_raw() as half, own.connect() as idle,
          own.connect() as asking, own.connect(receive_buffer=4096) as busy):
        half.send(b"\x16\x03\x01\x00")
        idle.get("/a.txt")
        asking.send(b"GET /a")
        busy.send(head("GET", "/large.bin"))
        busy.read_head()
        silent.expect_silence(0.05)
        started = time.monotonic()
        own.stop(signal.SIGTERM)
        assert time.monotonic() - started < patience(2)


if __name__ == "__main__":
    run(setup, tls=True)
