#!/usr/bin/env python3
"""install.py CMAKE BUILD: an installation is whole, the server in it serves the site, and it can be
removed again.

Installs below a prefix, from where it is started with its own server.conf, and below DESTDIR, as
packages are made.
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
UNINSTALL = pathlib.Path(__file__).parents[2] / "cmake/Uninstall.cmake"
START_S = 20

FILES = (
    "bin/gearshift",
    "etc/gearshift/server.conf",
    "etc/logrotate.d/gearshift",
    "lib/systemd/system/gearshift.service",
    "lib/sysusers.d/gearshift.conf",
    "lib/tmpfiles.d/gearshift.conf",
    "share/bash-completion/completions/gearshift",
    "share/fish/vendor_completions.d/gearshift.fish",
    "share/zsh/site-functions/_gearshift",
    "share/man/man8/gearshift.8",
    "share/man/man5/server.conf.5",
    "share/gearshift/www/index.html",
    "share/gearshift/www/docs/index.html",
    "share/gearshift/www/404.html",
    "share/doc/gearshift/README.md",
    "share/doc/gearshift/LICENSE",
    "share/doc/gearshift/architecture.md",
    "bin/gearshift-capacity",
    "share/man/man1/gearshift-capacity.1",
    "share/gearshift/deploy/README.md",
    "share/gearshift/deploy/haproxy/haproxy.cfg",
    "share/gearshift/deploy/kubernetes/gearshift.yaml",
    "bin/gearshift-compare",
    "bin/gearshift-load",
    "share/man/man1/gearshift-load.1",
    "share/man/man1/gearshift-compare.1",
    "share/gearshift/bench/gearshift_compare/main.py",
    "share/gearshift/bench/gearshift_compare/assets/vendor/plot.min.js",
    "share/gearshift/bench/peers/servers.json",
    "bin/gearshift-trace",
    "share/man/man1/gearshift-trace.1",
    "share/gearshift/bench/gearshift_trace/main.py",
    "bin/gearshift-migrate",
    "share/man/man1/gearshift-migrate.1",
    "share/gearshift/migrate/gearshift_migrate/main.py",
)


def cmake(*arguments, destdir=None):
    """Runs cmake so; what it printed."""
    environment = {k: v for k, v in os.environ.items() if k != "DESTDIR"}
    if destdir:
        environment["DESTDIR"] = str(destdir)
    done = subprocess.run(
        [CMAKE, *arguments], env=environment, text=True, capture_output=True, check=False,
    )
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout


def install(*arguments, destdir=None):
    cmake("--install", BUILD, *arguments, destdir=destdir)


def uninstall(destdir=None):
    return cmake("-P", UNINSTALL, BUILD, destdir=destdir)


def restore(path, data):
    if data is None:
        path.unlink(missing_ok=True)
    else:
        path.write_bytes(data)


class TestInstall(unittest.TestCase):
    def setUp(self):
        # What `make uninstall` goes by tells of the user's own installation, not of these.
        for name in ("install_manifest.txt", "server.conf"):
            path = pathlib.Path(BUILD) / name
            self.addCleanup(restore, path, path.read_bytes() if path.exists() else None)
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
            [prefix / "bin/gearshift", "-c", self.conf(conf)],
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
        for name in ("gearshift-compare", "gearshift-trace"):
            done = subprocess.run([prefix / "bin" / name, "--help"], text=True,
                                  stdout=subprocess.PIPE, check=True)
            told = re.sub(r"\s+", "", done.stdout)
            self.assertIn(f"({prefix}/bin/gearshift)", told)
        self.assertIn(f"({prefix}/share/gearshift/www)", told)

    def test_a_server_conf_that_is_there_is_kept(self):
        prefix = self.folder / "prefix"
        conf = prefix / "etc/gearshift/server.conf"
        conf.parent.mkdir(parents=True)
        conf.write_text("# mine\n")
        install("--prefix", prefix)
        self.assertEqual(conf.read_text(), "# mine\n")

    def test_it_is_on_the_path_of_ordinary_users(self):
        """As login.defs(5) gives it to them: no sbin."""
        destdir = self.folder / "stage"
        install("--prefix", "/usr/local", destdir=destdir)
        self.assertTrue(shutil.which("gearshift", path=destdir / "usr/local/bin"))
        self.assertEqual(list(destdir.rglob("sbin")), [])

    def test_uninstall_leaves_nothing_of_its_own(self):
        prefix = self.folder / "prefix"
        theirs = prefix / "share/man/man8/other.8"
        theirs.parent.mkdir(parents=True)
        theirs.write_text("not ours")
        install("--prefix", prefix)
        install("--prefix", prefix)  # which keeps the server.conf of the first
        subprocess.run([prefix / "bin/gearshift-compare", "--help"], stdout=subprocess.DEVNULL,
                       check=True)
        uninstall()
        self.assertEqual([p for p in prefix.rglob("*") if not p.is_dir()], [theirs])
        self.assertEqual(list(prefix.rglob("*gearshift*")), [])

    def test_uninstall_keeps_a_server_conf_that_was_edited(self):
        destdir = self.folder / "stage"
        install("--prefix", "/usr", destdir=destdir)
        conf = destdir / "etc/gearshift/server.conf"
        conf.chmod(0o644)
        conf.write_text(conf.read_text() + "# mine\n")
        self.assertIn(f"Kept, since it was edited: {conf}", uninstall(destdir))
        self.assertEqual([p for p in destdir.rglob("*") if not p.is_dir()], [conf])

    def test_each_file_is_in_a_package_of_debian(self):
        """debhelper refuses what is in none; here without a build of a package."""
        top = pathlib.Path(__file__).parents[2]
        taken = [entry for path in (top / "debian").glob("*.install") for entry in path.read_text().split("\n")
                 if entry.startswith("usr/")]
        # What debian/rules moves, or removes.
        moved = set(re.findall(r"debian/tmp/(\S+)", (top / "debian/rules").read_text()))
        destdir = self.folder / "stage"
        install("--prefix", "/usr", destdir=destdir)
        files = {str(path.relative_to(destdir)) for path in destdir.rglob("*") if not path.is_dir()}
        for name in files - moved:
            holders = [entry for entry in taken if name == entry or name.startswith(entry + "/")]
            self.assertEqual(len(holders), 1, name)
        for entry in taken:
            self.assertTrue(any(name == entry or name.startswith(entry + "/") for name in files), entry)

    def test_of_what_lintian_warns(self):
        top = pathlib.Path(__file__).parents[2]
        for line in (top / "debian/control").read_text().split("\n"):
            self.assertLessEqual(len(line), 80, line)
        for path in (top / "man").iterdir():  # .Pp makes a paragraph
            self.assertNotIn("\n\n", path.read_text(), path)

    def test_below_destdir_paths_are_those_of_the_target(self):
        destdir = self.folder / "stage"
        install("--prefix", "/usr", destdir=destdir)
        self.assertTrue((destdir / "usr/bin/gearshift").is_file())
        self.assertFalse((destdir / "usr/etc").exists())
        conf = (destdir / "etc/gearshift/server.conf").read_text()
        self.assertIn('root = "/usr/share/gearshift/www"', conf)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
