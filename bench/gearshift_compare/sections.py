"""The sections of report.html, as text. All that is not ours passes through html.escape()."""

import html
import os

from . import paired, summary as summaries
from .terminal import interval, number
from .workloads import size_text

MARKS = {"better": "better", "worse": "worse", "no difference": "same", "too few runs": "same"}


def escape(text):
    return html.escape(str(text))


def head(report):
    machine, site = report["machine"], report["site"]
    when = report["started"].replace("T", " ")[:16]
    runs = sum(r.get("kind") == "run" for r in report["records"])
    return (f"<h1>Which engine for {escape(os.path.basename(site['root']) or site['root'])}?</h1>"
            f'<p class="soft">gearshift {escape(report["gearshift"])} on '
            f"{escape(machine['cpu'])}, Linux {escape(machine['kernel'])}; "
            f"{site['files']} files, {size_text(site['octets'])}; {runs} runs in "
            f"{report['rounds']} rounds, {escape(when)}"
            + ("; <strong>interrupted</strong>" if report["interrupted"] else "") + "</p>")


def items(found, kind="plain"):
    return f'<ul class="{kind}">' + "".join(f"<li>{escape(item)}</li>" for item in found) + "</ul>"


def advice(report):
    told = report["recommendation"]
    text = [f'<div class="card advice"><h2>{escape(told["headline"])}</h2>']
    if told["lines"]:
        text.append("<pre>" + escape("\n".join(told["lines"])) + "</pre>"
                    '<p class="small soft">Lines for the top of server.conf.</p>')
    text += [f"<p>{escape(reason)}</p>" for reason in told["reasons"]]
    text.append("</div>")
    if report["errors"]:
        text.append('<div class="card warnings"><h3>Runs with errors, which do not count</h3>'
                    + items([f"{e['combination']}, {e['workload']}: {e['what']}"
                             + (f" ({e['runs']} runs)" if e["runs"] > 1 else "")
                             for e in report["errors"]]) + "</div>")
    if report["warnings"]:
        text.append('<div class="card warnings"><h3>Before you trust the figures</h3>'
                    + items(report["warnings"]) + "</div>")
    return "".join(text)


def glance(report, reference):
    """Every combination's ratio to the reference, in every workload."""
    columns = [w for w in report["workloads"] if report["summary"][w["name"]]["cells"]]
    rows = []
    for combination in report["combinations"]:
        cells = [_glance_cell(report, combination, w, reference) for w in columns]
        if any(cells):
            rows.append(f"<tr><th scope=row>{escape(combination['name'])}</th>"
                        + "".join(cell or "<td></td>" for cell in cells) + "</tr>")
    header = "".join(f'<th scope="col"><a href="#w-{escape(w["name"])}">{escape(w["name"])}</a>'
                     "</th>" for w in columns)
    return (f"<h2>At a glance</h2><p>Cost relative to <strong>{escape(reference)}</strong>: below "
            "1 is cheaper. A figure in colour is a difference that the runs bear out; a grey one "
            "is none, whatever its digits say. Its own row tells what it costs. Engines that were "
            "compared under one load have that ratio.</p>"
            f'<div class="scroll"><table class="matrix"><thead><tr><th></th>{header}</tr></thead>'
            f"<tbody>{''.join(rows)}</tbody></table></div>"
            '<p class="small soft">Server CPU per request (per MiB for large files); cold: 99th '
            "percentile of the hot requests; idle: memory per connection; load: capacity, where "
            "above 1 is more.</p>")


def _unit(workload):
    return {"cpu_us": "µs", "p99": "ms", "connection_kib": "KiB",
            "capacity": "/s"}[workload["metric"]]


