#!/usr/bin/env python3
"""bench/capacity against formulas: M/M/1, M/M/c (Erlang C), M/D/1 (Pollaczek-Khinchine); then its logs, reports and answers."""

import importlib.machinery
import importlib.util
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "bench/capacity"
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("capacity", str(SCRIPT))
capacity = importlib.util.module_from_spec(importlib.util.spec_from_loader("capacity", loader))
loader.exec_module(capacity)
EVENTS = 100_000


def poisson(rate, events=EVENTS, seed=7):
    chance, at, found = random.Random(seed), 0.0, []
    for _ in range(events):
        at += chance.expovariate(rate)
        found.append((at, 0))
    return found


def erlang_c(servers, load):
    """The share that has to wait."""
    last = load ** servers / math.factorial(servers) * servers / (servers - load)
    return last / (sum(load ** k / math.factorial(k) for k in range(servers)) + last)


class Queues(unittest.TestCase):
    def simulated(self, rate, cpus, mean_s, draw=None, **more):
        times, busy, _ = capacity.simulate(poisson(rate), more.pop("nodes", 1), cpus=cpus, request_s=mean_s, byte_s=0, balance="random", service=draw, **more)
        return times, busy

    def near(self, found, wanted, share):
        self.assertLess(abs(found / wanted - 1), share, f"{found} is not {wanted}")

    def test_m_m_1(self):
        times, busy = self.simulated(70, 1, 0.01, lambda chance: chance.expovariate(100))
        self.near(sum(times) / len(times), 1 / (100 - 70), 0.05)
        self.near(capacity.percentile(times, 0.99), math.log(100) / (100 - 70), 0.08)
        self.near(busy, 0.7, 0.02)

    def test_m_m_c(self):
        for cpus, rate in ((2, 140), (4, 320)):
            times, busy = self.simulated(rate, cpus, 0.01, lambda chance: chance.expovariate(100))
            wait = erlang_c(cpus, rate / 100) / (cpus * 100 - rate)
            self.near(sum(times) / len(times), wait + 0.01, 0.05)
            self.near(busy, rate / 100 / cpus, 0.02)

    def test_m_d_1(self):
        times, _ = self.simulated(80, 1, 0.01)
        self.near(sum(times) / len(times), 0.01 + 0.8 * 0.01 / (2 * (1 - 0.8)), 0.05)

    def test_nodes_by_chance_are_so_many_queues(self):
        times, _ = self.simulated(3 * 80, 1, 0.01, nodes=3)
        self.near(sum(times) / len(times), 0.01 + 0.8 * 0.01 / (2 * (1 - 0.8)), 0.05)
        each, _ = self.simulated(3 * 80, 3, 0.01, each=True)
        self.near(sum(each) / len(each), sum(times) / len(times), 0.05)
        better, _, _ = capacity.simulate(poisson(3 * 80), 3, cpus=1, request_s=0.01, byte_s=0, balance="least")
        self.assertLess(sum(better), 0.8 * sum(times))

    def test_a_link_is_a_queue(self):
        size = 10_000 - capacity.HEADER_BYTES
        requests = [(at, size) for at, _ in poisson(80)]
        times, _, link = capacity.simulate(requests, 1, cpus=1, request_s=0, byte_s=0, link_bytes_s=1_000_000, balance="random")
        self.near(sum(times) / len(times), 0.01 + 0.8 * 0.01 / (2 * (1 - 0.8)), 0.05)
        self.near(link, 0.8, 0.02)


class Log(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="gearshift-capacity-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def log(self, a_second, seconds=90):
        chance, lines = random.Random(3), []
        for second in range(seconds):
            for _ in range(a_second if second >= 30 else a_second // 4):
                lines.append(f'192.0.2.1 - - [29/Nov/2026:10:{second // 60:02d}:{second % 60:02d} +0000] "GET /a\\"b HTTP/1.1" 200 '
                             f'{chance.choice((300, 5000, 60000))} "-" "x"\n')
        (self.folder / "log").write_text("".join(lines) + "no line\n")
        return self.folder / "log"

    def run_script(self, *arguments):
        done = subprocess.run((SCRIPT, *map(str, arguments)), capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_lines(self):
        self.assertEqual(capacity.parsed('{"time":"2026-11-29T10:00:00.250Z","peer":"a","body_bytes":7}'), (1795946400.25, False, 7))
        self.assertEqual(capacity.parsed('a - b [29/Nov/2026:11:00:00 +0100] "GET / HTTP/1.1" 304 - "-" "-"'), (1795946400.0, True, 0))
        for line in ("", "{", "{}", 'a - - [x] "GET /" 200 1'):
            self.assertIsNone(capacity.parsed(line), line)

    def test_the_busiest_stretch(self):
        requests = capacity.busiest(capacity.read_log(self.log(20)), 60)
        self.assertGreater(len(requests), 1150)
        self.assertLess(requests[-1][0] - requests[0][0], 60)
        self.assertEqual(len(capacity.grown(requests, 3)), 3 * len(requests))

    def test_more_requests_need_more_nodes(self):
        log = self.log(50)
        found = []
        for growth in (1, 20):
            status, out, _ = self.run_script(log, "--cpu-us", 3000, "--mib-us", 100, "--cpus", 1, "--bound-ms", 50, "--growth", growth)
            self.assertEqual(status, 0, out)
            found.append(int(out.splitlines()[-1].split()[0]))
        # 50 a second of 3 ms: 15 % of a CPU, so one node and one down; twenty times as many: three CPUs, at 70 % five, and one down.
        self.assertEqual(found, [2, 6])

    def test_a_report(self):
        cells = {"reactor": {"cpu_us": {"median": 8.0}}, "reactor +openssl": {"cpu_us": {"median": 12.0}}}
        large = {"reactor": {"cpu_us": {"median": 104.8576}}}
        report = {"summary": {"median": {"cells": cells}, "tls": {"cells": cells}, "largest": {"cells": large}},
                  "workloads": [{"name": "median", "unit": "request"}, {"name": "largest", "unit": "MiB"}]}
        request_s, byte_s = capacity.costs(report, "reactor")
        self.assertAlmostEqual(request_s * 1e6, 8)
        self.assertAlmostEqual(byte_s * 1e10, 1)
        self.assertAlmostEqual(capacity.costs(report, "reactor", tls=True)[0] * 1e6, 12)
        (self.folder / "report.json").write_text(json.dumps(report))
        status, out, _ = self.run_script(self.log(50), "--report", self.folder / "report.json")
        self.assertEqual((status, out.splitlines()[-1]), (0, "2 nodes: 1 serve within 10 ms while 1 is down"))
        status, _, err = self.run_script(self.log(50), "--report", self.folder / "report.json", "--engine", "none")
        self.assertEqual(status, 1)
        self.assertIn("it has: reactor, reactor +openssl", err)

    def test_refusals(self):
        self.assertEqual(self.run_script(self.folder / "none", "--cpu-us", 1)[0], 1)
        self.assertEqual(self.run_script(self.log(5))[0], 2)
        status, _, err = self.run_script(self.log(50), "--cpu-us", 100_000, "--bound-ms", 10)
        self.assertEqual(status, 1)
        self.assertIn("no number of nodes is enough", err)


if __name__ == "__main__":
    unittest.main()
