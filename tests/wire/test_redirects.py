#!/usr/bin/python3
"""Redirects of the configuration: exact or by prefix, with the query kept, before anything is
looked up."""

import re

from wire import each, run, test

CONF = """
    redirect "/old/" { to = "/new/" status = 301 }
    redirect "/exact" { to = "/new/target" }
    redirect "/found" { to = "/new/target" status = 302 }
    redirect "/other" { to = "/new/target" status = 303 }
    redirect "/temporary" { to = "/new/target" status = 307 }
    redirect "/permanent" { to = "/new/target" status = 308 }
    redirect "/away/" { to = "https://example.org/base/" status = 302 }
    redirect "/away-exact" { to = "https://example.org/page" status = 302 }
    redirect "/up/" { to = "/" }
    redirect "/existing.txt" { to = "/new/target" }
"""


def setup(world):
    world.root.write("existing.txt", "never seen")
    world.root.write("older.txt", "older")
    world.root.write("exact.txt", "exact")
    world.root.write("new/target", "target")
    return world.serve(block=CONF)


@each([
    ("/exact", 301, "/new/target"), ("/found", 302, "/new/target"), ("/other", 303, "/new/target"),
    ("/temporary", 307, "/new/target"),
    ("/permanent", 308, "/new/target"), ("/old/", 301, "/new/"), ("/old/a", 301, "/new/a"),
    ("/old/a/b.html", 301, "/new/a/b.html"),
    ("/old/a%20b", 301, "/new/a%20b"), ("/old/%C3%A4", 301, "/new/%C3%A4"),
    ("/old/a%3Fb%23c", 301, "/new/a%3Fb%23c"), ("/old/a?x=y&z", 301, "/new/a?x=y&z"),
    ("/exact?x=%20", 301, "/new/target?x=%20"), ("/exact?", 301, "/new/target?"),
    ("//old/a", 301, "/new/a"), ("/x/../old/a", 301, "/new/a"),
    ("/away/a/b?c", 302, "https://example.org/base/a/b?c"),
    ("/away-exact", 302, "https://example.org/page"),
    ("/away-exact?x", 302, "https://example.org/page?x"),
    ("/existing.txt", 301, "/new/target"), ("/up/a", 301, "/a"), ("/old/a+b", 301, "/new/a+b"),
])
def it_leads_there(server, target, status, location):
    for method in ("GET", "HEAD"):
        answer = server.ask(method, target)
        assert answer.status == status and answer["Location"] == location


@each(["/older.txt", "/exact.txt", "/new/target"])
def other_paths_are_not_touched(server, target):
    assert server.get(target).status == 200


@each(["/exact/", "/exactly", "/oldx", "/Exact", "/away-exact/x"])
def an_exact_path_is_exact(server, target):
    assert server.get(target).status == 404


@each(["/up//evil.example", "/up///evil.example/", "/up/%5Cevil.example", "/up/%2Fevil.example",
       "/up/./%5C/evil.example", "//up//evil.example", "/up/x/..//evil.example"])
def no_redirect_leads_to_another_host(server, target):
    """A browser takes // and /\\ at the beginning for a host."""
    location = server.get(target)["Location"]
    assert location.startswith("/") and not location.startswith(("//", "/\\")), location


@each(["/old/%0d%0aSet-Cookie:%20a=b", "/away/%0aX:%20y", "/exact%0d%0a"])
def no_field_can_be_smuggled_in(server, target):
    """CR and LF may be part of a name, and stay escaped."""
    answer = server.get(target)
    assert "Set-Cookie" not in answer and "X" not in answer
    assert answer.status == 404 or re.fullmatch(r"[!-~]+", answer["Location"]), answer["Location"]


@test
def an_escaped_line_break_in_a_query_stays_escaped(server):
    answer = server.get("/exact?%0d%0aSet-Cookie:%20a=b")
    assert "Set-Cookie" not in answer
    assert answer.status == 400 or answer["Location"] == "/new/target?%0d%0aSet-Cookie:%20a=b"


@test
def the_body_echoes_nothing_unescaped(server):
    for target in ("/old/%3Cscript%3E", "/exact?%22'%3E%3Cscript%3E", "/exact?'onload='x"):
        answer = server.get(target)
        assert b"<script>" not in answer.body and b"'onload" not in answer.body


@test
def another_method_is_answered_too(server):
    assert server.ask("POST", "/permanent").status in (308, 405)


@test
def the_connection_is_kept(server):
    with server.connect() as connection:
        for _ in range(10):
            assert connection.get("/exact").status == 301
            assert connection.get("/new/target").body == b"target"


@test
def no_host_is_reflected(server):
    assert b"evil" not in server.get("/exact", host="evil.example").raw


if __name__ == "__main__":
    run(setup)
