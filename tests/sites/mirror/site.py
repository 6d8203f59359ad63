"""A mirror of Debian: a listed tree of packages and signed lists; by-hash never changes, lists are asked for anew; a mirror
of this mirror may not take more than its share."""

from sites import ask

FILES = {
    "debian/dists/bookworm/InRelease": "-----BEGIN PGP",
    "debian/dists/bookworm/Release.gpg": "sig",
    "debian/dists/stable": ("->", "bookworm"),
    "debian/dists/bookworm/main/binary-amd64/Packages.xz": "xz",
    "debian/dists/bookworm/main/binary-amd64/by-hash/SHA256/0a1b": "xz",
    "debian/pool/main/h/hello/hello_2.10-3+b1_amd64.deb": "!<arch>",
    "debian/pool/main/h/hello/hello_2.10~rc1.orig.tar.gz": "gz",
    "debian/project/trace/mirror.example.org": "now",
    "robots.txt": "User-agent: *\nDisallow: /debian/pool/\n",
}

NOT_MIGRATED = ["limit_conn: differs"]  # it is for the whole server here

ASKS = [
    ask("/debian/", 200, "...dists/"),
    ask("/debian/dists/bookworm/InRelease", 200, "-----BEGIN PGP", fields={"Cache-Control": "max-age=120"}),
    ask("/debian/dists/stable/InRelease", 200, "-----BEGIN PGP"),
    ask("/debian/dists/bookworm/InRelease", 304, sends={"If-Modified-Since": "Tue, 14 Nov 2023 22:13:20 GMT"}),
    ask("/debian/dists/bookworm/main/binary-amd64/by-hash/SHA256/0a1b", 200, "xz",
        fields={"Cache-Control": "max-age=31536000"}),
    ask("/debian/dists/bookworm/main/binary-amd64/Packages.xz", 200, "xz", fields={"Content-Encoding": None}),
    ask("/debian/pool/main/h/hello/hello_2.10-3+b1_amd64.deb", 200, "!<arch>",
        fields={"Content-Type": "application/vnd.debian.binary-package", "Cache-Control": "max-age=2592000"}),
    ask("/debian/pool/main/h/hello/hello_2.10-3%2bb1_amd64.deb", 200, "!<arch>"),
    ask("/debian/pool/main/h/hello/hello_2.10~rc1.orig.tar.gz", 200, "gz", fields={"Content-Encoding": None}),
    ask("/debian/pool/main/h/hello/hello_2.10%7erc1.orig.tar.gz", 206, "z", sends={"Range": "bytes=1-"}),
    ask("/debian/project/trace/mirror.example.org", 200, "now", fields={"Content-Type": "text/plain"}),
    ask("/", 302, fields={"Location": "/debian/"}),
    ask("/debian/pool/none.deb", 404),
]
