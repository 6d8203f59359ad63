#!/usr/bin/python3
"""Several ranges at once (HTTP.md "Answering", RFC 9110 sections 14.2 and 14.6): coalesced, in the
order asked, multipart/byteranges if more than one is left, ignored if they are an attack."""

import re

from wire import each, head, run, test

DIGITS = b"0123456789"
LARGE = 3_000_000
MULTIPART = re.compile(r"multipart/byteranges; ?boundary=\"?([0-9A-Za-z'()+_,./:=?-]{1,70})\"?")


def setup(world):
    world.root.write("digits.txt", DIGITS)
    server = world.serve()
    server.large = world.root.pattern("large.bin", LARGE)
    server.middle = world.root.pattern("middle.bin", 16_000)  # in memory; parts of it are copied
    return server


def parts(answer):
    """The parts of a multipart/byteranges body, strictly: first, last, size, media type, octets. A
    CRLF stands before the first boundary, too (RFC 9110 section 14.6 allows it): zsync reads no
    answer without."""
    assert answer.status == 206 and "Content-Range" not in answer
    boundary = MULTIPART.fullmatch(answer["Content-Type"])[1].encode()
    found, rest = [], answer.body
    while True:
        assert rest.startswith(b"\r\n--" + boundary), rest[:100]
        rest = rest[4 + len(boundary):]
        if rest.startswith(b"--"):
            assert rest in (b"--", b"--\r\n"), rest[:100]
            return found
        head_end = rest.index(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in rest[2:head_end].decode().split("\r\n"))
        assert fields.keys() == {"Content-Type", "Content-Range"}, fields
        match = re.fullmatch(r"bytes ([0-9]+)-([0-9]+)/([0-9]+)", fields["Content-Range"])
        first, last, size = map(int, match.groups())
        data = rest[head_end + 4:head_end + 4 + last - first + 1]
        assert len(data) == last - first + 1
        found.append((first, last, size, fields["Content-Type"], data))
        rest = rest[head_end + 4 + len(data):]


@each([
    ("0-0,2-2", [(0, 0), (2, 2)]), ("0-1,4-5,8-9", [(0, 1), (4, 5), (8, 9)]),
    ("8-9,0-1", [(8, 9), (0, 1)]), ("5-6,0-1,8-", [(5, 6), (0, 1), (8, 9)]),
    ("-1,0-0", [(9, 9), (0, 0)]), ("0-0,-1", [(0, 0), (9, 9)]), ("0-1, 4-5", [(0, 1), (4, 5)]),
    ("0-1\t,\t4-5", [(0, 1), (4, 5)]), ("0-1,,4-5", [(0, 1), (4, 5)]),
    # some cannot be satisfied
    ("0-1,50-60,4-5", [(0, 1), (4, 5)]), ("50-,0-1,-0,4-5", [(0, 1), (4, 5)]),
    ("0-1,18446744073709551616-,4-5", [(0, 1), (4, 5)]),
    # some are coalesced
    ("0-1,1-2,5-6", [(0, 2), (5, 6)]), ("0-1,2-3,6-7", [(0, 3), (6, 7)]),
    ("6-7,0-1,2-3", [(6, 7), (0, 3)]), ("2-3,6-7,0-1", [(0, 3), (6, 7)]),
    ("0-0,2-2,4-4,6-6,8-8", [(0, 0), (2, 2), (4, 4), (6, 6), (8, 8)]),
    ("8-8,6-6,4-4,2-2,0-0", [(8, 8), (6, 6), (4, 4), (2, 2), (0, 0)]),
])
def what_is_left_comes_in_the_order_asked(server, text, wanted):
    found = parts(server.get("/digits.txt", f"Range: bytes={text}"))
    assert [(first, last) for first, last, *_ in found] == wanted
    for first, last, size, media_type, data in found:
        assert size == 10 and data == DIGITS[first:last + 1]
        assert media_type == "text/plain; charset=utf-8"


