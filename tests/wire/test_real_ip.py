#!/usr/bin/python3
"""`real_ip_from`: a proxy that speaks HTTP names the client of each request in a field, and is
believed when it is listed (docs/server.conf.md "Who the client is")."""

import itertools
import json
import os

from wire import each, eventually, head, run, test
from wire.proxied import connect, v1, v2

CONF = """
real_ip_from = {"127.0.0.1", "10.0.0.0/8", "2001:db8::/32", "unix:"}
trusted = {"127.0.0.0/8"}
access_log = "@world@/logs/%s.log"
access_log_format = json
%s
server "localhost" {
    listen = {"@listen@", "@listen@ proxy_protocol", "unix:@world@/logs/%s.sock"}
    root = "@root@"
}
"""
NORMAL, PROXIED, UNIX = range(3)


def setup(world):
    world.root.write("a.txt", "a")
    world.root.pattern("large.bin", 3_000_000)
    world.numbers = itertools.count()
    world.servers = {}
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        for recursive in ("off", "on"):
            name = f"{header}-{recursive}"
            keys = f"real_ip_header = {header}\nreal_ip_recursive = {recursive}"
            server = world.serve(conf=CONF % (name, keys, name), listeners=3)
            server.log = os.path.join(world.logs.path, name + ".log")
            world.servers[header, recursive] = server
    return world


def lines(server):
    """The lines of the access log so far; of one that is being written, nothing."""
    with open(server.log, encoding="ascii") as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


def peer_of(server, mark):
    """Whom the access log tells as the client of the request with that mark."""
    def find():
        return [line["peer"] for line in lines(server) if f"?{mark} " in line["request"]]
    assert eventually(find, 5), f"no line for {mark}"
    peer, = find()
    return peer


def client_of(world, server, *fields, listener=NORMAL):
    mark = next(world.numbers)
    with server.connect(listener) as connection:
        assert connection.get(f"/a.txt?{mark}", *fields).body == b"a"
    return peer_of(server, mark)


@each([
    ("X-Forwarded-For", "192.0.2.1", "192.0.2.1", "192.0.2.1"),
    ("X-Forwarded-For", "6.6.6.6, 192.0.2.1, 10.0.0.2", "10.0.0.2", "192.0.2.1"),
    ("X-Forwarded-For", "10.0.0.3,10.0.0.2", "10.0.0.2", "10.0.0.3"),
    ("X-Forwarded-For", "192.0.2.1:80, [2001:db8::1]:80", "2001:db8::1", "192.0.2.1"),
    ("X-Forwarded-For", "192.0.2.1, unknown, 10.0.0.2", "10.0.0.2", "10.0.0.2"),
    ("X-Forwarded-For", "unknown", "127.0.0.1", "127.0.0.1"),
    ("X-Forwarded-For", "\xff\xfe", "127.0.0.1", "127.0.0.1"),
    ("X-Real-IP", "192.0.2.1", "192.0.2.1", "192.0.2.1"),
    ("X-Real-IP", "2001:db9::1", "2001:db9::1", "2001:db9::1"),
    ("Forwarded", "for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60", "192.0.2.60"),
    ("Forwarded", 'for=192.0.2.1, FOR="[2001:db8::1]:4711"', "2001:db8::1", "192.0.2.1"),
    ("Forwarded", 'for="x, for=192.0.2.1', "192.0.2.1", "192.0.2.1"),
    ("Forwarded", "for=192.0.2.1, for=_hidden", "127.0.0.1", "127.0.0.1"),
])
def the_field_names_the_client(world, header, value, last, first):
    for recursive, client in (("off", last), ("on", first)):
        server = world.servers[header, recursive]
        assert client_of(world, server, f"{header}: {value}") == client, recursive


@test
def without_the_field_the_proxy_is_the_client(world):
    for (header, recursive), server in world.servers.items():
        others = [f"{name}: 6.6.6.6" for name in ("X-Forwarded-For", "X-Real-IP", "X-Client-IP",
                                                  "X-Forwarded-Fox", "Forwardex", "X-Real-IQ")
                  if name != header]
        assert client_of(world, server, *others) == "127.0.0.1", (header, recursive)


