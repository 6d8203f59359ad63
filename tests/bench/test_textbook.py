#!/usr/bin/env python3
"""gearshift-compare --textbook: verdicts against known distributions, the table of claims, a tiny run from its
command line, and its report in Chromium (of runs that are made up: what is drawn is known)."""

import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import types
import unittest
from unittest import mock

import comparison
from comparison import COMPARE, GEARSHIFT, PROJECT

for folder in ("client", "wire"):
    sys.path.insert(0, os.path.join(PROJECT, "tests", folder))
from client.browser import PHONE, Browser  # noqa: E402
from gearshift_compare import Refusal, counters, machine, servers  # noqa: E402
from gearshift_compare.textbook import Beside, Growth, conclude, conditions, rules, series, the_claims  # noqa: E402

PICTURES = os.path.join(os.environ.get("PICTURES", os.path.join(PROJECT, "build/release/tests/bench")), "pictures")
ROUNDS = 12
PROBE = "<script>document.documentElement.dataset.wide = document.documentElement.scrollWidth - window.innerWidth;</script></body>"


def drawn(draw, true_ratio, noise, rounds=ROUNDS, mood=0.2):
    """The ratio of two servers, whose figures wander with the machine's mood and with a noise of their own."""
    a, b = {}, {}
    for number in range(rounds):
        whole = math.exp(draw.gauss(0, mood))
        a[number] = 10 * true_ratio * whole * math.exp(draw.gauss(0, noise))
        b[number] = 10 * whole * math.exp(draw.gauss(0, noise))
    return rules.ratios(a, b)


class Distributions(unittest.TestCase):
    """Drawn anew each time from a seed: shares of a hundred experiments, not one lucky one."""

    def share(self, true_ratio, wanted, noise=0.01, **more):
        draw = random.Random(17)
        return sum(rules.relation(drawn(draw, true_ratio, noise, **more)) == wanted for _ in range(200)) / 200

    def test_a_difference_of_three_percent_is_found(self):
        self.assertGreater(self.share(1.03, "more", noise=0.005), 0.95)
        self.assertGreater(self.share(1 / 1.03, "less", noise=0.005), 0.95)
        self.assertGreater(self.share(1.05, "more"), 0.95)

    def test_none_is_not(self):
        """Whatever the machine's mood, which both share."""
        for noise in (0.002, 0.01, 0.05):
            self.assertGreater(self.share(1.0, "none", noise=noise), 0.93, noise)
        self.assertGreater(self.share(1.0, "none", mood=1.0), 0.95)

    def test_few_rounds_bear_nothing_out(self):
        self.assertEqual(self.share(3.0, "unknown", rounds=3), 1)
        self.assertEqual(self.share(3.0, "more", rounds=4), 1)
        for rounds in (4, 5):  # smallest to largest would be wrong in one of eight, or sixteen
            self.assertGreater(self.share(1.0, "none", noise=0.1, rounds=rounds), 0.9, rounds)

    def test_a_floor_takes_small_differences_away(self):
        told = drawn(random.Random(1), 1.05, 0.001)
        self.assertEqual((rules.relation(told), rules.relation(told, floor=0.08)), ("more", "none"))

    def test_sameness_has_to_be_shown(self):
        draw = random.Random(5)
        self.assertIs(rules.bears_out("same", drawn(draw, 1.0, 0.01)), True)
        self.assertIs(rules.bears_out("same", drawn(draw, 1.5, 0.01)), False)
        self.assertIsNone(rules.bears_out("same", drawn(draw, 1.0, 0.4, rounds=5)), "too wide an interval shows nothing")

    def test_no_more_than_a_factor(self):
        draw = random.Random(11)
        for true_ratio, noise, wanted in ((0.3, 0.01, True), (1.0, 0.1, True), (1.9, 0.01, True), (2.2, 0.01, False), (9, 0.1, False),
                                          (1.9, 0.5, None)):
            self.assertIs(rules.bears_out("no more", drawn(draw, true_ratio, noise), by=2), wanted, (true_ratio, noise))
        self.assertEqual(rules.verdict("no more", [(8, drawn(draw, 1.0, 0.01)), (64, drawn(draw, 1.9, 0.5, rounds=5))], by=2),
                         ("too few runs", None))

    def test_a_factor(self):
        told = drawn(random.Random(3), 3.0, 0.01)
        self.assertTrue(rules.bears_out("more", told, by=2))
        self.assertFalse(rules.bears_out("more", told, by=5))
        self.assertTrue(rules.bears_out("less", drawn(random.Random(3), 0.2, 0.01), by=2))


