#!/usr/bin/python3
"""Chunked bodies (HTTP.md "Reading a request" 6, RFC 9112 section 7.1, CVE-2024-22019). A body that
is accepted must end exactly where it ends: the request behind it is answered next."""

from wire import each, head, run, test

POST = head("GET", "/a.txt", "Transfer-Encoding: chunked")
NEXT = head("GET", "/next.txt")


def setup(world):
    world.root.write("a.txt", "a")
    world.root.write("next.txt", "next")
    return world.serve(settings={"chunk_overhead_max": "4k", "body_max": "64k"})


@each([
    b"0\r\n\r\n", b"000\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n",
    b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
    b"a\r\n0123456789\r\n0\r\n\r\n", b"A\r\n0123456789\r\n0\r\n\r\n",
    b"00005\r\nhello\r\n0\r\n\r\n",
    b"0000000000000005\r\nhello\r\n0\r\n\r\n", b"10\r\n0123456789abcdef\r\n0\r\n\r\n",
    b"4\r\n\r\n\r\n\r\n0\r\n\r\n", b"5\r\n0\r\n\r\n\r\n0\r\n\r\n",
    b"1b\r\nGET /a.txt HTTP/1.1\r\nHost: \r\n0\r\n\r\n",
])
def legal_chunks(server, body):
    answers = server.exchange(POST + body + NEXT, ["GET", "GET"])
    assert [answer.body for answer in answers] == [b"a", b"next"]


@each([
    b"a", b"a;b", b"a=b", b"a=b;c=d", b"a;b=c;d", b"a=\"\"", b"a=\"b c\"", b"a=\"b;c\"",
    b"a=\"\\\"\"", b"a=\"\\\\\"",
    b"a=\"b\\c\";d", b"a=\"\\;\\x\";b=\"c\"", b"a=\"\t\"", b"a=\"\xff\x80\"",
    b"!#$%&'*+-.^_`|~=!#$%&'*+-.^_`|~", b"a=1",
    b"a=\"it's, [fine] {here} <too>\"",
])
def legal_extensions(server, extension):
    """On a chunk and on the last chunk, several and quoted ones too."""
    body = b"5;" + extension + b"\r\nhello\r\n0;" + extension + b"\r\n\r\n"
    answers = server.exchange(POST + body + NEXT, ["GET", "GET"])
    assert [answer.body for answer in answers] == [b"a", b"next"]


@each([
    b";", b";a;", b";;a", b";=", b";=b", b";a=", b";a=;b", b";a==b", b";a=b=c", b";a\x00",
    b";a\x01", b";a\x7f",
    b";a=\x01", b";a=\"\x01\"", b";a=\"\x7f\"", b";a=\"\x00\"", b";a=\"", b";a=\"b", b";a=\"b\\\"",
    b";a=\"b\"c", b";a=\"b\"\"c\"",
    b";\"a\"=b", b";a=b c", b";a b", b";a/b", b";a,b", b";a=b,c", b";(a)", b";a\xff", b";a=\xff",
    b";a\rb", b";a\nb",
    b";a=\"\r\"", b";a=\"\n\"", b";a=\"\\\x01\"", b";a=\"\\\n\"", b"\x0b", b",", b":", b"a=b",
    b"\"", b"=b",
])
def malformed_extensions_are_400(server, extension):
    server.refuses(POST + b"5" + extension + b"\r\nhello\r\n0\r\n\r\n" + NEXT, 400)


@each([
    b"", b" 5", b"5 ", b"\t5", b"5\t", b"+5", b"-5", b"0x5", b"0X5", b"5h", b"5_0", b"_5", b"5.",
    b"5,5", b"g", b"\"5\"",
    b"\xef\xbc\x95", b"5\x00", b"\x005", b"5\x0b", b"5 5", b"x", b"-0", b"+0", b"0x", b"0x0",
    b"0_0",
])
def malformed_sizes_are_400(server, size):
    server.refuses(POST + size + b"\r\nhello\r\n0\r\n\r\n" + NEXT, 400)


@each([
    b"10000000000000000", b"10000000000000005", b"FFFFFFFFFFFFFFFFF", b"fffffffffffffffff",
    b"100000000000000000000000005",
    b"1" + b"0" * 31 + b"5",
])
def a_size_that_overflows_is_400(server, size):
    server.refuses(POST + size + b"\r\nhello\r\n0\r\n\r\n" + NEXT, 400, 413)


