#!/usr/bin/python3
"""Where a request's body ends (HTTP.md "Reading a request" 6, RFC 9112 section 6). What is in doubt
is refused and closes, whatever the method: two servers that read it differently can be played
against each other."""

from wire import each, head, run, test

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "FOO", "CONNECT")
NEXT = head("GET", "/next.txt")
CHUNKED_BODY = b"5\r\nhello\r\n0\r\n\r\n"


def setup(world):
    world.root.write("a.txt", "a")
    world.root.write("next.txt", "next")
    return world.serve()


def refused_for_every_method(server, *fields, version="1.1"):
    for method in METHODS:
        request = head(method, "/a.txt", *fields, version=version)
        for body in (b"", b"hello", CHUNKED_BODY):
            answer = server.refuses(request + body + NEXT, 400, method=method)
            assert b"next" not in answer.body


@each([
    "+5", "-5", "-0", "5,5", "5, 5", "5,", ",5", "05", "00", "005", "", " ", "0x5", "5h", "5 5",
    "5.0", "5e0",
    "five", "\"5\"", "5;", "\xb2", "\xd9\xa5", "0,5", "1234567890123456789", "18446744073709551621",
    "9223372036854775808", "99999999999999999999999999999999", "5\x00", "5\x0b", "\x0c5",
])
def a_content_length_of_another_form_is_400(server, value):
    refused_for_every_method(server, "Content-Length: " + value)


@each([("5", "5"), ("5", "6"), ("0", "0"), ("0", "5"), ("5", "")])
def two_content_lengths_are_400_even_when_equal(server, first, second):
    refused_for_every_method(server, f"Content-Length: {first}", f"Content-Length: {second}")
    refused_for_every_method(server, f"Content-Length: {first}", "A: b",
                             f"content-length: {second}")


@each(["Content-Length: 5", "Content-Length:5", "Content-Length: \t 5 \t", "content-LENGTH:  5"])
def a_proper_content_length_passes(server, field):
    request = head("GET", "/a.txt", field) + b"hello"
    answers = server.exchange(request + NEXT, ["GET", "GET"])
    assert [answer.body for answer in answers] == [b"a", b"next"]


@test
def a_content_length_of_0_is_no_body(server):
    answers = server.exchange(head("GET", "/a.txt", "Content-Length: 0") + NEXT, ["GET", "GET"])
    assert [answer.body for answer in answers] == [b"a", b"next"]


@test
def eighteen_digits_are_a_length_and_too_much(server):
    server.refuses(head("GET", "/a.txt", "Content-Length: " + "9" * 18), 413)


@each([
    "chunked, gzip", "gzip, chunked", "gzip", "identity", "identity, chunked", "chunked, identity",
    "chunked, chunked", "chunked,chunked", "", ",chunked", "chunked,", ", chunked", "chunked,,",
    ",", "chunked;q=1",
    "chunked;", "\"chunked\"", "'chunked'", "x chunked", "chunked x", "chunked x, chunked",
    "xchunked", "chunkedx",
    "chunke", "c hunked", "\x0bchunked", "chunked\x0b", "\x0cchunked", "chunked\x0c", "chunked\x00",
    "\xa0chunked",
    "chunked\xa0", "trailers", "deflate, gzip", "0",
])
def a_transfer_encoding_of_another_form_is_400(server, value):
    refused_for_every_method(server, "Transfer-Encoding: " + value)


@each([
    ("chunked", "chunked"), ("chunked", "gzip"), ("gzip", "chunked"), ("", "chunked"),
    ("chunked", ""),
    ("identity", "chunked"),
])
def two_transfer_encodings_are_400(server, first, second):
    refused_for_every_method(server, f"Transfer-Encoding: {first}", f"Transfer-Encoding: {second}")


@each(["chunked", "gzip", "identity"])
def a_transfer_encoding_on_1_0_is_400(server, value):
    refused_for_every_method(server, f"Transfer-Encoding: {value}", version="1.0")
    refused_for_every_method(server, f"Transfer-Encoding: {value}", "Connection: keep-alive",
                             version="1.0")


@each(["0", "5", "15", "100"])
def both_are_400(server, length):
    refused_for_every_method(server, f"Content-Length: {length}", "Transfer-Encoding: chunked")
    refused_for_every_method(server, "Transfer-Encoding: chunked", f"Content-Length: {length}")
    refused_for_every_method(server, f"Content-Length: {length}", "Transfer-Encoding: identity")


@each(["Transfer-Encoding: chunked", "transfer-encoding:chunked",
       "Transfer-Encoding: \tchunked \t"])
def chunked_passes(server, field):
    request = head("GET", "/a.txt", field) + CHUNKED_BODY
    answers = server.exchange(request + NEXT, ["GET", "GET"])
    assert [answer.body for answer in answers] == [b"a", b"next"]


@test
def chunked_in_capitals_is_chunked_or_refused(server):
    """Names of codings have no case (RFC 9112 section 7); this server may ask for lower case, but
    must not take the body for a request."""
    for value in ("Chunked", "CHUNKED"):
        with server.connect() as connection:
            connection.send(head("GET", "/a.txt", "Transfer-Encoding: " + value) + CHUNKED_BODY
                            + NEXT)
            answer = connection.read_response()
            if answer.status == 200:
                assert connection.read_response().body == b"next"
            else:
                assert answer.status == 400 and answer.closes
                connection.expect_end()


@test
def framing_is_judged_before_the_method(server):
    """A known method that is not served would be 405, an unknown one 501."""
    for method in ("POST", "DELETE", "TRACE", "FOO"):
        server.refuses(head(method, "/a.txt", "Content-Length: x"), 400, method=method)


@test
def a_body_without_length_is_no_body(server):
    """RFC 9112 section 6.3 number 7: what follows is the next request, here none."""
    with server.connect() as connection:
        connection.send(head("POST", "/a.txt") + b"hello\r\n\r\n")
        answer = connection.read_response("POST")
        assert answer.status == 405
        if not answer.closes:
            answer = connection.read_response()
            assert answer.status == 400 and answer.closes
        connection.expect_end()


@test
def names_that_only_look_alike_mean_nothing(server):
    for field in ("Content_Length: 5", "Content-Length-X: 5", "X-Content-Length: 5",
                  "ContentLength: 5",
                  "Transfer_Encoding: chunked", "Transfer-Encodin: chunked"):
        answers = server.exchange(head("GET", "/a.txt", field) + NEXT, ["GET", "GET"])
        assert [answer.body for answer in answers] == [b"a", b"next"]


if __name__ == "__main__":
    run(setup)