class Counting(unittest.TestCase):
    """A process that makes a known number of calls each time it is told to."""

    CALLS = "import os\nwhile os.read(0, 1):\n    [os.pread(9, 1, 0) and os.lseek(9, 0, 0) for _ in range(700)]\n    os.write(1, b'.')\n"

    def test_calls_by_name(self):
        self.counts()

    def test_by_tracepoints_where_numbers_are_unknown(self):
        with mock.patch.object(counters.ctypes, "CDLL", side_effect=OSError):
            self.counts()

    def counts(self):
        which, why = counters.tool()
        if not which:
            self.skipTest(why)
        with open(sys.executable, "rb") as file, tempfile.TemporaryDirectory() as folder, subprocess.Popen(
                ["sh", "-c", f'exec "$0" -c "$1" 9<&{file.fileno()}', sys.executable, self.CALLS], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, pass_fds=[file.fileno()]) as process:
            def act():
                process.stdin.write(b"x")
                process.stdin.flush()
                return process.stdout.read(1)

            self.assertEqual(act(), b".")  # it runs
            returned, found = counters.tally(which, [process.pid], folder, act)
            process.stdin.close()
        self.assertEqual(returned, b".")
        self.assertEqual({name: found.get(name) for name in ("pread64", "lseek", "write", "sendto")},
                         {"pread64": 700, "lseek": 700, "write": 1, "sendto": 0 if which == "perf" else None})
        if which == "perf":
            self.assertGreaterEqual(found["total"], 1401)
            self.assertLess(found["total"], 1500)


