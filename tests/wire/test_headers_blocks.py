#!/usr/bin/python3
"""`headers "PATTERN" { }` (HTTP.md "Answering", decision 54): which blocks are for an answer, what
they do, and on what."""

from wire import each, forms, run, test

CONF = """
    headers = {"X-General: yes", "X-List: yes", "X-Scheme: $scheme", "X-Varying: $host", "Referrer-Policy: no-referrer", "Cache-Control: no-cache"}
    autoindex = on
    error_pages = {"404=/404.html"}
    redirect "/old" { to = "/new" }
    headers "/" { set = {"X-All: 1", "X-Who: all"} }
    headers "/a/" { set = "X-Who: a" add = {"Link: </1.css>; rel=preload", "Link: </2.css>; rel=preload"} }
    headers "/a/b/" { set = "X-Who: b" remove = {"Referrer-Policy", "X-All"} }
    headers "*.html" { set = "X-Who: html" append = {"X-List: more", "X-New: new"} add = "X-List: line" }
    headers ~ "^/a/.*secret" { set = "X-Who: secret" }
    headers = "/a/b/exact.html" { set = "X-Who: exact" }
    headers "*.bin" { set = {"Cache-Control: public, max-age=9", "Content-Type: application/x-bin"} }
    headers "*.css" { set = {"Cache-Control: block"} }
    headers "/v/" { set = {"X-Host: h $host", "X-Uri: $uri", "X-Scheme: block"} add = {"X-List: $arg_a", "X-List: b"} append = "X-New: $arg_b" }
    headers = "/v/plain" { set = "X-Host: plain" remove = "X-Varying" }
    headers ~ "^/c/(?<year>[0-9]+)/(.*)$" { set = {"X-Year: $year|$2", "X-Whole: $0"} }
    headers ~ '^/c/(a)\\.html$' { set = "X-File: $1" }
    location ~ "^/c/([^/]+)/" { root = "@root@" headers = "X-Location: $1" }
    headers "/status/" { answers = errors set = "X-Error: yes" }
    location "/in/" {
        headers "*.html" { set = "X-Who: inner" }
        headers "/in/" { set = "X-In: yes" }
    }
    cache "*.{css,js,bin}" { control = "cache-block" }
    location "/policy/" { security_headers = strict }
    location "/al/" { alias = "@root@/a" }
"""


def setup(world):
    for name in ("a.txt", "a/a.txt", "a/b/a.txt", "a/b/a.html", "a/b/exact.html", "a/index.html",
                 "a/b/secret.txt", "a.bin", "a.css", "a.js", "in/a.html", "in/a.txt", "404.html"):
        world.root.write(name, "x" * 10)
    world.root.write("policy/a.txt", "x")
    world.root.write("c/2024/x,y", "x")
    world.root.write("c/a.html", "x")
    world.root.write("v/a.txt", "x" * 10)
    return world.serve(block=CONF.replace("@root@", world.root.path))


@each([
    ("/a.txt", {"X-All": "1", "X-Who": "all", "X-General": "yes", "Cache-Control": "no-cache"}),
    ("/a/a.txt", {"X-All": "1", "X-Who": "a", "Referrer-Policy": "no-referrer"}),
    ("/a/b/a.txt", {"X-All": None, "X-Who": "b", "Referrer-Policy": None}),
    ("/a/b/a.html", {"X-Who": "html", "X-All": None}),
    ("/a/b/exact.html", {"X-Who": "exact"}),
    ("/a/b/secret.txt", {"X-Who": "secret"}),
    ("/a/", {"X-Who": "html", "X-All": "1"}),  # the file that is sent is /a/index.html
    ("/al/b/exact.html", {"X-Who": "html"}),  # by the path of the URL
    ("/in/a.html", {"X-Who": "inner", "X-In": "yes"}),
    ("/in/a.txt", {"X-Who": "all", "X-In": "yes"}),
    ("/a.js", {"Cache-Control": "cache-block"}),  # which beats the list `headers`
    ("/a.css", {"Cache-Control": "block"}),  # and is beaten by a block
    ("/a.bin", {"Cache-Control": "public, max-age=9"}),
])
def the_most_specific_has_the_last_word(server, target, wanted):
    for _ in range(2):  # once made, once kept
        for answer in forms(server, target):
            for name, value in wanted.items():
                got = answer.all(name)
                assert got[0] == value if value is not None else not got, (name, answer)


