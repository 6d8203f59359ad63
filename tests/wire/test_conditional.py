#!/usr/bin/python3
"""Conditional requests (HTTP.md "Answering", RFC 9110 section 13), in the order of section
13.2.2."""

from wire import MTIME_NS, each, http_date, run, test

MTIME = MTIME_NS // 10**9  # Tue, 02 Jan 2024 03:04:05 GMT
SAME, EARLIER, LATER = http_date(MTIME), http_date(MTIME - 1), http_date(MTIME + 1)
RFC_850, ASCTIME = "Tuesday, 02-Jan-24 03:04:05 GMT", "Tue Jan  2 03:04:05 2024"
INVALID_DATES = [
    "", "x", "0", "1704164645", "Tue, 02 Jan 2034", "Tue, 02 Jan 2034 03:04:05",
    "Tue, 02 Jan 2034 03:04:05 UTC", "Tue, 02 Jan 2034 03:04:05 +0000",
    "Tue, 2 Jan 2034 03:04:05 GMT", "Tue, 32 Jan 2034 03:04:05 GMT",
    "Tue, 30 Feb 2034 03:04:05 GMT", "Tue, 02 Jam 2034 03:04:05 GMT",
    "Tue, 02 Jan 2034 24:04:05 GMT", "Tue, 02 Jan 2034 03:60:05 GMT",
    "Tue, 02 Jan 2034 03:04:61 GMT", "Tue, 02 Jan 2034 03:04:05 GMT x",
    "Tue, 02 Jan 34 03:04:05 GMT", "Xxx, 02 Jan 2034 03:04:05 GMT", "02 Jan 2034 03:04:05 GMT",
    "2034-01-02T03:04:05Z", "Tue, 02-Jan-2034 03:04:05 GMT",
    "Tue, 00 Jan 2034 03:04:05 GMT", "Tue, 29 Feb 2033 03:04:05 GMT",
    "Tue,02 Jan 2034 03:04:05 GMT", "Tue, 02 Jan 2034 3:04:05 GMT",
]


def setup(world):
    world.root.write("a.txt", "0123456789")
    world.root.write("b.txt", "0123456789", mtime_ns=MTIME_NS + 1)
    world.root.write("large.bin", b"x" * 100_000)
    world.root.write("style.css", "css")
    world.root.write("undated.txt", "undated", mtime_ns=0)
    server = world.serve(block="""
        precompressed = {"gzip"}
        cache "*.css" { control = "public, max-age=60" expires = "1h" }
    """)
    server.etag = server.get("/a.txt")["ETag"]
    return server


def fill(server, field):
    """Writes the file's own tag where a test says @."""
    return field.replace("@", server.etag)


def check(server, fields, status):
    fields = [fill(server, field) for field in fields]
    for method in ("GET", "HEAD"):
        answer = server.ask(method, "/a.txt", *fields)
        assert answer.status == status, f"{method} {fields}: {answer.status}"
        if status == 200 and method == "GET":
            assert answer.body == b"0123456789"


@each([
    ("If-None-Match: @", 304), ("If-None-Match: W/@", 304), ("If-None-Match: *", 304),
    ("If-None-Match: \"x\"", 200),
    ("If-None-Match: W/\"x\"", 200), ("If-None-Match: \"x\", @", 304),
    ("If-None-Match: @, \"x\"", 304), ("If-None-Match: \"x\",@,\"y\"", 304),
    ("If-None-Match: \"x\", W/@", 304), ("If-None-Match: \"x\" , \t@", 304),
    ("If-None-Match: ,, @ ,", 304), ("If-None-Match: \"x,y\", @", 304),
    ("If-None-Match: \"\", @", 304), ("If-None-Match: \"a\\\\\", @", 304), ("If-None-Match:", 200),
    ("If-None-Match: x", 200),
    ("If-None-Match: \"x", 200), ("If-None-Match: w/@", 200), ("If-None-Match: W/ @", 200),
    ("If-None-Match: \"*\"", 200), ("If-None-Match: \"\"", 200),
])
def if_none_match(server, field, status):
    check(server, [field], status)


