#!/usr/bin/python3
"""Precompressed sidecars (HTTP.md "Answering", RFC 9110 sections 8.4 and 12.5.3)."""

from wire import each, head, run, test

BODIES = {None: b"plain text " * 30, "gzip": b"as gzip " * 20, "br": b"as br " * 10,
          "zstd": b"as zstd " * 5}
SUFFIXES = {"gzip": ".gz", "br": ".br", "zstd": ".zst"}


def setup(world):
    root = world.root
    for name in ("all.txt", "dir/index.html", "about.html"):
        root.write(name, BODIES[None])
        for coding, suffix in SUFFIXES.items():
            root.write(name + suffix, BODIES[coding])
    root.write("gzip-only.css", BODIES[None])
    root.write("gzip-only.css.gz", BODIES["gzip"])
    root.write("none.txt", BODIES[None])
    root.write("orphan.txt.gz", BODIES["gzip"])
    root.write("dir-of-orphans/index.html.gz", BODIES["gzip"])
    root.write("clean-orphan.html.gz", BODIES["gzip"])
    root.write("closed-orphan.txt.gz", BODIES["gzip"], mode=0)
    root.folder("dir-orphan.txt.gz")
    root.write("hidden/.orphan.txt.gz", BODIES["gzip"])
    root.write("closed.txt", BODIES[None])
    root.write("closed.txt.gz", BODIES["gzip"], mode=0)
    root.write("dir-beside.txt", BODIES[None])
    root.folder("dir-beside.txt.gz")
    root.write("large.txt", BODIES[None] * 1000)
    root.write("large.txt.gz", BODIES["gzip"] * 1000)
    # What is not there is not made of a sidecar: test_decompress has that.
    return world.serve(settings={"decompress_max": "0"}, block="""
        precompressed = {"zstd", "br", "gzip"}
        try = {"$uri", "$uri.html"}
    """)


def check(answer, coding):
    assert answer.status == 200 and answer.get("Content-Encoding") == coding
    assert answer.body == BODIES[coding]


@each([
    ("gzip", "gzip"), ("br", "br"), ("zstd", "zstd"), ("GZIP", "gzip"), ("x-gzip", "gzip"),
    ("gzip, br", "br"), ("br, gzip", "br"),
    ("gzip, deflate, br, zstd", "zstd"), ("gzip, deflate, br", "br"), ("gzip, deflate", "gzip"),
    ("deflate", None), ("identity", None), ("", None), ("x", None),
    ("gzip;q=1.0, br;q=0.5", "gzip"), ("gzip;q=0.5, br;q=0.6, zstd;q=0.4", "br"),
    ("gzip;q=0.001", "gzip"), ("gzip;q=0", None), ("gzip;q=0.000", None),
    ("gzip;q=0, br", "br"), ("br;q=0, zstd;q=0, *", "gzip"), ("*", "zstd"),
    ("*;q=0.5, gzip;q=0.9", "gzip"), ("*;q=0", None), ("gzip;q=1, *;q=0", "gzip"),
    ("identity, gzip;q=0.5", None), ("identity;q=0.5, gzip", "gzip"),
    ("identity;q=0, gzip;q=0.1", "gzip"), ("gzip ; q=0.8 , br;q=0.7", "gzip"),
    ("gzip;Q=0.8,br;Q=0.7", "gzip"), (",gzip,", "gzip"), ("gzip;q=0.9, gzipx", "gzip"),
    ("xgzip", None), ("gzipx", None), ("deflate, compress", None),
])
def accept_encoding_chooses(server, value, coding):
    check(server.get("/all.txt", f"Accept-Encoding: {value}"), coding)


@test
def without_accept_encoding_it_is_the_plain_file(server):
    check(server.get("/all.txt"), None)


@test
def several_lines_are_one_list(server):
    check(server.get("/all.txt", "Accept-Encoding: x", "Accept-Encoding: br"), "br")
    check(server.get("/all.txt", "Accept-Encoding: gzip;q=0.5", "Accept-Encoding: br;q=0.4"),
          "gzip")


@each([("gzip", "gzip"), ("br", None), ("br, gzip;q=0.1", "gzip"), ("zstd", None), ("*", "gzip")])
def only_what_is_there_is_chosen(server, value, coding):
    check(server.get("/gzip-only.css", f"Accept-Encoding: {value}"), coding)
    check(server.get("/none.txt", f"Accept-Encoding: {value}"), None)


@test
def nothing_acceptable_is_still_an_answer(server):
    """RFC 9110 section 12.5.3 allows it; 406 helps nobody."""
    for value in ("identity;q=0", "*;q=0", "identity;q=0, gzip;q=0, br;q=0, zstd;q=0"):
        assert server.get("/none.txt", f"Accept-Encoding: {value}").status == 200