@each([b"FFFFFFFFFFFFFFFF", b"8000000000000000", b"7FFFFFFFFFFFFFFF", b"FFFFFFFF", b"100000000",
       b"80000000", b"10001"])
def a_size_over_the_limit_is_413(server, size):
    server.refuses(POST + size + b"\r\nhello", 413)


@each([
    b"5\nhello\r\n0\r\n\r\n", b"5\rhello\r\n0\r\n\r\n", b"5\r\r\nhello\r\n0\r\n\r\n",
    b"5\r\nhello\n0\r\n\r\n",
    b"5\r\nhello\r0\r\n\r\n", b"5\r\nhello0\r\n\r\n", b"5\r\nhello!\r\n0\r\n\r\n",
    b"5\r\nhelloXX0\r\n\r\n", b"5\r\nhell\r\n0\r\n\r\n",
    b"5\r\nhello\r\n\r\n0\r\n\r\n", b"5\r\nhello\r\n0\n\r\n", b"5\r\nhello\r\n0\r\n\n",
    b"5\r\nhello\r\n0\r\r\n\r\n", b"\r\n0\r\n\r\n",
    b"\n5\r\nhello\r\n0\r\n\r\n", b"0\r\nGET", b"hello",
])
def data_and_sizes_end_with_crlf(server, body):
    server.refuses(POST + body + b"\r\n\r\n" + NEXT, 400)


@each([b"X: y\r\n", b"X:\r\n", b"X: y\r\nZ: \xff\r\n", b"Content-Length: 5\r\n", b"Host: other\r\n",
       b"Transfer-Encoding: gzip\r\n"])
def trailers_are_read_and_mean_nothing(server, trailers):
    answers = server.exchange(POST + b"5\r\nhello\r\n0\r\n" + trailers + b"\r\n" + NEXT,
                              ["GET", "GET"])
    assert [answer.body for answer in answers] == [b"a", b"next"]


@each([
    b"X\r\n", b"X y\r\n", b": y\r\n", b"X : y\r\n", b" X: y\r\n", b"X: y\r\n z\r\n", b"X: y\n",
    b"X: \x00\r\n", b"X: \x01\r\n",
    b"X: \x7f\r\n", b"X: y\rZ: z\r\n", b"X: y\r\r\n", b"X\xff: y\r\n", b"(X): y\r\n",
])
def malformed_trailers_are_400(server, trailers):
    server.refuses(POST + b"5\r\nhello\r\n0\r\n" + trailers + b"\r\n" + NEXT, 400)


@test
def data_may_hold_anything(server):
    data = bytes(range(256)) + NEXT
    body = b"%x\r\n" % len(data) + data + b"\r\n0\r\n\r\n"
    answers = server.exchange(POST + body + NEXT, ["GET", "GET"])
    assert [answer.body for answer in answers] == [b"a", b"next"]


@test
def many_small_chunks_pass_within_the_budget(server):
    body = b"1\r\nx\r\n" * 500 + b"0\r\n\r\n"
    answers = server.exchange(POST + body + NEXT, ["GET", "GET"])
    assert [answer.body for answer in answers] == [b"a", b"next"]


@test
def framing_beyond_its_budget_is_413(server):
    """Small data in much framing, one endless extension, endless trailers."""
    server.refuses(POST + b"1\r\nx\r\n" * 2000 + b"0\r\n\r\n", 413)
    server.refuses(POST + b"1;" + b"a" * 8000, 413)
    server.refuses(POST + b"1;a=\"" + b"a" * 8000, 413)
    server.refuses(POST + b"0\r\n" + b"X: y\r\n" * 2000, 413)
    server.refuses(POST + b"0\r\nX: " + b"y" * 8000, 413)
    server.refuses(POST + b"0" * 8000, 400, 413)


@test
def data_beyond_the_limit_are_413(server):
    server.refuses(POST + (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 3, 413)


@test
def data_up_to_the_limit_pass(server):
    body = (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 2 + b"0\r\n\r\n"
    answers = server.exchange(POST + body + NEXT, ["GET", "GET"])
    assert [answer.body for answer in answers] == [b"a", b"next"]


if __name__ == "__main__":
    run(setup)
