#!/usr/bin/python3
"""Files that change (HTTP.md "Finding the file"): what was opened is what is sent, and a new file
is seen within `cache_valid`, a second if not set. Each thread of the server may keep files for
itself: connections agree only after that time."""

import os
import threading
import time

from wire import MTIME_NS, each, eventually, head, run, test

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
            for _ in range(1000):
                answer = connection.get("/busy")
                assert answer.body in versions
                assert etags.setdefault(answer["ETag"], answer.body) == answer.body
    finally:
        done.set()
        writer.join()
    assert len(etags) > 5


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
