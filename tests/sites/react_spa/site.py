"""A React application: any path is the application's, but for its files and for /api/, which is somebody else's and is
refused here; the page itself is never kept, assets are for ever."""

import re

from sites import ask

FILES = {
    "index.html": "<div id=root></div>",
    "static/js/main.8f2e.js": "react()",
    "static/media/font.woff2": "wOF2",
    "favicon.ico": "icon",
    "robots.txt": "User-agent: *",
}

NEVER = {"Cache-Control": "no-store"}

ASKS = [
    ask("/", 200, "<div id=root></div>", fields=NEVER),
    ask("/users/42/edit", 200, "<div id=root></div>", fields={"Content-Type": re.compile("^text/html"), **NEVER}),
    ask("/users/42?tab=a|b[c]", 200, "<div id=root></div>"),
    ask("/static/js/main.8f2e.js", 200, "react()", fields={"Cache-Control": "public, immutable, max-age=31536000"}),
    ask("/static/js/old.js", 404),
    ask("/static/media/font.woff2", 200, fields={"Content-Type": "font/woff2", "Access-Control-Allow-Origin": "*"}),
    ask("/api/login", 403, '{"error":"not here"}', fields={"Content-Type": "application/json"}),
    ask("/api/", 403),
    ask("/apis", 200, "<div id=root></div>"),
    ask("/favicon.ico", 200, "icon"),
    ask("/healthz", 200, "...ok", fields={"Content-Type": re.compile("^text/plain")}),
    ask("/server.key", 404),
    ask("/.env", 404),
    ask("/", 200, fields={"X-Frame-Options": "DENY", "Referrer-Policy": "same-origin"}),
]