def _glance_cell(report, combination, workload, reference):
    of = report["summary"][workload["name"]]
    cell, metric = of["cells"].get(combination["name"]), workload["metric"]
    if cell is None:
        return ""
    if cell[metric] is None:
        return '<td class="worse" title="void">void</td>'
    against = reference if reference in of["cells"] else next(iter(of["cells"]))
    if combination["name"] == against:
        return f"<td>{number(cell[metric]['median'])} {_unit(workload)}</td>"
    compared = metric == "cpu_us" and paired.row_of(report, workload["name"], combination["name"],
                                                    against)
    load = ", under one load" if compared else ""
    compared = compared or summaries.compare(of["cells"], of["floor"], combination["name"], against,
                                             metric)
    if compared is None:
        return '<td class="same">-</td>'
    title = (f"{number(cell[metric]['median'])} {_unit(workload)}, ratio {compared['low']:.2f} to "
             f"{compared['high']:.2f}{load}: {compared['verdict']}")
    return (f'<td class="{MARKS[compared["verdict"]]}" title="{escape(title)}">'
            f"{compared['ratio']:.2f}</td>")


def _key(data, names):
    """A legend of lines."""
    found = []
    for name in names:
        style = data["styles"][name]
        found.append(
            f'<li><svg viewBox="0 0 30 10" aria-hidden="true"><path d="M0 5H30" fill="none" '
            f'stroke="var(--c-{style["family"]})" stroke-opacity="{style["opacity"]:.2f}" '
            f'stroke-width="2.5" stroke-dasharray="{style["dash"]}"/></svg>{escape(name)}</li>')
    return '<ul class="key">' + "".join(found) + "</ul>"


def all_workloads(report, data):
    text = ["<h2>Workloads</h2><p>Bars are medians, the line over each is the interval that holds "
            "the true median with 95 % confidence (less with few rounds). Strong bars are not told "
            "apart from the best of gearshift's engines.</p>"]
    for workload in report["workloads"]:
        drawn = data["workloads"][workload["name"]]
        of = report["summary"][workload["name"]]
        if of["cells"]:
            text.append(_workload(workload, of, drawn, data))
    return "".join(text)


def _workload(workload, of, drawn, data):
    name = workload["name"]
    charts = []
    if drawn["figures"]:
        first = next(iter(drawn["figures"]))
        charts.append(
            f"<figure><figcaption>{escape(drawn['figures'][first]['title'])}</figcaption>"
            f'<div data-chart="bars" data-of="{escape(name)}" data-figure="{first}" '
            f'data-label="{escape(workload["title"])}: bars with intervals"></div></figure>')
    if drawn["curves"]:
        charts.append(
            "<figure><figcaption>Latency in milliseconds, by percentile of requests. Lower is "
            "better.</figcaption>"
            f'<div data-chart="curve" data-of="{escape(name)}" '
            f'data-label="{escape(workload["title"])}: latency curves"></div>'
            + _key(data, [line["name"] for line in drawn["curves"]]) + "</figure>")
    charts += _knees(name, workload, drawn, data)
    alone = " one" if len(charts) < 2 else ""
    return (f'<article class="card workload" id="w-{escape(name)}">'
            f"<h3>{escape(workload['title'])}</h3>"
            f'<p class="soft">{escape(workload["what"])} '
            f"{workload['connections']} connections at a time.</p>"
            f'<p class="verdict">{escape(verdict(workload, of))}</p>'
            f'<div class="charts{alone}">{"".join(charts)}</div>'
            f"<details><summary>All figures</summary>{_table(workload, of)}"
            f"{_knee_table(of)}</details></article>")


def _knees(name, workload, drawn, data):
    """Latency against offered load, a figure for each percentile."""
    if not drawn["knees"]:
        return []
    names = [line["name"] for line in drawn["knees"]]
    return [f"<figure><figcaption>{title} of latency in milliseconds against requests offered a "
            "second. Where a line bends upwards, the server is full.</figcaption>"
            f'<div data-chart="knee" data-of="{escape(name)}" data-figure="{figure}" '
            f'data-label="{escape(workload["title"])}: {title} against offered load"></div>'
            + _key(data, names) + "</figure>"
            for figure, title in (("p50", "Median"), ("p99", "99th percentile"),
                                  ("p999", "99.9th percentile"))]


