"""Runs bench/compare in a folder of its own, on a small site, with runs of a tenth of a second."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

PROJECT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
COMPARE = os.path.join(PROJECT, "bench/compare")
GEARSHIFT = os.path.abspath(os.environ.get("GEARSHIFT", "build/release/gearshift"))
WAIT_S = 120
SKIPPED = 77
SHORT = ["--seconds", "0.1", "--rounds", "1", "--engines", "reactor,multi-reactor", "--variants",
         "none", "--workloads", "median,mix", "--connections", "4", "--no-counts", "--tls", "none",
         "--fresh"]

sys.path.insert(0, os.path.join(PROJECT, "bench"))


def skip_without_load_generators():
    for program in ("wrk", "ab"):
        if shutil.which(program) is None:
            print(f"skipped: no {program} (Debian packages wrk, apache2-utils)")
            sys.exit(SKIPPED)


def wait_until(condition):
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


class Comparison(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gearshift-bench-")
        os.chmod(self.folder, 0o755)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.site = os.path.join(self.folder, "site")
        os.mkdir(self.site)
        for name, size in (("small.txt", 100), ("page & more.html", 2000), ("photo.jpg", 90_000)):
            self.write(f"site/{name}", os.urandom(size))

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, octets):
        """Of yesterday: the tag of a file that was written just now becomes another one after two seconds."""
        with open(self.path(name), "wb") as file:
            file.write(octets)
        yesterday = time.time() - 86400
        os.utime(self.path(name), (yesterday, yesterday))
        return self.path(name)

    def command(self, *arguments, output="out"):
        return [sys.executable, "-B", COMPARE, self.site, "--gearshift", GEARSHIFT,
                "--output", self.path(output), *SHORT, *arguments]

    def compare(self, *arguments, output="out", status=0):
        """Runs it to its end and checks its exit status; what it printed."""
        return self.run_to_end(self.command(*arguments, output=output), status)

    def run_to_end(self, argv, status):
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=2 * WAIT_S, check=False, cwd=self.folder)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assert_nothing_is_left()
        return done

    def start(self, *arguments, output="out"):
        """Starts it, and waits until a run or two are in its journal; the Popen."""
        process = subprocess.Popen(self.command(*arguments, output=output), cwd=self.folder,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        self.assertTrue(wait_until(lambda: len(self.runs(output)) >= 2 or process.poll()
                                   is not None), "no run in the journal")
        self.assertIsNone(process.poll(), "it has ended already")
        return process

    def runs(self, output="out"):
        """The runs in the journal, one that is half written left out."""
        try:
            with open(self.path(f"{output}/runs.jsonl"), encoding="utf-8") as file:
                lines = file.read().split("\n")[:-1]
        except FileNotFoundError:
            return []
        return [record for record in map(json.loads, lines) if record["kind"] == "run"]

    def report(self, output="out"):
        with open(self.path(f"{output}/report.json"), encoding="utf-8") as file:
            return json.load(file)

    def processes(self):
        """Command lines of the processes that serve or load this test's site."""
        found = []
        for name in os.listdir("/proc"):
            if name.isdigit() and int(name) != os.getpid():
                try:
                    with open(f"/proc/{name}/cmdline", "rb") as file:
                        line = file.read().replace(b"\0", b" ").decode("utf-8", "replace")
                except OSError:
                    continue
                if self.site in line and "bench/compare" not in line:
                    found.append(line)
        return found

    def assert_nothing_is_left(self):
        self.assertTrue(wait_until(lambda: not self.processes()), self.processes())
