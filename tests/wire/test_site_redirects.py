#!/usr/bin/python3
"""`redirects_file`: the _redirects of a site, as Netlify and Cloudflare Pages have it: what it leads to, what it does
not shadow, what is served in place of something else, and that it opens nothing that is kept."""

from wire import each, run, test

RULES = """\
# Netlify's and Cloudflare's examples
/home              /
/my-redirect       /                302
/twitch            https://twitch.tv
/querystrings      /?query=string   301
/trailing          /trailing/       301
/news/:month/:date/:year/:slug  /blog/:year/:month/:date/:slug
/articles id=:id tag=:tag /posts/:tag/:id 301
/store id=:id      /blog/:id        301
/blog/*            https://blog.my.domain/:splat
/products/:code/:name /products?code=:code&name=:name
/moved.html        /page.html       301
/forced.html       /page.html       307!
/pass-through      /page.html       200
/shadow.html       /page.html       200!
/dir-in            /dir             200
/ecommerce         /closed.html     404
/gone              410
/gone/*            /closed.html     410!
/keep/*            200
/secret-too        /kept/secret.txt 200
/secret-error      /kept/secret.txt 404
/hidden            /.hidden         200
/rules             /_redirects      200
/up/:a             /../:a           200
/de                /de.html         200  Language=de
/api/*             https://api.example.com/:splat 200
/loop              /none.html       200
/app/*             /app.html        200
"""
CONF = """
    redirects_file = on
    autoindex = on
    headers = {"X-Here: yes"}
    location "/kept/" { root = "@root@" deny = {"127.0.0.0/8"} }
    location "/all/" { alias = "@root@" index = {"no-index"} }
    location "/tried/" { root = "@root@" try = {"$uri", "$uri.html"} }
    redirect "/server/" { to = "/by/" }
"""


def setup(world):
    root = world.root
    root.write("_redirects", RULES)
    for name in ("index", "page", "moved", "forced", "shadow", "closed", "app"):
        root.write(f"{name}.html", name)
    root.write("app/real.js", "real")
    root.write("tried/x.html", "tried")
    root.write("dir/index.html", "in dir")
    root.write("kept/secret.txt", "secret")
    root.write(".hidden", "hidden")
    return world.serve(block=CONF)


@each([
    ("/home", 301, "/"),
    ("/home/", 301, "/"),
    ("/home?a=b", 301, "/?a=b"),
    ("/my-redirect", 302, "/"),
    ("/twitch", 301, "https://twitch.tv"),
    ("/querystrings?a=b", 301, "/?query=string"),
    ("/trailing", 301, "/trailing/"),
    ("/news/02/12/2004/my-story", 301, "/blog/2004/02/12/my-story"),
    ("/articles?tag=a%26b&id=7%0d%0aX:y", 301, "/posts/a%26b/7%0D%0AX:y?tag=a%26b&id=7%0d%0aX:y"),
    ("/store?id=my+post", 301, "/blog/my%20post?id=my+post"),
    ("/blog/a%20b/c.html", 301, "https://blog.my.domain/a%20b/c.html"),
    ("/blog//evil.example/", 301, "https://blog.my.domain/evil.example/"),
    ("/products/7/x%26y=z", 301, "/products?code=7&name=x%26y%3Dz"),
    ("/forced.html", 307, "/page.html"),
    ("/server/x", 301, "/by/x"),
])
def leads(server, target, status, location):
    answer = server.get(target)
    assert answer.status == status and answer["Location"] == location, answer
    assert answer["X-Here"] == "yes"


@each([
    ("/moved.html", 200, b"moved"),         # a file is there
    ("/pass-through", 200, b"page"),
    ("/pass-through/", 200, b"page"),
    ("/shadow.html", 200, b"page"),
    ("/dir-in", 200, b"in dir"),
    ("/dir-in/", 200, b"in dir"),
    ("/ecommerce", 404, b"closed"),
    ("/gone/x", 410, b"closed"),
    ("/app/some/page", 200, b"app"),
    ("/app/real.js", 200, b"real"),
    ("/tried/x", 200, b"tried"),
    ("/", 200, b"index"),
])
def answers(server, target, status, body):
    answer = server.get(target)
    assert answer.status == status and answer.body == body, answer


@each([
    ("/gone", 410),
    ("/keep/x", 404),
    ("/secret-too", 403),
    ("/kept/secret.txt", 403),
    ("/secret-error", 404),
    ("/hidden", 404),
    ("/rules", 404),
    ("/up/x", 404),
    ("/_redirects", 404),
    ("/_redirects/", 404),
    ("/all/_redirects", 404),
    ("/%5Fredirects", 404),
    ("/de", 404),
    ("/api/x", 404),
    ("/loop", 404),
    ("/trailing/", 404),
    ("/store", 404),
    ("/nothing", 404),
])
def refuses(server, target, status):
    answer = server.get(target)
    assert answer.status == status, answer
    assert b"secret" not in answer.body and b"hidden" not in answer.body and b"twitch" not in answer.body


@test
def a_rewritten_file_is_a_file(server):
    answer = server.get("/pass-through")
    again = server.get("/pass-through", f"If-None-Match: {answer['ETag']}")
    assert again.status == 304
    part = server.get("/pass-through", "Range: bytes=1-2")
    assert part.status == 206 and part.body == b"ag"


@test
def a_listing_leaves_it_out(server):
    listing = server.get("/all/").body
    assert b"page.html" in listing and b"_redirects" not in listing


if __name__ == "__main__":
    run(setup)
