#!/usr/bin/python3
"""How answers leave (HTTP.md "Answering"): header and first octets of the body in one segment, and
nothing is held back to wait for an acknowledgement."""

import time

from wire import each, head, patience, run, test


def setup(world):
    world.root.write("small.txt", "s" * 1000)
    world.root.pattern("middle.bin", 30_000)
    world.root.pattern("large.bin", 1_000_000)
    return world.serve()


@each([("/small.txt", 1000), ("/middle.bin", 1), ("/large.bin", 1), ("/none.txt", 1)])
def header_and_body_come_together(server, target, at_least):
    """The first receive that has the end of the head has octets of the body, too."""
    with server.connect() as connection:
        for _ in range(30):
            connection.send(head("GET", target))
            first = connection.receive(1 << 20)
            assert first.startswith(b"HTTP/1.1 ") and b"\r\n\r\n" in first
            assert len(first.split(b"\r\n\r\n", 1)[1]) >= at_least
            connection.pending = first
            connection.read_response()


@test
def answers_do_not_wait_for_acknowledgements(server):
    """40 ms each is what a delayed acknowledgement would cost with Nagle's algorithm or a cork."""
    for target in ("/small.txt", "/middle.bin", "/none.txt"):
        with server.connect() as connection:
            started = time.monotonic()
            for _ in range(100):
                connection.get(target)
            assert time.monotonic() - started < patience(2)


@test
def pipelined_answers_leave_together(server):
    """Sixteen small answers to one segment need not many receives."""
    with server.connect() as connection:
        receives = []
        for _ in range(20):
            connection.send(head("GET", "/none.txt") * 16)
            time.sleep(0.01)
            count = 0
            left = 16
            while left:
                connection.pending += connection.receive(1 << 20)
                count += 1
                while b"\r\n\r\n" in connection.pending and left:
                    connection.read_response()
                    left -= 1
            receives.append(count)
        assert sorted(receives)[10] == 1, receives


if __name__ == "__main__":
    run(setup)
