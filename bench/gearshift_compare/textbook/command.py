"""gearshift-compare --textbook: from arguments to the report of claims."""

import dataclasses
import os
import random
import sys
import tempfile

from .. import Refusal, combinations, counters, load, machine, measure, progress, servers
from ..baseline import LABEL
from ..journal import Journal
from . import conclude, conditions, plain, runner, series, the_claims

QUICK_S, FULL_S = 4.7 * 60, 38 * 60   # what is left of 5 and 40 minutes is for files and reports
ROUNDS, QUICK_ROUNDS = 12, 4
SECONDS, QUICK_SECONDS = 0.5, 0.2
HELD_ROUNDS = 4                       # of conditions with thousands of connections: they take long
HELD = 3000
SPARE = 300                           # descriptors for everything else
SETTINGS = {"cache_valid": "600s", "keepalive_timeout": "600s", "log_level": "warn", "cache_files": "512"}


def listing(peers=()):
    """The claims, a line each."""
    return "\n".join(f"{name:16} {claim.sentence}" for name, claim in the_claims(peers).items())


def plan_claims(a, binary, place, limit, notes):
    """({claim: as in report.json}, cells) of what was asked for and can be measured here."""
    known = the_claims(a.peers)
    for name in a.only:
        if name not in known:
            raise Refusal(f"--only {name}: the claims are {', '.join(known)} (--list tells what they say)")
    planned, made, cells = {}, {}, {}
    for name, claim in known.items():
        if a.only and name not in a.only:
            continue
        shortened = []
        values = _values(a, claim, limit, place, shortened)
        if not values:
            notes.append(f"{name}: not measured. {' '.join(shortened)}")
            continue
        taken = _series(a, claim, binary, shortened)
        for value in values:
            workload = claim.condition(place, value)
            made.setdefault(workload.name, _bounded(workload))
        of = {value: claim.condition(place, value).name for value in values}
        for one in taken:
            if not all(one.tried(claim.variable, value) for value in values):
                shortened.append(f"{one.name} up to {int(min(one.most, max(values))):,}: {one.why}.".replace(",", " "))
            for value in values:
                if one.tried(claim.variable, value):
                    cells.setdefault((of[value], one.name), (made[of[value]], one))
        planned[name] = {"values": list(values), "conditions": {str(v): of[v] for v in values},
                         "series": [one.name for one in taken], "shortened": list(dict.fromkeys(shortened))}
    if not planned:
        raise Refusal("none of these claims can be measured here: " + " ".join(notes))
    return planned, list(cells.values())


def _bounded(workload):
    held = workload.extra.get("idle", 0) + workload.connections
    if held < HELD:
        return workload
    return dataclasses.replace(workload, extra={"rounds": HELD_ROUNDS, **workload.extra})


def _values(a, claim, limit, place, ret_shortened):
    values = claim.values
    if claim.name == "cores":
        return _cpus(a, place, ret_shortened)
    if a.quick:
        values = claim.quick or tuple(dict.fromkeys((values[0], values[-1])))
    elif a.large:
        values = values + claim.large
    found = []
    for value in values:
        probe = value if claim.condition in (conditions.busy, conditions.idle) else 0
        if probe + conditions.CONNECTIONS + SPARE > limit:
            ret_shortened.append(f"{value:,} {claim.variable}: a process may have {limit:,} descriptors here "
                                 "(ulimit -n).".replace(",", " "))
        elif claim.condition is conditions.files and not _room(place, value):
            ret_shortened.append(f"{value:,} files: the disk has no room for them.".replace(",", " "))
        elif claim.condition is conditions.paced and place.program is None:
            ret_shortened.append(f"{load.PROGRAM} is not beside the server.")
        else:
            found.append(value)
    return tuple(found)


