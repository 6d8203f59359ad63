#!/usr/bin/python3
"""The end of a server: SIGTERM and SIGINT stop it, SIGQUIT lets answers in progress finish, until a
deadline. In each case the exit status is 0."""

import contextlib
import signal
import subprocess
import time

from wire import each, eventually, head, patience, run, test

SIZE = 24 << 20


def setup(world):
    world.root.write("a.txt", "a")
    world.root.sparse("large.bin", SIZE, {})
    return world


def running(world, **how):
    """A server which has answered: all its threads are there, and what is measured is the end alone. Under
    a sanitizer on a busy machine, 300 of them take longer to start than any of these ends takes."""
    server = world.serve(**how)
    assert server.get("/a.txt").body == b"a"
    return server


def refused(server):
    """Does it accept no connection any more? One refusal may be a single thread's, with a listening
    socket of its own."""
    for _ in range(20):
        try:
            server.connect().close()
        except ConnectionError:  # in the handshake of TLS, too
            continue
        return False
    return True


@each([("SIGTERM", signal.SIGTERM), ("SIGINT", signal.SIGINT)])
def it_stops_at_once(world, _, number):
    """With connections idle, in the midst of a request, of an answer, and lingering."""
    server = running(world)
    with (server.connect() as idle, server.connect() as half, server.connect() as lingering,
          server.connect(receive_buffer=4096) as busy):
        idle.get("/a.txt")
        half.send(b"GET /a.t")
        busy.send(head("GET", "/large.bin"))
        busy.read_head()
        lingering.send(b"bad\r\n")
        lingering.read_response()
        started = time.monotonic()
        server.stop(number)
        assert time.monotonic() - started < patience(2)
        assert idle.read_to_end(patience(2)) == b""


@test
def sigquit_without_work_ends_it_at_once(world):
    server = running(world)
    started = time.monotonic()
    server.stop(signal.SIGQUIT)
    assert time.monotonic() - started < patience(2)


@test
def sigquit_closes_idle_connections(world):
    server = running(world)
    with server.connect() as used, server.connect() as fresh:
        used.get("/a.txt")
        time.sleep(0.1)
        server.kill(signal.SIGQUIT)
        used.expect_end(patience(2))
        fresh.expect_end(patience(2))
    server.ended()


@each([("new connections", False), ("kept ones", True)])
def sigquit_answers_what_has_come_already(world, _, kept):
    """The server has seen nothing of these requests yet: it stands still while they come, and
    wakes to the signal."""
    server = running(world)
    connections = []

    def connect():
        connections.extend(server.connect() for _ in range(10))

    if kept:
        connect()
        for connection in connections:
            connection.get("/a.txt")
    server.kill(signal.SIGSTOP)
    if not kept:
        connect()
    for connection in connections:
        connection.send(head("GET", "/a.txt"))
    server.kill(signal.SIGQUIT)
    server.kill(signal.SIGCONT)
    for connection in connections:
        answer = connection.read_response()
        assert (answer.status, answer.body) == (200, b"a")
        connection.expect_end(patience(3))
        connection.close()
    server.ended()


@test
def sigquit_lets_an_answer_finish(world):
    server = running(world)
    with server.connect(receive_buffer=16384) as connection:
        connection.send(head("GET", "/large.bin"))
        answer = connection.read_head()
        server.kill(signal.SIGQUIT)
        assert eventually(lambda: refused(server), patience(3)), "still accepts"
        assert server.process.poll() is None, "did not wait for the answer"
        assert len(connection.read_octets(int(answer["Content-Length"]))) == SIZE
        connection.expect_end(patience(3))
    server.ended()


@test
def sigquit_lets_a_request_finish(world):
    """One that has begun is answered, with Connection: close. One thread may still have to begin with the drain
    when another refuses connections: some idle ones, which each closes then, tell."""
    server = running(world)
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(server.connect())
        connection.send(head("POST", "/a.txt", "Content-Length: 4") + b"ab")
        idle = [stack.enter_context(server.connect()) for _ in range(0 if world.engine == "iterative" else 8)]
        time.sleep(0.1)
        server.kill(signal.SIGQUIT)
        assert eventually(lambda: refused(server), patience(3)), "still accepts"
        for other in idle:
            other.expect_end(patience(3))
        connection.send(b"cd")
        answer = connection.read_response("POST")
        assert answer.status == 405 and answer.closes
        connection.expect_end(patience(3))
    server.ended()


@test
def the_drain_has_a_deadline(world):
    server = running(world, settings={"drain_timeout": "1s"})
    with server.connect(receive_buffer=4096) as connection:
        connection.send(head("GET", "/large.bin"))
        connection.read_head()
        started = time.monotonic()
        server.kill(signal.SIGQUIT)
        server.ended()
        assert 0.8 < time.monotonic() - started < patience(2.5)
        assert len(connection.read_to_end(patience(3))) < SIZE


def health(server):
    answer = server.get("/healthz")
    return answer.status, answer.body


@test
def balancers_hear_of_it_first(world):
    """For drain_delay all is served as before, but for what balancers ask; a second SIGQUIT ends it."""
    server = running(world, block='health = "/healthz"', settings={"drain_delay": "1h"})
    assert health(server) == (200, b"ok\n")
    server.kill(signal.SIGQUIT)
    assert eventually(lambda: health(server) == (503, b"draining\n"), patience(3))
    with server.connect() as connection:
        for _ in range(2):
            answer = connection.get("/a.txt")
            assert answer.status == 200 and not answer.closes
    server.kill(signal.SIGQUIT)
    server.ended()


@test
def the_delay_has_an_end(world):
    server = running(world, block='health = "/healthz"', settings={"drain_delay": "700ms"})
    started = time.monotonic()
    server.kill(signal.SIGQUIT)
    server.ended()
    assert time.monotonic() - started > 0.6


@test
def sigterm_ends_the_delay(world):
    server = running(world, block='health = "/healthz"', settings={"drain_delay": "1h"})
    server.kill(signal.SIGQUIT)
    assert eventually(lambda: health(server)[0] == 503, patience(3))
    server.stop(signal.SIGTERM)


@test
def sigterm_cuts_a_drain_short(world):
    server = running(world)
    with server.connect(receive_buffer=4096) as connection:
        connection.send(head("GET", "/large.bin"))
        connection.read_head()
        server.kill(signal.SIGQUIT)
        time.sleep(0.2)
        assert server.process.poll() is None
        started = time.monotonic()
        server.stop(signal.SIGTERM)
        assert time.monotonic() - started < patience(2)


@test
def other_signals_do_not_end_it(world):
    server = running(world)
    for number in (signal.SIGPIPE, signal.SIGUSR1):
        server.kill(number)
        time.sleep(0.05)
        assert server.get("/a.txt").body == b"a"
    try:
        server.wait(0.1)
    except subprocess.TimeoutExpired:
        return
    raise AssertionError("it ended")


if __name__ == "__main__":
    run(setup, jobs=4)
