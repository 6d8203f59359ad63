#!/usr/bin/python3
"""A file of 20 GiB: lengths and offsets beyond 31, 32 and 33 bits. It is sparse, so it costs no
room."""

from wire import each, head, run, test

GIB = 1 << 30
SIZE = 20 * GIB + 12345
MARKS = {0: b"<start>", 2 * GIB - 4: b"<2 GiB>", 4 * GIB - 4: b"<4 GiB>", 4 * GIB + 100: b"<above>",
         10 * GIB: b"<10 GiB>", SIZE - 5: b"<end>"}


def setup(world):
    world.root.sparse("sparse.bin", SIZE, MARKS)
    world.root.write("a.txt", "a")
    return world.serve()


@test
def head_tells_the_size(server):
    assert server.head("/sparse.bin")["Content-Length"] == str(SIZE)


@each([(offset, data) for offset, data in MARKS.items()])
def a_range_finds_each_mark(server, offset, data):
    first, last = max(0, offset - 3), min(SIZE, offset + len(data) + 3) - 1
    answer = server.get("/sparse.bin", f"Range: bytes={first}-{last}")
    assert answer.status == 206 and answer["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer.body.strip(b"\0") == data and answer.body.index(data) == offset - first


@each([
    (f"{4 * GIB - 4}-{4 * GIB + 2}", b"<4 GiB>"), (f"{2 * GIB - 4}-{2 * GIB + 2}", b"<2 GiB>"),
    (f"{SIZE - 5}-", b"<end>"), ("-5", b"<end>"),
    (f"{SIZE - 5}-{SIZE * 10}", b"<end>"), (f"{SIZE - 5}-18446744073709551615", b"<end>"),
    (f"{10 * GIB}-{10 * GIB + 7}", b"<10 GiB>"),
])
def offsets_do_not_wrap(server, text, body):
    answer = server.get("/sparse.bin", f"Range: bytes={text}")
    assert answer.status == 206 and answer.body == body


@each([f"{SIZE}-", f"{SIZE}-{SIZE + 5}", f"{1 << 35}-", "-0"])
def beyond_the_end_is_416(server, text):
    answer = server.get("/sparse.bin", f"Range: bytes={text}")
    assert answer.status == 416 and answer["Content-Range"] == f"bytes */{SIZE}"


@test
def parts_from_all_over_the_file(server):
    text = f"0-6,{4 * GIB - 4}-{4 * GIB + 2},{10 * GIB}-{10 * GIB + 7},-5"
    answer = server.get("/sparse.bin", f"Range: bytes={text}")
    for mark in (b"<start>", b"<4 GiB>", b"<10 GiB>", b"<end>"):
        assert b"\r\n\r\n" + mark + b"\r\n" in answer.body
    assert f"bytes {10 * GIB}-{10 * GIB + 7}/{SIZE}".encode() in answer.body


@test
def parts_of_gigabytes_have_an_exact_length(server):
    """5 GiB and 9 GiB in one answer; only its beginning is read."""
    with server.connect() as connection:
        connection.send(head("GET", "/sparse.bin",
                             f"Range: bytes=0-{5 * GIB - 1},{6 * GIB}-{15 * GIB - 1}"))
        answer = connection.read_head()
        assert answer.status == 206 and 14 * GIB < int(answer["Content-Length"]) < 14 * GIB + 2000
        assert b"<start>" in connection.read_octets(1000)


@each([("the whole", None, SIZE), ("from 1", "1-", SIZE - 1),
       ("from 4 GiB", f"{4 * GIB - 4}-", SIZE - 4 * GIB + 4),
       ("the last 19 GiB", f"-{19 * GIB}", 19 * GIB)])
def a_download_of_gigabytes_begins_well(server, _, text, length):
    with server.connect() as connection:
        connection.send(head("GET", "/sparse.bin", *([f"Range: bytes={text}"] if text else [])))
        answer = connection.read_head()
        assert answer["Content-Length"] == str(length)
        data = connection.read_octets(3 << 20)
        first = SIZE - length
        for offset, mark in MARKS.items():
            if first <= offset and offset + len(mark) <= first + len(data):
                assert data[offset - first:offset - first + len(mark)] == mark
    assert server.get("/a.txt").body == b"a"


@test
def a_download_across_4_gib_is_right(server):
    first, length = 4 * GIB - (8 << 20), 16 << 20
    answer = server.get("/sparse.bin", f"Range: bytes={first}-{first + length - 1}")
    wanted = bytearray(length)
    for offset, mark in MARKS.items():
        if first <= offset < first + length:
            wanted[offset - first:offset - first + len(mark)] = mark
    assert answer.body == bytes(wanted)


if __name__ == "__main__":
    run(setup)
