"""All runs: in rounds, each with servers started anew, each in an order of its own, so that what
the machine does to one of them it does to all; until the rounds or the time are over."""

import dataclasses
import random
import time

from . import check, counters, measure, servers
from .clients import ClientFailed

VOID_MAX = 3           # void runs in a row after which a cell is given up
COUNT_S = 0.4
WHOLE_CHECKS = 200     # requests of a mix that are checked to the last octet, once a combination


@dataclasses.dataclass
class Plan:
    combinations: list
    workloads: list
    make_server: object    # combination -> servers.Server, not started
    bench: measure.Bench
    seconds: float
    rounds: int
    budget_s: float
    seed: int
    count_workloads: tuple  # names of those whose system calls are counted
    count_tool: str = ""

    def cells(self):
        return [(w, c) for w in self.workloads for c in self.combinations if c.runs(w)]

    def order(self, number):
        """The cells of a round: workloads in random order, in each the combinations, so that those
        that are compared are measured one soon after the other."""
        draw = random.Random(f"{self.seed}/{number}")
        workloads = draw.sample(self.workloads, len(self.workloads))
        return [(w, c) for w in workloads
                for c in draw.sample(self.combinations, len(self.combinations)) if c.runs(w)]


class Runner:
    def __init__(self, plan, journal, progress):
        self.plan, self.journal, self.progress = plan, journal, progress
        self.up = {}
        self.done, self.voids = set(), {}
        for run in journal.of("run"):
            self._note(run)
        self.refused = {r["combination"] for r in journal.of("refused")}
        self.began = time.monotonic()
        self.spent = []        # seconds of each run of this session
        self.checked = {r["combination"] for r in journal.of("checked")}

    # What is left.

    def time_left(self):
        return self.plan.budget_s - (time.monotonic() - self.began)

    def cost(self):
        """Seconds that a run takes, on average."""
        return sum(self.spent) / len(self.spent) if self.spent else self.plan.seconds + 0.4

    def _missing(self, number):
        return [(w, c) for w, c in self.plan.order(number)
                if (number, w.name, c.name) not in self.done and not self._given_up(w, c)]

    def _given_up(self, workload, combination):
        if combination.name in self.refused:
            return True
        return self.voids.get((workload.name, combination.name), 0) >= VOID_MAX

    def _note(self, run):
        """Keeps what is asked of runs all the time: which are done, and void runs in a row."""
        key = (run["workload"], run["combination"])
        self.done.add((run["round"], *key))
        self.voids[key] = self.voids.get(key, 0) + 1 if "void" in run else 0

    def _tell(self, number, what):
        further = sum(not self._given_up(w, c) for w, c in self.plan.cells())
        runs = len(self._missing(number)) + further * (self.plan.rounds - number - 1)
        left = min(max(0, self.time_left()), runs * self.cost())
        self.progress.step(number, what, len(self.spent), left)

    # The rounds.

    def run(self):
        """Until the rounds or the time are over. Returns how many rounds are whole."""
        whole = 0
        for number in range(self.plan.rounds):
            missing = self._missing(number)
            if missing:
                late = self.time_left() < 0.8 * len(missing) * self.cost()
                if number > 0 and late:
                    break
                if not self._round(number, missing):
                    break
            whole = number + 1
            self.progress.round_done(number, self.journal)
        return whole

    def _round(self, number, missing):
        """Whether it came to its end within the time."""
        try:
            for combination in self.plan.combinations:
                if any(c is combination for _, c in missing):
                    self._start(number, combination)
            self._check()
            for workload, combination in missing:
                if combination.name in self.up:
                    if self.time_left() < 0:
                        return False
                    self._tell(number, f"{workload.name}, {combination.name}")
                    self._cell(number, workload, combination)
            if number == 0:
                self._count()
            return True
        finally:
            self._stop_all()

    def _start(self, number, combination):
        server = self.plan.make_server(combination)
        try:
            self.up[combination.name] = server.start(self.plan.bench.server_cpus)
        except servers.StartFailed as error:
            if number == 0 or combination.name not in self.checked:
                self.refused.add(combination.name)
            self.journal.add({"kind": "refused", "combination": combination.name, "round": number,
                              "why": str(error), "here": error.status == servers.CANNOT_RUN})
            return
        self.journal.add({"kind": "start", "combination": combination.name, "round": number,
                          "start_ms": server.start_ms, "memory_kib": server.memory_kib(),
                          "command": " ".join(server.argv)})

    def _check(self):
        """The first time, each combination's answers to their last octet."""
        for combination in self.plan.combinations:
            server = self.up.get(combination.name)
            if server is None or combination.name in self.checked:
                continue
            faults = {}
            for workload in self.plan.workloads:
                if combination.runs(workload):
                    self._tell(0, f"answers to {workload.name}, {combination.name}")
                    fault = self._check_one(server, workload)
                    if fault:
                        faults[workload.name] = fault
            self.checked.add(combination.name)
            self.journal.add({"kind": "checked", "combination": combination.name,
                              "faults": faults})

    def _check_one(self, server, workload):
        try:
            check.check_workload(server, workload)
            if len(workload.asks) > 1:
                for ask in random.Random(self.plan.seed).sample(
                        workload.asks, min(WHOLE_CHECKS, len(workload.asks))):
                    check.check(server, ask, tls=workload.tls)
        except (check.WrongAnswer, OSError) as error:
            return str(error)
        return ""

    def _cell(self, number, workload, combination):
        began = time.monotonic()
        if workload.client == "idle":
            record = self._on_a_fresh_server(workload, combination)
        else:
            record = measure.run(self.plan.bench, self.up[combination.name], workload,
                                 self.plan.seconds)
        self.spent.append(time.monotonic() - began)
        record = {"kind": "run", "round": number, "number": len(self.journal.records),
                  "workload": workload.name, "combination": combination.name, **record}
        self._note(record)
        self.journal.add(record)
        server = self.up[combination.name]
        if server.process.poll() is not None:  # it has died under the load: others want it back
            server.stop()
            del self.up[combination.name]
            self._start(number, combination)

    def _on_a_fresh_server(self, workload, combination):
        server = self.plan.make_server(combination)
        try:
            server.start(self.plan.bench.server_cpus)
            return measure.run(self.plan.bench, server, workload, self.plan.seconds)
        except servers.StartFailed as error:
            return {"seconds": self.plan.seconds, "void": f"it did not start: {error}"}
        finally:
            server.stop()

    def _count(self):
        """System calls, in runs of their own."""
        if not self.plan.count_tool:
            return
        had = {(r["workload"], r["combination"]) for r in self.journal.of("counts")}
        for workload, combination in self.plan.cells():
            key = (workload.name, combination.name)
            server = self.up.get(combination.name)
            if (workload.name not in self.plan.count_workloads or key in had or server is None
                    or combination.role in ("control", "baseline")
                    or self.time_left() < 0):
                continue
            self._tell(0, f"system calls of {workload.name}, {combination.name}")
            try:
                counted = counters.count(self.plan.count_tool, self.plan.bench, server, workload,
                                         COUNT_S)
            except (check.WrongAnswer, ClientFailed, OSError) as error:
                counted = {"failed": str(error)}
            self.journal.add({"kind": "counts", "workload": workload.name,
                              "combination": combination.name, **counted})

    def _stop_all(self):
        for server in self.up.values():
            server.stop()
        self.up = {}
