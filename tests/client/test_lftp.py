#!/usr/bin/python3
"""lftp: the mirror of a listing with awkward names, in parallel, a resumed file and one in
segments."""

import os

from client import Program, Site, logged, run, serve_logged, test, tree, url

LISTING = {"autoindex": "on", "index": "{}"}
LEFT_OUT = ["~tilde.txt"]  # lftp takes it for the home folder of a user "tilde.txt"


def setup(world):
    world.lftp = Program(world, "lftp", package="lftp")
    world.data = world.root.pattern("file.bin", 5_000_000)
    world.tree = Site(os.path.join(world.path, "tree"))
    tree.build(world.tree, LEFT_OUT)
    world.local = Site(os.path.join(world.path, "local"))
    return world


def lftp(world, server, command):
    settings = "set net:max-retries 2; set net:reconnect-interval-base 1; set cmd:fail-exit yes"
    return world.lftp("-c", f"{settings}; open {url(server)}; {command}", cwd=world.local.path)


@test
def a_mirror_of_a_listing(world):
    server = serve_logged(world, LISTING, root=world.tree)
    lftp(world, server, "mirror --parallel=4 . mirror")
    tree.compare(world, world.tree, os.path.join(world.local.path, "mirror"))
    assert {entry.status for entry in logged(server)} == {200}


@test
def a_mirror_of_what_has_not_changed_brings_nothing(world):
    server = serve_logged(world, LISTING, root=world.tree)
    lftp(world, server, "mirror . again")
    before = len(tree.NAMES) - len(LEFT_OUT)
    lftp(world, server, "mirror . again")
    bodies = [entry for entry in logged(server)
              if entry.method == "GET" and not entry.target.endswith("/")]
    assert len(bodies) == before, "files were brought again"


@test
def a_cut_download_is_continued(world):
    world.local.write("file.bin", world.data[:1_234_567])
    server = serve_logged(world, LISTING)
    lftp(world, server, "get -c file.bin")
    with open(world.local.at("file.bin"), "rb") as file:
        assert file.read() == world.data
    assert (206, 5_000_000 - 1_234_567) in [(entry.status, entry.size) for entry in logged(server)]


@test
def a_file_in_four_segments(world):
    server = serve_logged(world, LISTING)
    lftp(world, server, "pget -n 4 file.bin -o segments.bin")
    with open(world.local.at("segments.bin"), "rb") as file:
        assert file.read() == world.data
    assert sum(entry.status == 206 for entry in logged(server)) >= 3


if __name__ == "__main__":
    run(setup)
