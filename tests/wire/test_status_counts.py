#!/usr/bin/python3
"""What is counted, kind by kind: each thing is done once, or a few times, and its count says so."""

import contextlib
import json
import os
import time

from wire import each, eventually, head, patience, run, test

LARGE = 3 << 20
CONF = """
header_timeout = 400ms
body_timeout = 400ms
keepalive_timeout = 400ms
send_timeout = 400ms
linger_timeout = 400ms
%s
cache_valid = 300ms
access_log = /dev/full
access_log_buffer = 1k
server "a" { listen = {"@listen@"} root = "@root@" status_page = "/status" }
"""


def setup(world):
    world.root.write("a.txt", "hello")
    world.root.write("dir/b.txt", "b")
    world.root.sparse("large.bin", 64 << 20, {})
    world.root.write("middle.bin", b"x" * LARGE)
    secure = "tls_handshake_timeout = 400ms" if world.tls else ""
    return world.serve(conf=CONF % secure)


def figures(server):
    answer = server.get("/status?format=json")
    assert answer.status == 200
    return json.loads(answer.body)


def count(figures_, family, key=None):
    return figures_[family] if key is None else figures_[family][key]


@contextlib.contextmanager
def more(server, family, key=None, least=1):
    """What is done here counts at least so often; a count may come a moment later."""
    before = count(figures(server), family, key)
    yield
    assert eventually(lambda: count(figures(server), family, key) - before >= least,
                      30), f"{family} {key}: {before}, then {figures(server)}"


def goes_on(connection):
    """Waits for the server to end the connection, whatever it says before."""
    with contextlib.suppress(OSError, AssertionError):
        connection.read_to_end(10)


@each([("header", b"GET /a.txt HTTP/1.1\r\n"), ("body", head("POST", "/a.txt", "Content-Length: 9")),
       ("keepalive", head("GET", "/a.txt"))])
def deadlines(server, kind, octets):
    with more(server, "deadlines_total", kind), server.connect() as connection:
        connection.send(octets)
        goes_on(connection)


@test
def a_deadline_of_lingering(server):
    """The client has its answer and the end, and stays."""
    with more(server, "deadlines_total", "linger"), server.connect() as connection:
        connection.send(b"bad\r\n\r\n")
        goes_on(connection)
        time.sleep(1)


@test
def a_deadline_of_sending(server):
    with more(server, "deadlines_total", "send"), server.connect(receive_buffer=4096) as connection:
        connection.send(head("GET", "/large.bin"))
        connection.read_head()
        time.sleep(1)
        goes_on(connection)


@test
def a_deadline_of_a_handshake(server):
    if not server.world.tls:
        return
    with more(server, "deadlines_total", "tls_handshake"), \
            more(server, "tls_handshake_failures_total", "timeout"), \
            server.connect_raw() as connection:
        connection.send(b"\x16\x03\x01")
        goes_on(connection)


@each([("bad_request", b"bad\r\n\r\n"), ("too_large", b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n"),
       ("method", head("POST", "/a.txt")), ("http_version", b"GET / HTTP/3.0\r\nHost: a\r\n\r\n"),
       ("timeout", b"GET /a.txt HTTP/1.1\r\n")])
def refusals(server, kind, octets):
    with more(server, "refusals_total", kind), server.connect() as connection:
        with contextlib.suppress(ConnectionError):
            connection.send(octets)
        goes_on(connection)


@test
def bytes_of_both_ways(server):
    with more(server, "sent_bytes_total", least=LARGE), \
            more(server, "received_bytes_total", least=20):
        assert len(server.get("/middle.bin").body) == LARGE


@test
def of_the_file_cache(server):
    with more(server, "file_cache_total", "miss"), more(server, "file_cache_total", "hit"), \
            more(server, "file_cache_total", "revalidated"), \
            server.connect() as connection:  # for some it is the connection's own
        for pause_s in (0, 0, 0.31):
            time.sleep(pause_s)
            assert connection.get("/a.txt").body == b"hello"


@test
def of_file_jobs(server):
    with more(server, "file_jobs_total", "open"), more(server, "file_jobs_seconds_total", "open",
                                                       least=1e-6):
        server.world.root.write("another.txt", "new")
        assert server.get("/another.txt").body == b"new"


@test
def of_lines_that_cannot_be_written(server):
    with more(server, "log_lines_dropped_total"), server.connect() as connection:
        for _ in range(50):
            connection.get("/a.txt")


@test
def of_connections(server):
    with more(server, "connections_accepted_total", least=3), \
            more(server, "connections_closed_total", least=3):
        for _ in range(3):
            server.get("/a.txt")
    after = figures(server)
    for state, number in after["connections"].items():
        assert 0 <= number < 1000, state
    assert after["connections_moved_total"] == 0
    assert sum(listener["connections_total"] for listener in after["listeners"]) \
        == after["connections_accepted_total"]


@test
def of_what_it_costs(server):
    with more(server, "cpu_seconds_total", least=0.0001):
        for _ in range(20):
            server.get("/a.txt")
    after = figures(server)
    assert sum(after["syscalls_total"].values()) > 0
    threads = after["threads"]
    assert threads and all(os.path.exists(f"/proc/{one['process']}") for one in threads[:1])


@test
def handshakes(server):
    if not server.world.tls:
        assert sum(figures(server)["tls_handshakes_total"].values()) == 0
        return
    with more(server, "tls_handshakes_total", "full"), server.connect() as connection:
        connection.get("/a.txt")
        session = connection.sock.tls.session
    if server.world.tls == "openssl":  # the other library does not say which were resumed
        with more(server, "tls_handshakes_total", "resumed"), \
                server.connect(session=session) as connection:
            connection.get("/a.txt")
            assert connection.sock.tls.session_reused


@each([("plain_http", head("GET", "/a.txt")), ("protocol", b"\x16\x03\x01\x00\x04\x01\x00\x00\x00"),
       ("closed", None)])
def handshakes_that_fail(server, reason, octets):
    if not server.world.tls:
        return
    with more(server, "tls_handshake_failures_total", reason), server.connect_raw() as connection:
        if octets is not None:
            connection.send(octets)
            goes_on(connection)
        else:
            connection.send(b"\x16\x03\x01")
            connection.half_close()
            goes_on(connection)


if __name__ == "__main__":
    run(setup)
