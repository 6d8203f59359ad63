#!/usr/bin/python3
"""A client that pauses, or reads slowly behind buffers that are full: what counts is what it has
acknowledged, not what its socket here accepts, which for long may be nothing (server.conf.md,
send_timeout and send_rate_min). Who acknowledges nothing, or next to nothing, is closed still."""

import time

from wire import Closed, head, run, test

SIZE = 16 << 20
WINDOW_S = 2.0
RATE = 1000           # octets a second that are asked for
LATE_S = WINDOW_S     # a look every 32nd of the window, and a loaded machine


SETTINGS = {"send_timeout": f"{int(WINDOW_S * 1000)}ms", "send_rate_min": str(RATE)}


def setup(world):
    world.root.sparse("large.bin", SIZE, {})
    return world.serve(settings=SETTINGS)


def begin(server, receive_buffer=1 << 15):
    """A download, of which nothing but the head has been read."""
    connection = server.connect(receive_buffer=receive_buffer)
    connection.send(head("GET", "/large.bin"))
    answer = connection.read_head()
    assert int(answer["Content-Length"]) == SIZE
    return connection


def finish(connection, count):
    """The rest of it, as fast as it comes."""
    while count < SIZE:
        data = connection.sock.recv(1 << 18)
        assert data, f"closed after {count} octets"
        count += len(data)
    assert count == SIZE


def read_at(connection, rate, seconds):
    """Reads so many octets a second, in small pieces; how many have come in all."""
    count, started = 0, time.monotonic()
    while (passed := time.monotonic() - started) < seconds:
        if count < rate * passed:
            data = connection.sock.recv(int(min(rate // 10, rate * passed - count + 1)))
            assert data, f"closed after {count} octets"
            count += len(data)
        else:
            time.sleep(0.02)
    return len(connection.pending) + count


@test
def a_slow_reader_behind_full_buffers_is_served(server):
    """Forty times the rate. Its socket here accepts nothing for many windows: a third of what it
    holds has to leave first."""
    with begin(server) as connection:
        finish(connection, read_at(connection, 40 * RATE, WINDOW_S * 5))


@test
def a_slow_reader_of_a_unix_socket_is_served(server):
    """Its kernel frees what was sent in pieces of up to 64 KiB, each once it is read to its end."""
    path = server.world.logs.path + "/pauses.sock"
    own = server.world.serve(settings=SETTINGS, arguments=["--listen", "unix:" + path])
    with begin(own) as connection:
        finish(connection, read_at(connection, 60 * RATE, WINDOW_S * 3))


@test
def pauses_are_no_fault(server):
    """Each shorter than the window, and between them too little is read for the socket to have
    room."""
    with begin(server) as connection:
        count = len(connection.pending)
        for _ in range(5):
            time.sleep(WINDOW_S * 0.75)
            until = count + (1 << 16)
            while count < until:
                data = connection.sock.recv(until - count)
                assert data, f"closed after {count} octets"
                count += len(data)
        finish(connection, count)


def closed_after(server, connection, action, seconds):
    """Repeats `action` until the server has closed its side; how long that took. It is seen by the
    server's descriptors: the client still has much to read."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        action(connection)
        if server.descriptors() <= server.without:
            return time.monotonic() - started
        time.sleep(0.05)
    return None


def own_server(server):
    own = server.world.serve(settings={**SETTINGS, "cache_files": "0"})
    with own.connect() as connection:
        connection.get("/none")
        own.without = own.descriptors() - 1
    return own


@test
def a_pause_longer_than_the_window_is_the_end(server):
    own = own_server(server)
    with begin(own) as connection:
        took = closed_after(own, connection, lambda _: None, WINDOW_S * 1.5 + LATE_S)
        assert took is not None, "still open"
        assert took >= WINDOW_S * 0.9, f"after {took:.2f} s"


@test
def next_to_nothing_is_nothing(server):
    """An octet at a time, far below the rate."""
    def one_octet(connection):
        try:
            connection.sock.recv(1)
        except Closed:
            pass
    own = own_server(server)
    with begin(own, receive_buffer=4096) as connection:
        took = closed_after(own, connection, one_octet, WINDOW_S * 3 + LATE_S)
        assert took is not None, "still open"


if __name__ == "__main__":
    run(setup, jobs=6)
