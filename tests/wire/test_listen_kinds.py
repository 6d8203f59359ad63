#!/usr/bin/python3
"""Addresses to listen on: IPv4, IPv6, a unix socket, several at a time, and the ways to name
them."""

import os
import socket
import time

from wire import ServerFailed, run, test


def setup(world):
    world.root.write("a.txt", "a")
    world.root.folder("dir")
    world.unix = world.logs.path + "/server.sock"
    return world


def listening(world, *addresses):
    """A server whose configuration has these addresses."""
    quoted = ", ".join(f'"{address}"' for address in addresses)
    return world.serve(listeners=len(addresses),
                       conf='server "localhost" { root = "@root@"\n listen = {%s} }\n' % quoted)


def works(server, listener=0):
    with server.connect(listener) as connection:
        for _ in range(3):
            assert connection.get("/a.txt").body == b"a"
            assert connection.get("/dir")["Location"] == "/dir/"
        return connection


@test
def a_folder_and_a_port_are_enough(world):
    server = world.serve()
    assert server.addresses[0][0] == "127.0.0.1"
    works(server)


@test
def ipv4(world):
    server = world.serve(arguments=["--listen", "127.0.0.1:0"])
    assert len(server.addresses) == 1
    works(server)


@test
def ipv6(world):
    server = world.serve(arguments=["--listen", "[::1]:0"])
    assert server.addresses[0][0] == "::1"
    works(server)


@test
def a_unix_socket(world):
    server = world.serve(arguments=["--listen", "unix:" + world.unix])
    assert server.addresses == [world.unix]
    works(server)
    server.stop()
    assert not os.path.exists(world.unix), "the file of the socket stays behind"


@test
def a_unix_socket_that_a_crash_left_behind_is_replaced(world):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(world.unix)
    server = world.serve(arguments=["--listen", "unix:" + world.unix])
    works(server)
    server.stop()


@test
def several_at_a_time(world):
    server = listening(world, "127.0.0.1:0", "[::1]:0", "unix:" + world.unix,
                       "127.0.0.2:0 backlog=16")
    assert len(server.addresses) == 4
    for listener in range(4):
        works(server, listener)


@test
def a_port_in_use_is_told(world):
    server = world.serve()
    try:
        world.serve(arguments=["--listen", f"127.0.0.1:{server.port}"])
    except ServerFailed as failure:
        assert str(server.port) in str(failure)
    else:
        raise AssertionError("two servers on one port")
    works(server)


@test
def all_addresses_of_the_machine(world):
    server = world.serve(arguments=["--listen", "0.0.0.0:0"])
    port = server.addresses[0][1]
    for address in ("127.0.0.1", "127.0.0.3"):
        with server.connect(address=(address, port)) as connection:
            assert connection.get("/a.txt").body == b"a"


@test
def both_families_on_one_socket(world):
    server = listening(world, "[::]:0 ipv6only=off")
    port = server.addresses[0][1]
    for address in ("::1", "127.0.0.1"):
        with server.connect(address=(address, port)) as connection:
            assert connection.get("/a.txt").body == b"a"


@test
def ipv6_alone_leaves_ipv4_alone(world):
    with socket.socket() as ours:  # else another test's server may have the number there
        ours.bind(("0.0.0.0", 0))
        port = ours.getsockname()[1]
        listening(world, f"[::]:{port} ipv6only=on")
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            return
    raise AssertionError("an IPv4 client was accepted")


@test
def a_congestion_control(world):
    server = listening(world, "127.0.0.1:0 congestion=reno")
    works(server)


@test
def a_deferred_connection(world):
    """One that says nothing is the kernel's; who speaks is served at once."""
    server = listening(world, "127.0.0.1:0 deferred")
    works(server)
    before = server.descriptors()
    for _ in range(20):
        began = time.monotonic()
        silent = [socket.create_connection(server.addresses[0]) for _ in range(20)]
        works(server)  # who came later was accepted
        found = server.descriptors()
        if time.monotonic() - began < 0.9:  # else the kernel may have given them up
            break
        time.sleep(0.5)
    assert found < before + 10, f"{before} descriptors, then {found}: the silent were accepted"
    for connection in silent:
        connection.close()
    works(server)


if __name__ == "__main__":
    run(setup)
