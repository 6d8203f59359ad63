#!/usr/bin/python3
"""Files that change (HTTP.md "Finding the file"): what was opened is what is sent, and a new file
is seen within `cache_valid`, a second if not set. Each thread of the server may keep files for
itself: connections agree only after that time."""

import contextlib
import os
import threading
import time

from wire import MTIME_NS, ONE_AT_A_TIME, each, eventually, head, rounds, run, test

SEEN_S = 1.0 + 1.5  # cache_valid, and generous slack
SIZE = 12_000_000


def setup(world):
    return world.serve()


def body(server, name):
    answer = server.get("/" + name)
    return answer.body if answer.status == 200 else answer.status


def becomes(server, name, wanted):
    return eventually(lambda: body(server, name) == wanted, SEEN_S)


@each([("small", 100), ("large", 100_000)])
def a_replaced_file_is_seen(server, kind, size):
    root = server.world.root
    root.write(f"replaced-{kind}", b"a" * size)
    assert body(server, f"replaced-{kind}") == b"a" * size
    root.replace(f"replaced-{kind}", b"b" * size)  # same size, same mtime, another inode
    assert becomes(server, f"replaced-{kind}", b"b" * size)


@each([("small", 100), ("large", 100_000)])
def a_file_that_is_rewritten_in_place_is_seen(server, kind, size):
    root = server.world.root
    root.write(f"rewritten-{kind}", b"a" * size)
    assert body(server, f"rewritten-{kind}") == b"a" * size
    root.write(f"rewritten-{kind}", b"b" * (size + 1), mtime_ns=MTIME_NS + 1)
    assert becomes(server, f"rewritten-{kind}", b"b" * (size + 1))


@test
def a_change_of_mtime_alone_changes_the_validators(server):
    server.world.root.write("touched", "a")
    with server.connect() as connection:
        before = connection.get("/touched")
        server.world.root.touch("touched", MTIME_NS + 10**9)
        assert eventually(lambda: connection.get("/touched")["ETag"] != before["ETag"], SEEN_S)
        assert connection.get("/touched")["Last-Modified"] != before["Last-Modified"]


@test
def a_new_file_is_seen(server):
    assert body(server, "new") == 404
    server.world.root.write("new", "new")
    assert becomes(server, "new", b"new")


@test
def a_removed_file_is_gone(server):
    server.world.root.write("removed", "removed")
    assert body(server, "removed") == b"removed"
    server.world.root.remove("removed")
    assert becomes(server, "removed", 404)


@test
def a_file_becomes_a_directory_and_back(server):
    root = server.world.root
    root.write("both", "file")
    assert body(server, "both") == b"file"
    root.remove("both")
    root.write("both/index.html", "index")
    assert becomes(server, "both", 301)
    assert becomes(server, "both/", b"index")
    root.remove("both")
    root.write("both", "again")
    assert becomes(server, "both", b"again")


@test
def permission_taken_away_is_seen(server):
    root = server.world.root
    root.write("private", "private")
    assert body(server, "private") == b"private"
    os.chmod(root.at("private"), 0)
    assert becomes(server, "private", 403)


@test
def a_new_index_file_is_seen(server):
    root = server.world.root
    root.folder("folder")
    assert body(server, "folder/") == 404
    root.write("folder/index.html", "index")
    assert becomes(server, "folder/", b"index")


@test
def what_was_opened_is_what_is_sent(server):
    """A download goes on from the old file when a new one takes its name."""
    root = server.world.root
    root.write("download", b"a" * SIZE)
    with server.connect(receive_buffer=16384) as connection:
        connection.send(head("GET", "/download"))
        answer = connection.read_head()
        root.replace("download", b"b" * 10)
        time.sleep(1.2)
        assert server.get("/download").body == b"b" * 10
        data = connection.read_octets(int(answer["Content-Length"]))
        assert len(data) == SIZE and data.count(b"a") == SIZE
        assert connection.get("/download").body == b"b" * 10


