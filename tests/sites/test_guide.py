#!/usr/bin/env python3
"""docs/migrating.md: its table of nginx's directives is that of gearshift-migrate, every key that it names is one, and what
it writes as server.conf is taken by gearshift -t. docs/sites.md is made of the sites. With --write both are renewed."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
sys.path[:0] = [os.path.join(TOP, "migrate"), os.path.dirname(os.path.abspath(__file__))]
import page  # noqa: E402  (found by the line above)
from gearshift_migrate import nginx_directives as directives  # noqa: E402  (found by the line above)

GUIDE = os.path.join(TOP, "docs/migrating.md")
BEGIN, END = "<!-- begin: tests/sites/test_guide.py --write -->\n", "<!-- end -->\n"
BLOCKS = {"map", "server", "location", "cache", "redirect", "auth"}
# Words in `code` on the right-hand side that are no keys: values, words of listen, programs, and nginx's own.
WORDS = {"tls", "proxy_protocol", "http2", "quic", "ssl", "off", "auto", "json", "gearshift", "if", "always", "try_files", "add_header", "hostnames"}


def text_of(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def keys():
    source = text_of("config/config_keys.c")
    table = source[source.index("static const struct config_key keys[]"):]
    return set(re.findall(r'^ +\{ "([a-z_0-9]+)"', table[:table.index("\n};")], re.MULTILINE))


def rows():
    """(left, right) of all tables of two columns."""
    for line in text_of("docs/migrating.md").splitlines():
        cells = re.split(r"(?<!\\) \| ", line.strip("| "))
        if line.startswith("| ") and len(cells) == 2:
            yield cells


class Guide(unittest.TestCase):
    def test_the_table_of_nginx_is_that_of_the_program(self):
        text = text_of("docs/migrating.md")
        self.assertEqual(text[text.index(BEGIN) + len(BEGIN):text.index(END)], directives.table(),
                         "python3 tests/sites/test_guide.py --write renews it")

    def test_the_page_of_sites_is_made_of_them(self):
        self.assertEqual(text_of("docs/sites.md"), page.text(), "python3 tests/sites/test_guide.py --write renews it")
        folders = {name for name in os.listdir(page.HERE) if os.path.exists(os.path.join(page.HERE, name, "site.py"))}
        self.assertEqual(folders, {name for name, _ in page.ORDER})

    def test_every_key_is_one(self):
        known, seen = keys(), 0
        for left, right in rows():
            for code in re.findall(r"`([^`]+)`", right):
                word = re.match(r"[a-z][a-z0-9_]*(?=$| [=\"~{]| )", code)
                if word is None or word[0] in WORDS | BLOCKS:
                    continue
                seen += 1
                # What the right-hand side tells about nginx's own directives is theirs.
                if word[0] not in known and word[0] not in directives.ALL:
                    self.fail(f"{left}: there is no key {word[0]}")
        self.assertGreater(seen, 250)

    def test_what_can_be_said_names_a_key(self):
        """What is said by a setting names it, but for what is only a frame."""
        known = keys() | BLOCKS | WORDS
        frames = {"events", "include", "http", "if", "limit_req_zone", "limit_conn_zone", "map", "rewrite"}
        for name, (_, kind, text) in directives.ALL.items():
            if kind == directives.SAID and name not in frames:
                words = {re.match(r"\"?([a-z0-9_]*)", code)[1] for code in re.findall(r"`([^`]+)`", text)}
                self.assertTrue(words & known, f"{name}: {text}")

    def test_it_is_linked(self):
        for path in ("README.md", "docs/server.conf.md"):
            self.assertIn("migrating.md", text_of(path), path)

    def test_keys_of_examples_are_taken(self):
        """Each `key = value` of the right-hand sides and of the section By hand."""
        binary = os.environ.get("GEARSHIFT", os.path.join(TOP, "build/gcc/gearshift"))
        text = text_of("docs/migrating.md")
        found = re.findall(r"`((?:location|redirect|try|return|satisfy|dotfiles|symlinks|autoindex|cache) ?[~={\"][^`]*)`", text)
        self.assertGreater(len(found), 15)
        for example in found:
            if "..." in example or "NAME" in example or (example.startswith("location") and "{ " not in example):
                continue
            with self.subTest(example), tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "server.conf")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(f'server "a.example" {{\n listen = "127.0.0.1:18080"\n root = "."\n {example}\n}}\n')
                done = subprocess.run([binary, "-t", "-c", path], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)


def write():
    text = text_of("docs/migrating.md")
    text = text[:text.index(BEGIN) + len(BEGIN)] + directives.table() + text[text.index(END):]
    with open(GUIDE, "w", encoding="utf-8") as file:
        file.write(text)
    with open(os.path.join(TOP, "docs/sites.md"), "w", encoding="utf-8") as file:
        file.write(page.text())


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        unittest.main()
