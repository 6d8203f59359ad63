#!/usr/bin/env python3
"""Engines under one load (paired.py): what is concluded, from blocks whose truth is known, and what is
asked for. A run of it is in test_compare.py."""

import math
import random
import types
import unittest

import comparison  # its import makes the package importable
from gearshift_compare import Refusal, arguments, combinations, intervals, paired, summary

assert comparison


class Machine:
    """Costs of a request as a machine would show them: drift, noise of each period, and now and
    then a period that somebody else has spoilt."""

    def __init__(self, seed, drift=0.0, noise=0.015, spoilt=0.0, mood=0.0):
        self.draw = random.Random(seed)
        self.drift, self.noise, self.spoilt, self.mood = drift, noise, spoilt, mood

    def _cost(self, ratio, at):
        cost = 10 * ratio * math.exp(self.drift * at + self.draw.gauss(0, self.noise))
        return cost * (2.0 if self.draw.random() < self.spoilt else 1.0)

    def blocks(self, ratio, count):
        """Periods in the order ABBA, one after the other."""
        return [[self._cost(ratio if side == "B" else 1, 4 * i + k)
                 for k, side in enumerate(paired.ORDER)] for i in range(count)]

    def starts(self, ratio, count):
        """As fresh starts see it: each in a mood of the machine's own."""
        return [self._cost(ratio, i) * math.exp(self.draw.gauss(0, self.mood)) for i in range(count)]


def concluded(blocks):
    return paired.conclude([paired.block_log(block) for block in blocks])


class Statistics(unittest.TestCase):
    def test_three_percent_are_found(self):
        found = sum(paired.verdict(concluded(Machine(seed).blocks(1.03, 12)), paired.FLOOR) == "worse"
                    for seed in range(200))
        self.assertGreaterEqual(found, 180)

    def test_none_is_not(self):
        verdicts = [paired.verdict(concluded(Machine(seed).blocks(1, 12)), paired.FLOOR)
                    for seed in range(400)]
        self.assertGreaterEqual(verdicts.count("no difference"), 0.95 * 400)

    def test_the_interval_covers_what_it_says(self):
        """Twelve blocks: the fourteenth of the means from either end, 0.9575 (Wilcoxon's table)."""
        told = [concluded(Machine(seed, spoilt=0.1).blocks(1.03, 12)) for seed in range(1000)]
        self.assertEqual(told[0]["coverage"], 0.9575)
        covered = sum(one["low"] <= 1.03 <= one["high"] for one in told)
        self.assertGreater(covered, 940)
        self.assertLess(covered, 985)

    def test_signed_ranks(self):
        """Six values: smallest and largest, 1 - 2/64; of means, those of values with themselves."""
        self.assertEqual(paired.signed_rank_interval([1, 2, 3, 4, 5, 6]), (3.5, 1, 6, 0.9688))
        self.assertEqual(paired.signed_rank_interval([7.0]), (7.0, 7.0, 7.0, 0.0))
        middle, low, high, coverage = paired.signed_rank_interval(list(range(1, 10)))
        self.assertEqual((middle, low, high), (5, 2.5, 7.5))  # the sixth of 45 means from either end
        self.assertEqual(coverage, 0.9609)

    def test_drift_cancels(self):
        """Two percent a period, either way: within a block A B B A nothing of it is left."""
        for drift in (-0.02, 0.02):
            quiet = Machine(1, drift=drift, noise=0)
            for block in quiet.blocks(1.03, 5):
                self.assertAlmostEqual(paired.block_log(block), math.log(1.03), 12)
            # Where A B A B would be off by the drift of a period.
            a1, b1, a2, b2 = (math.exp(drift * at) * r for at, r in enumerate((1, 1.03) * 2))
            self.assertGreater(abs(math.log(b1 * b2 / (a1 * a2)) / 2 - math.log(1.03)), 0.019)

    def test_it_is_narrower_than_fresh_starts(self):
        machine = Machine(7, noise=0.015, mood=0.08)
        fresh = intervals.ratio(intervals.median_interval(machine.starts(1.03, 24)),
                                intervals.median_interval(machine.starts(1, 24)))
        self.assertGreater(paired.narrower(concluded(machine.blocks(1.03, 12)), fresh), 3)
        self.assertIsNone(paired.narrower(concluded(machine.blocks(1.03, 12)), None))

    def test_few_blocks_bear_nothing_out(self):
        few = concluded(Machine(1).blocks(2, paired.BLOCKS_MIN - 1))
        self.assertEqual(paired.verdict(few, paired.FLOOR), "too few runs")
        self.assertIsNone(paired.conclude([]))

    def test_what_the_same_engine_differs_by_is_no_difference(self):
        def record(b, ratio):
            return {"kind": "paired", "workload": "median", "a": "reactor", "b": b,
                    "blocks": Machine(len(b), noise=0.002).blocks(ratio, 9)}

        records = [record("reactor (again)", 1.04), record("proactor", 0.97), record("pool", 1.2),
                   {"kind": "paired", "workload": "median", "a": "reactor", "b": "pool", "void": "x"}]
        verdicts = {row["b"]: row["verdict"] for row in paired.rows(records, {})}
        self.assertEqual(verdicts, {"reactor (again)": "no difference", "proactor": "no difference",
                                    "pool": "worse"})

    def test_the_floor_of_fresh_starts_is_above(self):
        self.assertLess(paired.FLOOR, summary.FLOOR_MIN)


