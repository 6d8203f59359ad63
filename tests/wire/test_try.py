#!/usr/bin/python3
"""`try` (HTTP.md "Finding the file"): clean URLs and a fallback for single-page applications."""

from wire import each, head, run, test


def setup(world):
    root = world.root
    root.write("index.html", "app")
    root.write("about.html", "about")
    root.write("dir/index.html", "dir index")
    root.write("dir/page.html", "page")
    root.write("style.css", "css")
    root.write("both", "bare")
    root.write("both.html", "html")
    root.write(".hidden.html", "hidden")
    world.outside.write("secret.html", "secret")
    return world.serve(block='try = {"$uri", "$uri.html", "/index.html"}\n')


@each([
    ("/about", b"about"), ("/about.html", b"about"), ("/style.css", b"css"), ("/both", b"bare"),
    ("/dir/page", b"page"),
    ("/dir/page.html", b"page"), ("/about?x=y", b"about"), ("/%61bout", b"about"),
    ("//about", b"about"), ("/dir/../about", b"about"),
])
def the_first_that_exists_is_served(server, target, body):
    for method in ("GET", "HEAD"):
        answer = server.ask(method, target)
        assert answer.status == 200
        assert answer.body == (body if method == "GET" else b"")


@each(["/none", "/users/17/edit", "/none.css", "/about.html.html", "/about/", "/about.html/",
       "/about.html/x", "/none/", "/deep/er/path/", "/secret"])
def the_last_is_the_fallback(server, target):
    answer = server.get(target)
    assert answer.status == 200 and answer.body == b"app"
    assert answer["Content-Type"] == "text/html; charset=utf-8"


@test
def the_type_is_that_of_the_file(server):
    assert server.get("/about")["Content-Type"] == "text/html; charset=utf-8"


@test
def validators_are_those_of_the_file(server):
    assert server.get("/about")["ETag"] == server.get("/about.html")["ETag"]
    assert server.get("/about", "If-None-Match: " + server.get("/about.html")["ETag"]).status == 304
    assert server.get("/about", "Range: bytes=1-2").body == b"bo"


@each(["/../secret", "/dir/../../outside/secret", "/%2e%2e/outside/secret"])
def it_does_not_leave_the_root(server, target):
    server.refuses(head("GET", target), 400)


@each(["/..%2foutside%2fsecret", "/.hidden"])
def what_is_hidden_stays_hidden(server, target):
    answer = server.get(target)
    assert answer.status == 404 or answer.body == b"app"


@test
def without_a_fallback_it_is_404(server):
    own = server.world.serve(block='try = {"$uri", "$uri.html"}\n')
    assert own.get("/about").body == b"about"
    assert own.get("/none").status == 404
    assert own.get("/about/").status == 404
    assert own.get("/about.html/").status == 404


@test
def a_location_has_its_own(server):
    own = server.world.serve(block='location "/dir/" { try = {"$uri", "$uri.html"} }\n')
    assert own.get("/dir/page").body == b"page"
    assert own.get("/about").status == 404
    assert own.get("/dir/none").status == 404


if __name__ == "__main__":
    run(setup)
