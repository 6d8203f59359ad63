#!/usr/bin/env python3
"""bench/compare from its command line: what a report holds, that faults are seen, and that nothing
that was measured is lost, or left running."""

import json
import os
import signal
import subprocess
import sys
import unittest

import comparison
from comparison import COMPARE, GEARSHIFT, WAIT_S, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
COMBINATIONS = ["reactor", "multi-reactor", "reactor (again)"]


class Report(comparison.Comparison):
    def test_a_report_holds_all_that_was_measured(self):
        done = self.compare()
        self.assertIn("mix", done.stdout)
        report = self.report()
        self.assertEqual([c["name"] for c in report["combinations"]], COMBINATIONS)
        self.assertEqual({w["name"] for w in report["workloads"]}, {"mix", "median"})
        runs = [record for record in report["records"] if record["kind"] == "run"]
        self.assertEqual({(r["workload"], r["combination"]) for r in runs},
                         {(w, c) for w in ("mix", "median") for c in COMBINATIONS})
        for run in runs:
            self.assertNotIn("void", run)
            for key in ("requests", "octets", "rate", "cpu_us", "mbs", "p50", "waits",
                        "memory_kib", "noise"):
                self.assertGreaterEqual(run[key], 0, key)
            self.assertGreater(run["requests"], 0)
            self.assertTrue(run["command"].startswith("wrk "), run["command"])
        for key in ("cpu", "kernel", "governor", "congestion_measured", "limits", "versions"):
            self.assertIn(key, report["machine"])
        self.assertEqual(report["errors"], [])
        self.assertEqual(report["site"]["files"], 3)
        # One round bears out nothing.
        self.assertEqual(report["recommendation"]["choice"], "reactor")
        self.assertIn("too few runs", report["recommendation"]["headline"])
        self.assertEqual(report["summary"]["mix"]["leaders"]["cpu_us"], [])

    def test_reports_for_people_are_whole(self):
        self.compare()
        with open(self.path("out/report.html"), encoding="utf-8") as file:
            page = file.read()
        with open(self.path("out/report.md"), encoding="utf-8") as file:
            text = file.read()
        for told in ("multi-reactor", "The median file", "congestion control"):
            self.assertIn(told, page)
        self.assertIn("| multi-reactor |", text)
        self.assertNotIn("http://", page.split("<script>", 1)[0].replace("http://127.0.0.1", ""))

    def test_engines_under_one_load(self):
        """One server, one client: A B B A. What is left of the time is for fresh starts."""
        argv = [word for word in self.command("--no-control", "--workloads", "median")
                if word != "--fresh"]
        done = self.run_to_end(argv, 0)
        report = self.report()
        visits = [record for record in report["records"] if record["kind"] == "paired"]
        self.assertEqual([(v["workload"], v["a"], v["b"]) for v in visits],
                         [("median", "reactor", "multi-reactor")])
        self.assertNotIn("void", visits[0])
        self.assertEqual([len(block) for block in visits[0]["blocks"]], [4, 4, 4])
        self.assertGreater(visits[0]["shift_ms"], 0)
        row = report["paired"][0]
        self.assertEqual((row["n"], row["verdict"]), (3, "too few runs"))
        self.assertLess(row["low"], row["high"])
        self.assertIn("under one load, median: multi-reactor costs ", done.stdout)
        for name in ("report.md", "report.html"):
            with open(self.path(f"out/{name}"), encoding="utf-8") as file:
                self.assertIn("Under one load", file.read())

    def test_an_access_log_is_replayed(self):
        log = self.write("access.log", b"".join(
            b'127.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "%s HTTP/1.1" %d 5 "-" "-"\n' % line
            for line in ((b"GET /small.txt", 200), (b"GET /page%20%26%20more.html?x=1", 200),
                         (b"GET /small.txt", 304), (b"POST /small.txt", 200),
                         (b"GET /none", 404))))
        self.compare("--log", log, "--workloads", "log")
        report = self.report()
        self.assertTrue(report["workloads"][0]["what"].startswith("3 requests of"), report)
        self.assertTrue(any("1 x not a GET" in note for note in report["notes"]), report["notes"])

    def test_load_goes_up_until_it_is_too_much(self):
        self.compare("--workloads", "load", "--engines", "reactor", "--no-control")
        report = self.report()
        run = next(r for r in report["records"] if r["kind"] == "run")
        self.assertNotIn("void", run)
        self.assertGreater(run["requests"], 0)
        self.assertRegex(run["command"], r"gearshift-load \d+ ")
        rates = [point["offered"] for point in run["points"]]
        self.assertEqual(rates, sorted(set(rates)))
        self.assertGreaterEqual(len(rates), 2)
        for point in run["points"]:
            self.assertLessEqual(point["p50"], point["p99"])
        self.assertTrue("capacity" in run or run["late"])
        with open(self.path("out/report.html"), encoding="utf-8") as file:
            self.assertIn("against offered load", file.read())

    def test_deferred_accepts(self):
        self.compare("--workloads", "close", "--engines", "reactor", "--deferred")
        report = self.report()
        self.assertTrue(any("deferred until a request" in note for note in report["notes"]))
        self.assertRegex(str(report["starts"]), r"listen=\{\W+127\.0\.0\.1:\d+ deferred")
        self.assertIsNotNone(report["summary"]["close"]["cells"]["reactor"]["cpu_us"])

    def test_system_calls_are_counted_or_why_not_is_told(self):
        argv = [word for word in self.command("--workloads", "median") if word != "--no-counts"]
        self.run_to_end(argv, 0)
        report = self.report()
        cell = report["summary"]["median"]["cells"]["reactor"]
        if "calls" in cell:
            self.assertGreater(cell["calls"], 0.5)
            counted = [r for r in report["records"] if r["kind"] == "counts" and "failed" not in r]
            self.assertTrue(counted and all(r["futexes"] >= 0 for r in counted), counted)
            if counted[0]["tool"] == "perf" and os.path.exists("/sys/kernel/tracing/events/lock/contention_begin"):
                self.assertTrue(all(r["contended"] >= 0 for r in counted), counted)
        else:
            self.assertTrue(any("not counted" in note for note in report["notes"])
                            or any(r["kind"] == "counts" and "failed" in r
                                   for r in report["records"]), report["notes"])


