"""Figures as plain text, for a terminal and for report.md."""

from . import paired_text, summary

UNITS = {"cpu_us": "CPU us", "p99": "p99 ms", "connection_kib": "KiB a connection",
         "capacity": "/s at p99 < 5 ms"}
COLUMNS_MAX = 7


def number(value):
    """Three digits that say something."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def interval(measured):
    """"8.1 [7.9, 8.4]"."""
    if measured is None:
        return "-"
    if measured["n"] == 1:
        return number(measured["median"])
    return f"{number(measured['median'])} [{number(measured['low'])}, {number(measured['high'])}]"


def aligned(rows):
    """Rows of cells as lines, columns as wide as their widest cell, figures to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join([row[0].ljust(widths[0])] + [
        cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]).rstrip() for row in rows)


def table(workloads, combinations, found):
    """One line a combination, one column a workload: its first figure, `*` at the leaders, `!`
    where runs are void. Few columns beside each other, further ones below."""
    shown = [w for w in workloads if found[w["name"]]["cells"]]
    parts = []
    for first in range(0, len(shown), COLUMNS_MAX):
        part = shown[first:first + COLUMNS_MAX]
        rows = [[""] + [w["name"] for w in part],
                [""] + [UNITS[w["metric"]] + ("/MiB" if w["unit"] == "MiB" else "") for w in part]]
        for combination in combinations:
            name = combination["name"]
            cells = [_cell(found[w["name"]], name, w["metric"]) for w in part]
            if any(cells):
                rows.append([name] + cells)
        parts.append(aligned(rows))
    return "\n\n".join(parts)


def _cell(of, name, metric):
    cell = of["cells"].get(name)
    if cell is None:
        return ""
    text = number(cell[metric]["median"]) if cell[metric] else "-"
    leaders = of["leaders"][metric]
    marks = "!" if cell["void"] else ""
    return text + ("*" if name in leaders else "") + marks


def so_far(workloads, combinations):
    """A function of records that makes the table, for progress."""
    shown = [{"name": w.name, "metric": w.metric, "unit": w.unit} for w in workloads]
    described = [c.describe() for c in combinations]
    return lambda records: table(shown, described, summary.summarize(records, shown, described))


def final(report):
    """What is printed at the end."""
    advice = report["recommendation"]
    lines = [table(report["workloads"], report["combinations"], report["summary"]),
             "* not told apart from the best; ! has void runs. CPU microseconds of the server per "
             "request.", "", advice["headline"]]
    lines += [f"    {line}" for line in advice["lines"]]
    lines += paired_text.lines(report)
    lines += [f"warning: {text}" for text in report["warnings"]]
    lines += [f"not run: {r['combination']}: {r['why']}" for r in report["refused"] if r["here"]]
    if report["errors"]:
        lines.append("Runs with errors:")
        lines += [f"    {e['combination']}, {e['workload']}: {e['what']}"
                  for e in report["errors"][:20]]
    for row in report.get("baseline", {}).get("rows", ()):
        if row["verdict"] in ("better", "worse"):
            lines.append(f"baseline: {row['combination']}, {row['workload']}, {row['figure']}: "
                         f"{row['ratio']:.2f} [{row['low']:.2f}, {row['high']:.2f}], "
                         f"{row['verdict']}")
    return "\n".join(lines)


