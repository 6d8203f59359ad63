#!/usr/bin/python3
"""zsync: the new release of a file from an old copy of it, block by block. It asks for many ranges
at once, reads multipart answers by looking for CRLF and the boundary, and has no way to go on with
any other answer."""

import os
import tempfile

from client import Program, Site, logged, run, serve_logged, test, url

BLOCK = 2048
SIZE = 4_000_000


def setup(world):
    world.zsync = Program(world, "zsync", package="zsync")
    world.make = Program(world, "zsyncmake", package="zsync")
    world.data = world.root.pattern("release.bin", SIZE)
    world.make("-b", str(BLOCK), "-u", "release.bin", "-o", world.root.at("release.bin.zsync"),
               world.root.at("release.bin"))
    return world


def changed(data, places):
    """An old copy: the blocks at these places are others."""
    copy = bytearray(data)
    for place in places:
        copy[place:place + BLOCK] = os.urandom(len(copy[place:place + BLOCK]))
    return bytes(copy)


def update(world, old, **settings):
    """Brings the old copy up to date; the log entries of the file itself."""
    server = serve_logged(world, settings)
    local = Site(tempfile.mkdtemp(dir=world.path))  # it takes what it finds for an old copy, too
    local.write("old.bin", old)
    world.zsync("-i", "old.bin", "-o", "new.bin", url(server, "/release.bin.zsync"), cwd=local.path)
    with open(local.at("new.bin"), "rb") as file:
        assert file.read() == world.data
    return [entry for entry in logged(server) if entry.target == "/release.bin"]


@test
def what_has_changed_is_brought(world):
    places = range(100_000, SIZE, 100_000)
    entries = update(world, changed(world.data, places))
    assert entries and {entry.status for entry in entries} == {206}, entries
    assert sum(entry.size for entry in entries) < 10 * len(places) * BLOCK, entries
    assert len(entries) < len(places), "one range a request, so no multipart answer"


@test
def hundreds_of_places(world):
    places = range(0, SIZE, 4 * BLOCK)
    entries = update(world, changed(world.data, places))
    assert {entry.status for entry in entries} == {206}, entries
    assert len(entries) < len(places)


@test
def one_place(world):
    entries = update(world, changed(world.data, [1_000_000]))
    assert [entry.status for entry in entries] == [206], entries


@test
def files_that_are_sent_from_memory(world):
    """The parts of an answer are copied, then, or lie in the cache."""
    entries = update(world, changed(world.data, range(0, SIZE, 50_000)), small_file_max="8m")
    assert {entry.status for entry in entries} == {206}, entries


@test
def the_whole_is_brought_without_an_old_copy(world):
    entries = update(world, b"nothing of it")
    assert sum(entry.size for entry in entries) >= SIZE


if __name__ == "__main__":
    run(setup)