@test
def a_block_has_captures_of_its_own(server):
    """Of the path asked for, or of that of the file; the location's own are its own."""
    answer = server.get("/c/2024/x,y")
    assert answer["X-Year"] == "2024|x%2Cy" and answer["X-Whole"] == "/c/2024/x%2Cy", answer
    assert answer["X-Location"] == "2024" and "X-File" not in answer
    assert server.get("/c/a.html")["X-File"] == "a"
    assert server.get("/c/2024/none")["X-Year"] == "2024|none"


@test
def fields_are_added_and_appended(server):
    for answer in forms(server, "/a/index.html"):
        assert answer.all("Link") == ["</1.css>; rel=preload", "</2.css>; rel=preload"]
        assert answer.all("X-List") == ["yes", "line, more"] and answer["X-New"] == "new"


@test
def one_file_by_two_paths(server):
    """Its fields hang on the path asked for, and are kept with the file."""
    for target, who in (("/a/index.html", "html"), ("/a/", "html"), ("/al/", "html")) * 2:
        answer = server.get(target)
        assert answer["X-Who"] == who
        assert bool(answer.all("Link")) == (target != "/al/"), answer


@test
def on_what_is_no_file(server):
    missing = server.get("/a/none.bin")
    assert missing.status == 404 and missing["X-Who"] == "a" and missing.all("Link")
    # What says how long it may be kept is for no error.
    assert missing["Cache-Control"] == "no-cache" and missing["Content-Type"] != "application/x-bin"
    assert "X-Error" not in missing
    assert server.get("/status/x")["X-Error"] == "yes"
    moved = server.get("/old")
    assert moved.status == 301 and moved["X-Who"] == "all"
    assert server.get("/a/b")["X-Who"] == "b"  # the redirect to /a/b/
    listing = server.get("/a/b/")
    assert listing.status == 200 and listing["X-Who"] == "b" and "X-All" not in listing


@test
def values_have_variables(server):
    for answer in (server.get("/v/a.txt?a=1&b=2"), server.get("/v/a.txt?a=1&b=2", "Range: bytes=0-1")):
        assert answer["X-Host"] == "h localhost" and answer["X-Uri"] == "/v/a.txt"
        assert answer["X-Scheme"] == "block" and answer["X-Varying"] == "localhost"
        assert sorted(answer.all("X-List")) == ["1", "b", "yes"] and answer["X-New"] == "2"
    assert server.get("/a.txt")["X-Scheme"] in ("http", "https")
    missing = server.get("/v/none?a=%0d%0aX-Evil:%20yes")
    assert missing.status == 404 and missing["X-Host"] == "h localhost" and "X-Evil" not in missing
    plain = server.get("/v/plain")
    assert plain["X-Host"] == "plain" and "X-Varying" not in plain


@test
def the_type_of_a_file(server):
    assert server.get("/a.bin")["Content-Type"] == "application/x-bin"
    parts = server.get("/a.bin", "Range: bytes=0-0,5-5")
    assert b"Content-Type: application/x-bin\r\n" in parts.body


@test
def pages_of_the_server_keep_their_policy(server):
    page = server.get("/policy/")
    assert page["X-Who"] == "all" and "script-src 'unsafe-inline'" in page["Content-Security-Policy"]
    assert "'self'" in server.get("/policy/a.txt")["Content-Security-Policy"]


@test
def an_expression_without_bounds_is_500(server):
    own = server.world.serve({"regex_steps_max": 1000}, block="""
        headers ~ "(x+x+)+[yz]$" { set = "X-A: b" }
    """)
    server.world.root.write("x" * 60, "x")
    assert own.get("/" + "x" * 60).status == 500
    assert own.get("/a.txt").status == 200


@test
def many_blocks(server):
    block = "".join(f'headers "/p{i}/" {{ set = "X-P: {i}" }}\nheaders = "/e{i}" {{ set = "X-E: {i}" }}\n'
                    for i in range(1000))
    own = server.world.serve(block=block)
    for i in (0, 500, 999):
        assert own.get(f"/p{i}/none")["X-P"] == str(i)
        assert own.get(f"/e{i}")["X-E"] == str(i)
        assert "X-P" not in own.get("/a.txt")


if __name__ == "__main__":
    run(setup)
