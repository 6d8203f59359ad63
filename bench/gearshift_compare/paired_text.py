"""What a report tells of engines under one load (paired.py): as HTML, Markdown and lines."""

import html

MARKS = {"better": "better", "worse": "worse", "no difference": "same", "too few runs": "same"}
WHAT = ("One server changes its engine while it serves, A B B A, on the same connections of one client; "
        "nothing counts until the new worker has taken over and warmed up. The ratio is that of CPU per "
        "request; below 1 is less than the reference. Beside it the ratio of fresh starts, whose "
        "interval has the machine's mood in it, and another layout in memory each time.")


def _ratio(found):
    return "-" if found is None else f"{found['ratio']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def _cells(row):
    times = "-" if row["narrower"] is None else f"{row['narrower']:.1f} times"
    return [_ratio(row), str(row["n"]), row["verdict"], _ratio(row["fresh"]), times]


HEAD = ("workload", "engine", "against", "under one load", "blocks", "verdict", "fresh starts",
        "narrower by")


def section(report):
    """HTML, or "" where nothing was measured so."""
    if not report.get("paired"):
        return ""
    body = "".join(
        f"<tr><th scope=row>{html.escape(row['workload'])}</th><td>{html.escape(row['b'])}</td>"
        f"<td>{html.escape(row['a'])}</td>" + "".join(
            f'<td class="{MARKS[row["verdict"]]}">{html.escape(cell)}</td>' if i == 0
            else f"<td>{html.escape(cell)}</td>" for i, cell in enumerate(_cells(row))) + "</tr>"
        for row in report["paired"])
    head = "".join(f'<th scope="col">{name}</th>' for name in HEAD)
    return (f"<h2>Under one load</h2><p>{WHAT}</p>"
            f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
            "</div>")


def markdown(report):
    """The same as lines of Markdown, or []."""
    if not report.get("paired"):
        return []
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    lines += ["| " + " | ".join([row["workload"], row["b"], row["a"], *_cells(row)]) + " |"
              for row in report["paired"]]
    return [f"## Under one load\n\n{WHAT}\n\n" + "\n".join(lines)]


def lines(report):
    """For the terminal: what differs."""
    told = [f"under one load, {row['workload']}: {row['b']} costs {_ratio(row)} of {row['a']}, "
            f"{row['verdict']}" for row in report.get("paired", ()) if not row["control"]]
    return told
