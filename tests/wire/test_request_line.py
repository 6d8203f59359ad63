#!/usr/bin/python3
"""The request line (HTTP.md "Reading a request" 2 and 4, RFC 9112 section 3)."""

from wire import each, head, run, test

HOST = b"Host: localhost\r\n\r\n"


def setup(world):
    world.root.write("a.txt", "a")
    return world.serve()


@test
def a_plain_request_is_answered(server):
    answer = server.send(b"GET /a.txt HTTP/1.1\r\n" + HOST)
    assert answer.status == 200 and answer.body == b"a"


@each([
    b"GET  /a.txt HTTP/1.1", b"GET /a.txt  HTTP/1.1", b"GET /a.txt HTTP/1.1 ",
    b" GET /a.txt HTTP/1.1",
    b"GET\t/a.txt HTTP/1.1", b"GET /a.txt\tHTTP/1.1", b"GET /a.txt HTTP/1.1\t",
    b"\tGET /a.txt HTTP/1.1",
    b"GET /a.txt\x0bHTTP/1.1", b"GET /a.txt\x0cHTTP/1.1", b"GET /a.txt x HTTP/1.1",
    b"GET  HTTP/1.1",
    b"GET HTTP/1.1", b"GET", b"GET ", b"/a.txt HTTP/1.1", b" /a.txt HTTP/1.1",
    b"GET\xa0/a.txt HTTP/1.1",
])
def blanks_are_single_spaces(server, line):
    server.refuses(line + b"\r\n" + HOST, 400)


@each([
    b"G@T", b"G(T", b"G/T", b"G:T", b"G\"T", b"G\x00T", b"G\x7fT", b"G\xe9T", b"G,T", b"[GET]",
    b"{GET}",
])
def a_method_is_a_token(server, method):
    server.refuses(method + b" /a.txt HTTP/1.1\r\n" + HOST, 400)


@each([
    b"", b"HTTP", b"HTTP/", b"HTTP/1", b"HTTP/1.", b"HTTP/.1", b"HTTP/01.1", b"HTTP/1.10",
    b"HTTP/1.01",
    b"HTTP/11.1", b"HTTP/1,1", b"HTTP/1.1.1", b"HTTP/1.x", b"HTTP/x.1", b"HTTP/+1.1", b"HTTP/1.-1",
    b"HTTP 1.1", b"HTTP/ 1.1", b"HTTP\\1.1", b"http/1.1", b"Http/1.1", b"HTTPS/1.1", b"HTP/1.1",
    b"FTP/1.1", b"XHTTP/1.1", b"HTTP/1.1\x00", b"HTTP/1.1x", b"ICE/1.0", b"RTSP/1.0",
])
def a_malformed_version_is_400(server, version):
    server.refuses(b"GET /a.txt " + version + b"\r\n" + HOST, 400)


@test
def a_missing_version_is_400(server):
    server.refuses(b"GET /a.txt\r\n", 400)
    server.refuses(b"GET /a.txt\r\n" + HOST, 400)


@each(["0.9", "0.0", "2.0", "2.1", "3.0", "9.9"])
def another_major_version_is_505(server, version):
    server.refuses(head("GET", "/a.txt", version=version), 505)


@test
def the_preface_of_http2_is_505(server):
    server.refuses(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)


@each(["1.0", "1.1", "1.2", "1.5", "1.9"])
def every_version_with_major_1_is_served(server, version):
    answer = server.get("/a.txt", version=version)
    assert answer.status == 200 and answer.body == b"a"


@each(["1.2", "1.9"])
def later_minor_versions_are_treated_as_1_1(server, version):
    with server.connect() as connection:
        assert not connection.get("/a.txt", version=version).closes
        assert connection.get("/a.txt", version=version).body == b"a"
    server.refuses(head("GET", "/a.txt", host=None, version=version), 400)


@each([
    b"GET /a.txt HTTP/1.1\n", b"GET /a.txt HTTP/1.1\r\r\n",
    b"GET /a.txt HTTP/1.1\rHost: localhost\r\n",
    b"GET /a.txt\r HTTP/1.1\r\n", b"GET /a\n.txt HTTP/1.1\r\n", b"GET /a\x00.txt HTTP/1.1\r\n",
    b"GET\r\n/a.txt HTTP/1.1\r\n", b"\x00GET /a.txt HTTP/1.1\r\n",
])
def the_line_ends_with_crlf_and_holds_no_cr_lf_nul(server, line):
    server.refuses(line + HOST, 400)


@test
def a_few_empty_lines_before_a_request_are_skipped(server):
    for count in (1, 2, 3):
        answer = server.send(b"\r\n" * count + head("GET", "/a.txt"))
        assert answer.status == 200 and answer.body == b"a"


@test
def empty_lines_between_requests_are_skipped(server):
    request = head("GET", "/a.txt")
    answers = server.exchange(request + b"\r\n" + request + b"\r\n\r\n" + request, ["GET"] * 3)
    assert [answer.status for answer in answers] == [200] * 3


@test
def endless_empty_lines_are_refused(server):
    server.refuses(b"\r\n" * 500 + head("GET", "/a.txt"), 400)


@each([b"\n", b"\r\r\n", b"\r", b" \r\n", b"\x00\r\n"])
def other_octets_before_a_request_are_refused(server, octets):
    server.refuses(octets + head("GET", "/a.txt"), 400)


@each([
    (b"GET / HTTP/1.10\r\n", 400), (b"GET /\r\n", 400), (b"GET  / HTTP/1.1\r\n", 400),
    (b"GET / HTTP/2.0\r\n", 505), (b"GET / HTTP/1.1\n", 400),
])
def it_is_judged_when_it_ends(server, line, status):
    """No need to send the rest of the head to be told."""
    server.refuses(line, status)


@test
def a_tls_handshake_on_a_plain_port_is_400(server):
    server.refuses(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x55" * 64 + b"\r\n", 400)


@test
def nothing_of_the_line_is_echoed(server):
    answer = server.refuses(b"GET /<script>alert(1)</script>\t HTTP/1.1\r\n" + HOST, 400)
    assert b"alert" not in answer.raw
    answer = server.send(b"GET /<script>alert(1)</script> HTTP/1.1\r\n" + HOST)
    assert answer.status == 404 and b"alert" not in answer.raw


if __name__ == "__main__":
    run(setup)
