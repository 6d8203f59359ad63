"""A static export of Next.js: pages are NAME.html, dynamic routes come with brackets in the names of their scripts, assets
have a hash in theirs and never change."""

from sites import ask

FILES = {
    "index.html": "home",
    "about.html": "about",
    "404.html": "not here",
    "blog.html": "blog",
    "blog/hello-world.html": "hello",
    "_next/static/chunks/pages/blog/[slug]-1a2b3c.js": "slug()",
    "_next/static/css/0f1e2d.css": "body{}",
    "_next/data/build/blog/hello-world.json": "{}",
    "images/photo.webp": "RIFF",
}

FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
FRESH = {"Cache-Control": "no-cache"}

ASKS = [
    ask("/", 200, "home", fields={"Content-Type": "text/html; charset=utf-8", **FRESH}),
    ask("/about", 200, "about", fields=FRESH),
    ask("/blog", 200, "blog"),
    ask("/blog/hello-world", 200, "hello", fields={"Content-Type": "text/html; charset=utf-8"}),
    ask("/blog/none", 404, "not here"),
    ask("/_next/static/chunks/pages/blog/[slug]-1a2b3c.js", 200, "slug()", fields=FOREVER),
    ask("/_next/static/chunks/pages/blog/%5Bslug%5D-1a2b3c.js", 200, "slug()", fields=FOREVER),
    ask("/_next/static/css/0f1e2d.css", 200, "body{}", fields=FOREVER),
    ask("/_next/static/css/none.css", 404),
    ask("/_next/data/build/blog/hello-world.json", 200, "{}"),
    ask("/about.html", 308, fields={"Location": "/about"}),
    ask("/images/photo.webp", 200, "RIFF", fields={"Content-Type": "image/webp"}),
    ask("/", 301, host="example.org", fields={"Location": "http://www.example.org/"}),
    ask("/a?b=c", 301, host="example.org", fields={"Location": "http://www.example.org/a?b=c"}),
]
