#!/usr/bin/python3
"""Clients that go away with a RST: no signal, no leak of descriptors or memory."""

import time

from wire import each, eventually, head, rounds, run, test

COUNT = rounds(300)
COUNT_TLS = rounds(100)  # each has its handshake


def setup(world):
    world.root.write("a.txt", "a")
    world.root.pattern("large.bin", 8 << 20)
    world.root.sparse("huge.bin", 1 << 30, {})
    for number in range(150):
        world.root.write(f"list/{number}-{'x' * 200}.txt", "")
    return world.serve(settings={"autoindex": "on"})


def after_all(server, what):
    """Does `what` with many connections: nothing stays behind."""
    count = COUNT_TLS if server.context else COUNT
    for number in range(count // 10):
        what(number)
    assert eventually(lambda: server.get("/a.txt").body == b"a", 5)
    time.sleep(0.1)

    def all_of_them():
        for number in range(count):
            what(number)

    server.expect_all_back(all_of_them, 5)
    assert server.get("/a.txt").body == b"a"


@each(["/large.bin", "/huge.bin", "/list/"])
def in_the_midst_of_an_answer(server, target):
    def abort(number):
        connection = server.connect(receive_buffer=4096)
        connection.send(head("GET", target))
        if number % 3:
            connection.receive(1000 * (number % 3))
        connection.reset()
    after_all(server, abort)


@test
def in_the_midst_of_a_request(server):
    octets = [b"G", b"GET /a.txt HTTP/1.1\r\nHost: x",
              head("POST", "/a.txt", "Content-Length: 100") + b"x",
              head("POST", "/a.txt", "Transfer-Encoding: chunked") + b"5\r\nhe", b""]

    def abort(number):
        connection = server.connect()
        connection.send(octets[number % len(octets)])
        connection.reset()
    after_all(server, abort)


@test
def behind_pipelined_requests(server):
    def abort(number):
        connection = server.connect(receive_buffer=4096)
        connection.send(head("GET", "/a.txt") * (number % 50) + head("GET", "/large.bin") * 3)
        connection.reset()
    after_all(server, abort)


@test
def on_an_idle_connection(server):
    def abort(_):
        connection = server.connect()
        assert connection.get("/a.txt").status == 200
        connection.reset()
    after_all(server, abort)


@test
def while_the_server_lingers(server):
    def abort(_):
        connection = server.connect()
        connection.send(b"bad\r\n" + b"x" * 10_000)
        connection.receive()
        connection.reset()
    after_all(server, abort)


@test
def a_thousand_connections_at_once(server):
    descriptors = server.descriptors()
    connections = [server.connect() for _ in range(1000)]
    for number, connection in enumerate(connections):
        connection.send(head("GET", "/huge.bin" if number % 2 else "/a.txt"))
    for connection in connections:
        connection.reset()
    assert eventually(lambda: server.descriptors() <= descriptors + 2, 8)
    assert server.get("/a.txt").body == b"a"


if __name__ == "__main__":
    run(setup)
