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
import statistics
import subprocess
import time

from . import check, intervals, measure, processes, servers
from .clients import ClientFailed
from .combinations import REFERENCE

ORDER = "ABBA"         # a block; the next one begins with the engine that is there
BLOCKS = 10            # of a visit: a server started anew, and a client
VISITS_MAX, VISITS_MIN = 4, 2  # of a pair in a workload
PERIOD_S = 0.2         # the machine's mood wanders on every scale: the shorter, the more of it cancels
WARM_S = 0.1           # behind a shift, before its time counts: its caches are filled
WARM_ANSWERS = 10      # ... and so many on each connection
GONE_S, SHIFT_S = 10, 0.15  # for the old worker to go: at most, and about
SHARE = 0.4            # of the time of everything
OVERHEAD_S = 2.0       # of a visit, beside its periods: a start, a check, a client
FLOOR = 0.01           # no difference below this is called one
BLOCKS_MIN = 6         # for an interval that covers 95 %
# They serve no more connections than they have threads, and end kept ones while others wait: those
# of the client do not stay the same.
NOT_KEPT = ("iterative", "thread-pool")
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
    own = [c for c in combinations if not c.peer and not c.tls
           and c.role in ("candidate", "control") and c.engine not in NOT_KEPT]
    first = next((c for c in own if c.name == reference), own[0] if own else None)
    if all(c is first or c.role == "control" for c in own):
        return []  # nobody to compare with
    asked = [w for w in workloads if w.client == "wrk" and len(w.asks) == 1
             and not w.tls and not w.close and not w.not_modified]
    asked.sort(key=lambda w: FIRST.index(w.name) if w.name in FIRST else len(FIRST))
    return [Pair(w, first, c) for w in asked for c in own if c is not first]


def visit_s(period, blocks=BLOCKS):
    return OVERHEAD_S + blocks * (len(ORDER) * period + 2 * (WARM_S + SHIFT_S))


def choose(found, seconds, visits, budget):
    """The pairs for which there is time: of as many workloads as get two visits each, of so many
    seconds. Empty where not even one workload has them."""
    chosen = []
    for name in dict.fromkeys(pair.workload.name for pair in found):
        more = chosen + [pair for pair in found if pair.workload.name == name]
        if len(more) * min(visits, VISITS_MIN) * seconds > budget:
            break
        chosen = more
    return chosen


# Statistics.

def block_log(periods):
    """The logarithm of B over A in one block of four. What changes evenly with time cancels: A lies
    at the places 1 and 4, B at 2 and 3."""
    a1, b1, b2, a2 = map(math.log, periods)
    return (b1 + b2 - a1 - a2) / 2


def signed_rank_interval(values):
    """The median of the means of all pairs (Hodges and Lehmann), and the interval of Wilcoxon's
    signed ranks around it: (middle, low, high, coverage). It asks of the values that they lie
    evenly around their middle, which a block does: what spoils an A is as likely to spoil a B. For
    that it is a fifth narrower than order statistics of the values themselves."""
    n = len(values)
    means = sorted((values[i] + values[j]) / 2 for i in range(n) for j in range(i, n))
    ways = [1] + [0] * len(means)  # subsets of the ranks 1..n, by their sum
    for rank in range(1, n + 1):
        for total in range(len(means), rank - 1, -1):
            ways[total] += ways[total - rank]
    k, below = 1, ways[0]
    while k < len(means) // 2 and 1 - 2 * (below + ways[k]) / 2 ** n >= intervals.CONFIDENCE:
        below, k = below + ways[k], k + 1
    return (statistics.median(means), means[k - 1], means[-k],
            round(max(0.0, 1 - 2 * below / 2 ** n), 4))


def conclude(logs):
    """The ratio of B to A of all blocks, with its interval; None for none."""
    if not logs:
        return None
    middle, low, high, coverage = signed_rank_interval(logs)
    ratio, low, high = map(math.exp, (middle, low, high))
    return {"ratio": ratio, "low": low, "high": high, "n": len(logs), "coverage": coverage,
            "differ": len(logs) >= BLOCKS_MIN and not low <= 1 <= high}


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

    def __init__(self, bench, server, pair, stage, control):
        self.bench, self.server, self.pair, self.control = bench, server, pair, control
        self.period, self.blocks = stage.period, stage.blocks
        self.client = None     # its process
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
        meter, blocks = measure.Meter(self.bench, self.server), []

        def under_load(process):
            self.client, now = process, None
            meter.note(process)
            for _ in range(self.blocks):
                block = []
                for side in ORDER:
                    if side != now:
                        self.shift(self.pair.a if side == "A" else self.pair.b, size)
                        now = side
                    block.append(self._period(size))
                blocks.append(block)
            meter.note(process)

        figures = client.during(under_load)
        failed = {name: count for name, count in figures["failed"].items() if count}
        if failed or figures["status_errors"]:
            raise ClientFailed(f"the client tells of failures: {failed or 'statuses'}")
        return {"blocks": blocks, "noise": meter.read()["noise"], "command": client.command(),
                "shift_ms": intervals.median_interval(self.shifts)["median"]}

    def _period(self, size):
        """CPU microseconds of the server a request."""
        pids = self.server.pids()
        began = processes.cpu_ns(pids), processes.octets_read(self.client.pid)
        time.sleep(self.period)
        ended = processes.cpu_ns(pids), processes.octets_read(self.client.pid)
        if not set(pids) <= set(self.server.pids()):
            raise ClientFailed("a worker ended while its time was counted")
        requests = (ended[1] - began[1]) / size
        if requests < 1 or ended[0] <= began[0]:
            raise ClientFailed("not one answer came in a period")
        return (ended[0] - began[0]) / 1e3 / requests

    def shift(self, combination, size):
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
        enough = (processes.octets_read(self.client.pid)
                  + WARM_ANSWERS * self.pair.workload.connections * size)
        while processes.octets_read(self.client.pid) < enough and time.monotonic() < deadline:
            time.sleep(0.005)


@dataclasses.dataclass(frozen=True)
class Stage:
    """What is to be measured so, and for how long."""
    pairs: list
    period: float
    blocks: int            # of a visit
    visits: int
    budget_s: float


def budget(a, combinations, workloads, plan, notes):
    """Takes the time of this from the plan's. The Stage."""
    found = [] if a.fresh else pairs(combinations, workloads, REFERENCE)
    period, visits = min(PERIOD_S, plan.seconds), min(VISITS_MAX, plan.rounds)
    blocks = min(BLOCKS, 3 * plan.rounds)
    seconds, own = visit_s(period, blocks), plan.budget_s * SHARE
    chosen = choose(found, seconds, visits, own)
    own = min(own, 1.2 * len(chosen) * visits * seconds)
    if chosen:
        if not a.seconds:
            plan.seconds *= 1 - own / plan.budget_s
        plan.budget_s -= own
    elif found:
        need = VISITS_MIN * seconds * len({p.b.name for p in found}) / SHARE / 60
        notes.append("Engines were compared by fresh starts alone: under one load, so many of them "
                     f"take {math.ceil(need)} minutes in all; fewer --engines, or more --minutes.")
    return Stage(chosen, period, blocks, visits, own)


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
                if left < visit_s(self.stage.period, self.stage.blocks):
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
            return Visit(self.plan.bench, server, pair, self.stage, control).run()
        except servers.StartFailed as error:
            return {"kind": "paired", "void": f"it did not start: {error}"}
        finally:
            server.stop()
