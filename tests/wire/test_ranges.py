#!/usr/bin/python3
"""Byte ranges (HTTP.md "Answering", RFC 9110 section 14); several at once are in
test_multipart.py."""

from wire import each, head, run, test

DIGITS = b"0123456789"
LARGE = 3_000_000


def setup(world):
    world.root.write("digits.txt", DIGITS)
    world.root.write("empty.txt", "")
    world.root.write("one.txt", "x")
    server = world.serve()
    server.large = world.root.pattern("large.bin", LARGE)
    return server


@each([
    ("0-0", 0, 0), ("0-9", 0, 9), ("0-", 0, 9), ("1-", 1, 9), ("9-", 9, 9), ("9-9", 9, 9),
    ("2-4", 2, 4), ("5-9", 5, 9), ("5-10", 5, 9), ("9-100", 9, 9),
    ("0-100", 0, 9), ("-1", 9, 9), ("-5", 5, 9), ("-10", 0, 9), ("-11", 0, 9), ("-100", 0, 9),
    ("00-00", 0, 0), ("0002-00004", 2, 4), ("-0001", 9, 9),
    # numbers as large as they come
    ("0-2147483647", 0, 9), ("0-2147483648", 0, 9), ("0-4294967295", 0, 9), ("0-4294967296", 0, 9),
    ("0-9223372036854775807", 0, 9),
    ("0-9223372036854775808", 0, 9), ("0-18446744073709551614", 0, 9),
    ("0-18446744073709551615", 0, 9), ("0-18446744073709551616", 0, 9),
    ("3-99999999999999999999999999999999999999", 3, 9), ("-9223372036854775808", 0, 9),
    ("-18446744073709551615", 0, 9), ("-18446744073709551616", 0, 9),
    ("-99999999999999999999999999999999999999", 0, 9),
])
def a_satisfiable_range_is_206(server, text, first, last):
    answer = server.get("/digits.txt", f"Range: bytes={text}")
    assert answer.status == 206
    assert answer.body == DIGITS[first:last + 1]
    assert answer["Content-Range"] == f"bytes {first}-{last}/10"
    assert answer["Content-Length"] == str(last - first + 1)


@each([
    "10-", "10-10", "10-20", "100-", "100-200", "-0", "-00", "10-9223372036854775807",
    "4294967296-", "9223372036854775807-", "9223372036854775808-",
    "18446744073709551615-", "18446744073709551616-", "18446744073709551615-18446744073709551615",
    "99999999999999999999999999999999999999-",
    "18446744073709551616-18446744073709551617",
])
def an_unsatisfiable_range_is_416(server, text):
    answer = server.get("/digits.txt", f"Range: bytes={text}")
    assert answer.status == 416 and answer["Content-Range"] == "bytes */10" and not answer.closes


@each([
    "", "x", "bytes", "bytes=", "bytes=-", "bytes=x", "bytes=x-", "bytes=-x", "bytes=0-x",
    "bytes=x-1", "bytes=0", "bytes=1-0", "bytes=9-8",
    "bytes=18446744073709551615-0", "bytes=0-1-2", "bytes=0--1", "bytes=--1", "bytes=+0-1",
    "bytes=0-+1", "bytes=-+1", "bytes=0x0-1", "bytes=0.0-1", "bytes=0-1;",
    "bytes=0-1 x", "bytes 0-1", "bytes:0-1", "bytes0-1", "=0-1", "0-1", "bytes=0 -1", "bytes=0- 1",
    "bytes=0 - 1", "bytes==0-1", "bytes=*", "bytes=0-*", "bytes=1e1-",
    "bytes=\"0-1\"", "bytes=0-1/10", "bytes=0-1,x", "bytes=x,0-1", "bytes=0-1,5-4", "bytes=5-4,0-1",
    "bytes=0-1,-", "bytes=,", "bytes=,,", "bytes=0-1;2-3",
])
def a_malformed_range_is_ignored(server, value):
    answer = server.get("/digits.txt", f"Range: {value}")
    assert answer.status == 200 and answer.body == DIGITS and "Content-Range" not in answer


@each(["items=0-1", "seconds=0-1", "none", "none=0-1", "byte=0-1", "bytess=0-1", "xbytes=0-1",
       "lines=100-"])
def an_unknown_unit_is_ignored(server, value):
    assert server.get("/digits.txt", f"Range: {value}").status == 200


@each(["Bytes=2-4", "BYTES=2-4"])
def the_unit_has_no_case(server, value):
    """RFC 9110 section 14.1."""
    assert server.get("/digits.txt", f"Range: {value}").body == b"234"


