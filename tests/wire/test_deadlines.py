#!/usr/bin/python3
"""Deadlines (HTTP.md "Answering"): each closes within a second of its setting, with 408 where a
request had begun. What takes longer than that is a fault; what takes less than the setting is one,
too."""

import time

from wire import each, eventually, head, patience, run, test

HEADER_S, BODY_S, KEEPALIVE_S, SEND_S = 1.0, 1.5, 2.0, 1.2
SLACK_S = 1.0
LARGE = 64 << 20


def setup(world):
    world.root.write("a.txt", "a")
    world.root.sparse("large.bin", LARGE, {})
    return world.serve(settings={"header_timeout": "1s", "body_timeout": "1500ms",
                                 "keepalive_timeout": "2s", "send_timeout": "1200ms",
                                 "send_rate_min": "1m"})


class Stopwatch:
    """Leaving it checks that what it measured took `seconds`, and at most a second more, or as much as a busy
    machine takes for that."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __enter__(self):
        self.started = time.monotonic()

    def __exit__(self, error, *_):
        if error is None:
            took = time.monotonic() - self.started
            assert took >= self.seconds - 0.15, f"after {took:.2f} s, before {self.seconds} s"
            most = self.seconds + patience(SLACK_S)
            assert took <= most, f"after {took:.2f} s, not {self.seconds} s"


def ends_with_408(connection, method="GET"):
    answer = connection.read_response(method)
    assert answer.status == 408 and answer.closes
    connection.expect_end()


@test
def a_client_that_says_nothing_is_closed_without_an_answer(server):
    with server.connect() as connection, Stopwatch(HEADER_S):
        connection.expect_end()


@each([b"G", b"GET /a.txt", b"GET /a.txt HTTP/1.1\r\n",
       b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n", head("GET", "/a.txt")[:-1]])
def half_a_head_is_408(server, octets):
    with server.connect() as connection, Stopwatch(HEADER_S):
        connection.send(octets)
        ends_with_408(connection)


@test
def the_head_has_one_deadline_not_one_an_octet(server):
    """Slowloris."""
    octets = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 1000
    with server.connect() as connection, Stopwatch(HEADER_S):
        for octet in octets:
            connection.send(bytes([octet]))
            connection.sock.settimeout(0.05)
            try:
                connection.pending += connection.receive()
                break
            except TimeoutError:
                pass
        connection.sock.settimeout(5)
        ends_with_408(connection)


@test
def empty_lines_are_no_head(server):
    with server.connect() as connection, Stopwatch(HEADER_S):
        connection.send(b"\r\n")
        connection.sock.settimeout(5)
        rest = connection.read_to_end()
        assert rest == b"" or rest.startswith(b"HTTP/1.1 408 ")


@test
def an_idle_connection_is_closed_without_an_answer(server):
    with server.connect() as connection:
        assert connection.get("/a.txt").status == 200
        with Stopwatch(KEEPALIVE_S):
            connection.expect_end()


@test
def a_used_connection_stays(server):
    """The deadline counts from the last answer."""
    with server.connect() as connection:
        for _ in range(5):
            assert connection.get("/a.txt").status == 200
            time.sleep(KEEPALIVE_S * 0.6)
        assert connection.get("/a.txt").status == 200


@test
def half_a_head_on_a_used_connection_is_408(server):
    """Its deadline counts from its own first octet, not from the answer before."""
    with server.connect() as connection:
        assert connection.get("/a.txt").status == 200
        time.sleep(1.2)
        with Stopwatch(HEADER_S):
            connection.send(b"GET /a.txt HT")
            ends_with_408(connection)


@test
def half_a_head_behind_a_pipelined_request_is_408(server):
    with server.connect() as connection, Stopwatch(HEADER_S):
        connection.send(head("GET", "/a.txt") + b"GET /a.txt HT")
        assert connection.read_response().status == 200
        ends_with_408(connection)


@each([
    head("POST", "/a.txt", "Content-Length: 10"),
    head("POST", "/a.txt", "Content-Length: 10") + b"01234",
    head("POST", "/a.txt", "Transfer-Encoding: chunked"),
    head("POST", "/a.txt", "Transfer-Encoding: chunked") + b"5\r\nhel",
])
def half_a_body_is_408(server, octets):
    with server.connect() as connection, Stopwatch(BODY_S):
        connection.send(octets)
        ends_with_408(connection, "POST")


@test
def the_body_has_one_deadline_not_one_an_octet(server):
    with server.connect() as connection, Stopwatch(BODY_S):
        connection.send(head("POST", "/a.txt", "Content-Length: 10000"))
        connection.sock.settimeout(0.05)
        while True:
            connection.send(b"x")
            try:
                connection.pending += connection.receive()
                break
            except TimeoutError:
                pass
        connection.sock.settimeout(5)
        ends_with_408(connection, "POST")


@test
def a_slow_but_timely_request_is_answered(server):
    """Timely it has to be: on a busy machine the client itself may come too late, and tries again."""
    octets = head("GET", "/a.txt")
    for _ in range(20):
        with server.connect() as connection:
            started = time.monotonic()
            for at in range(0, len(octets), 10):
                connection.send(octets[at:at + 10])
                time.sleep(0.1)
            if time.monotonic() - started < HEADER_S - 0.2:
                assert connection.read_response().status == 200
                return
    raise AssertionError(f"{len(octets)} octets never took less than {HEADER_S - 0.2} s to send")


@test
def a_client_that_does_not_read_is_closed(server):
    """In the midst of an answer there is nothing left to say. Seen from the client: after the
    deadline, what the buffers of both kernels held comes, and then the end, far from the end of the
    file."""
    own = server.world.serve(settings={"send_timeout": "1200ms", "send_rate_min": "1m"})
    before = own.descriptors()
    with own.connect(receive_buffer=4096) as connection, Stopwatch(SEND_S):
        connection.send(head("GET", "/large.bin"))
        answer = connection.read_head()
        assert own.descriptors() > before
        assert eventually(lambda: own.descriptors() <= before + 1,
                          SEND_S + 2)  # the file stays open
    with own.connect(receive_buffer=4096) as connection:
        connection.send(head("GET", "/large.bin"))
        answer = connection.read_head()
        time.sleep(SEND_S + SLACK_S)
        assert len(connection.read_to_end(5)) < int(answer["Content-Length"])


@test
def a_408_is_an_ordinary_error_page(server):
    with server.connect() as connection:
        connection.send(b"GET /%3Cb%3E HTTP/1.1\r\nX: <b>")
        answer = connection.read_response()
        assert answer.status == 408 and answer["Content-Type"].startswith("text/html")
        assert b"<b>" not in answer.body


if __name__ == "__main__":
    run(setup, jobs=24)
