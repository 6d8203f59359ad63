#!/usr/bin/python3
"""After a refusal the server lingers (HTTP.md "Reading a request" 10, RFC 9112 section 9.6): a
client that is still sending reads the answer, and is not cut off by a RST."""

import time

from wire import each, eventually, head, patience, run, test

LINGER_S = 2


def setup(world):
    world.root.write("a.txt", "a")
    return world.serve(settings={"linger_timeout": f"{LINGER_S}s", "body_max": "16k"})


@each([
    ("a body over the limit", head("POST", "/a.txt", "Content-Length: 100000000"), 413),
    ("a malformed request", b"GET /a.txt HTTP/1.1\n", 400),
    ("a request line without end", b"GET /" + b"x" * 9000, 414),
    ("two framings", head("POST", "/a.txt", "Content-Length: 5", "Transfer-Encoding: chunked"),
     400),
    ("another version", head("GET", "/a.txt", version="2.0"), 505),
])
def the_answer_survives_what_is_still_sent(server, _, octets, status):
    for _ in range(5):
        with server.connect() as connection:
            connection.send(octets)
            for _ in range(16):
                connection.send(b"x" * 65536)
            time.sleep(0.05)
            answer = connection.read_response()
            assert answer.status == status and answer.closes
            connection.expect_end()


@test
def so_does_an_answer_with_connection_close(server):
    for _ in range(5):
        with server.connect() as connection:
            connection.send(head("GET", "/a.txt", "Connection: close") + b"x" * 500_000)
            time.sleep(0.05)
            assert connection.read_response().body == b"a"
            connection.expect_end()


@test
def the_answer_comes_before_the_client_has_finished(server):
    with server.connect() as connection:
        connection.send(head("POST", "/a.txt", "Content-Length: 100000000"))
        assert connection.read_response("POST").status == 413
        connection.expect_end()
        connection.send(b"x" * 1000)


@test
def it_ends_when_the_client_closes(server):
    """The descriptor is not kept for the rest of the time."""
    own = server.world.serve()
    before = own.descriptors()
    connections = [own.connect() for _ in range(20)]
    for connection in connections:
        connection.send(b"bad\r\n")
        assert connection.read_response().status == 400
    for connection in connections:
        connection.close()
    assert eventually(lambda: own.descriptors() <= before, 2.0)


@test
def it_ends_when_its_time_is_over(server):
    """A client that goes on sending for ever is dropped."""
    with server.connect() as connection:
        connection.send(b"bad\r\n")
        assert connection.read_response().status == 400
        started = time.monotonic()
        try:
            while time.monotonic() - started < LINGER_S + 3:
                connection.send(b"x" * 100)
                time.sleep(0.05)
        except ConnectionError:
            pass
        took = time.monotonic() - started
        assert LINGER_S - 0.5 < took < LINGER_S + patience(2), took


if __name__ == "__main__":
    run(setup, jobs=4)
