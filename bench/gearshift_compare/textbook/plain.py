"""The report of claims as text: for the terminal, and report.md."""

import math

from ..terminal import interval, number
from . import rules, words


def _verdicts(report, margin_of):
    return [["claim", "verdict here", "margin"]] + [
        [claim["name"], words.verdict_text(claim["verdict"], claim["value"], claim["variable"]), margin_of(claim)]
        for claim in report["textbook"]]


def most_telling(claim):
    """The part whose margin is shown with the claim: the widest apart of those with the claim's verdict, or of those that
    hold where it holds in part."""
    known = [part for part in claim["parts"] if part["telling"]]
    wanted = "holds" if claim["verdict"] == rules.PARTLY else claim["verdict"]
    own = [part for part in known if part["verdict"].startswith(wanted)] or known
    return max(own, key=lambda part: abs(math.log(part["telling"]["median"] or 1)), default=None)


def told(claim):
    """The margin of a claim in a line."""
    part = most_telling(claim)
    if part is None:
        return "not measured"
    text = f"{part['text']}: {words.margin(part)}"
    if claim["verdict"] != rules.PARTLY:
        return text
    known = [part for part in claim["parts"] if part["verdict"] != rules.FEW]
    return f"{sum(part['verdict'].startswith('holds') for part in known)} of {len(known)} parts hold, one of them {text}"


