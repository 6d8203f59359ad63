"""The report of claims: from the runs to points, ratios and verdicts."""

import statistics

from .. import SCHEMA, baseline, counters, intervals, machine, measure, summary
from ..report import errors
from . import Growth, rules, the_claims

FIGURES = {   # figure -> (what it is, unit)
    "cpu_us": ("Server CPU for a request", "µs"), "cpu_request_us": ("Server CPU for a request", "µs"),
    "p99": ("99th percentile of latency", "ms"), "held_kib": ("Memory of an idle connection", "KiB"),
    "memory_kib": ("Memory of the server", "KiB"), "server_util": ("CPUs that the server was busy on", "CPUs"),
    "rate": ("Requests a second", "/s"),
}
KEPT_PARTS = ("cpu_us", "waits", "preemptions", "memory_kib", "kernel_kib", "connection_kib")


def build(*, plan_record, machine_facts, claims, workloads, combinations, bench, settings, records, notes, started, interrupted,
          version):
    """`claims` is {name: {"values": [...], "conditions": {value: workload's name}, "shortened": [sentence]}}, as planned."""
    report = {
        "schema": SCHEMA, "kind": "textbook", "gearshift": version, "started": started, "interrupted": interrupted,
        "plan": plan_record, "machine": machine_facts, "settings": settings, "bench": bench, "claims": claims,
        "workloads": [{"name": w.name, "title": w.title, "what": w.what, "client": w.client, "unit": w.unit, "metric": w.metric,
                       "connections": w.connections, "pipeline": w.pipeline, "tls": w.tls,
                       "server_cpus": bench["server_cpus_count"], "client_cpus": bench["client_cpus_count"]} for w in workloads],
        "combinations": [c.describe() for c in combinations], "notes": notes, "records": records,
        "site": {"root": "files made for it", "files": 0, "octets": 0},
    }
    return conclude(report)


def conclude(report, against=None):
    """Fills in what follows from the records."""
    records = report["records"]
    report["summary"] = summary.summarize(records, report["workloads"], report["combinations"])
    report["rounds"] = 1 + max((r["round"] for r in records if r.get("kind") == "run"), default=-1)
    report["refused"] = [r for r in records if r.get("kind") == "refused"]
    report["errors"] = errors(records)
    report["warnings"] = machine.warnings(report["machine"], report["bench"]["server_cpus"], report["bench"]["client_cpus"]) \
        + summary.warnings(records, report["summary"], report["workloads"])
    runs = {}
    for run in records:
        if run.get("kind") == "run":
            runs.setdefault((run["workload"], run["combination"]), []).append(run)
    counts = {(c["workload"], c["combination"]): c for c in records if c.get("kind") == "counts" and "failed" not in c}
    floors = _floors(report, runs)
    report["floor"] = floors
    known = the_claims(report["plan"].get("peers", ()))
    report["textbook"] = [_judge(known[name], planned, runs, counts, floors, report)
                          for name, planned in report["claims"].items() if name in known]
    if against is not None:
        report["baseline"] = baseline.compare(report, against)
        then = {claim["name"]: claim for claim in against.get("textbook", ())}
        for claim in report["textbook"]:
            if claim["name"] in then:
                claim["then"] = then[claim["name"]]["verdict"]
    elif any(c["role"] == "baseline" for c in report["combinations"]):
        report["baseline"] = baseline.within(report)
    return report


