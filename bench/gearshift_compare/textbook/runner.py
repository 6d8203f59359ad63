"""All runs of all claims: in rounds, a fresh server for each run, those that are compared one soon
after the other, in an order drawn anew in each round."""

import dataclasses
import random
import time

from .. import check, counters, measure, servers
from ..clients import ClientFailed
from ..schedule import VOID_MAX
from . import conditions

COUNT_S, COUNT_TLS_S = 0.25, 1.0   # with TLS handshakes come first
COUNT_ROUNDS = 3                   # in which a count that failed is tried again
OVERHEAD_S = 0.35      # of a run: start, checks, end
CONNECTS = 2500        # connections a second that are made before a run


@dataclasses.dataclass
class Plan:
    cells: list            # of (workload, combination)
    make_server: object    # (combination, workload) -> servers.Server, not started
    bench: measure.Bench
    seconds: float
    rounds: int
    budget_s: float
    seed: int
    counted: set           # (workload, combination) by name
    count_tool: str = ""

    def order(self, number):
        """The cells of a round: variables in random order, in each its values, in each the servers. So what is
        compared, two servers at a value or two values of a server, is measured one soon after the other."""
        draw, of = random.Random(f"{self.seed}/{number}"), {}
        for workload, combination in self.cells:
            if number < workload.extra.get("rounds", self.rounds):
                kind = workload.name.rpartition("-")[0]
                of.setdefault(kind, {}).setdefault(workload.name, []).append((workload, combination))
        return [cell for kind in draw.sample(list(of), len(of)) for name in draw.sample(list(of[kind]), len(of[kind]))
                for cell in draw.sample(of[kind][name], len(of[kind][name]))]

    def guess(self, workload):
        """Seconds of a run that was not made yet."""
        held = workload.extra.get("idle", 0) + (workload.connections if workload.client == "wrk" else 0)
        return self.seconds * (1 + measure.WARM_UP) + OVERHEAD_S + held / CONNECTS


class Runner:
    def __init__(self, plan, journal, progress):
        self.plan, self.journal, self.progress = plan, journal, progress
        self.done, self.voids, self.costs = set(), {}, {}
        for run in journal.of("run"):
            self._note(run)
        self.refused = {r["combination"] for r in journal.of("refused")}
        self.checked = {(r["workload"], r["combination"]) for r in journal.of("checked")}
        self.counts = {(r["workload"], r["combination"]) for r in journal.of("counts") if "failed" not in r}
        self.began = time.monotonic()

    def time_left(self):
        return self.plan.budget_s - (time.monotonic() - self.began)

    def _key(self, cell):
        return cell[0].name, cell[1].name

    def _cost(self, cell):
        return self.costs.get(self._key(cell)) or self.plan.guess(cell[0])

    def _given_up(self, cell):
        return cell[1].name in self.refused or self.voids.get(self._key(cell), 0) >= VOID_MAX

    def _missing(self, number):
        return [cell for cell in self.plan.order(number)
                if (number, *self._key(cell)) not in self.done and not self._given_up(cell)]

    def _note(self, run):
        key = (run["workload"], run["combination"])
        self.done.add((run["round"], *key))
        self.voids[key] = self.voids.get(key, 0) + 1 if "void" in run else 0

    def _tell(self, number, what):
        left = sum(self._cost(cell) for later in range(number, self.plan.rounds)
                   for cell in self._missing(later))
        self.progress.step(number, what, len(self.done), min(max(0, self.time_left()), left))

    def run(self):
        """Until the rounds or the time are over; a last round may be a part of one: conditions come
        in another order each time, so that no claim is always the one that is left out."""
        for number in range(self.plan.rounds):
            for cell in self._missing(number):
                if self._given_up(cell):
                    continue
                if number > 0 and self.time_left() < self._cost(cell):
                    return
                self._tell(number, f"{cell[0].name}, {cell[1].name}")
                self._cell(number, *cell)
            self.progress.round_done(number, self.journal)

    def _cell(self, number, workload, combination):
        began, key = time.monotonic(), (workload.name, combination.name)
        server = self.plan.make_server(combination, workload)
        bench = self.plan.bench
        if "cpus" in workload.extra:
            bench = dataclasses.replace(bench, server_cpus=workload.extra["cpus"][0],
                                        client_cpus=workload.extra["cpus"][1])
        record = {"seconds": self.plan.seconds}
        try:
            server.start(bench.server_cpus)
            conditions.warm(server.port, conditions.targets_to_warm(workload))
            record = measure.run(bench, server, workload, self.plan.seconds)
            if "void" not in record and workload.unit == "MiB":
                record["cpu_request_us"] = record["cpu_us"] * workload.extra["size"] / (1 << 20)
            elif "cpu_us" in record:
                record["cpu_request_us"] = record["cpu_us"]
            record["start_ms"] = server.start_ms
        except servers.StartFailed as error:
            if error.status == servers.CANNOT_RUN:
                self.refused.add(combination.name)
                self.journal.add({"kind": "refused", "combination": combination.name, "round": number,
                                  "why": str(error), "here": True})
                return
            record["void"] = f"it did not start: {error}"
        except OSError as error:
            record["void"] = str(error)
        finally:
            command = " ".join(server.argv)
            try:
                if number < COUNT_ROUNDS and server.process is not None and "void" not in record:
                    self._count(bench, server, workload, combination)
            finally:
                server.stop()
        self.costs[key] = time.monotonic() - began
        record = {"kind": "run", "round": number, "number": len(self.journal.records),
                  "workload": workload.name, "combination": combination.name, "noise": 0.0, **record}
        if key not in self.checked:
            self.checked.add(key)
            self.journal.add({"kind": "start", "combination": combination.name, "workload": workload.name,
                              "round": number, "start_ms": server.start_ms or 0.0, "memory_kib": record.get("memory_kib", 0),
                              "command": command})
        self._note(record)
        self.journal.add(record)

    def _count(self, bench, server, workload, combination):
        """System calls, in a run of its own that counts for nothing else."""
        key = (workload.name, combination.name)
        if not self.plan.count_tool or key not in self.plan.counted or key in self.counts:
            return
        try:
            counted = counters.count(self.plan.count_tool, bench, server, workload,
                                     COUNT_TLS_S if workload.tls else COUNT_S)
            self.counts.add(key)
        except (check.WrongAnswer, ClientFailed, OSError) as error:
            counted = {"failed": str(error)}
        self.journal.add({"kind": "counts", "workload": workload.name, "combination": combination.name, **counted})
