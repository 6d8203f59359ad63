"""Medians and what is known about them: order-statistic intervals, which assume nothing of how
runs are distributed, and comparisons that call a tie a tie."""

import math
import statistics

CONFIDENCE = 0.95
RUNS_MIN = 4  # fewer runs of each, fully apart, come about by chance once in ten or more


def _coverage(n, k):
    """Probability that the median lies between the k-th smallest and the k-th largest of n."""
    return 1 - 2 * sum(math.comb(n, i) for i in range(k)) / 2 ** n


def median_interval(values, confidence=CONFIDENCE):
    """The median with the narrowest pair of order statistics that covers it with `confidence`; with
    less than six runs there is none, and smallest and largest are given with what they cover.
    None for no values."""
    values = sorted(values)
    n = len(values)
    if n == 0:
        return None
    k = 1
    while k + 1 <= n // 2 and _coverage(n, k + 1) >= confidence:
        k += 1
    return {"median": statistics.median(values), "low": values[k - 1], "high": values[n - k],
            "n": n, "coverage": round(max(0.0, _coverage(n, k)), 4)}


def enough(*measured):
    return all(m is not None and m["n"] >= RUNS_MIN for m in measured)


def differ(a, b):
    """Whether two medians are told apart: enough runs of both, intervals that do not overlap."""
    return enough(a, b) and (a["high"] < b["low"] or b["high"] < a["low"])


def ratio(a, b):
    """a over b, with the interval that both intervals leave; None where either is missing or 0."""
    if a is None or b is None or b["median"] == 0 or b["low"] <= 0:
        return None
    return {"ratio": a["median"] / b["median"], "low": a["low"] / b["high"],
            "high": a["high"] / b["low"], "differ": differ(a, b)}


def leaders(measured, smaller_is_better=True, floor=0.0):
    """Names of those that cannot be told from the best, or are nearer to it than `floor`, a share:
    {name: interval} -> [name], best first. Empty where even the best has too few runs."""
    sign = 1 if smaller_is_better else -1
    order = sorted((name for name, m in measured.items() if m is not None),
                   key=lambda name: sign * measured[name]["median"])
    if not order or not enough(measured[order[0]]):
        return []
    best = measured[order[0]]
    return [name for name in order if not differ(measured[name], best)
            or abs(measured[name]["median"] - best["median"]) <= floor * best["median"]]
