#!/usr/bin/python3
"""Limits of a request head (HTTP.md "Reading a request" 9): 414 and 431, as soon as they are
crossed."""

from wire import each, head, run, test


def setup(world):
    world.root.write("a.txt", "a")
    return world.serve()


@test
def a_request_line_of_8000_octets_passes(server):
    target = "/a.txt?" + "x" * (8000 - len("GET /a.txt? HTTP/1.1"))
    assert server.get(target).status == 200


@test
def a_longer_request_line_is_414(server):
    server.refuses(head("GET", "/a.txt?" + "x" * 8192), 414)
    server.refuses(head("GET", "/" + "x" * 20000), 414)
    server.refuses(head("POST", "/a.txt?" + "x" * 9000), 414, method="POST")


@test
def a_request_line_without_end_is_414_at_once(server):
    server.refuses(b"GET /a.txt?" + b"x" * 9000, 414)


@each([8192, 9000, 20000])
def a_method_as_long_as_a_line_is_501(server, length):
    """Longer than any that there is (RFC 9112 section 3); the target has nothing to do with it."""
    server.refuses(head("G" * length, "/a.txt"), 501, method="G")
    server.refuses(b"G" * length + b"G", 501, method="G")  # which does not end yet
    server.refuses(head("G" * 100, "/" + "x" * length), 501, method="G")
    server.refuses(head("BREW", "/" + "x" * length), 414, method="BREW")


@each([b"/" * 9000, b" " * 9000, b"G" * 8000 + b":" * 1000, b"\xff" * 9000])
def a_long_line_without_a_method_is_400(server, line):
    server.refuses(line, 400)


@test
def a_long_method_within_the_limit_is_501(server):
    assert server.ask("G" * 8000, "/a.txt").status == 501


@test
def a_field_of_8000_octets_passes(server):
    assert server.get("/a.txt", "X: " + "y" * 8000).status == 200


@test
def a_longer_field_is_431(server):
    server.refuses(head("GET", "/a.txt", "X: " + "y" * 8192), 431)
    server.refuses(head("GET", "/a.txt", "X" * 8192 + ": y"), 431)
    server.refuses(head("GET", "/a.txt", "X:" + " " * 8192), 431)


@test
def a_field_without_end_is_431_at_once(server):
    start = head("GET", "/a.txt")[:-2]
    server.refuses(start + b"X: " + b"y" * 9000, 431)
    server.refuses(start + b"X" * 9000, 431)


@test
def fields_of_30000_octets_pass(server):
    assert server.get("/a.txt",
                      *[f"X-{number}: " + "y" * 6000 for number in range(5)]).status == 200


@test
def more_fields_octets_are_431(server):
    server.refuses(head("GET", "/a.txt", *[f"X-{number}: " + "y" * 6000 for number in range(6)]),
                   431)
    start = head("GET", "/a.txt")[:-2]
    server.refuses(start + b"".join(b"X-%d: %s\r\n" % (number, b"y" * 6000) for number in range(6)),
                   431)


@test
def a_hundred_fields_pass(server):
    assert server.get("/a.txt", *[f"X-{number}: y" for number in range(99)]).status == 200


@each([100, 101, 500])
def more_than_a_hundred_fields_are_431(server, count):
    """Host is one, too."""
    server.refuses(head("GET", "/a.txt", *[f"X-{number}: y" for number in range(count)]), 431)
    server.refuses(head("GET", "/a.txt", *["X: y"] * count), 431)


@test
def each_request_has_the_whole_limit(server):
    """What came before on a connection counts no more."""
    with server.connect() as connection:
        for _ in range(5):
            assert connection.get("/a.txt",
                                  *[f"X-{number}: " + "y" * 250
                                    for number in range(99)]).status == 200


@test
def a_large_head_among_pipelined_requests(server):
    large = head("GET", "/a.txt", *[f"X-{number}: " + "y" * 6000 for number in range(5)])
    small = head("GET", "/a.txt")
    answers = server.exchange((small + large) * 4 + small, ["GET"] * 9)
    assert [answer.status for answer in answers] == [200] * 9


@test
def limits_are_settings(server):
    lower = server.world.serve(settings={"header_field_max": "1k", "header_max": "2k",
                                         "header_count_max": "10"})
    assert lower.get("/a.txt", "X: " + "y" * 900).status == 200
    lower.refuses(head("GET", "/a.txt", "X: " + "y" * 1100), 431)
    lower.refuses(head("GET", "/a.txt", *["X: " + "y" * 900] * 3), 431)
    assert lower.get("/a.txt", *["X: y"] * 9).status == 200
    lower.refuses(head("GET", "/a.txt", *["X: y"] * 11), 431)
    higher = server.world.serve(settings={"request_line_max": "16k"})
    assert higher.get("/a.txt?" + "x" * 15000).status == 200
    higher.refuses(head("GET", "/a.txt?" + "x" * 17000), 414)


if __name__ == "__main__":
    run(setup)
