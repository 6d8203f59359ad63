#!/usr/bin/python3
"""Only regular files are served (HTTP.md "Finding the file"): a FIFO, a device or a socket is 404
at once, and hangs nothing."""

import os
import stat
import time

from wire import each, patience, run, test


def setup(world):
    root = world.root
    root.write("a.txt", "a")
    root.fifo("fifo")
    root.fifo("fifo.html")
    root.socket("socket")
    root.folder("dir")
    root.fifo("dir/index.html")
    root.write("page.txt", "plain")
    root.fifo("page.txt.gz")
    try:
        os.mknod(root.at("null"), stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.mknod(root.at("zero"), stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        pass  # only root makes devices: then these two names do not exist, and are 404 as well
    return world.serve(block='precompressed = {"gzip"}\n try = {"$uri", "$uri.html"}\n')


@each(["/fifo", "/socket", "/null", "/zero", "/dir/", "/fifo/", "/fifo/x", "/dir/index.html"])
def it_is_404_at_once(server, target):
    for method in ("GET", "HEAD"):
        started = time.monotonic()
        assert server.ask(method, target).status == 404
        assert time.monotonic() - started < patience(2)


@test
def a_sidecar_that_is_a_fifo_is_ignored(server):
    assert server.get("/page.txt", "Accept-Encoding: gzip").body == b"plain"


@test
def others_are_not_held_up(server):
    with server.connect() as one, server.connect() as other:
        for _ in range(100):
            assert one.get("/fifo").status == 404
            assert other.get("/a.txt").body == b"a"


@test
def no_descriptor_stays_behind(server):
    assert server.get("/fifo").status == 404
    before = server.descriptors()
    with server.connect() as connection:
        for _ in range(200):
            connection.get("/fifo")
            connection.get("/socket")
    time.sleep(0.05)
    assert server.descriptors() <= before + 2


@test
def a_fifo_with_a_writer_is_not_read(server):
    descriptor = os.open(server.world.root.at("fifo"), os.O_RDWR | os.O_NONBLOCK)
    try:
        os.write(descriptor, b"tell")
        assert server.get("/fifo").status == 404
        assert os.read(descriptor, 10) == b"tell"
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    run(setup)
