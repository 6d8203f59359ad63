#!/usr/bin/python3
"""`headers_file = on`: a file _headers in the root, as Netlify and Cloudflare Pages have it (decision
54)."""

from wire import each, run, test
from wire.request import head

FILE = """\
# comment
/*
  X-All: yes
  X-Frame-Options: DENY
  X-Content-Type-Options: other
/assets/*
  Cache-Control: public, max-age=9
  X-List: a
  X-List: b
/assets/*
  X-List: c
/
  Link: </app.css>; rel=preload; as=style
  Link: </next>; rel=next
/posts/:slug/edit
  X-Robots-Tag: noindex
/*.html
  ! X-Frame-Options
  Content-Length: 5
  Transfer-Encoding: chunked
  Bad: \x01
/movies/:title/:part
  X-Movie: You are watching ":title", part :part of :other for $5 (:title)
  Cache-Control: private, max-age=:part
/movies/*
  X-Splat: <:splat>
https://localhost/*
  X-Host: here
https://:project.pages.example/*
  X-Host: there
/app
  Content-Type: application/json
  X-Block: file
"""
CONF = """
    headers_file = on autoindex = on
    headers = {"X-General: yes", "X-All: no"}
    headers "/app/" { set = "X-Block: block" }
    headers = "/app" { set = "X-Block: block" }
    cache "*.css" { control = "block" }
    location "/al/" { alias = "@root@/sub" }
    location "/off/" { headers_file = off }
"""


def setup(world):
    for name in ("index.html", "assets/a.js", "assets/a.css", "about.html", "app", "a.txt", "off/a.html",
                 "sub/assets/x.js", "sub/_headers"):
        world.root.write(name, "x" * 10)
    world.root.write("_headers", FILE)
    world.root.write("movies/Up, \"2\"/7", "x")
    world.root.write("sub/m/a b", "x")
    world.root.write("sub/_headers", "/assets/x.js\n  X-Sub: yes\n/m/:name\n  X-Name: :name\n")
    return world.serve(block=CONF.replace("@root@", world.root.path))


@each([
    ("/a.txt", {"X-All": ["yes"], "X-Frame-Options": ["DENY"], "X-General": ["yes"], "X-Host": ["here"],
                "X-Content-Type-Options": ["other"], "X-List": []}),
    ("/assets/a.js", {"Cache-Control": ["public, max-age=9"], "X-List": ["a", "b", "c"]}),
    ("/assets/a.css", {"Cache-Control": ["block"]}),
    ("/about.html", {"X-Frame-Options": [], "X-All": ["yes"]}),
    ("/", {"X-Frame-Options": [], "Link": ["</app.css>; rel=preload; as=style", "</next>; rel=next"]}),
    ("/app", {"Content-Type": ["application/json"], "X-Block": ["block"]}),
    ("/al/assets/x.js", {"X-Sub": ["yes"], "X-All": ["no"]}),  # its own file, in its own root
    ("/off/a.html", {"X-All": ["no"]}),
])
def fields_by_path(server, target, wanted):
    for answer in (server.get(target), server.head(target), server.get(target)):
        assert answer.status == 200
        for name, values in wanted.items():
            assert answer.all(name) == values, (name, answer)
        revalidated = server.get(target, f"If-None-Match: {answer['ETag']}")
        assert revalidated.status == 304
        for name, values in wanted.items():
            assert name == "Content-Type" or revalidated.all(name) == values, (name, revalidated)


@test
def what_a_path_has_stands_in_values(server):
    """Escaped for a field, and as the path is below an alias; a name that the path does not have is text."""
    answer = server.get("/movies/Up%2C%20%222%22/7")
    assert answer["X-Movie"] == 'You are watching "Up%2C %222%22", part 7 of :other for $5 (Up%2C %222%22)', answer
    assert answer["Cache-Control"] == "private, max-age=7" and answer["X-Splat"] == "<Up%2C %222%22/7>"
    answer = server.get("/movies/x/%0d%0aEvil:y")
    assert answer.status == 404 and "%0D%0AEvil:y" in answer["X-Movie"] and "Cache-Control" not in answer
    assert server.get("/al/m/a%20b")["X-Name"] == "a b"


@test
def errors_have_them_but_are_not_kept(server):
    answer = server.get("/assets/none.js")
    assert answer.status == 404 and answer["X-All"] == "yes" and "Cache-Control" not in answer
    assert server.get("/posts/x/edit")["X-Robots-Tag"] == "noindex"
    assert "X-Robots-Tag" not in server.get("/posts/x/y/edit")


@each(["/_headers", "/%5fheaders", "/./_headers", "/x/../_headers", "/_headers/", "/_headers?x", "/al/_headers"])
def it_is_served_to_nobody(server, target):
    answer = server.get(target)
    assert answer.status == 404 and b"X-Frame" not in answer.body


@test
def nor_listed(server):
    assert b"_headers" not in server.get("/assets/").body
    assert b"_headers" not in server.get("/al/", "Accept: application/json").body


@test
def a_browser_is_told_before(server):
    with server.connect() as connection:
        connection.send(head("GET", "/", "Sec-Fetch-Mode: navigate") +
                        head("GET", "/assets/a.js", "Sec-Fetch-Mode: navigate", "Connection: close"))
        octets = connection.read_to_end()
    assert octets.startswith(b"HTTP/1.1 103 Early Hints\r\nLink: </app.css>; rel=preload; as=style\r\n\r\n"
                             b"HTTP/1.1 200 OK\r\n"), octets
    assert octets.count(b"HTTP/1.1 ") == 3


@test
def bad_lines_are_told(server):
    errors = server.stderr()
    for text in ("_headers:19: \"Content-Length: 5\"", "_headers:20: \"Transfer-Encoding: chunked\"",
                 "_headers:21: "):
        assert text in errors, errors


if __name__ == "__main__":
    run(setup)
