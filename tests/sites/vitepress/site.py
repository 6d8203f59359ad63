"""VitePress with clean URLs: /guide is guide.html, /guide/ a folder's page; everything over TLS, and HSTS."""

from sites import ask

FILES = {
    "index.html": "start",
    "404.html": "404 page",
    "guide.html": "guide",
    "reference/index.html": "reference",
    "reference/api.html": "api",
    "assets/app.Dk3f.js": "app()",
    "hashmap.json": "{}",
}
BESIDE = {"acme/.well-known/acme-challenge/answer": "answer"}
HSTS = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}

ASKS = [
    ask("/guide?x=1", 301, fields={"Location": "https://www.example.org/guide?x=1", "Strict-Transport-Security": None}),
    ask("/.well-known/acme-challenge/answer", 200, "answer"),
    ask("/.well-known/acme-challenge/none", 404),
    ask("/", 200, "start", tls=True, fields=HSTS),
    ask("/guide", 200, "guide", tls=True, fields=HSTS),
    ask("/reference/", 200, "reference", tls=True),
    ask("/reference/api", 200, "api", tls=True),
    ask("/nothing", 404, "404 page", tls=True, fields=HSTS),
    ask("/assets/app.Dk3f.js", 200, tls=True, fields={"Cache-Control": "max-age=31536000, immutable"}),
    ask("/assets/none.js", 404, tls=True),
    ask("/", 200, "start", host="other.example.net", tls=True),
]