class Faults(comparison.Comparison):
    def spec(self, fault):
        script = os.path.join(HERE, "broken_server.py")
        text = json.dumps({"broken": {"port": 1, "tls": None,
                                      "cmd": f"{sys.executable} -B {script} @PORT@ @WWW@ {fault}"}})
        return ["--peers-spec", self.write("servers.json", text.encode()), "--peers", "broken",
                "--engines", "reactor", "--no-control", "--workloads", "median"]

    def assert_void(self, fault, sentence):
        self.compare(*self.spec(fault), output=fault, status=3)
        report = self.report(fault)
        told = [error for error in report["errors"] if error["combination"] == "broken"]
        self.assertTrue(told, report["errors"])
        self.assertRegex(told[-1]["what"], sentence)
        self.assertIsNone(report["summary"]["median"]["cells"]["broken"]["cpu_us"])
        self.assertIsNotNone(report["summary"]["median"]["cells"]["reactor"]["cpu_us"])
        self.assertFalse([e for e in report["errors"] if e["combination"] == "reactor"])

    def test_wrong_octets(self):
        self.assert_void("octets", "not those of the file")

    def test_a_wrong_status(self):
        self.assert_void("status", "status 203 instead of 200")

    def test_errors_under_load(self):
        self.assert_void("late-status", "had a wrong status")

    def test_a_length_that_changes_under_load(self):
        self.assert_void("late-length", "octets")

    def test_connections_closed_under_load(self):
        self.assert_void("late-close", "failures|octets|wrong|closed|end")

    def test_a_server_that_does_not_start(self):
        self.compare(*self.spec("dies"), status=3)
        refused = self.report()["refused"]
        self.assertEqual((refused[0]["combination"], refused[0]["why"]),
                         ("broken", "it would not start"))


