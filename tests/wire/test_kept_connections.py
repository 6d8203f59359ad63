#!/usr/bin/python3
"""Clients that keep their connections do not shut others out: where a connection has a thread, a place or
the whole server to itself, who is idle ends when somebody waits, and nobody waits for a deadline."""
import signal
import time

from wire import run, test

CLIENTS = 40
REQUEST = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"


def setup(world):
    world.root.write("a.txt", "alpha\n")
    return world.serve(settings={"workers": "4", "linger_timeout": "5m"})


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
def who_was_refused_shuts_nobody_out(server):
    """A connection that has been told to close is kept open for the client's sake (linger_timeout), while
    nobody else waits."""
    refused = []
    for _ in range(8):
        connection = server.connect()
        refused.append(connection)
        connection.send(b"bad\r\n\r\n")
        assert connection.read_response().status == 400
    other = server.connect()
    other.send(REQUEST)
    assert other.read_response().status == 200


@test
def who_asks_more_than_is_answered_shuts_nobody_out(server):
    """The server stands still while they come, so that each has asked for more before the first is served, and
    somebody waits behind it. Not with TLS: a handshake goes on only when its client is at its turn here."""
    if server.context:
        return
    server.kill(signal.SIGSTOP)
    try:
        busy = [server.connect(wait=False) for _ in range(8)]
        for connection in busy:
            connection.send(REQUEST * 20)
        other = server.connect(wait=False)
        other.send(REQUEST)
    finally:
        server.kill(signal.SIGCONT)
    assert other.read_response().status == 200
    for connection in busy:
        assert connection.read_response().status == 200


@test
def who_asks_all_the_time_shuts_nobody_out(server):
    """Four clients ask without a pause, as often as they are let; a fifth gets its answer."""
    busy = []
    for _ in range(4):
        busy.append(server.connect())
        busy[-1].send(REQUEST * 20)
    other = server.connect()
    other.send(REQUEST)
    assert other.read_response().status == 200
    for connection in busy:
        assert connection.read_response().status == 200


if __name__ == "__main__":
    run(setup)
