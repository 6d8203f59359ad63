#!/usr/bin/python3
"""Where a request is answered from somewhere else than the path asked for (`rewrite`, `_redirects`): what holds there
holds for it, and what counts, counts it once."""

import base64
import hmac
import time

from wire import each, run, test

KEY = b"a key of at least sixteen octets"
UNLIMITED = "X-Forwarded-For: 198.51.100.9"
# Limits of one text are one limit.
CONF = """
access_log = off
real_ip_from = {"127.0.0.0/8"}
limit_exempt = {"198.51.100.0/24"}
server "_" {
    listen = {"@listen@"} root = "@root@" redirects_file = on
    limit_requests = "4/h burst=3"
    location ~ "^/to/(.*)$" { rewrite = "/few/$1" limit_requests = "" }
    location "/few/" { root = "@root@" limit_requests = "4/h burst=2" }
    location ~ "^/shared/(.*)$" { rewrite = "/inner/$1" }
    location "/inner/" { root = "@root@" }
    location ~ "^/twice/(.*)$" { rewrite = "/few/$1" limit_requests = "4/h burst=5" }
    location ~ "^/shut/(.*)$" { rewrite = "/down/$1" limit_requests = "" }
    location "/down/" { root = "@root@" maintenance = "down.html" limit_requests = "" }
    location ~ "^/v/(.*)$" { rewrite = "/films/$1" signed = "@world@/logs/key" limit_requests = "" }
    location ~ "^/any$" { rewrite = "/films/$arg_f" limit_requests = "" }
    location "/films/" { root = "@root@" signed = "@world@/logs/key" limit_requests = "" }
}
"""
RULES = """\
/shadow.txt       /few/a.txt     200!
/missing.txt      /few/a.txt     200
/same.txt         /inner/a.txt   200!
/absent.txt       /inner/a.txt   200
/forced           /down/a.txt    200!
/site/*           /films/:splat  200
/parameter f=:f   /films/:f      200
/late             /down/a.txt    200
"""


def setup(world):
    for folder in ("few", "inner", "down", "films"):
        world.root.write(f"{folder}/a.txt", folder)
    for name in ("shadow.txt", "same.txt", "forced"):
        world.root.write(name, "covered")
    world.root.write("down.html", "back soon")
    world.root.write("_redirects", RULES)
    world.logs.write("key", KEY)
    return world.serve(conf=CONF)


@each([("/few/a.txt", 3), ("/to/a.txt", 3), ("/shared/a.txt", 4), ("/inner/a.txt", 4), ("/twice/a.txt", 3),
       ("/shadow.txt", 3), ("/missing.txt", 3), ("/same.txt", 4), ("/absent.txt", 4)])
def a_limit_counts_a_request_once(server, target, answered):
    client = "X-Forwarded-For: 2001:db8:0:%x::1" % (hash(target) & 0xffff)
    with server.connect() as connection:
        statuses = [connection.get(target, client).status for _ in range(6)]
    assert statuses == [200] * answered + [429] * (6 - answered), statuses


@each(["/down/a.txt", "/shut/a.txt", "/late", "/forced"])
def a_site_that_is_being_maintained_is_not_entered_from_elsewhere(server, target):
    answer = server.get(target, UNLIMITED)
    assert answer.status == 503 and answer.body == b"back soon", answer.status


def sign(path):
    until = int(time.time()) + 600
    digest = hmac.digest(KEY, f"{until} {path}".encode(), "sha256")
    return f"expires={until}&signature=" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


@each([("/films/a.txt", "/films/a.txt", 200), ("/v/a.txt", "/v/a.txt", 200), ("/v/%61.txt", "/v/a.txt", 200),
       ("/v/a.txt", "/films/a.txt", 403), ("/v/a.txt", "/v/b.txt", 403), ("/site/a.txt", "/site/a.txt", 200),
       ("/site/a.txt", "/films/a.txt", 200), ("/site/a.txt", "/site/b.txt", 403),
       # What the signature does not hold does not choose the file.
       ("/any?f=a.txt", "/any", 403), ("/any?f=a.txt", "/films/a.txt", 200),
       ("/parameter?f=a.txt", "/parameter", 403), ("/parameter?f=a.txt", "/films/a.txt", 200)])
def a_signed_link_is_for_the_path_asked_for_or_that_of_the_file(server, target, path, status):
    answer = server.get(target + ("&" if "?" in target else "?") + sign(path), UNLIMITED)
    assert answer.status == status, answer.status
    assert server.get(target, UNLIMITED).status == 403


if __name__ == "__main__":
    run(setup)
