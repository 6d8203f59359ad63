#!/usr/bin/python3
"""Redirects of the configuration: exact or by prefix, with the query kept, before anything is
looked up; a longer location or redirect wins; $host, $uri and $query in where they lead."""

import re

from wire import each, head, run, test

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


@each(["POST", "PUT", "DELETE", "PATCH", "PROPFIND", "TRACE", "OPTIONS"])
def other_methods_are_led_there_too(server, method):
    """A form or an upload that is sent to the old place; the client sends it again with 307 or 308
    (RFC 9110 section 15.4.9). Where nothing is redirected, the method is judged as ever."""
    with server.connect() as connection:
        for target, status, location in (("/permanent?x", 308, "/new/target?x"),
                                         ("/old/a", 301, "/new/a"), ("/existing.txt", 301, "/new/target")):
            answer = connection.ask(method, target)
            assert answer.status == status and answer["Location"] == location
            assert "Allow" not in answer
        for target in ("/older.txt", "/exactly", "/"):
            answer = connection.ask(method, target)
            assert answer.status == (204 if method == "OPTIONS" else 405)
            assert answer["Allow"] == "GET, HEAD, OPTIONS"


@each(["BREW", "post"])
def unknown_methods_are_not(server, method):
    assert server.ask(method, "/permanent").status == 501


@test
def all_of_a_server_is_not_redirected(server):
    """"OPTIONS *" asks about the server, which is here."""
    own = server.world.serve(block='redirect "/" { to = "https://$host$uri" }\n')
    answer = own.ask("OPTIONS", "*")
    assert answer.status == 204 and "Location" not in answer
    assert own.ask("OPTIONS", "/").status == 301
    assert own.ask("POST", "/%zz").status == 405
    assert own.ask("PUT", "/a?b", host="there.example")["Location"] == "https://there.example/a?b"


BODIES = [("Content-Length: 5", b"hello"),
          ("Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n")]


@each(["POST", "GET", "OPTIONS"])
def a_body_is_read_and_discarded(server, method):
    for field, body in BODIES:
        with server.connect() as connection:
            connection.send(head(method, "/permanent", field) + body[:3])
            connection.expect_silence(0.05)
            connection.send(body[3:] + head("GET", "/new/target"))
            assert connection.read_response(method).status == 308
            assert connection.read_response().body == b"target"


@each(["POST", "GET", "PUT"])
def who_waits_with_a_body_is_led_away_at_once(server, method):
    """It is for the other place (RFC 9110 section 10.1.1); since it is unread, the answer closes."""
    for field, body in BODIES:
        for rest in (b"", body):
            data = head(method, "/permanent", field, "Expect: 100-continue") + rest
            answer = server.refuses(data, 308, method=method)
            assert answer["Location"] == "/new/target"


@test
def the_connection_is_kept(server):
    with server.connect() as connection:
        for _ in range(10):
            assert connection.get("/exact").status == 301
            assert connection.get("/new/target").body == b"target"


@test
def no_host_is_reflected(server):
    assert b"evil" not in server.get("/exact", host="evil.example").raw


SPECIFIC = """
server "first.example" {
    listen = {"@listen@"}
    alias_hosts = {"*.first.example"}
    root = "@root@/site"
    redirect "/" { to = "https://$host$uri?$query" status = 308 }
    redirect "/.well-known/security.txt" { to = "https://about.example/security.txt" }
    redirect "/kept/moved/" { to = "/new/" }
    redirect "/kept/moved/again/page" { to = "/page" }
    location "/.well-known/acme-challenge/" { root = "@root@/acme" }
    location "/kept/" { root = "@root@/site" }
    location "/kept/moved/not/" { root = "@root@/site" }
    location "/both/" { root = "@root@/site" }
    redirect "/both/" { to = "/new/" }
}
"""


@each([
    ("/.well-known/acme-challenge/token", "challenge"), ("/kept/a.txt", "kept"),
    ("/kept/moved/not/a.txt", "not moved"), ("//kept//x/../a.txt", "kept"),
    ("/kept/%61.txt", "kept"),
])
def a_longer_location_wins(server, target, body):
    """So that certificates can be renewed on a server that redirects all else."""
    assert specific(server).get(target, host="first.example").body.decode() == body


@each([
    ("/", "https://first.example/"), ("/a", "https://first.example/a"),
    ("/keptx", "https://first.example/keptx"), ("/.well-known/x", "https://first.example/.well-known/x"),
    ("/.well-known/acme-challenges", "https://first.example/.well-known/acme-challenges"),
    ("/.well-known/security.txt", "https://about.example/security.txt"),
    ("/kept/moved/a", "/new/a"), ("/kept/moved/again/page", "/page"),
    ("/kept/moved/again/pages", "/new/again/pages"), ("/both/a", "/new/a"),
    ("/.well-known/acme-challenge", "/.well-known/acme-challenge/"),
])
def the_longest_redirect_wins_over_shorter_ones(server, target, location):
    for method in ("GET", "HEAD"):
        answer = specific(server).ask(method, target, host="first.example")
        assert answer.status in (301, 308) and answer["Location"] == location


def specific(server):
    """The one server with these rules, which is started for the first that asks."""
    if not hasattr(server, "specific"):
        root = server.world.root
        root.write("acme/.well-known/acme-challenge/token", "challenge")
        root.write("site/kept/a.txt", "kept")
        root.write("site/kept/moved/not/a.txt", "not moved")
        root.write("site/both/a", "never seen")
        server.specific = server.world.serve(conf=SPECIFIC, tls=False)
    return server.specific


