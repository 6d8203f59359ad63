#!/usr/bin/python3
"""Thousands of connections that say nothing: they cost no CPU time and little memory, and each is
answered when it speaks again. The clients are another process, with descriptors of its own."""

import multiprocessing
import resource
import socket
import time

from wire import eventually, head, rounds, run, test

COUNT = 9_900
SPARE = 150      # descriptors for everything else
AT_ONCE = 200    # requests on their way
MEMORY_MAX_KIB = 8  # of a connection
# Where each has a thread or a process: how many there are, and what one takes of the server itself.
MODELS = {"thread-per-connection": (2000, 28), "process-per-connection": (2000, 8)}


def setup(world):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    world.root.write("a.txt", "a")
    # More than there will be: a thread's share of the limit is not the kernel's share of clients.
    # The first to connect says nothing until the last one has: with select that takes a while.
    server = world.serve(settings={"connections_max": "30000", "keepalive_timeout": "10m",
                                   "header_timeout": "2m"})
    count, world.memory_max_kib = MODELS.get(world.engine, (COUNT, MEMORY_MAX_KIB))
    world.count = min(rounds(count), hard - SPARE)
    return server


def receive_answer(sock):
    data = b""
    while not data.endswith(b"\r\n\r\na"):
        more = sock.recv(4096)
        if not more:
            return False
        data += more
    return data.startswith(b"HTTP/1.1 200 ")


def ask_all(socks):
    """Some at a time; the number of right answers."""
    right = 0
    for first in range(0, len(socks), AT_ONCE):
        for sock in socks[first:first + AT_ONCE]:
            sock.sendall(head("GET", "/a.txt"))
        right += sum(receive_answer(sock) for sock in socks[first:first + AT_ONCE])
    return right


def clients(port, count, pipe):
    """Connects; asks on every connection whenever it is told to, and tells how many answers were
    right."""
    try:
        socks = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(count)]
        while pipe.recv():
            pipe.send(ask_all(socks))
        for sock in socks:
            sock.close()
    except OSError as error:
        pipe.send(str(error))


@test
def all_of_them(server):
    count = server.world.count
    server.get("/a.txt")
    descriptors, memory = server.descriptors(), server.memory_kib()
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=clients,
                                                          args=(server.port, count, theirs))
    process.start()
    try:
        ours.send(True)
        assert (right := ours.recv()) == count, right
        assert server.descriptors() > count
        each_kib = (server.memory_kib() - memory) / count
        print(f"# {count} connections, {each_kib:.2f} KiB each")
        assert server.is_sanitized() or each_kib <= server.world.memory_max_kib, f"{each_kib} KiB"
        time.sleep(1.5)  # logs are written out
        before = server.cpu_s()
        time.sleep(1.5)
        assert server.cpu_s() - before < 0.15, "idle connections cost CPU time"
        ours.send(True)
        assert (right := ours.recv()) == count, right
        ours.send(False)
    finally:
        process.join(30)
        process.kill()
    assert eventually(lambda: server.descriptors() <= descriptors + 2, 10)


if __name__ == "__main__":
    run(setup)
