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


REFUSED = [("POST", "/a.txt", 405), ("PUT", "/a.txt", 405), ("PROPFIND", "/", 405),
           ("BREW", "/a.txt", 501), ("get", "/a.txt", 501), ("GET", "/../a.txt", 400),
           ("GET", "/%zz", 400), ("HEAD", "/a.txt?%00", 400), ("OPTIONS", "/%", 400),
           ("GET", "/" + "a" * 5000, 404)]
BODIES = [("Content-Length: 5", b"hello"), ("Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n")]


@each(REFUSED)
def what_the_head_refuses_is_refused_at_once(server, method, target, status):
    """Not asked for a body first that nobody wants; and as it is unread, the answer closes."""
    for announcement, _ in BODIES:
        answer = server.refuses(head(method, target, announcement, CONTINUE), status, method=method)
        assert ("Allow" in answer) == (status in (405, 501))


@each(REFUSED)
def a_refused_body_that_came_along_is_no_request(server, method, target, status):
    """What is answered does not depend on how the octets were cut."""
    for announcement, body in BODIES:
        request = head(method, target, announcement, CONTINUE)
        server.refuses(request + body + NEXT, status, method=method)
        server.refuses(request + NEXT, status, method=method)


@each(["POST", "BREW"])
def without_the_expectation_the_body_is_read_first(server, method):
    for announcement, body in BODIES:
        for version in ("1.1", "1.0") if "chunked" not in announcement else ("1.1",):
            fields = [] if version == "1.1" else [CONTINUE, "Connection: keep-alive"]
            with server.connect() as connection:
                connection.send(head(method, "/a.txt", announcement, *fields, version=version))
                connection.expect_silence(0.05)
                connection.send(body + NEXT)
                assert connection.read_response(method).status in (405, 501)
                assert connection.read_response().body == b"next"


@test
def the_log_holds_the_refusal(server):
    path = f"{server.world.logs.path}/refusals.log"
    own = server.world.serve(settings={"access_log": path})
    own.refuses(head("POST", "/a.txt", "Content-Length: 5", CONTINUE), 405, method="POST")
    own.stop()
    with open(path, encoding="ascii") as file:
        line, = file.read().splitlines()
    assert '"POST /a.txt HTTP/1.1" 405 ' in line, line


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
