#!/usr/bin/python3
"""A name that cannot be looked at: a listing without it would look complete, and a mirror would
remove the file. So there is no listing but a 500 or 503, or the name stands there without its size,
where it is only forbidden."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "wire"))

from wire import each, eventually, run, test  # noqa: E402
from faults import Faults  # noqa: E402

NAMES = 3000
LOOKS_MAX = 12  # of openat2 for a listing of a file and a link, at the most
JSON = "Accept: application/json"


class Scene:
    def __init__(self, world):
        for number in range(20):
            world.root.write(f"few/{number}", "x")
        world.root.write("many/0", "x")
        for number in range(1, NAMES):  # one file: making thousands takes a file system long
            os.link(world.root.at("many/0"), world.root.at(f"many/{number}"))
        for number in range(3):
            world.root.write(f"closed/{number}", "x", mode=0o640)
        world.root.write("links/file", "x")
        world.root.link("links/link", "file")
        self.faults = Faults(world.path)
        with self.faults.preloaded():
            self.server = world.serve(settings={"autoindex": "on"})
        self.server.get("/few/")
        self.descriptors = self.server.descriptors()

    def names(self, folder):
        answer = self.server.get(f"/{folder}/", JSON)
        assert answer.status == 200
        return {item["name"] for item in json.loads(answer.body)}

    def is_whole(self):
        assert self.names("few") == {str(number) for number in range(20)}
        assert self.names("many") == {str(number) for number in range(NAMES)}
        assert self.names("links") == {"file", "link"}
        # Of folders that are kept; a client that has just left may not have been noticed yet.
        assert eventually(lambda: self.server.descriptors() <= self.descriptors + 8)


def setup(world):
    return Scene(world)


@each([("fstatat", "EIO", 500), ("fstatat", "ENOMEM", 503), ("readdir", "EIO", 500)])
def it_is_no_listing(scene, call, error, status):
    for folder, counts in (("few", (0, 7, 19)), ("many", (0, 1500, NAMES - 1))):
        for start in counts:
            scene.faults.arm(call, error, start=start, limit=1)
            answer = scene.server.get(f"/{folder}/", JSON)
            count = scene.faults.count
            scene.faults.disarm()
            assert count == 1 and answer.status == status, (folder, start, count, answer)
    scene.is_whole()


@each([("EIO", 500), ("ENOMEM", 503)])
def so_with_whether_it_may_be_read(scene, error, status):
    """Asked where not everybody may."""
    before = scene.names("closed")
    scene.faults.arm("faccessat", error, limit=1)
    answer = scene.server.get("/closed/", JSON)
    count = scene.faults.count
    scene.faults.disarm()
    assert count == 1 and answer.status == status, (count, answer)
    assert scene.names("closed") == before


@each([("EIO", 500), ("ENOMEM", 503), ("EMFILE", 503), ("ENFILE", 503)])
def so_with_what_a_link_leads_to(scene, error, status):
    # The link is looked at last, the directory before it. How many looks come earlier depends: the
    # index may be known to be missing, and a thread may have to look its root up. So it is counted
    # from behind: the fault moves forward until it strikes, first the link, then the directory.
    struck = 0
    for start in range(LOOKS_MAX, -1, -1):
        scene.names("links")
        scene.faults.arm("openat2", error, start=start, limit=100)
        answer = scene.server.get("/links/", JSON)
        count = scene.faults.count
        scene.faults.disarm()
        assert answer.status == (status if count else 200), (start, count, answer)
        struck += count > 0
        if struck == 2:
            break
    assert struck == 2, "the looks at directory and link were not found"
    scene.is_whole()


@test
def what_is_only_forbidden_is_there_by_name(scene):
    scene.faults.arm("fstatat", "EACCES", limit=5)
    items = json.loads(scene.server.get("/few/", JSON).body)
    scene.faults.disarm()
    assert len(items) == 20
    bare = [item for item in items if "size" not in item]
    assert len(bare) == 5 and all(item.keys() == {"name", "type"} for item in bare), bare
    scene.faults.arm("fstatat", "EACCES", limit=5)
    body = scene.server.get("/few/").body
    scene.faults.disarm()
    assert body.count(b"</a></td><td></td><td></td>") == 5 + 1, body  # and "../"
    scene.is_whole()


@test
def what_has_just_been_removed_is_not(scene):
    scene.faults.arm("fstatat", "ENOENT", limit=5)
    items = json.loads(scene.server.get("/few/", JSON).body)
    scene.faults.disarm()
    assert len(items) == 15
    scene.is_whole()


if __name__ == "__main__":
    run(setup)
