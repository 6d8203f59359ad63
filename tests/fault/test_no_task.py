#!/usr/bin/python3
"""A thread, or a process, for a connection cannot be made (EAGAIN: RLIMIT_NPROC, pids.max): the client
waits and is served, nothing spins, the error log tells, and a stop is heeded."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "wire"))

from wire import eventually, head, run, test  # noqa: E402
from faults import Faults, option  # noqa: E402

CALL = "fork" if option("--engine") == "process-per-connection" else "pthread_create"
SENTENCE = "for a connection cannot be started: Resource temporarily unavailable"


class Scene:
    def __init__(self, world):
        world.root.write("a.txt", "a")
        self.world = world
        self.faults = Faults(world.path)

    def serve(self):
        self.faults.disarm()
        with self.faults.preloaded():
            return self.world.serve()


@test
def clients_wait_until_there_is_one(scene):
    server = scene.serve()
    assert server.get("/a.txt").body == b"a"
    scene.faults.arm(CALL, "EAGAIN")
    with server.connect() as first, server.connect() as second:
        for connection in first, second:
            connection.send(head("GET", "/a.txt"))
        assert eventually(lambda: scene.faults.count > 0)
        assert eventually(lambda: SENTENCE in server.stderr())
        before = server.cpu_s()
        time.sleep(1)
        assert server.cpu_s() - before < 0.5, "it spins"
        scene.faults.disarm()
        assert first.read_response().body == second.read_response().body == b"a"
    assert 1 <= server.stderr().count(SENTENCE) <= 10


@test
def an_idle_connection_makes_way(scene):
    server = scene.serve()
    with server.connect() as idle:
        assert idle.get("/a.txt").body == b"a"
        scene.faults.arm(CALL, "EAGAIN")
        with server.connect() as other:
            other.send(head("GET", "/a.txt"))
            assert idle.read_to_end(5) == b""
            scene.faults.disarm()
            assert other.read_response().body == b"a"


@test
def it_stops_while_somebody_waits(scene):
    server = scene.serve()
    scene.faults.arm(CALL, "EAGAIN")
    with server.connect() as connection:
        connection.send(head("GET", "/a.txt"))
        assert eventually(lambda: scene.faults.count > 0)
        server.stop()
        assert connection.read_to_end(5) == b""
    scene.faults.disarm()


if __name__ == "__main__":
    run(Scene)
