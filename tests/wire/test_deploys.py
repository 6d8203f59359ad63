#!/usr/bin/python3
"""New releases (HTTP.md "Finding the file"): the path of a root is looked up again within
`cache_valid`. A link that is switched, or a folder that takes a folder's place, is seen by every
root and alias; one answer comes from one release; where nothing is, 404."""

import os
import threading
import time

from wire import LOOKED_INTO, Site, each, eventually, rounds, run, test

SEEN_S = 1.0 + 3  # cache_valid if not set, and generous slack
CONF = """server "localhost" {
    listen = {"@listen@"}
    root = "@world@/NAME/current"
    error_pages = {"404=/404.html"}
    location "/spa/" { try = {"$uri", "/index.html"} }
    location "/below/" { root = "@world@/NAME/current" }
    location "/alias/" { alias = "@world@/NAME/current/alias" autoindex = on }
    location "/middle/" { alias = "@world@/NAME/current/deep/er" }
}
"""


def setup(world):
    return world


def release(world, name, number):
    site = Site(os.path.join(world.path, name, "releases", number))
    for path in ("a.txt", "index.html", "below/a.txt", "alias/a.txt", "deep/er/a.txt", "404.html"):
        site.write(path, f"{path} of {number}")
    site.write("large.bin", number.encode() * 100_000)
    site.write(f"alias/only-{number}.txt", number)
    return site


def switch(world, name, number, to="releases/"):
    """As deploys do it: a link with a new name, which is then renamed."""
    folder = os.path.join(world.path, name)
    os.symlink(to + number, os.path.join(folder, "next"))
    os.rename(os.path.join(folder, "next"), os.path.join(folder, "current"))


def deployed(world, name, **options):
    for number in "12":
        release(world, name, number)
    os.chmod(os.path.join(world.path, name), 0o755)
    switch(world, name, "1")
    return world.serve(conf=CONF.replace("NAME", name), **options)


def body(server, target):
    answer = server.get(target)
    return answer.body if answer.status in (200, 404) else answer.status


PLACES = [("/a.txt", "a.txt"), ("/", "index.html"), ("/below/a.txt", "below/a.txt"),
          ("/alias/a.txt", "alias/a.txt"), ("/middle/a.txt", "deep/er/a.txt"),
          ("/nothing", "404.html")]


@test
def a_switched_link_is_seen_everywhere(world):
    server = deployed(world, "switched")
    for target, name in PLACES:
        assert body(server, target) == f"{name} of 1".encode(), target
    assert body(server, "/large.bin") == b"1" * 100_000
    assert b"only-1.txt" in body(server, "/alias/")
    switch(world, "switched", "2")
    for target, name in PLACES:
        assert eventually(lambda: body(server, target) == f"{name} of 2".encode(), SEEN_S), target
    assert eventually(lambda: body(server, "/large.bin") == b"2" * 100_000, SEEN_S)
    assert eventually(lambda: b"only-2.txt" in body(server, "/alias/"), SEEN_S)


@test
def so_it_is_while_the_old_files_are_asked_for_all_the_time(world):
    """Nothing that is known of the old release keeps it alive."""
    server = deployed(world, "busy")
    with server.connect() as connection:
        def seen():
            return connection.get("/a.txt").body == b"a.txt of 2"
        assert not seen()
        switch(world, "busy", "2")
        assert eventually(seen, SEEN_S, pause_s=0.001)


@each([("moved", True), ("removed and made", False)])
def a_folder_that_takes_a_folders_place_is_seen(world, kind, moved):
    name = f"folder-{moved}"
    server = deployed(world, name)
    folder = os.path.join(world.path, name)
    os.remove(os.path.join(folder, "current"))
    os.rename(os.path.join(folder, "releases/1"), os.path.join(folder, "current"))
    assert eventually(lambda: body(server, "/a.txt") == b"a.txt of 1", SEEN_S)
    if moved:
        os.rename(os.path.join(folder, "current"), os.path.join(folder, "old"))
        os.rename(os.path.join(folder, "releases/2"), os.path.join(folder, "current"))
    else:
        Site(os.path.join(folder, "current")).demolish()
        Site(os.path.join(folder, "current")).write("a.txt", "a.txt of 2")
    assert eventually(lambda: body(server, "/a.txt") == b"a.txt of 2", SEEN_S)


@test
def where_nothing_is_there_is_404_until_there_is(world):
    """A gap in a deploy is not remembered. (One connection: one thread's view of it.)"""
    server = deployed(world, "gap", settings={"cache_valid": "2s"})
    with server.connect() as connection:
        assert connection.get("/a.txt").body == b"a.txt of 1"
        current = os.path.join(world.path, "gap/current")
        os.remove(current)
        assert eventually(lambda: connection.get("/a.txt").status == 404, 2 + SEEN_S)
        assert eventually(lambda: connection.get("/alias/").status == 404, 2 + SEEN_S)
        os.symlink("releases/2", current)
        assert connection.get("/a.txt").body == b"a.txt of 2"
        assert connection.get("/alias/a.txt").body == b"alias/a.txt of 2"


