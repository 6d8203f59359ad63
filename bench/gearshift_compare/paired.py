"""Engine against engine under one load: a server whose engine is changed while it serves (`gearshift
shift`), A B B A, on the same connections of one client. What the machine does to one of them it
does within the same seconds to the other, and what grows or falls evenly cancels within a block.

A shift starts another worker, which takes the connections over. So no period begins before the old
one has gone, and the CPU of a period is that of all processes of the server: the supervisor, which
sleeps, and the one worker there is.
"""

import dataclasses
import math
import os
import subprocess
import time

from . import check, intervals, measure, servers
from .clients import ClientFailed
from .combinations import REFERENCE

ORDER = "ABBA"         # a block; the next one begins with the engine that is there
BLOCKS = 3             # of a visit: a server started anew, and a client
VISITS_MAX = 4         # of a pair in a workload
PERIOD_S = 1.0
WARM_S = 0.25          # behind a shift, before its time counts: its caches are filled
GONE_S = 10            # for the old worker to go
SHARE = 0.4            # of the time of everything
OVERHEAD_S = 2.0       # of a visit, beside its periods: a start, a check, a client
FLOOR = 0.01           # no difference below this is called one
BLOCKS_MIN = 6         # for an interval that covers 95 %
FIRST = ("median", "smallest")  # workloads, where there is no time for all


@dataclasses.dataclass(frozen=True)
class Pair:
    workload: object
    a: object              # combinations: the reference, and what is compared with it
    b: object

    def key(self):
        return self.workload.name, self.a.name, self.b.name


def pairs(combinations, workloads, reference):
    """Those that one load can tell of: answers of one size on kept connections without TLS, which
    cannot move to another process; engines of one binary."""
    own = [c for c in combinations if not c.peer and not c.tls and c.role in ("candidate", "control")]
    first = next((c for c in own if c.name == reference), own[0] if own else None)
    asked = [w for w in workloads if w.client == "wrk" and len(w.asks) == 1
             and not w.tls and not w.close and not w.not_modified]
    asked.sort(key=lambda w: FIRST.index(w.name) if w.name in FIRST else len(FIRST))
    return [Pair(w, first, c) for w in asked for c in own if c is not first]


def visit_s(period):
    return OVERHEAD_S + BLOCKS * (len(ORDER) * period + 2 * (WARM_S + 0.15))


