#!/usr/bin/env python3
"""install.py CMAKE BUILD: an installation is whole, and the server in it serves the site.

Installs twice: below a prefix, from where it is started with its own server.conf, and below
DESTDIR, as packages are made.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request

CMAKE, BUILD = sys.argv[1:3]
START_S = 20

FILES = (
    "sbin/gearshift",
    "etc/gearshift/server.conf",
    "share/man/man8/gearshift.8",
    "share/man/man5/server.conf.5",
    "share/gearshift/www/index.html",
    "share/gearshift/www/docs/index.html",
    "share/gearshift/www/404.html",
    "share/doc/gearshift/README.md",
    "share/doc/gearshift/LICENSE",
    "share/doc/gearshift/architecture.md",
    "bin/gearshift-compare",
    "share/man/man1/gearshift-compare.1",
    "share/gearshift/bench/gearshift_compare/main.py",
    "share/gearshift/bench/gearshift_compare/assets/vendor/plot.min.js",
    "share/gearshift/bench/peers/servers.json",
)


def install(*arguments, destdir=None):
    environment = {k: v for k, v in os.environ.items() if k != "DESTDIR"}
    if destdir:
        environment["DESTDIR"] = str(destdir)
    done = subprocess.run(
        [CMAKE, "--install", BUILD, *arguments],
        env=environment, text=True, capture_output=True, check=False,
    )
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)


class TestInstall(unittest.TestCase):
    def setUp(self):
        # Read by the user whom the server becomes when root runs this test.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gearshift-install-"))
        self.folder.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.folder)

    def conf(self, text):
        """The installed server.conf with its port replaced by any that is free."""
        text, count = re.subn(r"127\.0\.0\.1:8080", "127.0.0.1:0", text)
        self.assertEqual(count, 1, "the shipped server.conf listens on 127.0.0.1:8080")
        path = self.folder / "any-port.conf"
        path.write_text(text)
        return path

    def test_below_a_prefix_it_serves_the_site(self):
        prefix = self.folder / "prefix"
        install("--prefix", prefix)
        for name in FILES:
            self.assertTrue((prefix / name).is_file(), name)

        conf = (prefix / "etc/gearshift/server.conf").read_text()
        self.assertIn(f'root = "{prefix}/share/gearshift/www"', conf)
        server = subprocess.Popen(
            [prefix / "sbin/gearshift", "-c", self.conf(conf)],
            stdout=subprocess.PIPE, text=True,
        )
        with server:
            try:
                address = re.search(r"http://[0-9.:]+/", server.stdout.readline())[0]
                with urllib.request.urlopen(address, timeout=START_S) as answer:
                    body = answer.read()
                    timing = answer.headers["Server-Timing"]
            finally:
                server.terminate()
        self.assertEqual(server.returncode, 0)
        self.assertEqual(body, (prefix / "share/gearshift/www/index.html").read_bytes())
        self.assertRegex(timing, r'engine;\s*desc="?reactor"?')

    def test_the_comparison_finds_its_package_and_the_server(self):
        prefix = self.folder / "prefix"
        install("--prefix", prefix)
        done = subprocess.run([prefix / "bin/gearshift-compare", "--help"], text=True,
                              stdout=subprocess.PIPE, check=True)
        self.assertIn(f"({prefix}/sbin/gearshift)", re.sub(r"\s+", "", done.stdout))

    def test_a_server_conf_that_is_there_is_kept(self):
        prefix = self.folder / "prefix"
        conf = prefix / "etc/gearshift/server.conf"
        conf.parent.mkdir(parents=True)
        conf.write_text("# mine\n")
        install("--prefix", prefix)
        self.assertEqual(conf.read_text(), "# mine\n")

    def test_below_destdir_paths_are_those_of_the_target(self):
        destdir = self.folder / "stage"
        install("--prefix", "/usr", destdir=destdir)
        self.assertTrue((destdir / "usr/sbin/gearshift").is_file())
        self.assertFalse((destdir / "usr/etc").exists())
        conf = (destdir / "etc/gearshift/server.conf").read_text()
        self.assertIn('root = "/usr/share/gearshift/www"', conf)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
