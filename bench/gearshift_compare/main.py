"""The command: from arguments to reports and an exit status."""

import dataclasses
import datetime
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile

from . import (Refusal, arguments, baseline, clients, combinations, counters, load, machine,
               markdown, measure, network, page, paired, processes, progress, report, schedule, servers,
               site, terminal, workloads)
from .journal import Journal
from .textbook import command, conclude, page as textbook_page, plain

OK, REFUSED, WRONG, INTERRUPTED = 0, 1, 3, 130
# What every gearshift is started with, as its peers are tuned: files are looked up once.
SETTINGS = {"cache_valid": "600s", "keepalive_timeout": "600s", "log_level": "warn"}


class Interrupted(Exception):
    """SIGINT or SIGTERM, the first one; what follows are ignored while things are put away."""


def _interrupt(number, frame):
    for which in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(which, signal.SIG_IGN)
    raise Interrupted


def main(argv, binary):
    """Runs the command; its exit status."""
    for which in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(which, _interrupt)
    try:
        a = arguments.parse(argv, binary)
        if a.report_only:
            return _report_only(a)
        return _textbook(a) if a.textbook else _measure(a)
    except Refusal as refusal:
        print(f"gearshift-compare: {refusal}", file=sys.stderr)
        return refusal.status
    except Interrupted:
        print("gearshift-compare: interrupted before anything was measured", file=sys.stderr)
        return INTERRUPTED
    finally:
        processes.close_keeper()


def _report_only(a):
    found = report.load(a.report_only)
    against = _conclude(report.load(a.baseline)) if a.baseline else None
    _conclude(found, against)
    folder = a.output or os.path.dirname(os.path.abspath(a.report_only))
    _write(found, folder)
    print(_final(found))
    return WRONG if found["errors"] else OK


def _is_textbook(found):
    return found.get("kind") == "textbook"


def _conclude(found, against=None):
    if against is not None and _is_textbook(found) != _is_textbook(against):
        raise Refusal("--baseline: one report is of claims (--textbook), the other of a folder; they "
                      "do not compare")
    return (conclude if _is_textbook(found) else report).conclude(found, against)


def _final(found):
    return plain.final(found) if _is_textbook(found) else terminal.final(found)


def _textbook(a):
    if a.list:
        print(command.listing(a.peers))
        return OK
    _have_clients()
    _make_folder(a.output)
    notes, started = [], datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    against = None
    if a.baseline and not _is_program(a.baseline):
        against = _conclude(report.load(a.baseline))
        if not _is_textbook(against):
            raise Refusal(f"--baseline {a.baseline}: it is a report of a folder, and not of claims")
    system_congestion = _enter_network(a, notes)
    whole = command.measure_claims(a, notes, started, system_congestion, against, Interrupted)
    _write(whole, a.output)
    print(_final(whole))
    print(f"report: {os.path.join(a.output, 'report.html')}")
    if whole["interrupted"]:
        print("interrupted: --resume with --output goes on", file=sys.stderr)
        return INTERRUPTED
    return WRONG if whole["errors"] else OK


def _write(found, folder):
    _make_folder(folder)
    report.save(found, os.path.join(folder, "report.json"))
    texts = ((plain.markdown(found), textbook_page.render(found)) if _is_textbook(found)
             else (markdown.render(found), page.render(found)))
    for name, text in zip(("report.md", "report.html"), texts):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)


def _make_folder(folder):
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise Refusal(f"--output {folder}: {error.strerror}; name a folder that can be written",
                      REFUSED) from None


def _combinations(a, notes):
    """All that is compared, with the peers that are installed."""
    binary = combinations.Binary(a.gearshift)
    engines = a.engines or binary.engines
    for engine in [*engines, *(engine for engine, _ in a.extra)]:
        if engine not in binary.engines:
            raise Refusal(f"engine {engine}: this gearshift has {', '.join(binary.engines)}")
    tls = _tls(a, binary, notes)
    threads = len(a.server_cpus) or os.cpu_count()
    options = {"variants": a.variants, "extra": a.extra, "file_ios": a.file_io, "tls": tls,
               "threads": threads}
    found = combinations.of_gearshift(binary, engines, **options)
    if not a.no_control:
        reference = next((c for c in found if c.name == combinations.REFERENCE), found[0])
        found.append(combinations.control_of(reference))
    against = None
    if a.baseline:
        if _is_program(a.baseline):
            other = combinations.Binary(os.path.abspath(a.baseline))
            found += combinations.of_gearshift(
                other, [e for e in engines if e in other.engines], role="baseline",
                label=baseline.LABEL, **{**options, "tls": [t for t in tls if t in other.tls]})
        else:
            against = _conclude(report.load(a.baseline))
            if _is_textbook(against):
                raise Refusal(f"--baseline {a.baseline}: a report of claims (--textbook) does not "
                              "compare with one of a folder")
    spec = servers.read_spec(a.peers_spec, a.peer_binary)
    found += [combinations.Combination(name, "", peer=name, role="peer")
              for name in servers.installed(a.peers, spec, a.peers_spec, notes)]
    return binary, found, spec, against