def choose(found, period, visits, budget):
    """The pairs for which there is time: of as many workloads as get two visits each. Empty where
    not even one workload has them."""
    chosen = []
    for name in dict.fromkeys(pair.workload.name for pair in found):
        more = chosen + [pair for pair in found if pair.workload.name == name]
        if len(more) * min(visits, BLOCKS_MIN // BLOCKS) * visit_s(period) > budget:
            break
        chosen = more
    return chosen


# Statistics.

def block_log(periods):
    """The logarithm of B over A in one block of four. What changes evenly with time cancels: A lies
    at the places 1 and 4, B at 2 and 3."""
    a1, b1, b2, a2 = map(math.log, periods)
    return (b1 + b2 - a1 - a2) / 2


def conclude(logs):
    """The ratio of B to A of all blocks, with its interval; None for none."""
    found = intervals.median_interval(logs)
    if found is None:
        return None
    ratio, low, high = (math.exp(found[key]) for key in ("median", "low", "high"))
    return {"ratio": ratio, "low": low, "high": high, "n": found["n"],
            "coverage": found["coverage"],
            "differ": found["n"] >= BLOCKS_MIN and not low <= 1 <= high}


def verdict(found, floor):
    """"better", "worse" or "no difference" of a figure that is better when it is smaller."""
    if found["n"] < BLOCKS_MIN:
        return "too few runs"
    if not found["differ"] or abs(found["ratio"] - 1) <= floor:
        return "no difference"
    return "better" if found["ratio"] < 1 else "worse"


def rows(records, summary):
    """What report.json tells: for each workload and pair the ratio of CPU per request under one
    load, and beside it that of fresh starts."""
    logs = {}
    for record in records:
        if record.get("kind") == "paired":
            key = record["workload"], record["a"], record["b"]
            logs.setdefault(key, [])
            if "void" not in record:
                logs[key] += [block_log(block) for block in record["blocks"]]
    found = []
    for (workload, a, b), own in logs.items():
        told = conclude(own)
        if told is None:
            continue
        cells = summary.get(workload, {}).get("cells", {})
        fresh = intervals.ratio(*(cells.get(name, {}).get("cpu_us") for name in (b, a)))
        found.append({"workload": workload, "a": a, "b": b, **told, "fresh": fresh,
                      "narrower": narrower(told, fresh), "control": b == f"{a} (again)"})
    for row in found:
        same = [other for other in found if other["control"] and other["workload"] == row["workload"]]
        row["floor"] = max([FLOOR] + [abs(other["ratio"] - 1) for other in same])
        row["verdict"] = verdict(row, row["floor"])
    return found


def row_of(report, workload, name, against):
    """The row of two combinations, or None."""
    return next((row for row in report.get("paired", ()) if (row["workload"], row["b"], row["a"])
                 == (workload, name, against)), None)


def narrower(told, fresh):
    """How many times narrower than the interval of fresh starts, by the logarithm; None: unknown."""
    if fresh is None or fresh["low"] <= 0 or told["high"] <= told["low"]:
        return None
    return math.log(fresh["high"] / fresh["low"]) / math.log(told["high"] / told["low"])


# Measuring.

class Visit:
    """A server, a client, and so many blocks."""

    def __init__(self, bench, server, pair, period, control):
        self.bench, self.server, self.pair, self.period = bench, server, pair, period
        self.control = control
        self.shifts = []

    def run(self):
        """The record; where something was wrong it has `void`, a sentence."""
        record = {"kind": "paired", "period_s": self.period}
        try:
            fields, size = check.check_workload(self.server, self.pair.workload, self.bench.draw,
                                                whole=False)
            record.update(self._blocks(fields, size))
            check.check_workload(self.server, self.pair.workload, self.bench.draw, whole=False)
        except (check.WrongAnswer, ClientFailed, OSError) as error:
            record["void"] = str(error)
        return record

    def _blocks(self, fields, size):
        client = measure.client_for(self.bench, self.server, self.pair.workload, fields)
        blocks, noise = [], []

        def under_load(process):
            now = None
            for _ in range(BLOCKS):
                block = []
                for side in ORDER:
                    if side != now:
                        self.shift(self.pair.a if side == "A" else self.pair.b)
                        now = side
                    cost, others = self._period(process, size)
                    block.append(cost)
                    noise.append(others)
                blocks.append(block)

        figures = client.during(under_load)
        failed = {name: count for name, count in figures["failed"].items() if count}
        if failed or figures["status_errors"]:
            raise ClientFailed(f"the client tells of failures: {failed or 'statuses'}")
        return {"blocks": blocks, "noise": max(noise), "shift_ms": intervals.median_interval(
            self.shifts)["median"], "command": client.command()}

    def _period(self, process, size):
        """CPU microseconds of the server a request, and CPUs that others used."""
        before = set(self.server.pids())
        meter = measure.Meter(self.bench, self.server)
        meter.note(process)
        time.sleep(self.period)
        meter.note(process)
        if not before <= set(self.server.pids()):
            raise ClientFailed("a worker ended while its time was counted")
        used, requests = meter.read(), meter.received() / size
        if requests < 1:
            raise ClientFailed("not one answer came in a period")
        return used["server"]["cpu_s"] * 1e6 / requests, used["noise"]

    def shift(self, combination):
        """Another engine, and behind it the time to warm up. Raises ClientFailed."""
        old = set(self.server.pids()) - {self.server.process.pid}
        argv = [combination.binary, "shift", combination.engine,
                *(f"{key}={value}" for key, value in combination.settings),
                "--control", self.control]
        began = time.monotonic()
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().rpartition("\n")[2]
            raise ClientFailed(f"gearshift shift {combination.engine}: {said}")
        self.shifts.append((time.monotonic() - began) * 1e3)
        deadline = time.monotonic() + GONE_S
        while old & set(self.server.pids()):
            if time.monotonic() > deadline:
                raise ClientFailed("the worker of the engine before does not end")
            time.sleep(0.01)
        time.sleep(WARM_S)


@dataclasses.dataclass(frozen=True)
class Stage:
    """What is to be measured so, and for how long."""
    pairs: list
    period: float
    visits: int
    budget_s: float


def budget(a, combinations, workloads, plan, notes):
    """Takes the time of this from the plan's. The Stage."""
    found = [] if a.fresh else pairs(combinations, workloads, REFERENCE)
    period = min(PERIOD_S, plan.seconds) if a.seconds else PERIOD_S / 2
    visits = min(VISITS_MAX, plan.rounds)
    own = plan.budget_s * SHARE
    chosen = choose(found, period, visits, own)
    own = min(own, 1.2 * len(chosen) * visits * visit_s(period))
    if chosen:
        if not a.seconds:
            plan.seconds *= 1 - own / plan.budget_s
        plan.budget_s -= own
    elif found:
        need = BLOCKS_MIN / BLOCKS * visit_s(period) * len({p.b.name for p in found}) / SHARE / 60
        notes.append("Engines were compared by fresh starts alone: under one load, so many of them "
                     f"take {math.ceil(need)} minutes in all; fewer --engines, or more --minutes.")
    return Stage(chosen, period, visits, own)


class Runner:
    """All visits, in rounds over the pairs, until they are made or the time is over."""

    def __init__(self, stage, plan, journal, progress):
        self.stage, self.plan, self.journal, self.progress = stage, plan, journal, progress
        self.until = time.monotonic() + stage.budget_s

    def _done(self, pair):
        return sum((r["workload"], r["a"], r["b"]) == pair.key() for r in self.journal.of("paired"))

    def run(self):
        refused = {r["combination"] for r in self.journal.of("refused")}
        for number in range(self.stage.visits):
            for pair in self.stage.pairs:
                if self._done(pair) > number or {pair.a.name, pair.b.name} & refused:
                    continue
                left = self.until - time.monotonic()
                if left < visit_s(self.stage.period):
                    return
                self.progress.step(number, f"{pair.workload.name}, {pair.b.name} under one load",
                                   len(self.journal.of("paired")), left)
                workload, a, b = pair.key()
                self.journal.add({**self._visit(pair), "workload": workload, "a": a, "b": b,
                                  "round": number})

    def _visit(self, pair):
        control = os.path.join(self.plan.bench.folder, "control")
        # What the engines are given comes by shift alone, so that neither has the other's settings.
        base = dataclasses.replace(pair.a, name="paired", settings=(
            ("processes", "1"), ("control", control)))
        server = self.plan.make_server(base)
        try:
            server.start(self.plan.bench.server_cpus)
            return Visit(self.plan.bench, server, pair, self.stage.period, control).run()
        except servers.StartFailed as error:
            return {"kind": "paired", "void": f"it did not start: {error}"}
        finally:
            server.stop()
