#!/usr/bin/python3
"""rclone: its http backend lists and copies a listing with awkward names."""

import json
import os

from client import Program, Site, logged, run, serve_logged, test, tree, url

# rclone asks for the folder as /./http:/, and then takes no link in it for one that leads further
# down.
LEFT_OUT = ["http:/x.txt"]
NAMES = [name for name in tree.NAMES if name not in LEFT_OUT]
LISTING = {"autoindex": "on", "index": "{}"}


def setup(world):
    world.rclone = Program(world, "rclone", package="rclone")
    world.tree = Site(os.path.join(world.path, "tree"))
    tree.build(world.tree, LEFT_OUT)
    world.local = os.path.join(world.path, "local")
    return world


def rclone(world, server, command, *arguments, **more):
    return world.rclone(command, "--config", os.devnull, "--retries", "1", "--low-level-retries",
                        "1", "--http-url", url(server), ":http:", *arguments, **more)


@test
def a_copy_of_a_listing(world):
    server = serve_logged(world, LISTING, root=world.tree)
    rclone(world, server, "copy", "--create-empty-src-dirs", world.local)
    tree.compare(world, world.tree, world.local)
    assert {entry.status for entry in logged(server)} == {200}


@test
def sizes_and_times_are_those_of_the_files(world):
    server = world.serve(settings=LISTING, root=world.tree)
    found = json.loads(rclone(world, server, "lsjson", "-R", "--files-only").out)
    assert sorted(item["Path"] for item in found) == sorted(NAMES)
    for item in found:
        status = os.stat(world.tree.at(item["Path"]))
        assert item["Size"] == status.st_size, item
        assert item["ModTime"].startswith("2024-01-02T03:04:05"), item


@test
def a_copy_of_what_has_not_changed_brings_nothing(world):
    server = serve_logged(world, LISTING, root=world.tree)
    local = os.path.join(world.path, "again")
    for _ in range(2):
        rclone(world, server, "copy", local)
    bodies = [entry for entry in logged(server)
              if entry.method == "GET" and not entry.target.endswith("/")]
    respelt = [name for name in NAMES if min(name) < " "]  # rclone, in local names: not found again
    assert len(bodies) == len(NAMES) + len(respelt), "files were brought again"


@test
def a_part_of_a_file(world):
    name = "\u00fcber/\u65e5\u672c/\U0001d11e.txt"
    with open(world.tree.at(name), "rb") as file:
        data = file.read()
    server = serve_logged(world, LISTING, root=world.tree)
    ran = world.rclone("cat", "--config", os.devnull, "--offset", "5", "--count", "20",
                       "--http-url", url(server), ":http:" + name)
    assert ran.out == data[5:25], ran
    assert 206 in [entry.status for entry in logged(server)]


@test
def names_that_are_no_text_are_copied_as_well(world):
    root = Site(os.path.join(world.path, "with-octets"))
    tree.build(root, LEFT_OUT)
    tree.build_octets(root)
    server = serve_logged(world, LISTING, root=root)
    local = os.path.join(world.path, "beside-octets")
    rclone(world, server, "copy", "--create-empty-src-dirs", local)
    tree.compare(world, root, local)
    assert {entry.status for entry in logged(server)} == {200}


if __name__ == "__main__":
    run(setup)