def _left_aligned(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def _ratio(claim):
    part = most_telling(claim)
    return words.margin(part) if part else "not measured"


def so_far(report):
    return _left_aligned(_verdicts(report, _ratio))


def final(report):
    lines = [so_far(report), ""]
    for claim in report["textbook"]:
        lines.append(f"{claim['title']}: {words.verdict_text(claim['verdict'], claim['value'], claim['variable'])}")
        for part in claim["parts"]:
            cross = words.crossing_text(part)
            lines.append(f"    {part['text']}: {words.verdict_text(part['verdict'], part['value'], part['variable'])}, "
                         f"{words.margin(part)}" + (f"; {cross}" if cross else ""))
    lines += [f"warning: {text}" for text in report["warnings"]]
    lines += [f"not run: {r['combination']}: {r['why']}" for r in report["refused"]]
    lines += [f"note: {note}" for note in report["notes"]]
    if report["errors"]:
        lines.append("Runs with errors:")
        lines += [f"    {e['combination']}, {e['workload']}: {e['what']}" for e in report["errors"][:20]]
    for claim in report["textbook"]:
        if claim.get("then") and claim["then"] != claim["verdict"]:
            lines.append(f"baseline: {claim['name']}: {claim['then']} then, {claim['verdict']} now")
    for row in report.get("baseline", {}).get("rows", ()):
        if row["verdict"] in ("better", "worse"):
            lines.append(f"baseline: {row['combination']}, {row['workload']}, {row['figure']}: "
                         f"{row['ratio']:.2f} [{row['low']:.2f}, {row['high']:.2f}], {row['verdict']}")
    return "\n".join(lines)


def _row(cells):
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _table(header, rows):
    return "\n".join([_row(header), "|" + "---|" * len(header)] + [_row(row) for row in rows])


def point_table(claim):
    """(header, rows): a row a server, a column a value."""
    variable = claim["variable"]
    header = [""] + ([words.value_text(v, variable) for v in claim["values"]] if variable else [claim["unit"]])
    rows = []
    for one in claim["series"]:
        by_value = {point["value"]: point for point in one["points"]}
        rows.append([one["name"]] + [interval(by_value.get(v)) for v in claim["values"]])
    return header, rows


def reason_table(claim):
    """(header, rows) of what was counted beside the figure."""
    rows = claim["reasons"]["rows"]
    shown = [(key, title) for key, title in (("calls", "calls"), ("waits", "waits"), ("preemptions", "preempted"),
                                             ("switches", "switches"), ("migrations", "migrations"), ("misses", "cache misses"),
                                             ("futexes", "futex calls"), ("contended", "kernel locks waited for"),
                                             ("user_us", "own µs"), ("system_us", "kernel µs"), ("memory_kib", "memory KiB"),
                                             ("connection_kib", "pages KiB/conn"), ("kernel_kib", "kernel KiB/conn"))
             if any(key in row for row in rows)]
    header = [""] + [title for _, title in shown]
    lines = [[row["name"]] + [number(row.get(key)) for key, _ in shown] for row in rows]
    if any("by_name" in row for row in rows):
        header += ["calls by name", "copies of the body"]
        for line, row in zip(lines, rows):
            line += [", ".join(f"{name} {number(n)}" for name, n in list(row.get("by_name", {}).items())[:5]) or "not counted",
                     row.get("copies", "") or "-"]
    return header, lines


METHOD = (
    "Each run has a server of its own, started for it and ended after it. A round goes through all variables in random order, in "
    "each through its values, and at each through all servers: what is compared was measured soon after each other, two servers at a "
    "value within seconds.",
    "A ratio is the median of the ratios within the rounds, with an interval that holds it with 95 %: order "
    "statistics, which assume nothing of how ratios are distributed; with four or five rounds (--quick), where these do not reach so far, "
    "Student's interval of the logarithms, or the smallest to the largest where that is wider. A difference is one when the interval leaves "
    "out 1, four rounds are there, and the median is further from 1 than the floor: 2 %, or what the same server under two names came "
    "to. “The same” means that the interval lies within 10 % of 1; where it reaches beyond, nothing is said. With hundreds of "
    "comparisons some are wrong by chance: the rule's 5 % of those between equals, less what the floor takes away. Believe none that "
    "stands alone.",
    "“Holds from N on”: at N and at all greater values that were measured. A crossing point lies between the two values at which the "
    "servers are told apart the other way round; where between is interpolated by logarithms.",
    "Answers are checked for status, length and hash before and after each run; a run with an error does not count. System calls are "
    "counted in runs of their own (perf, else strace); waits are voluntary context switches (/proc). Copies cannot be counted from "
    "outside: they follow from the calls that were seen. Who waits for a lock of threads, or wakes who does, calls futex(2), which is "
    "counted; locks of the kernel that were not free are counted where perf tells (Linux 5.19). What the CPU's caches do is not measured.",
    "One machine, loopback, no network card: it compares models, not sites.",
)


def markdown(report):
    machine = report["machine"]
    parts = ["# The textbook, measured",
             f"gearshift {report['gearshift']}, {machine['cpu']}, Linux {machine['kernel']}, congestion control "
             f"{machine['congestion_measured']}, {report['rounds']} rounds, {report['started']}"
             + (", interrupted." if report["interrupted"] else "."),
             _table(["claim", "verdict on this machine", "margin"],
                    [[f"[{claim['title']}](#{claim['name']})", *row[1:]]
                     for claim, row in zip(report["textbook"], _verdicts(report, told)[1:])])]
    if report["warnings"]:
        parts.append("## Before you trust the figures\n\n" + "\n".join(f"- {text}" for text in report["warnings"]))
    for claim in report["textbook"]:
        parts.append(_claim(claim))
    if "baseline" in report:
        against = report["baseline"]
        parts.append(f"## Against the baseline\n\n{against['against']}\n\n" + "".join(f"- {c}\n" for c in against["caveats"]) + "\n" + _table(
            ["server", "condition", "figure", "ratio", "interval", "verdict"],
            [[row["combination"], row["workload"], row["figure"], f"{row['ratio']:.2f}", f"{row['low']:.2f} to {row['high']:.2f}",
              row["verdict"]] for row in against["rows"]]))
    if report["errors"]:
        parts.append("## Runs with errors, which do not count\n\n" + "\n".join(
            f"- {e['combination']}, {e['workload']}: {e['what']}" for e in report["errors"]))
    if report["refused"]:
        parts.append("## Not run\n\n" + "\n".join(f"- {r['combination']}: {r['why']}" for r in report["refused"]))
    parts.append("## Method\n\n" + "\n\n".join(METHOD))
    if report["notes"]:
        parts.append("\n".join(f"- {note}" for note in report["notes"]))
    parts.append("```\n" + report["bench"]["command"] + "\n```")
    return "\n\n".join(parts) + "\n"


def _claim(claim):
    variable = claim["variable"]
    text = [f"## {claim['title']}\n<a id=\"{claim['name']}\"></a>", f"> {claim['sentence']}",
            f"Said by: {'; '.join(claim['said_by'])}.",
            f"**{words.verdict_text(claim['verdict'], claim['value'], variable)}**"
            + (f" (then: {claim['then']})" if claim.get("then") else ""), claim["experiment"]]
    text.append(_table(["part", "verdict", "ratio", ""], [
        [part["text"], words.verdict_text(part["verdict"], part["value"], variable), words.margin(part), words.crossing_text(part)]
        for part in claim["parts"]]))
    text.append(f"{claim['figure_title']}, {claim['unit']}" + (f", by {variable}" if variable else "") + ":\n\n"
                + _table(*point_table(claim)))
    text.append(f"Why: {claim['because']}")
    if claim["reasons"]["rows"]:
        text.append(f"For each {claim['reasons']['unit']}" + (f" at {words.at(claim['reasons']['value'], variable)}" if variable else "")
                    + ":\n\n" + _table(*reason_table(claim)))
    text += [claim["caution"]] if claim["caution"] else []
    text += [f"- {line}" for line in claim["shortened"] + claim["void"]]
    return "\n\n".join(text)

