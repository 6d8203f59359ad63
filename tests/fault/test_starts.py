#!/usr/bin/python3
"""What a start needs and does not get: it ends with a sentence and an exit status, or serves; it
neither crashes nor hangs."""

import contextlib
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "wire"))

from wire import each, eventually, run  # noqa: E402
from faults import SANITIZER, Faults, option  # noqa: E402

ENGINE = option("--engine")
URING = ENGINE == "proactor"
THREADS = ENGINE in ("reactor-pool", "multi-reactor", "proactor")
ALLOCATIONS_MAX = 100_000  # of one start: more than there are


def setup(world):
    world.root.write("a.txt", "a")
    return world, Faults(world.path)


def start(scene):
    """Starts a server with the fault that is armed, and stops it if it serves. Its exit status and
    what it said."""
    world, faults = scene
    number = len(os.listdir(world.path))
    out, err = (os.path.join(world.path, f"{name}-{number}") for name in ("out", "err"))
    arguments = [os.path.abspath(option("--server")), "--engine", ENGINE, "--root",
                 world.root.path, "--port", "0"]
    for setting in option("--variant").split():
        arguments += ["-o", setting]
    with faults.preloaded(), open(out, "wb") as stdout, open(err, "wb") as stderr:
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("GEARSHIFT_")}
        with subprocess.Popen(arguments, stdout=stdout, stderr=stderr, env=environment,
                              stdin=subprocess.DEVNULL) as process:
            try:
                assert eventually(lambda: process.poll() is not None or os.path.getsize(out) > 0,
                                  20), "it neither serves nor ends"
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(signal.SIGTERM)
                status = process.wait(20)
            finally:
                process.kill()
    with open(err, encoding="utf-8", errors="replace") as file:
        return status, file.read()


def check(scene, may_serve):
    """It ended by itself with a status and a sentence, or it served and stopped as asked."""
    status, said = start(scene)
    if may_serve and status == 0:
        return
    assert 0 < status < 128, (status, said)
    assert said.strip() and "Sanitizer" not in said, said


@each([(f"{call}, {error}", call, error) for call, made, errors in (
    ("eventfd", True, "EMFILE ENFILE ENOMEM"),
    ("epoll_create1", not URING, "EMFILE ENFILE ENOMEM"),
    ("epoll_ctl", not URING, "ENOMEM ENOSPC"),
    ("pthread_create", THREADS, "EAGAIN ENOMEM EPERM"),
    ("io_uring_setup", URING, "EMFILE ENFILE ENOMEM EPERM ENOSYS"),
    ("io_uring_register", URING, "ENOMEM EINVAL EPERM")) if made for error in errors.split()])
def is_refused(scene, _, call, error):
    _, faults = scene
    faults.arm(call, error)
    check(scene, may_serve=False)
    assert faults.count > 0, f"{call} was never called"


@each([("EPERM",), ("ENOSYS",), ("EACCES",), ("EMFILE",), ("ENOMEM",)])
def an_eventfd_is_refused(scene, error):
    """It says that it was the eventfd, and blames neither memory nor epoll."""
    world, faults = scene
    faults.arm("eventfd", error)
    status, said = start(scene)
    faults.disarm()
    assert status == 1, (status, said)
    assert "eventfd(2), which every engine needs, is refused: " in said, said
    assert ("seccomp" in said) == (error in ("EPERM", "ENOSYS", "EACCES")), said
    assert "connections_max" not in said and "epoll" not in said, said


@each([] if SANITIZER else range(12))
def without_memory_at_some_moment(scene, part):
    """One allocation fails, every one of a start in its turn (by twelfths, so that one sees)."""
    _, faults = scene
    number = part
    while True:
        faults.arm("malloc", "ENOMEM", start=number, limit=1)
        check(scene, may_serve=True)
        if faults.count == 0:
            break
        number += 12
        assert number < ALLOCATIONS_MAX


if __name__ == "__main__":
    run(setup)
