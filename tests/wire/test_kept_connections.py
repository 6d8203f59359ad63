#!/usr/bin/python3
"""Clients that keep their connections do not shut others out: where a connection has a thread, a place or
the whole server to itself, who is idle ends when somebody waits, and nobody waits for a deadline."""
import time

from wire import run, test

CLIENTS = 40
REQUEST = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"


def setup(world):
    world.root.write("a.txt", "alpha\n")
    return world.serve(settings={"workers": "4"})


@test
def who_keeps_a_connection_shuts_nobody_out(server):
    kept = []  # they stay open at the client's side
    started = time.monotonic()
    for _ in range(CLIENTS):
        connection = server.connect()
        kept.append(connection)
        connection.send(REQUEST)
        assert connection.read_response().status == 200
    assert time.monotonic() - started < 30, "somebody waited for keepalive_timeout"


@test
def who_asks_all_the_time_shuts_nobody_out(server):
    """Four clients ask without a pause, as often as they are let; a fifth gets its answer."""
    busy = [server.connect() for _ in range(4)]
    for connection in busy:
        connection.send(REQUEST * 20)
    other = server.connect()
    other.send(REQUEST)
    assert other.read_response().status == 200
    for connection in busy:
        assert connection.read_response().status == 200


if __name__ == "__main__":
    run(setup)
