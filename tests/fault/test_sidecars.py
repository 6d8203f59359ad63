#!/usr/bin/python3
"""Sidecars that cannot be looked for at the moment: the answer does without them, says that it
varies, and the next one has them again, `cache_valid` or not."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "wire"))

from wire import each, run  # noqa: E402
from faults import Faults  # noqa: E402

ACCEPTS = "Accept-Encoding: gzip"
# Of a shortage of descriptors the cache's own are given back, and the look is repeated; here it has
# none that nobody uses.
ERRORS = ("EIO", "ENOMEM", "EMFILE", "ENFILE")


class Scene:
    def __init__(self, world):
        self.root = world.root
        self.faults = Faults(world.path)
        with self.faults.preloaded():
            self.server = world.serve(settings={"cache_valid": "1h"},
                                      block='precompressed = {"gzip"}\n')
        self.names = 0

    def fresh(self, plain=True):
        """A name that the server does not know yet."""
        self.names += 1
        name = f"{self.names}.txt"
        if plain:
            self.root.write(name, "plain")
        self.root.write(name + ".gz", "coded")
        return "/" + name

    def looks(self, target):
        """How many openat2(2) an answer takes: the sidecar's is the last one."""
        self.faults.arm("openat2", "EIO", start=1 << 40)
        before = self.faults.calls
        assert self.server.get(target, ACCEPTS).body == b"coded"
        return self.faults.calls - before


def setup(world):
    return Scene(world)


@each(ERRORS)
def a_passing_error_is_not_remembered(scene, error):
    looks = scene.looks(scene.fresh())
    target = scene.fresh()
    scene.faults.arm("openat2", error, start=looks - 1, limit=8)
    answer = scene.server.get(target, ACCEPTS)
    struck = scene.faults.count
    scene.faults.disarm()
    assert struck > 0
    assert answer.status == 200 and answer.body == b"plain", answer
    assert answer["Vary"] == "Accept-Encoding" and "Content-Encoding" not in answer
    answer = scene.server.get(target, ACCEPTS)
    assert answer.body == b"coded" and answer["Content-Encoding"] == "gzip"


@each(ERRORS)
def without_the_file_it_is_no_404(scene, error):
    target = scene.fresh(plain=False)
    looks = scene.looks(scene.fresh(plain=False))
    scene.faults.arm("openat2", error, start=looks - 1, limit=8)
    answer = scene.server.get(target, ACCEPTS)
    scene.faults.disarm()
    assert answer.status == (500 if error == "EIO" else 503), answer
    assert scene.server.get(target, ACCEPTS).body == b"coded"


if __name__ == "__main__":
    run(setup)
