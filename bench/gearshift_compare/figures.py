"""The data that the figures of report.html are drawn from, and how combinations look in them."""

from . import summary as summaries
from .workloads import size_text

ENGINES = ("reactor", "reactor-pool", "multi-reactor", "proactor")
DASHES = ("", "6 3", "2 2.5", "8 3 2 3", "1 3", "10 4")

# figure -> (short name, title of it, what it is counted in)
FIGURES = {
    "cpu_us": ("CPU", "Server CPU per {unit}, microseconds. Shorter is better.", "µs"),
    "rate": ("{unit}s a second", "{unit}s a second. Longer is better.", "1/s"),
    "p99": ("p99", "99th percentile of latency, milliseconds. Shorter is better.", "ms"),
    "calls": ("system calls", "System calls per {unit}. Shorter is better.", ""),
    "waits": ("waits", "Voluntary context switches per {unit}. Shorter is better.", ""),
    "capacity": ("capacity", "Requests a second at p99 within 5 ms. Longer is better.", "1/s"),
    "connection_kib": ("memory", "Memory per idle connection, KiB. Shorter is better.", "KiB"),
}
SHOWN = {
    "cold": ("p99",),
    "idle": ("connection_kib", "cpu_us", "p99"),
    "load": ("capacity",),
}


def figures_of(workload):
    return SHOWN.get(workload["client"], ("cpu_us", "rate", "p99", "calls", "waits"))


def titles(figure, workload):
    """(short name, title) for a workload."""
    short, title, _ = FIGURES[figure]
    unit = workload["unit"]
    if figure == "p99" and workload["client"] == "cold":
        return "p99", "99th percentile of the hot requests, milliseconds. Shorter is better."
    return (short.format(unit=unit), title.format(unit=unit[0].upper() + unit[1:])
            if title.startswith("{") else title.format(unit=unit))


def styles(combinations):
    """Each combination's colour (its engine's), dash and strength (those of its variant)."""
    found, seen = {}, {}
    for combination in combinations:
        family = combination["engine"] if combination["engine"] in ENGINES else "other"
        if combination["role"] in ("control", "baseline"):
            family = "control"
        number = seen.get(family, 0)
        seen[family] = number + 1
        found[combination["name"]] = {"family": family, "dash": DASHES[number % len(DASHES)],
                                      "opacity": max(0.5, 1 - 0.17 * number)}
    return found


def _bars(of, workload, figure):
    """Rows of a bar chart, best first."""
    leaders = of["leaders"].get(figure, [])
    rows = []
    for name, cell in of["cells"].items():
        if figure == "calls":
            if "calls" in cell:
                rows.append({"name": name, "median": cell["calls"], "low": cell["calls"],
                             "high": cell["calls"], "n": 1, "leader": True})
        elif cell[figure]:
            rows.append({"name": name, "leader": name in leaders,
                         **{key: cell[figure][key] for key in ("median", "low", "high", "n")}})
    rows.sort(key=lambda row: row["median"], reverse=figure in summaries.LARGER)
    return rows


def of_workload(of, workload):
    figures = {}
    for figure in figures_of(workload):
        rows = _bars(of, workload, figure)
        if rows and max(row["high"] for row in rows) > 0:
            short, title = titles(figure, workload)
            figures[figure] = {"short": short, "title": title, "rows": rows}
    curves = [{"name": name, "points": cell["curve"]} for name, cell in of["cells"].items()
              if len([p for p, ms in cell["curve"] if p < 100 and ms > 0]) > 1]
    knees = [{"name": name, "points": cell["knee"]} for name, cell in of["cells"].items()
             if cell["knee"]]
    return {"figures": figures, "curves": curves, "knees": knees}


def of_engine(report, engine, reference):
    """Each workload's ratio to the reference: rows of a chart. The first variant that was
    measured; further ones have rows of their own."""
    rows = []
    own = [c for c in report["combinations"] if engine == (c["peer"] or c["engine"])
           and c["role"] in ("candidate", "peer")]
    for workload in report["workloads"]:
        of = report["summary"][workload["name"]]
        for combination in own:
            against = reference + (f" +{combination['tls']}" if combination["tls"] else "")
            if combination["peer"] and workload["tls"]:
                against = next((name for name in of["cells"] if name.startswith(reference)),
                               against)
            if combination["name"] == against:
                continue
            compared = summaries.compare(of["cells"], of["floor"], combination["name"], against,
                                         workload["metric"])
            if compared:
                rest = combination["name"].removeprefix(engine).strip("/ ")
                rows.append({"row": workload["name"] + (f" {rest}" if rest else ""),
                             "workload": workload["name"], "name": combination["name"],
                             **{key: compared[key] for key in ("ratio", "low", "high",
                                                               "verdict")}})
    return rows


def data(report, engines, reference):
    """All of it."""
    found = {"styles": styles(report["combinations"]), "workloads": {}, "ratios": {},
             "sizes": [{"label": f"< {size_text(part['below'])}", "files": part["files"]}
                       for part in report["site"]["sizes"]]}
    for workload in report["workloads"]:
        found["workloads"][workload["name"]] = of_workload(
            report["summary"][workload["name"]], workload)
    for engine in engines:
        found["ratios"][engine] = of_engine(report, engine, reference)
    if "baseline" in report:
        candidates = {c["name"] for c in report["combinations"] if c["role"] == "candidate"}
        found["ratios"]["baseline"] = [
            {"row": f"{row['workload']}, {row['combination']}", **row}
            for row in report["baseline"]["rows"]
            if row["figure"] != "rate" and row["combination"] in candidates]
    return found
