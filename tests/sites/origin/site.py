"""The origin behind a CDN: the client is named by the CDN's addresses, everything has its age, fonts and scripts may be
used from anywhere, compressed by the origin, a health check for the CDN, other methods refused."""

from sites import ask

TEXT = "function f() { return 'the same again and again'; }\n" * 200

FILES = {
    "index.html": "origin",
    "v1/app.js": TEXT,
    "v1/app.css": "b{}",
    "v1/font.woff2": "wOF2",
    "v1/data.json": "[" + "1," * 3000 + "1]",
    "img/a.avif": "avif",
}
SHARED = {"Cache-Control": "public, s-maxage=86400, max-age=300"}
OPEN = {"Access-Control-Allow-Origin": "*"}

ASKS = [
    ask("/", 200, "origin", fields={"Cache-Control": "public, s-maxage=60, max-age=0"}),
    ask("/v1/app.js", 200, TEXT, fields={"Vary": "Accept-Encoding", **SHARED, **OPEN},
        differs={"caddy": "Vary is there with the coding alone: a shared cache may hand the plain file to everybody"}),
    ask("/v1/app.js", 200, sends={"Accept-Encoding": "gzip"}, fields={"Content-Encoding": "gzip", **SHARED}),
    ask("/v1/app.css", 200, "b{}", sends={"Accept-Encoding": "gzip"}, fields={"Content-Encoding": None}),
    ask("/v1/font.woff2", 200, fields={"Content-Type": "font/woff2", **OPEN}),
    ask("/v1/data.json", 200, sends={"Accept-Encoding": "gzip"}, fields={"Content-Encoding": "gzip"}),
    ask("/img/a.avif", 200, "avif", fields={"Content-Type": "image/avif", **SHARED}),
    ask("/v1/none.js", 404, fields={"Cache-Control": "no-store"}),
    ask("/health", 204, ""),
    ask("/internal/", 404),
    ask("/v1/app.js", 200, host="10.0.0.1", sends={"X-Forwarded-For": "192.0.2.7"}),
    ask("/legacy/app.js", 301, fields={"Location": "/v1/app.js"}),
]
