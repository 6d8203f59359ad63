#!/usr/bin/python3
"""System calls that fail while the server is busy: it neither crashes, hangs, spins nor leaks,
sends no wrong octet, and serves as before once they work again."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "wire"))

from wire import each, eventually, head, run, test  # noqa: E402
from faults import SANITIZER, Faults, Load, demultiplexer, file_jobs, for_seconds, is_idle, \
    option, returns_to, uses_io_uring  # noqa: E402

BUSY_S = 0.25
SLACK = 4  # descriptors: a pipe or two that are kept for the next

ENGINE = option("--engine")
if ENGINE == "proactor" and not uses_io_uring():
    ENGINE = "emulated-proactor"
EPOLL = ("reactor", "reactor-pool", "multi-reactor", "leader-followers", "coroutine",
         "emulated-proactor")
BLOCKING = ("iterative", "thread-per-connection", "thread-pool", "process-per-connection")
CALLING = EPOLL + BLOCKING  # make system calls themselves
URING = ("proactor",)
ALL = CALLING + URING
# What an event loop waits by: the call is made with this demultiplexer alone (poll(2) by others as well).
WAITS = {"epoll_ctl": "epoll", "epoll_wait": "epoll", "poll": "poll", "select": "select",
         "io_submit": "aio", "io_getevents": "aio"}
# Who reads files by the call; where it is not there, all the same.
READS = {"io_submit": "linux-aio", "io_getevents": "linux-aio", "aio_read": "posix-aio",
         "op read": "io_uring", "io_uring_enter": "io_uring"}

# call -> the engines that make it, whether only when the kernel's caches are empty, and the errors
# that it may bring (its man page). "less" is no error: less is done than was asked for.
CALLS = (
    ("accept4", CALLING, False, "EAGAIN EINTR EMFILE ENFILE ENOMEM ECONNABORTED EPERM EIO"),
    ("recv", CALLING, False, "less EAGAIN EINTR ENOMEM ECONNRESET ETIMEDOUT"),
    ("send", CALLING, False, "less EAGAIN EINTR ENOMEM EPIPE ECONNRESET"),
    ("sendfile", ALL, False, "less EAGAIN EINTR ENOMEM EIO EPIPE ECONNRESET"),
    ("epoll_ctl", EPOLL, False, "ENOMEM ENOSPC"),
    ("epoll_wait", EPOLL, False, "EINTR"),
    ("poll", CALLING, False, "EINTR ENOMEM"),
    ("select", EPOLL, False, "EINTR ENOMEM"),
    ("io_submit", EPOLL, False, "EAGAIN"),
    ("io_getevents", EPOLL, False, "EINTR"),
    ("aio_read", (), True, "EAGAIN ENOSYS"),
    ("openat2", ALL, False, "EAGAIN EINTR EMFILE ENFILE ENOMEM EIO"),
    ("fstat", ALL, False, "ENOMEM EIO"),
    ("pread", CALLING, True, "less EINTR EIO ENOMEM"),
    ("preadv2", EPOLL + URING, False, "less EAGAIN EIO EOPNOTSUPP"),
    ("write", ("reactor-pool",), True, "EINTR"),
    ("fcntl", CALLING, False, "ENOMEM EPERM"),
    ("setsockopt", CALLING, False, "ENOMEM EPERM"),
    ("close", ALL, False, "EINTR EIO"),
    ("posix_fadvise", ("reactor-pool", "coroutine"), True, "EINVAL"),
    ("malloc", ALL, False, "ENOMEM"),
    ("op accept", URING, False, "EAGAIN EINTR EMFILE ENFILE ENOMEM ECONNABORTED ECANCELED EIO"),
    ("op recv", URING, False, "EAGAIN EINTR ENOBUFS ENOMEM ECANCELED ECONNRESET"),
    ("op send", URING, False, "less EAGAIN EINTR ENOMEM ECANCELED EPIPE ECONNRESET"),
    ("op read", URING, True, "less EAGAIN EINTR ENOMEM ECANCELED EIO"),
    ("op openat2", URING, True, "EAGAIN EINTR EMFILE ENFILE ENOMEM ECANCELED EIO"),
    ("op statx", URING, True, "EAGAIN EINTR ENOMEM ECANCELED EIO"),
    ("op splice", URING, False, "less EAGAIN EINTR ENOMEM ECANCELED EIO EPIPE"),
    ("op poll", URING, False, "EINTR ENOMEM ECANCELED"),
    ("io_uring_enter", URING, False, "EAGAIN EINTR EBUSY"),
)


# A run with other settings than those that its engine has by default has most code in common with that one, which
# makes all calls: these can meet something else.
OF_A_DEMULTIPLEXER = ("accept4", "recv", "send", "fcntl", "malloc")
OF_AN_EXECUTOR = ("openat2", "fstat", "pread", "preadv2", "write", "sendfile", "setsockopt", "posix_fadvise",
                  "malloc", "op read", "op openat2", "op statx", "op splice", "op poll")
OF_WHO_ACCEPTS = ("accept4", "epoll_ctl", "epoll_wait", "write", "close", "malloc", "op accept", "op recv",
                  "op poll", "io_uring_enter")
# And of the blocking engines, whose driver is one, that with a thread for each connection.
OF_WHO_SERVES = ("accept4", "recv", "poll", "close", "malloc")


def differs(call):
    """Can the engine, or the settings that it is to be tested with, make a difference to this call?"""
    if call in WAITS and WAITS[call] == demultiplexer() != "epoll" or READS.get(call) == file_jobs():
        return True
    settings = option("--variant")
    if ENGINE in BLOCKING:
        return ENGINE == "thread-per-connection" or call in OF_WHO_SERVES
    if demultiplexer() == "sigio":
        return True  # of the few that makes() names
    if demultiplexer() != "epoll":
        return call in OF_A_DEMULTIPLEXER
    if file_jobs() != "auto" or "file_io=" in settings or "pool_work=file" in settings:
        return call in OF_AN_EXECUTOR
    if "accept=" in settings or ENGINE == "proactor" and "threads=" in settings:
        return call in OF_WHO_ACCEPTS
    return True


def makes(call, engines):
    """Does the engine make the call, with the settings that it is to be tested with?"""
    settings = option("--variant")
    if READS.get(call) == file_jobs():
        return True
    if call == "sendfile" and file_jobs() == "linux-aio":
        return False
    if call == "sendfile" and ("file_io=read" in settings or "file_io=splice" in settings):
        return False
    if demultiplexer() == "sigio":  # no signal can be brought that would follow an EAGAIN
        return call in ("fcntl", "poll", "malloc")
    if call in WAITS and demultiplexer() != WAITS[call] \
            and (call != "poll" or ENGINE not in (*BLOCKING, "emulated-proactor")):
        return False
    if call == "fcntl" and ENGINE not in BLOCKING:
        return False
    if call == "setsockopt" and ENGINE not in BLOCKING and not makes("sendfile", engines):
        return False  # a socket is corked for sendfile(2) alone
    if call == "op splice" and "file_io=splice" not in settings:
        return False
    if call == "preadv2" and ENGINE == "proactor" and "file_io=read" in settings:
        return False
    if call == "posix_fadvise" and file_jobs() not in ("auto", "workers"):
        return False  # the others begin to read in place of giving advice
    if call == "malloc" and SANITIZER:
        return False  # the sanitizer's own is called
    return ENGINE in engines


class Scene:
    def __init__(self, world):
        self.load = Load(world.root)
        self.faults = Faults(world.path)
        with self.faults.preloaded():
            # Few files are kept, so that they are opened and read again and again; and few connections are
            # allowed, so that no multishot accept takes them all without being asked again.
            self.server = world.serve(settings={"cache_files": "8", "cache_bytes": "4k", "autoindex": "on",
                                                "connections_max": "500"})
        self.load.run(self.server, 0, for_seconds(0.5), lambda: None)
        assert returns_to(self.server, 100)
        self.descriptors = self.server.descriptors() + SLACK

    def recovers(self):
        self.load.serves(self.server)
        assert returns_to(self.server, self.descriptors), \
            f"{self.descriptors} descriptors at most before, {self.server.descriptors()} now"
        assert is_idle(self.server), "the server spins"


def setup(world):
    return Scene(world)


ROWS = [(f"{call}, {error}", call, error.replace("less", ""),
         cold or READS.get(call) == file_jobs())
        for call, engines, cold, errors in CALLS if makes(call, engines) and differs(call)
        for error in errors.split()]


# Where all of them fail, reads are refused, and not only late.
ERRORS_OF_READS = [
    (call, error) for call, kind, errors in (
        ("io_submit", "linux-aio", "EAGAIN ENOMEM EPERM ENOSYS EINVAL"),
        ("aio_read", "posix-aio", "EAGAIN ENOSYS"),
        ("op read", "io_uring", "EAGAIN EINVAL EOPNOTSUPP ECANCELED EIO"))
    if kind == file_jobs() for error in errors.split()]


@each(ROWS)
def now_and_then(scene, _, call, error, cold):
    """One in three, at random: a connection may end for it, an answer may be a 503 or a 500."""
    seed = sum(map(ord, call + error))
    scene.faults.arm(call, error, every=3, seed=seed, cold=cold)
    busy, patient = for_seconds(BUSY_S), for_seconds(10)
    scene.load.run(scene.server, seed,
                   lambda: busy() or (scene.faults.count == 0 and patient()), scene.faults.disarm)
    assert scene.faults.count > 0, f"{call} was never called"
    scene.recovers()


@each(["EMFILE", "ENFILE", "ENOMEM", "EIO"])
def nothing_can_be_accepted(scene, error):
    """For a while. Clients wait, the server does not spin, and then all are served."""
    call = "op accept" if makes("op accept", URING) else "accept4"
    with scene.server.connect() as connection:  # takes what is armed already
        assert connection.get("/small.txt").status == 200
    scene.faults.arm(call, error)
    connections = [scene.server.connect() for _ in range(20)]
    for connection in connections:
        connection.send(head("GET", "/small.txt", "Connection: close"))
    try:
        assert eventually(lambda: scene.faults.count > 0)
        assert is_idle(scene.server), "the server spins"
        scene.faults.disarm()
        for connection in connections:
            assert connection.read_response().body == b"small"
    finally:
        scene.faults.disarm()
        for connection in connections:
            connection.close()
    scene.recovers()


@each(["EAGAIN", "EBUSY", "ENOMEM"] if ENGINE in URING else [])
def nothing_can_be_submitted(scene, error):
    """For a while: memory is short. Clients wait, the server does not spin, then all are served."""
    with scene.server.connect() as connection:
        assert connection.get("/small.txt").status == 200
        scene.faults.arm("io_uring_enter", error)
        connection.send(head("GET", "/medium.bin"))
        assert is_idle(scene.server), "the server spins"
        scene.faults.disarm()
        assert scene.faults.count > 0
        scene.load.check(connection.read_response(), "/medium.bin")
    scene.recovers()


@each(ERRORS_OF_READS)
def no_file_can_be_read_so(scene, call, error):
    """As by a filter that is set late, or with nothing left: workers read everything instead."""
    scene.faults.arm(call, error, cold=True)
    scene.load.serves(scene.server)
    assert scene.faults.count > 0, f"{call} was never called"
    scene.load.run(scene.server, 4, for_seconds(BUSY_S), scene.faults.disarm)
    scene.recovers()


@each([("openat2", "EMFILE", 503), ("openat2", "ENFILE", 503), ("openat2", "ENOMEM", 503),
       ("openat2", "EIO", 500), ("fstat", "EIO", 500), ("fstat", "ENOMEM", 503)])
def nothing_can_be_opened(scene, call, error, status):
    """The connection is kept, and what was refused is not remembered as the file's."""
    name = f"unknown/{call}-{error}.html"  # nothing of it is in the cache
    scene.server.world.root.write(name, "unknown")
    with scene.server.connect() as connection:
        assert connection.get("/page.html").status == 200
        scene.faults.arm(call, error)
        try:
            answer = connection.get("/" + name)
        finally:
            scene.faults.disarm()
        assert answer.status == status, answer
        assert connection.get("/" + name).status == 200
    scene.recovers()


@each([("4 8",), ("2 4",), ("1 2",)] if ENGINE in URING else [])
def a_ring_that_is_too_small(scene, sizes):
    """So few places for operations and completions: both queues overflow all the time."""
    with scene.faults.preloaded(FAULT_RING=sizes):
        server = scene.server.world.serve(settings={"autoindex": "on"})
    scene.load.run(server, 3, for_seconds(BUSY_S), lambda: None)
    scene.load.serves(server)
    assert is_idle(server), "the server spins"


@test
def openat2_is_forbidden_from_now_on(scene):
    """As by a filter that is set late: paths are walked instead, with the same answers."""
    scene.faults.arm("openat2", "ENOSYS")
    scene.load.run(scene.server, 1, for_seconds(BUSY_S), lambda: None)
    scene.load.serves(scene.server)
    scene.faults.arm("openat", "EMFILE", every=3, seed=2)
    scene.load.run(scene.server, 2, for_seconds(BUSY_S), scene.faults.disarm)
    scene.recovers()


if __name__ == "__main__":
    run(setup)
