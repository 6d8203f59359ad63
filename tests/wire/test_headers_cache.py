#!/usr/bin/python3
"""Fields by path (HTTP.md "Answering"): `headers` and `cache` rules, merged down the levels, on 304
too."""

from wire import each, forms, run, test
from wire.response import parse_date

CONF = """
    headers = {"X-Level: server", "X-Server: yes", "Referrer-Policy: no-referrer",
               "X-Engine: served by $engine"}
    cache "*.css" { control = "public, max-age=60" }
    cache "*.js" { expires = "1h" }
    cache "/fonts/" { control = "public, immutable" expires = "1y" }
    cache "*.never" { control = "no-store" expires = "0s" }
    precompressed = {"gzip"}
    location "/deep/" {
        headers = {"X-Level: deep", "X-Deep: yes", "X-Server:"}
        cache "*.css" { control = "private" }
    }
    location "/deep/er/" { headers = {"X-Level: deeper"} }
    location "/bare/" { headers = {"X-Content-Type-Options:"} }
    location "/asked/" { headers = {"Cache-Control: max-age=$arg_age", "Expires: $arg_age", "X-Age: $arg_age"} }
    location "/block/" {
        headers = {"Cache-Control: max-age=$arg_age"}
        headers = "/block/b.css" { set = {"Cache-Control: private, max-age=$arg_age"} }
        headers "/block/" { set = {"X-Age: $arg_age"} }
    }
"""


def setup(world):
    for name in ("a.txt", "a.css", "a.js", "a.never", "fonts/f.bin", "fonts.bin", "deep/a.txt",
                 "deep/a.css", "deep/a.js", "deep/er/a.txt", "deeper/a.txt",
                 "bare/a.txt", "asked/a.css", "asked/a.txt", "block/a.css", "block/b.css", "block/a.txt"):
        world.root.write(name, "x" * 10)
    world.root.write("large.css", b"x" * 100_000)
    world.root.write("a.css.gz", "gzip")
    return world.serve(block=CONF)


@each([
    ("/a.txt", {"X-Level": "server", "X-Server": "yes", "X-Deep": None,
                "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}),
    ("/deep/a.txt", {"X-Level": "deep", "X-Server": None, "X-Deep": "yes",
                     "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}),
    ("/deep/er/a.txt", {"X-Level": "deeper", "Referrer-Policy": "no-referrer"}),
    ("/deeper/a.txt", {"X-Level": "server", "X-Deep": None}),
    ("/bare/a.txt", {"X-Content-Type-Options": None, "X-Level": "server"}),
])
def fields_merge_down_the_levels(server, target, wanted):
    for answer in forms(server, target):
        for name, value in wanted.items():
            assert answer.get(name) == value, (name, answer)


@each([("/asked/a.css", "public, max-age=60", None), ("/asked/a.txt", "max-age=5", "5"),
       ("/block/a.css", "public, max-age=60", None),
       ("/block/b.css", "private, max-age=5", None), ("/block/a.txt", "max-age=5", None)])
def one_of_them_says_how_long(server, target, control, expires):
    """A cache block, which is for fewer paths, in the place of the list; a headers block in that of both."""
    for answer in forms(server, target + "?age=5"):
        assert answer.all("Cache-Control") == [control] and answer.get("Expires") == expires, answer
        assert answer["X-Age"] == "5"


@test
def the_engine_is_named(server):
    engine = server.argv[server.argv.index("--engine") + 1]
    for answer in forms(server, "/a.txt"):
        assert answer["X-Engine"] == f"served by {engine}"


@each([
    ("/a.txt", None, None), ("/a.css", "public, max-age=60", None),
    ("/large.css", "public, max-age=60", None), ("/a.js", "max-age=3600", 3600),
    ("/fonts/f.bin", "public, immutable", 365 * 86400), ("/fonts.bin", None, None),
    ("/a.never", "no-store", 0), ("/deep/a.css", "private", None),
    ("/deep/a.js", "max-age=3600", 3600), ("/deep/a.txt", None, None),
])
def cache_rules_go_by_name(server, target, control, expires_s):
    for answer in forms(server, target):
        assert answer.get("Cache-Control") == control
        assert ("Expires" in answer) == (expires_s is not None)
        if expires_s is not None:
            ahead = parse_date(answer["Expires"]) - parse_date(answer["Date"])
            assert abs(ahead - expires_s) <= 1, ahead


@test
def they_hold_for_a_sidecar_as_well(server):
    answer = server.get("/a.css", "Accept-Encoding: gzip")
    assert answer["Content-Encoding"] == "gzip" and answer["Cache-Control"] == "public, max-age=60"


@test
def expires_moves_with_the_time(server):
    """The ready-made head of a cached file must not keep it."""
    with server.connect() as connection:
        for _ in range(25):
            answer = connection.get("/a.js")
            assert abs(parse_date(answer["Expires"]) - parse_date(answer["Date"]) - 3600) <= 1
            connection.expect_silence(0.1)


@test
def errors_are_not_to_be_kept_like_files(server):
    answer = server.get("/none.css")
    assert answer.status == 404 and "max-age" not in answer.get("Cache-Control",
                                                                "") and "Expires" not in answer


@test
def a_cache_block_is_more_specific_than_headers(server):
    """No field twice, whoever sets it (the harness checks that)."""
    own = server.world.serve(block="""
        headers = {"X-Content-Type-Options: none", "Cache-Control: no-cache", "Expires: 0", "X-A: b"}
        cache "*.css" { control = "max-age=5" }
    """)
    assert own.get("/a.txt")["X-Content-Type-Options"] == "none"
    for answer in forms(own, "/a.txt"):
        assert answer["Cache-Control"] == "no-cache" and answer["Expires"] == "0"
    for answer in forms(own, "/a.css"):
        assert answer["Cache-Control"] == "max-age=5" and "Expires" not in answer
        assert answer["X-A"] == "b"
    assert own.get("/none.css")["Cache-Control"] == "no-cache"


@test
def cache_titles_are_those_of_locations(server):
    own = server.world.serve(block="""
        index = "a.css" autoindex = on
        cache "/fonts/" { control = "prefix" }
        cache "*.{css,js}" { control = "glob" }
        cache ~ "^/deep/.*[.]j" { control = "expression" }
        cache = "/deep/a.js" { control = "exact" }
        cache "never.a" { control = "name" }
        location "/al/" { alias = "%s/deep" }
        location = "/one.css" { alias = "%s/a.txt" }
    """ % (server.world.root.path, server.world.root.path))
    for target, control in (("/a.css", "glob"), ("/", "glob"), ("/deep/a.js", "exact"),
                            ("/fonts/f.bin", "prefix"), ("/fonts.bin", None), ("/al/a.js", "glob"),
                            ("/one.css", "glob"), ("/deep/er/a.txt", None), ("/a.never", None)):
        assert own.get(target).get("Cache-Control") == control, target


@test
def an_expression_without_bounds_keeps_nothing(server):
    own = server.world.serve({"regex_steps_max": 1000}, block="""
        cache ~ "(x+x+)+[yz]$" { control = "immutable" }
    """)
    server.world.root.write("x" * 60, "x")
    assert own.get("/" + "x" * 60)["Cache-Control"] == "no-store"
    assert own.get("/a.txt").get("Cache-Control") is None


if __name__ == "__main__":
    run(setup)
