#!/usr/bin/python3
"""Field lines (HTTP.md "Reading a request" 2, RFC 9112 section 5, CVE-2024-27982)."""

from wire import each, head, run, test

START = b"GET /a.txt HTTP/1.1\r\n"
HOST = b"Host: localhost\r\n"
TOKEN = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def setup(world):
    world.root.write("a.txt", "a")
    return world.serve()


MALFORMED = [
    # no colon, no name, blanks where none may be
    b"X\r\n", b"X y\r\n", b"\x00\r\n", b": y\r\n", b":\r\n", b"X : y\r\n", b"X\t: y\r\n",
    b"X y: z\r\n",
    b"X\x0b: y\r\n",
    # obs-fold, and lines that begin with a blank
    b"X: y\r\n z\r\n", b"X: y\r\n\tz\r\n", b"X: y\r\n \r\n", b"X:\r\n y\r\n", b" X: y\r\n",
    b"\tX: y\r\n",
    b" \r\n", b"X: y\r\n\x0bz: z\r\n",
    # line ends
    b"X: y\n", b"X: y\r", b"X: y\r\r\n", b"X: y\n\r\n", b"X: y\rZ: z\r\n", b"X: y\nZ: z\r\n",
    b"X\r: y\r\n",
    b"X\n: y\r\n", b"X:\ry\r\n", b"X:\n", b"X: y\r\n\n", b"X: y\r\n\r",
    # octets that a value must not hold
    *[b"X: y%cz\r\n" % octet for octet in (*range(9), 11, 12, *range(14, 32), 127)],
    b"X:\x00\r\n", b"X: \x01\r\n", b"X: y\x7f\r\n",
    # octets that a name must not hold
    *[b"X%cY: z\r\n" % octet for octet in b"\x00\x01\x1f\x7f\x80\xff\"(),/;<=>?@[\\]{}"],
]


@each(MALFORMED)
def a_malformed_line_is_refused(server, line):
    """Wherever it stands: before Host, behind it, first or last."""
    for request in (START + HOST + line + b"\r\n", START + line + HOST + b"\r\n",
                    START + b"A: b\r\n" + line + b"C: d\r\n" + HOST + b"\r\n"):
        server.refuses(request, 400)


@each([
    b"\n", b"\r\r\n", b"\r\n\n"[1:], b"\n\r\n", b" \r\n\r\n",
])
def the_empty_line_is_crlf(server, end):
    server.refuses(START + HOST + end + HOST + b"\r\n", 400)


@each([
    b"X:\r\n", b"X: \r\n", b"X:y\r\n", b"X:\ty\r\n", b"X: \t y \t \r\n", b"X: y\tz\r\n",
    b"X: \x80\xff\xfe\r\n", b"X: \xe4\xb8\xad\r\n", b"X: \"a,b;c=d\\\"\"\r\n", b"X: ::: :\r\n",
    (TOKEN + ": y\r\n").encode(), b"1: y\r\n", b"X: y\r\nX: z\r\nx: y\r\n",
])
def legal_lines_pass(server, line):
    for request in (START + HOST + line + b"\r\n", START + line + HOST + b"\r\n"):
        assert server.status(request) == 200


@each([b"Host:localhost\r\n", b"Host:\tlocalhost\r\n", b"hOST:  localhost\t \r\n",
       b"HOST: localhost\r\n"])
def names_have_no_case_and_values_no_outer_blanks(server, host):
    assert server.status(START + host + b"\r\n") == 200


@test
def a_head_without_fields_is_complete(server):
    assert server.status(b"GET /a.txt HTTP/1.0\r\n\r\n") == 200


@test
def a_fault_is_answered_when_its_line_ends(server):
    """The head need not be complete."""
    server.refuses(START + HOST + b"X y\r\n", 400)
    server.refuses(START + HOST + b"X: y\n", 400)
    server.refuses(START + HOST + b"X: y\r\n z\r\n", 400)


@test
def a_request_behind_a_malformed_one_is_not_answered(server):
    server.refuses(START + HOST + b"X y\r\n\r\n" + head("GET", "/a.txt"), 400)


@test
def no_value_is_echoed(server):
    answer = server.refuses(START + HOST + b"X: <b>tell</b>\x01\r\n\r\n", 400)
    assert b"tell" not in answer.raw


if __name__ == "__main__":
    run(setup)
