#!/usr/bin/python3
"""Methods (HTTP.md "Reading a request", RFC 9110 section 9)."""

from wire import each, head, run, test

ALLOW = "GET, HEAD, OPTIONS"


def setup(world):
    world.root.write("a.txt", "a" * 100)
    world.root.write("empty.txt", "")
    world.root.pattern("big.bin", 300000)
    world.root.write("dir/index.html", "<p>index")
    world.root.folder("bare")
    return world.serve()


@each([
    ("/a.txt",), ("/empty.txt",), ("/big.bin",), ("/dir",), ("/dir/",), ("/bare/",), ("/none.txt",),
    ("/a.txt/",),
    ("/../x",), ("/%zz",), ("/a.txt", "If-None-Match: *"), ("/a.txt", "If-Match: \"x\""),
    ("/a.txt", "Expect: x"),
    ("/a.txt", "Connection: close"), ("/none.txt", "Connection: close"),
])
def head_has_the_fields_of_get_and_no_body(server, target, *fields):
    with server.connect() as connection:
        get = connection.get(target, *fields)
        if get.closes:
            connection.expect_end()
    with server.connect() as connection:
        answer = connection.ask("HEAD", target, *fields)
        assert answer.status == get.status
        assert answer.without("Date") == get.without("Date")
        if answer.closes:
            connection.expect_end()
        else:
            connection.expect_silence(0.02)


@each(["*", "/", "/a.txt", "/dir", "/none.txt", "/none/", "http://localhost/a.txt",
       "http://localhost"])
def options_is_204_with_allow(server, target):
    with server.connect() as connection:
        for _ in range(2):
            answer = connection.ask("OPTIONS", target)
            assert answer.status == 204 and answer["Allow"] == ALLOW and answer.body == b""


@each(["/../x", "/%zz", "/a\tb", "", "a.txt"])
def options_judges_its_target(server, target):
    server.refuses(head("OPTIONS", target), 400, method="OPTIONS")


@each(["POST", "PUT", "DELETE", "PATCH", "TRACE"])
def known_methods_that_are_not_served_are_405(server, method):
    for target in ("/a.txt", "/dir/"):
        answer = server.ask(method, target)
        assert answer.status == 405 and answer["Allow"] == ALLOW


@each(["PROPFIND", "MKCOL", "LOCK", "REPORT", "COPY", "M-SEARCH"])
def methods_of_extensions_are_not_served(server, method):
    answer = server.ask(method, "/a.txt")
    assert answer.status in (405, 501) and (answer.status == 501 or answer["Allow"] == ALLOW)


@each(["FOO", "get", "Get", "GETX", "GE", "G", "HEADS", "head", "options", "P", "POSTS",
       "!#$%&'*+-.^_`|~", "123",
       "X" * 100, "BREW"])
def unknown_tokens_are_501(server, method):
    assert server.ask(method, "/a.txt").status == 501


@each(["localhost:80", "example.org:443", "[::1]:443"])
def connect_is_501(server, target):
    assert server.ask("CONNECT", target, host=target).status == 501


TUNNELLED = [b"", b"x", head("GET", "/a.txt"), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300),
             b"SSH-2.0-OpenSSH_9.2\r\n"]


@each([(target, octets) for target in ("localhost:80", "[::1]:443") for octets in TUNNELLED])
def what_follows_a_connect_is_no_request(server, target, octets):
    """A client may have sent what its tunnel was to carry (RFC 9110 section 9.3.6)."""
    for fields in ([], ["Content-Length: 5"], ["Transfer-Encoding: chunked"],
                   ["Content-Length: 5", "Expect: 100-continue"]):
        answer = server.refuses(head("CONNECT", target, *fields, host=target) + octets, 501,
                                method="CONNECT")
        assert answer["Allow"] == ALLOW


@test
def octets_that_follow_a_connect_later_are_no_request_either(server):
    with server.connect() as connection:
        connection.send(head("CONNECT", "localhost:80"))
        answer = connection.read_response("CONNECT")
        assert answer.status == 501 and answer.closes
        connection.send(head("GET", "/a.txt"))
        assert connection.read_to_end() == b""


@test
def a_connect_behind_other_requests_ends_them(server):
    with server.connect() as connection:
        connection.send(head("GET", "/a.txt") + head("CONNECT", "localhost:80") + head("GET", "/a.txt"))
        assert connection.read_response().status == 200
        assert connection.read_response("CONNECT").status == 501
        connection.expect_end()


@test
def trace_echoes_nothing(server):
    answer = server.ask("TRACE", "/a.txt?marker-1", "Cookie: marker-2", "Max-Forwards: 0")
    assert b"marker" not in answer.raw


@each(["GET", "HEAD"])
def an_asterisk_is_for_options_only(server, method):
    assert server.ask(method, "*").status == 400


@each(["POST", "FOO"])
def the_connection_survives_or_says_that_it_closes(server, method):
    with server.connect() as connection:
        answer = connection.ask(method, "/a.txt")
        if answer.closes:
            connection.expect_end()
        else:
            assert connection.get("/a.txt").status == 200


@test
def conditions_and_ranges_do_not_change_405(server):
    answer = server.ask("POST", "/a.txt", "If-None-Match: *", "Range: bytes=0-1", "If-Match: \"x\"")
    assert answer.status == 405


if __name__ == "__main__":
    run(setup)