def _is_program(path):
    try:
        with open(path, "rb") as file:
            return file.read(2) in (b"\x7fE", b"#!")
    except OSError as error:
        raise Refusal(f"--baseline {path}: {error.strerror}; name a report.json or a gearshift"
                      ) from None


def _tls(a, binary, notes):
    if a.tls is None:
        if not binary.tls:
            notes.append("TLS: this gearshift has no TLS library built in; nothing is measured "
                         "over TLS.")
        return binary.tls
    for library in a.tls:
        if library != "none" and library not in binary.tls:
            raise Refusal(f"--tls {library}: this gearshift has "
                          f"{', '.join(binary.tls) or 'no TLS library'} built in")
    return [library for library in a.tls if library != "none"]


def _workloads(a, the_site, found, notes):
    chosen, more = workloads.from_site(the_site, seed=a.seed, log=a.log, connections=a.connections,
                                       idle=min(a.idle, _idle_max(a, notes)),
                                       load_program=load.program(a.gearshift))
    if load.program(a.gearshift) is None:
        more.append(f"load: {load.PROGRAM} is not beside {a.gearshift}.")
    if not any(c.tls for c in found):
        chosen = [w for w in chosen if not w.tls]
    names = [w.name for w in chosen]
    if a.workloads:
        for name in a.workloads:
            if name not in names:
                told = next((n for n in more if n.startswith(name)), "")
                raise Refusal(f"--workloads {name}: this folder gives {', '.join(names)}. {told}")
        chosen = [w for w in chosen if w.name in a.workloads]
    elif a.quick:
        chosen = [w for w in chosen if w.name in workloads.QUICK]
    return chosen, [n for n in more if not a.quick or not n.startswith(("cold", "load"))]


def _accepts(a, found, chosen, spec):
    """What is to be known of how the servers accept."""
    ahead = [c.peer for c in found if c.peer and spec[c.peer].get("defers")]
    if a.deferred:
        return ["Accepts were deferred until a request had come (TCP_DEFER_ACCEPT; gearshift: "
                'listen = {"... deferred"}) with every server that can.']
    if ahead and len(ahead) < len(found) and any(w.name == "close" for w in chosen):
        return [f"close: {' and '.join(ahead)} accept{'s' if len(ahead) == 1 else ''} a connection "
                "when its request has come, the others at once; --deferred has all of them do so."]
    return []


def _idle_max(a, notes):
    """Both ends of an idle connection are on this machine: each has to have a descriptor."""
    limit = machine.raise_limits() - a.connections - 200
    if limit < a.idle:
        notes.append(f"idle: {limit} connections instead of {a.idle}: no more descriptors may be "
                     "had (ulimit -n).")
    return max(0, limit)


def _enter_network(a, notes):
    """Congestion control as asked for; that of the system before."""
    system = network.congestion_control()
    if a.congestion == "system":
        return system
    try:
        network.enter_namespace("reno" if a.congestion == "auto" else a.congestion)
    except OSError as error:
        if a.congestion != "auto":
            raise Refusal(f"--congestion {a.congestion}: {error}; it needs root or user "
                          "namespaces, and a name from net.ipv4.tcp_available_congestion_control",
                          REFUSED) from None
        notes.append(f"Measured with the system's congestion control, {system}: no network "
                     f"namespace could be had ({error}).")
    return system


def _certificate(folder, needed, notes):
    """A folder with a certificate for the peers, or None."""
    if not needed:
        return None
    done = shutil.which("openssl") and subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "30", "-subj", "/CN=localhost", "-keyout", f"{folder}/key.pem",
         "-out", f"{folder}/cert.pem"], stdin=subprocess.DEVNULL, capture_output=True,
        check=False).returncode == 0
    if not done:
        notes.append("Peers are not measured over TLS: there is no openssl program to make them a "
                     "certificate.")
        return None
    return folder


def _times(a, cells):
    """Seconds of a run, rounds, and seconds for everything."""
    budget = a.minutes * 60 if a.minutes else arguments.QUICK_S if a.quick else arguments.FULL_S
    rounds = a.rounds or (6 if a.quick else 15)
    wanted = min(rounds, 4 if a.quick else 9)
    seconds = a.seconds or min(3.0, max(0.25, (0.9 * budget / (wanted * max(1, cells)) - 0.4)
                                         / (1 + measure.WARM_UP)))
    return seconds, rounds, budget


