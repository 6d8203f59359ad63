#!/usr/bin/python3
"""Probes for bpftrace (core/probe.h) are notes in the binary: all that docs/status.md names, or none."""

import os
import re
import shutil
import subprocess
import unittest

from command import BINARY, Command

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/status.md")


class Probes(Command):
    def setUp(self):
        super().setUp()
        if not shutil.which("readelf"):
            self.skipTest("no readelf (Debian package binutils)")

    def test_the_binary_has_those_of_the_docs_or_none(self):
        with open(DOCS, encoding="utf-8") as file:
            named = set(re.findall(r"^\| `(\w+__\w+)`", file.read(), re.MULTILINE))
        self.assertGreaterEqual(len(named), 8)
        notes = subprocess.run(["readelf", "-n", BINARY], capture_output=True, text=True,
                               env={**os.environ, "LC_ALL": "C"}, check=True).stdout
        found = set(re.findall(r"Provider: gearshift\s+Name: (\w+)", notes))
        status, out, _ = self.run_command("-V")
        self.assertEqual(status, 0)
        self.assertRegex(out, r"(?m)^probes: +(USDT|none)$")
        self.assertEqual(found, named if "USDT" in out else set())


if __name__ == "__main__":
    unittest.main()
