#!/usr/bin/python3
"""`auth`, `signed`, `referers`, `satisfy` (HTTP.md "Who may"). Passwords are looked at by whoever does
file jobs, so this runs on every engine."""

import base64
import hashlib
import hmac
import time

from wire import each, eventually, head, run, test

# Made by htpasswd -B (cost 5), htpasswd -m, mkpasswd -m sha-256.
USERS = """# users
bea:$2y$05$ihTZyiG0gjjkgMqmmzIfVuPDOqS4si.b1bDHX4H9nDrOhtOjQlj46
apr:$apr1$.MpKgDQj$rROMm6wTvF1KaV0/oh1Jv0:a comment
five:$5$BgfMcCOCclzuluHb$7v9COgUBGqdcB6FuRG2nACm5zytu3f.BESPkUF/Pe8A
"""
SLOW = "slow:$6$rounds=50000$abcdefgh$" + "x" * 86 + "\n"  # nobody's, and tens of milliseconds
KEY, OLD_KEY = "0123456789abcdef" * 2, "fedcba9876543210" * 2

CONF = """
access_log = "@world@/logs/access.log"
auth_verifications_max = %d
server "localhost" {
    listen = {"@listen@"}
    root = "@root@"
    status_page = "/status"
    precompressed = gzip
    error_pages = {"401=/members/401.html", "410=/gone.html"}
    location "/members/" { auth "Only \\"members\\"" { users = "@world@/logs/users" } }
    location "/members/open/" { auth = off }
    location "/slow/" { auth "Slow" { users = "@world@/logs/slow" } }
    location "/signed/" { signed = {"@world@/logs/key", "@world@/logs/old"} autoindex = on }
    location "/pages/" { referers = {"none", "server_names", "*.example.org"} }
    location "/matched/" { alias = "@root@" referers = {"blocked", '~* ^(www\\.)?example\\.com/a/', '~ \\.net:8080$'} }
    location "/any/" {
        satisfy = any
        allow = "192.0.2.0/24"
        auth "Any" { users = "@world@/logs/users" }
        signed = "@world@/logs/key"
    }
    location "/all/" {
        allow = "unix:"
        auth "All" { users = "@world@/logs/users" }
    }
}
"""
CHALLENGE = 'Basic realm="Only \\"members\\"", charset="UTF-8"'


def setup(world):
    root, logs = world.root, world.logs
    for folder in ("members", "members/open", "slow", "signed", "pages", "any", "all"):
        root.write(f"{folder}/a.txt", "a" * 100)
    root.write("members/401.html", "<p>who are you?")
    root.write("gone.html", "<p>over")
    root.write("signed/b c.txt", "b")
    root.pattern("members/large.bin", 300_000)
    root.write("open.txt", "open")
    logs.write("users", USERS)
    logs.write("slow", SLOW)
    logs.write("key", KEY + "\n")
    logs.write("old", OLD_KEY)
    world.server = world.serve(conf=CONF % 1000)
    world.busy = world.serve(conf=CONF % 2)
    return world


def basic(name, password):
    return "Authorization: Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def ask(world, target, *fields, method="GET"):
    with world.server.connect() as connection:
        connection.send(head(method, target, *fields))
        return connection.read_response(method)