@each([None, "gzip", "br", "zstd", "deflate", "identity", "*;q=0"])
def every_form_says_vary(server, value):
    fields = [] if value is None else [f"Accept-Encoding: {value}"]
    for target in ("/all.txt", "/dir/", "/gzip-only.css"):
        for method in ("GET", "HEAD"):
            answer = server.ask(method, target, *fields)
            assert answer["Vary"].lower() == "accept-encoding"
        not_modified = server.get(target, "If-None-Match: " + answer["ETag"], *fields)
        assert not_modified.status == 304 and not_modified["Vary"].lower() == "accept-encoding"
        part = server.get(target, "Range: bytes=0-0", *fields)
        assert part.status == 206 and part["Vary"].lower() == "accept-encoding"


@test
def the_type_is_that_of_the_plain_file(server):
    for coding in SUFFIXES:
        answer = server.get("/all.txt", f"Accept-Encoding: {coding}")
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert server.get("/gzip-only.css",
                      "Accept-Encoding: gzip")["Content-Type"] == "text/css; charset=utf-8"


@each(["gzip", "br", "zstd"])
def ranges_apply_to_the_chosen_form(server, coding):
    answer = server.get("/all.txt", f"Accept-Encoding: {coding}", "Range: bytes=3-5")
    size = len(BODIES[coding])
    assert answer.status == 206 and answer.body == BODIES[coding][3:6]
    assert answer["Content-Range"] == f"bytes 3-5/{size}" and answer["Content-Encoding"] == coding
    answer = server.get("/all.txt", f"Accept-Encoding: {coding}", f"Range: bytes={size}-")
    assert answer.status == 416 and answer["Content-Range"] == f"bytes */{size}"


@test
def conditions_apply_to_the_chosen_form(server):
    etags = {coding: server.get("/all.txt", f"Accept-Encoding: {coding}")["ETag"]
             for coding in ("identity", "gzip", "br", "zstd")}
    for asked in etags:
        for known, etag in etags.items():
            fields = [f"Accept-Encoding: {asked}", f"If-None-Match: {etag}"]
            assert server.get("/all.txt", *fields).status == (304 if asked == known else 200)
            fields = [f"Accept-Encoding: {asked}", f"If-Range: {etag}", "Range: bytes=0-0"]
            assert server.get("/all.txt", *fields).status == (206 if asked == known else 200)


@test
def a_large_sidecar_is_sent_as_well(server):
    answer = server.get("/large.txt", "Accept-Encoding: gzip")
    assert answer.body == BODIES["gzip"] * 1000 and answer["Content-Encoding"] == "gzip"
    assert server.get("/large.txt").body == BODIES[None] * 1000


@test
def index_files_and_clean_urls_have_sidecars(server):
    check(server.get("/dir/", "Accept-Encoding: br"), "br")
    check(server.get("/about", "Accept-Encoding: gzip"), "gzip")


@test
def a_sidecar_by_its_own_name_is_a_file(server):
    answer = server.get("/all.txt.gz")
    assert answer.body == BODIES["gzip"] and answer["Content-Type"] == "application/gzip"
    assert "Content-Encoding" not in answer


@each(["/orphan.txt", "/dir-of-orphans/", "/dir-of-orphans/index.html", "/clean-orphan"])
def a_sidecar_without_its_file_is_for_those_who_take_it(server, target):
    for value in ("gzip", "x-gzip", "*", "br, gzip;q=0.1", "identity, gzip;q=0.5",
                  "identity;q=0, gzip"):
        answer = server.get(target, f"Accept-Encoding: {value}")
        check(answer, "gzip")
        assert answer["Vary"] == "Accept-Encoding"
        head_answer = server.head(target, f"Accept-Encoding: {value}")
        assert head_answer.without("Date") == answer.without("Date")
        part = server.get(target, f"Accept-Encoding: {value}", "Range: bytes=3-5")
        assert part.status == 206 and part.body == BODIES["gzip"][3:6]
        assert server.get(target, f"Accept-Encoding: {value}",
                          "If-None-Match: " + answer["ETag"]).status == 304
    kind = "text/plain" if target.endswith("txt") else "text/html"
    assert answer["Content-Type"] == kind + "; charset=utf-8"


@each([None, "", "identity", "br", "zstd", "gzip;q=0", "*;q=0", "br, gzip;q=0"])
def others_are_told_that_it_is_not_found(server, value):
    """404 rather than 406, as nginx and Caddy have it; a cache must not keep it for all."""
    fields = [] if value is None else [f"Accept-Encoding: {value}"]
    for target in ("/orphan.txt", "/dir-of-orphans/", "/clean-orphan"):
        for method in ("GET", "HEAD"):
            answer = server.ask(method, target, *fields)
            assert answer.status == 404 and answer["Vary"] == "Accept-Encoding"


