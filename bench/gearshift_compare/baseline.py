"""Two versions of gearshift: each workload's ratio to the baseline, with its interval."""

from . import summary as summaries

LABEL = "baseline "
FIGURES = ("cpu_us", "rate", "p99", "connection_kib", "capacity")


def compare(report, other):
    """Against another report.json. Machines that differ are told of, since nothing makes up for
    that; and even on the same one, another day may be another machine."""
    caveats = []
    for key, word in (("cpu", "CPU"), ("kernel", "kernel"), ("congestion_measured",
                                                             "congestion control")):
        mine, theirs = report["machine"].get(key), other["machine"].get(key)
        if mine != theirs:
            caveats.append(f"another {word}: {theirs} then, {mine} now")
    for key, word in (("root", "folder"), ("files", "number of files"), ("octets", "size")):
        if report["site"].get(key) != other["site"].get(key):
            caveats.append(f"another {word} of the site: {other['site'].get(key)} then, "
                           f"{report['site'].get(key)} now")
    if report["settings"] != other["settings"]:
        caveats.append("other settings of the servers")
    rows = []
    for workload in report["workloads"]:
        name = workload["name"]
        mine, theirs = report["summary"][name], other["summary"].get(name)
        if theirs is None:
            continue
        floor = max(mine["floor"], theirs["floor"])
        for combination in mine["cells"]:
            if combination in theirs["cells"]:
                rows += _rows(workload, combination, floor, mine["cells"][combination],
                              theirs["cells"][combination])
    return {"against": f"gearshift {other['gearshift']}, measured {other['started']}",
            "interleaved": False, "caveats": caveats, "rows": rows}


def within(report):
    """Against another binary that was measured in the same rounds."""
    rows = []
    for workload in report["workloads"]:
        of = report["summary"][workload["name"]]
        for combination in report["combinations"]:
            then = LABEL + combination["name"]
            if combination["name"] in of["cells"] and then in of["cells"]:
                rows += _rows(workload, combination["name"], of["floor"],
                              of["cells"][combination["name"]], of["cells"][then])
    binary = next(c["binary"] for c in report["combinations"] if c["role"] == "baseline")
    return {"against": binary, "interleaved": True, "caveats": [], "rows": rows}


def _rows(workload, combination, floor, mine, theirs):
    found = []
    for figure in FIGURES:
        if figure == "p99" and workload["metric"] != "p99":
            continue
        compared = summaries.compare({"now": mine, "then": theirs}, floor, "now", "then", figure)
        if compared:
            found.append({"workload": workload["name"], "combination": combination,
                          "figure": figure, **compared})
    return found
