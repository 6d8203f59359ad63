"""Harness of the client tests: what it takes to drive the server with programs nobody here wrote.

The server, its document root and its logs are the wire tests' (tests/wire/wire). A test file names
its program in setup(), which hands on what the tests need, and states one behaviour a function:

    from client import Program, run, test, url

    def setup(world):
        world.root.write("digits.txt", b"0123456789")
        world.curl = Program(world, "curl", package="curl")
        return world

    @test
    def a_range(world):
        server = world.serve()
        assert world.curl("-sS", "-r", "2-4", url(server, "/digits.txt")).out == b"234"

    if __name__ == "__main__":
        run(setup)
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../wire"))

# The folder of the wire harness has to be known before anything that imports from it.
from wire import Site, eventually, http_date  # noqa: E402
from client.logged import logged, scheme, serve_logged, url  # noqa: E402
from client.program import Program  # noqa: E402
from client.run import Skipped, run, test  # noqa: E402
from client import front, tree  # noqa: E402

__all__ = [
    "Program", "Site", "Skipped", "eventually", "front", "http_date", "logged", "run",
    "scheme", "serve_logged", "test", "tree", "url",
]
