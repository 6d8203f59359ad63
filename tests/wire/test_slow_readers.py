#!/usr/bin/python3
"""Slow readers cost the others nothing, and lose nothing themselves."""

import socket
import threading
import time

from wire import eventually, head, rounds, run, test

SLOW = 25


def setup(world):
    world.root.write("a.txt", "a")
    server = world.serve()
    server.large = world.root.pattern("large.bin", 6_000_000)
    return server


def slow_readers(server, target, count):
    connections = [server.connect(receive_buffer=4096) for _ in range(count)]
    for connection in connections:
        connection.send(head("GET", target))
    for connection in connections:
        assert connection.read_head().status == 200
    return connections


@test
def others_are_served_at_once_and_all_get_everything(server):
    readers = slow_readers(server, "/large.bin", SLOW)
    durations = []
    with server.connect() as connection:
        for _ in range(rounds(300)):
            started = time.monotonic()
            assert connection.get("/a.txt").body == b"a"
            durations.append(time.monotonic() - started)
    assert sorted(durations)[len(durations) * 9 // 10] < 0.1
    wrong = []

    def drain(connection):
        try:
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                       1 << 20)  # no longer slow
            if connection.read_octets(len(server.large)) != server.large:
                wrong.append("other octets")
            connection.get("/a.txt")
        except AssertionError as error:
            wrong.append(error)
        connection.close()
    threads = [threading.Thread(target=drain, args=(connection,)) for connection in readers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:3]


@test
def waiting_for_them_costs_no_cpu(server):
    readers = slow_readers(server, "/large.bin", SLOW)

    def a_second_costs_nothing():
        before = server.cpu_s()
        time.sleep(1)
        return server.cpu_s() - before < 0.1
    # First the sockets' buffers are filled, which takes as long as the machine takes.
    assert eventually(a_second_costs_nothing, 15)
    for connection in readers:
        connection.close()
    assert eventually(lambda: server.get("/a.txt").body == b"a")


@test
def a_reader_in_tiny_pieces_gets_everything(server):
    with server.connect(receive_buffer=2048) as connection:
        connection.send(head("GET", "/large.bin"))
        connection.read_head()
        parts, count = [connection.pending], len(connection.pending)
        for number in range(rounds(3000)):
            data = connection.sock.recv(1 + number % 701)
            parts.append(data)
            count += len(data)
        connection.pending = b"".join(parts)
        assert connection.read_octets(len(server.large)) == server.large


@test
def a_large_download_does_not_starve_small_ones(server):
    """Readers as fast as they can be, on the same loop: small files still come soon."""
    done = threading.Event()

    def download():
        while not done.is_set():
            with server.connect() as connection:
                connection.send(head("GET", "/large.bin") * 5)
                for _ in range(5):
                    connection.read_response()
    threads = [threading.Thread(target=download) for _ in range(4)]
    for thread in threads:
        thread.start()
    durations = []
    try:
        with server.connect() as connection:
            for _ in range(100):
                started = time.monotonic()
                assert connection.get("/a.txt").body == b"a"
                durations.append(time.monotonic() - started)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert sorted(durations)[90] < 0.5, sorted(durations)[-10:]


if __name__ == "__main__":
    run(setup)
