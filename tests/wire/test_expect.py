#!/usr/bin/python3
"""The Expect field (HTTP.md "Reading a request" 8, RFC 9110 section 10.1.1)."""

from wire import each, head, run, test

CONTINUE = "Expect: 100-continue"
NEXT = head("GET", "/next.txt")


def setup(world):
    world.root.write("a.txt", "a")
    world.root.write("next.txt", "next")
    return world.serve(settings={"body_max": "64k"})


@each(["GET", "HEAD", "OPTIONS"])
def a_body_that_is_announced_is_asked_for(server, method):
    for announcement, body in (("Content-Length: 5", b"hello"),
                               ("Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n")):
        with server.connect() as connection:
            connection.send(head(method, "/a.txt", announcement, CONTINUE))
            assert connection.read_response(method).status == 100
            connection.expect_silence(0.05)
            connection.send(body + NEXT)
            assert connection.read_response(method).status in (200, 204)
            assert connection.read_response().body == b"next"


@test
def a_request_that_is_refused_anyway_never_leaves_its_body_on_the_connection(server):
    """Either the body is asked for, and the answer comes behind it, or the answer closes."""
    with server.connect() as connection:
        connection.send(head("POST", "/a.txt", "Content-Length: 5", CONTINUE))
        answer = connection.read_response("POST")
        if answer.status == 100:
            connection.send(b"hello" + NEXT)
            assert connection.read_response("POST").status == 405
            assert connection.read_response().body == b"next"
        else:
            assert answer.status == 405 and answer.closes
            connection.expect_end()


@each(["Expect: 100-continue", "Expect: 100-CONTINUE", "expect:\t100-Continue "])
def it_has_no_case(server, field):
    with server.connect() as connection:
        connection.send(head("GET", "/a.txt", "Content-Length: 1", field))
        assert connection.read_response().status == 100
        connection.send(b"x")
        assert connection.read_response().status == 200


@test
def without_a_body_there_is_no_100(server):
    with server.connect() as connection:
        connection.send(head("GET", "/a.txt", CONTINUE)
                        + head("GET", "/a.txt", CONTINUE, "Content-Length: 0"))
        assert connection.read_response().status == 200
        assert connection.read_response().status == 200
        assert connection.get("/next.txt").body == b"next"


@test
def a_body_that_came_along_is_answered(server):
    """100 may be left out then (RFC 9110 section 10.1.1)."""
    with server.connect() as connection:
        connection.send(head("GET", "/a.txt", CONTINUE, "Content-Length: 5") + b"hello" + NEXT)
        answer = connection.read_response()
        if answer.status == 100:
            answer = connection.read_response()
        assert answer.body == b"a"
        assert connection.read_response().body == b"next"


@test
def version_1_0_gets_no_100(server):
    with server.connect() as connection:
        connection.send(head("GET", "/a.txt", CONTINUE, "Content-Length: 5", version="1.0"))
        connection.expect_silence(0.1)
        connection.send(b"hello")
        assert connection.read_response().status == 200


@test
def a_body_over_the_limit_is_not_asked_for(server):
    server.refuses(head("GET", "/a.txt", CONTINUE, "Content-Length: 65537"), 413)


@test
def a_malformed_head_gets_no_100(server):
    server.refuses(head("GET", "/a.txt", CONTINUE, "Content-Length: 05"), 400)
    server.refuses(head("GET", "/a.txt", CONTINUE, "Content-Length: 5", host=None), 400)


@each(["200-ok", "100", "100-continue, 200-ok", "100-continued", "x=y", "continue",
       "100-continue;q=1"])
def another_expectation_is_417(server, value):
    for fields in ([], ["Content-Length: 0"]):
        answer = server.get("/a.txt", f"Expect: {value}", *fields)
        assert answer.status == 417


@test
def after_417_the_body_is_no_request(server):
    body = head("GET", "/a.txt")
    with server.connect() as connection:
        connection.send(head("POST", "/a.txt", "Expect: x", f"Content-Length: {len(body)}") + body)
        answer = connection.read_response("POST")
        assert answer.status == 417
        if answer.closes:
            connection.expect_end()
        else:
            connection.expect_silence(0.1)


if __name__ == "__main__":
    run(setup)