@test
def each_request_of_a_kept_connection_has_its_own(world):
    server = world.servers["X-Forwarded-For", "on"]
    clients = {next(world.numbers): f"192.0.2.{i}" for i in range(1, 40)}
    requests = {mark: head("GET", f"/a.txt?{mark}", f"X-Forwarded-For: {client}")
                for mark, client in clients.items()}
    bare = next(world.numbers)
    with server.connect() as connection:
        for mark in list(requests)[:10]:  # one after the other,
            connection.send(requests[mark])
            assert connection.read_response().body == b"a"
        connection.send(b"".join(list(requests.values())[10:]) +  # pipelined,
                        head("GET", f"/a.txt?{bare}"))  # and one without the field behind them
        for _ in range(len(requests) - 10 + 1):
            assert connection.read_response().body == b"a"
    for mark, client in clients.items():
        assert peer_of(server, mark) == client
    assert peer_of(server, bare) == "127.0.0.1"


@test
def long_answers_and_errors_tell_it_too(world):
    server = world.servers["X-Forwarded-For", "off"]
    field = "X-Forwarded-For: 192.0.2.77"
    large, none, post = (next(world.numbers) for _ in range(3))
    with server.connect() as connection:
        assert len(connection.get(f"/large.bin?{large}", field).body) == 3_000_000
        assert connection.get(f"/none?{none}", field).status == 404
        connection.send(head("POST", f"/a.txt?{post}", field, "Content-Length: 3") + b"abc")
        assert connection.read_response().status == 405
    for mark in (large, none, post):
        assert peer_of(server, mark) == "192.0.2.77"


@test
def a_head_that_is_refused_is_the_proxys(world):
    """What cannot be parsed names nobody."""
    server = world.servers["X-Forwarded-For", "off"]
    mark, then = next(world.numbers), next(world.numbers)
    with server.connect() as connection:
        connection.send(head("GET", f"/a.txt?{then}", "X-Forwarded-For: 192.0.2.1") +
                        head("GET", f"/a.txt?{mark}", "X-Forwarded-For: 192.0.2.2", "Bad Name: x"))
        assert connection.read_response().status == 200
        assert connection.read_response().status == 400
    assert peer_of(server, then) == "192.0.2.1"
    assert peer_of(server, mark) == "127.0.0.1"


@test
def several_lines_are_one_list(world):
    fields = ("X-Forwarded-For: 192.0.2.1", "x-forwarded-for: 10.0.0.3",
              "X-FORWARDED-FOR: 10.0.0.2")
    assert client_of(world, world.servers["X-Forwarded-For", "off"], *fields) == "10.0.0.2"
    assert client_of(world, world.servers["X-Forwarded-For", "on"], *fields) == "192.0.2.1"


@test
def from_others_the_field_counts_for_nothing(world):
    for server in world.servers.values():
        mark = next(world.numbers)
        fields = ("X-Forwarded-For: 6.6.6.6", "X-Real-IP: 6.6.6.6", "Forwarded: for=6.6.6.6")
        sock = connect(server, b"", source="127.0.0.9")
        with sock as connection:
            assert connection.get(f"/a.txt?{mark}", *fields).body == b"a"
        assert peer_of(server, mark) == "127.0.0.9"


@test
def a_unix_socket_is_one_of_them_when_it_is_listed(world):
    server = world.servers["X-Forwarded-For", "off"]
    assert client_of(world, server, "X-Forwarded-For: 192.0.2.1", listener=UNIX) == "192.0.2.1"
    assert client_of(world, server, listener=UNIX) == "unix:"


@each([(v1("10.0.0.9"), "192.0.2.1"), (v2("2001:db8::9"), "192.0.2.1"),
       (v1("203.0.113.9"), "203.0.113.9"), (v2("unix:"), "unix:"),
       (b"PROXY UNKNOWN\r\n", "192.0.2.1")])
def behind_a_proxy_header_it_is_that_client_who_is_believed(world, header, client):
    """Or not: the one who is told by it may be a proxy that speaks HTTP, or anybody."""
    server = world.servers["X-Forwarded-For", "on"]
    mark = next(world.numbers)
    with connect(server, header, PROXIED) as connection:
        assert connection.get(f"/a.txt?{mark}", "X-Forwarded-For: 192.0.2.1").body == b"a"
    assert peer_of(server, mark) == client


@test
def it_is_off_by_default(world):
    path = os.path.join(world.logs.path, "default.log")
    server = world.serve(settings={"access_log": path})
    server.get("/a.txt", "X-Forwarded-For: 6.6.6.6", "Forwarded: for=6.6.6.6")
    server.stop()
    with open(path, encoding="ascii") as file:
        assert file.read().startswith("127.0.0.1 ")


if __name__ == "__main__":
    run(setup, jobs=8)
