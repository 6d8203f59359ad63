#!/usr/bin/python3
"""Files that are there as sidecars alone, for clients that do not take the coding (HTTP.md "Answering",
docs/server.conf.md `decompress_max`). Reads what gzip made; the other codings: unit/test_compressor."""

import gzip
import os
import shutil
import subprocess

from wire import each, eventually, run, test, text

GZIP = "Accept-Encoding: gzip"


def setup(world):
    world.small, world.large = text("small", 3_000), text("large", 900_000)
    for name, octets in (("small.txt", world.small), ("large.txt", world.large), ("empty.txt", b""),
                         ("dir/index.html", world.small), ("bomb.txt", b"\0" * 3_000_000)):
        world.root.write(name + ".gz", gzip.compress(octets, mtime=0))
    packed = gzip.compress(world.large, mtime=0)
    world.root.write("members.txt.gz", gzip.compress(b"one\n", mtime=0) + gzip.compress(b"two\n", mtime=0) + b"\0" * 5)
    world.root.write("cut.txt.gz", packed[:-1])
    world.root.write("cut2.txt.gz", packed[:100_000])
    world.root.write("flipped.txt.gz", packed[:-6] + bytes([packed[-6] ^ 1]) + packed[-5:])
    world.root.write("tail.txt.gz", gzip.compress(b"one\n", mtime=0) + b"tail")
    world.root.write("none.txt.gz", b"no gzip at all")
    world.root.write("nothing.txt.gz", b"")
    for name in ("junk", "page"):  # a download beside a page of its name
        world.root.write(f"clean/{name}.gz", b"no gzip at all")
    world.root.write("clean/page.html", b"<p>page")
    world.tools = [name for name in ("zstd", "brotli") if shutil.which(name)]
    for name, suffix in (("zstd", "zst"), ("brotli", "br")):
        path = os.path.join(world.root.path, f"{name}.txt")
        with open(path, "wb") as file:
            file.write(world.large)
        if name in world.tools:
            subprocess.run([name, "-q", "-o", f"{path}.{suffix}", path], check=True)
        os.remove(path)
    return world.serve(settings={"decompress_max": "1m", "compress_cache": "8m"},
                       block='precompressed = {"gzip", "br", "zstd"}\n'
                       'location "/clean/" { root = "@root@" clean_urls = on }\n')


@each(["small", "large"])
def who_does_not_take_it_gets_what_it_holds(server, name):
    octets = getattr(server.world, name)
    for _ in range(2):
        for fields in ((), ("Accept-Encoding: br",), ("Accept-Encoding: gzip;q=0",), ("Accept-Encoding: identity",)):
            answer = server.get(f"/{name}.txt", *fields)
            assert answer.status == 200 and answer.body == octets, answer
            assert "Content-Encoding" not in answer and answer["Vary"] == "Accept-Encoding"
            assert answer["Content-Type"].startswith("text/plain")
        packed = server.get(f"/{name}.txt", GZIP)
        assert packed["Content-Encoding"] == "gzip" and gzip.decompress(packed.body) == octets


@each(["small", "large"])
def it_is_sent_like_a_file(server, name):
    octets, target = getattr(server.world, name), f"/{name}.txt"
    with server.connect() as connection:
        whole = connection.get(target)
        assert whole["Accept-Ranges"] == "bytes" and int(whole["Content-Length"]) == len(octets)
        assert whole["ETag"] != connection.get(target, GZIP)["ETag"]
        assert connection.ask("HEAD", target).without("Date") == whole.without("Date")
        assert connection.get(target, f"If-None-Match: {whole['ETag']}").status == 304
        part = connection.get(target, f"If-Range: {whole['ETag']}", "Range: bytes=1000-1009")
        assert part.status == 206 and part.body == octets[1000:1010]
        assert part["Content-Range"] == f"bytes 1000-1009/{len(octets)}"
        several = connection.get(target, "Range: bytes=0-1,-2")
        assert several.status == 206 and octets[:2] in several.body and octets[-2:] in several.body


@test
def an_index_and_an_empty_file_and_members(server):
    assert server.get("/dir/").body == server.world.small
    assert server.get("/empty.txt").body == b"" and server.get("/empty.txt").status == 200
    assert server.get("/empty.txt", "Range: bytes=0-0").status == 416
    assert server.get("/members.txt").body == b"one\ntwo\n"


@each([("zstd", "zstd"), ("brotli", "br")])
def other_codings_too(server, name, coding):
    if name not in server.world.tools:
        return
    assert server.get(f"/{name}.txt").body == server.world.large
    assert server.get(f"/{name}.txt", f"Accept-Encoding: {coding}")["Content-Encoding"] == coding


@each(["cut", "cut2", "flipped", "tail", "none", "nothing"])
def what_is_damaged_is_500_and_never_a_part(server, name):
    for _ in range(3):
        answer = server.get(f"/{name}.txt")
        assert answer.status == 500 and b"large" not in answer.body
        assert server.get(f"/{name}.txt", GZIP).status == 200  # as it is: the client is told what it is


@test
def what_is_damaged_hides_nothing_that_try_has_behind_it(server):
    answer = server.get("/clean/page")
    assert answer.status == 200 and answer.body == b"<p>page", answer
    assert server.get("/clean/junk").status == 500
    assert server.get("/clean/none").status == 404


@test
def what_holds_too_much_is_not_found(server):
    for _ in range(3):
        answer = server.get("/bomb.txt")
        assert answer.status == 404 and answer["Vary"] == "Accept-Encoding"
    assert server.get("/bomb.txt", GZIP).status == 200


@test
def a_sidecar_that_is_replaced_is_seen(server):
    root = server.world.root
    root.write("new.txt.gz", gzip.compress(b"before\n", mtime=0))
    assert server.get("/new.txt").body == b"before\n"
    root.write("new.txt.gz", gzip.compress(b"and after\n", mtime=0))
    assert eventually(lambda: server.get("/new.txt").body == b"and after\n")
    root.write("new.txt", b"itself")
    assert eventually(lambda: server.get("/new.txt").body == b"itself")
    assert server.get("/none-at-all.txt").status == 404


if __name__ == "__main__":
    run(setup)