def _floors(report, runs):
    """{figure: what the same server under two names differed by}, at least rules.FLOOR: the median
    over the conditions in which both were measured."""
    found = {}
    for figure in FIGURES:
        apart = []
        for workload in report["workloads"]:
            ratio = rules.ratios(*rules.pairs_of(runs.get((workload["name"], "reactor (again)"), ()),
                                                 runs.get((workload["name"], "reactor"), ()), figure, measure.NOISE_MAX))
            if intervals.enough(ratio):
                apart.append(abs(ratio["median"] - 1))
        found[figure] = max([rules.FLOOR, *(sorted(apart)[len(apart) // 2:][:1])])
    return found


def _judge(claim, planned, runs, counts, floors, report):
    values, of = planned["values"], {int(k): v for k, v in planned["conditions"].items()}
    series = planned["series"]

    def compare(a, value_a, b, value_b, figure):
        return rules.ratios(*rules.pairs_of(runs.get((of.get(value_a), a), ()), runs.get((of.get(value_b), b), ()), figure,
                                            measure.NOISE_MAX))

    def points(part):
        figure = part.figure or claim.figure
        wanted = [v for v in values if not part.values or v in part.values or v > max(part.values)]
        if isinstance(part, Growth):
            pairs = [(v, compare(part.a, v, part.a, wanted[0], figure)) for v in wanted[1:]]
        else:
            pairs = [(v, compare(part.a, v, part.b, v, figure)) for v in wanted]
        return [(v, ratio) for v, ratio in pairs if ratio is not None]

    parts = [_part(part, points(part), part.figure or claim.figure, floors, claim) for part in claim.parts
             if part.a in series and (not part.b or part.b in series)]
    verdict, value = rules.whole([(part["verdict"], part["value"]) for part in parts])
    return {
        "name": claim.name, "title": claim.title, "sentence": claim.sentence, "said_by": list(claim.said_by),
        "experiment": claim.experiment, "because": claim.because, "caution": claim.caution, "variable": claim.variable,
        "figure": claim.figure, "figure_title": FIGURES[claim.figure][0], "unit": FIGURES[claim.figure][1],
        "values": values, "verdict": verdict, "value": value, "parts": parts, "shortened": planned["shortened"],
        "series": [{"name": name, "points": _points(claim.figure, runs, of, name, values)} for name in series],
        "reasons": _reasons(claim, series, of, values, runs, counts),
        "void": sorted({f"{name} at {_of_value(claim, v)}: {run['void']}" for name in series for v in values
                        for run in runs.get((of[v], name), ()) if "void" in run}),
    }


def _of_value(claim, value):
    return f"{value:,} {claim.variable}".replace(",", " ").strip() if claim.variable else "its one condition"


def _points(figure, runs, of, name, values):
    found = []
    for value in values:
        used = [run for run in runs.get((of[value], name), ()) if "void" not in run and run.get(figure) is not None]
        quiet = [run for run in used if run["noise"] <= measure.NOISE_MAX]
        used = quiet if len(quiet) >= max(intervals.RUNS_MIN, len(used) / 2) else used
        told = intervals.median_interval([run[figure] for run in used])
        if told:
            found.append({"value": value, **told})
    return found


def _part(part, points, figure, floors, claim):
    floor = floors.get(figure, rules.FLOOR)
    verdict, value = rules.verdict(part.says, points, part.by, floor)
    known = [(v, ratio) for v, ratio in points if intervals.enough(ratio)]
    shown = known or points
    telling = max(shown, key=lambda each: abs(each[1]["median"] - 1), default=None)
    if verdict == "holds from":
        telling = next((each for each in shown if each[0] == value), telling)
    return {"a": part.a, "b": part.b, "says": part.says, "by": part.by, "figure": figure, "verdict": verdict, "value": value,
            "text": _text(part, figure), "floor": floor, "variable": claim.variable,
            "crossing": rules.crossing(points, floor) if part.b else None,
            "telling": {"value": telling[0], **telling[1]} if telling else None,
            "ratios": [{"value": v, "says": rules.relation(ratio, floor), **ratio} for v, ratio in points]}


WORDS = {"cpu_us": "CPU for a request", "cpu_request_us": "CPU for a request", "p99": "latency (p99)", "held_kib": "memory of a connection",
         "memory_kib": "memory of the server", "server_util": "CPU in all", "rate": "requests a second"}


def _text(part, figure):
    factor = f"at least {part.by:g} times " if part.by > 1 else ""
    if part.b:
        how = {"more": f"{factor}more than", "less": f"{factor}less than", "same": "as much as",
               "no more": f"at most {rules.at_most(part.by):g} times"}[part.says]
        return f"{part.a} takes {how} {part.b}: {WORDS[figure]}"
    how = {"more": f"grows {factor}".strip(), "less": f"falls {factor}".strip(), "same": "stays",
           "no more": f"grows no more than {rules.at_most(part.by):g} times"}[part.says]
    return f"{part.a}: {WORDS[figure]} {how}"


def copies(by_name):
    """How the octets of a body go, by the calls that were counted for a request."""
    def has(*names):
        return any(by_name.get(name, 0) >= 0.2 for name in names)

    if has("sendfile64", "sendfile"):
        return "pages of the page cache, by sendfile: no copy"
    if has("splice"):
        return "by splice through a pipe: no copy"
    if has("pread64", "preadv2", "read"):
        return "2: page cache to memory, memory to socket"
    if has("sendto", "sendmsg", "writev", "write"):
        return "1: memory to socket"
    return "1: memory to socket, by the ring" if "io_uring_enter" in by_name else ""


def _reasons(claim, series, of, values, runs, counts):
    """Rows of what was measured beside the figure, at one value: calls, waits, CPU in the kernel, memory."""
    wanted = claim.explain[0] if claim.explain and claim.explain[0] in of else next(
        (v for v in values if any("by_name" in counts.get((of[v], name), {}) for name in series)), values[-1])
    rows = []
    for name in series:
        used = [run for run in runs.get((of[wanted], name), ()) if "void" not in run]
        if not used:
            continue
        middle = {key: intervals.median_interval([run[key] for run in used if run.get(key) is not None]) for key in KEPT_PARTS}
        row = {"name": name, **{key: m["median"] for key, m in middle.items() if m}}
        # /proc tells these in steps of 10 ms: of a short run they are nothing or much, in the mean they are right.
        for key in ("user_us", "system_us"):
            told = [run[key] for run in used if run.get(key) is not None]
            if told:
                row[key] = statistics.fmean(told)
        counted = counts.get((of[wanted], name), {})
        if "by_name" in counted:
            row.update({key: counted[key] for key in counters.BESIDE if key in counted})
            row.update(calls=counted["calls"], by_name=counted["by_name"], copies=copies(counted["by_name"]))
        rows.append(row)
    return {"value": wanted, "rows": rows, "unit": "MiB" if of[wanted].startswith("size-") and wanted >= 4 << 20 else "request"}
