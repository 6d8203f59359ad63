#!/usr/bin/python3
"""Validators, and tags of inodes (HTTP.md "Answering", RFC 9110 section 8.8). Other tags: test_etag_kinds."""

import os
import re
import time

from wire import MTIME_NS, each, http_date, run, test

STRONG = re.compile(r'"[!#-~]+"')


def setup(world):
    root = world.root
    root.write("a.txt", "a")
    root.write("b.txt", "a")
    root.write("large.bin", b"x" * 100_000)
    root.write("coded.txt", "plain " * 100)
    root.write("coded.txt.gz", "gzip")
    root.write("coded.txt.br", "br")
    root.write("coded.txt.zst", "zstd")
    return world.serve(settings={"cache_valid": "0s"},
                       block='precompressed = {"zstd", "br", "gzip"}\netag = inode\n')


@each(["/a.txt", "/large.bin"])
def it_is_strong_and_stable(server, target):
    first = server.get(target)["ETag"]
    assert STRONG.fullmatch(first)
    for _ in range(3):
        assert server.get(target)["ETag"] == first
        assert server.head(target)["ETag"] == first
        assert server.get(target, "Range: bytes=0-0")["ETag"] == first
        assert server.get(target, f"If-None-Match: {first}")["ETag"] == first


@test
def a_second_server_gives_the_same(server):
    """So that a restart does not empty every cache."""
    other = server.world.serve(block="etag = inode\n")
    assert other.get("/a.txt")["ETag"] == server.get("/a.txt")["ETag"]


@test
def each_file_has_its_own(server):
    assert server.get("/a.txt")["ETag"] != server.get("/b.txt")["ETag"]


@each([1, 1000, 10**6, 10**9, -1, -10**9])
def it_follows_the_mtime_to_the_nanosecond(server, delta_ns):
    before = server.get("/a.txt")["ETag"]
    server.world.root.touch("a.txt", MTIME_NS + delta_ns)
    assert server.get("/a.txt")["ETag"] != before
    server.world.root.touch("a.txt", MTIME_NS)


@test
def it_follows_the_size(server):
    server.world.root.write("size.txt", "12345")
    before = server.get("/size.txt")["ETag"]
    server.world.root.write("size.txt", "123456")
    assert server.get("/size.txt")["ETag"] != before


@test
def it_follows_the_inode(server):
    server.world.root.write("inode.txt", "12345")
    before = server.get("/inode.txt")["ETag"]
    server.world.root.replace("inode.txt", "54321")
    assert server.get("/inode.txt")["ETag"] != before


def same_look(root, name, size, change):
    """Lets `change` give a file other octets, and then its size and mtime are what they were. Waits
    for the clock that files are stamped with before, as it goes in steps."""
    before = os.stat(root.at(name))
    time.sleep(0.03)
    change()
    after = os.stat(root.at(name))
    assert (before.st_size, before.st_mtime_ns) == (size, after.st_mtime_ns) == (size, MTIME_NS)


def no_longer_valid(server, target, before, octets):
    """What was fetched before the change is neither confirmed nor continued."""
    tag = before["ETag"]
    for fields in ((), (f"If-None-Match: {tag}",), ("Range: bytes=1-2", f"If-Range: {tag}")):
        answer = server.get(target, *fields)
        assert answer.status == 200 and answer.body == octets, fields
        assert answer["ETag"] != tag
    assert server.get(target, f"If-Match: {tag}").status == 412
    now = server.get(target)["ETag"]
    assert server.get(target, f"If-None-Match: {now}").status == 304
    assert server.get(target, "Range: bytes=1-2", f"If-Range: {now}").body == octets[1:3]


@each([("small", 1000), ("large", 100_000)])
def a_file_rewritten_in_place_with_its_mtime_restored_has_another(server, kind, size):
    """As `rsync --inplace --times`, `touch -r` and restored backups leave it."""
    root, name = server.world.root, f"restored-{kind}"
    root.write(name, b"a" * size)
    before = server.get("/" + name)
    same_look(root, name, size, lambda: root.write(name, b"b" * size))
    no_longer_valid(server, "/" + name, before, b"b" * size)


@each([("small", 1000), ("large", 100_000)])
def a_file_removed_and_made_again_has_another(server, kind, size):
    """Even where the file system gives the new one the inode of the old one, as ext4 does."""
    root, name = server.world.root, f"again-{kind}"
    root.write(name, b"a" * size)
    before = server.get("/" + name)

    def change():
        os.unlink(root.at(name))
        root.write(name, b"b" * size)
    time.sleep(0.1)  # until the server has let go of it, so that the inode is free
    same_look(root, name, size, change)
    no_longer_valid(server, "/" + name, before, b"b" * size)


