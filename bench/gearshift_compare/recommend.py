"""The advice at the head of the report: which lines of server.conf, by how much they were better
than the default, and what they cost elsewhere; or that the default is as good."""

from . import combinations, intervals, paired, summary as summaries

PRIMARY = ("log", "mix", "median", "smallest", "largest")
COLD_FACTOR = 1.5    # hot requests have to wait so much less, before cold files are a reason
MEMORY_SHARE = 0.8   # a site above this share of the memory lives from the disk


def recommend(report, found):
    """For report.json: headline, lines, reasons, and what else was found, all of them text."""
    candidates = [c for c in report["combinations"] if c["role"] == "candidate"
                  and not c["peer"] and not c["tls"]]
    names = [c["name"] for c in candidates]
    reference = combinations.REFERENCE if combinations.REFERENCE in names else next(
        iter(names), None)
    measured = [name for name in PRIMARY if name in found
                and any(found[name]["cells"].get(n, {}).get("rate") for n in names)]
    if reference is None or not measured:
        return {"headline": "No advice: nothing that could carry one was measured.",
                "lines": [], "reasons": [], "reference": None, "choice": None}
    workload = measured[0]
    figure = "rate" if report["bench"]["server_cpus_count"] > 1 else "cpu_us"
    disk = _lives_from_the_disk(report) and "cold" in found
    if disk:
        workload, figure = "cold", "p99"
    choice, verdict = _choose(report, found, workload, names, reference, figure)
    advice = {"reference": reference, "choice": choice, "workload": workload, "figure": figure,
              "lines": _lines(report, next(c for c in candidates if c["name"] == choice)),
              "reasons": [], "verdict": verdict}
    _tell(advice, report, found, names, disk)
    return advice


def _lives_from_the_disk(report):
    memory = report["machine"].get("memory_mib")
    return bool(memory) and report["site"]["octets"] > MEMORY_SHARE * memory * (1 << 20)


def _compare(report, found, workload, name, reference, figure):
    """Under one load, where it was measured so; else by fresh starts."""
    row = figure == "cpu_us" and paired.row_of(report, workload, name, reference)
    of = found[workload]
    return row or summaries.compare(of["cells"], of["floor"], name, reference, figure)


def _choose(report, found, workload, names, reference, figure):
    """The best that is really better than the reference, or the reference."""
    cells = found[workload]["cells"]
    if not intervals.enough(cells.get(reference, {}).get(figure)):
        return reference, "too few runs"
    better = []
    for name in names:
        compared = name != reference and _compare(report, found, workload, name, reference, figure)
        if compared and compared["verdict"] == "better":
            better.append((compared["ratio"], name, compared))
    if not better:
        return reference, "no difference"
    best = max(better) if figure in summaries.LARGER else min(better)
    return best[1], "better"


def _lines(report, combination):
    lines = [f"engine = {combination['engine']}"]
    lines += [f"{key} = {value}" for key, value in combination["settings"].items()]
    files = report["settings"].get("cache_files")
    if files and int(files) > 4096:
        lines.append(f"cache_files = {files}")
    return lines


def _floor(report, of, workload, figure):
    rows = [row for row in report.get("paired", ()) if row["workload"] == workload]
    return rows[0]["floor"] if rows and figure == "cpu_us" else of["floor"]


WORDS = {"cpu_us": "CPU per {unit}", "rate": "{unit}s a second",
         "p99": "the 99th percentile of hot requests"}


def _percent(compared, figure):
    """"12 % less [8 to 15 %]"."""
    def share(ratio):
        return abs(ratio - 1) * 100

    word = "less" if compared["ratio"] < 1 else "more"
    low, high = sorted((share(compared["low"]), share(compared["high"])))
    if figure == "p99":
        return (f"{1 / compared['ratio']:.1f} times shorter" if compared["ratio"] < 1 else
                f"{compared['ratio']:.1f} times longer")
    return f"{share(compared['ratio']):.0f} % {word} (interval {low:.0f} to {high:.0f} %)"


def _tell(advice, report, found, names, disk):
    reference, choice = advice["reference"], advice["choice"]
    titles = {w["name"]: w["title"] for w in report["workloads"]}
    units = {w["name"]: w["unit"] for w in report["workloads"]}
    workload, figure = advice["workload"], advice["figure"]
    word = WORDS[figure].format(unit=units[workload])
    of = found[workload]
    if choice == reference:
        few = advice["verdict"] == "too few runs"
        advice["headline"] = (f"Keep {reference}: too few runs for a claim." if few else
                              f"Keep {reference}: the differences are below the noise.")
        advice["reasons"].append(
            f"A difference is told from {intervals.RUNS_MIN} runs of each on." if few else
            f"On “{titles[workload]}” no other combination is told apart from {reference} to its "
            f"advantage in {word}; differences up to {_floor(report, of, workload, figure):.0%} are not "
            "counted: two "
            "identical servers differed by that much, or it is the least that is called one.")
    else:
        compared = _compare(report, found, workload, choice, reference, figure)
        compared_text = _percent(compared, figure)
        advice["headline"] = f"Use {choice}: {compared_text} {word} than {reference}."
        if figure == "p99":
            advice["headline"] = f"Use {choice}: {word} is {compared_text} than with {reference}."
        advice["margin"] = {key: compared[key] for key in ("ratio", "low", "high")}
        advice["reasons"].append(f"Judged on “{titles[workload]}”" + (
            ", because the site is larger than what the memory holds." if disk else "."))
        ties = [name for name in names if name not in (choice, reference)
                and _tied(of, name, choice, figure)]
        if ties:
            advice["reasons"].append(f"Not told apart from it there: {', '.join(ties)}.")
    advice["reasons"] += _elsewhere(advice, found, titles, units)
    if not disk:
        advice["reasons"] += _cold(advice, found, names)


def _tied(of, name, choice, figure):
    compared = summaries.compare(of["cells"], of["floor"], name, choice, figure)
    return bool(compared) and compared["verdict"] == "no difference"


def _elsewhere(advice, found, titles, units):
    """Where the choice is really better or worse than the reference."""
    if advice["choice"] == advice["reference"]:
        return []
    told = {"better": [], "worse": []}
    for name, of in found.items():
        if name in (advice["workload"], "cold", "idle"):
            continue
        compared = summaries.compare(of["cells"], of["floor"], advice["choice"],
                                     advice["reference"], "cpu_us")
        if compared and compared["verdict"] in told:
            told[compared["verdict"]].append(
                f"{titles[name]} ({compared['ratio']:.2f} x the CPU per {units[name]})")
    sentences = []
    if told["worse"]:
        sentences.append("It loses to it in: " + "; ".join(told["worse"]) + ".")
    if told["better"]:
        sentences.append("It also wins in: " + "; ".join(told["better"]) + ".")
    return sentences


def _cold(advice, found, names):
    """Who keeps hot requests quick while files come from the disk, if the choice does not."""
    if "cold" not in found:
        return []
    of, choice = found["cold"], advice["choice"]
    better = []
    for name in names:
        compared = name != choice and summaries.compare(of["cells"], of["floor"], name, choice,
                                                        "p99")
        if compared and compared["verdict"] == "better" and compared["ratio"] < 1 / COLD_FACTOR:
            better.append((compared["ratio"], name))
    if not better:
        return []
    name = min(better)[1]
    mine, theirs = (of["cells"][which]["p99"]["median"] for which in (choice, name))
    return [f"If files often come from the disk, think of {name}: beside cold files its hot "
            f"requests take {theirs:.1f} ms at the 99th percentile, those of {choice} "
            f"{mine:.1f} ms."]