class Verdicts(unittest.TestCase):
    def points(self, *true_ratios, values=(1, 10, 100, 1000)):
        draw = random.Random(9)
        return [(value, drawn(draw, ratio, 0.01)) for value, ratio in zip(values, true_ratios)]

    def test_of_one_part(self):
        for said, ratios, wanted in (
                ("more", (2, 2, 3, 4), ("holds", None)),
                ("more", (1, 1, 3, 4), ("holds from", 100)),
                ("more", (2, 1.5, 1, 0.5), ("holds up to", 10)),
                ("more", (2, 1, 2, 1), ("holds in part", None)),
                ("more", (0.5, 0.5, 0.5, 0.5), ("does not hold", None)),
                ("more", (1, 1, 1, 1), ("no difference", None)),
                ("same", (1, 1, 1, 1), ("holds", None)),
                ("same", (2, 2, 2, 2), ("does not hold", None)),
                ("same", (1, 1, 1, 4), ("holds up to", 100)),
                ("less", (1, 1, 1, 0.7), ("holds from", 1000))):
            self.assertEqual(rules.verdict(said, self.points(*ratios)), wanted, (said, ratios))
        self.assertEqual(rules.verdict("more", [(1, rules.ratios({0: 2}, {0: 1}))]), ("too few runs", None))
        wide = [(5000, drawn(random.Random(5), 1.0, 0.4, rounds=5))]
        self.assertEqual(rules.verdict("same", self.points(1, 1) + wide), ("too few runs", None))

    def test_of_a_claim(self):
        for parts, wanted in (
                ([("holds", None), ("holds", None)], ("holds", None)),
                ([("holds", None), ("holds from", 100)], ("holds from", 100)),
                ([("holds from", 10), ("holds from", 100)], ("holds from", 100)),
                ([("holds", None), ("too few runs", None)], ("holds", None)),
                ([("holds", None), ("does not hold", None)], ("holds in part", None)),
                ([("no difference", None), ("no difference", None)], ("no difference", None)),
                ([("no difference", None), ("does not hold", None)], ("does not hold", None)),
                ([("too few runs", None)], ("too few runs", None)), ([], ("too few runs", None))):
            self.assertEqual(rules.whole(parts), wanted, parts)

    def test_a_crossing_is_found(self):
        """Costs of 10 + 1 x and 2 + 3 x cross at 4."""
        values = (1, 2, 3, 5, 8, 20)
        ratios = [(10 + v) / (2 + 3 * v) for v in values]
        found = rules.crossing(self.points(*ratios, values=values))
        self.assertLess(abs(found["at"] / 4 - 1), 0.1, found)
        self.assertEqual((found["low"], found["high"]), (3, 5))
        self.assertIsNone(rules.crossing(self.points(2, 2, 3)))
        self.assertIsNone(rules.crossing(self.points(1, 1, 1)), "noise is no crossing")
        self.assertIsNone(rules.crossing(self.points(2, 0.5, 2, 0.5)), "nor are several one")

    def test_void_and_noisy_runs(self):
        def run(number, value, noise=0.0, **more):
            return {"round": number, "cpu_us": value, "noise": noise, **more}
        a = [run(n, 10) for n in range(5)] + [run(5, 99, void="x"), run(6, 99, noise=0.9)]
        b = [run(n, 5) for n in range(7)]
        found = rules.pairs_of(a, b, "cpu_us", 0.15)
        self.assertEqual([sorted(part) for part in found], [[0, 1, 2, 3, 4]] * 2)
        found = rules.pairs_of(a[-3:], b, "cpu_us", 0.15)  # too few quiet ones: the noisy one counts
        self.assertEqual(sorted(found[0]), [4, 6])


class Table(unittest.TestCase):
    """The claims are data: each is whole."""

    def test_every_claim_is_whole(self):
        for name, claim in the_claims(("nginx",)).items():
            with self.subTest(name):
                self.assertEqual(claim.name, name)
                self.assertTrue(claim.said_by and claim.sentence.endswith((".", ")")) and claim.because.endswith("."))
                known = {one: series.ALL.get(one) or series.peer(one) for one in claim.series}
                self.assertIn(claim.figure, conclude.FIGURES)
                self.assertEqual(sorted(claim.values), list(claim.values))
                for part in claim.parts:
                    self.assertIn(part.a, known)
                    self.assertTrue(not part.b or part.b in known, part)
                    self.assertIn(part.says, ("more", "less", "same", "no more"))
                    self.assertIn(part.figure or claim.figure, conclude.WORDS)
                    self.assertTrue(isinstance(part, (Beside, Growth)))
                self.assertTrue(set(claim.quick_series) <= set(claim.series))
                if claim.quick_series:  # something is left to be decided
                    self.assertTrue(any(part.a in claim.quick_series for part in claim.parts))

    def test_all_engines_take_part(self):
        engines = {one.engine for one in series.ALL.values()}
        told = subprocess.run([GEARSHIFT, "-V"], capture_output=True, text=True, check=True).stdout
        own = {line.split()[0] for line in told.partition("\nengines:\n")[2].split("\n") if line.startswith("  ")} - {"auto"}
        self.assertEqual(own - engines, set())

    def test_a_peer_of_ones_own(self):
        spec = servers.read_spec(servers.SPEC, {"nginx": "/opt/new nginx/nginx"})
        self.assertTrue(spec["nginx"]["cmd"].startswith("'/opt/new nginx/nginx' -p @RUN@ -c @CONF@"), spec["nginx"]["cmd"])
        self.assertIsNone(servers.program_of(spec["nginx"]))
        with self.assertRaises(Refusal):
            servers.read_spec(servers.SPEC, {"no-such": "/x"})

    def test_bounds_are_of_their_variable(self):
        threads = series.ALL["thread-per-connection"]
        self.assertTrue(threads.tried("busy connections", 5000) and threads.tried("octets of the file", 1 << 26))
        self.assertFalse(threads.tried("idle connections", 10_000))

    def test_copies_follow_from_calls(self):
        self.assertIn("no copy", conclude.copies({"sendfile64": 1, "sendto": 1}))
        self.assertIn("2:", conclude.copies({"preadv2": 1, "sendto": 1}))
        self.assertIn("1:", conclude.copies({"recvfrom": 1, "sendto": 1}))
        self.assertEqual(conclude.copies({}), "")


