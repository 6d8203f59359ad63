#!/usr/bin/python3
"""A file that is cut short while it is sent (HTTP.md "Finding the file"): cut short and close;
never more than announced, never a signal."""

import os

from wire import each, eventually, head, run, test

SIZE = 48 << 20


def setup(world):
    world.root.write("a.txt", "a")
    return world.serve()


@each([0, 1, 4096, 1_000_000, SIZE // 2])
def the_answer_ends_early_and_the_connection_with_it(server, kept):
    name = f"cut-{kept}"
    server.world.root.sparse(name, SIZE, {0: b"start"})
    with server.connect(receive_buffer=16384) as connection:
        connection.send(head("GET", "/" + name) + head("GET", "/a.txt"))
        answer = connection.read_head()
        assert int(answer["Content-Length"]) == SIZE
        os.truncate(server.world.root.at(name), kept)
        data = connection.read_to_end(10)
        assert len(data) < SIZE and b"HTTP/1.1" not in data
    assert server.get("/a.txt").body == b"a"


@test
def a_range_ends_early_as_well(server):
    server.world.root.sparse("range", SIZE, {})
    with server.connect(receive_buffer=16384) as connection:
        connection.send(head("GET", "/range", f"Range: bytes=1000-{SIZE - 1}"))
        answer = connection.read_head()
        os.truncate(server.world.root.at("range"), 2000)
        assert len(connection.read_to_end(10)) < int(answer["Content-Length"])


@test
def so_does_a_multipart_answer(server):
    server.world.root.sparse("parts", SIZE, {})
    with server.connect(receive_buffer=16384) as connection:
        connection.send(head("GET", "/parts", f"Range: bytes=0-{SIZE // 3},{SIZE // 2}-{SIZE - 1}")
                        + head("GET", "/a.txt"))
        answer = connection.read_head()
        os.truncate(server.world.root.at("parts"), 2000)
        data = connection.read_to_end(10)
        assert len(data) < int(answer["Content-Length"]) and b"HTTP/1.1" not in data


@test
def many_at_a_time(server):
    server.world.root.sparse("many", SIZE, {})
    before = server.descriptors()
    connections = [server.connect(receive_buffer=16384) for _ in range(20)]
    for connection in connections:
        connection.send(head("GET", "/many"))
    for connection in connections:
        connection.read_head()
    os.truncate(server.world.root.at("many"), 100)
    for connection in connections:
        assert len(connection.read_to_end(10)) < SIZE
        connection.close()
    assert server.get("/a.txt").body == b"a"
    assert eventually(lambda: server.descriptors() <= before + 3)


@each([10, 5_000, 100_000])
def a_file_that_was_cut_between_two_requests(server, size):
    """What lies in memory may be sent as it was; what is read from the file is as long as that."""
    name = f"between-{size}"
    server.world.root.write(name, b"x" * size)
    assert len(server.get("/" + name).body) == size
    os.truncate(server.world.root.at(name), size // 2)
    with server.connect() as connection:
        connection.send(head("GET", "/" + name))
        answer = connection.read_head()
        connection.half_close()
        data = connection.read_to_end(5)
        assert int(answer["Content-Length"]) in ((size, size // 2) if size < 10_000 else
                                                 (size // 2,))
        assert data == b"x" * int(answer["Content-Length"])
    assert server.get("/a.txt").body == b"a"
    assert eventually(lambda: len(server.get("/" + name).body) == size // 2, 3)


if __name__ == "__main__":
    run(setup)
