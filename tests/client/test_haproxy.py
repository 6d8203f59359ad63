#!/usr/bin/python3
"""HAProxy in front of the server: it shares kept connections between clients, and asks for the
server's health."""

import csv
import os
import socket

from client import Program, eventually, front, logged, run, serve_logged, test
from client.front import Front

CONFIGURATION = """
global
    log stderr local0 notice
    stats socket @folder@/stats.sock mode 600
defaults
    mode http
    timeout connect 5s
    timeout client 10s
    timeout server 10s
frontend front
    bind unix@@folder@/front.sock mode 666
    default_backend gearshift
backend gearshift
    http-reuse always
    @check@
    server only @server@ check inter 100ms fall 2 rise 1
"""
CHECKS = {  # option httpchk to the request that the server sees
    "option httpchk": ("OPTIONS", "/", 204),
    "option httpchk GET /health.txt\n    http-check expect status 200": ("GET", "/health.txt", 200),
    "option httpchk\n    http-check send meth HEAD uri /health.txt ver HTTP/1.1 hdr Host health":
        ("HEAD", "/health.txt", 200),
}
PLAIN = "option httpchk"


class Haproxy(Front):
    """An HAProxy of our own, in a folder of its own."""

    def __init__(self, world, server, check=PLAIN):
        folder = os.path.join(world.path, f"haproxy-{server.port}")
        os.mkdir(folder)
        self.stats = os.path.join(folder, "stats.sock")
        path = os.path.join(folder, "haproxy.conf")
        text = CONFIGURATION.replace("@folder@", folder).replace("@check@", check)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("@server@", front.address(server)))
        super().__init__(world, world.haproxy, ["-db", "-f", path],
                         os.path.join(folder, "front.sock"))

    def statistics(self):
        """What `show stat` says of the server, by column."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(self.stats)
            sock.sendall(b"show stat\n")
            text = b"".join(iter(lambda: sock.recv(65536), b"")).decode()
        rows = list(csv.DictReader(text.removeprefix("# ").splitlines()))
        return next(row for row in rows if row["svname"] == "only")

    def is_up(self):
        """The server is up, and not only because it has not been asked yet."""
        row = self.statistics()
        return row["status"] == "UP" and row["check_status"] == "L7OK"


def setup(world):
    world.haproxy = Program(world, "haproxy", package="haproxy")
    world.curl = Program(world, "curl", package="curl")
    front.build(world)
    world.root.write("health.txt", "fine")
    return world


def through(world, *checks):
    server = world.serve()
    proxy = Haproxy(world, server)
    try:
        for check in checks:
            check(proxy, world)
        row = proxy.statistics()
        assert (row["econ"], row["eresp"], row["hrsp_5xx"]) == ("0", "0", "0"), row
    finally:
        proxy.stop()


@test
def files(world):
    through(world, front.files_are_the_same, front.ranges_are_the_same)


@test
def heads_conditions_and_redirects(world):
    through(world, front.head_has_no_body, front.conditional_requests_get_304,
            front.a_redirect_names_no_host)


def the_mix_reuses_connections(proxy, world):
    front.a_mix_keeps_its_order(proxy, world)
    row = proxy.statistics()
    assert int(row["connect"]) <= 2, f"{row['connect']} connections"
    assert int(row["reuse"]) >= front.REQUESTS - 2, f"{row['reuse']} requests on kept ones"


@test
def two_hundred_requests_over_kept_connections(world):
    through(world, the_mix_reuses_connections)


@test
def health_checks(world):
    for check, (method, target, status) in CHECKS.items():
        server = serve_logged(world)
        proxy = Haproxy(world, server, check)
        try:
            assert eventually(proxy.is_up), proxy.statistics()
            requests = logged(server)
            assert requests and {(entry.method, entry.target, entry.status)
                                 for entry in requests} == {(method, target, status)}, check
            assert eventually(lambda p=proxy: p.statistics()["status"] == "DOWN"), "still up"
        finally:
            proxy.stop()


if __name__ == "__main__":
    run(setup)
