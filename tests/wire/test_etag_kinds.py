#!/usr/bin/python3
"""Tags that each host gives its copy alike (HTTP.md "Answering", docs/server.conf.md `etag`)."""

import gzip
import hashlib
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from wire import MTIME_NS, ONE_AT_A_TIME, each, run, test

LIMIT = 1 << 20
BLOCK = """
precompressed = {"gzip"}
compress = {"gzip"}
location "/content/" { etag = content }
location "/default/" { }
location "/off/" { etag = off }
"""
KINDS = ("content", "default")


def setup(world):
    root = world.root
    world.page = b"<p>page</p>\n" * 300
    world.large = os.urandom(600_000)
    for kind in (*KINDS, "off"):
        root.write(f"{kind}/page.html", world.page)
        root.write(f"{kind}/large.bin", world.large)
        root.write(f"{kind}/longer.bin", b"x" * (LIMIT + 1))
        root.write(f"{kind}/empty.txt", b"")
        root.write(f"{kind}/side.txt", b"side " * 100)
        root.write(f"{kind}/side.txt.gz", gzip.compress(b"side " * 100, mtime=0))
        root.write(f"{kind}/alone.txt.gz", gzip.compress(b"alone " * 100, mtime=0))
    return world.serve(settings={"cache_valid": "0s", "etag_content_max": str(LIMIT)}, block=BLOCK)


def of_content(octets, suffix=""):
    return '"' + hashlib.sha256(octets).hexdigest()[:32] + suffix + '"'


def of_time(size, mtime_ns=MTIME_NS):
    seconds, nanoseconds = divmod(mtime_ns, 10**9)
    return f'"{seconds:x}.{nanoseconds:x}-{size:x}"' if nanoseconds else f'"{seconds:x}-{size:x}"'


