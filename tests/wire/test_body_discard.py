#!/usr/bin/python3
"""Bodies are read and thrown away (HTTP.md "Reading a request" 7): on any method, up to a limit,
and never parsed as a request."""

import time

from wire import each, head, patience, run, test

BODY_MAX = 64 * 1024
NEXT = head("GET", "/next.txt")
METHODS = [("GET", 200), ("HEAD", 200), ("OPTIONS", 204), ("POST", 405), ("PUT", 405),
           ("DELETE", 405),
           ("PATCH", 405)]


def setup(world):
    world.root.write("a.txt", "a")
    world.root.write("next.txt", "next")
    world.root.write("secret.txt", "must not be sent")
    return world.serve(settings={"body_max": "64k"})


def chunked(data, size=1000):
    pieces = [data[at:at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@each(METHODS)
def the_next_request_is_found_behind_the_body(server, method, status):
    for size in (1, 10, 1000, 20000, BODY_MAX):
        for fields, body in ((f"Content-Length: {size}", b"x" * size),
                             ("Transfer-Encoding: chunked", chunked(b"x" * size))):
            first, second = server.exchange(head(method, "/a.txt", fields) + body + NEXT,
                                            [method, "GET"])
            assert first.status == status and second.body == b"next"


@each(METHODS)
def a_body_is_never_parsed_as_a_request(server, method, status):
    body = head("GET", "/secret.txt") * 3
    for fields, octets in ((f"Content-Length: {len(body)}", body),
                           ("Transfer-Encoding: chunked", chunked(body, 50))):
        with server.connect() as connection:
            connection.send(head(method, "/a.txt", fields) + octets)
            assert connection.read_response(method).status == status
            connection.expect_silence(0.05)
            assert connection.get("/next.txt").body == b"next"


@each(METHODS)
def a_body_that_has_not_come_is_waited_for(server, method, status):
    with server.connect() as connection:
        connection.send(head(method, "/a.txt", "Content-Length: 10"))
        connection.expect_silence(0.1)
        connection.send(b"01234")
        connection.expect_silence(0.1)
        connection.send(b"56789" + NEXT)
        assert connection.read_response(method).status == status
        assert connection.read_response().body == b"next"


@test
def a_chunked_body_that_has_not_come_is_waited_for(server):
    with server.connect() as connection:
        connection.send(head("GET", "/a.txt", "Transfer-Encoding: chunked"))
        for piece in (b"5", b"\r\n", b"hel", b"lo", b"\r", b"\n0\r\n", b"\r"):
            connection.send(piece)
            connection.expect_silence(0.05)
        connection.send(b"\n" + NEXT)
        assert connection.read_response().body == b"a"
        assert connection.read_response().body == b"next"


@each([method for method, _ in METHODS])
def past_the_limit_413_once_and_close(server, method):
    """A length is judged before any of the body comes."""
    server.refuses(head(method, "/a.txt", f"Content-Length: {BODY_MAX + 1}"), 413, method=method)
    server.refuses(head(method, "/a.txt", f"Content-Length: {BODY_MAX + 1}")
                   + b"x" * (BODY_MAX + 1) + NEXT,
                   413, method=method)
    server.refuses(head(method, "/a.txt", "Transfer-Encoding: chunked")
                   + chunked(b"x" * (BODY_MAX + 1))
                   + NEXT, 413, method=method)


@test
def the_limit_counts_each_body_alone(server):
    request = head("GET", "/a.txt", f"Content-Length: {BODY_MAX}") + b"x" * BODY_MAX
    answers = server.exchange(request * 5 + NEXT, ["GET"] * 6)
    assert [answer.body for answer in answers] == [b"a"] * 5 + [b"next"]


@test
def a_body_that_is_cut_off_is_no_request(server):
    """The client half-closes in the middle: at most a 400, then the end."""
    with server.connect() as connection:
        connection.send(head("POST", "/a.txt", "Content-Length: 10") + b"01234")
        connection.half_close()
        rest = connection.read_to_end(5)
        assert rest == b"" or rest.startswith(b"HTTP/1.1 400 ")


@test
def a_slow_body_does_not_hold_up_others(server):
    with server.connect() as slow:
        slow.send(head("POST", "/a.txt", "Content-Length: 10") + b"0")
        started = time.monotonic()
        assert server.get("/a.txt").body == b"a"
        assert time.monotonic() - started < patience(2)
        slow.send(b"123456789")
        assert slow.read_response("POST").status == 405


if __name__ == "__main__":
    run(setup)
