#!/usr/bin/python3
"""A storage that does not answer any more, and the supervisor: a reload that would look at it is refused, and a
drain ends, though a worker that waits there cannot be killed."""

import os
import sys
import unittest

from supervised import WAIT_S, Supervised

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../wire"))
from wire import fuse  # pylint: disable=wrong-import-position

ASKS = b"GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n"


class Storage(Supervised):
    def setUp(self):
        super().setUp()
        try:
            self.storage = fuse.site_or_skip()
        except SystemExit:
            self.skipTest("no FUSE can be mounted here")
        self.addCleanup(self.storage.let_go)
        self.storage.write("a.txt", "far")

    def ask(self, server, path):
        connection = server.connect()
        self.addCleanup(connection.close)
        connection.settimeout(30)
        connection.sendall(ASKS % path)
        return connection

    def test_reload_and_drain(self):
        server = self.supervise(
            text="drain_timeout = 1s\n",
            server=f'location "/far/" {{ alias = "{self.storage.path}/" }}\n')
        self.assertIn(b"far", self.ask(server, b"/far/a.txt").makefile("rb").read())
        self.storage.hold("lookup", "getattr", "open", "read")
        self.ask(server, b"/far/b.txt")
        self.assertTrue(self.storage.wait_until_held())
        status, _, err = self.order("reload")
        self.assertEqual(status, 78, err)
        self.assertIn("does not answer", err)
        self.assertIn(b" 404 ", self.ask(server, b"/none").makefile("rb").read())
        status, _, err = self.order("drain")
        self.assertEqual(status, 0, err)
        self.storage.let_go()
        self.assertEqual(server.process.wait(WAIT_S), 0)
        with open(server.stderr_path, encoding="utf-8") as file:
            self.assertIn("the server goes on without it", file.read())


if __name__ == "__main__":
    unittest.main()
