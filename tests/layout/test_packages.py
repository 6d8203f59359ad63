#!/usr/bin/env python3
"""cmake/packages.sh on systems that are made of a few scripts: what it names, and what it asks for."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).parents[2] / "cmake/packages.sh"
TOOLS = ("sh", "awk", "dirname", "tr", "env", "cat")


class Packages(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gearshift-packages-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for tool in TOOLS:
            (self.folder / tool).symlink_to(shutil.which(tool))

    def command(self, name, script):
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def debian(self, offered, installed=()):
        """A Debian on which we are not root. `offered`: what apt's lists have."""
        self.command("apt-get", "echo 'apt-get was run' >&2; exit 1")
        self.command("id", "echo 1000")
        self.command("apt-cache", f'case " {" ".join(offered)} " in *" $2 "*) echo "$2 | 1.0" ;; esac')
        # Its last argument is the name.
        self.command("dpkg-query", 'for name; do :; done\n'
                     f'case " {" ".join(installed)} " in *" $name "*) echo installed ;; *) exit 1 ;; esac')

    def run_script(self, *groups):
        done = subprocess.run([SCRIPT, *groups], env={"PATH": str(self.folder)}, text=True,
                              capture_output=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def names(self, text, command):
        line = next(line for line in text.splitlines() if line.strip().startswith(command))
        return line.split()

    def test_other_systems_are_told_their_own_names_and_go_on(self):
        for manager, query, command, wanted in (
                ("dnf", "rpm", "dnf install", "liburing-devel"),
                ("pacman", "pacman", "pacman -S", "liburing"),
                ("apk", "apk", "apk add", "liburing-dev")):
            with self.subTest(manager):
                for name in (manager, query):
                    self.command(name, "exit 1")
                status, text = self.run_script("build")
                self.assertEqual(status, 0, text)
                self.assertIn(wanted, self.names(text, command))
                self.assertNotIn("-", self.names(text, command))
                self.command(query, "exit 0")
                self.assertEqual(self.run_script("build"), (0, ""))
                for name in {manager, query}:
                    os.remove(self.folder / name)

    def test_an_unknown_system_is_told_where_the_list_is(self):
        status, text = self.run_script("build")
        self.assertEqual(status, 0)
        self.assertIn("packages.txt", text)

    def test_debian_is_told_the_choice_that_its_release_has(self):
        for offered, wanted, other in (
                (("gcc", "node-llhttp"), "node-llhttp", "libllhttp-dev"),
                (("gcc", "node-llhttp", "libllhttp-dev"), "libllhttp-dev", "node-llhttp")):
            with self.subTest(wanted):
                self.debian(offered)
                status, text = self.run_script("build")
                self.assertEqual(status, 1)
                self.assertIn(wanted, self.names(text, "sudo apt-get install"))
                self.assertNotIn(other, text)

    def test_what_does_not_serve_there_does_not_count(self):
        """Debian 13 has a node-llhttp, without sources."""
        self.debian(("gcc", "node-llhttp", "libllhttp-dev"), ("node-llhttp",))
        self.assertIn("libllhttp-dev", self.run_script("build")[1])

    def test_without_lists_it_asks_for_them(self):
        self.debian(())
        status, text = self.run_script("build")
        self.assertEqual(status, 1)
        self.assertIn("sudo apt-get update", text)
        self.assertNotIn("apt-get install", text)

    def test_all_there_is_silence(self):
        names = [line.split()[1] for line in (SCRIPT.parents[1] / "packages.txt").read_text()
                 .splitlines() if line.startswith("build")]
        names = [name for entry in names for name in entry.split("|")]
        self.debian(names, names)
        self.assertEqual(self.run_script("build"), (0, ""))

    def test_known(self):
        self.debian(("python3", "openssl"))
        self.assertEqual(self.run_script("--known", "test"),
                         (1, "packages.txt: this release has no libcmocka-dev\n"))
        self.debian(("python3", "openssl", "libcmocka-dev"))
        self.assertEqual(self.run_script("--known", "test"), (0, ""))


if __name__ == "__main__":
    unittest.main()
