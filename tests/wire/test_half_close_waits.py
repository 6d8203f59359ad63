#!/usr/bin/python3
"""A client that half-closes and then reads slowly, or not at all, costs the server neither CPU nor
a thread while it waits for room (HTTP.md "Reading a request" 12), and still gets every octet."""

import contextlib
import os
import socket
import threading
import time

from wire import each, eventually, head, run, test

CROWD, PIPELINERS = 100, 150
# With TLS the server encrypts what fills a socket, 3 MB or so for each of them. One that spins, or has a
# thread or a helper of its own, is seen among these as well.
CROWD_TLS, PIPELINERS_TLS = 30, 40
PIPELINED = 380
READ_TO_THE_END = 5  # of a crowd
RATE = 1000           # octets a second of one that reads slowly
LARGE = 6_000_000
SHARE_MAX = 0.03      # of a core, while all of them wait
SHARE_MAX_SANITIZED = 0.25
WINDOW_S = 1.5
SETTLE_S = 25         # until the sockets are full, and helpers that ended their work have gone


def setup(world):
    world.crowd, world.pipeliners = (CROWD_TLS, PIPELINERS_TLS) if world.tls else (CROWD, PIPELINERS)
    world.large = world.root.pattern("large.bin", LARGE)
    world.small = world.root.pattern("small.bin", 15000)
    return world


def serve(world, **options):
    """A server that gives slow clients time, and the tasks that it has after it has sent both
    files."""
    server = world.serve(settings={"send_timeout": "5m", "header_timeout": "60s"}, **options)
    for _ in range(2):
        assert server.get("/large.bin").body == world.large
    assert server.get("/small.bin").body == world.small
    return server, server.tasks()


def expect_to_cost_nothing(server, tasks):
    """Soon, a while passes in which the server uses next to no CPU, with no more tasks than it had
    without its clients."""
    share_max = SHARE_MAX_SANITIZED if server.is_sanitized() else SHARE_MAX
    shares = []

    def costs_nothing():
        before, started = server.cpu_s(), time.monotonic()
        time.sleep(WINDOW_S)
        shares.append((server.cpu_s() - before) / (time.monotonic() - started))
        return shares[-1] < share_max
    assert eventually(costs_nothing, SETTLE_S), f"shares of a core: {shares}"
    assert eventually(lambda: len(server.tasks()) <= len(tasks), SETTLE_S), \
        f"{len(server.tasks())} tasks, {len(tasks)} without them: {server.tasks()}"


@contextlib.contextmanager
def crowd(server, count, ask):
    """So many clients, each of which asks by `ask`."""
    with contextlib.ExitStack() as stack:
        connections = []
        for _ in range(count):
            connections.append(stack.enter_context(server.connect(receive_buffer=16384)))
            ask(connections[-1])
        yield connections


def at_once(connection):
    connection.send(head("GET", "/large.bin"))
    connection.half_close()


def during_the_answer(connection):
    """The server waits for room already when it hears of the end."""
    connection.send(head("GET", "/large.bin"))
    connection.pending += connection.receive(1)
    time.sleep(0.01)
    connection.half_close()


def after_an_answer(connection):
    """So that the server's receive is the lasting one, where it has such a thing."""
    for _ in range(2):
        connection.get("/small.bin")
    at_once(connection)


def expect_answers(connection, count, body):
    """So many answers with this body, and the end. Their dates are as old as they are."""
    connection.raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)  # no longer slow
    heads = connection.read_to_end().split(body)
    assert len(heads) == count + 1 and heads[-1] == b"", f"{len(heads) - 1} whole bodies"
    for octets in heads[:-1]:
        assert octets.startswith(b"HTTP/1.1 200 OK\r\n") and octets.endswith(b"\r\n\r\n")


@each([(function.__name__, function) for function in (at_once, during_the_answer, after_an_answer)])
def who_does_not_read(world, _name, ask):
    server, tasks = serve(world)
    with crowd(server, world.crowd, ask) as connections:
        expect_to_cost_nothing(server, tasks)
        for connection in connections[:READ_TO_THE_END]:
            expect_answers(connection, 1, world.large)


@test
def who_reads_slowly(world):
    server, tasks = serve(world)
    with crowd(server, world.crowd, at_once) as connections:
        done = threading.Event()

        def read_all():
            """Each of them, once a second."""
            while not done.wait(1):
                for connection in connections:
                    connection.pending += connection.receive(RATE)
        reader = threading.Thread(target=read_all)
        reader.start()
        try:
            expect_to_cost_nothing(server, tasks)
        finally:
            done.set()
            reader.join()
        for connection in connections[:READ_TO_THE_END]:
            expect_answers(connection, 1, world.large)


@test
def who_asks_for_much_and_does_not_read(world):
    server, tasks = serve(world)

    def ask(connection):
        connection.send(head("GET", "/small.bin") * PIPELINED)
        connection.half_close()
    with crowd(server, world.pipeliners, ask) as connections:
        expect_to_cost_nothing(server, tasks)
        for connection in connections[:READ_TO_THE_END]:
            expect_answers(connection, PIPELINED, world.small)


@test
def on_a_unix_socket(world):
    path = os.path.join(world.path, "server.sock")
    server, tasks = serve(world, tls=False, arguments=["--listen", f"unix:{path}"])
    with crowd(server, world.crowd, at_once) as connections:
        expect_to_cost_nothing(server, tasks)
        for connection in connections[:READ_TO_THE_END]:
            expect_answers(connection, 1, world.large)


if __name__ == "__main__":
    run(setup, jobs=3)