@test
def a_download_goes_on_from_the_old_release(world):
    server = deployed(world, "download")
    size = 12_000_000
    Site(os.path.join(world.path, "download/releases/1")).write("big.bin", b"1" * size)
    with server.connect(receive_buffer=16384) as connection:
        connection.send(b"GET /big.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection.read_head()
        switch(world, "download", "2")
        assert eventually(lambda: body(server, "/a.txt") == b"a.txt of 2", SEEN_S)
        Site(os.path.join(world.path, "download/releases/1")).demolish()
        assert connection.read_octets(size).count(b"1") == size
        assert eventually(lambda: connection.get("/a.txt").body == b"a.txt of 2", SEEN_S)


@test
def the_old_release_may_be_removed_at_once(world):
    """What was believed of the root is no reason for a 404, nor to go on with `try`."""
    names = [f"{folder}/{number}.txt" for folder in ("below", "spa") for number in range(20)]

    for number in "12":
        site = release(world, "removed", number)
        for name in names:
            site.write(name, f"{name} of {number}")
    os.chmod(os.path.join(world.path, "removed"), 0o755)
    switch(world, "removed", "1")
    server = world.serve(conf=CONF.replace("NAME", "removed"), settings={"cache_valid": "5s"})
    with server.connect() as connection:
        known = names[::3]
        for name in known:
            assert connection.get(f"/{name}").body == f"{name} of 1".encode()
        switch(world, "removed", "2")
        Site(os.path.join(world.path, "removed/releases/1")).demolish()
        for name in names:
            answer = connection.get(f"/{name}")
            told = {f"{name} of 2".encode()} | ({f"{name} of 1".encode()} if name in known else set())
            assert answer.status == 200 and answer.body in told, (name, answer.status, answer.body)
        assert body(server, "/nothing") == b"404.html of 2"


@test
def one_answer_is_of_one_release(world):
    """Each release has one of the two names that `try` asks for, one of the two sidecars, and its
    own names in a folder: an answer that took one look in one and the next in the other would find
    neither, or both."""
    for number, mine, suffix in (("1", "odd", "gz"), ("2", "even", "br")):
        site = release(world, "mixed", number)
        site.write(f"{mine}.txt", mine)
        site.write("page.txt", "plain")
        site.write(f"page.txt.{suffix}", suffix)
        for index in range(40):
            site.write(f"names/{index}-{number}.txt", "")
    os.chmod(os.path.join(world.path, "mixed"), 0o755)
    switch(world, "mixed", "1")
    server = world.serve(conf="""server "localhost" {
        listen = {"@listen@"}
        root = "@world@/mixed/current"
        location "/either/" { try = {"/odd.txt", "/even.txt"} }
        precompressed = {"gzip", "br"}
        location "/names/" { autoindex = on }
    }""", settings={"cache_valid": "0s"})
    done = threading.Event()

    def flip():
        number = 0
        while not done.is_set():
            number += 1
            switch(world, "mixed", "12"[number % 2])
    flipper = threading.Thread(target=flip)
    flipper.start()
    seen = set()
    try:
        with server.connect() as connection:
            for _ in range(rounds(400)):
                answer = connection.get("/either/x")
                assert answer.status == 200, answer.status
                seen.add(answer.body)
                answer = connection.get("/page.txt", "Accept-Encoding: gzip, br")
                assert answer.body in (b"gz", b"br"), answer.body
                assert answer["Content-Encoding"] == {b"gz": "gzip", b"br": "br"}[answer.body]
            for _ in range(rounds(100)):
                listing = connection.get("/names/").body
                assert (b"-1.txt" in listing) != (b"-2.txt" in listing), listing
    finally:
        done.set()
        flipper.join()
    assert seen == {b"odd", b"even"}, f"never switched in time: {seen}"


@test
def roots_that_nobody_asks_for_are_let_go(world):
    """An idle server keeps no root open, nor does it use CPU time to see to that."""
    server = deployed(world, "idle", settings=LOOKED_INTO)

    def held():
        return [path for path in server.open_files()
                if path.endswith(("/releases/1", "/releases/1/alias"))]
    assert body(server, "/a.txt") == b"a.txt of 1"
    assert eventually(lambda: not held(), SEEN_S + 5), held()
    before = server.cpu_s()
    time.sleep(1.5)
    assert server.cpu_s() - before < 0.15
    assert body(server, "/a.txt") == b"a.txt of 1"


if __name__ == "__main__":
    run(setup, jobs=4)
