"""report.html: one file, nothing from elsewhere, readable without its script."""

import html
import json
import os

from . import figures, models, paired_text, sections

ASSETS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "assets")

FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>%(title)s</title>
<link rel="icon" href="data:,">
<style>
%(css)s</style>
</head>
<body>
<header><div>
%(head)s
</div></header>
<nav aria-label="Sections"><div>%(nav)s</div></nav>
<main>
%(main)s
</main>
<script type="application/json" id="data">%(data)s</script>
<script>%(d3)s</script>
<script>%(plot)s</script>
<script>%(script)s</script>
</body>
</html>
"""


def _asset(*path):
    with open(os.path.join(ASSETS, *path), encoding="utf-8") as file:
        return file.read()


def render(report):
    """The page as text."""
    reference = report["recommendation"]["reference"] or "reactor"
    engines = list(dict.fromkeys(
        c["peer"] or c["engine"] for c in report["combinations"]
        if c["role"] in ("candidate", "peer")))
    data = figures.data(report, engines, reference)
    parts = [("advice", "Advice", sections.advice(report)),
             ("glance", "At a glance", sections.glance(report, reference))]
    if report.get("paired"):
        parts.append(("paired", "Under one load", paired_text.section(report)))
    if "baseline" in report:
        parts.append(("baseline", "Baseline", sections.against_baseline(report)))
    parts += [("workloads", "Workloads", sections.all_workloads(report, data)),
              ("engines", "Engines", "".join(
                  sections.engine(report, name, reference, data, models.of) for name in engines)),
              ("machine", "Machine and method", sections.machine_and_method(report))]
    nav = " ".join(f'<a href="#{name}">{title}</a>' for name, title, _ in parts)
    main = "\n".join(f'<section id="{name}">{text}</section>' for name, _, text in parts)
    return frame(title=f"gearshift-compare: {report['site']['root']}", head=sections.head(report),
                 nav=nav, main=main, data=json.dumps(data))


def frame(*, title, head, nav, main, data):
    """A whole page; `data` is JSON."""
    # "<" is escaped so that no text of the data ends the element that holds it.
    return FRAME % {
        "title": html.escape(title), "css": _asset("report.css"), "head": head, "nav": nav,
        "main": main, "data": data.replace("<", "\\u003c"), "d3": _asset("vendor", "d3.min.js"),
        "plot": _asset("vendor", "plot.min.js"), "script": _asset("report.js")}
