"""Nodes of a farm (operations.md "A farm"): over one shared tree, and over a copy of it, whatever the engine,
each answers with the same octets. Only Date differs, and
the boundary of several ranges, which no file may know beforehand."""

import os
import re
import shutil
import unittest

from command import Command

MTIME_NS = 1704164645_123456789
FIELDS = "Host: localhost\r\nConnection: close\r\n"
CODINGS = "Accept-Encoding: gzip, br, zstd\r\n"

QUESTIONS = [("GET", "/", ""), ("HEAD", "/", ""), ("GET", "/text.html", ""), ("GET", "/text.html", CODINGS),
             ("HEAD", "/large.bin", ""), ("GET", "/large.bin", "Range: bytes=10-20\r\n"),
             ("GET", "/large.bin", "Range: bytes=-7\r\n"), ("GET", "/large.bin", "Range: bytes=0-1,9-12,-1\r\n"),
             ("GET", "/large.bin", "Range: bytes=9999999-\r\n"), ("GET", "/sub", ""), ("GET", "/none", ""),
             ("GET", "/script.js", CODINGS), ("GET", "/sub/", "Accept: application/json\r\n"), ("GET", "/sub/", CODINGS),
             ("GET", "/sub/?sort=size&order=desc", ""), ("GET", "/sub/?sort=mtime", ""), ("GET", "/sub/?archive=tar", ""),
             ("GET", "/sub/?archive=tar", "Range: bytes=512-700\r\n"), ("GET", "/sub/?archive=zip", ""),
             ("OPTIONS", "/text.html", ""), ("POST", "/text.html", ""), ("GET", "/%00", ""),
             ("GET", "/text.html", "If-None-Match: *\r\n"), ("GET", "/health", "")]


class TestNodes(Command):
    def fill(self, top, names):
        """The same files, made in the order of `names`: other inodes, and another order in the folder."""
        for name in names:
            path = os.path.join(top, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"<p>{name}</p>\n" * (200 if name != "large.bin" else 20000))
            os.utime(path, ns=(MTIME_NS, MTIME_NS + len(name) * 10**9))
        os.utime(os.path.join(top, "sub"), ns=(MTIME_NS, MTIME_NS))
        os.utime(top, ns=(MTIME_NS, MTIME_NS))

    def node(self, root, engine, name):
        config = self.write(f"{name}.conf", f"""
            engine = {engine}
            node = "{name}"
            server "localhost" {{
                listen = {{"127.0.0.1:0"}}
                root = "{root}"
                health = /health
                autoindex = on
                archive = {{"tar", "zip"}}
                compress = {{"zstd", "br", "gzip"}}
                precompressed = {{"zstd", "br", "gzip"}}
                headers = {{"Cache-Control: max-age=60", "X-Content-Type-Options: nosniff"}}
            }}
        """)
        return self.serve("-c", config)

    def ask(self, server, method, target, fields):
        """The answer as it came, but for what must differ."""
        with server.connect() as connection:
            connection.sendall(f"{method} {target} HTTP/1.1\r\n{FIELDS}{fields}\r\n".encode())
            octets = connection.makefile("rb").read()
        boundary = re.search(rb"boundary=(\w+)", octets)
        if boundary:
            octets = octets.replace(boundary[1], b"BOUNDARY")
        head, _, body = octets.partition(b"\r\n\r\n")
        return re.sub(rb"\r\nDate: [^\r]*", b"", head), body

    def test_answers_are_the_same_byte_for_byte(self):
        names = ["index.html", "text.html", "large.bin", "script.js", "script.js.gz"]
        names += [f"sub/{number:03}.txt" for number in range(40)]
        copy = self.path("copy")
        shutil.rmtree(self.site)
        self.fill(self.site, names)
        self.fill(copy, names[::-1])
        nodes = [self.node(self.site, "reactor", "a"), self.node(self.site, "thread-per-connection", "b"),
                 self.node(copy, "multi-reactor", "c")]
        for question in QUESTIONS:
            with self.subTest(question=question):
                first, *others = [self.ask(node, *question) for node in nodes]
                self.assertTrue(first[0].startswith(b"HTTP/1.1 "), first)
                for other in others:
                    self.assertEqual(first, other)


if __name__ == "__main__":
    unittest.main()
