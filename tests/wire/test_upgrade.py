#!/usr/bin/python3
"""Upgrade fields are ignored (HTTP.md "Reading a request" 12 and 1): what follows is still
HTTP/1.1."""

from wire import each, head, run, test


def setup(world):
    world.root.write("a.txt", "a")
    return world.serve()


@each([
    ("h2c", ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
             "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"]),
    ("websocket", ["Connection: Upgrade", "Upgrade: websocket",
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                   "Sec-WebSocket-Version: 13"]),
    ("an unknown protocol", ["Connection: upgrade", "Upgrade: x/1, y/2"]),
    ("Upgrade alone", ["Upgrade: websocket"]),
])
def it_is_an_ordinary_request(server, _, fields):
    answers = server.exchange(head("GET", "/a.txt", *fields) + head("GET", "/none")
                              + head("HEAD", "/a.txt", *fields)
                              + head("GET", "/a.txt"), ["GET", "GET", "HEAD", "GET"])
    assert [answer.status for answer in answers] == [200, 404, 200, 200]
    assert not any(answer.closes or "Upgrade" in answer for answer in answers)


@test
def a_body_is_still_a_body(server):
    body = head("GET", "/none")
    answers = server.exchange(head("GET", "/a.txt", "Connection: Upgrade", "Upgrade: h2c",
                                   f"Content-Length: {len(body)}")
                              + body + head("GET", "/a.txt"), ["GET", "GET"])
    assert [answer.status for answer in answers] == [200, 200]


@test
def what_follows_is_judged_as_strictly(server):
    with server.connect() as connection:
        connection.send(head("GET", "/a.txt", "Connection: Upgrade", "Upgrade: h2c")
                        + b"PRI * HTTP/2.0\r\n\r\n")
        assert connection.read_response().status == 200
        assert connection.read_response().status == 505
        connection.expect_end()


if __name__ == "__main__":
    run(setup)
