#!/usr/bin/python3
"""What fails stands in the error log: which file, what was done with it, why. The lines are limited
in number, and how many were left out is told, when the period ends and when the server stops."""

import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "wire"))

from wire import Closed, each, eventually, run, test  # noqa: E402
from faults import SANITIZER, Faults, has_executor, option, uses_io_uring  # noqa: E402

URING = uses_io_uring()
VARIANT = option("--variant")
SENDFILE = not any(setting in VARIANT
                   for setting in ("file_io=read", "file_io=splice", "file_jobs=linux-aio"))
LINES = 10  # LOG_REPEAT_LINES of core/log_repeat.h
# A process of a connection limits and counts its own lines, and tells what was left out when it ends.
ONE_PROCESS = option("--engine") != "process-per-connection"
PERIOD_S = 61  # LOG_REPEAT_MS and a second
LEFT_OUT = re.compile(r"error ([^\n]*): (\d+) more such lines were left out within 60 seconds\n")
TEXTS = {"EIO": "Input/output error", "EMFILE": "Too many open files",
         "ENFILE": "Too many open files in system", "ENOMEM": "Cannot allocate memory"}


class Scene:
    def __init__(self, world):
        self.world = world
        self.faults = Faults(world.path)
        world.root.write("small.txt", "small")
        world.root.write("dir/a.txt", "a")
        world.root.write("dir/b.txt", "b")
        world.root.pattern("large.bin", 1_500_000)
        world.root.link("absolute.txt", os.path.join(world.root.path, "small.txt"))

    def serve(self, **settings):
        """A server that has looked up its root a moment ago, and has nothing else in its cache."""
        self.faults.disarm()
        with self.faults.preloaded():
            server = self.world.serve(settings={"autoindex": "on", "cache_files": "8", "cache_bytes": "4k", **settings})
        assert self.ask(server, "/none") == 404
        return server

    def ask(self, server, target):
        """The status, or what came instead of a whole answer."""
        try:
            with server.connect() as connection:
                return connection.get(target).status
        except (Closed, ConnectionError):
            return "cut"


def setup(world):
    return Scene(world)


OPENS = [(call, error) for call, errors in
         (("openat2", "EIO EMFILE ENFILE ENOMEM"), ("fstat", "EIO ENOMEM")) for error in errors.split()]


@each(OPENS)
def a_file_that_cannot_be_opened(scene, call, error):
    server = scene.serve()
    with server.connect() as connection:
        assert connection.get("/none").status == 404  # its thread has looked up the root
        scene.faults.arm(call, error)
        status = connection.get("/small.txt").status
    scene.faults.disarm()
    assert status == (500 if error == "EIO" else 503), status
    assert f"error cannot open a file: {scene.world.root.path}/small.txt: {TEXTS[error]}" \
        in server.stderr(), server.stderr()
    if error == "EMFILE":
        assert "; raise the limit of open files (ulimit -n)\n" in server.stderr()


@each([(call, error) for call in ("readlinkat", "fstatfs") for error in ("EIO", "ENOMEM")])
def a_link_that_cannot_be_followed(scene, call, error):
    """An absolute one is followed by the server itself."""
    server = scene.serve()
    assert scene.ask(server, "/dir/a.txt") == 200  # its file system is known by now
    with server.connect() as connection:
        assert connection.get("/none").status == 404
        scene.faults.arm(call, error)
        status = connection.get("/absolute.txt").status
        scene.faults.disarm()
        assert scene.faults.count > 0
        assert status == (500 if error == "EIO" else 503), status
        assert connection.get("/absolute.txt").status == 200
    assert f"error cannot open a file: {scene.world.root.path}/absolute.txt: {TEXTS[error]}" \
        in server.stderr(), server.stderr()


@each([(call, error) for call in (("op openat2", "op statx", "op read") if URING else ())
       for error in ("EIO", "ENOMEM")])
def a_file_that_cannot_be_opened_by_the_ring(scene, call, error):
    server = scene.serve()
    scene.faults.arm(call, error, cold=True)
    status = scene.ask(server, "/small.txt")
    scene.faults.disarm()
    assert status in (500, 503), status
    assert f"error cannot open a file: {scene.world.root.path}/small.txt: {TEXTS[error]}" \
        in server.stderr(), server.stderr()


@each([("EIO",), ("ENOMEM",)] if SENDFILE or not has_executor() else [])
def a_file_that_cannot_be_sent(scene, error):
    """Its head has left: the connection ends, and why is told."""
    call, what = ("sendfile", "send") if SENDFILE else \
        ("op splice", "send") if "splice" in VARIANT else \
        ("op read", "read") if URING else ("pread", "read")
    server = scene.serve()
    scene.faults.arm(call, error, cold=call == "pread")
    status = scene.ask(server, "/large.bin")
    scene.faults.disarm()
    assert scene.faults.count > 0
    assert status == "cut", status
    assert f"error cannot {what} a file: {scene.world.root.path}/large.bin: {TEXTS[error]}\n" \
        in server.stderr(), server.stderr()


