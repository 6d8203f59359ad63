#!/usr/bin/python3
"""At connections_max the connection that has been idle for longest makes way for a new one: nobody
is shut out by clients that have nothing to ask (server.conf.md, connections_max)."""

import contextlib
import time

from wire import Closed, eventually, head, run, test

MAX = 8    # a multiple of the numbers of threads that are tested
SOON_S = 10


def setup(world):
    world.root.write("a.txt", "a")
    world.root.sparse("large.bin", 64 << 20, {})
    return world


def variant(world):
    return world._options.variant


def is_alone(world):
    """Has the engine one thread that has connections?"""
    return "threads=2" not in variant(world)


def serve(world):
    threads = {"threads": "1"} if is_alone(world) else {}
    return world.serve(settings={"connections_max": str(MAX), "keepalive_timeout": "5m",
                                 "header_timeout": "5m", "send_timeout": "5m",
                                 "linger_timeout": "5m",
                                 "tls_handshake_timeout": "5m", **threads})


def get(connection):
    connection.sock.settimeout(SOON_S)
    return connection.get("/a.txt").status


def kept(stack, server):
    """A connection that has had an answer, and is idle."""
    connection = stack.enter_context(server.connect())
    assert get(connection) == 200
    return connection


def is_open(connection):
    """Has the server not closed it?"""
    connection.sock.settimeout(0.01)
    try:
        return bool(connection.sock.recv(1))
    except (TimeoutError, BlockingIOError):
        return True
    except (Closed, OSError):
        return False


@test
def idle_connections_make_way(world):
    """One for each that comes; the others stay, and who has been served last is the last to go."""
    server = serve(world)
    with contextlib.ExitStack() as stack:
        first = [kept(stack, server) for _ in range(MAX)]
        for number in range(3 * MAX):
            kept(stack, server)
            if is_alone(world) and number < MAX:
                assert eventually(lambda: not is_open(first[number]), SOON_S)
                assert all(is_open(one) for one in first[number + 1:])
        assert not any(is_open(one) for one in first) or not is_alone(world)