def _knee_table(of):
    rows = [f"<tr><th scope=row>{escape(name)}</th><td>{point['offered']:.0f}</td>"
            + "".join(f"<td>{number(point[figure])}</td>" for figure in ("p50", "p99", "p999"))
            + f"<td>{point['n']}</td><td>{point['late']}</td></tr>"
            for name, cell in of["cells"].items() for point in cell["knee"]]
    if not rows:
        return ""
    return ('<div class="scroll"><table><caption>Medians at each offered rate; late: runs in which '
            "the load generator itself was.</caption><thead><tr><th></th><th>offered /s</th>"
            "<th>p50 ms</th><th>p99</th><th>p99.9</th><th>runs</th><th>late</th></tr></thead>"
            f"<tbody>{''.join(rows)}</tbody></table></div>")


LEADS = {"cpu_us": "costs the least CPU", "p99": "keeps hot requests waiting least",
         "connection_kib": "takes the least memory",
         "capacity": "keeps up with the most requests a second"}


def verdict(workload, of):
    leaders = of["leaders"][workload["metric"]]
    if not leaders:
        return "Too few runs for a claim."
    if len(leaders) == 1:
        return f"{leaders[0]} {LEADS[workload['metric']]}."
    if len(leaders) == of["candidates"]:
        return "No difference between gearshift's engines."
    return f"No difference between the best: {', '.join(leaders)}."


COLUMNS = (("capacity", "capacity /s"), ("rate", "{unit}s/s"), ("mbs", "MB/s"),
           ("cpu_us", "CPU µs"), ("user_us", "user"),
           ("system_us", "system"), ("p50", "p50 ms"), ("p90", "p90"), ("p99", "p99"),
           ("p999", "p99.9"), ("calls", "calls"), ("waits", "waits"),
           ("preemptions", "preempted"), ("memory_kib", "memory KiB"),
           ("connection_kib", "KiB/conn"), ("server_util", "server CPUs"),
           ("client_util", "client CPUs"), ("noise", "others' CPUs"))


def _table(workload, of):
    shown = [(key, title) for key, title in COLUMNS
             if any(cell.get(key) is not None for cell in of["cells"].values())]
    rows = []
    for name, cell in of["cells"].items():
        values = [number(cell.get("calls")) if key == "calls" else interval(cell[key])
                  for key, _ in shown]
        count = f"{cell['used']} of {cell['runs']}"
        rows.append(f"<tr><th scope=row>{escape(name)}</th>" + "".join(
            f"<td>{value}</td>" for value in [*values, count]) + "</tr>")
    header = "".join(f'<th scope="col">{escape(title.format(unit=workload["unit"]))}</th>'
                     for _, title in [*shown, ("", "runs used")])
    return (f'<div class="scroll"><table><caption>Medians [intervals]; CPU, calls and switches are '
            f"per {workload['unit']}.</caption><thead><tr><th></th>{header}</tr></thead>"
            f"<tbody>{''.join(rows)}</tbody></table></div>")


def engine(report, name, reference, data, text_of):
    """A page about an engine or a peer."""
    own = [c for c in report["combinations"] if name == (c["peer"] or c["engine"])
           and c["role"] in ("candidate", "peer")]
    told = text_of(own[0])
    text = [f'<article class="engine" id="e-{escape(name)}"><h2>{escape(name)}</h2>'
            f'<p class="soft">{escape(told["model"])}</p><p>{escape(told["does"])}</p>']
    if told["costs"]:
        rows = "".join(f"<tr><th scope=row>{escape(what)}</th><td>{escape(cost)}</td></tr>"
                       for what, cost in told["costs"])
        text.append(f'<table class="wrap"><tbody>{rows}<tr><th scope=row>Where it loses</th>'
                    f"<td>{escape(told['loses'])}</td></tr></tbody></table>")
    text.append("<h3>What the figures show</h3>" + items(_shown(report, own, reference, data,
                                                               name)))
    if data["ratios"].get(name):
        text.append(f'<figure class="card"><figcaption>Cost relative to {escape(reference)}; the '
                    "line is the interval. Grey: no difference.</figcaption>"
                    f'<div data-chart="ratios" data-of="{escape(name)}" data-label="'
                    f'{escape(name)} relative to {escape(reference)}"></div></figure>')
    text.append(_calls(report, own) + "</article>")
    return "".join(text)