class Tiny(comparison.Comparison):
    def textbook(self, *arguments, output="out", status=0):
        return self.run_to_end([sys.executable, "-B", COMPARE, "--textbook", "--gearshift", GEARSHIFT, "--output", self.path(output),
                                "--no-counts", *arguments], status)

    def test_a_run(self):
        """One round of the shortest runs, of claims that between them have each kind of client."""
        if shutil.which("wrk") is None or shutil.which("ab") is None:
            self.skipTest("no wrk, or no ab")
        only = [word for name in ("control", "expressions") for word in ("--only", name)]
        done = self.textbook("--quick", "--rounds", "1", "--seconds", "0.05", *only)
        self.assertIn("too few runs", done.stdout)
        report = self.report()
        self.assertEqual([claim["name"] for claim in report["textbook"]], ["control", "expressions"])
        self.assertEqual(report["errors"], [])
        for claim in report["textbook"]:
            self.assertEqual(claim["verdict"], "too few runs")
            for one in claim["series"]:
                self.assertEqual([point["value"] for point in one["points"]], claim["values"], one["name"])
        with open(self.path("out/report.md"), encoding="utf-8") as file:
            self.assertIn("Regular expressions".lower(), file.read().lower())
        # The reports again, against themselves.
        done = self.run_to_end([sys.executable, "-B", COMPARE, "--report-only", self.path("out/report.json"), "--baseline",
                                self.path("out/report.json"), "--output", self.path("again")], 0)
        self.assertEqual(self.report("again")["textbook"][0]["then"], "too few runs")

    def test_what_does_not_go_together(self):
        for arguments, told in ((["--only", "nothing"], "the claims are control"), ([self.site], "a folder does not go"),
                                (["--cpus", "1,x"], "list of numbers")):
            self.assertIn(told, self.textbook(*arguments, status=2).stderr)

    def test_the_list(self):
        done = self.textbook("--list")
        self.assertEqual([line.split()[0] for line in done.stdout.splitlines()], list(the_claims()))


