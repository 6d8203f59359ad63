#!/usr/bin/env python3
"""What bench/compare concludes from figures: intervals, ties, advice. Nothing is measured."""

import os
import tempfile
import unittest

import comparison  # its import makes the package importable
from gearshift_compare import (Refusal, access_log, baseline, clients, intervals, machine,
                               recommend, report as reports, site, summary, workloads)

assert comparison


def measured(*values):
    return intervals.median_interval(values)


class Intervals(unittest.TestCase):
    def test_order_statistics_of_the_median(self):
        self.assertIsNone(intervals.median_interval([]))
        self.assertEqual(measured(7), {"median": 7, "low": 7, "high": 7, "n": 1, "coverage": 0})
        # Five runs: the extremes cover 1 - 2/32; six: 1 - 2/64.
        self.assertEqual(measured(5, 3, 1, 2, 4),
                         {"median": 3, "low": 1, "high": 5, "n": 5, "coverage": 0.9375})
        self.assertEqual(measured(1, 2, 3, 4, 5, 6)["coverage"], 0.9688)
        # Nine: the second from either end, 1 - 2 (1 + 9) / 512 (Conover's table).
        nine = measured(*range(1, 10))
        self.assertEqual((nine["low"], nine["high"], nine["coverage"]), (2, 8, 0.9609))
        fifteen = measured(*range(1, 16))
        self.assertEqual((fifteen["low"], fifteen["high"]), (4, 12))

    def test_overlap_is_no_difference(self):
        a, b = measured(10, 11, 12, 13), measured(12.5, 14, 15, 16)
        self.assertFalse(intervals.differ(a, b))
        self.assertTrue(intervals.differ(a, measured(14, 15, 16, 17)))
        self.assertTrue(intervals.differ(measured(14, 15, 16, 17), a))

    def test_few_runs_bear_nothing_out(self):
        self.assertFalse(intervals.differ(measured(1, 1, 1), measured(9, 9, 9)))
        self.assertFalse(intervals.differ(measured(1, 1, 1, 1), None))
        self.assertEqual(intervals.leaders({"a": measured(1), "b": measured(2)}), [])

    def test_leaders_are_all_that_cannot_be_told_apart(self):
        of = {"a": measured(10, 10.5, 11, 11.5), "b": measured(11, 12, 12, 13),
              "c": measured(20, 21, 22, 23), "d": None}
        self.assertEqual(intervals.leaders(of), ["a", "b"])
        self.assertEqual(intervals.leaders(of, smaller_is_better=False), ["c"])
        apart = {"a": measured(100, 100, 100, 100), "b": measured(102, 102, 102, 102)}
        self.assertEqual(intervals.leaders(apart), ["a"])
        self.assertEqual(intervals.leaders(apart, floor=0.03), ["a", "b"])

    def test_a_ratio_keeps_both_intervals(self):
        found = intervals.ratio(measured(9, 10, 10, 11), measured(18, 20, 20, 22))
        self.assertEqual((found["ratio"], found["low"], found["high"], found["differ"]),
                         (0.5, 9 / 22, 11 / 18, True))
        self.assertIsNone(intervals.ratio(measured(1), measured(0)))


def run(combination, cpu_us, number, workload="mix", **more):
    return {"kind": "run", "round": number, "workload": workload, "combination": combination,
            "noise": 0, "cpu_us": cpu_us, "rate": 1e6 / cpu_us, "p99": cpu_us / 10,
            "curve": [[50, cpu_us / 20], [99, cpu_us / 10]], "server_util": 1, "client_util": 0.5,
            **more}


def combination(name, engine, settings=(), role="candidate"):
    return {"name": name, "engine": engine, "settings": dict(settings), "tls": "", "peer": "",
            "binary": "gearshift", "role": role}