@test
def if_none_match_in_several_lines(server):
    check(server, ['If-None-Match: "x"', "If-None-Match: @"], 304)
    check(server, ["If-None-Match: @", 'If-None-Match: "x"'], 304)
    check(server, ['If-None-Match: "x"', 'If-None-Match: "y"'], 200)


@test
def a_tag_without_quotes_is_no_tag(server):
    check(server, ["If-None-Match: " + server.etag.strip('"')], 200)
    check(server, ["If-Match: " + server.etag.strip('"')], 412)


@each([
    (SAME, 304), (LATER, 304), (EARLIER, 200), (RFC_850, 304), (ASCTIME, 304),
    ("Monday, 01-Jan-24 03:04:05 GMT", 200), ("Mon Jan  1 03:04:05 2024", 200),
    (http_date(0), 200), ("Thu, 01 Jan 1970 00:00:00 GMT", 200),
    ("Fri, 31 Dec 9999 23:59:59 GMT", 304), ("Sunday, 06-Nov-94 08:49:37 GMT", 200),
    ("Sun Nov  6 08:49:37 1994", 200), ("Sat, 01 Jan 2000 00:00:00 GMT", 200),
])
def if_modified_since(server, date, status):
    check(server, ["If-Modified-Since: " + date], status)


@each(INVALID_DATES)
def an_invalid_date_is_ignored(server, date):
    """All of these would lie after the file's mtime, or before, were they taken for dates."""
    check(server, ["If-Modified-Since: " + date], 200)
    check(server, ["If-Unmodified-Since: " + date], 200)
    check(server, ["If-Unmodified-Since: " + date.replace("2034", "2004")], 200)


@each([
    ("If-Match: @", 200), ("If-Match: *", 200), ("If-Match: \"x\"", 412),
    ("If-Match: \"x\", @", 200), ("If-Match: @,\"x\"", 200),
    ("If-Match: W/@", 412), ("If-Match: \"x\", W/@", 412), ("If-Match: W/\"x\", @", 200),
    ("If-Match: \"\"", 412), ("If-Match: x", 412),
])
def if_match(server, field, status):
    check(server, [field], status)


@test
def if_match_in_several_lines(server):
    check(server, ['If-Match: "x"', "If-Match: @"], 200)
    check(server, ['If-Match: "x"', 'If-Match: "y"'], 412)


@each([(SAME, 200), (LATER, 200), (EARLIER, 412), (RFC_850, 200), (ASCTIME, 200),
       ("Monday, 01-Jan-24 03:04:05 GMT", 412), ("Mon Jan  1 03:04:05 2024", 412)])
def if_unmodified_since(server, date, status):
    check(server, ["If-Unmodified-Since: " + date], status)


@each([
    # If-Match before If-Unmodified-Since, which then is not looked at
    (["If-Match: @", f"If-Unmodified-Since: {EARLIER}"], 200),
    (['If-Match: "x"', f"If-Unmodified-Since: {LATER}"], 412),
    # If-None-Match wins over If-Modified-Since
    (["If-None-Match: @", f"If-Modified-Since: {EARLIER}"], 304),
    (['If-None-Match: "x"', f"If-Modified-Since: {LATER}"], 200),
    (["If-None-Match: *", f"If-Modified-Since: {EARLIER}"], 304),
    # preconditions before cache validation
    (['If-Match: "x"', "If-None-Match: @"], 412), (["If-Match: @", "If-None-Match: @"], 304),
    (["If-Match: *", 'If-None-Match: "x"'], 200),
    ([f"If-Unmodified-Since: {EARLIER}", "If-None-Match: @"], 412),
    ([f"If-Unmodified-Since: {LATER}", "If-None-Match: @"], 304),
    ([f"If-Unmodified-Since: {EARLIER}", f"If-Modified-Since: {LATER}"], 412),
    ([f"If-Unmodified-Since: {SAME}", f"If-Modified-Since: {SAME}"], 304),
    (["If-Match: @", f"If-Modified-Since: {SAME}"], 304),
    # whatever the order of the lines
    (["If-None-Match: @", 'If-Match: "x"'], 412),
    ([f"If-Modified-Since: {LATER}", 'If-None-Match: "x"'], 200),
])
def precedence(server, fields, status):
    check(server, fields, status)