def workload(name, **more):
    return types.SimpleNamespace(**{"name": name, "client": "wrk", "asks": (1,), "tls": False,
                                    "close": False, "not_modified": False, **more})


def combination(name, **more):
    return combinations.Combination(name, name.split()[0], **more)


class Choice(unittest.TestCase):
    OWN = [combination("reactor"), combination("proactor"),
           combination("reactor (again)", role="control"), combination("reactor +openssl", tls="openssl"),
           combination("iterative"), combination("thread-pool"),
           combination("nginx", peer="nginx", role="peer"), combination("old: reactor", role="baseline")]

    def test_pairs_are_engines_of_one_server_on_kept_connections(self):
        asked = [workload("mix", asks=(1, 2)), workload("smallest"), workload("median"),
                 workload("close", close=True), workload("tls", tls=True), workload("cold", client="cold")]
        found = paired.pairs(self.OWN, asked, "reactor")
        self.assertEqual(paired.pairs([self.OWN[0], self.OWN[2]], asked, "reactor"), [])
        self.assertEqual([pair.key() for pair in found], [
            (name, "reactor", b) for name in ("median", "smallest")
            for b in ("proactor", "reactor (again)")])

    def test_workloads_are_as_many_as_there_is_time_for(self):
        found = paired.pairs(self.OWN, [workload("median"), workload("smallest")], "reactor")
        each = 2 * 2 * 10  # two pairs, two visits
        self.assertEqual(len(paired.choose(found, 10, 4, 2.1 * each)), 4)
        self.assertEqual({p.workload.name for p in paired.choose(found, 10, 4, 1.9 * each)}, {"median"})
        self.assertEqual(paired.choose(found, 10, 4, 0.9 * each), [])

    def test_time_is_taken_from_the_whole_or_a_note_says_why_not(self):
        plan = types.SimpleNamespace(seconds=1.0, rounds=15, budget_s=600.0)
        notes = []
        a = types.SimpleNamespace(fresh=False, seconds=None)
        stage = paired.budget(a, self.OWN, [workload("median")], plan, notes)
        self.assertEqual((len(stage.pairs), notes), (2, []))
        self.assertAlmostEqual(plan.budget_s + stage.budget_s, 600)
        plan = types.SimpleNamespace(seconds=1.0, rounds=15, budget_s=20.0)
        self.assertEqual(paired.budget(a, self.OWN, [workload("median")], plan, notes).pairs, [])
        self.assertIn("fresh starts alone", notes[0])
        a.fresh = True
        self.assertEqual(paired.budget(a, self.OWN, [workload("median")], plan, notes).pairs, [])
        self.assertEqual(len(notes), 1)

    def test_the_option(self):
        self.assertTrue(arguments.parse(["/", "--fresh"], "gearshift").fresh)
        with self.assertRaises(Refusal):
            arguments.parse(["--fresh"], "gearshift")


if __name__ == "__main__":
    unittest.main()
