#!/usr/bin/python3
"""cache_valid = notify: a change is seen as soon as the kernel has told of it, on any engine; where
it does not tell, after a second, as without it. What is believed is believed for a minute, so what
is seen here within seconds was told."""

import contextlib
import json
import os
import threading

from wire import Closed, eventually, run, test

CONF = """
cache_valid = notify
cache_inactive = 10m
server "a" { listen = {"@listen@"} root = "@root@" precompressed = {gzip} status_page = "/status" }
"""


def setup(world):
    world.root.write("a.txt", "a 0000")
    world.root.write("deep/er/b.txt", "b 0000")
    return world.serve(conf=CONF)


def put(server, name, text):
    """As a deploy does it: under another name, and renamed."""
    path = os.path.join(server.world.root.path, name)
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(text)
    os.rename(path + ".new", path)


def seen(server, target, status, body=None):
    def look():
        answer = server.get(target)
        return answer.status == status and (body is None or answer.body == body.encode())
    eventually(look)


@test
def changes_are_seen(server):
    root = server.world.root.path
    for target, name in (("/a.txt", "a.txt"), ("/deep/er/b.txt", "deep/er/b.txt")):
        assert server.get(target).body.endswith(b"0000")
        put(server, name, "renamed")
        seen(server, target, 200, "renamed")
        with open(os.path.join(root, name), "r+", encoding="ascii") as file:
            file.write("WRITTEN")
        seen(server, target, 200, "WRITTEN")
        os.unlink(os.path.join(root, name))
        seen(server, target, 404)
        put(server, name, "again 0000")
        seen(server, target, 200, "again 0000")


@test
def folders_move(server):
    root = server.world.root.path
    assert server.get("/deep/er/b.txt").status == 200
    os.rename(os.path.join(root, "deep"), os.path.join(root, "moved"))
    seen(server, "/deep/er/b.txt", 404)
    assert server.get("/moved/er/b.txt").status == 200
    os.rename(os.path.join(root, "moved"), os.path.join(root, "deep"))
    seen(server, "/moved/er/b.txt", 404)
    seen(server, "/deep/er/b.txt", 200)


@test
def a_sidecar_comes(server):
    gzip = "Accept-Encoding: gzip"
    assert server.get("/a.txt", gzip).body != b"packed"
    server.world.root.write("a.txt.gz", "packed")
    eventually(lambda: server.get("/a.txt", gzip).body == b"packed")
    os.unlink(os.path.join(server.world.root.path, "a.txt.gz"))
    eventually(lambda: server.get("/a.txt", gzip).body != b"packed")


@test
def nobody_goes_back(server):
    """While many read, what a connection sees never becomes older."""
    put(server, "n.txt", "%06d" % 0)
    ended = threading.Event()
    wrong = []

    def read():
        while not ended.is_set():
            with contextlib.suppress(ConnectionError, Closed), server.connect() as connection:
                last = 0
                while not ended.is_set():
                    now = int(connection.get("/n.txt").body)
                    if now < last:
                        wrong.append((last, now))
                    last = now

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(1, 101):
        put(server, "n.txt", "%06d" % number)
    ended.set()
    for reader in readers:
        reader.join()
    assert not wrong, wrong
    seen(server, "/n.txt", 200, "%06d" % 100)


@test
def it_is_counted(server):
    figures = json.loads(server.get("/status", "Accept: application/json").body)
    assert figures["file_cache_memory_bytes"] >= 0 and figures["file_cache_watches"] >= 0
    assert set(figures["file_cache_notices_total"]) == {"change", "overflow", "unwatched"}


if __name__ == "__main__":
    run(setup)