@test
def so_it_is_when_the_name_is_removed(server):
    root = server.world.root
    root.write("unlinked", b"a" * SIZE)
    with server.connect(receive_buffer=16384) as connection:
        connection.send(head("GET", "/unlinked"))
        answer = connection.read_head()
        root.remove("unlinked")
        time.sleep(1.2)
        data = connection.read_octets(int(answer["Content-Length"]))
        assert data.count(b"a") == SIZE
        assert connection.get("/unlinked").status == 404


@test
def a_file_that_grows_is_sent_as_announced(server):
    root = server.world.root
    root.write("growing", b"a" * SIZE)
    with server.connect(receive_buffer=16384) as connection:
        connection.send(head("GET", "/growing"))
        answer = connection.read_head()
        with open(root.at("growing"), "ab") as file:
            file.write(b"b" * 100_000)
        data = connection.read_octets(int(answer["Content-Length"]))
        assert data == b"a" * SIZE
        connection.expect_silence(0.1)
        assert eventually(lambda: server.head("/growing")["Content-Length"] == str(SIZE + 100_000),
                          SEEN_S)


@test
def while_a_file_is_replaced_again_and_again_every_answer_is_one_of_them(server):
    """Never the length of one with the octets of another, never a mixture."""
    root = server.world.root
    versions = [bytes([97 + number]) * (200 + number * 37) for number in range(10)]
    etags = {}
    root.replace("busy", versions[0])
    done = threading.Event()

    def replace():
        number = 0
        while not done.wait(0.003):
            number += 1
            root.replace("busy", versions[number % 10], mtime_ns=MTIME_NS + number)
    writer = threading.Thread(target=replace)
    own = server.world.serve(settings={"cache_valid": "1ms"})
    writer.start()
    try:
        with own.connect() as connection:
            for asked in range(10_000):
                if asked >= rounds(1000) and len(etags) > 5:
                    break
                answer = connection.get("/busy")
                assert answer.body in versions
                assert etags.setdefault(answer["ETag"], answer.body) == answer.body
    finally:
        done.set()
        writer.join()
    assert len(etags) > 5


CONNECTIONS = 8  # enough for each thread of the server to have some


@contextlib.contextmanager
def crowd(server, name):
    """Connections to which the file has been sent: each thread of the server knows it."""
    with contextlib.ExitStack() as stack:
        count = 1 if server.world.engine in ONE_AT_A_TIME else CONNECTIONS
        connections = [stack.enter_context(server.connect()) for _ in range(count)]
        for connection in connections:
            assert connection.get("/" + name).status == 200
        yield connections


@each([("grown", 100_000, 200_000), ("cut", 200_000, 100_000), ("of-the-same-length", 50_000,
                                                                50_000)])
def a_long_file_that_was_written_in_place_is_the_new_one_at_once(server, kind, before, after):
    """What is announced is what is there, `cache_valid` or not: a body of this size is read from
    the file when it is sent."""
    own = server.world.serve(settings={"cache_valid": "1h"})
    root, name = server.world.root, f"in-place-{kind}"
    root.write(name, b"a" * before)
    with crowd(own, name) as connections:
        old = connections[0].get("/" + name)
        root.write(name, b"b" * after, mtime_ns=MTIME_NS + 1)
        for connection in connections:
            answer = connection.get("/" + name)
            assert answer.body == b"b" * after and answer["ETag"] != old["ETag"]
            assert connection.ask("HEAD", "/" + name).without("Date") == answer.without("Date")
            assert connection.get("/" + name, "If-None-Match: " + old["ETag"]).status == 200
            assert connection.get("/" + name, "If-Match: " + old["ETag"]).status == 412


