"""report.md: the report for those who read text, and for pasting into a discussion."""

from . import paired_text
from .sections import METHOD, verdict
from .terminal import interval, number
from .workloads import size_text

COLUMNS = (("capacity", "capacity /s"), ("cpu_us", "CPU µs"), ("rate", "a second"), ("mbs", "MB/s"), ("p50", "p50 ms"),
           ("p99", "p99 ms"), ("p999", "p99.9 ms"), ("connection_kib", "KiB/connection"))


def _row(cells):
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _table(header, rows):
    return "\n".join([_row(header), "|" + "---|" * len(header)] + [_row(row) for row in rows])


def _workload(workload, of):
    columns = [(key, title) for key, title in COLUMNS
               if any(cell[key] for cell in of["cells"].values())]
    leaders = of["leaders"][workload["metric"]]
    rows = []
    for name, cell in of["cells"].items():
        rows.append([f"**{name}**" if name in leaders else name]
                    + [interval(cell[key]) for key, _ in columns]
                    + [number(cell.get("calls")), f"{cell['used']}/{cell['runs']}"])
    header = [""] + [title for _, title in columns] + ["calls", "runs"]
    return (f"### {workload['title']}\n\n{workload['what']} {workload['connections']} connections "
            f"at a time; per {workload['unit']}. {verdict(workload, of)}\n\n"
            + _table(header, rows))


def render(report):
    advice, machine, site = report["recommendation"], report["machine"], report["site"]
    parts = [f"# {advice['headline']}"]
    if advice["lines"]:
        parts.append("```\n" + "\n".join(advice["lines"]) + "\n```")
    parts += advice["reasons"]
    parts.append(f"gearshift {report['gearshift']}, {site['root']} ({site['files']} files, "
                 f"{size_text(site['octets'])}), {machine['cpu']}, Linux {machine['kernel']}, "
                 f"congestion control {machine['congestion_measured']}, {report['rounds']} rounds, "
                 f"{report['started']}" + (", interrupted." if report["interrupted"] else "."))
    if report["warnings"]:
        parts.append("## Before you trust the figures\n\n" + "\n".join(
            f"- {text}" for text in report["warnings"]))
    if report["errors"]:
        parts.append("## Runs with errors\n\n" + "\n".join(
            f"- {e['combination']}, {e['workload']}: {e['what']}" for e in report["errors"]))
    if "baseline" in report:
        told = report["baseline"]
        parts.append(f"## Against the baseline\n\n{told['against']}\n\n" + "".join(
            f"- {caveat}\n" for caveat in told["caveats"]) + "\n" + _table(
            ["combination", "workload", "figure", "ratio", "interval", "verdict"],
            [[row["combination"], row["workload"], row["figure"], f"{row['ratio']:.2f}",
              f"{row['low']:.2f} to {row['high']:.2f}", row["verdict"]] for row in told["rows"]]))
    parts += paired_text.markdown(report)
    parts.append("## Workloads\n\nMedians [intervals]. Bold: not told apart from the best of "
                 "gearshift's engines.")
    parts += [_workload(w, report["summary"][w["name"]]) for w in report["workloads"]
              if report["summary"][w["name"]]["cells"]]
    parts.append("## Method\n\n" + "\n\n".join(METHOD))
    if report["notes"]:
        parts.append("\n".join(f"- {note}" for note in report["notes"]))
    parts.append("```\n" + report["bench"]["command"] + "\n```")
    return "\n\n".join(parts) + "\n"