def _have_clients():
    for program, package in clients.missing():
        raise Refusal(f"{program} is not installed (Debian package {package}); `make bench` "
                      "installs what it needs", REFUSED)


def _measure(a):
    _have_clients()
    notes, started = [], datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    the_site = site.Site(a.folder)
    binary, found, spec, against = _combinations(a, notes)
    chosen, more = _workloads(a, the_site, found, notes)
    notes += more + _accepts(a, found, chosen, spec)
    _make_folder(a.output)
    system_congestion = _enter_network(a, notes)
    tool, why = ("", "") if a.no_counts else counters.tool()
    if why:
        notes.append(why)
    settings = {**SETTINGS, "cache_files": str(max(4096, min(100_000, len(the_site.files) + 64))),
                "connections_max": str(a.idle + 4 * a.connections + 1000), **a.settings}
    programs = ["wrk", "ab"] + [c.peer for c in found if c.peer] + ([tool] if tool else [])
    facts = machine.facts(the_site.root, system_congestion, list(dict.fromkeys(programs)),
                          a.peer_binary)
    with tempfile.TemporaryDirectory(prefix="gearshift-compare-") as scratch:
        os.chmod(scratch, 0o755)  # apache's workers give up root
        certificate = _certificate(scratch, any(w.tls for w in chosen), notes)
        found = [dataclasses.replace(c, tls_too=bool(certificate and spec[c.peer].get("tls")))
                 if c.peer else c for c in found]

        def make_server(combination):
            if combination.peer:
                return servers.peer(combination.peer, spec[combination.peer], a.peers_spec,
                                    the_site.root, scratch, workers=len(a.server_cpus) or 1,
                                    certificate=certificate,
                                    cache_valid=settings["cache_valid"], deferred=a.deferred)
            return servers.gearshift(combination, the_site.root, scratch, settings, a.deferred)

        if a.client_cpus:
            os.sched_setaffinity(0, a.client_cpus)  # out of the servers' way
        bench = measure.Bench(a.server_cpus, a.client_cpus, scratch, random.Random(a.seed))
        plan = schedule.Plan(found, chosen, make_server, bench, 0, 0, 0, a.seed,
                             _counted(a, chosen), tool)
        plan.seconds, plan.rounds, plan.budget_s = _times(a, len(plan.cells()))
        stage = paired.budget(a, found, chosen, plan, notes)
        record = _plan_record(a, plan, the_site, binary, settings)
        journal = Journal(a.output, record, a.resume)
        if a.resume and journal.of("plan") and "seconds" in journal.of("plan")[0]:
            plan.seconds = journal.of("plan")[0]["seconds"]
        shown = progress.Progress(terminal.so_far(chosen, found))
        interrupted = False
        try:
            schedule.Runner(plan, journal, shown).run()
            paired.Runner(stage, plan, journal, shown).run()
        except Interrupted:
            interrupted = True
        finally:
            journal.close()
            shown.clear()
    whole = report.build(
        plan_record=record, machine_facts=facts, site=the_site.describe(), workloads=chosen,
        combinations=found, bench={"server_cpus": a.server_cpus, "client_cpus": a.client_cpus,
                                   "seconds": plan.seconds, "seed": a.seed,
                                   "command": " ".join(sys.argv)},
        settings=settings, records=journal.records, notes=notes, started=started,
        interrupted=interrupted, version=binary.version)
    report.conclude(whole, against)
    _write(whole, a.output)
    print(terminal.final(whole))
    print(f"report: {os.path.join(a.output, 'report.html')}")
    if interrupted:
        print("interrupted: --resume with --output goes on", file=sys.stderr)
        return INTERRUPTED
    return WRONG if whole["errors"] else OK


def _counted(a, chosen):
    kept = [w.name for w in chosen if w.client in ("wrk", "drain")]
    return tuple(name for name in kept if not a.quick or name == kept[0])


def _plan_record(a, plan, the_site, binary, settings):
    """What must not change between the runs of a journal."""
    return {"gearshift": binary.version, "folder": the_site.root, "files": len(the_site.files),
            "octets": the_site.total, "workloads": [w.name for w in plan.workloads],
            "combinations": [c.name for c in plan.combinations], "seed": a.seed,
            "settings": settings, "deferred": a.deferred, "connections": a.connections,
            "cpus": [list(a.server_cpus), list(a.client_cpus)], "log": a.log}
