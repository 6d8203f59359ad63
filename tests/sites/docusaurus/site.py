"""Docusaurus beneath a base path, with trailing slashes, old links moved by a list of regular expressions."""

import re

from sites import ask

FILES = {
    "index.html": "landing",
    "404.html": "lost",
    "docs/intro/index.html": "intro",
    "docs/guides/install/index.html": "install",
    "assets/js/main.5d41.js": "main()",
    "assets/css/styles.7d79.css": "a{}",
    "img/logo.svg": "<svg/>",
    "sitemap.xml": "<urlset/>",
}

YEAR = {"Cache-Control": "max-age=31536000"}

ASKS = [
    ask("/", 200, "landing"),
    ask("/docs/intro/", 200, "intro"),
    ask("/docs/intro", 301, fields={"Location": "/docs/intro/"}, differs={"caddy": "308: for Caddy a folder has moved so that a form is sent again"}),
    ask("/docs/guides/install/", 200, "install", fields={"Cache-Control": None}),
    ask("/docs/1.2/install.html", 301, fields={"Location": "/docs/guides/install/"}),
    ask("/docs/1.10/install.html?x=1", 301, fields={"Location": "/docs/guides/install/?x=1"},
        differs={"caddy": "a query that may be there or not is two rules for Caddy; this file has one"}),
    ask("/docs/x/install.html", 404, "lost"),
    ask("/wiki/Intro", 302, fields={"Location": "/docs/Intro/"}),
    ask("/assets/js/main.5d41.js", 200, "main()", fields=YEAR),
    ask("/assets/css/styles.7d79.css", 200, fields=YEAR),
    ask("/img/logo.svg", 200, "<svg/>", fields={"Content-Type": "image/svg+xml", "Cache-Control": "max-age=604800"}),
    ask("/robots.txt", 200, "User-agent: *\nDisallow: /wiki/\n", fields={"Content-Type": re.compile("^text/plain")}),
    ask("/sitemap.xml", 200, "<urlset/>"),
    ask("/docs/", 404, "lost", differs={"nginx": "403: nginx refuses to list; we have nothing to show"}),
]