def make_report(costs, more=(), server_cpus=1, octets=1 << 20):
    """A report of runs with these CPU costs: {combination: [cost of a round]}."""
    records = [run(name, cost, number) for name, own in costs.items()
               for number, cost in enumerate(own)] + list(more)
    shapes = {"reactor": combination("reactor", "reactor"),
              "proactor": combination("proactor", "proactor", [("threads", "1")]),
              "pool": combination("pool", "reactor-pool", [("pool_work", "file")]),
              "reactor (again)": combination("reactor (again)", "reactor", role="control")}
    names = dict.fromkeys(record["combination"] for record in records)
    return reports.conclude({
        "schema": 1, "gearshift": "1", "started": "then", "settings": {},
        "machine": {"congestion_measured": "reno", "governor": "performance", "virtual": False,
                    "load_average": 0, "cpus": 2, "memory_mib": 1024, "cpu": "x", "kernel": "6"},
        "bench": {"server_cpus": [0], "client_cpus": [1], "server_cpus_count": server_cpus,
                  "client_cpus_count": 1},
        "site": {"octets": octets, "root": "/s", "files": 3},
        "workloads": [{"name": name, "title": name, "unit": "request", "client": client,
                       "metric": metric, "server_cpus": server_cpus, "client_cpus": 1}
                      for name, client, metric in (("mix", "wrk", "cpu_us"),
                                                   ("close", "wrk", "cpu_us"),
                                                   ("cold", "cold", "p99"))],
        "combinations": [shapes[name] for name in names], "records": records})


class Advice(unittest.TestCase):
    def advice(self, *arguments, **options):
        return make_report(*arguments, **options)["recommendation"]

    def test_noise_is_not_crowned(self):
        told = self.advice({"reactor": [10, 11, 12, 13, 14], "proactor": [9, 10, 11, 12, 13]})
        self.assertEqual(told["choice"], "reactor")
        self.assertIn("below the noise", told["headline"])
        self.assertEqual(told["lines"], ["engine = reactor"])

    def test_a_real_difference_is_told_with_its_margin(self):
        told = self.advice({"reactor": [10, 10, 10.1, 10.2, 10.2], "proactor": [8, 8, 8, 8.1, 8.2],
                            "pool": [8.1, 8.1, 8.2, 8.3, 8.3]})
        self.assertEqual(told["choice"], "proactor")
        self.assertEqual(told["lines"], ["engine = proactor", "threads = 1"])
        self.assertIn("21 % less", told["headline"])
        self.assertAlmostEqual(told["margin"]["ratio"], 8 / 10.1)
        self.assertTrue(any("Not told apart from it there: pool" in r for r in told["reasons"]))

    def test_a_difference_as_large_as_between_identical_servers_is_none(self):
        same = {"reactor": [10] * 5, "proactor": [9] * 5}
        self.assertEqual(self.advice(same)["choice"], "proactor")
        noisy = {**same, "reactor (again)": [8.8] * 5}
        self.assertEqual(self.advice(noisy)["choice"], "reactor")

    def test_few_runs_are_called_so(self):
        told = self.advice({"reactor": [10, 10, 10], "proactor": [5, 5, 5]})
        self.assertEqual(told["choice"], "reactor")
        self.assertIn("too few runs", told["headline"])

    def test_what_it_costs_elsewhere_is_told(self):
        more = [run(name, cost, number, "close") for number in range(4)
                for name, cost in (("reactor", 20), ("proactor", 26))]
        told = self.advice({"reactor": [10] * 5, "proactor": [8] * 5}, more)
        self.assertTrue(any("loses" in r and "1.30 x" in r for r in told["reasons"]),
                        told["reasons"])

    def cold(self):
        return [{**run(name, 1, number, "cold"), "cpu_us": None, "p99": p99}
                for number in range(4) for name, p99 in (("reactor", 300), ("pool", 4))]

    def test_cold_files_are_a_reason_of_their_own(self):
        told = self.advice({"reactor": [10] * 5, "pool": [11] * 5}, self.cold())
        self.assertEqual(told["choice"], "reactor")
        self.assertTrue(any("think of pool" in r for r in told["reasons"]), told["reasons"])
        # A site larger than the memory lives from the disk.
        told = self.advice({"reactor": [10] * 5, "pool": [11] * 5}, self.cold(), octets=1 << 40)
        self.assertEqual((told["choice"], told["workload"]), ("pool", "cold"))

    def test_with_several_cpus_requests_a_second_count(self):
        more = [{**run(name, 10, number), "rate": rate} for number in range(5)
                for name, rate in (("reactor", 1000), ("proactor", 3000))]
        told = self.advice({}, more, server_cpus=4)
        self.assertEqual((told["choice"], told["figure"]), ("proactor", "rate"))
        self.assertIn("200 % more", told["headline"])