def _shown(report, own, reference, data, name):
    """Sentences that follow from the figures alone."""
    told = []
    titles = {w["name"]: w["title"] for w in report["workloads"]}
    for verdict, words in (("better", "Better than"), ("worse", "Worse than")):
        rows = [row for row in data["ratios"].get(name, ()) if row["verdict"] == verdict]
        if rows:
            several = len({row["name"] for row in data["ratios"][name]}) > 1
            told.append(f"{words} {reference}: " + "; ".join(
                titles[row["workload"]] + (f" ({row['name']})" if several else "")
                + f", {row['ratio']:.2f} ×" for row in rows) + ".")
    verdicts = [row["verdict"] for row in data["ratios"].get(name, ())]
    for verdict, words in (("no difference", "No difference to"),
                           ("too few runs", "Too few runs for a claim beside")):
        if verdict in verdicts:
            told.append(f"{words} {reference} in {verdicts.count(verdict)} of {len(verdicts)} "
                        "comparisons.")
    if name == reference:
        told.append("It is what the others are compared with.")
    for combination in own:
        start = report["starts"].get(combination["name"])
        if start:
            told.append(f"{combination['name']}: accepts connections {interval(start['start_ms'])} "
                        f"ms after its start, with {interval(start['memory_kib'])} KiB of memory.")
    told += [f"{r['combination']}: not measured. {r['why']}" for r in report["refused"]
             if r["combination"] in {c["name"] for c in own}]
    return told or ["Nothing was measured."]


def _calls(report, own):
    """System calls by name."""
    rows = []
    for workload in report["workloads"]:
        for combination in own:
            cell = report["summary"][workload["name"]]["cells"].get(combination["name"], {})
            if "calls" in cell:
                names = ", ".join(f"{name} {number(count)}" for name, count
                                  in list(cell["calls_by_name"].items())[:6])
                rows.append(f"<tr><td>{escape(workload['name'])}</td>"
                            f"<td>{escape(combination['name'])}</td>"
                            f"<td>{number(cell['calls'])}</td><td>{escape(names)}</td></tr>")
    if not rows:
        return ""
    return ("<details><summary>System calls per request</summary>"
            '<div class="scroll"><table class="wrap"><thead><tr><th>workload</th><th>combination'
            "</th><th>calls</th><th>by name</th></tr></thead><tbody>" + "".join(rows)
            + "</tbody></table></div></details>")


def against_baseline(report):
    told = report["baseline"]
    how = ("measured in the same rounds" if told["interleaved"] else
           "measured at another time: what changed on the machine meanwhile is in the ratio too")
    rows = []
    for row in told["rows"]:
        rows.append(f"<tr><td>{escape(row['combination'])}</td><td>{escape(row['workload'])}</td>"
                    f"<td>{escape(row['figure'])}</td>"
                    f'<td class="{MARKS[row["verdict"]]}">{row["ratio"]:.2f}</td>'
                    f"<td>{row['low']:.2f} to {row['high']:.2f}</td>"
                    f"<td>{escape(row['verdict'])}</td></tr>")
    caveats = ('<div class="card warnings"><h3>Not the same conditions</h3>'
               + items(told["caveats"]) + "</div>") if told["caveats"] else ""
    return (f"<h2>Against the baseline</h2><p>{escape(told['against'])}, {how}. A ratio above 1 "
            f"is more than before.</p>{caveats}"
            '<figure class="card"><figcaption>Cost relative to the baseline.</figcaption>'
            '<div data-chart="ratios" data-of="baseline" data-label="baseline"></div></figure>'
            "<details><summary>All ratios</summary>"
            '<div class="scroll"><table><thead><tr><th>combination</th><th>workload</th>'
            "<th>figure</th><th>ratio</th><th>interval</th><th>verdict</th></tr></thead><tbody>"
            + "".join(rows) + "</tbody></table></div></details>")


