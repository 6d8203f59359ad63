#!/usr/bin/python3
"""How octets travel in records: small ones first, so that a page can be read as it comes, then
whole ones; head and body together; and whatever the client makes of its own."""

import hashlib
import os
import ssl

from wire import each, head, run, test
from wire.tls import PLAIN_MAX, client_context

APPLICATION_DATA = 23
OVERHEAD_MAX = 256  # RFC 8446 section 5.2
SEGMENT = 1460      # octets that one segment of TCP over Ethernet carries
HUGE = 64 << 20


def setup(world):
    world.root.write("a.txt", "a")
    world.root.pattern("small.txt", 900)
    world.root.pattern("page.html", 3000)
    world.root.pattern("middle.bin", 30_000)
    world.root.pattern("large.bin", 4_000_000)
    world.root.write("empty.txt", "")
    return world.serve()


def kernel_has_tls():
    """Then the server hands encryption to the kernel, which cuts records by itself."""
    return os.path.exists("/proc/net/tls_stat")


def fetch(connection, target, *fields):
    """An answer, and the lengths of the records that it came in."""
    connection.sock.records.seen.clear()
    answer = connection.get(target, *fields)
    assert {kind for kind, _ in connection.sock.records.seen} == {APPLICATION_DATA}
    return answer, [length for _, length in connection.sock.records.seen]


@each([("/small.txt", 900), ("/empty.txt", 0), ("/none.txt", None), ("/page.html", 3000)])
def a_small_answer_is_one_record(server, target, size):
    with server.connect() as connection:
        connection.get("/a.txt")  # the tickets of 1.3 come before it
        for _ in range(5):
            answer, lengths = fetch(connection, target)
            assert size is None or len(answer.body) == size
            assert len(lengths) == 1 and lengths[0] >= len(answer.raw), lengths


@test
def the_head_is_never_alone(server):
    """Head and first octets of the body are in one record, also where that is a file's."""
    for target in ("/middle.bin", "/large.bin"):
        with server.connect() as connection:
            connection.get("/a.txt")
            answer, lengths = fetch(connection, target)
            assert lengths[0] > len(answer.head) + OVERHEAD_MAX // 2, lengths[:3]


@test
def a_long_answer_begins_small_and_goes_on_whole(server):
    if kernel_has_tls():
        return
    with server.connect() as connection:
        connection.get("/a.txt")
        answer, lengths = fetch(connection, "/large.bin")
        assert sum(lengths) > len(answer.raw)
        assert lengths[0] <= SEGMENT, lengths[:5]
        assert all(length <= PLAIN_MAX + OVERHEAD_MAX for length in lengths)
        whole = [length for length in lengths if length > PLAIN_MAX]
        assert sum(whole) > len(answer.raw) * 0.9, lengths
        # With TLS 1.3, mbed TLS 3.6 sends the last octet of a full record in one of its own, padded to 32.
        small = [length for length in lengths if 32 < length <= SEGMENT]
        assert 4 <= len(small) <= 200 and lengths.index(whole[0]) >= 4, lengths[:100]


@test
def the_overhead_of_a_long_answer_is_small(server):
    with server.connect() as connection:
        connection.get("/a.txt")
        answer, lengths = fetch(connection, "/large.bin")
        assert sum(length + 5 for length in lengths) < len(answer.raw) * 1.01


@test
def pipelined_answers_share_records(server):
    with server.connect() as connection:
        connection.get("/a.txt")
        connection.sock.records.seen.clear()
        connection.send(head("GET", "/a.txt") * 10)
        answers = [connection.read_response() for _ in range(10)]
        assert all(answer.body == b"a" for answer in answers)
        assert len(connection.sock.records.seen) <= 6, connection.sock.records.seen


# What the client makes of it

@test
def a_request_in_records_of_one_octet(server):
    """And each in a segment of its own (TCP_NODELAY)."""
    with server.connect() as connection:
        for target, body in (("/a.txt", b"a"), ("/empty.txt", b"")):
            for octet in head("GET", target):
                connection.send(bytes([octet]))
            assert connection.read_response().body == body


@test
def many_records_of_one_octet_in_one_segment(server):
    with server.connect() as connection:
        requests = head("GET", "/a.txt") * 5
        connection.raw.sendall(connection.sock.compose(*(bytes([octet]) for octet in requests)))
        for _ in range(5):
            assert connection.read_response().body == b"a"