@each([
    ("0-4,3-7", 0, 7), ("0-4,5-7", 0, 7), ("5-7,0-4", 0, 7), ("3-7,0-4", 0, 7), ("0-1,0-1", 0, 1),
    ("0-9,2-3", 0, 9), ("2-3,0-9", 0, 9), ("0-4,-5", 0, 9),
    ("0-0,1-1,2-2", 0, 2), ("0-1,50-60", 0, 1), ("50-60,0-1", 0, 1), ("50-,60-,4-5,-0", 4, 5),
    ("-3,7-8", 7, 9), ("0-,5-6", 0, 9),
    ("0-1,4-5,2-3", 0, 5), ("4-5,0-1,2-3", 0, 5),
])
def one_that_is_left_is_a_plain_206(server, text, first, last):
    answer = server.get("/digits.txt", f"Range: bytes={text}")
    assert answer.status == 206 and answer.body == DIGITS[first:last + 1]
    assert answer["Content-Range"] == f"bytes {first}-{last}/10"
    assert answer["Content-Type"] == "text/plain; charset=utf-8"


@each(["10-,20-", "-0,10-20", "100-200,300-400,500-", "10-10,18446744073709551615-"])
def none_that_is_left_is_416(server, text):
    answer = server.get("/digits.txt", f"Range: bytes={text}")
    assert answer.status == 416 and answer["Content-Range"] == "bytes */10"


@each([
    ("201 of them", ",".join(f"{at}-{at}" for at in range(0, 2010, 10))),
    ("600 of them", ",".join(f"{at}-{at}" for at in range(0, 6000, 10))),
    ("600, backwards", ",".join(f"{at}-{at}" for at in reversed(range(0, 6000, 10)))),
    ("as Apache was killed, a thousand times",
     ",".join(["0-"] + [f"5-{at}" for at in range(5, 1105)])),
    ("more than can be read, though they are one", ",".join(["0-"] * 1001)),
])
def too_many_are_ignored(server, _, text):
    answer = server.get("/large.bin", f"Range: bytes={text}")
    assert answer.status == 200 and answer.body == server.large


@each([
    ("the whole four times", "0-,0-,0-,0-", 0), ("each from another octet", "0-,1-,2-,3-,4-,5-", 0),
    ("suffixes", "-1000000,-2000000,-2900000,-3000000", 0),
    ("as Apache was killed", ",".join(["0-"] + [f"5-{at}" for at in range(5, 305)]), 0),
    ("neighbours", ",".join(f"{at}-{at + 5999}" for at in range(0, LARGE, 6000)), 0),
    ("one of many sizes", ",".join(f"{at}-" for at in range(1300, 300, -1)), 301),
])
def what_overlaps_is_judged_by_what_is_left(server, _, text, first):
    """However often an octet is asked for, it is sent once: so nothing is gained by asking."""
    answer = server.get("/large.bin", f"Range: bytes={text}")
    assert answer.status == 206 and answer.body == server.large[first:]
    assert answer["Content-Range"] == f"bytes {first}-{LARGE - 1}/{LARGE}"


@test
def many_that_overlap_are_one_range(server):
    answer = server.get("/large.bin", "Range: bytes=5-8192,0-8191,5-8182,0-8191")
    assert answer.status == 206 and answer["Content-Range"] == f"bytes 0-8192/{LARGE}"
    assert answer.body == server.large[:8193]


@test
def up_to_200_are_served(server):
    wanted = [(at, at + 4) for at in range(0, 200_000, 1000)]
    found = parts(server.get("/large.bin",
                             "Range: bytes=" + ",".join(f"{first}-{last}" for first,
                                                        last in wanted)))
    assert [(first, last) for first, last, *_ in found] == wanted


@test
def the_number_is_a_setting(server):
    own = server.world.serve(settings={"ranges_max": "2"})
    assert len(parts(own.get("/digits.txt", "Range: bytes=0-0,2-2"))) == 2
    assert own.get("/digits.txt", "Range: bytes=0-0,2-2,4-4").status == 200
    assert own.get("/digits.txt", "Range: bytes=2-2").status == 206
    # it is about those that would be sent
    assert len(parts(own.get("/digits.txt", "Range: bytes=0-0,4-4,1-1,50-60,5-5"))) == 2