METHOD = (
    "Every combination is a server of its own on loopback, started anew in each round. Rounds go "
    "through all workloads in random order, and in each through all combinations in random order: "
    "what the machine does to one of them, it does to all.",
    "Engines are compared under one load as well, where answers are of one size: a server changes "
    "its engine while it serves, A B B A, on the same connections; what changes evenly with time "
    "cancels. Nothing counts until the old worker has gone and the new one is warm; CPU is that of "
    "all processes of the server. After ten such blocks it is started anew.",
    "Before and after each run some answers are checked for status, length and SHA-256 of the "
    "octets; of each combination's first, up to 200 of the mix. A client's error, a wrong status "
    "or a wrong count of octets voids the run.",
    "A run has a warm-up of a fifth of its time, in which connections and handshakes are made and "
    "caches filled. How many requests fell behind it is told by the octets that the client read.",
    "CPU is that of all processes and threads of the server, from the kernel's own clocks; user "
    "and system share it as /proc tells. System calls are counted in runs of their own.",
    "Latency is that of a closed loop: each connection asks again as soon as it has its answer, so "
    "the server is always busy, and latency tells how evenly it serves (except in cold, where "
    "requests come on a schedule).",
    "Intervals are order statistics: of n runs sorted, a pair that holds the median with at least "
    "95 % confidence; with fewer than six runs the smallest and the largest, which hold it with "
    "less. Two medians differ when there are four runs of each, their intervals do not overlap, "
    "and they are further apart than 3 % and than two identical servers were.",
)


def machine_of(report):
    """What is told of the machine, {title: text}."""
    machine, bench = report["machine"], report["bench"]
    return {
        "CPU": f"{machine['cpu']}, {machine['cpus']} CPUs in {machine['cores']} cores"
               + (", virtual" if machine["virtual"] else ""),
        "memory": f"{machine['memory_mib']} MiB", "governor": machine["governor"],
        "system": f"{machine['system']}, Linux {machine['kernel']}",
        "file system": machine["file_system"],
        "congestion control": f"{machine['congestion_measured']} (the system's: "
                              f"{machine['congestion_of_the_system']})",
        "CPUs of servers": ", ".join(map(str, bench["server_cpus"])) or "not bound",
        "CPUs of clients": ", ".join(map(str, bench["client_cpus"])) or "not bound",
        "load before": f"{machine['load_average']:.1f}", "user": machine["user"],
        "a run": f"{bench['seconds']:.2f} s; seed {bench['seed']}",
        **machine["limits"], **machine["versions"],
        "settings of all": " ".join(f"{k}={v}" for k, v in report["settings"].items()),
    }


def machine_and_method(report):
    site, facts = report["site"], machine_of(report)
    listed = "".join(f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>"
                     for key, value in facts.items())
    notes = items(report["notes"]) if report["notes"] else ""
    return (f"<h2>Machine and method</h2>{''.join(f'<p>{escape(text)}</p>' for text in METHOD)}"
            f"{notes}<h3>This machine</h3><dl>{listed}</dl><h3>This site</h3>"
            f"<p>{escape(site['root'])}: {site['files']} files, smallest "
            f"{size_text(site['smallest'])}, median {size_text(site['median'])}, largest "
            f"{size_text(site['largest'])}; {site['left_out']} names left out.</p>"
            '<figure class="card"><figcaption>Files by size.</figcaption>'
            '<div data-chart="sizes" data-label="files by size"></div></figure>'
            f"<h3>Exact commands</h3>{_commands(report)}")


def _commands(report):
    servers = [f"<dt>{escape(name)}</dt><dd><code>{escape(start['command'])}</code></dd>"
               for name, start in report["starts"].items()]
    clients = {}
    for record in report["records"]:
        if record.get("command") and record.get("workload"):
            clients[record["workload"]] = record["command"]
    asked = [f"<dt>{escape(name)}</dt><dd><code>{escape(command)}</code></dd>"
             for name, command in clients.items()]
    return (f"<p><code>{escape(report['bench']['command'])}</code></p><details><summary>Servers "
            f'and clients</summary><dl class="commands">{"".join(servers + asked)}</dl></details>')
