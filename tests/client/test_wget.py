#!/usr/bin/python3
"""wget: the mirror of a listing with awkward names, a cut download continued, and time-stamping."""

import os

from client import Program, Site, logged, run, serve_logged, test, tree, url

# wget stores `%41` (asked for as `%2541`, rightly) as `A`: it decodes the path once for itself and
# the name of the file once more.
LEFT_OUT = ["%41.txt", "per%cent/%25.txt", "d#r & <co> \"?\"/f%6f&\u00e4.txt"]
LISTING = {"autoindex": "on", "index": "{}"}  # or an index.html would hide its neighbours
MTIME_S = 1704164645


def setup(world):
    world.wget = Program(world, "wget", package="wget")
    world.data = world.root.pattern("single/file.bin", 5_000_000)
    world.tree = Site(os.path.join(world.path, "tree"))
    tree.build(world.tree, LEFT_OUT)
    world.mirrors = Site(os.path.join(world.path, "mirrors"))
    return world


def mirror(world, server, name, *options, **more):
    """Mirrors the whole server into a new folder. The listings, which wget has to store as some
    file, are named .listing."""
    folder = os.path.join(world.mirrors.path, name)
    os.makedirs(folder, exist_ok=True)
    ran = world.wget("-nv", "-r", "-l", "inf", "-np", "-nH", "--no-iri", "--default-page=.listing",
                     "--restrict-file-names=unix,nocontrol", *options, url(server), cwd=folder,
                     **more)
    return folder, ran


@test
def a_mirror_of_a_listing(world):
    server = serve_logged(world, LISTING, root=world.tree)
    folder, _ = mirror(world, server, "whole", "-e", "robots=off")
    tree.compare(world, world.tree, folder, ".listing")
    assert {entry.status for entry in logged(server)} == {200}


@test
def names_that_are_no_text_are_mirrored_as_well(world):
    root = Site(os.path.join(world.path, "with-octets"))
    tree.build(root, LEFT_OUT)
    tree.build_octets(root)
    server = serve_logged(world, LISTING, root=root)
    folder, _ = mirror(world, server, "octets", "-e", "robots=off")
    tree.compare(world, root, folder, ".listing")
    assert {entry.status for entry in logged(server)} == {200}


@test
def a_mirror_is_renewed_only_where_something_changed(world):
    root = Site(os.path.join(world.path, "changing"))
    for name in ("a.txt", "b.txt", "c/d.txt"):
        root.write(name, name)
    server = serve_logged(world, {**LISTING, "cache_valid": "0s"}, root=root)
    folder, _ = mirror(world, server, "changing", "-N", "-e", "robots=off")
    root.write("b.txt", "b, but longer", mtime_ns=(MTIME_S + 60) * 10**9)
    mirror(world, server, "changing", "-N", "-e", "robots=off")
    tree.compare(world, root, folder, ".listing")
    found = [(entry.target, entry.status) for entry in logged(server)
             if entry.target.endswith(".txt")]
    assert sorted(found) == [("/a.txt", 200), ("/a.txt", 304), ("/b.txt", 200), ("/b.txt", 200),
                             ("/c/d.txt", 200), ("/c/d.txt", 304)], found


@test
def one_connection_carries_a_mirror(world):
    server = world.serve(settings=LISTING, root=world.tree)
    _, ran = mirror(world, server, "debug", "-d")
    assert ran.err.count("Created socket") + ran.out.count(b"Created socket") == 1


@test
def a_cut_download_is_continued(world):
    world.mirrors.write("cut/file.bin", world.data[:1_234_567])
    folder = world.mirrors.at("cut")
    server = serve_logged(world)
    world.wget("-nv", "-c", url(server, "/single/file.bin"), cwd=folder)
    world.wget("-nv", "-c", url(server, "/single/file.bin"), cwd=folder)  # 416: it is complete
    with open(world.mirrors.at("cut/file.bin"), "rb") as file:
        assert file.read() == world.data
    first, second = logged(server)
    assert (first.status, first.size) == (206, 5_000_000 - 1_234_567)
    assert second.status == 416


@test
def time_stamping(world):
    folder = world.mirrors.path
    server = serve_logged(world)
    for _ in range(2):
        world.wget("-nv", "-N", url(server, "/single/file.bin"), cwd=folder)
        assert int(os.path.getmtime(os.path.join(folder, "file.bin"))) == MTIME_S
    first, second = logged(server)
    assert (first.status, second.status, second.size) == (200, 304, 0)


@test
def spider_checks_without_a_body(world):
    server = serve_logged(world)
    world.wget("-nv", "--spider", url(server, "/single/file.bin"))
    world.wget("-nv", "--spider", url(server, "/none"), status=8)
    assert [(entry.method, entry.status) for entry in logged(server)] == [
        ("HEAD", 200), ("HEAD", 404)]


if __name__ == "__main__":
    run(setup)
