#!/usr/bin/env python3
"""Chromium shows report.html: every figure is drawn, nothing fails, nothing is asked of anybody,
and it has a dark side and a printed one. Its pictures stay, to be looked at."""

import json
import os
import re
import shutil
import subprocess
import sys
import types
import unittest

import comparison
from comparison import GEARSHIFT, PROJECT, SKIPPED

for folder in ("client", "wire"):
    sys.path.insert(0, os.path.join(PROJECT, "tests", folder))
from client.browser import DESKTOP, PHONE, Browser, read_png  # noqa: E402

PICTURES = os.path.join(os.environ.get("PICTURES", os.path.join(PROJECT, "build/release/tests/bench")), "pictures")
PROBE = """<script>
document.documentElement.dataset.inner = window.innerWidth;
document.documentElement.dataset.scrolled = document.documentElement.scrollWidth;
</script></body>"""


class Page(unittest.TestCase):
    """Measures once for all tests."""

    @classmethod
    def setUpClass(cls):
        cls.one = comparison.Comparison()
        cls.one.setUp()
        cls.addClassCleanup(cls.one.doCleanups)
        cls.one.compare("--rounds", "4", "--workloads", "mix,largest,close,idle", "--idle", "20",
                        "--baseline", GEARSHIFT)
        cls.page = cls.one.path("out/report.html")
        cls.browser = Browser(types.SimpleNamespace(
            path=cls.one.folder, pictures=os.path.abspath(PICTURES), tls="", pki=""))

        cls.shown = cls.browser.load("file://" + cls.page)

    def address(self, path=None):
        return "file://" + (path or self.page)

    def test_every_figure_is_drawn(self):
        shown = self.shown
        self.assertEqual(shown.console, [])
        holders = re.findall(r'data-chart="(\w+)"', shown.dom)
        self.assertRegex(shown.dom, rf'<html[^>]* data-charts="{len(holders)}"')
        for kind, least in (("bars", 4), ("curve", 3), ("ratios", 2), ("sizes", 1)):
            self.assertGreaterEqual(holders.count(kind), least, kind)
        self.assertEqual(len(re.findall(r'<svg class="plot-[^"]*"[^>]*role="img"', shown.dom)),
                         len(holders))
        # A bar and an interval for each combination, with a width.
        bars = re.findall(r'<g aria-label="bar".*?</g>', shown.dom, re.DOTALL)
        self.assertGreaterEqual(len(bars), 5)
        for group in bars:
            widths = re.findall(r'<rect[^>]* width="([\d.]+)"', group)
            self.assertTrue(widths and max(map(float, widths)) > 10, group[:300])
        lines = re.findall(r'<g aria-label="line".*?</g>', shown.dom, re.DOTALL)
        self.assertGreaterEqual(len(lines), 3)
        for group in lines:
            self.assertGreaterEqual(group.count('d="M'), 2, group[:300])
        self.assertNotIn("NaN", re.sub(r"<script.*?</script>", "", shown.dom, flags=re.DOTALL))

    def test_knees_are_drawn(self):
        """A workload that was another, with points of a ladder given to its runs."""
        with open(self.one.path("out/report.json"), encoding="utf-8") as file:
            report = json.load(file)
        workload = next(w for w in report["workloads"] if w["name"] == "close")
        workload.update(client="load", metric="capacity")
        for record in report["records"]:
            if record["kind"] == "run" and record["workload"] == "close":
                record["capacity"] = 4000.0
                record["points"] = [
                    {"offered": 1000 * 2 ** n, "p50": 0.1, "p99": 0.3 * 4 ** n, "p999": 5 ** n,
                     "late": n == 3} for n in range(4)]
        os.makedirs(self.one.path("knees"), exist_ok=True)
        source = self.one.path("knees/in.json")
        with open(source, "w", encoding="utf-8") as file:
            json.dump(report, file)
        subprocess.run([sys.executable, "-B", comparison.COMPARE, "--report-only", source,
                        "--output", self.one.path("knees")], check=True, stdout=subprocess.DEVNULL)
        shown = self.browser.load(self.address(self.one.path("knees/report.html")))
        self.assertEqual(shown.console, [])
        drawn = re.findall(r'<div data-chart="knee".*?</figure>', shown.dom, re.DOTALL)
        self.assertEqual(len(drawn), 3)
        for figure in drawn:
            self.assertGreaterEqual(figure.count('d="M'), 2)
            self.assertGreaterEqual(figure.count("<circle"), 8)
            self.assertNotIn("NaN", figure)

    def test_nothing_is_asked_of_anybody(self):
        others = [request for request in self.shown.requests
                  if not request[1].startswith(("file://", "data:"))]
        self.assertEqual(others, [])
        with open(self.page, encoding="utf-8") as file:
            text = file.read()
        self.assertEqual(re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', re.sub(
            r"<script.*?</script>", "", text, flags=re.DOTALL)), [])

    def test_text_from_outside_stays_text(self):
        """A folder, a file and an error may be called anything."""
        with open(self.one.path("out/report.json"), encoding="utf-8") as file:
            report = json.load(file)
        evil = '</script><img src=x onerror="document.title=1"><b id="evil">'
        report["site"]["root"] = f"/{evil}"
        report["notes"].append(evil)
        report["workloads"][0]["what"] = report["workloads"][0]["title"] = evil
        for record in report["records"]:
            if record["kind"] == "start":
                record["command"] = evil
        os.makedirs(self.one.path("evil"), exist_ok=True)
        source = self.one.path("evil/in.json")
        with open(source, "w", encoding="utf-8") as file:
            json.dump(report, file)
        subprocess.run([sys.executable, "-B", comparison.COMPARE, "--report-only", source],
                       check=True, stdout=subprocess.DEVNULL)
        shown = self.browser.load(self.address(self.one.path("evil/report.html")))
        self.assertEqual(shown.console, [])
        self.assertNotIn('<b id="evil">', shown.dom)
        self.assertIn('data-charts="', shown.dom)

    def test_it_fits_a_phone(self):
        with open(self.page, encoding="utf-8") as file:
            text = file.read()
        probe = self.one.path("out/probe.html")
        with open(probe, "w", encoding="utf-8") as file:
            file.write(text.replace("</body>", PROBE))
        root = re.search(r"<html[^>]*>", self.browser.load(self.address(probe), PHONE).dom)[0]
        inner, scrolled = (int(re.search(rf'data-{name}="(\d+)"', root)[1])
                           for name in ("inner", "scrolled"))
        self.assertLess(inner, 600, "not as narrow as a phone")
        self.assertLessEqual(scrolled, inner)

    def test_pictures_in_light_and_dark(self):
        """On a phone the colours are a desktop's."""
        desktop, phone = (DESKTOP[0], 5200), (PHONE[0], 9000)
        brightness = {}
        for place, size, mode in (("desktop", desktop, "light"), ("desktop", desktop, "dark"), ("phone", phone, "light")):
            path = self.browser.picture(self.address(), f"report-{place}-{mode}", size, mode == "dark")
            picture = read_png(path)
            self.assertEqual((picture.width, picture.height), size)
            self.assertGreater(picture.weight, 50_000, f"{path} is empty")
            brightness[mode] = picture.brightness
        self.assertLess(brightness["dark"], 80, brightness)
        self.assertGreater(brightness["light"], 180, brightness)


if __name__ == "__main__":
    comparison.skip_without_load_generators()
    if shutil.which("chromium") is None:
        print("skipped: no chromium (Debian package chromium)")
        sys.exit(SKIPPED)
    unittest.main()