@each([1, 2, 5, 6, 700])
def records_cut_into_segments(server, size):
    with server.connect(segment=size) as connection:
        for _ in range(2):
            assert connection.get("/a.txt").body == b"a"
        connection.send(head("GET", "/a.txt") * 3)
        for _ in range(3):
            assert connection.read_response().body == b"a"


@test
def whole_records_of_requests(server):
    """Each record has 16 KiB of pipelined requests, whose edges lie where they will."""
    octets = head("GET", "/small.txt", "X: " + "y" * 180) * 400
    assert len(octets) > 4 * PLAIN_MAX
    with server.connect() as connection:
        connection.send(octets)
        for _ in range(400):
            assert len(connection.read_response().body) == 900


@test
def a_record_that_was_changed_ends_the_connection(server):
    """bad_record_mac (RFC 8446 section 5.2), and nothing of what it said is done."""
    for flipped in (5, 20, -1):
        with server.connect() as connection:
            assert connection.get("/a.txt").body == b"a"
            octets = bytearray(connection.sock.compose(head("GET", "/small.txt")))
            octets[flipped] ^= 1
            connection.raw.sendall(octets)
            try:
                connection.read_response()
            except AssertionError as error:
                said = str(error).lower()
                assert "bad_record_mac" in said or "end of stream" in said, said
            else:
                raise AssertionError("answered")
    assert server.get("/a.txt").body == b"a"


@test
def a_record_that_is_too_long_ends_the_connection(server):
    with server.connect() as connection:
        assert connection.get("/a.txt").body == b"a"
        connection.raw.sendall(b"\x17\x03\x03\xff\xff" + bytes(2000))
        try:
            connection.read_response()
        except (AssertionError, ConnectionError):
            pass
        else:
            raise AssertionError("answered")
    assert server.get("/a.txt").body == b"a"


# What is transferred

@test
def ranges(server):
    whole = server.get("/large.bin").body
    with server.connect() as connection:
        for first, last in ((0, 0), (0, 16383), (16384, 16384), (1, 70000), (3_999_999, 3_999_999),
                            (1_000_000, 3_000_000)):
            answer = connection.get("/large.bin", f"Range: bytes={first}-{last}")
            assert answer.status == 206 and answer.body == whole[first:last + 1]
        answer = connection.get("/large.bin", "Range: bytes=0-9,100000-200000,-5")
        assert answer.status == 206 and whole[100_000:200_001] in answer.body


@test
def heads_and_pipelines(server):
    whole = server.get("/large.bin").body
    methods = ["HEAD", "GET", "HEAD", "GET", "GET"]
    with server.connect() as connection:
        for _ in range(3):
            connection.send(head("HEAD", "/large.bin") + head("GET", "/a.txt")
                            + head("HEAD", "/none") + head("GET", "/large.bin")
                            + head("GET", "/middle.bin"))
            answers = [connection.read_response(method) for method in methods]
            assert [answer.status for answer in answers] == [200, 200, 404, 200, 200]
            assert answers[0]["Content-Length"] == "4000000" and answers[3].body == whole


@each([("1.2", ssl.TLSVersion.TLSv1_2), ("1.3", ssl.TLSVersion.TLSv1_3)])
def a_huge_file_arrives_unchanged(server, _, version):
    """64 MiB, whose every place differs; a few under the emulator, where ciphers are slow."""
    if version == ssl.TLSVersion.TLSv1_3 and server.world.tls == "mbedtls":
        return
    size = HUGE if not kernel_has_tls() else 8 << 20
    wanted = hashlib.sha256()
    path = server.world.root.at("huge.bin")
    with open(path, "wb") as file:
        for number in range(size >> 20):
            part = hashlib.sha256(b"%d" % number).digest() * (1 << 15)
            wanted.update(part)
            file.write(part)
    os.chmod(path, 0o644)
    with server.connect(context=client_context(versions=(version, version))) as connection:
        connection.send(head("GET", "/huge.bin"))
        left = int(connection.read_head()["Content-Length"])
        assert left == size
        got = hashlib.sha256()
        while left:
            part = connection.read_octets(min(left, 1 << 18))
            got.update(part)
            left -= len(part)
        assert got.digest() == wanted.digest()
        assert connection.get("/a.txt").body == b"a"


if __name__ == "__main__":
    run(setup, tls=True)
