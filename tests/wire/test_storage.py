#!/usr/bin/python3
"""File systems of all kinds under a document root (operations.md "Shared storage"): memory, an overlay, an
image, and one that a process answers for. The same answers from each, changes seen, faults told right."""

import contextlib
import errno
import os
import shutil
import subprocess
import types

from wire import Site, each, eventually, fuse, http_date, run, test

LARGE = 1_000_003
MTIME_S = 1704164645


class Kinds:
    """A server, and its roots by name: those that can be mounted here."""

    def __init__(self):
        self.sites, self.missing = {}, {}
        self.server = self.storage = None


def fill(site, chosen=("small.txt", "large.bin", "folder/one.txt")):
    for name in chosen:
        data = site_data(name)
        site.write(name, data, MTIME_S * 10**9)


def site_data(name):
    return (b"%015x\n" * (LARGE // 16 + 1) % tuple(range(LARGE // 16 + 1)))[:LARGE] \
        if name == "large.bin" else name.encode()


def squashfs(folder, target):
    """An image of `folder`, through a loop device; or why not."""
    if not shutil.which("mksquashfs"):
        return "mksquashfs is not installed (Debian package squashfs-tools)"
    image = target + ".image"
    subprocess.run(["mksquashfs", folder, image, "-quiet", "-no-progress"], check=True,
                   stdout=subprocess.DEVNULL)
    done = subprocess.run(["mount", "-o", "loop,ro", "-t", "squashfs", image, target],
                          capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else None


def setup(world):
    kinds = Kinds()
    kinds.storage = fuse.site_or_skip()
    top = os.path.dirname(kinds.storage.path)
    for name in ("memory", "lower", "upper", "work", "overlay", "image"):
        os.mkdir(os.path.join(top, name))
    fuse.mount("memory", f"{top}/memory", "tmpfs")
    kinds.sites["memory"] = Site(f"{top}/memory")
    fill(kinds.sites["memory"])
    fill(Site(f"{top}/lower"))
    # What an overlay writes to is no overlay, as the folder of a container would be.
    fuse.mount("layers", f"{top}/upper", "tmpfs")
    os.mkdir(f"{top}/upper/files")
    os.mkdir(f"{top}/upper/work")
    try:
        fuse.mount("overlay", f"{top}/overlay", "overlay",
                   data=f"lowerdir={top}/lower,upperdir={top}/upper/files,workdir={top}/upper/work")
        kinds.sites["overlay"] = Site(f"{top}/overlay")
    except OSError as error:
        kinds.missing["overlay"] = str(error)
    why = squashfs(f"{top}/lower", f"{top}/image")
    if why is None:
        kinds.sites["image"] = types.SimpleNamespace(path=f"{top}/image")
    else:
        kinds.missing["image"] = why
    fill(kinds.storage)
    kinds.sites["process"] = kinds.storage
    locations = "".join(f'location "/{name}/" {{ alias = "{site.path}/"\n autoindex = on }}\n'
                        for name, site in kinds.sites.items())
    kinds.server = world.serve(block=locations, settings={"cache_valid": "10ms"})
    return kinds


def there(kinds, name):
    """Is it mounted? Else why not is said."""
    if name in kinds.missing:
        print(f"     {name}: {kinds.missing[name]}")
    return name in kinds.sites


KINDS = ["memory", "overlay", "image", "process"]


@each(KINDS)
def contents_ranges_and_validators(kinds, name):
    if not there(kinds, name):
        return
    for file in ("small.txt", "large.bin"):
        data = site_data(file)
        answer = kinds.server.get(f"/{name}/{file}")
        assert answer.status == 200 and answer.body == data
        assert answer["Last-Modified"] == http_date(MTIME_S)
        tag = answer["ETag"]
        assert kinds.server.get(f"/{name}/{file}", f"If-None-Match: {tag}").status == 304
        part = kinds.server.get(f"/{name}/{file}", "Range: bytes=3-6")
        assert part.status == 206 and part.body == data[3:7]
        last = kinds.server.get(f"/{name}/{file}", "Range: bytes=-5")
        assert last.status == 206 and last.body == data[-5:]
    assert kinds.server.get(f"/{name}/absent.txt").status == 404
    assert b"one.txt" in kinds.server.get(f"/{name}/folder/").body


@each(["memory", "overlay", "process"])
def a_change_is_seen(kinds, name):
    if not there(kinds, name):
        return
    site = kinds.sites[name]
    for size in (10, LARGE):
        for octet in (b"a", b"b"):
            site.write("changed.txt", octet * size, (MTIME_S + size + octet[0]) * 10**9)
            assert eventually(lambda octet=octet, size=size:
                              kinds.server.get(f"/{name}/changed.txt").body == octet * size)


@test
def a_listing_is_the_same_everywhere(kinds):
    """Whatever the order, the numbers and the times of change that a file system has."""
    for query in ("/folder/", "/folder/?format=json"):
        bodies = {kinds.server.get(f"/{name}{query}").body.split(b"<tbody>")[-1]
                  for name in kinds.sites}
        assert len(bodies) == 1, f"{len(bodies)} texts of {query}"


@each(["lookup", "open", "read"])
def a_file_that_is_stale_once_is_looked_up_again(kinds, what):
    """ESTALE: a server of files has another one by now."""
    file = f"stale-{what}.txt"
    kinds.storage.write(file, "fresh")
    kinds.storage.fail(what, file, errno.ESTALE, 1)
    assert kinds.server.get(f"/process/{file}").body == b"fresh"


@each([("stale", errno.ESTALE, 503), ("timed-out", errno.ETIMEDOUT, 503), ("gone", errno.ENOTCONN, 503),
       ("broken", errno.EIO, 500), ("denied", errno.EACCES, 403)])
def faults(kinds, name, error, status):
    kinds.storage.write(f"{name}.txt", name)
    with contextlib.ExitStack() as stack:
        kinds.storage.fail("open", f"{name}.txt", error)
        stack.callback(kinds.storage.fail, "open", f"{name}.txt", 0)
        assert kinds.server.get(f"/process/{name}.txt").status == status
    assert eventually(lambda: kinds.server.get(f"/process/{name}.txt").body == name.encode())


@test
def a_read_that_fails_cuts_the_answer_short(kinds):
    kinds.storage.write("cut.bin", b"c" * LARGE)
    kinds.storage.fail("read", "cut.bin", errno.EIO)
    with kinds.server.connect() as connection:
        connection.send(b"GET /process/cut.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert len(connection.read_to_end(10)) < LARGE
    kinds.storage.fail("read", "cut.bin", 0)
    assert eventually(lambda: kinds.server.get("/process/cut.bin").body == b"c" * LARGE)


if __name__ == "__main__":
    run(setup)
