#!/usr/bin/python3
"""Files that the kernel makes up (HTTP.md "Finding the file"): those of /proc and /sys have size 0,
or one that is untrue. They are 404, and no length is announced that is not there."""

import os
from types import SimpleNamespace

from wire import each, eventually, run, test

PROC = ["version", "meminfo", "self/status", "self/cmdline", "sys/kernel/ostype", "filesystems"]
SYS = ["kernel/mm/transparent_hugepage/enabled", "devices/system/cpu/online", "kernel/notes",
       "devices/system/cpu/possible", "class/net/lo/mtu"]


def setup(world):
    """A site with real files, too, over which /proc and /sys lie by `alias`."""
    world.root.write("a.txt", "a")
    world.root.write("empty.txt", "")
    world.root.write("of-a-page", b"x" * 4096)
    return world.serve(block="""
        autoindex = on
        location "/proc/" { alias = "/proc" }
        location "/sys/" { alias = "/sys" }
    """)


def there(folder, names):
    """Those that can be read at all: some kernels and containers have fewer."""
    found = []
    for name in names:
        try:
            with open(f"/{folder}/{name}", "rb") as file:
                if file.read(1):
                    found.append(name)
        except OSError:
            pass
    assert found
    return found


@each([("proc", PROC), ("sys", SYS)])
def it_is_not_found(server, folder, names):
    for name in there(folder, names):
        for method in ("GET", "HEAD"):
            answer = server.ask(method, f"/{folder}/{name}")
            assert answer.status == 404, (name, answer)
        assert server.get(f"/{folder}/{name}", "Range: bytes=0-0").status == 404


@each([("proc", PROC), ("sys", SYS)])
def small_file_max_has_no_part_in_it(server, folder, names):
    own = server.world.serve(root=SimpleNamespace(path=f"/{folder}"),
                             settings={"small_file_max": "0"})
    for name in there(folder, names):
        assert own.get("/" + name).status == 404, name


@test
def a_listing_has_the_folders_alone(server):
    listing = server.get("/proc/sys/")
    assert listing.status == 200 and b'href="./kernel/"' in listing.body
    listing = server.get("/proc/sys/kernel/")
    assert listing.status == 200 and b'href="./ostype"' not in listing.body


@test
def real_files_are_served_as_ever(server):
    assert server.get("/a.txt").body == b"a"
    assert server.get("/of-a-page").body == b"x" * 4096
    answer = server.get("/empty.txt")
    assert answer.status == 200 and answer.body == b"" and "ETag" in answer
    listing = server.get("/")
    assert all(name in listing.body for name in (b"./a.txt", b"./empty.txt", b"./of-a-page"))


@test
def so_are_those_of_a_file_system_in_memory(server):
    """It has no block device either."""
    if not os.path.isdir("/dev/shm"):
        return
    name = f"/dev/shm/gearshift-wire-{os.getpid()}-{server.port}"
    os.mkdir(name, 0o755)
    try:
        for size in (0, 10, 4096, 50_000):
            with open(f"{name}/{size}", "wb") as file:
                file.write(b"y" * size)
        own = server.world.serve(root=SimpleNamespace(path=name), block="autoindex = on\n")
        for _ in range(2):
            for size in (0, 10, 4096, 50_000):
                answer = own.get(f"/{size}")
                assert answer.status == 200 and answer.body == b"y" * size
        assert b"./4096" in own.get("/").body
    finally:
        for entry in os.listdir(name):
            os.unlink(f"{name}/{entry}")
        os.rmdir(name)


@test
def no_descriptor_stays_behind(server):
    server.get("/proc/version")
    before = server.descriptors()
    with server.connect() as connection:
        for _ in range(100):
            connection.get("/proc/version")
            connection.get("/sys/kernel/notes")
    assert eventually(lambda: server.descriptors() <= before + 2)


if __name__ == "__main__":
    run(setup)