class Interruption(comparison.Comparison):
    LONG = ("--rounds", "1000", "--minutes", "60")

    def test_ctrl_c_keeps_what_is_done_and_resume_goes_on(self):
        process = self.start(*self.LONG)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(WAIT_S), 130)
        self.assert_nothing_is_left()
        report = self.report()
        self.assertTrue(report["interrupted"])
        before = [r for r in report["records"] if r["kind"] == "run"]
        self.assertGreaterEqual(len(before), 2)
        whole = 1 + max(run["round"] for run in before)
        self.compare("--resume", "--rounds", str(whole + 1), "--minutes", "60")
        report = self.report()
        self.assertFalse(report["interrupted"])
        after = [r for r in report["records"] if r["kind"] == "run"]
        self.assertEqual(after[:len(before)], before)
        # Every cell of every round once, none twice.
        self.assertEqual(sorted((r["round"], r["workload"], r["combination"]) for r in after),
                         sorted((n, w, c) for n in range(whole + 1) for w in ("mix", "median")
                                for c in COMBINATIONS))

    def test_killed_it_leaves_no_server_behind(self):
        process = self.start(*self.LONG)
        self.assertTrue(wait_until(self.processes))
        process.kill()
        process.wait(WAIT_S)
        self.assert_nothing_is_left()

    def test_resume_refuses_other_runs(self):
        self.compare()
        self.assertIn("--resume", self.compare(status=2).stderr)
        told = self.compare("--resume", "--connections", "5", status=2)
        self.assertIn("another", told.stderr)
        self.assertIn("connections", told.stderr)


class Again(comparison.Comparison):
    def test_report_only_and_baselines(self):
        self.compare("--rounds", "4")
        argv = [sys.executable, "-B", COMPARE, "--report-only", self.path("out/report.json"),
                "--baseline", self.path("out/report.json"), "--output", self.path("again")]
        self.run_to_end(argv, 0)
        report = self.report("again")
        self.assertEqual(report["summary"], self.report()["summary"])
        rows = report["baseline"]["rows"]
        self.assertTrue(rows)
        for row in rows:
            self.assertEqual((row["ratio"], row["verdict"]), (1, "no difference"))
            self.assertLessEqual(row["low"], 1)
            self.assertGreaterEqual(row["high"], 1)
        self.assertEqual(report["baseline"]["caveats"], [])

    def test_another_binary_is_measured_in_the_same_rounds(self):
        self.compare("--baseline", GEARSHIFT, "--engines", "reactor", "--workloads", "median")
        report = self.report()
        self.assertTrue(report["baseline"]["interleaved"])
        self.assertEqual({row["combination"] for row in report["baseline"]["rows"]}, {"reactor"})


class Arguments(comparison.Comparison):
    def assert_refused(self, sentence, *arguments, status=2):
        done = subprocess.run([sys.executable, "-B", COMPARE, *arguments], text=True, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, cwd=self.folder)
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        self.assertRegex(done.stderr, r"\Agearshift-compare: [^\n]*\n\Z")
        self.assertRegex(done.stderr, sentence)

    def test_bad_input_is_one_sentence(self):
        empty = self.path("empty")
        os.mkdir(empty)
        with_server = ["--gearshift", GEARSHIFT]
        self.assert_refused("no folder")
        self.assert_refused("is no folder", self.path("nowhere"), *with_server)
        self.assert_refused("holds no file", empty, *with_server)
        self.assert_refused("cannot be run", self.site, "--gearshift", self.path("none"))
        self.assert_refused("engine warp: this gearshift has reactor", self.site, *with_server,
                            "--engines", "warp")
        self.assert_refused("--workloads rain: this folder gives mix", self.site, *with_server,
                            "--workloads", "rain")
        self.assert_refused("--server-cpus x", self.site, *with_server, "--server-cpus", "x")
        self.assert_refused("KEY=VALUE", self.site, *with_server, "-o", "threads")
        self.assert_refused("--rounds 0", self.site, *with_server, "--rounds", "0")
        self.assert_refused("--resume needs --output", self.site, "--resume")
        self.assert_refused("no JSON", "--report-only", self.write("bad.json", b"{"))
        self.assert_refused("schema", "--report-only", self.write("old.json", b"{}"))
        log = self.write("access.log", b"rubbish\n")
        self.assert_refused("access.log: not one of 1 lines", self.site, *with_server, "--log", log)
        self.assertFalse([name for name in os.listdir(self.folder) if "compare" in name])


if __name__ == "__main__":
    comparison.skip_without_load_generators()
    unittest.main()
