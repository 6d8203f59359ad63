#!/usr/bin/python3
"""The minimum rate of sending (HTTP.md "Answering", send progress): a client that reads too slowly
is closed, one that reads fast enough is served however long it takes."""

import time

from wire import head, run, test

SIZE = 64 << 20
WINDOW_S = 1.0


def setup(world):
    world.root.sparse("large.bin", SIZE, {})
    world.root.write("a.txt", "a")
    return world.serve(settings={"send_timeout": "1s", "send_rate_min": "256k"})


def read_at(connection, rate, seconds):
    """Reads about so many octets a second; how many came."""
    count, started = 0, time.monotonic()
    while (passed := time.monotonic() - started) < seconds:
        if count < rate * passed:
            data = connection.sock.recv(min(65536, max(1, rate // 20)))
            if not data:
                break
            count += len(data)
        else:
            time.sleep(0.01)
    return count


@test
def too_slow_is_closed(server):
    """A sixteenth of the rate. What the kernels' buffers hold still arrives, then the end."""
    with server.connect(receive_buffer=16384) as connection:
        connection.send(head("GET", "/large.bin"))
        answer = connection.read_head()
        try:
            read_at(connection, 16 << 10, WINDOW_S * 3 + 1)
        except ConnectionError:
            return
        rest = 0
        connection.sock.settimeout(5)
        try:
            while data := connection.sock.recv(1 << 20):
                rest += len(data)
        except ConnectionError:
            pass
        assert rest < int(answer["Content-Length"]) // 2, f"{rest} octets more"


@test
def fast_enough_is_served(server):
    """Eight times the rate for four windows, and the rest at full speed: the whole file."""
    with server.connect(receive_buffer=1 << 18) as connection:
        connection.send(head("GET", "/large.bin"))
        answer = connection.read_head()
        count = len(connection.pending)
        count += read_at(connection, 2 << 20, WINDOW_S * 4)
        while count < int(answer["Content-Length"]):
            data = connection.sock.recv(1 << 20)
            assert data, f"closed after {count} octets"
            count += len(data)
        assert count == SIZE


@test
def a_pause_shorter_than_the_window_is_no_fault(server):
    with server.connect() as connection:
        connection.send(head("GET", "/large.bin"))
        answer = connection.read_head()
        count = len(connection.pending)
        for _ in range(4):
            for _ in range(64):
                count += len(connection.sock.recv(1 << 16))
            time.sleep(WINDOW_S * 0.4)
        while count < int(answer["Content-Length"]):
            data = connection.sock.recv(1 << 20)
            assert data, f"closed after {count} octets"
            count += len(data)


@test
def the_time_between_requests_does_not_count(server):
    with server.connect() as connection:
        for _ in range(3):
            assert connection.get("/a.txt").body == b"a"
            time.sleep(WINDOW_S * 1.5)


@test
def a_rate_of_0_asks_for_nothing(server):
    """Then only a client that takes nothing at all within the window is closed."""
    own = server.world.serve(settings={"send_timeout": "2s", "send_rate_min": "0"})
    with own.connect(receive_buffer=16384) as connection:
        connection.send(head("GET", "/large.bin"))
        connection.read_head()
        started = time.monotonic()
        count = 0
        while time.monotonic() - started < 4:
            data = connection.sock.recv(1 << 17)
            assert data, f"closed after {count} octets"
            count += len(data)
            time.sleep(0.02)


if __name__ == "__main__":
    run(setup, jobs=6)
