#!/usr/bin/python3
"""A folder as one file (HTTP.md "Archives"): what unpacks is what is there, as long as announced, in
ranges too; and nothing that a listing would not show."""

import io
import os
import tarfile
import zipfile

from wire import each, eventually, head, run, test

LONG = "n" * 150
FILES = {"a.txt": b"hello", "empty": b"", "\u00e4 \u2603.txt": b"u", "sub/deep/" + LONG: b"long",
         "sub/large.bin": bytes(range(256)) * 2000, "sub/block": b"x" * 512}


def setup(world):
    root = world.root
    for name, data in FILES.items():
        root.write("d/" + name, data)
    root.write(b"d/bad\xffname", b"bad")
    root.write("d/.hidden", "secret")
    root.write("d/x.tmp", "secret")
    root.folder("d/none")
    root.folder("d/closed", mode=0o000)
    world.outside.write("secret.txt", "secret")
    root.link("d/out", "../../outside/secret.txt")
    root.link("d/sub/link", "../a.txt")
    root.link("d/sub/loop", "..")
    root.sparse("sparse/big", 5 << 30, {})
    for number in range(3000):  # one file: making thousands takes a file system long
        if number < 30:
            root.write(f"many/{number}/{number}", "")
        else:
            os.link(root.at("many/0/0"), root.at(f"many/{number % 30}/{number}"))
    return serve(world)


def serve(world, **settings):
    return world.serve(settings={"autoindex": "on", "archive": '{"zip", "tar"}',
                                 "autoindex_exclude": "*.tmp", **settings})


def expected():
    return {**{"d/" + name: data for name, data in FILES.items()}, "d/sub/link": b"hello"}


@test
def a_tar_holds_what_is_there(server):
    answer = server.get("/d/?archive=tar")
    assert answer.status == 200 and answer["Content-Type"] == "application/x-tar"
    with tarfile.open(fileobj=io.BytesIO(answer.body), errors="surrogateescape") as tar:
        found = {item.name: tar.extractfile(item).read() for item in tar if item.isfile()}
        folders = {item.name for item in tar if item.isdir()}
    assert found.pop("d/bad\udcffname") == b"bad"
    assert found == expected()
    assert {"d", "d/none", "d/sub", "d/sub/deep", "d/sub/loop"} <= folders


@test
def a_zip_holds_what_is_there(server):
    answer = server.get("/d/?archive=zip")
    assert answer.status == 200 and answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"].endswith("filename*=UTF-8''d.zip")
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert {name: archive.read(name) for name in expected()} == expected()
        assert "d/none/" in names and "d/sub/loop/" in names
        assert not any("hidden" in name or "tmp" in name or "out" in name for name in names)


@test
def any_part_of_a_tar_is_that_part(server):
    whole = server.get("/d/?archive=tar")
    size = len(whole.body)
    for first in (0, 1, 511, 512, 513, 5000, size // 2, size - 1024, size - 1):
        answer = server.get("/d/?archive=tar", f"Range: bytes={first}-",
                            f"If-Range: {whole['ETag']}")
        assert answer.status == 206 and answer.body == whole.body[first:], first
        assert answer["Content-Range"] == f"bytes {first}-{size - 1}/{size}"
    assert server.get("/d/?archive=tar", "Range: bytes=700-900").body == whole.body[700:901]
    assert server.get("/d/?archive=tar", f"Range: bytes={size}-").status == 416
    assert server.get("/d/?archive=tar", "Range: bytes=0-1", 'If-Range: "x"').status == 200


@each(["zip", "tar"])
def conditions_and_head(server, kind):
    whole = server.get(f"/d/?archive={kind}")
    told = server.head(f"/d/?archive={kind}")
    assert told.status == 200 and told["Content-Length"] == str(len(whole.body))
    assert told["Accept-Ranges"] == ("bytes" if kind == "tar" else "none")
    same = server.get(f"/d/?archive={kind}", f"If-None-Match: {whole['ETag']}")
    assert same.status == 304 and same["ETag"] == whole["ETag"] and same.body == b""
    assert server.get(f"/d/?archive={kind}", 'If-Match: "x"').status == 412
    server.world.root.write("changing/x", "1" + kind)
    before = server.head(f"/changing/?archive={kind}")["ETag"]
    server.world.root.write("changing/y", "2")
    assert server.head(f"/changing/?archive={kind}")["ETag"] != before
    server.world.root.remove("changing/y")


@test
def beyond_four_gib(server):
    zipped = server.head("/sparse/?archive=zip")
    assert int(zipped["Content-Length"]) > 5 << 30
    size = int(server.head("/sparse/?archive=tar")["Content-Length"])
    answer = server.get("/sparse/?archive=tar", f"Range: bytes={size - 2000}-")
    assert answer.status == 206 and answer.body == bytes(2000)


@test
def many_entries(server):
    with tarfile.open(fileobj=io.BytesIO(server.get("/many/?archive=tar").body)) as tar:
        assert sum(item.isfile() for item in tar) == 3000


@test
def bounds(server):
    assert serve(server.world, archive_entries_max="100").get("/many/?archive=tar").status == 503
    assert serve(server.world, archive_bytes_max="100").get("/d/?archive=zip").status == 503


@test
def only_where_it_is_switched_on(server):
    own = server.world.serve(settings={"autoindex": "on", "archive": "zip"})
    assert own.get("/d/?archive=tar")["Content-Type"].startswith("text/html")
    assert b'value="zip"' in own.get("/d/").body and b'value="tar"' not in own.get("/d/").body
    off = server.world.serve(settings={"archive": "zip"})
    assert off.get("/d/?archive=zip").status == 404


@test
def who_leaves_takes_all_along(server):
    server.get("/d/?archive=tar")
    before = server.descriptors()
    for _ in range(5):
        connection = server.connect(receive_buffer=16384)
        connection.send(head("GET", "/sparse/?archive=zip"))
        connection.read_head()
        connection.reset()
    assert eventually(lambda: server.descriptors() <= before + 1, 10)


@test
def a_file_that_changes_ends_the_connection(server):
    root = server.world.root
    root.sparse("shrinks/f", 200 << 20, {})
    with server.connect(receive_buffer=16384) as connection:
        connection.send(head("GET", "/shrinks/?archive=tar"))
        announced = int(connection.read_head()["Content-Length"])
        os.truncate(root.at("shrinks/f"), 1 << 20)
        try:
            sent = len(connection.read_to_end())
        except ConnectionError:
            sent = 0
        assert sent < announced
    assert server.get("/d/a.txt").status == 200


if __name__ == "__main__":
    run(setup)
