#!/usr/bin/python3
"""Pipelined requests are answered in order (HTTP.md "Reading a request" 11, RFC 9112 section
9.3.2)."""

import threading

from wire import each, head, rounds, run, test


def setup(world):
    for number in range(10):
        world.root.write(f"{number}.txt", f"file {number}\n" * (number + 1))
    world.root.pattern("large.bin", 700_001)
    world.root.pattern("middle.bin", 20_000)
    world.root.write("empty.txt", "")
    world.root.write("dir/index.html", "<p>index")
    return world.serve()


def requests(count):
    """A mixture, as a list of method, target, and the octets of the request."""
    kinds = [("GET", "/{}.txt"), ("HEAD", "/{}.txt"), ("GET", "/none-{}.txt"),
             ("GET", "/empty.txt"), ("GET", "/dir/"),
             ("OPTIONS", "/x"), ("GET", "/dir"), ("GET", "/{}.txt"), ("HEAD", "/none"),
             ("GET", "/middle.bin")]
    chosen = [kinds[number * 7 % 10] for number in range(count)]
    return [(method, target.format(number % 10), head(method, target.format(number % 10)))
            for number, (method, target) in enumerate(chosen)]


def check(connection, wanted, alone):
    for method, target, _ in wanted:
        answer = connection.read_response(method)
        assert answer.masked() == alone[method, target], (method, target)


def answers_alone(server, wanted):
    """What each request gets when it is the only one."""
    return {(method, target): server.ask(method, target).masked() for method, target, _ in wanted}


@each([2, 3, 16, 100, 1000])
def a_mixture_in_one_segment(server, count):
    wanted = requests(count)
    alone = answers_alone(server, wanted[:100])
    with server.connect() as connection:
        connection.send(b"".join(octets for _, _, octets in wanted))
        check(connection, wanted, alone)
        connection.expect_silence(0.05)


@each([1, 7, 61, 1400])
def a_mixture_in_pieces(server, size):
    wanted = requests(60)
    alone = answers_alone(server, wanted)
    octets = b"".join(octets for _, _, octets in wanted)
    with server.connect() as connection:
        for at in range(0, len(octets), size):
            connection.send(octets[at:at + size])
        check(connection, wanted, alone)


@test
def a_hundred_small_ones_many_times(server):
    with server.connect() as connection:
        for _ in range(rounds(30)):
            connection.send(head("GET", "/3.txt") * 100)
            for _ in range(100):
                assert connection.read_response().body == b"file 3\n" * 4


@test
def large_files_between_small_ones(server):
    large = server.get("/large.bin").body
    methods = ["GET", "HEAD", "GET", "GET"]
    with server.connect() as connection:
        connection.send((head("GET", "/1.txt") + head("HEAD", "/large.bin")
                         + head("GET", "/large.bin")
                         + head("GET", "/none")) * 5)
        for _ in range(5):
            small, size, body, none = [connection.read_response(method) for method in methods]
            assert small.body == b"file 1\n" * 2 and size["Content-Length"] == "700001"
            assert body.body == large and none.status == 404


@test
def a_client_that_reads_only_after_it_has_sent_everything(server):
    """More answers than buffers hold: the server stops reading, and forgets nothing."""
    count = rounds(3000)
    failures = []
    with server.connect(receive_buffer=8192) as connection:
        connection.sock.settimeout(30)

        def write():
            try:
                connection.sock.sendall(head("GET", "/middle.bin") * count)
            except OSError as error:
                failures.append(error)
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(0.3)
        body = None
        for _ in range(count):
            answer = connection.read_response()
            body = body or answer.body
            assert answer.status == 200 and answer.body == body
        writer.join()
    assert not failures


@test
def nothing_is_answered_behind_connection_close(server):
    with server.connect() as connection:
        connection.send(head("GET", "/1.txt") + head("GET", "/2.txt", "Connection: close")
                        + head("GET", "/3.txt"))
        assert not connection.read_response().closes
        answer = connection.read_response()
        assert answer.closes and answer.body == b"file 2\n" * 3
        connection.expect_end()


@test
def nothing_is_answered_behind_a_refusal(server):
    with server.connect() as connection:
        connection.send(head("GET", "/1.txt") + head("GET", "/2.txt", "Content-Length: 05")
                        + head("GET", "/3.txt"))
        assert connection.read_response().status == 200
        answer = connection.read_response()
        assert answer.status == 400 and answer.closes
        connection.expect_end()


@test
def answers_before_a_refusal_are_complete(server):
    large = server.get("/large.bin").body
    with server.connect() as connection:
        connection.send(head("GET", "/large.bin") * 2 + b"GET / HTTP/1.1\nHost: x\r\n\r\n")
        assert connection.read_response().body == large
        assert connection.read_response().body == large
        assert connection.read_response().status == 400
        connection.expect_end()


@test
def bodies_between_requests_are_skipped(server):
    unit = (head("POST", "/1.txt", "Content-Length: 7") + b"GET / H" + head("GET", "/1.txt")
            + head("GET", "/2.txt", "Transfer-Encoding: chunked") + b"3\r\nGET\r\n0\r\n\r\n"
            + head("HEAD", "/2.txt"))
    with server.connect() as connection:
        connection.send(unit * 10)
        for _ in range(10):
            statuses = [connection.read_response(method).status
                        for method in ("POST", "GET", "GET", "HEAD")]
            assert statuses == [405, 200, 200, 200]


@test
def ranges_and_conditions_of_one_do_not_reach_the_next(server):
    etag = server.get("/1.txt")["ETag"]
    unit = (head("GET", "/1.txt", "Range: bytes=0-3") + head("GET", "/1.txt")
            + head("GET", "/1.txt", "If-None-Match: " + etag) + head("GET", "/1.txt")
            + head("GET", "/1.txt", "Range: bytes=0-1,5-6")
            + head("GET", "/1.txt", "Range: bytes=900-")
            + head("GET", "/1.txt"))
    answers = server.exchange(unit * 3, ["GET"] * 21)
    assert [answer.status for answer in answers] == [206, 200, 304, 200, 206, 416, 200] * 3


if __name__ == "__main__":
    run(setup)