def _cpus(a, place, ret_shortened):
    have = len(place.cpus)
    wanted = a.cpus or [n for n in (1, 2, 4, 8, 16, 32) if n <= have // 2]
    found = [n for n in wanted if n < have]
    for n in wanted:
        if n >= have:
            ret_shortened.append(f"{n} CPUs: there are {have}, and the client needs one of its own.")
    if len(found) < 2:
        ret_shortened.append(f"With {have} CPUs there is nothing to compare: the server would need two numbers of them, and the "
                             "client its own. Nothing is made up in their place.")
        return ()
    return tuple(sorted(found))


def _room(place, count):
    space = os.statvfs(place.root)
    return space.f_bavail * space.f_frsize > 2 * 4096 * count + (1 << 30) and space.f_favail > 2 * count


def _series(a, claim, binary, ret_shortened):
    names = claim.quick_series if a.quick and claim.quick_series else claim.series
    found = []
    for name in names:
        one = series.ALL.get(name) or series.peer(name)
        if one.peer:
            found.append(one)
        elif one.engine not in binary.engines:
            ret_shortened.append(f"{name}: this gearshift has no engine {one.engine}.")
        elif one.tls and one.tls not in binary.tls:
            ret_shortened.append(f"{name}: this gearshift has no {one.tls}.")
        else:
            found.append(one)
    return found


def combination_of(one, binary, role="", label=""):
    settings = dict(one.settings)
    if one.tls:
        settings["tls_backend"] = one.tls
    return combinations.Combination(label + one.name, one.engine, tuple(settings.items()), tls=one.tls, peer=one.peer,
                                    binary=binary.path, role=role or ("peer" if one.peer else one.role))


def counted(planned, known):
    """(condition, series) whose calls are counted: one value of each claim."""
    found = set()
    for name, claim in planned.items():
        kept = [v for v in claim["values"] if not claim["conditions"][str(v)].startswith(
            ("idle", "cold", "slow", "paced", "handshake"))]
        explain = known[name].explain
        if kept:
            value = explain[0] if explain and explain[0] in kept else next((v for v in kept if v == 64), kept[0])
            found |= {(claim["conditions"][str(value)], one) for one in claim["series"]}
    return found


def make_server_of(a, place, scratch, by_name):
    """A function of (combination, workload)."""
    spec = servers.read_spec(a.peers_spec, a.peer_binary)

    def make(combination, workload):
        if combination.peer:
            return servers.peer(combination.peer, spec[combination.peer], a.peers_spec, place.root, scratch,
                                workers=len(a.server_cpus) or 1)
        held = workload.connections + workload.extra.get("idle", 0) + workload.extra.get("slow", 0)
        settings = {**SETTINGS, "connections_max": str(held + 200), **workload.extra.get("settings", {}), **a.settings}
        one = by_name[combination.name]
        if one.each_cpu:
            settings[one.each_cpu] = str(workload.extra.get("count", 1))
            combination = dataclasses.replace(combination, settings=tuple(
                (k, v) for k, v in combination.settings if k != one.each_cpu))
        if "conf" in workload.extra:
            return servers.gearshift_configured(combination, workload.extra["conf"], scratch, settings)
        return servers.gearshift(combination, place.root, scratch, settings)

    return make


def measure_claims(a, notes, started, system_congestion, against, interruption):
    """Measures, and returns the report. `against` is another report, or None; `interruption` the exception that ends it early."""
    binary = combinations.Binary(a.gearshift)
    a.peers = servers.installed(a.peers, servers.read_spec(a.peers_spec, a.peer_binary), a.peers_spec, notes)
    limit = machine.raise_limits()
    tool, why = ("", "") if a.no_counts else counters.tool()
    notes += [why] if why else []
    other = combinations.Binary(os.path.abspath(a.baseline)) if a.baseline and against is None else None
    with tempfile.TemporaryDirectory(prefix="gearshift-textbook-") as scratch:
        os.chmod(scratch, 0o755)
        root = os.path.join(scratch, "site")
        os.mkdir(root)
        place = conditions.Place(root, load.program(a.gearshift), tuple(sorted(os.sched_getaffinity(0))))
        print("making files ...", file=sys.stderr)
        planned, cells = plan_claims(a, binary, place, limit, notes)
        by_name = {one.name: one for _, one in cells}
        of = {name: combination_of(one, binary) for name, one in by_name.items()}
        pairs = [(workload, of[one.name]) for workload, one in cells]
        if other:
            again = {name: combination_of(one, other, "baseline", LABEL) for name, one in by_name.items()
                     if not one.peer and one.role != "control" and one.engine in other.engines}
            by_name.update({LABEL + name: by_name[name] for name in again})
            pairs += [(workload, again[one.name]) for workload, one in cells if one.name in again]
            of.update({LABEL + name: combination for name, combination in again.items()})
        facts = machine.facts(root, system_congestion, ["wrk", "ab", *a.peers] + ([tool] if tool else []), a.peer_binary)
        if a.client_cpus:
            os.sched_setaffinity(0, a.client_cpus)
        bench = measure.Bench(a.server_cpus, a.client_cpus, scratch, random.Random(a.seed))
        budget = a.minutes * 60 if a.minutes else QUICK_S if a.quick else FULL_S
        plan = runner.Plan(pairs, make_server_of(a, place, scratch, by_name), bench,
                           a.seconds or (QUICK_SECONDS if a.quick else SECONDS),
                           a.rounds or (QUICK_ROUNDS if a.quick else ROUNDS), budget, a.seed,
                           counted(planned, the_claims(a.peers)), tool)
        workloads = list({w.name: w for w, _ in pairs}.values())
        record = {"textbook": sorted(planned), "gearshift": binary.version, "seed": a.seed, "seconds": plan.seconds,
                  "cells": sorted(f"{w.name}/{c.name}" for w, c in pairs), "peers": list(a.peers),
                  "cpus": [list(a.server_cpus), list(a.client_cpus)]}
        journal = Journal(a.output, record, a.resume)

        def report_of(records, interrupted=False):
            return conclude.build(
                plan_record=record, machine_facts=facts, claims=planned, workloads=workloads,
                combinations=list(of.values()), settings={**SETTINGS, **a.settings}, records=records, notes=notes, started=started,
                interrupted=interrupted, version=binary.version,
                bench={"server_cpus": a.server_cpus, "client_cpus": a.client_cpus, "seconds": plan.seconds, "seed": a.seed,
                       "command": " ".join(sys.argv), "server_cpus_count": len(a.server_cpus) or facts["cpus"],
                       "client_cpus_count": len(a.client_cpus) or facts["cpus"]})

        shown = progress.Progress(lambda records: plain.so_far(report_of(records)))
        interrupted = False
        try:
            runner.Runner(plan, journal, shown).run()
        except interruption:
            interrupted = True
        finally:
            journal.close()
            shown.clear()
    report = report_of(journal.records, interrupted)
    return conclude.conclude(report, against)
