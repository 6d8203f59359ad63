#!/usr/bin/python3
"""A storage that does not answer any more (operations.md "Shared storage"): a server of files, or the process
of a FUSE, hangs. Who asks for its files waits, and everybody else is served."""

import os
import tempfile

from wire import fuse, head, run, test

SMALL, MIDDLE, LARGE = 900, 1 << 20, 3 << 20
WAITING = 12  # fewer than remote_workers
MTIME_NS = 1704164645_000000000


def setup(world):
    world.root.write("local.txt", "local")
    storage = fuse.site_or_skip()
    beneath = fuse.site_or_skip(os.path.join(tempfile.mkdtemp(prefix="gearshift-local-"), "mounted"))
    server = world.serve(conf="""
        server "local" {
            listen = {"@listen@"}
            root = "@root@"
            location "/storage/" {
                alias = "%s/"
                autoindex = on
                archive = {"tar"}
            }
            location "/beneath/" { alias = "%s/" }
        }
    """ % (storage.path, os.path.dirname(beneath.path)), settings={"cache_valid": "0"})
    return server, storage, beneath


def others_are_served(server):
    for _ in range(4):
        assert server.get("/local.txt").body == b"local"


def wait_and_get(server, storage, what, name, uri):
    """Clients ask for `uri`, and `what` of the file `name` is not answered: others are served. Then
    the clients get their answers."""
    storage.hold(what, name=name)
    try:
        waiting = [server.connect() for _ in range(WAITING)]
        for connection in waiting:
            connection.send(head("GET", uri))
        assert storage.wait_until_held()
        others_are_served(server)
    finally:
        storage.let_go()
    answers = [connection.read_response() for connection in waiting]
    for connection in waiting:
        connection.close()
    return answers


def held_up(fixture, what, name, size):
    server, storage, _ = fixture
    data = storage.write(name, bytes(range(256)) * (size // 256))
    for answer in wait_and_get(server, storage, what, name, "/storage/" + name):
        assert answer.body == data


@test
def a_name_that_is_not_found(fixture):
    held_up(fixture, "lookup", "lookup.txt", SMALL)


@test
def an_open_that_waits(fixture):
    held_up(fixture, "open", "open.txt", SMALL)


@test
def attributes(fixture):
    held_up(fixture, "getattr", "attributes.txt", SMALL)


@test
def a_small_file_that_cannot_be_read(fixture):
    held_up(fixture, "read", "small.txt", SMALL)


@test
def a_large_one(fixture):
    held_up(fixture, "read", "large.bin", MIDDLE)


@test
def the_rest_of_a_large_one_that_has_begun(fixture):
    server, storage, _ = fixture
    data = storage.write("begun.bin", bytes(range(256)) * (LARGE // 256))
    with server.connect(receive_buffer=16384) as connection:
        connection.send(head("GET", "/storage/begun.bin"))
        connection.read_head()
        storage.hold("read", name="begun.bin")
        try:
            others_are_served(server)
        finally:
            storage.let_go()
        assert connection.read_octets(len(data)) == data


@test
def a_listing(fixture):
    """Of several pieces: some are the storage's, and others the memory's."""
    server, storage, _ = fixture
    for number in range(300):
        storage.write(f"folder/{number}.txt", "1")
    for answer in wait_and_get(server, storage, "read", "folder", "/storage/folder/"):
        assert answer.body.count(b".txt</a>") == 300, answer.body[:3000]


@test
def a_file_that_is_closed(fixture):
    """A descriptor that is no longer needed is closed, which the storage is told and may keep."""
    server, storage, _ = fixture
    storage.write("closed.bin", b"1" * LARGE, MTIME_NS)
    assert len(server.get("/storage/closed.bin").body) == LARGE
    storage.hold("flush", name="closed.bin")
    try:
        storage.write("closed.bin", b"2" * (LARGE - 1), MTIME_NS + 10**9)
        assert server.get("/storage/closed.bin").body == b"2" * (LARGE - 1)
        others_are_served(server)
    finally:
        storage.let_go()


@test
def an_archive_whose_client_leaves(fixture):
    """What it was reading is closed, which the storage may keep."""
    server, storage, _ = fixture
    storage.write("packed/large.bin", b"1" * LARGE)
    with server.connect(receive_buffer=16384) as connection:
        connection.send(head("GET", "/storage/packed/?archive=tar"))
        connection.read_head()
        connection.read_octets(16384)
        storage.hold("flush", name="large.bin")
    try:
        assert storage.wait_until_held()
        others_are_served(server)
    finally:
        storage.let_go()


@test
def a_storage_that_is_mounted_below_a_local_root(fixture):
    server, _, beneath = fixture
    data = beneath.write("deep.txt", "deep")
    for answer in wait_and_get(server, beneath, "open", "deep.txt", "/beneath/mounted/deep.txt"):
        assert answer.body == data


if __name__ == "__main__":
    run(setup)
