#!/usr/bin/env python3
"""test_layout.py: layout.py accepts a good tree, and finds each breach put into it."""

import pathlib
import tempfile
import unittest

import layout


def header(name, body=""):
    guard = name.replace("/", "_").replace(".", "_").upper()
    base = name.rpartition("/")[2]
    return f"/* {base}: x. */\n#ifndef {guard}\n#define {guard}\n{body}\n#endif\n"


def source(name, body=""):
    base = name.rpartition("/")[2]
    return f"/* {base}: x. */\n{body}\n"


GOOD = {
    "core/list.h": header("core/list.h", "#include <assert.h>\nstatic_assert(1, \"a\");"),
    "config/config.c": source("config/config.c", "#include <glob.h>"),
    "http/conn.h": header("http/conn.h", '#include "core/list.h"'),
    "http/request.c": source(
        "http/request.c",
        '#include "http/conn.h"\n#include <llhttp.h>\n'
        "/* strcpy(a, b); is what\n#include <sys/socket.h>\nwould say */\n"
        'const char *text = "sprintf(";\nint snprintf_like(void) { return ops->send(1); }',
    ),
    "tls/tls.h": header("tls/tls.h", '#include "core/list.h"'),
    "tls/tls_openssl.c": source("tls/tls_openssl.c", "#include <openssl/ssl.h>"),
    "session/session.h": header("session/session.h"),
    "session/session_tls.h": header("session/session_tls.h"),
    "engines/engine.h": header("engines/engine.h"),
    "engines/reactor/loop.h": header("engines/reactor/loop.h"),
    "config/config.h": header("config/config.h"),
    "session/session.c": source(
        "session/session.c", '#include "http/conn.h"\n#include "tls/tls.h"'
    ),
    "process/doctor_tls.c": source("process/doctor_tls.c", '#include "tls/tls.h"'),
    "engines/reactor/demultiplexer_epoll.c": source(
        "engines/reactor/demultiplexer_epoll.c", "#include <sys/epoll.h>"
    ),
    "engines/reactor/loop.c": source(
        "engines/reactor/loop.c", '#include "session/session.h"\nint a = recv(1);'
    ),
    "main.c": source("main.c", '#include "engines/engine.h"'),
}

