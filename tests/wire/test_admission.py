#!/usr/bin/python3
"""Who may (HTTP.md "Who may"): `allow` and `deny`, before anything is looked for."""

import os

from wire import each, head, run, test

CONF = """
real_ip_from = {"127.0.0.1"}
access_log = "@world@/logs/access.log"
server "localhost" {
    listen = {"@listen@"}
    root = "@root@"
    status_page = "/status"
    health = "/health"
    precompressed = gzip
    error_pages = {"403=/intern/denied.html"}
    redirect "/intern/old" { to = "/new" }
    deny = {"192.0.2.66", "file:@world@/logs/blocked"}
    location "/intern/" {
        autoindex = on
        allow = {"10.0.0.0/8", "2001:db8::/32"}
        deny = {"10.13.0.0/16"}
        try = {"$uri", "$uri/", "/a.txt"}
    }
    location "/intern/help/" { allow = {} }
    location "/none/" { deny = all }
    location "/.well-known/acme-challenge/closed/" { deny = all }
}
"""
INSIDE, OUTSIDE = "10.1.2.3", "198.51.100.7"


def setup(world):
    root = world.root
    root.write("a.txt", "a")
    root.write("intern/b.txt", "b")
    root.write("intern/c.txt.gz", "c")
    root.write("intern/folder/d.txt", "d")
    root.write("intern/denied.html", "<p>not for you")
    root.write("intern/help/e.txt", "e")
    root.write("none/f.txt", "f")
    root.write(".well-known/acme-challenge/token", "token")
    root.write(".well-known/acme-challenge/closed/token", "token")
    world.logs.write("blocked", "# lists\n" + "".join(
        f"100.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}\n" for i in range(0, 200_000, 2)))
    world.server = world.serve(conf=CONF)
    return world


def ask(world, client, target, *fields, method="GET"):
    with world.server.connect() as connection:
        connection.send(head(method, target, f"X-Forwarded-For: {client}", *fields))
        return connection.read_response(method)


@each([
    ("/a.txt", OUTSIDE, 200), ("/a.txt", "192.0.2.66", 403), ("/a.txt", "::ffff:192.0.2.66", 403),
    ("/a.txt", "100.0.0.0", 403), ("/a.txt", "100.3.13.62", 403), ("/a.txt", "100.3.13.63", 200),
    ("/a.txt", "::1", 200),
    ("/intern/b.txt", INSIDE, 200), ("/intern/b.txt", OUTSIDE, 403),
    ("/intern/b.txt", "10.13.1.1", 403), ("/intern/b.txt", "2001:db8::1", 200),
    ("/intern/b.txt", "::", 403), ("/intern/", INSIDE, 200),
    ("/intern/help/e.txt", OUTSIDE, 200), ("/intern/help/e.txt", "192.0.2.66", 200),
    ("/none/f.txt", INSIDE, 403), ("/none/f.txt", "127.0.0.1", 403),
])
def the_smallest_network_decides(world, target, client, status):
    assert ask(world, client, target).status == status


@each([
    ("/intern/b.txt",), ("/intern/nothing",), ("/intern/",), ("/intern",), ("/intern/folder",),
    ("//intern/b.txt",), ("/%69ntern/b.txt",), ("/x/../intern/b.txt",), ("/./intern//b.txt",),
    ("/intern/c.txt",), ("/intern/denied.html",), ("/intern/help/../b.txt",),
])
def a_refusal_tells_nothing_of_what_is_there(world, target):
    """Whatever is asked, and however: the same answer, which is the page for it."""
    for fields in ((), ("If-None-Match: *",), ("Range: bytes=0-0",), ("Accept-Encoding: gzip",),
                   ("If-Modified-Since: Sun, 06 Nov 2094 08:49:37 GMT",)):
        answer = ask(world, OUTSIDE, target, *fields)
        assert answer.status == 403 and answer.body == b"<p>not for you"
    answer = ask(world, OUTSIDE, target, method="HEAD")
    assert answer.status == 403 and answer["Content-Length"] == "14"


@test
def redirects_and_reports_come_first(world):
    assert ask(world, OUTSIDE, "/intern/old")["Location"] == "/new"
    assert ask(world, "192.0.2.66", "/health").body == b"ok\n"
    assert ask(world, "192.0.2.66", "/status").status == 403
    assert ask(world, "127.0.0.1", "/status").status == 200


@test
def options_are_told_to_everybody(world):
    answer = ask(world, OUTSIDE, "/intern/b.txt", method="OPTIONS")
    assert answer.status == 204 and answer["Allow"] == "GET, HEAD, OPTIONS"


@test
def challenges_are_for_everybody_unless_a_location_says_otherwise(world):
    assert ask(world, "192.0.2.66", "/.well-known/acme-challenge/token").body == b"token"
    assert ask(world, "192.0.2.66", "/.well-known/acme-challenge/closed/token").status == 403
    assert ask(world, "192.0.2.66", "/.well-known/acme-challenge/../../a.txt").status == 403
    assert ask(world, "192.0.2.66", "/.well-known/acme-challenge/").status == 403


@test
def the_connection_is_kept_and_pipelined_requests_are_judged_each(world):
    with world.server.connect() as connection:
        connection.send(b"".join(
            head("GET", target, f"X-Forwarded-For: {client}") for target, client in (
                ("/intern/b.txt", OUTSIDE), ("/intern/b.txt", INSIDE), ("/a.txt", OUTSIDE),
                ("/none/f.txt", OUTSIDE), ("/intern/help/e.txt", OUTSIDE))))
        statuses = [connection.read_response("GET").status for _ in range(5)]
    assert statuses == [403, 200, 200, 403, 200]


@test
def refusals_are_counted_by_their_reason(world):
    def count():
        with world.server.connect() as connection:
            lines = connection.get("/status?format=prometheus").body.decode().splitlines()
        return sum(int(line.split()[1]) for line in lines
                   if line.startswith('gearshift_refusals_total{reason="address"}'))
    before = count()
    ask(world, OUTSIDE, "/none/f.txt")
    assert count() > before
    assert os.path.exists(f"{world.logs.path}/access.log")


if __name__ == "__main__":
    run(setup)
