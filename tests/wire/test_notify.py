#!/usr/bin/python3
"""cache_valid = notify: a change is seen as soon as the kernel has told of it, on any engine, by
whoever asks; where it does not tell, after a second, as without it. What is believed is believed for
a minute, so what is seen here within seconds was told."""

import contextlib
import json
import os
import threading

from wire import Closed, Site, eventually, rounds, run, test

SEEN_S = 20  # a busy machine; nobody looks at what is believed before a minute has passed
CLIENTS = 6
CONF = """
cache_valid = notify
cache_inactive = 10m
server "a" {
    listen = {"@listen@"} root = "@root@" precompressed = {gzip} status_page = "/status"
    location "/rel/" { root = "@world@/releases/current" }
}
"""


def setup(world):
    world.root.write("a.txt", "a 0000")
    world.root.write("deep/er/b.txt", "b 0000")
    world.root.write("way/er/b.txt", "b 0000")
    for number in "12":
        Site(os.path.join(world.path, "releases", number)).write("rel/c.txt", "release " + number)
    os.chmod(os.path.join(world.path, "releases"), 0o755)
    link(os.path.join(world.path, "releases", "current"), "1")
    return world.serve(conf=CONF)


def link(path, to):
    os.symlink(to, path + ".new")
    os.rename(path + ".new", path)


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
    assert eventually(look, SEEN_S), (target, status, body, server.get(target))


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


def change_mode(path, mode):
    """Whoever serves is not root, unless the tests are run by another user."""
    os.chmod(path, mode)
    return os.geteuid() == 0


@test
def all_clients_see_them(server):
    """Each on a connection of its own, in whichever thread."""
    root, releases = server.world.root.path, os.path.join(server.world.path, "releases")
    way, away = os.path.join(root, "way"), os.path.join(root, "away")
    file = os.path.join(root, "m.txt")

    def everyone(target, *expected):
        waiting = list(clients)
        def look():
            waiting[:] = [client for client in waiting if (
                answer := client.get(target)).status not in expected and answer.body not in expected]
            return not waiting
        assert eventually(look, SEEN_S), (target, expected)

    by_time = server.world.engine == "process-per-connection"  # a second each
    one_at_a_time = server.world.engine == "iterative"
    with contextlib.ExitStack() as stack:
        clients = [server] if one_at_a_time else [
            stack.enter_context(server.connect()) for _ in range(CLIENTS)]
        for number in range(1 if by_time else rounds(3)):
            put(server, "m.txt", f"{number} renamed")
            everyone("/m.txt", f"{number} renamed".encode())
            with open(file, "r+", encoding="ascii") as written:
                written.write(f"{number} wriTTen")
            everyone("/m.txt", f"{number} wriTTen".encode())
            if change_mode(file, 0):
                everyone("/m.txt", 403)
            change_mode(file, 0o644)
            everyone("/m.txt", 200)
            os.unlink(file)
            everyone("/m.txt", 404)
            everyone("/rel/c.txt", b"release 1")
            link(os.path.join(releases, "current"), "2")
            everyone("/rel/c.txt", b"release 2")
            link(os.path.join(releases, "current"), "1")
            everyone("/rel/c.txt", b"release 1")
        everyone("/way/er/b.txt", 200)
        os.rename(way, away)
        link(way, "away")
        put(server, "away/er/b.txt", "behind a link")
        everyone("/way/er/b.txt", b"behind a link")
        os.unlink(way)
        os.rename(away, way)
        everyone("/away/er/b.txt", 404)


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
    assert eventually(lambda: server.get("/a.txt", gzip).body == b"packed", SEEN_S)
    os.unlink(os.path.join(server.world.root.path, "a.txt.gz"))
    assert eventually(lambda: server.get("/a.txt", gzip).body != b"packed", SEEN_S)


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
