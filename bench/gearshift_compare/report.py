"""report.json: all that was measured and what follows from it. The other reports are made of it."""

import json
import os

from . import SCHEMA, Refusal, baseline, machine, paired, recommend, summary


def build(*, plan_record, machine_facts, site, workloads, combinations, bench, settings, records,
          notes, started, interrupted, version):
    """The report as a dict; its runs are the journal's records."""
    server_cpus = len(bench["server_cpus"]) or machine_facts["cpus"]
    client_cpus = len(bench["client_cpus"]) or machine_facts["cpus"]
    report = {
        "schema": SCHEMA, "gearshift": version, "started": started, "interrupted": interrupted,
        "plan": plan_record, "machine": machine_facts, "site": site, "settings": settings,
        "bench": {**bench, "server_cpus_count": server_cpus, "client_cpus_count": client_cpus},
        "workloads": [{"name": w.name, "title": w.title, "what": w.what, "client": w.client,
                       "unit": w.unit, "metric": w.metric, "connections": w.connections,
                       "pipeline": w.pipeline, "tls": w.tls, "server_cpus": server_cpus,
                       "client_cpus": client_cpus} for w in workloads],
        "combinations": [c.describe() for c in combinations],
        "notes": notes, "records": records,
    }
    return conclude(report)


def conclude(report, against=None):
    """Fills in what follows from the records: summary, warnings, recommendation, baseline."""
    records = report["records"]
    found = summary.summarize(records, report["workloads"], report["combinations"])
    report["summary"] = found
    report["starts"] = summary.starts(records)
    bench = report["bench"]
    report["warnings"] = machine.warnings(
        report["machine"], bench["server_cpus"], bench["client_cpus"]) + summary.warnings(
        records, found, report["workloads"])
    report["rounds"] = 1 + max((r["round"] for r in records if r.get("kind") == "run"), default=-1)
    report["refused"] = [r for r in records if r.get("kind") == "refused"]
    report["errors"] = errors(records)
    report["paired"] = paired.rows(records, found)
    report["recommendation"] = recommend.recommend(report, found)
    if against is not None:
        report["baseline"] = baseline.compare(report, against)
    elif any(c["role"] == "baseline" for c in report["combinations"]):
        report["baseline"] = baseline.within(report)
    return report


def errors(records):
    """What voids runs, as sentences; empty when all is well."""
    told = {}
    for record in records:
        if record.get("kind") == "run" and "void" in record:
            key = (record["workload"], record["combination"], record["void"])
            told[key] = told.get(key, 0) + 1
        elif record.get("kind") == "paired" and "void" in record:
            key = (record["workload"], f"{record['b']} under one load", record["void"])
            told[key] = told.get(key, 0) + 1
        elif record.get("kind") == "checked":
            for workload, fault in record["faults"].items():
                told.setdefault((workload, record["combination"], fault), 0)
        elif record.get("kind") == "refused" and not record["here"]:
            told[("start", record["combination"], record["why"])] = 1
    return [{"workload": w, "combination": c, "what": what, "runs": runs}
            for (w, c, what), runs in told.items()]


def save(report, path):
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    os.replace(path + ".new", path)


def load(path):
    """A report.json of this schema. Raises Refusal."""
    try:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
    except OSError as error:
        raise Refusal(f"{path}: {error.strerror}; name a report.json") from None
    except ValueError as error:
        raise Refusal(f"{path}: no JSON ({error}); name a report.json") from None
    if not isinstance(report, dict) or report.get("schema") != SCHEMA:
        raise Refusal(f"{path} is no report.json of schema {SCHEMA}; measure again with this "
                      "version")
    return report