class Summary(unittest.TestCase):
    def test_void_runs_do_not_count_and_are_told(self):
        bad = {"kind": "run", "round": 9, "workload": "mix", "combination": "reactor",
               "void": "a wrong octet"}
        found = make_report({"reactor": [10] * 4}, [bad])
        cell = found["summary"]["mix"]["cells"]["reactor"]
        self.assertEqual((cell["runs"], cell["used"], cell["void"], cell["cpu_us"]["median"]),
                         (5, 4, 1, 10))
        self.assertEqual(found["errors"][0]["what"], "a wrong octet")

    def test_noisy_runs_are_left_out_where_enough_are_quiet(self):
        loud = [run("reactor", 99, 10 + i, noise=0.9) for i in range(3)]
        cell = make_report({"reactor": [10] * 5}, loud)["summary"]["mix"]["cells"]["reactor"]
        self.assertEqual((cell["used"], cell["noisy"], cell["cpu_us"]["high"]), (5, 3, 10))
        cell = make_report({"reactor": [10] * 2}, loud)["summary"]["mix"]["cells"]["reactor"]
        self.assertEqual(cell["used"], 5)

    def test_a_client_that_is_the_bottleneck_is_told_of(self):
        busy = [run("reactor", 10, i, server_util=0.4, client_util=0.99) for i in range(4)]
        told = make_report({}, busy)["warnings"]
        self.assertTrue(any("bottleneck" in w and " in mix:" in w for w in told), told)

    def test_a_regression_is_a_ratio_with_an_interval(self):
        now = make_report({"reactor": [12, 12, 12, 13], "proactor": [8] * 4})
        then = make_report({"reactor": [10, 10, 10, 10.5], "proactor": [8] * 4})
        then["machine"]["kernel"] = "5"
        found = baseline.compare(now, then)
        row = next(r for r in found["rows"] if (r["combination"], r["figure"])
                   == ("reactor", "cpu_us"))
        self.assertEqual((row["ratio"], row["low"], row["high"], row["verdict"]),
                         (1.2, 12 / 10.5, 1.3, "worse"))
        self.assertEqual({r["verdict"] for r in found["rows"] if r["combination"] == "proactor"},
                         {"no difference"})
        self.assertEqual(found["caveats"], ["another kernel: 5 then, 6 now"])

    def test_bbr_is_warned_of(self):
        facts = {"congestion_measured": "bbr", "governor": "performance", "virtual": False,
                 "load_average": 0, "cpus": 4}
        self.assertIn("bbr", machine.warnings(facts, (0,), (1,))[0])
        facts["congestion_measured"] = "reno"
        self.assertEqual(machine.warnings(facts, (0,), (1,)), [])
        self.assertIn("share", machine.warnings(facts, (0,), (0,))[0])


    def test_a_knee_is_of_the_rates_that_half_of_the_runs_tried(self):
        def point(offered, ms):
            return {"offered": offered, "p50": ms, "p99": 2 * ms, "p999": 3 * ms, "late": ms > 5}
        runs = [run("reactor", 5, n, "load", capacity=1000 + n, late=n == 0,
                    points=[point(2000, 4 + n), point(1000, 1 + n)] + [point(1500, 2)] * (n == 3))
                for n in range(4)]
        one = {"name": "load", "metric": "capacity"}
        found = summary.summarize(runs, [one], [combination("reactor", "reactor")])
        cell = found["load"]["cells"]["reactor"]
        self.assertEqual(cell["capacity"]["median"], 1001.5)
        self.assertEqual([(p["offered"], p["n"], p["late"], p["p99"]) for p in cell["knee"]],
                         [(1000, 4, 0, 5), (2000, 4, 2, 11)])

    def test_more_capacity_is_better(self):
        cells = {name: {"capacity": measured(*values)} for name, values in
                 (("a", (100, 101, 102, 103)), ("b", (200, 201, 202, 203)))}
        self.assertEqual(summary.compare(cells, 0.03, "b", "a", "capacity")["verdict"], "better")

    def test_a_late_clock_is_warned_of(self):
        runs = [run("reactor", 10, number, "cold") for number in range(4)]
        self.assertEqual(summary.warnings(runs, {}, []), [])
        runs[1]["on_time"] = False
        self.assertIn("real-time", summary.warnings(runs, {}, [])[0])

    def test_a_late_generator_is_told_by_what_it_did(self):
        """Rates up to a knee, and one rate on a schedule."""
        ladder, paced = {"kind": "run", "late": True, "points": []}, {"kind": "run", "late": True}
        self.assertIn("in 1 of 2 runs", summary.warnings([ladder, {**ladder, "late": False}], {}, [])[0])
        told = summary.warnings([paced, paced, {**paced, "late": False}], {}, [])
        self.assertEqual(len(told), 1)
        self.assertIn("2 of 3 runs on a schedule", told[0])


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        for name, size in (("a.txt", 10), ("sub/index.html", 2000), ("b c?.bin", 500),
                           (".hidden", 5), ("empty", 0), ("big.bin", 5 << 20)):
            path = os.path.join(self.folder.name, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.truncate(size)
        os.symlink("/etc/passwd", os.path.join(self.folder.name, "link"))
        self.site = site.Site(self.folder.name)

    def test_files_that_can_be_asked_for_smallest_first(self):
        self.assertEqual([file.target for file in self.site.files],
                         ["/a.txt", "/b%20c%3F.bin", "/sub/index.html", "/big.bin"])
        self.assertEqual(self.site.left_out, 3)
        self.assertEqual(sum(part["files"] for part in self.site.describe()["sizes"]), 4)

    def test_the_mix_is_that_of_the_folder_and_of_the_seed(self):
        self.assertEqual(sorted(f.target for f in self.site.mix(1)),
                         sorted(f.target for f in self.site.files))
        self.assertEqual(self.site.mix(5), self.site.mix(5))

    def test_workloads(self):
        found, notes = workloads.from_site(self.site, seed=1)
        by_name = {w.name: w for w in found}
        self.assertEqual(by_name["largest"].client, "drain")
        self.assertEqual(by_name["largest"].unit, "MiB")
        self.assertEqual(by_name["range"].asks[0].length, 1024)
        self.assertEqual(len(by_name["cold"].extra["cold"]), 1)
        self.assertTrue(by_name["tls"].tls)
        self.assertEqual(notes, [])

    def log(self, text):
        path = os.path.join(self.folder.name, ".log")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return access_log.read(path, self.site)

    def test_an_access_log_in_each_format(self):
        found, left_out = self.log(
            '::1 - bob [1/Jan/2026:00:00:00 +0000] "GET /a.txt HTTP/1.1" 200 10 "r\\"x" "agent"\n'
            'h - - [1/Jan/2026:00:00:00 +0000] "GET /sub/ HTTP/1.0" 304 0\n'
            '{"request": "GET /b%20c%3f.bin HTTP/1.1", "status": 200}\n'
            'h - - [1/Jan/2026:00:00:00 +0000] "HEAD /a.txt HTTP/1.1" 200 0\n'
            "nonsense\n")
        self.assertEqual([asked.target for asked in found], ["/a.txt", "/sub/", "/b%20c%3f.bin"])
        self.assertEqual([bool(asked.fields) for asked in found], [False, True, False])
        self.assertEqual(sum(left_out.values()), 2)

    def test_a_log_of_another_site_is_refused(self):
        with self.assertRaisesRegex(Refusal, "not one of 1 lines.*no such file"):
            self.log('h - - [1/Jan/2026:00:00:00 +0000] "GET /x HTTP/1.1" 200 1\n')


class Scripts(unittest.TestCase):
    def test_lua_strings_cannot_be_left(self):
        script = clients.wrk_script([('/a"b\\', ('X: "q"',)), ("/b", ())], 2, 3)
        self.assertIn('{"/a\\034b\\092", {["X"] = "\\034q\\034"}}', script)

    def test_percentiles_that_wrk_cannot_tell_end_the_curve(self):
        found = clients._with_percentiles({"curve": [[50, 2000], [90, 9000], [99, 0]]})
        self.assertEqual(found["curve"], [[50, 2], [90, 9]])
        self.assertNotIn("p99", found)
        self.assertEqual(clients._with_percentiles({"curve": [[50, 0], [90, 0]]}), {"curve": []})

    def test_cpu_lists(self):
        own = sorted(os.sched_getaffinity(0))
        self.assertEqual(machine.parse_cpus(str(own[0])), (own[0],))
        for wrong in ("", "x", "3-1", "99999"):
            self.assertRaises(ValueError, machine.parse_cpus, wrong)

    def test_the_glance_counts_larger_as_better_for_rates(self):
        cells = {"a": {"rate": measured(10, 10, 10, 10)}, "b": {"rate": measured(5, 5, 5, 5)}}
        self.assertEqual(summary.compare(cells, 0.03, "a", "b", "rate")["verdict"], "better")
        self.assertEqual(summary.compare(cells, 0.03, "b", "a", "rate")["verdict"], "worse")
        self.assertEqual(recommend._choose({}, {"w": {"cells": cells, "floor": 0.03}}, "w", ["b", "a"], "b",
                                           "rate"), ("a", "better"))


if __name__ == "__main__":
    unittest.main()