@test
def by_default_it_tells_time_and_size(server):
    root = server.world.root
    for mtime_ns in (MTIME_NS, MTIME_NS + 123456789, MTIME_NS // 10**9 * 10**9):
        root.touch("default/page.html", mtime_ns)
        assert server.get("/default/page.html")["ETag"] == of_time(len(server.world.page), mtime_ns)
    assert "ETag" not in server.get("/off/page.html")


@test
def it_tells_the_content_with_the_tools_of_everybody(server):
    for name, octets in (("page.html", server.world.page), ("large.bin", server.world.large), ("empty.txt", b"")):
        for _ in range(2):
            assert server.get("/content/" + name)["ETag"] == of_content(octets), name
            assert server.head("/content/" + name)["ETag"] == of_content(octets)
    assert server.get("/content/longer.bin")["ETag"] == of_time(LIMIT + 1)


@each(KINDS)
def each_copy_has_the_same(server, kind):
    """A second tree, of another inode, ctime and host."""
    world = server.world
    copy = SimpleNamespace(path=os.fsdecode(world.root.at(f"copy-{kind}")))
    shutil.copytree(os.fsdecode(world.root.at(kind)), os.path.join(copy.path, kind))
    other = world.serve(settings={"etag_content_max": str(LIMIT)}, block=BLOCK, root=copy)
    for target in ("page.html", "large.bin", "longer.bin", "side.txt", "alone.txt", "empty.txt"):
        for fields in ((), ("Accept-Encoding: gzip",), ("Range: bytes=0-1,3-4",)):
            if fields and target == "empty.txt":
                continue
            mine = server.get(f"/{kind}/{target}", *fields)
            theirs = other.get(f"/{kind}/{target}", *fields)
            assert mine["ETag"] == theirs["ETag"], target
            names = ("Content-Length", "Last-Modified", "Content-Encoding", "Vary", "Content-Type")
            if mine.status == 206:
                names = names[1:]
            for name in names:
                assert mine.get(name) == theirs.get(name) or "multipart" in mine[name], (target, name)


@test
def a_deployment_that_changes_nothing_keeps_it(server):
    """Whatever it does to inodes and times."""
    root = server.world.root
    for name, octets in (("page.html", server.world.page), ("large.bin", server.world.large)):
        tag = server.get("/content/" + name)["ETag"]
        root.replace("content/" + name, octets)
        root.touch("content/" + name, MTIME_NS + 10**9)
        assert server.get("/content/" + name, f"If-None-Match: {tag}").status == 304
        part = server.get("/content/" + name, "Range: bytes=1-5", f"If-Range: {tag}")
        assert part.status == 206 and part.body == octets[1:6]


@each([("page", 1000), ("long", 300_000)])
def another_content_has_another_whatever_its_time(server, name, size):
    root = server.world.root
    path = f"content/other-{name}"
    root.write(path, b"a" * size)
    before = server.get("/" + path)["ETag"]
    root.write(path, b"b" * size)
    answer = server.get("/" + path, f"If-None-Match: {before}")
    assert answer.status == 200 and answer.body == b"b" * size and answer["ETag"] == of_content(answer.body)
    assert server.get("/" + path, "Range: bytes=0-0", f"If-Range: {before}").body == b"b" * size
    assert server.get("/" + path, f"If-Match: {before}").status == 412


@test
def a_file_of_no_date_has_a_tag_of_its_content(server):
    root = server.world.root
    root.write("content/nix.txt", b"nix")
    root.touch("content/nix.txt", 10**9)
    answer = server.get("/content/nix.txt")
    assert answer["ETag"] == of_content(b"nix") and "Last-Modified" not in answer


@test
def each_form_has_its_own(server):
    page = server.world.page
    tags = {server.get(f"/content/{target}", f"Accept-Encoding: {coding}")["ETag"]
            for target in ("page.html", "side.txt", "alone.txt") for coding in ("gzip", "identity")}
    assert len(tags) == 6
    packed = server.get("/content/page.html", "Accept-Encoding: gzip")
    assert packed["Content-Encoding"] == "gzip"
    assert packed["ETag"].startswith(of_content(page, "-gz")[:-1])
    again = server.get("/content/page.html", "Accept-Encoding: gzip", "If-None-Match: " + packed["ETag"])
    assert again.status == 304 and again["ETag"] == packed["ETag"]
    side = gzip.compress(b"side " * 100, mtime=0)
    assert server.get("/content/side.txt", "Accept-Encoding: gzip")["ETag"] == of_content(side, "-gz")


@test
def a_file_just_written_is_tagged_weakly_and_not_as_later(server):
    """Two contents of one size within a tick of the clock have one time: what was fetched then is not confirmed
    once that is over."""
    root = server.world.root
    root.write("default/new.txt", b"new")
    now_ns = time.time_ns()
    root.touch("default/new.txt", now_ns)
    answer = server.get("/default/new.txt")
    settled = of_time(3, now_ns)
    if answer["ETag"] != settled:  # unless this machine took two seconds
        assert answer["ETag"] == 'W/"~' + settled[1:]
        assert server.get("/default/new.txt", "If-None-Match: " + settled).status == 200
        assert server.get("/default/new.txt", "Range: bytes=0-0", "If-Range: " + answer["ETag"]).status == 200
    root.touch("default/new.txt", now_ns - 10 * 10**9)
    assert server.get("/default/new.txt")["ETag"] == of_time(3, now_ns - 10 * 10**9)


@test
def pipelined_requests_for_what_is_hashed_come_in_order(server):
    with server.connect() as connection:
        connection.send("".join(f"GET /content/{name} HTTP/1.1\r\nHost: a\r\n\r\n"
                                for name in ("large.bin", "page.html", "large.bin", "empty.txt")))
        for octets in (server.world.large, server.world.page, server.world.large, b""):
            answer = connection.read_response()
            assert answer.body == octets and answer["ETag"] == of_content(octets)


@test
def many_who_wait_for_one_hash_get_it(server):
    if server.world.engine in ONE_AT_A_TIME:
        return
    octets = server.world.root.write("content/crowd.bin", os.urandom(900_000))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: server.get("/content/crowd.bin"), range(12)))
    assert all(answer.body == octets for answer in answers)
    assert {answer["ETag"] for answer in answers} == {of_content(octets)}


if __name__ == "__main__":
    run(setup)