@each([64, 65, 1000])
def as_many_as_the_setting_allows(server, count):
    """1000 is the most that it may be (server.conf.md)."""
    own = server.world.serve(settings={"ranges_max": count, "header_field_max": "32k"})
    wanted = [(at, at + 4) for at in range(0, count * 1000, 1000)]
    text = ",".join(f"{first}-{last}" for first, last in wanted)
    for path, octets in (("/large.bin", server.large), ("/middle.bin", server.middle)):
        found = parts(own.get(path, f"Range: bytes={text}"))
        fit = [(first, last) for first, last in wanted if first < len(octets)]
        assert [(first, last) for first, last, *_ in found] == fit
        for first, last, _, _, data in found:
            assert data == octets[first:last + 1]
    assert own.get("/large.bin", f"Range: bytes={text}, {LARGE - 1}-").status == 200
    backwards = ",".join(f"{first}-{last}" for first, last in reversed(wanted))
    found = parts(own.get("/large.bin", f"Range: bytes={backwards}"))
    assert [(first, last) for first, last, *_ in found] == wanted[::-1]


@each([
    [(0, 999_999), (2_000_000, 2_999_999)], [(2_000_000, 2_999_999), (0, 999_999)],
    [(0, 0), (16_384, 32_768), (100_000, 500_000), (LARGE - 1, LARGE - 1)],
    [(5, 20_000), (30_000, 30_000), (40_000, 1_040_000), (2_000_000, 2_000_001)],
])
def parts_of_a_large_file(server, wanted):
    answer = server.get("/large.bin",
                        "Range: bytes=" + ",".join(f"{first}-{last}" for first, last in wanted))
    found = parts(answer)
    assert [(first, last) for first, last, *_ in found] == wanted
    for first, last, size, media_type, data in found:
        assert size == LARGE and data == server.large[first:last + 1]
        assert media_type == "application/octet-stream"


@test
def the_other_fields_are_those_of_the_200(server):
    whole, part = server.get("/digits.txt"), server.get("/digits.txt", "Range: bytes=0-0,2-2")
    left_out = ("Date", "Content-Length", "Content-Type", "Accept-Ranges")
    assert part.without(*left_out) == whole.without(*left_out)


@test
def a_line_end_precedes_the_first_boundary(server):
    """As of nginx, and as clients that look for CRLF and the boundary need it."""
    for path in ("/digits.txt", "/large.bin"):
        answer = server.get(path, "Range: bytes=0-0,2-2")
        boundary = MULTIPART.fullmatch(answer["Content-Type"])[1].encode()
        assert answer.body.startswith(b"\r\n--" + boundary + b"\r\nContent-Type: ")
        assert answer["Content-Length"] == str(len(answer.body))
        assert server.head(path, "Range: bytes=0-0,2-2").status == 200


@test
def the_boundary_is_not_in_the_data(server):
    answer = server.get("/large.bin", "Range: bytes=0-99999,200000-299999")
    boundary = MULTIPART.fullmatch(answer["Content-Type"])[1].encode()
    assert answer.body.count(b"--" + boundary) == 3


@test
def other_requests_follow_on_the_connection(server):
    octets = (head("GET", "/large.bin", "Range: bytes=0-99999,200000-299999")
              + head("GET", "/digits.txt", "Range: bytes=0-0,2-2")
              + head("HEAD", "/digits.txt", "Range: bytes=0-0,2-2") + head("GET", "/digits.txt"))
    for large, small, size, whole in (server.exchange(octets, ["GET", "GET", "HEAD", "GET"])
                                      for _ in range(5)):
        assert len(parts(large)) == 2 and len(parts(small)) == 2
        assert size.status == 200 and whole.body == DIGITS


@test
def a_slow_reader_gets_every_part(server):
    with server.connect(receive_buffer=4096) as connection:
        connection.send(head("GET", "/large.bin", "Range: bytes=0-999999,1500000-2499999",
                             "Connection: close"))
        octets = b"".join(data for *_, data in parts(connection.read_response()))
        assert octets == server.large[:1_000_000] + server.large[1_500_000:2_500_000]
        connection.expect_end()


if __name__ == "__main__":
    run(setup)