def sign(path, expires, key=KEY):
    digest = hmac.new(key.encode(), f"{expires} {path}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@each([("bea", "bcrypt-pw"), ("apr", "apr-pw"), ("five", "five-pw")])
def whoever_knows_the_password_may(world, name, password):
    with world.server.connect() as connection:
        for _ in range(3):  # looked at once, and known then
            answer = connection.get("/members/a.txt", basic(name, password))
            assert answer.status == 200 and answer.body == b"a" * 100
        assert connection.get("/members/large.bin", basic(name, password)).status == 200
        connection.send(head("HEAD", "/members/a.txt", basic(name, password)))
        assert connection.read_response("HEAD").status == 200
        assert connection.get("/members/none", basic(name, password)).status == 404


@each([
    ("none at all",), ("wrong", basic("bea", "wrong")), ("unknown", basic("nobody", "bcrypt-pw")),
    ("empty", basic("", "")), ("of another", basic("bea", "apr-pw")),
    ("no colon", "Authorization: Basic YWJj"), ("no base64", "Authorization: Basic ?"),
    ("another scheme", "Authorization: Bearer abc"), ("long", basic("bea", "x" * 3000)),
    ("the hash itself", basic("bea", USERS.splitlines()[1].partition(":")[2])),
])
def nobody_else_may(world, _, *fields):
    for target in ("/members/a.txt", "/members/none", "/members/", "/members", "/members/401.html",
                   "//members/./a.txt"):
        answer = ask(world, target, *fields, "If-None-Match: *", "Range: bytes=0-0")
        assert answer.status == 401 and answer["WWW-Authenticate"] == CHALLENGE
        assert answer.body == b"<p>who are you?"
        if fields:
            break  # each guess is meant to cost something
    assert ask(world, "/members/open/a.txt", *fields).status == 200


@test
def the_connection_is_kept_and_pipelined_requests_are_judged_each(world):
    good, bad = basic("bea", "bcrypt-pw"), basic("bea", "no")
    with world.server.connect() as connection:
        connection.send(b"".join(head("GET", target, *fields) for target, fields in (
            ("/open.txt", ()), ("/members/a.txt", (bad,)), ("/members/a.txt", (good,)),
            ("/members/a.txt", ()), ("/open.txt", (bad,)), ("/members/a.txt", (good,)))))
        statuses = [connection.read_response("GET").status for _ in range(6)]
    assert statuses == [200, 401, 200, 401, 200, 200]


@test
def a_body_is_read_before_the_answer(world):
    with world.server.connect() as connection:
        connection.send(head("GET", "/members/a.txt", "Content-Length: 5"))
        connection.send(b"hello" + head("GET", "/open.txt"))
        assert connection.read_response("GET").status == 401
        assert connection.read_response("GET").status == 200


@test
def who_leaves_while_it_is_looked_at_disturbs_nobody(world):
    for _ in range(3):
        with world.server.connect() as connection:
            connection.send(head("GET", "/members/a.txt", basic("bea", "leaves")))
    assert ask(world, "/members/a.txt", basic("bea", "bcrypt-pw")).status == 200


@test
def beyond_so_many_at_a_time_it_is_503(world):
    crowd = [world.busy.connect() for _ in range(8)]
    for number, connection in enumerate(crowd):
        connection.send(head("GET", "/slow/a.txt", basic("slow", f"guess {number}")))
    answers = [connection.read_response("GET") for connection in crowd]
    for connection in crowd:
        connection.close()
    assert all(answer.status in (401, 503) for answer in answers)
    busy = [answer for answer in answers if answer.status == 503]
    assert all(answer["Retry-After"] == "1" for answer in busy)
    assert len(busy) < len(answers)


@test
def the_log_tells_who_it_was_and_not_who_was_tried(world):
    ask(world, "/members/a.txt?mark", basic("apr", "apr-pw"))
    ask(world, "/members/a.txt?tried", basic("tried-name", "tried-pw"))

    def lines():
        with open(f"{world.logs.path}/access.log", encoding="ascii") as file:
            return [line for line in file if "?mark " in line or "?tried " in line]
    assert eventually(lambda: len(lines()) == 2, 5)
    text = "".join(lines())
    assert " - apr [" in text and "tried-name" not in text and "tried-pw" not in text


@test
def signed_links(world):
    now = int(time.time())
    path = "/signed/b c.txt"
    for key in (KEY, OLD_KEY):
        for target, status in (
                (f"/signed/b%20c.txt?expires={now + 60}&signature={sign(path, now + 60, key)}", 200),
                (f"/signed/b%20%63.txt?x=1&signature={sign(path, now + 60, key)}&expires={now + 60}", 200),
                (f"/signed/b%20c.txt?expires={now - 60}&signature={sign(path, now - 60, key)}", 410),
                (f"/signed/b%20c.txt?expires={now + 61}&signature={sign(path, now + 60, key)}", 403),
                (f"/signed/a.txt?expires={now + 60}&signature={sign(path, now + 60, key)}", 403)):
            answer = ask(world, target)
            assert answer.status == status, target
            assert status != 410 or answer.body == b"<p>over"
    for target in ("/signed/a.txt", "/signed/", "/signed", "/signed/none", "/signed/a.txt?expires=1"):
        assert ask(world, target).status == 403
    listing = f"/signed/?expires={now + 60}&signature={sign('/signed/', now + 60)}"
    assert ask(world, listing).status == 200


@each([
    ((), 200), (("Referer: http://localhost/x",), 200), (("Referer: HTTPS://LOCALHOST:1/",), 200),
    (("Referer: https://a.b.example.org/",), 200), (("Referer: https://example.org/",), 403),
    (("Referer: https://example.com/?http://localhost/",), 403), (("Referer: xxx",), 403),
    (("Referer: http://localhost@example.com/",), 403),
    (("Referer: https://xexample.org/",), 403),
])
def pages_that_may_lead_here(world, fields, status):
    assert ask(world, "/pages/a.txt", *fields).status == status


@each([("http://Example.com/a/x", 200), ("https://www.example.com/A/", 200), ("https://example.com/b/", 403),
       ("https://x.example.com/a/", 403), ("http://a.net:8080", 200), ("http://a.NET:8080", 403), ("-", 200),
       ("ftp://example.com/a/", 403), (None, 403)])
def pages_by_expression(world, referer, status):
    assert ask(world, "/matched/open.txt", *([f"Referer: {referer}"] if referer else [])).status == status


@test
def any_or_all(world):
    good = basic("bea", "bcrypt-pw")
    until = int(time.time()) + 60
    assert ask(world, "/any/a.txt").status == 401
    assert ask(world, "/any/a.txt", good).status == 200
    link = f"/any/a.txt?expires={until}&signature={sign('/any/a.txt', until)}"
    assert ask(world, link).status == 200
    assert ask(world, link.replace("a.txt", "b.txt")).status == 401
    assert ask(world, "/all/a.txt", good).status == 403  # not by a unix socket
    assert ask(world, "/all/a.txt").status == 403


if __name__ == "__main__":
    run(setup)
