"""Hugo: folders with index.html, a feed, sidecars made beforehand, and a page for what is missing in each language."""

from sites import ask

FILES = {
    "index.html": "home" * 300,
    "index.html.gz": "gzipped",
    "index.xml": "<rss/>",
    "posts/first/index.html": "first",
    "posts/first/photo.jpg": b"\xff\xd8",
    "fr/index.html": "accueil",
    "fr/404.html": "introuvable",
    "404.html": "missing",
    "css/style.css": "p{}",
    ".git/config": "[core]",
}

ASKS = [
    ask("/", 200, "home" * 300, fields={"Vary": "Accept-Encoding", "Content-Encoding": None},
        differs={"caddy": "Vary is there with the coding alone: a shared cache may hand the plain page to everybody"}),
    ask("/", 200, "gzipped", sends={"Accept-Encoding": "gzip, br"}, fields={"Content-Encoding": "gzip"}),
    ask("/posts/first/", 200, "first"),
    ask("/posts/first/photo.jpg", 200, fields={"Content-Type": "image/jpeg"}),
    ask("/posts/first/photo.jpg", 206, sends={"Range": "bytes=0-0"}, fields={"Content-Range": "bytes 0-0/2"}),
    ask("/index.xml", 200, "<rss/>", fields={"Content-Type": "application/rss+xml"}),
    ask("/fr/", 200, "accueil"),
    ask("/fr/rien", 404, "introuvable"),
    ask("/none", 404, "missing"),
    ask("/.git/config", 404, "missing"),
    ask("/feed", 301, fields={"Location": "/index.xml"}),
    ask("/posts/first/", 304, sends={"If-Modified-Since": "Tue, 14 Nov 2023 22:13:20 GMT"}),
    ask("/posts/first/", 405, method="POST", sends={"Content-Length": "0"}),
    ask("/posts/first/", 200, method="HEAD", fields={"Content-Length": "5"}),
]
