#!/usr/bin/python3
"""Error pages (HTTP.md "Answering"): a small HTML page for each error, or a configured one."""

from wire import each, head, run, test

ERRORS = [
    (400, head("GET", "/%zz")), (403, head("GET", "/closed.txt")), (404, head("GET", "/none")),
    (405, head("POST", "/a.txt")),
    (412, head("GET", "/a.txt", "If-Match: \"x\"")),
    (413, head("GET", "/a.txt", "Content-Length: 9999999999")),
    (414, head("GET", "/" + "x" * 9000)), (416, head("GET", "/a.txt", "Range: bytes=100-")),
    (417, head("GET", "/a.txt", "Expect: x")),
    (431, head("GET", "/a.txt", *["X: y"] * 200)), (501, head("FOO", "/a.txt")),
    (505, head("GET", "/a.txt", version="2.0")),
]


def setup(world):
    root = world.root
    root.write("a.txt", "a")
    root.write("closed.txt", "closed", mode=0)
    root.write("404.html", "<p>custom not found")
    root.write("errors/denied.txt", "custom denied")
    root.write("errors/bad.html", "<p>custom bad")
    root.write("errors/mode.html", "<p>custom 405")
    root.write("errors/unsatisfied.html", "<p>custom 416")
    root.write("errors/changed.html", "<p>custom 412")
    root.write("sub/none.html", "<p>not in sub")
    world.custom = world.serve(block="""
        error_pages = {"404=/404.html", "403=/errors/denied.txt", "400=/errors/bad.html",
                       "405=/errors/mode.html", "416=/errors/unsatisfied.html",
                       "412=/errors/changed.html", "501=/errors/none-such.html", "417=/errors/"}
        location "/sub/" { error_pages = {"404=/sub/none.html"} }
    """)
    world.default = world.serve()
    return world


@each(ERRORS)
def each_error_has_a_small_html_page(world, status, request):
    answer = world.default.send(request)
    assert answer.status == status
    assert answer["Content-Type"].startswith("text/html")
    assert 20 < len(answer.body) < 4096
    assert b"<html" in answer.body.lower() and str(status).encode() in answer.body
    assert answer["X-Content-Type-Options"] == "nosniff"


@each([row for row in ERRORS if row[1].startswith(b"GET") and row[0] not in (414, 416)])
def head_gets_the_same_fields_without_body(world, status, request):
    """But for 416, since HEAD knows no ranges, and 414, which may come before the method is
    known."""
    for server in (world.default, world.custom):
        get = server.send(request)
        with server.connect() as connection:
            connection.send(request.replace(b"GET", b"HEAD", 1))
            answer = connection.read_response("HEAD")
            assert answer.status == status
            assert answer.without("Date") == get.without("Date")
            if answer.closes:
                connection.expect_end()
            else:
                connection.expect_silence(0.02)


@each([
    ("/none", 404, b"<p>custom not found", "text/html; charset=utf-8"),
    ("/none/", 404, b"<p>custom not found", "text/html; charset=utf-8"),
    ("/closed.txt", 403, b"custom denied", "text/plain; charset=utf-8"),
    ("/sub/none", 404, b"<p>not in sub", "text/html; charset=utf-8"),
])
def a_configured_page_keeps_the_status(world, target, status, body, media_type):
    answer = world.custom.get(target)
    assert answer.status == status and answer.body == body and answer["Content-Type"] == media_type


@test
def a_configured_page_for_405_keeps_allow(world):
    answer = world.custom.ask("POST", "/a.txt")
    assert answer.status == 405 and answer.body == b"<p>custom 405"
    assert answer["Allow"] == "GET, HEAD, OPTIONS"


@test
def a_configured_page_for_416_keeps_content_range(world):
    answer = world.custom.get("/a.txt", "Range: bytes=100-")
    assert answer.status == 416 and answer["Content-Range"] == "bytes */1"
    assert answer.body == b"<p>custom 416"


@test
def a_configured_page_for_412(world):
    answer = world.custom.get("/a.txt", "If-Match: \"x\"")
    assert answer.status == 412 and answer.body == b"<p>custom 412"


@test
def a_configured_page_that_is_missing_or_no_file_falls_back(world):
    answer = world.custom.ask("FOO", "/a.txt")
    assert answer.status == 501 and b"501" in answer.body and b"<html" in answer.body
    answer = world.custom.get("/a.txt", "Expect: x")
    assert answer.status == 417 and b"417" in answer.body and b"<html" in answer.body


@test
def a_refusal_has_a_page_and_closes(world):
    answer = world.custom.refuses(head("GET", "/%zz"), 400)
    assert answer.body == b"<p>custom bad" or b"400" in answer.body


@test
def ranges_and_conditions_do_not_apply_to_it(world):
    for fields in (["Range: bytes=0-2"], ["If-None-Match: *"],
                   ["If-Modified-Since: Sun, 01 Jan 2034 00:00:00 GMT"], ["If-Match: \"x\""],
                   ["If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT"]):
        for server, body in ((world.custom, b"<p>custom not found"),
                             (world.default, world.default.get("/none").body)):
            answer = server.get("/none", *fields)
            assert answer.status == 404 and answer.body == body and "Content-Range" not in answer


@test
def it_is_no_representation_of_the_target(world):
    """No validator of the page's file: a cache must not take it for the resource's."""
    for server in (world.custom, world.default):
        answer = server.get("/none")
        for name in ("ETag", "Last-Modified", "Accept-Ranges"):
            assert name not in answer


@test
def the_page_itself_is_an_ordinary_file(world):
    assert world.custom.get("/404.html").status == 200


@test
def the_connection_is_kept(world):
    for server in (world.custom, world.default):
        with server.connect() as connection:
            for _ in range(20):
                assert connection.get("/none").status == 404
                assert connection.get("/a.txt").body == b"a"


@each(["<script>x</script>", "%3Cscript%3Ex%3C/script%3E", "%22%27%3E%3Cb%3E"])
def nothing_is_echoed(world, text):
    for target in (f"/{text}", f"/none?{text}", f"/sub/{text}"):
        for server in (world.custom, world.default):
            answer = server.get(target, f"User-Agent: {text}", f"Referer: {text}", f"X: {text}")
            for part in (b"<script>", b"<b>", b"%3C", b"%22"):
                assert part not in answer.body


if __name__ == "__main__":
    run(setup)