@test
def the_longest_idle_goes_first(world):
    """Which is not the oldest."""
    if not is_alone(world):
        return
    server = serve(world)
    with contextlib.ExitStack() as stack:
        first = [kept(stack, server) for _ in range(MAX)]
        for connection in first[:MAX // 2]:
            assert get(connection) == 200
        for _ in range(MAX // 2):
            kept(stack, server)
        assert eventually(lambda: not any(is_open(one) for one in first[MAX // 2:]), SOON_S)
        assert all(get(one) == 200 for one in first[:MAX // 2])


@test
def who_has_said_nothing_makes_way(world):
    """With TLS, before the first octet of the handshake. After a second: it may be on its way."""
    server = serve(world)
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(server.connect_raw()) for _ in range(MAX)]
        assert all(is_open(one) for one in silent)
        def one_more():
            kept(stack, server)
            return not all(is_open(one) for one in silent)
        assert eventually(one_more, SOON_S)


@test
def who_has_been_refused_makes_way(world):
    """The answer was sent, and all that is left is to wait until the client closes."""
    server = serve(world)
    with contextlib.ExitStack() as stack:
        refused = []
        for _ in range(MAX):
            connection = stack.enter_context(server.connect())
            refused.append(connection)
            connection.sock.settimeout(SOON_S)
            connection.send(b"bad\r\n\r\n")
            assert connection.read_response().status == 400
        kept(stack, server)
        assert eventually(lambda: not all(is_open(one) for one in refused), SOON_S)


@test
def who_has_failed_in_the_handshake_makes_way(world):
    """An alert has been sent, and likewise all that is left is to wait."""
    if not world.tls:
        return
    server = serve(world)
    with contextlib.ExitStack() as stack:
        failed = []
        for _ in range(MAX):
            connection = stack.enter_context(server.connect_raw())
            failed.append(connection)
            connection.sock.settimeout(SOON_S)
            connection.send(b"\x16\x03\x01\x00\x08\x01\xff\xff\xff\x03\x03\x00\x00")
            assert connection.sock.recv(16)[:1] == b"\x15"
        kept(stack, server)
        assert eventually(lambda: not all(is_open(one) for one in failed), SOON_S)


@test
def who_is_busy_stays(world):
    """In the midst of an answer, of a request, or of a TLS handshake. While all are busy, a new
    client waits, as before, and is served when one of them ends."""
    server = serve(world)
    with contextlib.ExitStack() as stack:
        busy = []
        for _ in range(MAX // 2 if is_alone(world) else 1):
            connection = stack.enter_context(server.connect(receive_buffer=4096))
            connection.send(head("GET", "/large.bin"))
            assert connection.read_head().status == 200
            busy.append(connection)
        halves = []
        for _ in range(MAX // 2 - 1 if is_alone(world) else 1):
            connection = stack.enter_context(server.connect_raw())
            connection.send(b"\x16\x03\x01\x02\x00" if world.tls else b"GET /a.txt HTTP/1.1\r\nHo")
            halves.append(connection)
        time.sleep(0.3)  # until they are seen
        for _ in range(2 * MAX):
            kept(stack, server)
        assert all(is_open(one) for one in halves + busy)
        if not is_alone(world):
            return
        last = stack.enter_context(server.connect())
        last.send(head("GET", "/large.bin"))
        assert last.read_head().status == 200
        waits = stack.enter_context(server.connect(wait=False))
        waits.send(head("GET", "/a.txt"))
        waits.sock.settimeout(0.5)
        try:
            assert not waits.read_response(), "it was served"
        except (TimeoutError, AssertionError) as error:
            assert "it was served" not in str(error), error
        last.close()
        waits.sock.settimeout(SOON_S)
        assert waits.read_response().status == 200


@test
def who_waits_is_served_when_others_become_idle(world):
    """All are busy when the new client comes; the first that becomes idle makes way."""
    if not is_alone(world):
        return
    server = serve(world)
    with contextlib.ExitStack() as stack:
        halves = []
        for _ in range(MAX):
            connection = stack.enter_context(server.connect())
            octets = head("GET", "/a.txt")
            connection.send(octets[:-2])
            halves.append(connection)
        time.sleep(0.3)
        waits = stack.enter_context(server.connect(wait=False))
        waits.send(head("GET", "/a.txt"))
        time.sleep(0.3)
        halves[3].send(octets[-2:])
        assert halves[3].read_response().status == 200
        waits.sock.settimeout(SOON_S)
        assert waits.read_response().status == 200
        assert eventually(lambda: not is_open(halves[3]), SOON_S)
        assert all(is_open(one) for one in halves[:3] + halves[4:])


@test
def nobody_makes_way_while_there_is_room(world):
    """Where threads share the listener there is room as long as any of them has some."""
    server = serve(world)
    if "accept=shared" not in variant(world) and "accept=handoff" not in variant(world) \
            and not is_alone(world):
        return
    with contextlib.ExitStack() as stack:
        first = [kept(stack, server) for _ in range(MAX)]
        time.sleep(0.3)
        assert all(is_open(one) for one in first)


@test
def at_the_limit_it_costs_nothing_to_wait(world):
    """Idle connections at the limit, and clients that wait beside busy ones: no spinning."""
    server = serve(world)
    with contextlib.ExitStack() as stack:
        for _ in range(2 * MAX):
            kept(stack, server)
        for _ in range(2 * MAX):
            connection = stack.enter_context(server.connect_raw())
            connection.send(b"\x16\x03\x01\x02\x00" if world.tls else b"GET /a.txt HTTP/1.1\r\nHo")
        time.sleep(0.5)
        before = server.cpu_s()
        time.sleep(1.5)
        assert server.cpu_s() - before < 0.3, "the server spins"


@test
def descriptors_the_same(world):
    """Idle connections have taken all descriptors."""
    server = world.serve(settings={"cache_files": "0", "keepalive_timeout": "5m",
                                   "header_timeout": "5m"}, descriptors_max=64)
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(server.connect_raw())
        time.sleep(0.3)
        for _ in range(20):
            connection = stack.enter_context(server.connect())
            connection.sock.settimeout(SOON_S)
            assert connection.get("/a.txt").status in (200, 503)


if __name__ == "__main__":
    run(setup, jobs=4)
