#!/usr/bin/python3
"""Clients that ask for much and do not read: each holds little memory, whatever way files take, and
when they read again everything is right. docs/decisions/0028."""

import time

from wire import Closed, eventually, head, run, test

READERS = 80
SIZE = 8_000_000
# KiB a reader: without TLS, and with it. The page cache and the kernel's socket memory do not count.
# Much more than it takes, and much less than what one READ brings (128 KiB), or one batch of records
# and what they were made of (250).
PLAIN_KIB = 48
TLS_KIB = 110


class Scene:
    def __init__(self, world):
        self.data = world.root.pattern("large.bin", SIZE)
        world.root.write("small.txt", "small")
        self.world = world
        self.server = world.serve()
        assert self.server.get("/large.bin").body == self.data

    def ask(self):
        connection = self.server.connect(receive_buffer=4096)
        connection.send(head("GET", "/large.bin"))
        assert connection.read_head().status == 200
        return connection


def setup(world):
    return Scene(world)


@test
def their_memory(scene):
    before = scene.server.memory_kib("RssAnon")
    readers = [scene.ask() for _ in range(READERS)]
    bound = READERS * (TLS_KIB if scene.world.tls else PLAIN_KIB)

    def is_small():
        return scene.server.memory_kib("RssAnon") - before <= bound

    try:
        # What was needed while sockets were filled is given back a second or two later.
        if not scene.server.is_sanitized():
            assert eventually(is_small, 20), \
                f"{(scene.server.memory_kib('RssAnon') - before) / READERS} KiB each"
        assert scene.server.get("/small.txt").body == b"small"
        for reader in readers[:5]:
            assert reader.read_octets(SIZE) == scene.data
    finally:
        for reader in readers:
            reader.close()


@test
def one_that_stops_again_and_again(scene):
    """Octets that were read and given back are read again, in their order."""
    with scene.ask() as connection:
        for _ in range(12):
            connection.fill("more")
            time.sleep(0.05)  # meanwhile the sockets are full
        assert connection.read_octets(SIZE) == scene.data


@test
def ranges_of_it(scene):
    """Several in one answer: what follows a range is in its place."""
    with scene.server.connect(receive_buffer=4096) as connection:
        connection.send(head("GET", "/large.bin", "Range: bytes=0-2999999,4000000-6999999"))
        answer = connection.read_response()
        assert answer.status == 206
        assert scene.data[:3_000_000] in answer.body
        assert scene.data[4_000_000:7_000_000] in answer.body


@test
def one_that_leaves(scene):
    with scene.ask() as connection:
        connection.fill("something")
        connection.reset()
    try:
        assert scene.server.get("/large.bin").body == scene.data
    except Closed as error:
        raise AssertionError("another connection was closed") from error


if __name__ == "__main__":
    run(setup)
