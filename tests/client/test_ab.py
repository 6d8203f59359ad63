#!/usr/bin/python3
"""ab, with and without -k: an HTTP/1.0 client, to which a kept connection is an extra."""

from client import Program, run, test, url
from client.load import run_ab

REQUESTS = 2000
SIZES = (0, 1024, 16385, 200_000)


def setup(world):
    world.ab = Program(world, "ab", package="apache2-utils")
    for size in SIZES:
        world.root.pattern(f"{size}.bin", size)
    world.server = world.serve()
    return world


def ab(world, path, *options, requests=REQUESTS):
    return run_ab(world.ab, "-n", str(requests), "-c", "8", *options, url(world.server, path))


@test
def a_connection_a_request(world):
    found = ab(world, "/1024.bin")
    assert (found.requests, found.not_2xx, found.kept) == (REQUESTS, 0, 0)
    assert found.octets == REQUESTS * 1024


@test
def kept_connections(world):
    """Every answer says that the connection stays, for files from memory and from disk alike."""
    for size in SIZES:
        found = ab(world, f"/{size}.bin", "-k", requests=1000)
        assert (found.requests, found.not_2xx, found.kept) == (1000, 0, 1000), size
        assert found.octets == 1000 * size


@test
def kept_connections_with_head(world):
    found = ab(world, "/200000.bin", "-k", "-i")
    assert (found.requests, found.not_2xx, found.kept) == (REQUESTS, 0, REQUESTS)
    assert found.octets == 0


@test
def kept_connections_with_errors(world):
    found = ab(world, "/none", "-k")
    assert (found.requests, found.not_2xx, found.kept) == (REQUESTS, REQUESTS, REQUESTS)


@test
def kept_connections_with_ranges(world):
    found = ab(world, "/200000.bin", "-k", "-H", "Range: bytes=1000-1999")
    assert (found.requests, found.not_2xx, found.kept) == (REQUESTS, 0, REQUESTS)
    assert found.octets == REQUESTS * 1000


@test
def kept_connections_to_a_limit(world):
    """With keepalive_requests the tenth answer on a connection says that it ends. Four connections
    may not have come so far at the end."""
    server = world.serve(settings={"keepalive_requests": "10"})
    found = run_ab(world.ab, "-n", "1000", "-c", "4", "-k", url(server, "/1024.bin"))
    assert (found.requests, found.not_2xx) == (1000, 0)
    assert 900 <= found.kept <= 903


if __name__ == "__main__":
    run(setup)
