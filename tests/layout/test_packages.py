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

    def apt_get(self, script):
        """A Debian of ours, whose apt-get is `script`, in which "calls" has a line for each time."""
        self.debian(())
        self.command("sleep", "exit 0")
        calls = self.folder / "calls"
        calls.write_text("")
        self.command("apt-get", f'echo "$*" >>{calls}\n'
                                f'times=$(($(grep -c . {calls})))\n{script}')
        (self.folder / "grep").symlink_to(shutil.which("grep"))
        return calls

    def test_it_waits_for_another_apt(self):
        """The lock of dpkg, of the lists, of the archives: the same sentence."""
        calls = self.apt_get('if [ $times -lt 4 ]; then echo "E: Could not get lock /var/lib/apt/lists/lock. '
                             'It is held by process 7 (apt-get)" >&2; exit 100; fi; echo fetched')
        status, text = self.run_script("--update")
        self.assertEqual(status, 0, text)
        self.assertEqual(calls.read_text().splitlines(), ["update -qq"] * 4)
        self.assertEqual(text.count("waiting for it"), 1, text)
        self.assertIn("process 7 (apt-get)", text)
        self.assertIn("fetched", text)

    def test_it_does_not_wait_for_ever(self):
        self.apt_get('echo "E: Could not get lock /var/lib/dpkg/lock-frontend." >&2; exit 100')
        status, text = self.run_script("--update")
        self.assertEqual(status, 100, text)
        self.assertIn("E: Could not get lock /var/lib/dpkg/lock-frontend.", text.splitlines()[-1])

    def test_other_faults_of_apt_end_it_at_once(self):
        calls = self.apt_get('echo "E: Failed to fetch" >&2; exit 100')
        status, text = self.run_script("--update")
        self.assertEqual((status, text), (100, "E: Failed to fetch\n"))
        self.assertEqual(len(calls.read_text().splitlines()), 1)

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
