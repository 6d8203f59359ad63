#!/usr/bin/python3
"""Which connections are kept (HTTP.md "Answering", RFC 9112 section 9.3)."""

from wire import each, head, run, test


def setup(world):
    world.root.write("a.txt", "a" * 10)
    world.root.write("empty.txt", "")
    world.root.pattern("large.bin", 100_000)
    world.root.folder("dir")
    return world.serve()


def kept(server, *fields, version="1.1", host="localhost"):
    """Is the connection kept? Checks that the answer says so and that it is true."""
    with server.connect() as connection:
        answer = connection.get("/a.txt", *fields, version=version, host=host)
        assert answer.status == 200
        if answer.closes:
            connection.expect_end()
            return False
        if version == "1.0":
            assert answer["Connection"].lower() == "keep-alive"
        assert connection.get("/a.txt", version="1.1").body == b"a" * 10
        return True


@test
def version_1_1_keeps_it(server):
    assert kept(server)
    assert kept(server, "Connection: keep-alive")
    assert kept(server, "Connection:")
    assert kept(server, "Connection: x")


@test
def version_1_0_closes(server):
    assert not kept(server, version="1.0")
    assert not kept(server, version="1.0", host=None)
    assert not kept(server, "Connection: x", version="1.0")


@each(["keep-alive", "Keep-Alive", "KEEP-ALIVE", "x, keep-alive", "keep-alive, x", "\tkeep-alive "])
def version_1_0_keeps_it_on_request(server, value):
    assert kept(server, "Connection: " + value, version="1.0")
    assert kept(server, "Connection: " + value, version="1.0", host=None)


@each(["close", "Close", "CLOSE", "close, x", "x, close", "x,close,y", " close ", ",close",
       "keep-alive, close",
       "close, keep-alive"])
def close_is_honoured(server, value):
    assert not kept(server, "Connection: " + value)
    assert not kept(server, "Connection: " + value, version="1.0")


@test
def several_connection_lines_are_one_list(server):
    assert not kept(server, "Connection: x", "Connection: close")
    assert not kept(server, "Connection: close", "Connection: keep-alive")
    assert kept(server, "Connection: x", "Connection: keep-alive", version="1.0")


@each(["closed", "xclose", "close-x", "\"close\"", "close;x", "clos"])
def other_options_are_not_close(server, value):
    assert kept(server, "Connection: " + value)


@each([
    ("GET", "/a.txt", []), ("HEAD", "/a.txt", []), ("HEAD", "/large.bin", []),
    ("GET", "/large.bin", []),
    ("GET", "/empty.txt", []), ("GET", "/none", []), ("HEAD", "/none", []), ("GET", "/dir", []),
    ("OPTIONS", "/", []),
    ("GET", "/a.txt", ["Range: bytes=1-2"]), ("GET", "/a.txt", ["Range: bytes=1-2,5-6"]),
    ("GET", "/a.txt", ["Range: bytes=99-"]), ("GET", "/a.txt", ["If-None-Match: *"]),
    ("GET", "/a.txt", ["If-Match: \"x\""]),
])
def every_ordinary_answer_keeps_it(server, method, target, fields):
    with server.connect() as connection:
        for _ in range(3):
            assert not connection.ask(method, target, *fields).closes
        assert connection.get("/a.txt").body == b"a" * 10


@test
def a_thousand_requests_on_one_connection(server):
    with server.connect() as connection:
        for _ in range(1000):
            answer = connection.get("/a.txt")
            assert answer.status == 200 and not answer.closes


@test
def version_1_0_keeps_it_a_thousand_times(server):
    """As ab -k asks."""
    with server.connect() as connection:
        for _ in range(1000):
            answer = connection.get("/a.txt", "Connection: Keep-Alive", version="1.0",
                                    host="127.0.0.1")
            assert answer["Connection"].lower() == "keep-alive" and answer.body == b"a" * 10


@test
def a_number_of_requests_can_be_the_limit(server):
    limited = server.world.serve(settings={"keepalive_requests": "3"})
    with limited.connect() as connection:
        connection.send(head("GET", "/a.txt") * 5)
        assert [connection.read_response().closes for _ in range(3)] == [False, False, True]
        connection.expect_end()


@test
def the_end_after_close_is_orderly(server):
    for _ in range(50):
        with server.connect() as connection:
            assert connection.get("/large.bin", "Connection: close").closes
            connection.expect_end()


if __name__ == "__main__":
    run(setup)
