"""Latency against offered load: requests come on a schedule, at one rate after the other until the
server no longer keeps up (gearshift-load, bench/load/load.c). The figure is the highest rate at
which 99 % are answered within LIMIT_MS of when they were due."""

import json
import os
import re
import subprocess
import tempfile
import time

from . import clients, processes
from .clients import ClientFailed

PROGRAM = "gearshift-load"
LIMIT_MS = 5.0         # of p99
FIRST = 1000           # requests a second
PARTS = 16             # rates are FIRST * 2 ** (n / PARTS): those of all runs are the same ones
LEAST, MOST = 60, 2_000_000
STEPS = 1 / 6          # of a run's seconds, for each rate
STEP_S_MIN = 0.1
WARM_UP = 0.25         # of a step, before it
KEEPS_UP = 0.97        # share of the offered requests that have to be answered in time
TRIES = 2              # of a rate that is too much: once may be the machine's mood
LATE = 0.5             # share of the limit from which on the generator's own lag counts as late
WAIT_S = 30


def program(server):
    """The load generator beside a gearshift, or None."""
    path = os.path.join(os.path.dirname(server), PROGRAM)
    return path if os.access(path, os.X_OK) else None


def rate_of(place):
    """The offered rate at a place of the ladder, requests a second."""
    return FIRST * 2 ** (place / PARTS)


def search(passes, place_max):
    """The ladder: doubles the rate until passes(place) is false, and halves the step back. The
    highest place that passed, or None; the places in their order are the caller's to note."""
    step, place, good, bad = PARTS, 0, None, None
    while bad is None and place <= place_max:
        if passes(place):
            good, place = place, place + step
        else:
            bad = place
    while good is None and rate_of(bad - step) >= LEAST:
        if passes(bad - step):
            good = bad - step
        else:
            bad -= step
    while good is not None and bad is not None and bad - good > 1:
        middle = (good + bad) // 2
        if passes(middle):
            good = middle
        else:
            bad = middle
    return good


class Knee:
    """One server's way up the ladder."""

    def __init__(self, path, port, target, connections, *, cpus, apart, seconds, size):
        self.path, self.port, self.target, self.connections = path, port, target, connections
        self.cpus, self.size = cpus, size
        self.cpu = min(cpus) if apart else None
        self.seconds = max(STEP_S_MIN, seconds * STEPS)
        self.points, self.requests, self.octets = [], 0, 0

    def command(self, rate):
        argv = [self.path, str(self.port), self.target, f"{rate:.1f}", f"{self.seconds:.3f}",
                str(self.connections), f"{self.seconds * WARM_UP:.3f}"]
        return argv + [str(self.cpu)] if self.cpu is not None else argv

    def step(self, rate):
        """A rate for a while; what the generator tells, times in ms. Raises ClientFailed."""
        with tempfile.TemporaryFile() as output:
            process = processes.start(self.command(rate), cpus=self.cpus, stdout=output,
                                      stderr=output)
            try:
                process.wait(self.seconds * (1 + WARM_UP) + WAIT_S)
            except subprocess.TimeoutExpired:
                raise ClientFailed(f"{PROGRAM} does not end") from None
            finally:
                processes.stop(process)
            output.seek(0)
            text = output.read().decode("utf-8", "replace").strip()
        found = re.search(r"@@(\{.*\})", text)
        if not found:
            raise ClientFailed(text.rpartition("\n")[2][-300:] or f"{PROGRAM} said nothing")
        told = json.loads(found[1])
        return self._checked(told, rate)

    def _checked(self, told, rate):
        failed = {name: n for name, n in {**told["failed"], "head": told["status_errors"]}.items()
                  if n}
        if failed:
            raise ClientFailed("the client tells of failures: " + ", ".join(
                f"{name} {count}" for name, count in failed.items()))
        if told["body"] != self.size:
            raise ClientFailed(f"answers of {told['body']} octets instead of {self.size}")
        self.requests += told["all"]
        self.octets += told["octets"]
        whole = told["requests"] + told["unanswered"]
        point = {"offered": rate, "share": told["requests"] / whole if whole else 0,
                 "busy": told["busy"], "lag_p99": dict(map(tuple, told["lag"]))[99] / 1e3}
        point.update({clients.KEPT[p]: us / 1e3 for p, us in told["curve"] if p in clients.KEPT})
        point["late"] = point["lag_p99"] > LATE * LIMIT_MS
        return point

    def passes(self, place):
        """Whether the server keeps up. The best of the tries is what is kept of a rate."""
        best = None
        for _ in range(TRIES):
            point = self.step(rate_of(place))
            point["place"] = place
            if best is None or point["p99"] < best["p99"]:
                best = point
            if keeps_up(best):
                break
        self.points.append(best)
        return keeps_up(best)


def keeps_up(point):
    return point["p99"] <= LIMIT_MS and point["share"] >= KEEPS_UP


def run(bench, server, workload, seconds):
    """The figures of a run, in the form of a load generator's, with the points of the curve.
    `late`: at the first rate that was too much the generator itself was late, so that the server
    may be able to do more; where it was at every rate, there is no capacity."""
    ask = workload.asks[0]
    apart = bool(bench.client_cpus) and not set(bench.client_cpus) & set(bench.server_cpus)
    knee = Knee(workload.extra["program"], server.port, ask.target, workload.connections,
                cpus=bench.client_cpus, apart=apart, seconds=seconds, size=ask.length)
    began = time.monotonic()
    place_max = next(p for p in range(0, 1000, PARTS) if rate_of(p + PARTS) > MOST)
    good = search(knee.passes, place_max)
    points = sorted(knee.points, key=lambda point: point["offered"])
    first_bad = next((p for p in points if not keeps_up(p)), None)
    late = bool(first_bad and first_bad["late"])
    found = {} if good is None and late else {"capacity": 0.0 if good is None else rate_of(good)}
    return {**found, "requests": knee.requests, "octets": knee.octets,
            "us": (time.monotonic() - began) * 1e6, "points": points,
            "late": late,
            "command": " ".join(knee.command(rate_of(good or 0)))}
