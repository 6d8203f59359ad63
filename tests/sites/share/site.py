"""A file share within a company: everything listed, only for its networks, names of every kind, nothing hidden, nothing kept
by anybody."""

from sites import ask

FILES = {
    "README.txt": "share",
    "Café/menü.txt": "soup",
    "name with spaces.txt": "spaces",
    "100%.txt": "percent",
    "a&b=c?.txt": "signs",
    "[draft] notes #1.txt": "notes",
    "deep/er/est/file.bin": 5000,
    ".hidden/file.txt": "hidden",
    "Thumbs.db": "junk",
}
PRIVATE = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"}

ASKS = [
    ask("/", 200, "...Caf%C3%A9/", fields=PRIVATE),
    ask("/", 200, "...name%20with%20spaces.txt"),
    ask("/", 200, "...100%25.txt"),
    ask("/Caf%C3%A9/men%C3%BC.txt", 200, "soup", fields={"Content-Type": "text/plain; charset=utf-8", **PRIVATE}),
    ask("/name%20with%20spaces.txt", 200, "spaces"),
    ask("/100%25.txt", 200, "percent"),
    ask("/a&b=c%3F.txt", 200, "signs"),
    ask("/[draft]%20notes%20%231.txt", 200, "notes"),
    ask("/deep/er/est/file.bin", 200),
    ask("/.hidden/file.txt", 404),
    ask("/Thumbs.db", 404),
    ask("/Caf%C3%A9", 301, fields={"Location": "/Caf%C3%A9/"}, differs={"caddy": "308, and %c3 for %C3: the same path"}),
    ask("/%E2%82", 404),
]
