"""report.html of claims: the frame, the style and the script of the other report."""

import json

from .. import page, sections
from ..sections import escape
from . import plain, words

PALETTE = 8   # colours; beyond them dashes
DASHES = ("", "6 3", "2 2.5")


def styles(names):
    return {name: {"color": f"var(--s-{n % PALETTE})", "dash": DASHES[(n // PALETTE) % len(DASHES)]}
            for n, name in enumerate(names)}


def data(report):
    """What the figures are drawn from."""
    claims = {}
    for claim in report["textbook"]:
        variable = claim["variable"]
        names = [one["name"] for one in claim["series"] if one["points"]]
        claims[claim["name"]] = {
            "unit": claim["unit"], "variable": variable, "styles": styles(names),
            "values": [{"value": v, "label": words.value_text(v, variable)} for v in claim["values"]],
            "lines": [{"name": one["name"], "points": [{key: point[key] for key in ("value", "median", "low", "high", "n")}
                                                       for point in one["points"]]} for one in claim["series"] if one["points"]]}
    found = {"claims": claims, "ratios": {}, "styles": {}, "workloads": {}, "sizes": []}
    if "baseline" in report:
        found["ratios"]["baseline"] = [{"row": f"{row['workload']}, {row['combination']}", **row}
                                       for row in report["baseline"]["rows"] if row["figure"] == "cpu_us"]
    return found


def render(report):
    parts = [("verdicts", "Verdicts", _verdicts(report))]
    if "baseline" in report:
        parts.append(("baseline", "Baseline", sections.against_baseline(report) + _then(report)))
    parts += [("claims", "Claims", "<h2>Claims</h2>" + "".join(_claim(claim) for claim in report["textbook"])),
              ("machine", "Machine and method", _machine(report))]
    nav = " ".join(f'<a href="#{name}">{title}</a>' for name, title, _ in parts)
    main = "\n".join(f'<section id="{name}">{text}</section>' for name, _, text in parts)
    return page.frame(title="gearshift-compare: the textbook, measured", head=_head(report), nav=nav, main=main,
                      data=json.dumps(data(report)))


def _head(report):
    machine = report["machine"]
    runs = sum(r.get("kind") == "run" for r in report["records"])
    return ("<h1>The textbook, measured</h1>"
            f'<p class="soft">What texts say of I/O models, and what is so with gearshift {escape(report["gearshift"])} on '
            f"{escape(machine['cpu'])}, Linux {escape(machine['kernel'])}; {runs} runs in {report['rounds']} rounds, "
            f"{escape(report['started'].replace('T', ' ')[:16])}"
            + ("; <strong>interrupted</strong>" if report["interrupted"] else "") + "</p>")


def _mark(verdict, value, variable, tag="td"):
    return f'<{tag} class="{words.css_class(verdict)}">{escape(words.verdict_text(verdict, value, variable))}</{tag}>'


def _verdicts(report):
    rows = []
    for claim in report["textbook"]:
        rows.append(f'<tr><th scope=row><a href="#c-{claim["name"]}">{escape(claim["title"])}</a></th>'
                    + _mark(claim["verdict"], claim["value"], claim["variable"])
                    + f"<td>{escape(plain.told(claim))}</td></tr>")
    text = ('<h2>Verdicts on this machine</h2><p>A sentence of the texts, and what the runs bear out. The margin is a ratio with its '
            'interval: 2 × is twice as much.</p><div class="scroll"><table class="wrap verdicts"><thead><tr><th>claim</th><th>verdict</th>'
            f"<th>margin</th></tr></thead><tbody>{''.join(rows)}</tbody></table></div>")
    for title, told in (("Runs with errors, which do not count", [
            f"{e['combination']}, {e['workload']}: {e['what']}" + (f" ({e['runs']} runs)" if e["runs"] > 1 else "")
            for e in report["errors"]]), ("Before you trust the figures", report["warnings"])):
        if told:
            text += f'<div class="card warnings"><h3>{title}</h3>{sections.items(told)}</div>'
    return text


def _then(report):
    told = [f"{claim['title']}: {claim['then']} then, {claim['verdict']} now" for claim in report["textbook"]
            if claim.get("then") and claim["then"] != claim["verdict"]]
    return "<h3>Verdicts that changed</h3>" + (sections.items(told) if told else "<p>None.</p>")


def _key(names):
    found = styles(names)
    return '<ul class="key">' + "".join(
        f'<li><svg viewBox="0 0 30 10" aria-hidden="true"><path d="M0 5H30" fill="none" stroke="{found[name]["color"]}" '
        f'stroke-width="2.5" stroke-dasharray="{found[name]["dash"]}"/></svg>{escape(name)}</li>' for name in names) + "</ul>"


def _table(header, rows, caption, kind=""):
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
    body = "".join(f"<tr><th scope=row>{escape(row[0])}</th>" + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>"
                   for row in rows)
    return (f'<div class="scroll"><table class="{kind}"><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>")


def _claim(claim):
    variable, name = claim["variable"], claim["name"]
    names = [one["name"] for one in claim["series"] if one["points"]]
    figure = claim["figure_title"] + f", {claim['unit']}" + (f", by {variable}" if variable else "")
    parts = "".join(
        f"<tr><th scope=row>{escape(part['text'])}</th>" + _mark(part["verdict"], part["value"], variable)
        + f"<td>{escape(words.margin(part))}</td><td>{escape(words.crossing_text(part))}</td></tr>" for part in claim["parts"])
    chart = ""
    if names:
        kind = "line" if len(claim["values"]) > 1 else "spots"
        chart = (f"<figure><figcaption>{escape(figure)}. Lower is better; upright lines are intervals.</figcaption>"
                 f'<div data-chart="{kind}" data-of="{escape(name)}" data-label="{escape(claim["title"])}: {escape(figure)}"></div>'
                 + (_key(names) if kind == "line" else "") + "</figure>")
    reasons = ""
    if claim["reasons"]["rows"]:
        where = words.at(claim["reasons"]["value"], variable)
        header, rows = plain.reason_table(claim)
        reasons = ("<details><summary>Calls, waits, copies and memory</summary>" + _table(
            header, rows, f"Medians for each {claim['reasons']['unit']}" + (f", at {where}" if where else ""), "wrap") + "</details>")
    sentence = words.reason_text(claim)
    told = claim["shortened"] + claim["void"]
    then = f" In the baseline: {escape(claim['then'])}." if claim.get("then") else ""
    return (f'<article class="card workload" id="c-{escape(name)}"><h3>{escape(claim["title"])}</h3>'
            f'<blockquote>{escape(claim["sentence"])}</blockquote>'
            f'<p class="small soft">{escape("; ".join(claim["said_by"]))}</p>'
            f"<p>{_mark(claim['verdict'], claim['value'], variable, 'strong')}{then}</p>"
            f'<p class="soft">{escape(claim["experiment"])}</p>'
            f'<div class="charts one">{chart}</div>'
            f'<div class="scroll"><table class="wrap"><thead><tr><th>part</th><th>verdict</th><th>ratio</th><th></th></tr></thead>'
            f"<tbody>{parts}</tbody></table></div>"
            f"<p><strong>Why.</strong> {escape(claim['because'])}</p>"
            + (f'<p>Measured, for each {claim["reasons"]["unit"]}: {escape(sentence)}.</p>' if sentence else "")
            + (f'<p class="soft">{escape(claim["caution"])}</p>' if claim["caution"] else "")
            + (sections.items(told, "plain small soft") if told else "")
            + "<details><summary>All figures</summary>" + _table(*plain.point_table(claim), f"{figure}: medians [intervals]")
            + _ratio_table(claim) + f"</details>{reasons}</article>")


def _ratio_table(claim):
    rows = [[part["text"], words.value_text(ratio["value"], claim["variable"]) if claim["variable"] else "-", f"{ratio['median']:.3f}",
             f"{ratio['low']:.3f} to {ratio['high']:.3f}", str(ratio["n"]), ratio["says"]]
            for part in claim["parts"] for ratio in part["ratios"]]
    return _table(["part", claim["variable"] or "-", "ratio", "interval", "rounds", "told"], rows, "Ratios within rounds") if rows else ""


def _machine(report):
    notes = sections.items([*report["notes"], *(f"{r['combination']}: not run. {r['why']}" for r in report["refused"])])
    floors = ", ".join(f"{name} {floor:.1%}" for name, floor in report["floor"].items() if name in ("cpu_us", "p99", "memory_kib"))
    listed = "".join(f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in sections.machine_of(report).items())
    commands = "".join(f"<dt>{escape(r['workload'])}, {escape(r['combination'])}</dt><dd><code>{escape(r['command'])}</code></dd>"
                       for r in report["records"] if r.get("kind") == "start")
    return ("<h2>Machine and method</h2>" + "".join(f"<p>{escape(text)}</p>" for text in plain.METHOD)
            + f"<p>Floors in this run: {escape(floors)}.</p>{notes}<h3>This machine</h3><dl>{listed}</dl>"
            f"<p><code>{escape(report['bench']['command'])}</code></p>"
            f'<details><summary>Servers</summary><dl class="commands">{commands}</dl></details>')


