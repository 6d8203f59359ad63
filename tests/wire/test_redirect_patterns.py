#!/usr/bin/python3
"""Redirects by query, glob and regular expression, and which of several wins; `clean_urls`: pages
without .html in their addresses, in one redirect."""

import gzip

from wire import each, run, test

CONF = """
    clean_urls = on
    precompressed = {"gzip"}
    redirect "/plain" { to = "/about" }
    redirect = "/index.php?id=42" { to = "/about" }
    redirect = "/index.php?" { to = "/" }
    redirect = "/index.php" { to = "/docs/" }
    redirect = "/slash/" { to = "/about" }
    redirect "*.php" { to = "/gone" status = 302 }
    redirect ~ "^/old/([a-z]+)/(?<n>[^/]*)$" { to = "/new/$n-$1" }
    redirect ~* "^/CASE/(.*)$" { to = "https://x.example/$1?from=old" }
    redirect ~ "^/old/.*$" { to = "/second" }
    redirect ^~ "/firm/" { to = "/soft/" }
    redirect "/pre/" { to = "/post/" }
    redirect ~ "^/back$" { to = "/back.html" }
    location "/.well-known/acme-challenge/" { root = "@root@" }
    location ^~ "/safe/" { root = "@root@" }
    location = "/exact.php" { return = "200 mine" }
    location ~ "^/both/(.*)$" { root = "@root@" headers = "X-Rest: $1" }
    redirect ~ "^/both/x(.*)$" { to = "/y$1" }
    location "/app/" { root = "@root@" try = {"$uri", "$uri.html", "/app/index.html"} }
    location "/dirty/" { root = "@root@" clean_urls = off }
"""


def setup(world):
    root = world.root
    for name in ("about.html", "index.html", "docs/index.html", "a/index.html", "a.html", "back.html", "plain",
                 "app/index.html", "app/page.html", "dirty/page.html", "safe/x.php", "a b.html", "none.html/x",
                 ".well-known/acme-challenge/x.php"):
        root.write(name, name)
    root.write("only.html.gz", gzip.compress(b"only"))
    return world.serve(block=CONF)


@each([
    ("/plain", 301, "/about"), ("/index.php?id=42", 301, "/about"), ("/index.php?id=4", 301, "/docs/?id=4"),
    ("/index.php", 301, "/"), ("/index.php?", 301, "/"), ("/index.php?id=42&x", 301, "/docs/?id=42&x"),
    ("/slash/", 301, "/about"), ("/slash", 404, None), ("/foo/bar.php", 302, "/gone"), ("/bar.php?x", 302, "/gone?x"),
    ("/old/ab/12?q=1", 301, "/new/12-ab?q=1"), ("/old/ab/%22%0a", 301, "/new/%22%0A-ab"), ("/old/12/x", 301, "/second"),
    ("/case/x/y?z", 301, "https://x.example/x/y?from=old"), ("/case//evil", 301, "https://x.example/evil?from=old"),
    ("/firm/a.php", 301, "/soft/a.php"), ("/pre/x.php", 302, "/gone"), ("/pre/x", 301, "/post/x"),
    ("/.well-known/acme-challenge/x.php", 200, None), ("/safe/x.php", 200, None), ("/exact.php", 200, None),
    ("/both/xyz", 301, "/yyz"),
])
def it_leads_there(server, target, status, location):
    for method in ("GET", "HEAD"):
        answer = server.ask(method, target)
        assert answer.status == status and answer.get("Location") == location, (answer.status, answer.get("Location"))
    if status in (301, 302):
        assert server.ask("OPTIONS", target).status == status


@test
def fields_hold_what_the_location_has_captured(server):
    assert server.get("/both/xyz")["X-Rest"] == "xyz"
    assert server.get("/both/a")["X-Rest"] == "a"


@each([("/about.html", "/about"), ("/about.html?x=1&y", "/about?x=1&y"), ("/docs/index.html", "/docs/"),
       ("/docs/index", "/docs/"), ("/index.html", "/"), ("/index?q", "/?q"), ("/a.html", "/a"), ("/only.html", "/only"),
       ("/a%20b.html", "/a%20b"), ("/app/page.html", "/app/page"), ("//a.html", "/a"), ("/app/index.html", "/app/")])
def one_redirect_leads_to_the_clean_address(server, target, location):
    answer = server.get(target)
    assert answer.status == 301 and answer["Location"] == location
    assert server.get(location).status == 200


@each([("/about", "about.html"), ("/", "index.html"), ("/docs/", "docs/index.html"), ("/a", "a.html"),
       ("/a/", "a/index.html"), ("/app/other", "app/index.html"), ("/app/page", "app/page.html"),
       ("/dirty/page.html", "dirty/page.html"), ("/back.html", "back.html")])
def pages_are_served_where_they_are(server, target, body):
    answer = server.get(target)
    assert answer.status == 200 and answer.body == body.encode()


@each(["/missing.html", "/missing", "/about/", "/none.html", "/.html", "/dirty/page"])
def what_is_not_there_leads_nowhere(server, target):
    answer = server.get(target)
    assert answer.status == 404 or answer["Location"] == "/none.html/", answer.get("Location")


@test
def a_folder_still_gets_its_slash(server):
    assert server.get("/docs?x")["Location"] == "/docs/?x"


if __name__ == "__main__":
    run(setup)
