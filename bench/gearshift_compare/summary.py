"""From the records of a journal to what a report tells: a median with its interval for each
workload, combination and figure, and who leads."""

from . import intervals, measure

FIGURES = ("rate", "mbs", "cpu_us", "user_us", "system_us", "p50", "p90", "p99", "p999", "waits",
           "preemptions", "memory_kib", "server_util", "client_util", "noise", "connection_kib",
           "idle_util", "capacity")
LARGER = ("rate", "mbs", "capacity")   # better; all others: smaller
QUIET_MIN = 4              # with so many quiet runs, the noisy ones of a cell are left out
FLOOR_MIN = 0.03           # no difference below this is called one, whatever the intervals say


def _of(records, kind):
    return [record for record in records if record.get("kind") == kind]


def _cell(runs):
    good = [run for run in runs if "void" not in run]
    quiet = [run for run in good if run["noise"] <= measure.NOISE_MAX]
    used = quiet if len(quiet) >= max(QUIET_MIN, len(good) / 2) else good
    found = {"runs": len(runs), "used": len(used), "void": len(runs) - len(good),
             "noisy": len(good) - len(quiet),
             "why_void": sorted({run["void"] for run in runs if "void" in run})}
    for name in FIGURES:
        found[name] = intervals.median_interval([run[name] for run in used
                                                 if run.get(name) is not None])
    found["curve"] = _curve([run["curve"] for run in used if run.get("curve")])
    found["knee"] = _knee([run["points"] for run in used if run.get("points")])
    return found


def _knee(ladders):
    """The medians of the runs at each offered rate that half of them tried, by rate."""
    by_rate = {}
    for point in (point for points in ladders for point in points):
        by_rate.setdefault(point["offered"], []).append(point)
    return [{"offered": rate, "n": len(points), "late": sum(p["late"] for p in points),
             **{figure: intervals.median_interval([p[figure] for p in points])["median"]
                for figure in ("p50", "p99", "p999")}}
            for rate, points in sorted(by_rate.items()) if len(points) >= len(ladders) / 2]


def _curve(curves):
    """The median latency of the runs at each percentile that all of them tell."""
    tables = [dict(map(tuple, curve)) for curve in curves]
    shared = sorted(set.intersection(*map(set, tables))) if tables else []
    return [[p, intervals.median_interval([table[p] for table in tables])["median"]]
            for p in shared]


def summarize(records, workloads, combinations):
    """{workload: {"cells": {combination: ...}, "floor": ..., "leaders": {figure: [name]}}}.
    `workloads` and `combinations` are as in report.json."""
    by_cell = {}
    for run in _of(records, "run"):
        by_cell.setdefault((run["workload"], run["combination"]), []).append(run)
    counts = {(c["workload"], c["combination"]): c for c in _of(records, "counts")}
    found = {}
    for workload in workloads:
        cells = {}
        for combination in combinations:
            key = (workload["name"], combination["name"])
            if key in by_cell:
                cells[key[1]] = _cell(by_cell[key])
                if key in counts and "calls" in counts[key]:
                    cells[key[1]]["calls"] = counts[key]["calls"]
                    cells[key[1]]["calls_by_name"] = counts[key]["by_name"]
        floor = _floor(cells, combinations, workload["metric"])
        found[workload["name"]] = {
            "cells": cells, "floor": floor,
            "candidates": sum(c["role"] == "candidate" and c["name"] in cells
                              for c in combinations),
            "leaders": {figure: intervals.leaders(
                {c["name"]: cells[c["name"]][figure] for c in combinations
                 if c["name"] in cells and c["role"] == "candidate"}, figure not in LARGER, floor)
                for figure in (workload["metric"], "rate", "p99")}}
    return found


def _floor(cells, combinations, metric):
    """What two identical servers differed by in this workload, as a share; at least FLOOR_MIN."""
    worst = FLOOR_MIN
    for combination in combinations:
        if combination["role"] != "control":
            continue
        same = combination["name"].removesuffix(" (again)")
        pair = [cells.get(name, {}).get(metric) for name in (combination["name"], same)]
        ratio = intervals.ratio(*pair)
        if ratio:
            worst = max(worst, abs(ratio["ratio"] - 1))
    return worst


def compare(cells, floor, name, other, figure):
    """`name` over `other` in a figure: the ratio with its interval, and a verdict: "better",
    "worse" or "no difference"; None where one of them has no figures."""
    a, b = (cells.get(which, {}).get(figure) for which in (name, other))
    ratio = intervals.ratio(a, b)
    if ratio is None:
        return None
    if not intervals.enough(a, b):
        verdict = "too few runs"
    elif not ratio["differ"] or abs(ratio["ratio"] - 1) <= floor:
        verdict = "no difference"
    else:
        verdict = "better" if (ratio["ratio"] < 1) != (figure in LARGER) else "worse"
    return {**ratio, "verdict": verdict}


def starts(records):
    """{combination: the median of its starts in ms, with the memory after it}."""
    by_name = {}
    for record in _of(records, "start"):
        by_name.setdefault(record["combination"], []).append(record)
    return {name: {"start_ms": intervals.median_interval([r["start_ms"] for r in found]),
                   "memory_kib": intervals.median_interval([r["memory_kib"] for r in found]),
                   "command": found[-1]["command"]} for name, found in by_name.items()}


def _client_bound(cell, workload):
    return bool(cell["client_util"]
                and cell["client_util"]["median"] >= measure.FULL * workload["client_cpus"]
                and cell["server_util"]["median"] < measure.FULL * workload["server_cpus"])


def warnings(records, summary, workloads):
    """Sentences about runs that readers have to know of."""
    told = []
    runs = _of(records, "run")
    noisy = [r for r in runs if r.get("noise", 0) > measure.NOISE_MAX]
    if noisy:
        worst = max(r["noise"] for r in noisy)
        told.append(f"In {len(noisy)} of {len(runs)} runs another process took more than "
                    f"{measure.NOISE_MAX:.0%} of a CPU (at most {worst:.1f} CPUs). Where four quiet"
                    " runs of a cell, and half of them, are left, the noisy ones do not count.")
    void = [r for r in runs if "void" in r]
    if void:
        told.append(f"{len(void)} of {len(runs)} runs are void: an error, or a wrong octet.")
    if any(r.get("on_time") is False for r in runs):
        told.append("cold: the clock of the hot requests had no real-time priority (root has), or "
                    "shared its CPUs with the server: it waited for the cold clients as well, and "
                    "latencies are milliseconds too long.")
    ladders = [r for r in runs if "points" in r]
    late = sum(bool(r.get("late")) for r in ladders)
    if late:
        told.append(f"load: in {late} of {len(ladders)} runs the load generator was itself late at the "
                    "first rate that was too much: the server's capacity is at least what is told "
                    "(none, where it was late at every rate), and latencies beyond it are the "
                    "generator's too.")
    paced = [r for r in runs if "late" in r and "points" not in r]
    late = sum(r["late"] for r in paced)
    if late:
        told.append(f"In {late} of {len(paced)} runs on a schedule the load generator was itself late: "
                    "latencies of these are its own, too.")
    bound = [workload["name"] for workload in workloads
             if any(_client_bound(cell, workload)
                    for cell in summary[workload["name"]]["cells"].values())]
    if bound:
        told.append("The client was the bottleneck beside some of the servers in "
                    f"{', '.join(bound)}: there, requests a second tell of the client; CPU per "
                    "request holds.")
    return told
