#!/usr/bin/python3
"""Directories (HTTP.md "Finding the file"): a redirect to the name with a slash, index files, else
404."""

from wire import each, head, run, test


def setup(world):
    root = world.root
    root.write("index.html", "root index")
    root.write("dir/index.html", "dir index")
    root.write("dir/sub/index.html", "sub index")
    root.write("bare/a.txt", "a")
    root.write("with blank/index.html", "blank")
    root.write("\u00e4/index.html", "umlaut")
    root.write("a?b#c%d/index.html", "delimiters")
    root.write("<b>/index.html", "markup")
    root.write("\\evil.example/index.html", "backslash")
    root.write("evil.example/index.html", "evil")
    root.folder("index-is-dir/index.html")
    root.write("second/index.htm", "second")
    root.write("both/index.html", "first")
    root.write("both/index.htm", "second")
    return world.serve()


@each([
    ("/dir", "/dir/"), ("/dir/sub", "/dir/sub/"), ("/bare", "/bare/"), ("/dir?", "/dir/?"),
    ("/dir?x=y", "/dir/?x=y"),
    ("/dir?x=/a/../b&c=%20%3C", "/dir/?x=/a/../b&c=%20%3C"), ("/with%20blank", "/with%20blank/"),
    ("/%c3%a4", "/%C3%A4/"),
    ("/a%3Fb%23c%25d", "/a%3Fb%23c%25d/"), ("/%3Cb%3E", "/%3Cb%3E/"), ("//dir", "/dir/"),
    ("///dir", "/dir/"), ("/./dir", "/dir/"),
    ("/bare/../dir", "/dir/"), ("//evil.example", "/evil.example/"),
    ("//evil.example/..//dir", "/dir/"), ("/%5Cevil.example", "/%5Cevil.example/"),
    ("/dir//sub", "/dir/sub/"), ("http://other.example/dir", "/dir/"),
    ("http://localhost/dir?x", "/dir/?x"),
])
def without_a_slash_it_is_a_redirect(server, target, location):
    for method in ("GET", "HEAD"):
        answer = server.ask(method, target)
        assert answer.status == 301
        assert answer["Location"].replace("%c3%a4", "%C3%A4") == location


@test
def the_redirect_reflects_no_host(server):
    for host in ("evil.example", "localhost:1"):
        answer = server.get("/dir", host=host)
        assert answer["Location"] == "/dir/" and b"evil" not in answer.raw


@test
def the_redirect_leads_there(server):
    for target, body in (("/dir", b"dir index"), ("/with%20blank", b"blank"),
                         ("/%c3%a4", b"umlaut"), ("/a%3Fb%23c%25d", b"delimiters"),
                         ("/%3Cb%3E", b"markup"), ("/%5Cevil.example", b"backslash")):
        assert server.get(server.get(target)["Location"]).body == body


@test
def the_redirect_echoes_nothing_unescaped(server):
    answer = server.get("/%3Cb%3E?x='onload='")
    assert b"<b>" not in answer.raw
    assert b"<b>" not in server.get("/dir?%3Cb%3E").body


@each([("/", b"root index"), ("/dir/", b"dir index"), ("/dir/sub/", b"sub index"),
       ("/dir/?x=y", b"dir index"), ("//", b"root index"),
       ("/dir//", b"dir index"), ("/dir/.", b"dir index"), ("/dir/sub/..", b"dir index"),
       ("/dir/sub/../", b"dir index"), ("/dir/%2e", b"dir index")])
def with_a_slash_it_is_the_index_file(server, target, body):
    answer = server.get(target)
    assert answer.status == 200 and answer.body == body
    assert answer["Content-Type"] == "text/html; charset=utf-8"


@test
def the_index_file_is_the_same_resource_by_its_name(server):
    by_slash, by_name = server.get("/dir/"), server.get("/dir/index.html")
    assert by_slash.body == by_name.body and by_slash["ETag"] == by_name["ETag"]


@test
def conditions_and_ranges_hold_for_it(server):
    assert server.get("/dir/", "If-None-Match: " + server.get("/dir/")["ETag"]).status == 304
    assert server.get("/dir/", "Range: bytes=0-2").body == b"dir"


@each(["/bare/", "/index-is-dir/", "/second/"])
def without_an_index_file_it_is_404(server, target):
    assert server.get(target).status == 404


@test
def index_files_are_tried_in_order(server):
    own = server.world.serve(block='index = {"index.htm", "index.html"}\n')
    assert own.get("/second/").body == b"second"
    assert own.get("/both/").body == b"second"
    assert own.get("/dir/").body == b"dir index"


@test
def another_method_is_not_redirected(server):
    assert server.send(head("POST", "/dir"), "POST").status == 405


if __name__ == "__main__":
    run(setup)