@each([("EIO",), ("ENOMEM",)])
def a_directory_that_cannot_be_listed(scene, error):
    server = scene.serve()
    scene.faults.arm("readdir", error)
    status = scene.ask(server, "/dir/")
    scene.faults.disarm()
    assert status == (500 if error == "EIO" else 503), status
    assert f"error cannot list a directory: {scene.world.root.path}/dir: {TEXTS[error]}\n" \
        in server.stderr(), server.stderr()


@each([("ENOMEM",)])
def a_client_that_cannot_be_answered(scene, error):
    server = scene.serve()
    scene.faults.arm("op send" if URING else "send", error)
    assert scene.ask(server, "/small.txt") == "cut"
    scene.faults.disarm()
    assert f"error cannot send to a client: {TEXTS[error]}\n" in server.stderr(), server.stderr()


@each([("EBUSY",), ("EMFILE",)])
def a_log_that_cannot_take_the_old_ones_place(scene, error):
    """The old file goes on, and has the line."""
    path = os.path.join(scene.world.path, f"error-{error}.log")
    server = scene.serve(error_log=path)

    def text():
        with open(path, encoding="utf-8") as file:
            return file.read()
    scene.faults.arm("dup3", error)
    server.kill(signal.SIGUSR1)
    assert eventually(lambda: "the error log cannot be opened again" in text()), text()
    scene.faults.disarm()
    assert scene.ask(server, "/small.txt") == 200


@test
def what_a_client_causes_is_no_line(scene):
    server = scene.serve()
    for target in ("/none", "/small.txt/", "/" + 200 * "x/" + "y", "/dir/none.txt"):
        assert scene.ask(server, target) == 404
    scene.faults.arm("openat2", "EACCES")
    assert scene.ask(server, "/dir/b.txt") == 403
    scene.faults.arm("op send" if URING else "send", "ECONNRESET")
    assert scene.ask(server, "/dir/a.txt") == "cut"
    scene.faults.disarm()
    assert " cannot " not in server.stderr(), server.stderr()


@each([] if VARIANT or SANITIZER else
      ["/small.txt", "/large.bin", "/dir/", "/dir/?archive=tar", "/status", "/health"])
def memory(scene, target):
    """Whatever there is none for, an answer that is not as ever leaves a line."""
    server = scene.serve(cache_valid="0", archive="{tar}", status_page="/status", health="/health")
    with server.connect() as connection:
        for start in range(LINES):
            before = server.stderr()
            scene.faults.arm("any malloc", "ENOMEM", start=start, limit=1)
            status = connection.get(target).status
            scene.faults.disarm()
            usual = connection.get(target).status
            assert status == usual or status == 503 and \
                eventually(lambda b=before: "Cannot allocate memory" in server.stderr()[len(b):]), \
                (start, status, server.stderr())


def told(text):
    """How many faults the log tells of: lines, and lines that were left out."""
    return text.count("error cannot open a file: /"), \
        sum(int(left) for _, left in LEFT_OUT.findall(text))


@test
def what_is_left_out_is_told_when_the_period_ends(scene):
    """Nobody asks for anything meanwhile."""
    if not ONE_PROCESS:
        return
    server = scene.serve(cache_valid="0")
    scene.faults.arm("openat2", "EIO")
    with server.connect() as connection:
        for _ in range(57):
            assert connection.get("/small.txt").status == 500
        scene.faults.disarm()
        assert connection.get("/dir/a.txt").status == 200
    assert told(server.stderr()) == (LINES, 0), server.stderr()
    scene.faults.skip(PERIOD_S)
    assert eventually(lambda: told(server.stderr()) == (LINES, 57 - LINES)), server.stderr()
    # The next period is another one.
    scene.faults.arm("openat2", "EIO")
    assert scene.ask(server, "/small.txt") == 500
    scene.faults.disarm()
    assert told(server.stderr()) == (LINES + 1, 57 - LINES), server.stderr()


@test
def what_is_left_out_is_told_at_the_end(scene):
    server = scene.serve(cache_valid="0")
    scene.faults.arm("openat2", "EMFILE")
    with server.connect() as connection:
        for _ in range(40):
            assert connection.get("/small.txt").status == 503
    scene.faults.disarm()
    server.stop()
    lines, left_out = told(server.stderr())
    assert lines == LINES and lines + left_out >= 40, server.stderr()


@test
def lines_of_the_access_log_that_are_lost(scene):
    """Their number is right: all of them are told, the first at once, the others when a minute is
    over, or when the server stops."""
    if not ONE_PROCESS:
        return
    server = scene.serve(access_log="/dev/full", access_log_buffer="1k")
    count = re.compile(r"access log /dev/full: No space left on device; lines lost: (\d+)\n")

    def lost():
        return sum(int(number) for number in count.findall(server.stderr()))

    def ask(times):
        with server.connect() as connection:
            for _ in range(times):
                assert connection.get("/small.txt").status == 200

    ask(30)
    assert 0 < lost() < 31  # with the one that serve() has asked for
    scene.faults.skip(PERIOD_S)
    assert eventually(lambda: lost() == 31), server.stderr()
    ask(12)
    server.stop()
    assert lost() == 43, server.stderr()


if __name__ == "__main__":
    run(setup)