@test
def a_sidecar_rewritten_in_place_has_another(server):
    root = server.world.root
    root.write("side.txt", "plain " * 100)
    root.write("side.txt.gz", b"1" * 50)
    accept = "Accept-Encoding: gzip"
    before = server.get("/side.txt", accept)
    same_look(root, "side.txt.gz", 50, lambda: root.write("side.txt.gz", b"2" * 50))
    answer = server.get("/side.txt", accept, "If-None-Match: " + before["ETag"])
    assert answer.status == 200 and answer.body == b"2" * 50
    assert answer["Content-Encoding"] == "gzip"


@test
def it_is_the_same_while_nobody_touches_the_file(server):
    """However often the file is opened again (here for each request)."""
    server.world.root.write("quiet.txt", "quiet")
    first = server.get("/quiet.txt")["ETag"]
    for _ in range(5):
        time.sleep(0.02)
        assert server.get("/quiet.txt")["ETag"] == first
    with open(server.world.root.at("quiet.txt"), "rb") as file:
        file.read()
    assert server.get("/quiet.txt")["ETag"] == first


@test
def each_content_coding_has_its_own(server):
    etags = [server.get("/coded.txt", f"Accept-Encoding: {coding}")["ETag"]
             for coding in ("identity", "gzip", "br", "zstd")]
    assert len(set(etags)) == 4 and all(STRONG.fullmatch(etag) for etag in etags)


@test
def codings_differ_even_when_their_files_look_alike(server):
    """A sidecar that is a hard link to the plain file has its inode, size and mtime."""
    root = server.world.root
    root.write("linked.txt", "linked")
    os.link(root.at("linked.txt"), root.at("linked.txt.gz"))
    plain, coded = server.get("/linked.txt"), server.get("/linked.txt", "Accept-Encoding: gzip")
    assert coded["Content-Encoding"] == "gzip" and plain["ETag"] != coded["ETag"]


@test
def last_modified_is_the_mtime(server):
    assert server.get("/a.txt")["Last-Modified"] == http_date(MTIME_NS // 10**9)


@each([("the epoch", 0), ("Nix", 1), ("before the epoch", -1), ("long before the epoch", -2**31),
       ("before the year 1", -2**36), ("an hour ahead", None),
       ("the year 2038", 2**31), ("the year 2106", 2**32),
       ("the last that ext4 knows", 15032385535), ("beyond the year 9999", 2**38)])
def an_mtime_that_tells_nothing_makes_no_validator(server, name, seconds):
    """Reproducible builds set it to 0, or to 1 (Nix, Guix); a clock may run ahead. Some file systems cannot store it,
    and set another one, of the same kind."""
    root = server.world.root
    root.write("odd.txt", "odd")
    try:
        root.touch("odd.txt", (int(time.time()) + 3600 if seconds is None else seconds) * 10**9)
    except OverflowError:
        return
    answer = server.get("/odd.txt")
    assert answer.status == 200 and answer.body == b"odd"
    assert "ETag" not in answer and "Last-Modified" not in answer
    assert "Last-Modified" not in server.head("/odd.txt")
    for date in (time.time(), min(max(seconds or 0, 0), 2**34), 2**31):
        field = "If-Modified-Since: " + http_date(date)
        assert server.get("/odd.txt", field).status == 200
        field = "If-Range: " + http_date(date)
        assert server.get("/odd.txt", "Range: bytes=0-0", field).status == 200
        assert server.get("/odd.txt", "If-Unmodified-Since: " + http_date(0)).status == 200
    assert server.get("/odd.txt", 'If-None-Match: "x"').status == 200
    assert server.get("/odd.txt", "Range: bytes=0-0").status == 206


@test
def a_file_of_the_last_second_has_validators(server):
    root = server.world.root
    root.write("now.txt", "now")
    now_ns = time.time_ns() - 10**9
    root.touch("now.txt", now_ns)
    answer = server.get("/now.txt")
    assert STRONG.fullmatch(answer["ETag"])
    assert answer["Last-Modified"] == http_date(now_ns // 10**9)


@test
def an_mtime_of_two_seconds_behind_the_epoch_is_one(server):
    root = server.world.root
    root.write("early.txt", "early")
    root.touch("early.txt", 2 * 10**9)
    assert server.get("/early.txt")["Last-Modified"] == "Thu, 01 Jan 1970 00:00:02 GMT"
    root.touch("early.txt", 2 * 10**9 - 1)
    assert "Last-Modified" not in server.get("/early.txt")


if __name__ == "__main__":
    run(setup)
