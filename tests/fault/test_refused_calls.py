#!/usr/bin/python3
"""Calls that a container forbids (seccomp), or that a file system does not have: the server takes
another way, remembers it, and tells once."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "wire"))

from wire import Closed, each, head, run, test  # noqa: E402
from faults import Faults, Load, for_seconds, is_idle, option  # noqa: E402

PROACTOR = option("--engine") == "proactor"
VARIANT = option("--variant")
# What a process of a connection has learned ends with it.
ONE_PROCESS = option("--engine") != "process-per-connection"
SENDFILE = not any(setting in VARIANT
                   for setting in ("file_io=read", "file_io=splice", "file_jobs=linux-aio"))
SPLICE = "file_io=splice" in VARIANT


class Scene:
    def __init__(self, world):
        self.world = world
        self.load = Load(world.root)
        self.faults = Faults(world.path)

    def serve(self):
        self.faults.disarm()
        with self.faults.preloaded():
            return self.world.serve(settings={"autoindex": "on"})

    def is_served(self, call, error, needle):
        """Everything is right from the first answer on; the call is made a few times at most, and
        one line tells."""
        server = self.serve()
        self.faults.arm(call, error)
        self.load.serves(server)
        faults = self.faults.count
        assert faults > 0, f"{call} was never called"
        self.load.run(server, 5, for_seconds(0.3), lambda: None)
        self.load.serves(server)
        # Several threads, and several connections of one, may be at it when the first one hears.
        assert not ONE_PROCESS or self.faults.count <= faults + 8, \
            "what was refused is not remembered"
        self.faults.disarm()
        text = server.stderr()
        assert text.count(needle) == 1 or (text.count(needle) > 1 and not ONE_PROCESS), text
        assert "error" not in text, text
        assert is_idle(server), "the server spins"


def setup(world):
    return Scene(world)


@each([("EPERM",), ("ENOSYS",), ("EACCES",)] if SENDFILE else [])
def sendfile_is_forbidden(scene, error):
    scene.is_served("sendfile", error, "warn sendfile(2) is refused: ")


@each([("EINVAL",), ("EOPNOTSUPP",)] if SENDFILE else [])
def sendfile_is_not_to_be_had_from_a_file_system(scene, error):
    scene.is_served("sendfile", error, "warn sendfile(2) is not to be had from the file system of "
                    f"{scene.world.root.path}/")


@each([("EPERM", "is refused: "), ("EINVAL", "is not to be had from the file system of ")]
      if SPLICE else [])
def splice_is_refused(scene, error, needle):
    scene.is_served("op splice", error, "warn splice(2) " + needle)


@each([("EPERM",), ("EINVAL",)] if SPLICE else [])
def splice_is_refused_in_mid_answer(scene, error):
    """With octets in the pipe, which are in no file's place any more."""
    server = scene.serve()
    scene.faults.arm("op splice", error, start=3)
    scene.load.serves(server)
    assert scene.faults.count > 0
    scene.faults.disarm()


@each([("EPERM",), ("EMFILE",)] if SPLICE else [])
def no_pipe_can_be_made(scene, error):
    server = scene.serve()
    scene.faults.arm("pipe2", error)
    scene.load.serves(server)
    assert scene.faults.count > 0
    scene.faults.disarm()
    assert "warn pipe2: " in server.stderr(), server.stderr()
    assert "; a file is sent by sendfile instead" in server.stderr(), server.stderr()


@test
def a_slow_reader_where_sendfile_is_forbidden(scene):
    """What the socket does not take is sent when it has room, and is right."""
    if not SENDFILE:
        return
    server = scene.serve()
    data = scene.world.root.pattern("slow.bin", 6_000_000)
    scene.faults.arm("sendfile", "EPERM")
    with server.connect(receive_buffer=4096) as connection:
        answer = connection.get("/slow.bin")
        assert answer.status == 200 and answer.body == data
    scene.faults.disarm()
    assert is_idle(server), "the server spins"


@test
def how_far_a_slow_reader_has_come_is_asked_in_another_way(scene):
    """TCP_INFO is refused, and the queue of the socket tells (SIOCOUTQ): who reads fast enough
    is kept, though the socket accepts nothing for a window and more."""
    with scene.faults.preloaded():
        server = scene.world.serve(settings={"send_timeout": "2s", "send_rate_min": "1000"})
    data = scene.world.root.pattern("slow.bin", 8_000_000)
    scene.faults.arm("getsockopt", "EPERM")
    with server.connect(receive_buffer=1 << 17) as connection:
        connection.send(head("GET", "/slow.bin"))
        assert int(connection.read_head()["Content-Length"]) == len(data)
        until = time.monotonic() + 5
        while time.monotonic() < until:
            connection.pending += connection.sock.recv(15_000)
            time.sleep(0.05)
        assert connection.read_octets(len(data)) == data
    assert scene.faults.count > 0
    scene.faults.disarm()


@each([(call, error) for call in ("preadv2", "openat2") for error in ("EPERM", "ENOSYS")])
def calls_that_only_make_it_faster(scene, call, error):
    server = scene.serve()
    scene.faults.arm(call, error)
    scene.load.run(server, 7, for_seconds(0.3), lambda: None)
    scene.load.serves(server)
    scene.faults.disarm()
    assert "error" not in server.stderr(), server.stderr()


@each([("getpeername", "getpeername; a new connection is dropped")] if PROACTOR else [])
def a_connection_is_dropped_with_a_line(scene, call, line):
    server = scene.serve()
    scene.faults.arm(call, "EPERM")
    with server.connect() as connection:
        try:
            connection.get("/small.txt")
            raise AssertionError("it was served")
        except (Closed, ConnectionError):
            pass
    scene.faults.disarm()
    assert f"error {line}: Operation not permitted\n" in server.stderr(), server.stderr()
    scene.load.serves(server)


@each([("readdir", "/many/", "list a directory"), ("fstat", "/page.html", "open a file")])
def a_file_is_forbidden_with_a_line(scene, call, target, what):
    """By a filter, and not by its mode."""
    server = scene.serve()
    with server.connect() as connection:
        assert connection.get("/none").status == 404  # its thread has looked up the root
        scene.faults.arm(call, "EPERM")
        assert connection.get(target).status == 403
    scene.faults.disarm()
    assert f"error cannot {what}: {scene.world.root.path}{target.rstrip('/')}: " \
        "Operation not permitted\n" in server.stderr(), server.stderr()


@test
def a_shutdown_that_is_refused(scene):
    """The connection ends all the same."""
    server = scene.serve()
    scene.faults.arm("shutdown", "EPERM")
    with server.connect() as connection:
        connection.send(b"BAD\r\n\r\n")
        assert connection.read_response().status == 400
        connection.read_to_end()
    scene.faults.disarm()
    assert "error cannot end the sending side of a connection: Operation not permitted\n" \
        in server.stderr(), server.stderr()


if __name__ == "__main__":
    run(setup)
