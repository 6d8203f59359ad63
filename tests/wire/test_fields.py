#!/usr/bin/python3
"""Fields of every answer (HTTP.md "Answering"). That Date is true, and that Server has a name and
no version, is checked by the harness in each answer of all tests."""

import time

from wire import each, head, run, test


def setup(world):
    world.root.write("a.txt", "a")
    world.root.pattern("large.bin", 100_000)
    world.root.write("dir/index.html", "index")
    return world.serve()


@each([
    head("GET", "/a.txt"), head("GET", "/large.bin"), head("GET", "/a.txt", "Range: bytes=0-0"),
    head("GET", "/large.bin", "Range: bytes=0-0,5-5"),
    head("GET", "/none"), head("GET", "/dir/"),
])
def types_are_not_to_be_guessed(server, request):
    assert server.send(request)["X-Content-Type-Options"] == "nosniff"


@test
def the_server_need_not_be_named(server):
    other = server.world.serve(settings={"server_header": "off"})
    for request in (head("GET", "/a.txt", "Connection: close"), b"GET\r\n\r\n"):
        with other.connect() as connection:
            connection.send(request)
            octets = connection.read_to_end()
        assert octets.startswith(b"HTTP/1.1 ") and b"\r\nDate: " in octets and b"Server" not in octets, octets


@test
def date_follows_the_clock(server):
    with server.connect() as connection:
        first = connection.get("/a.txt")["Date"]
        limit = time.monotonic() + 3
        while connection.get("/a.txt")["Date"] == first:
            assert time.monotonic() < limit
            time.sleep(0.05)


@test
def date_is_true_after_a_pause(server):
    with server.connect() as connection:
        connection.get("/a.txt")
        time.sleep(4)
        connection.get("/a.txt")  # the harness compares with the clock


@each(["/a.txt", "/large.bin", "/none", "/dir", "/dir/"])
def nothing_tells_of_the_system(server, target):
    raw = server.get(target).head.lower()
    for word in (b"linux", b"debian", b"llhttp", b"openssl", b"/0.", b"x-powered-by",
                 server.world.path.encode()):
        assert word not in raw


@test
def no_cookie_is_set(server):
    assert "Set-Cookie" not in server.get("/a.txt")


@test
def answers_do_not_depend_on_fields_without_meaning_here(server):
    plain = server.get("/a.txt")
    for field in ("Cookie: a=b", "Authorization: Basic eDp5", "User-Agent: x", "Referer: http://x/",
                  "DNT: 1", "Origin: http://x", "Via: 1.1 x",
                  "Cache-Control: no-cache", "Pragma: no-cache", "TE: trailers", "Max-Forwards: 0",
                  "Accept-Language: de", "Accept: application/x-none",
                  "Accept-Charset: x", "Forwarded: for=x", "X-Forwarded-Host: evil",
                  "X-Original-URL: /none", "X-Rewrite-URL: /none",
                  "X-HTTP-Method-Override: DELETE", "Content-Type: text/plain", "Trailer: X",
                  "Sec-Fetch-Mode: navigate", "Keep-Alive: timeout=5"):
        answer = server.get("/a.txt", field)
        assert answer.masked() == plain.masked(), field


if __name__ == "__main__":
    run(setup)