@each([
    ("first.example", "first.example"), ("FIRST.Example", "first.example"),
    ("first.example:8080", "first.example"), ("first.example:", "first.example"),
    ("first.example.", "first.example"), ("x.first.example:80", "x.first.example"),
    ("other.example", "other.example"), ("[::1]:80", "[::1]"), ("127.0.0.1", "127.0.0.1"),
    ("a" * 300, "first.example"),
])
def host_is_the_name_that_was_asked_for(server, host, name):
    """In lower case and without a port, as in nginx; one that is no name of anything is not
    repeated."""
    answer = specific(server).get("/a", host=host)
    assert answer.status == 308 and answer["Location"] == f"https://{name}/a"


@test
def host_without_a_host_is_the_name_of_the_server(server):
    answer = specific(server).get("/a", host=None, version="1.0")
    assert answer["Location"] == "https://first.example/a", answer
    answer = specific(server).get("http://absolute.example:81/a?b", host="first.example")
    assert answer["Location"] == "https://absolute.example/a?b"


@test
def host_of_a_server_for_all_other_names_is_one_of_its_further_names(server):
    own = server.world.serve(conf="""
        server a.example { listen = "@listen@" root = "@root@" }
        server _ { listen = "@listen@" alias_hosts = {"*.b.example", "b.example"}
                   redirect "/" { to = "https://$host$uri" } }""", tls=False)
    assert own.get("/a", host=None, version="1.0")["Location"] == "https://b.example/a"
    assert own.get("/a", host="c.example")["Location"] == "https://c.example/a"
    assert own.get("/a", host="a.example").status == 404


@each(["first.example/evil", "first.example#", "first.example?", "user@first.example",
       "first.example\tx", "first.example x", "first.example%0d%0aX:y/", "a\\b", '"a"', "<a>"])
def a_host_that_is_none_leads_nowhere(server, host):
    answer = specific(server).get("/a", host=host)
    assert answer.status in (400, 308)
    if answer.status == 308:  # an escape is part of a name, and stays one
        assert answer["Location"] == f"https://{host.lower()}/a" and "/" not in host


@each([
    ("/a?", "/a"), ("/a?b=c&d", "/a?b=c&d"), ("/a%20b?c=%20%0d%0a", "/a%20b?c=%20%0d%0a"),
    ("/%C3%A4", "/%C3%A4"), ("/\xc3\xa4", "/%C3%A4"), ("/a%3Fb%23c", "/a%3Fb%23c"),
    ("/a%0d%0aX:%20y", "/a%0D%0AX:%20y"), ("/a;b&c", "/a%3Bb%26c"), ("/[x]", "/%5Bx%5D"),
    ("/a?<script>'\"", "/a?%3Cscript%3E'%22"), ("//evil.example/x", "/evil.example/x"),
    ("/%5Cevil", "/%5Cevil"), ("/@scope%2Fname", "/@scope%2Fname"), ("/a%2fb", "/a%2Fb"),
    ("/100%25", "/100%25"), ("/x/../b/./c", "/b/c"), ("/$uri$host$query", "/$uri$host$query"),
])
def uri_and_query_are_encoded_again(server, target, wanted):
    answer = specific(server).get(target.encode("latin-1"), host="first.example")
    assert answer.status == 308 and answer["Location"] == "https://first.example" + wanted
    assert len([name for name, _ in answer.fields if name.lower() in ("x", "set-cookie")]) == 0


TARGETS = [
    # title, to, target, location
    ("/a/", "https://$host/b/", "/a/c?d", "https://h.example/b/c?d"),
    ("/a/", "https://$host", "/a/c?d", "https://h.example/c?d"),
    ("/a/", "https://other.example", "/a/.evil.example", "https://other.example/.evil.example"),
    ("/a/", "https://$host:8443$uri", "/a/c?d", "https://h.example:8443/a/c?d"),
    ("/a/", "https://$host$uri$query", "/a/c?d", "https://h.example/a/c?d"),
    ("/a/", "https://$host$uri$query", "/a/c", "https://h.example/a/c"),
    ("/a/", "https://www.$host$uri?x=y&$query", "/a/c?d", "https://www.h.example/a/c?x=y&d"),
    ("/a/", "https://www.$host$uri?x=y&$query", "/a/c", "https://www.h.example/a/c?x=y"),
    ("/a/", "/login?to=$uri", "/a/c/d?e", "/login?to=/a/c/d"),
    ("/a/", "/one.html?$query", "/a/c/d?e", "/one.html?e"),
    ("/a/", "/one.html?$query", "/a/c/d", "/one.html"),
    ("/a/", "https://h.example/$host/", "/a/c", "https://h.example/h.example/c"),
    ("/a", "$uri.html", "/a?b", "/a.html?b"),
    ("/a", "/b$uri", "/a", "/b/a"),
    ("/a", "/cost$", "/a", "/cost$"),
    ("/a", "/cost$/x$-", "/a", "/cost$/x$-"),
]


@each(TARGETS)
def variables_stand_anywhere(server, title, to, target, location):
    own = server.world.serve(block=f'redirect "{title}" {{ to = "{to}" }}')
    assert own.get(target, host="h.example")["Location"] == location


@test
def a_location_that_is_too_long_is_refused(server):
    answer = specific(server).get("/" + "%01" * 2700, host="first.example")
    assert answer.status in (308, 414)


if __name__ == "__main__":
    run(setup)