@test
def ranges_of_it_are_those_of_the_new_one(server):
    own = server.world.serve(settings={"cache_valid": "1h"})
    root = server.world.root
    root.write("in-place-ranges", b"a" * 100_000)
    with crowd(own, "in-place-ranges") as connections:
        old = connections[0].get("/in-place-ranges")
        root.write("in-place-ranges", b"b" * 50_000, mtime_ns=MTIME_NS + 1)
        for connection in connections:
            def get(*fields, connection=connection):
                return connection.get("/in-place-ranges", *fields)
            for first in (0, 10_000, 49_999):
                answer = get(f"Range: bytes={first}-99999")
                assert answer["Content-Range"] == f"bytes {first}-49999/50000"
                assert answer.body == b"b" * (50_000 - first)
            answer = get("Range: bytes=60000-")
            assert answer.status == 416 and answer["Content-Range"] == "bytes */50000"
            assert get("Range: bytes=0-1", "If-Range: " + old["ETag"]).body == b"b" * 50_000
            parts = get("Range: bytes=0-9999,40000-99999")
            assert parts.status == 206 and b"bytes 40000-49999/50000" in parts.body


@test
def after_a_cut_answer_a_new_file_is_sent_whole(server):
    """A truncated file cuts the answers that are under way, and no others."""
    own = server.world.serve(settings={"cache_valid": "1h"})
    root = server.world.root
    root.write("cut-then-new", b"a" * 100_000)
    with crowd(own, "cut-then-new") as connections:
        os.truncate(root.at("cut-then-new"), 20_000)
        for connection in connections:
            assert connection.get("/cut-then-new").body == b"a" * 20_000
        root.replace("cut-then-new", b"b" * 100_000)
        for connection in connections:
            assert connection.get("/cut-then-new").body == b"b" * 100_000
        root.remove("cut-then-new")
        for connection in connections:
            assert connection.get("/cut-then-new").status == 404


@test
def a_long_sidecar_and_a_long_page_for_errors_are_looked_at_too(server):
    root = server.world.root
    own = server.world.serve(settings={"cache_valid": "1h"}, block="""
        precompressed = {"gzip"}
        error_pages = {"404=/long-404.html"}
    """)
    root.write("long-404.html", b"a" * 30_000)
    root.write("coded.txt", "plain")
    root.write("coded.txt.gz", b"a" * 30_000)
    accepts = "Accept-Encoding: gzip"
    with own.connect() as connection:
        assert len(connection.get("/coded.txt", accepts).body) == 30_000
        assert len(connection.get("/none").body) == 30_000
        root.write("coded.txt.gz", b"b" * 20_000)
        root.write("long-404.html", b"b" * 20_000)
        assert connection.get("/coded.txt", accepts).body == b"b" * 20_000
        assert connection.get("/none").body == b"b" * 20_000
        root.remove("coded.txt.gz")
        assert connection.get("/coded.txt", accepts).body == b"plain"


@test
def a_file_that_grows_all_the_time_is_sent_as_long_as_it_was(server):
    """Each answer is a beginning of it, whole, and none older than the one before."""
    root = server.world.root
    root.write("log", b"a" * 50_000)
    done = threading.Event()

    def append():
        with open(root.at("log"), "ab", buffering=0) as file:
            while not done.wait(0.0005):
                file.write(b"a" * 100)
    writer = threading.Thread(target=append)
    writer.start()
    try:
        with server.connect() as connection:
            before = 0
            for _ in range(100):
                answer = connection.get("/log")
                assert len(answer.body) >= before and set(answer.body) == {ord("a")}
                before = len(answer.body)
    finally:
        done.set()
        writer.join()


@test
def cache_valid_is_a_setting(server):
    own = server.world.serve(settings={"cache_valid": "1h"})
    root = server.world.root
    root.write("kept", "old")
    with own.connect() as connection:
        assert connection.get("/kept").body == b"old"
        root.replace("kept", "new")
        time.sleep(1.5)
        assert connection.get("/kept").body == b"old"
    never = server.world.serve(settings={"cache_valid": "0s"})
    assert body(never, "kept") == b"new"
    root.replace("kept", "newer")
    assert body(never, "kept") == b"newer"


if __name__ == "__main__":
    run(setup, jobs=8)