def made_up():
    """A report of runs whose figures are known: all claims, six rounds."""
    draw, records, planned, described, seen = random.Random(3), [], {}, {}, set()
    place = conditions.Place("/nowhere", "gearshift-load", (0, 1, 2, 3))
    place.text = lambda *_: None
    place.file = lambda name, size: types.SimpleNamespace(target="/" + name, size=size, path=name)
    for name, claim in the_claims().items():
        values = claim.values if name not in ("files", "cores") else (10, 100)
        if name == "cores":
            values = (1, 2)
        of = {value: claim.condition(place, value) for value in values}
        planned[name] = {"values": list(values), "conditions": {str(v): w.name for v, w in of.items()}, "series": list(claim.series),
                         "shortened": ["A <b>short</b> axis."]}
        for value, workload in of.items():
            described[workload.name] = workload
            for index, one in enumerate(claim.series):
                if (workload.name, one) in seen:
                    continue
                seen.add((workload.name, one))
                for number in range(6):
                    figure = (1 + index - (one == "reactor (again)")) * (1 + math.log10(1 + value)) * math.exp(draw.gauss(0, 0.01))
                    records.append({"kind": "run", "round": number, "workload": workload.name, "combination": one, "noise": 0,
                                    "rate": 1000.0, "p50": 0.1, "server_util": 0.5, "client_util": 0.5, "waits": 1.0, "user_us": 1.0,
                                    "system_us": 5.0, "kernel_kib": 1.0, "connection_kib": 1.0, "preemptions": 0.0,
                                    **{key: figure for key in ("cpu_us", "cpu_request_us", "p99", "held_kib", "memory_kib")}})
                records.append({"kind": "counts", "workload": workload.name, "combination": one, "tool": "perf", "calls": 2.1,
                                "by_name": {"recvfrom": 1.0, "sendto": 1.0, "epoll_wait": 0.1}})
    names = dict.fromkeys(r["combination"] for r in records)
    facts = machine.facts("/", "reno", [])
    return conclude.build(
        plan_record={"peers": []}, machine_facts=facts, claims=planned, workloads=list(described.values()),
        combinations=[types.SimpleNamespace(describe=lambda n=n: {"name": n, "engine": n, "settings": {}, "tls": "", "peer": "",
                                                                  "binary": "x", "role": "candidate"}) for n in names],
        bench={"server_cpus": [0], "client_cpus": [1], "seconds": 1, "seed": 1, "command": "x", "server_cpus_count": 1,
               "client_cpus_count": 1}, settings={}, records=records, notes=["</script><img src=x onerror='document.title=1'>"],
        started="2026-01-01T00:00", interrupted=False, version="1")


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if shutil.which("chromium") is None:
            raise unittest.SkipTest("no chromium")
        cls.one = comparison.Comparison()
        cls.one.setUp()
        cls.addClassCleanup(cls.one.doCleanups)
        with open(cls.one.path("in.json"), "w", encoding="utf-8") as file:
            json.dump(made_up(), file)
        subprocess.run([sys.executable, "-B", COMPARE, "--report-only", cls.one.path("in.json"), "--output", cls.one.folder],
                       check=True, stdout=subprocess.DEVNULL)
        with open(cls.one.path("report.html"), encoding="utf-8") as file:
            cls.text = file.read()
        cls.browser = Browser(types.SimpleNamespace(path=cls.one.folder, pictures=os.path.abspath(PICTURES), tls="", pki=""))

    def test_on_a_phone_every_claim_is_drawn(self):
        with open(self.one.path("probe.html"), "w", encoding="utf-8") as file:
            file.write(self.text.replace("</body>", PROBE))
        shown = self.browser.load("file://" + self.one.path("probe.html"), PHONE)
        self.assertEqual(shown.console, [])
        self.assertEqual([r for r in shown.requests if not r[1].startswith(("file://", "data:"))], [])
        holders = re.findall(r'data-chart="(\w+)"', shown.dom)
        self.assertEqual(len(holders), len(the_claims()))
        self.assertEqual(len(re.findall(r'<svg class="plot-[^"]*"[^>]*role="img"', shown.dom)), len(holders))
        self.assertNotIn("NaN", re.sub(r"<script.*?</script>", "", shown.dom, flags=re.DOTALL))
        self.assertLessEqual(int(re.search(r'data-wide="(-?\d+)"', shown.dom)[1]), 0, "wider than a phone")
        self.assertIn("A &lt;b&gt;short&lt;/b&gt; axis.", shown.dom)
        # Each claim has its table.
        self.assertEqual(shown.dom.count("medians [intervals]"), len(the_claims()))

    def test_a_picture_in_the_dark(self):
        path = self.browser.picture("file://" + self.one.path("report.html"), "textbook-dark", (1280, 3000), True)
        self.assertGreater(os.path.getsize(path), 50_000)


if __name__ == "__main__":
    unittest.main()
