#!/usr/bin/python3
"""What an idle connection costs: a bounded number of octets, no time, and nothing once it is
gone."""

import re
import resource
import subprocess
import time

from wire import eventually, run, test

# By backend: how many connections (mbed TLS takes its time), and how many octets of memory an idle
# one may take, at most.
COUNTS = {"openssl": 1000, "mbedtls": 300}
OCTETS_MAX = {"openssl": 20 << 10, "mbedtls": 64 << 10}
OCTETS_MAX_OPENSSL_3_2 = 32 << 10  # and later: tests/unit/test_tls_openssl.c tells what for
# Those that were busy last have memory for records at hand: 128 of a thread (session_tls.h). With a second
# thread, theirs counts as that of all.
WARM_OCTETS = {"openssl": 128 * (34 << 10), "mbedtls": 0}


def setup(world):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    world.count = COUNTS[world.tls]
    assert hard > world.count + 100, f"a limit of {hard} descriptors"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, world.count + 100), hard))
    world.root.write("a.txt", "a")
    return world


def octets_max(server, backend):
    """How many an idle connection may take with the library that this server was built with."""
    told = subprocess.run([server.argv[0], "-V"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"OpenSSL (\d+)\.(\d+)", told)
    if backend == "openssl" and (int(version[1]), int(version[2])) >= (3, 2):
        return OCTETS_MAX_OPENSSL_3_2
    return OCTETS_MAX[backend]


def connect_all(server, count):
    """Each has made a request and waits for the next."""
    connections = []
    for _ in range(count):
        connection = server.connect()
        assert connection.get("/a.txt").body == b"a"
        connections.append(connection)
    return connections


@test
def memory_is_bounded_and_returns(world):
    server = world.serve(settings={"keepalive_timeout": "10m"})  # handshakes take their time
    for _ in range(50):  # what is made once
        assert server.get("/a.txt").body == b"a"
    before, descriptors = server.memory_kib(), server.descriptors()
    connections = connect_all(server, world.count)
    octets = (server.memory_kib() - before) * 1024
    each = (octets - WARM_OCTETS[world.tls]) / world.count
    print(f"     {each:.0f} octets of memory for each of {world.count} idle connections"
          f" and {WARM_OCTETS[world.tls] >> 10} KiB in all")
    most = octets_max(server, world.tls)
    assert server.is_sanitized() or each <= most, f"{each:.0f} octets each, {most} at most"
    for connection in connections[::100]:
        assert connection.get("/a.txt").body == b"a"
    for connection in connections:
        connection.close()
    assert eventually(lambda: server.descriptors() <= descriptors)

    def come_and_go():
        for connection in connect_all(server, world.count):
            connection.close()
    # Each thread that allocates has a heap of its own (mallopt(3), M_ARENA_MAX), and who gets a connection
    # is chance: a round in which another thread has most of them may take as much as the first, once
    # a thread. What is not given back grows in each round. Smaller leaks are LeakSanitizer's.
    server.expect_all_back(come_and_go, 5)


@test
def they_cost_no_time(world):
    server = world.serve(settings={"keepalive_timeout": "10m"})  # handshakes take their time
    connections = connect_all(server, world.count)
    before = server.cpu_s()
    time.sleep(1.5)
    assert server.cpu_s() - before < 0.3, "the server spins"
    for connection in connections:
        connection.close()


if __name__ == "__main__":
    run(setup, tls=True)