@test
def what_is_neither_a_file_nor_a_sidecar_is_not_found(server):
    accepts = "Accept-Encoding: gzip, br, zstd"
    for target in ("/nothing.txt", "/orphan.txt/", "/orphan", "/closed-orphan.txt",
                   "/dir-orphan.txt", "/hidden/.orphan.txt"):
        answer = server.get(target, accepts)
        assert answer.status == 404 and "Vary" not in answer, (target, answer)
    assert server.world.serve().get("/orphan.txt", accepts).status == 404


@test
def try_and_listings_go_on_without_it(server):
    own = server.world.serve(settings={"decompress_max": "0"}, block="""
        autoindex = on
        precompressed = {"gzip"}
        location "/hidden/" { try = {"$uri", "/orphan.txt", "/all.txt"} }
    """)
    check(own.get("/hidden/none", "Accept-Encoding: gzip"), "gzip")
    check(own.get("/hidden/none", "Accept-Encoding: br"), None)
    assert own.get("/hidden/none")["Vary"] == "Accept-Encoding"
    listed = own.get("/dir-of-orphans/")
    assert listed.status == 200 and b"index.html.gz" in listed.body
    assert listed["Vary"] == "Accept, Accept-Encoding"
    check(own.get("/dir-of-orphans/", "Accept-Encoding: gzip"), "gzip")


@test
def it_may_come_and_go(server):
    own = server.world.serve(settings={"cache_valid": "0s"}, block='precompressed = {"gzip"}\n')
    root, accepts = server.world.root, "Accept-Encoding: gzip"
    with own.connect() as connection:
        assert connection.get("/comes.txt", accepts).status == 404
        root.write("comes.txt.gz", BODIES["gzip"])
        check(connection.get("/comes.txt", accepts), "gzip")
        root.write("comes.txt", BODIES[None])
        check(connection.get("/comes.txt", accepts), "gzip")
        check(connection.get("/comes.txt"), None)
        root.remove("comes.txt.gz")
        check(connection.get("/comes.txt", accepts), None)
        root.remove("comes.txt")
        assert connection.get("/comes.txt", accepts).status == 404


@each(["/closed.txt", "/dir-beside.txt"])
def a_sidecar_that_cannot_be_read_is_passed_over(server, target):
    answer = server.get(target, "Accept-Encoding: gzip")
    assert answer.status == 200 and answer.body == BODIES[None]


@test
def pipelined_forms(server):
    codings = ["gzip", None, "br", "zstd", "gzip", None] * 5
    octets = b"".join(head("GET", "/all.txt", *([f"Accept-Encoding: {coding}"] if coding else []))
                      for coding in codings)
    for answer, coding in zip(server.exchange(octets, ["GET"] * len(codings)), codings):
        check(answer, coding)


@test
def head_has_the_fields_of_get(server):
    for coding in SUFFIXES:
        get, answer = (server.ask(method, "/all.txt", f"Accept-Encoding: {coding}")
                       for method in ("GET", "HEAD"))
        assert answer.without("Date") == get.without("Date")


@each([("gzip", "br", "gzip"), ("br", "gzip", "br"), ("gzip", "zstd", "br", "gzip"), ("br", "gzip")])
def locations_over_one_folder_have_codings_of_their_own(server, *codings):
    """What one location has found out about a file's sidecars is no answer to what another asks."""
    names = {"a": codings[0], "b": '", "'.join(codings[1:])}
    block = "".join(f'location "/{name}/" {{ alias = "{server.world.root.path}" '
                    f'precompressed = {{"{listed}"}} }}\n' for name, listed in names.items())
    for cache_valid in ("1h", "1ms"):
        own = server.world.serve(settings={"cache_valid": cache_valid}, block=block)
        with own.connect() as connection:
            for _ in range(3):
                check(connection.get("/a/all.txt", f"Accept-Encoding: {codings[0]}"), codings[0])
                for coding in codings[1:]:
                    check(connection.get("/b/all.txt", f"Accept-Encoding: {coding}"), coding)
                check(connection.get("/a/all.txt", "Accept-Encoding: zstd, br, gzip"), codings[0])
                best = next(coding for coding in ("zstd", "br", "gzip") if coding in codings[1:])
                check(connection.get("/b/all.txt", "Accept-Encoding: zstd, br, gzip"), best)
                assert "Vary" not in connection.get("/all.txt")


@test
def it_is_off_by_default(server):
    answer = server.world.serve().get("/all.txt", "Accept-Encoding: gzip, br, zstd")
    assert answer.body == BODIES[None] and "Vary" not in answer


@test
def the_setting_names_the_codings(server):
    own = server.world.serve(block='precompressed = {"gzip"}\n')
    check(own.get("/all.txt", "Accept-Encoding: br, zstd, gzip;q=0.1"), "gzip")
    check(own.get("/all.txt", "Accept-Encoding: br"), None)


if __name__ == "__main__":
    run(setup)
