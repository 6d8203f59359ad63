"""Harness of the wire tests: everything that a test file needs, under one name.

A test file says what it is about in its docstring, builds a document root and starts a server in a
function that it hands to run(), and states one behaviour a function:

    from wire import each, run, test

    def setup(world):
        world.root.write("digits.txt", b"0123456789")
        return world.serve()

    @test
    def a_range_is_a_206(server):
        answer = server.get("/digits.txt", "Range: bytes=2-4")
        assert answer.status == 206 and answer.body == b"234"

    if __name__ == "__main__":
        run(setup)

Which engine, which further settings and which TLS backend are the harness's business
(`--engine`, `--variant`, `--tls`): a test never names them, and gets its sockets from the server
object, so that every file runs unchanged for each of them.

What few tests need is imported where it is needed (`wire.fuse`, `wire.tls`, and of Python what takes long): with 1,500
runs of a fifth of a second each, what all import is a tenth of a CPU's time.
"""

from wire import hello
from wire.client import Connection, Closed
from wire.forms import forms
from wire.request import head
from wire.response import BadResponse, Response
from wire.run import ONE_AT_A_TIME, each, rounds, run, test
from wire.server import CAP_IPC_LOCK, LOOKED_INTO, Server, ServerFailed, may
from wire.site import MTIME_NS, Site, eventually, http_date, patience, text

__all__ = [
    "BadResponse", "CAP_IPC_LOCK", "Closed", "Connection", "LOOKED_INTO", "MTIME_NS",
    "ONE_AT_A_TIME", "Response",
    "Server", "ServerFailed", "Site",
    "each", "eventually", "forms", "head", "hello", "http_date", "may", "patience", "rounds", "run",
    "test", "text",
]
