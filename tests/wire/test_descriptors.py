#!/usr/bin/python3
"""No descriptors left (HTTP.md "Finding the file": EMFILE and ENFILE are 503): the server waits or
says so, does not spin, and recovers."""

import collections
import contextlib
import os
import select
import threading
import time

from wire import Closed, eventually, head, run, test

LIMIT = 40  # open descriptors
CROWD = 90
LONG = 2_000_000


def setup(world):
    for number in range(2):
        world.root.write(f"{number}.txt", f"file {number}")
    world.root.pattern("large-0.bin", 20_000)
    for number in range(1, 200):  # each name is a file of its own, to a server
        os.link(world.root.at("large-0.bin"), world.root.at(f"large-{number}.bin"))
    return world


def busy(server, count):
    """So many connections in the midst of a request, which make way for nobody: the last two octets
    of its head are still to come."""
    connections = []
    for _ in range(count):
        connections.append(server.connect(wait=False))
        connections[-1].send(head("GET", "/1.txt", "Connection: close")[:-2])
    return connections


def close_all(connections):
    for connection in connections:
        connection.close()


def recovers(server):
    def served():
        try:
            return server.get("/0.txt").body == b"file 0"
        except (Closed, AssertionError, OSError):
            return False
    return eventually(served, 5)


@test
def more_connections_than_descriptors(world):
    """Those that cannot be accepted wait in the kernel, at no cost, until others close."""
    server = world.serve(settings={"cache_files": "0"}, descriptors_max=LIMIT)
    connections = busy(server, 100)
    try:
        time.sleep(0.3)
        before = server.cpu_s()
        time.sleep(1.5)
        assert server.cpu_s() - before < 0.3, "the server spins"
        assert server.descriptors() > LIMIT - 5, "the limit was not reached"
    finally:
        close_all(connections)
    assert recovers(server)


@test
def waiting_connections_are_served_when_others_close(world):
    server = world.serve(settings={"cache_files": "0"}, descriptors_max=LIMIT)
    connections = busy(server, 80)
    try:
        time.sleep(0.2)
        close_all(connections[:LIMIT])
        outcomes, asked, waiting = [], [], collections.deque(connections[LIMIT:])
        while waiting:  # one by one: together, all may find none left
            connection = waiting.popleft()
            if connection not in asked:
                asked.append(connection)
                connection.send(b"\r\n")
            # Threads have queues of their own, and one of them may have taken all descriptors.
            if not world.tls and not select.select([connection.sock], [], [], 0.5)[0]:
                waiting.append(connection)
                continue
            with contextlib.suppress(Closed):  # an answer to a lack: the end at once
                outcomes.append(connection.read_response().status)
            connection.close()
        assert set(outcomes) <= {200, 503} and outcomes.count(200) >= 20, outcomes
    finally:
        close_all(connections)
    assert recovers(server)


@test
def a_file_that_cannot_be_opened_for_want_of_one_is_503(world):
    """Connections have taken all; a file needs one more. The refusal is not remembered as the
    file's."""
    server = world.serve(settings={"cache_files": "0"}, descriptors_max=LIMIT)
    targets = ("/1.txt", "/large-1.bin")
    asking = [server.connect() for _ in targets]
    try:
        for connection, target in zip(asking, targets):
            connection.send(head("GET", target)[:-2])
        time.sleep(0.2)
        others = busy(server, LIMIT + 10)
        try:
            assert eventually(lambda: server.descriptors() >= LIMIT, 10)
            time.sleep(0.3)
            for connection in asking:
                connection.send(b"\r\nGET")  # and does not become idle
                assert connection.read_response().status == 503
        finally:
            close_all(others)
    finally:
        close_all(asking)
    assert recovers(server)
    for target in targets:
        assert server.get(target).status == 200


def asks_for_a_file(server, number, outcomes):
    """A client that comes with many others, and reads a file that is open for long."""
    try:
        with server.connect(receive_buffer=1 << 16) as connection:
            connection.send(head("GET", f"/long-{number}.bin"))
            answer = connection.read_response()
            outcomes.append((answer.status, len(answer.body)))
    except (Closed, OSError) as error:
        outcomes.append((0, repr(error)))


@test
def connections_leave_some_for_files(world):
    """With a limit that it may not raise the server takes no more connections than there are
    descriptors for their files, and says so. All others are served when their turn comes."""
    for number in range(CROWD):
        world.root.sparse(f"long-{number}.bin", LONG, {})
    server = world.serve(descriptors_max=64, descriptors_hard=True)
    warning = server.stderr()
    assert "connections_max, cache_files, roots, logs" in warning and "is 64" in warning, warning
    assert "until then connections_max = " in warning, warning
    outcomes = []
    threads = [threading.Thread(target=asks_for_a_file, args=(server, number, outcomes))
               for number in range(CROWD)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wrong = [outcome for outcome in outcomes if outcome != (200, LONG)]
    assert len(outcomes) == CROWD and not wrong, (len(wrong), wrong[:5])


@test
def the_cache_gives_way(world):
    """Many files are kept open; when descriptors run out, files and connections still are served,
    or refused with 503, and nothing spins."""
    server = world.serve(settings={"cache_files": "1000"}, descriptors_max=LIMIT)
    with server.connect() as connection:
        statuses = [connection.get(f"/large-{number}.bin").status for number in range(200)]
    assert set(statuses) <= {200, 503} and statuses.count(200) >= 20, statuses
    before = server.cpu_s()
    time.sleep(1)
    assert server.cpu_s() - before < 0.3, "the server spins"
    assert recovers(server)


@test
def the_cache_gives_way_to_clients_too(world):
    """Files that nobody reads keep no client waiting, not even while no connection closes, and not
    those that another thread keeps: it closes some once one was missed."""
    server = world.serve(settings={"cache_files": "1000"}, descriptors_max=LIMIT)
    with server.connect() as idle:
        for number in range(LIMIT + 10):
            idle.get(f"/large-{number}.bin")
        with server.connect() as other:
            other.sock.settimeout(3)
            assert eventually(lambda: other.get("/large-1.bin").status == 200, 5)


@test
def more_connections_than_the_setting(world):
    """connections_max is a limit of the same kind: who is too many is served when others close."""
    server = world.serve(settings={"connections_max": "10"})
    idle = server.descriptors()
    connections = busy(server, 30)
    try:
        time.sleep(0.3)
        before = server.cpu_s()
        time.sleep(1)
        assert server.cpu_s() - before < 0.3, "the server spins"
        assert server.descriptors() < idle + 10 + 5, "more of them were accepted"
        for connection in connections:
            connection.send(b"\r\n")
        for connection in connections:
            assert connection.read_response().status == 200
    finally:
        close_all(connections)
    assert recovers(server)


if __name__ == "__main__":
    run(setup, jobs=5)
