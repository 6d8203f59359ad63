#!/usr/bin/python3
"""As wire/test_crowd.py, where openat2(2) is refused, as by a container's filter: then every look is
a job for somebody else, and they end in any order."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "wire"))

from wire import each, run  # noqa: E402
from wire.crowd import Crowd  # noqa: E402
from faults import Faults  # noqa: E402


def setup(world):
    world.faults = Faults(world.path)
    world.faults.arm("openat2", "ENOSYS")
    return world, Crowd(world)


@each([("kept", {"cache_valid": "1s"}), ("hardly kept", {"cache_valid": "5ms"}),
       ("read", {"cache_valid": "5ms", "file_io": "read", "small_file_max": "64"})])
def every_answer_is_its_own(scene, _, settings):
    world, crowd = scene
    with world.faults.preloaded():
        server = crowd.start(**settings)
    crowd.asks_for_long(server)


if __name__ == "__main__":
    run(setup)