@each(["bytes=2-4,", "bytes=,2-4", "bytes=2-4 ,", "bytes=,, 2-4 ,\t,"])
def empty_list_elements_are_skipped(server, value):
    """RFC 9110 section 5.6.1.2."""
    answer = server.get("/digits.txt", f"Range: {value}")
    assert answer.status == 206 and answer.body == b"234"


@test
def a_206_has_the_fields_of_the_200(server):
    for target in ("/digits.txt", "/large.bin"):
        whole = server.get(target)
        part = server.get(target, "Range: bytes=2-4")
        left_out = ("Date", "Content-Length", "Content-Range", "Accept-Ranges")
        assert part.without(*left_out) == whole.without(*left_out)


@test
def accept_ranges_is_announced(server):
    for target in ("/digits.txt", "/large.bin", "/empty.txt"):
        assert server.get(target)["Accept-Ranges"] == "bytes"
        assert server.head(target)["Accept-Ranges"] == "bytes"


@test
def a_server_without_ranges_announces_none(server):
    """RFC 9110 section 14.3: the field says that ranges are supported."""
    own = server.world.serve(settings={"ranges_max": 0})
    for target in ("/digits.txt", "/large.bin", "/empty.txt"):
        assert "Accept-Ranges" not in own.get(target)
        assert "Accept-Ranges" not in own.head(target)
    for value in ("bytes=0-1", "bytes=100-", "bytes=0-1,4-5", "bytes=x"):
        answer = own.get("/digits.txt", f"Range: {value}")
        assert answer.status == 200 and answer.body == DIGITS
        assert "Accept-Ranges" not in answer and "Content-Range" not in answer


@each(["bytes=0-1", "bytes=100-", "bytes=0-1,4-5", "bytes=x"])
def only_get_knows_ranges(server, value):
    answer = server.head("/digits.txt", f"Range: {value}")
    assert answer.status == 200 and answer["Content-Length"] == "10"
    assert "Content-Range" not in answer
    assert server.ask("POST", "/digits.txt", f"Range: {value}").status == 405
    assert server.ask("OPTIONS", "/digits.txt", f"Range: {value}").status == 204


@test
def an_empty_file_has_no_ranges(server):
    for text in ("0-", "0-0", "0-9", "5-"):
        answer = server.get("/empty.txt", f"Range: bytes={text}")
        assert answer.status == 416 and answer["Content-Range"] == "bytes */0"
    answer = server.get("/empty.txt", "Range: bytes=-5")
    assert answer.status in (200, 416) and (answer.status == 416 or answer.body == b"")


@each([("0-0", b"x"), ("0-", b"x"), ("-1", b"x"), ("-2", b"x")])
def a_file_of_one_octet(server, text, body):
    answer = server.get("/one.txt", f"Range: bytes={text}")
    assert answer.status == 206 and answer.body == body and answer["Content-Range"] == "bytes 0-0/1"


@each([(0, 0), (0, LARGE - 1), (1, LARGE - 1), (0, LARGE - 2), (4095, 4096), (65535, 65537),
       (16383, 16384), (1_000_000, 2_500_000), (LARGE - 1, LARGE - 1),
       (LARGE - 100_000, LARGE - 1)])
def ranges_of_a_large_file(server, first, last):
    answer = server.get("/large.bin", f"Range: bytes={first}-{last}")
    assert answer.status == 206 and answer.body == server.large[first:last + 1]
    assert answer["Content-Range"] == f"bytes {first}-{last}/{LARGE}"


@test
def a_download_in_pieces_is_the_file(server):
    """As a client resumes."""
    with server.connect() as connection:
        etag = connection.get("/large.bin")["ETag"]
        data, step = b"", 333_333
        while len(data) < LARGE:
            answer = connection.get("/large.bin",
                                    f"Range: bytes={len(data)}-{len(data) + step - 1}",
                                    f"If-Range: {etag}")
            assert answer.status == 206
            data += answer.body
        assert data == server.large
        assert connection.get("/large.bin", f"Range: bytes={len(data)}-",
                              f"If-Range: {etag}").status == 416


@test
def version_1_0_may_ask_for_ranges(server):
    answer = server.get("/digits.txt", "Range: bytes=2-4", version="1.0")
    assert (answer.status, answer.body) in ((206, b"234"), (200, DIGITS))


@test
def pipelined_ranges(server):
    octets = b"".join(head("GET", "/large.bin", f"Range: bytes={at}-{at + 9_999}")
                      for at in range(0, 500_000, 10_000))
    answers = server.exchange(octets, ["GET"] * 50)
    assert b"".join(answer.body for answer in answers) == server.large[:500_000]


if __name__ == "__main__":
    run(setup)
