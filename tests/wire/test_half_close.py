#!/usr/bin/python3
"""A client that half-closes after its request gets the whole answer (HTTP.md "Reading a request"
12)."""

from wire import each, head, rounds, run, test


def setup(world):
    world.root.write("a.txt", "a")
    world.root.pattern("large.bin", 6_000_000)
    return world.serve()


@test
def the_answer_comes_and_then_the_end(server):
    with server.connect() as connection:
        connection.send(head("GET", "/a.txt"))
        connection.half_close()
        assert connection.read_response().body == b"a"
        connection.expect_end()


@test
def whenever_the_end_comes(server):
    """Before, while or after the server begins to wait for the connection: it is never missed."""
    for number in range(rounds(400)):
        with server.connect() as connection:
            for _ in range(number % 40 * 25):
                pass  # some microseconds
            connection.send(head("GET", "/a.txt"))
            connection.half_close()
            assert connection.read_response().body == b"a"
            connection.expect_end(10)


@test
def a_large_answer_comes_whole(server):
    wanted = server.get("/large.bin").body
    assert len(wanted) == 6_000_000
    for _ in range(5):
        with server.connect(receive_buffer=16384) as connection:
            connection.send(head("GET", "/large.bin"))
            connection.half_close()
            assert connection.read_response().body == wanted
            connection.expect_end()


@test
def pipelined_requests_are_all_answered(server):
    with server.connect() as connection:
        connection.send(head("GET", "/a.txt") * 50 + head("GET", "/large.bin")
                        + head("GET", "/a.txt"))
        connection.half_close()
        for _ in range(50):
            assert connection.read_response().body == b"a"
        assert len(connection.read_response().body) == 6_000_000
        assert connection.read_response().body == b"a"
        connection.expect_end()


@test
def a_half_close_during_the_answer(server):
    with server.connect(receive_buffer=16384) as connection:
        connection.send(head("GET", "/large.bin"))
        answer = connection.read_head()
        connection.half_close()
        assert len(connection.read_octets(int(answer["Content-Length"]))) == 6_000_000
        connection.expect_end()


@test
def without_a_request_there_is_no_answer(server):
    with server.connect() as connection:
        connection.half_close()
        connection.expect_end(3)


@test
def after_an_answer_the_idle_connection_ends(server):
    with server.connect() as connection:
        assert connection.get("/a.txt").status == 200
        connection.half_close()
        connection.expect_end(3)


@each([b"G", b"GET /a.txt HTTP/1.1\r\n", head("GET", "/a.txt")[:-2],
       head("GET", "/a.txt", "Content-Length: 5"),
       head("GET", "/a.txt", "Transfer-Encoding: chunked") + b"5\r\nhel"])
def half_a_request_gets_no_page(server, octets):
    """At most a 400; in any case the end, at once."""
    with server.connect() as connection:
        connection.send(octets)
        connection.half_close()
        rest = connection.read_to_end(3)
        assert rest == b"" or rest.startswith(b"HTTP/1.1 400 ")


@test
def a_refused_request_is_answered(server):
    with server.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\n\r\n")
        connection.half_close()
        assert connection.read_response().status == 400
        connection.expect_end()


if __name__ == "__main__":
    run(setup)