@each([
    (["If-None-Match: @", "Range: bytes=0-1"], 304),
    ([f"If-Modified-Since: {SAME}", "Range: bytes=0-1"], 304),
    (['If-Match: "x"', "Range: bytes=0-1"], 412),
    (["If-Match: @", "Range: bytes=0-1"], 206), (['If-None-Match: "x"', "Range: bytes=0-1"], 206),
    ([f"If-Unmodified-Since: {EARLIER}", "Range: bytes=0-1"], 412),
    (["If-None-Match: @", "Range: bytes=99-"], 304), (['If-Match: "x"', "Range: bytes=99-"], 412),
    (["If-Match: @", "Range: bytes=99-"], 416),
    (["If-None-Match: @", "If-Range: @", "Range: bytes=0-1"], 304),
])
def conditions_come_before_ranges(server, fields, status):
    answer = server.get("/a.txt", *[fill(server, field) for field in fields])
    assert answer.status == status


@each([
    ("If-Range: @", 206), ("If-Range: W/@", 200), ('If-Range: "x"', 200),
    (f"If-Range: {SAME}", 206), (f"If-Range: {LATER}", 200), (f"If-Range: {EARLIER}", 200),
    (f"If-Range: {RFC_850}", 206), (f"If-Range: {ASCTIME}", 206), ("If-Range: x", 200),
    ("If-Range:", 200), ("If-Range: *", 200), ('If-Range: @, "x"', 200),
    ("If-Range: Tue, 02 Jan 2024 03:04:05", 200),
])
def if_range(server, field, status):
    """Strong comparison; a date must be equal."""
    answer = server.get("/a.txt", "Range: bytes=2-4", fill(server, field))
    assert answer.status == status
    assert answer.body == (b"234" if status == 206 else b"0123456789")
    assert server.get("/a.txt", "Range: bytes=99-",
                      fill(server, field)).status == (416 if status == 206 else 200)


@test
def if_range_without_range_means_nothing(server):
    assert server.get("/a.txt", 'If-Range: "x"').status == 200
    assert server.get("/a.txt", fill(server, "If-Range: @")).status == 200


@each(["/a.txt", "/large.bin", "/style.css"])
def a_304_carries_the_fields_of_the_200(server, target):
    whole = server.get(target)
    for field in ("If-None-Match: " + whole["ETag"],
                  "If-Modified-Since: " + whole["Last-Modified"]):
        answer = server.get(target, field)
        assert answer.status == 304
        for name in ("ETag", "Vary", "Cache-Control", "Last-Modified"):
            assert answer.get(name) == whole.get(name), name
        assert ("Expires" in answer) == ("Expires" in whole)
        assert answer.get("Content-Length") in (None, whole["Content-Length"])
        assert "Content-Range" not in answer and "Content-Encoding" not in answer


@test
def a_304_has_no_body_and_the_connection_goes_on(server):
    with server.connect() as connection:
        for _ in range(20):
            assert connection.get("/large.bin", "If-None-Match: *").status == 304
            assert connection.get("/a.txt").body == b"0123456789"


@test
def another_file_has_another_tag(server):
    assert server.get("/b.txt", "If-None-Match: " + server.etag).status == 200
    assert server.get("/b.txt", "If-Match: " + server.etag).status == 412


@each(["If-None-Match: *", "If-Match: *", 'If-Match: "x"', f"If-Modified-Since: {LATER}",
       f"If-Unmodified-Since: {EARLIER}"])
def they_do_not_change_an_error(server, field):
    """RFC 9110 section 13.2.1."""
    assert server.get("/none.txt", field).status == 404
    assert server.ask("POST", "/a.txt", field).status == 405


@test
def without_validators_only_the_asterisk_matches(server):
    assert "ETag" not in server.get("/undated.txt")
    assert server.get("/undated.txt", "If-None-Match: *").status == 304
    assert server.get("/undated.txt", "If-Match: *").status == 200
    assert server.get("/undated.txt", 'If-Match: "x"').status == 412
    assert server.get("/undated.txt", f"If-Modified-Since: {LATER}").status == 200
    assert server.get("/undated.txt", "Range: bytes=0-1", "If-Range: " + http_date(0)).status == 200


if __name__ == "__main__":
    run(setup)