# (file put in place, its text, what must be said)
BREACHES = [
    ("core/a.c", '#include "http/conn.h"', "core/ does not know http/"),
    ("core/a.c", '#include "session/session.h"', "core/ does not know session/"),
    ("http/a.c", '#include "tls/tls.h"', "http/ does not know tls/"),
    ("http/a.c", '#include "session/session.h"', "http/ does not know session/"),
    ("tls/a.c", '#include "http/conn.h"', "tls/ does not know http/"),
    ("tls/a.c", '#  include "session/session.h"', "tls/ does not know session/"),
    ("engines/reactor/reactor.c", '#include "http/conn.h"', "engines/reactor/ does not know http/"),
    ("engines/reactor/loop.c", '#include "tls/tls.h"', "engines/reactor/ does not know tls/"),
    ("engines/proactor/a.c", '#include "engines/reactor/loop.h"', "does not know engines/reactor/"),
    ("engines/a.c", '#include "engines/reactor/loop.h"', "engines/ does not know engines/reactor/"),
    ("engines/a.c", '#include "session/session_tls.h"', "is not for those outside session/"),
    ("session/a.c", '#include "engines/engine.h"', "session/ does not know engines/"),
    ("process/doctor.c", '#include "http/conn.h"', "process/ does not know http/"),
    ("core/a.c", '#include "config/config.h"', "core/ does not know config/"),
    ("http/a.c", "#include <sys/socket.h>", "sees <sys/socket.h> (through http/a.c)"),
    ("http/a.c", "#include <netinet/tcp.h>", "sees <netinet/tcp.h>"),
    ("core/list.h", "#include <poll.h>", "http/conn.h:1: sees <poll.h> (through core/list.h)"),
    ("session/session.c", "#include <arpa/inet.h>", "sees <arpa/inet.h>"),
    ("tls/a.c", "#include <liburing.h>", "<liburing.h> is not for this file"),
    ("http/conn.c", "#include <llhttp.h>", "<llhttp.h> is not for this file"),
    ("main.c", "#include <llhttp.h>", "<llhttp.h> is not for this file"),
    ("engines/a.c", "#include <openssl/ssl.h>", "<openssl/ssl.h> is not for this file"),
    ("engines/reactor/loop.c", "#include <sys/epoll.h>", "<sys/epoll.h> is not for this file"),
    ("engines/listen.c", "#include <sys/epoll.h>", "<sys/epoll.h> is not for this file"),
    ("core/a.c", "#include <core/list.h>", "<core/list.h> is ours: quote it"),
    ("core/a.c", '#include "list.h"', '"list.h" is no file'),
    ("core/a.c", '#include "config/config.c"', "only tests include a .c file"),
    ("http/deep/a.c", '#include "core/list.h"', "http/deep/ is no folder of the tree"),
    ("core/a.c", "\nint x = strcpy(a, b);", "core/a.c:3: strcpy()"),
    ("core/a.c", "int x = sprintf (a, b);", "sprintf()"),
    ("core/a.c", "int x = strncpy(a, b, 1);", "strncpy()"),
    ("core/a.c", "int x = atoi(a);", "atoi()"),
    ("core/a.c", "int x = localtime(a);", "localtime()"),
    ("core/a.c", "int x = assert(a);", "assert()"),
    ("http/a.c", "int x = mmap(a);", "mmap()"),
    ("core/a.c", "int x = chmod(a, 0666);", "chmod()"),
    ("engines/listen.c", "int x = unlink(a);", "unlink()"),
    ("http/mime.c", "int x = fopen(a);", "fopen()"),
    ("core/log.c", "int x = open(a);", "open()"),
    ("http/a.c", "int x = recv(a);", "recv()"),
    ("session/session.c", "int x = sendfile(a);", "sendfile()"),
    ("engines/reactor/loop.c", "int x = openat2(a);", "openat2()"),
    ("core/a.c", "typedef struct a a_t;", "no typedef of a struct"),
    ("core/a.c", "/* TO" + "DO: later */", "do it or drop it"),
    ("core/a.c", "\n" * 600, "more than 600 lines"),
    ("tests/unit/test_a.c", "\n" * 700, "more than 600 lines"),
]

# The same, with the whole text given.
BREACHES_WHOLE = [
    ("core/a.h", "/* a.h: x. */\nint a;\n", "has no include guard CORE_A_H"),
    ("core/a.h", header("http/a.h"), "has no include guard CORE_A_H"),
    ("core/a.c", "int a;\n", 'does not begin with "/* a.c: what it is"'),
    ("core/list.h", header("core/list.h", '#include "core/list.h"'), "include cycle"),
]


def check(files):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return layout.Checker(root).check()


class TestLayout(unittest.TestCase):
    def test_a_good_tree_passes(self):
        self.assertEqual(check(GOOD), [])

    def test_an_empty_tree_fails(self):
        self.assertIn("no source file found", check({})[0])

    def test_each_breach_is_found(self):
        cases = [
            (name, (header if name.endswith(".h") else source)(name, body), what)
            for name, body, what in BREACHES
        ]
        for name, text, what in cases + BREACHES_WHOLE:
            with self.subTest(name=name, what=what):
                breaches = check({**GOOD, name: text})
                self.assertTrue(any(what in breach for breach in breaches), breaches)

    def test_a_cycle_of_two_is_found(self):
        files = {
            "core/a.h": header("core/a.h", '#include "core/b.h"'),
            "core/b.h": header("core/b.h", '#include "core/a.h"'),
        }
        self.assertIn("core/a.h -> core/b.h -> core/a.h", check(files)[0])


if __name__ == "__main__":
    unittest.main()
