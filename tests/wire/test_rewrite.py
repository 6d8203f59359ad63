#!/usr/bin/python3
"""`rewrite`: answered as if another path had been asked for, by its location and its rules;
`maintenance`: 503 while a file is there."""

import os
import time

from wire import each, head, run, test

CACHE_VALID_S = 0.01
CONF = """
    error_pages = {"503=/busy.html"}
    maintenance_retry_after = 1500ms
    location ~ "^/user/([^/]*)$" { rewrite = "/profiles/$1.html" }
    location "/profiles/" { root = "@root@" internal = on headers = "X-Uri: $uri" }
    location ~ "^/v/(.*)$" { root = "@root@" rewrite = "/v/v2/$1" }
    location = "/chain" { rewrite = "/user/ann" }
    location = "/ping" { rewrite = "/pong" }
    location = "/pong" { rewrite = "/ping" }
    location = "/said" { rewrite = "/answer/x" }
    location "/answer/" { return = "200 $uri of $request_uri" }
    location = "/none" { rewrite = "/no/such/file" }
    location = "/denied" { rewrite = "/secret/file" }
    location = "/denied-first" { deny = "all" rewrite = "/profiles/ann.html" }
    location "/secret/" { root = "@root@" deny = "all" }
    location = "/page" { rewrite = "/clean/a.html" }
    location "/clean/" { root = "@root@" clean_urls = on }
    location ~ "^/dir/(.*)$" { rewrite = "/$arg_d/$1" }
    location "/down/" { root = "@root@" maintenance = "flag/down.html" }
    location "/.well-known/acme-challenge/" { root = "@root@" maintenance = "flag/down.html" }
    location "/mine/" { root = "@root@" maintenance = "flag/down.html" maintenance_allow = {"127.0.0.0/8", "::1", "unix:"} }
    location "/moved/" { root = "@root@" maintenance = "flag/down.html" return = "301 /down/" }
    location "/locked/" { root = "@root@" maintenance = "flag/down.html" deny = "all" }
"""


def setup(world):
    for name in ("profiles/ann.html", "v/v2/x", "clean/a.html", "secret/file", "down/a", "mine/a", "locked/a",
                 "busy.html", "flag/other", ".well-known/acme-challenge/t"):
        world.root.write(name, name)
    return world.serve(block=CONF, arguments=["-o", f"cache_valid={1000 * CACHE_VALID_S:.0f}ms"])


@each([("/user/ann", 200, "profiles/ann.html"), ("/user/ann?q=1", 200, "profiles/ann.html"), ("/user/bob", 404, None),
       ("/profiles/ann.html", 404, None), ("/chain", 200, "profiles/ann.html"), ("/v/x", 200, "v/v2/x"),
       ("/said?q", 200, "/answer/x of /said?q"), ("/none", 404, None), ("/ping", 500, None), ("/denied", 403, None),
       ("/denied-first", 403, None), ("/page", 200, "clean/a.html"), ("/user/%2e%2e", 404, None),
       ("/dir/ann.html?d=profiles", 200, "profiles/ann.html"), ("/dir/x?d=..", 404, None), ("/dir/x?d=%00", 400, None)])
def another_path_is_looked_for(server, target, status, body):
    for method in ("GET", "HEAD"):
        answer = server.ask(method, target)
        assert answer.status == status, answer.status
        assert body is None or method == "HEAD" or answer.body == body.encode()
    assert target != "/user/ann" or answer["X-Uri"] == "/profiles/ann.html"


@test
def pipelined_requests_are_each_their_own(server):
    with server.connect() as connection:
        connection.send(head("GET", "/chain") + head("GET", "/busy.html") + head("GET", "/ping") + head("GET", "/v/x"))
        assert [connection.read_response().status for _ in range(4)] == [200, 200, 500, 200]


def wait_for(server, target, status):
    """Until a thread has seen it; and then until none believes what it saw before."""
    end = time.monotonic() + 10
    while server.get(target).status != status and time.monotonic() < end:
        time.sleep(CACHE_VALID_S)
    time.sleep(2 * CACHE_VALID_S)
    return server.get(target)


@test
def while_a_file_is_there_it_is_all_that_is(server):
    root = server.world.root
    assert server.get("/down/a").status == 200
    root.write("flag/down.html", "back soon")
    answer = wait_for(server, "/down/a", 503)
    assert answer.status == 503 and answer.body == b"back soon" and answer["Retry-After"] == "2"
    assert answer["Content-Type"].startswith("text/html")
    assert server.get("/down/no").status == 503 and server.ask("HEAD", "/down/a").status == 503
    assert server.get("/locked/a").status == 503
    assert server.get("/.well-known/acme-challenge/t").status == 200
    assert server.get("/mine/a").status == 200
    assert server.get("/moved/x").status == 301
    assert server.get("/busy.html").status == 200
    root.write("flag/down.html", "")
    answer = wait_for(server, "/down/a", 503)
    end = time.monotonic() + 10
    while answer.body != b"busy.html" and time.monotonic() < end:
        answer = server.get("/down/a")
    assert answer.body == b"busy.html" and answer["Retry-After"] == "2"
    os.unlink(root.path + "/flag/down.html")
    assert wait_for(server, "/down/a", 200).status == 200
    assert server.get("/locked/a").status == 403


if __name__ == "__main__":
    run(setup)
