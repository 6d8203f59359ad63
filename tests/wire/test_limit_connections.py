#!/usr/bin/python3
"""limit_connections: who has as many connections as he may gets no more of them, others do; and what
was closed, or reset, counts no more."""

import contextlib

from wire import Closed, eventually, run, test
from wire.proxied import connect, v1

CONF = """
access_log = off
limit_connections = 3
trusted = {"127.0.0.0/8"}
server "_" { listen = {"@listen@ proxy_protocol", "@listen@"} root = "@root@" status_page = /status }
"""
PROXIED, NORMAL = range(2)


def setup(world):
    world.root.write("a.txt", b"a" * 10)
    return world


def _client(number):
    return v1(f"192.0.2.{number}")


def _ask(connection):
    """Is it answered? None: it is closed without a word."""
    try:
        return connection.get("/a.txt").status
    except (Closed, ConnectionError, BrokenPipeError):
        return None


def _is_served(server, number):
    """On a connection of its own, which ends with it."""
    try:
        with connect(server, _client(number), listener=PROXIED) as connection:
            return _ask(connection) == 200
    except (OSError, Closed):  # in the midst of a TLS handshake
        return False


@test
def one_more_is_closed(world):
    server = world.serve(conf=CONF, listeners=2)
    if world.engine == "iterative":  # which has one at a time
        return
    with contextlib.ExitStack() as stack:
        def open_one(number):
            return stack.enter_context(connect(server, _client(number), listener=PROXIED))

        mine = [open_one(1) for _ in range(3)]
        assert [_ask(connection) for connection in mine] == [200] * 3
        assert not _is_served(server, 1)
        assert _is_served(server, 2)
        assert [_ask(connection) for connection in mine] == [200] * 3
        mine[0].close()
        assert eventually(lambda: _is_served(server, 1), 10)
    # All are gone, some in the midst of it: none counts any more.
    for _ in range(20):
        assert eventually(lambda: _is_served(server, 1), 10)


@test
def the_peer_counts_where_nobody_is_named(world):
    server = world.serve(conf=CONF, listeners=2)
    if world.engine == "iterative":
        return
    with contextlib.ExitStack() as stack:
        mine = [stack.enter_context(server.connect(NORMAL)) for _ in range(3)]
        assert [_ask(connection) for connection in mine] == [200] * 3
        try:
            with server.connect(NORMAL) as connection:
                assert _ask(connection) is None
        except OSError:
            pass  # in the midst of a TLS handshake
        figures = mine[0].get("/status?format=prometheus")
        assert b'gearshift_limited_total{limit="connections"} 1\n' in figures.body


if __name__ == "__main__":
    run(setup)
