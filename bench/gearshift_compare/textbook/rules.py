"""From measured figures to verdicts. Two servers are compared within rounds: both were measured
within seconds of each other, so that what the machine did to one of them it did to both, and the
median of the ratios has a narrower interval than two medians have."""

import math
import statistics

from .. import intervals

FLOOR = 0.02        # no difference below this is called one, whatever the intervals say
TOLERANCE = 0.10    # within it two figures are the same, for a claim that says so
# Student's t for 95 %, by runs: with so few, smallest and largest hold the median with 87.5 and 93.75 % only.
STUDENT = {4: 3.182, 5: 2.776}
SHOWN = ("same", "no more")  # an interval that is too wide for it shows neither
HOLDS, NOT, NONE, FEW, PARTLY = ("holds", "does not hold", "no difference", "too few runs",
                                 "holds in part")


def ratios(a, b):
    """The median of a/b over the rounds that both have, with its interval; None without any. Both
    are {round: figure}. With four or five rounds the interval is widened to Student's of the logarithms."""
    shared = [a[r] / b[r] for r in sorted(set(a) & set(b)) if b[r] > 0]
    told = intervals.median_interval(shared)
    if told and told["n"] in STUDENT and min(shared) > 0:
        logs = [math.log(ratio) for ratio in shared]
        middle = statistics.fmean(logs)
        reach = STUDENT[len(logs)] * statistics.stdev(logs) / math.sqrt(len(logs))
        told.update(low=min(told["low"], math.exp(middle - reach)), high=max(told["high"], math.exp(middle + reach)), coverage=0.95)
    return told


def relation(ratio, floor=FLOOR):
    """What a ratio's interval bears out: more, less, none (no difference seen), unknown."""
    if not intervals.enough(ratio):
        return "unknown"
    if ratio["low"] > 1 and ratio["median"] > 1 + floor:
        return "more"
    if ratio["high"] < 1 and ratio["median"] < 1 / (1 + floor):
        return "less"
    return "none"


def at_most(by):
    """The factor up to which what grows "no more" may grow."""
    return max(by, 1 + TOLERANCE)


def bears_out(says, ratio, by=1.0, floor=FLOOR):
    """Whether a ratio bears out what is said of it: True, False, or None where nothing follows."""
    found = relation(ratio, floor)
    if found == "unknown":
        return None
    if says == "no more":
        most = at_most(by)
        if ratio["high"] <= most:
            return True
        return False if ratio["low"] > most else None
    if says != "same":
        factor = ratio["median"] if says == "more" else 1 / ratio["median"]
        return found == says and factor >= by
    low, high = 1 / (1 + TOLERANCE), 1 + TOLERANCE
    if low <= ratio["low"] and ratio["high"] <= high:
        return True
    if ratio["high"] < low or ratio["low"] > high:
        return False
    # The interval reaches over an end of the tolerance: a difference that is seen is one.
    return None if found == "none" or low <= ratio["median"] <= high else False


def verdict(says, points, by=1.0, floor=FLOOR):
    """(verdict, value): of points (value, ratio) in the order of the variable. The verdict is one
    of the constants above, or "holds from" and "holds up to" a value."""
    found = [(value, bears_out(says, ratio, by, floor), relation(ratio, floor))
             for value, ratio in points]
    told = [each for each in found if each[1] is not None]
    if not told:
        return FEW, None
    right = [each[1] for each in told]
    if all(right):  # sameness at some values, and at others intervals too wide for it, is not sameness
        return (FEW if says in SHOWN and len(told) < len(found) else HOLDS), None
    if not any(right):
        none = says not in SHOWN and all(each[2] == "none" for each in told)
        return (NONE if none else NOT), None
    first = right.index(True)
    if all(right[first:]):
        return "holds from", told[first][0]
    last = right.index(False)
    if not any(right[last:]):
        return "holds up to", told[last - 1][0]
    return PARTLY, None


def crossing(points, floor=FLOOR):
    """Where a ratio goes through 1 as the variable grows: {"at": between two values, by their
    logarithms; "low", "high": the values on either side at which the two are told apart, the
    other way round}. None where it does not, or more than once."""
    known = [(value, ratio, relation(ratio, floor)) for value, ratio in points]
    apart = [each for each in known if each[2] in ("more", "less")]
    turns = [(a, b) for a, b in zip(apart, apart[1:]) if a[2] != b[2]]
    if len(turns) != 1:
        return None
    (low, _, _), (high, _, _) = turns[0]
    between = [each for each in known if low <= each[0] <= high and each[2] != "unknown"]
    for (v1, r1, _), (v2, r2, _) in zip(between, between[1:]):
        y1, y2 = math.log(r1["median"]), math.log(r2["median"])
        if y1 * y2 <= 0 and y1 != y2:
            share = y1 / (y1 - y2)
            x1, x2 = math.log(max(v1, 0.5)), math.log(v2)
            return {"at": math.exp(x1 + share * (x2 - x1)), "low": low, "high": high}
    return None


def whole(verdicts):
    """The verdict of a claim from those of its parts, (verdict, value) each."""
    known = [each for each in verdicts if each[0] != FEW]
    if not known:
        return FEW, None
    kinds = {each[0] for each in known}
    if len(kinds) == 1:
        kind = next(iter(kinds))
        values = {each[1] for each in known}
        if len(values) == 1:
            return known[0]
        return (PARTLY, None) if kind != "holds from" else (kind, max(values))
    if kinds <= {HOLDS, "holds from"}:
        return "holds from", max(each[1] for each in known if each[0] == "holds from")
    if kinds <= {NOT, NONE}:
        return NOT, None
    return PARTLY, None


def pairs_of(runs_a, runs_b, figure, noise_max, scale=1.0):
    """Two {round: figure} of the same runs: void ones are left out, and noisy ones where four quiet
    pairs, and half of them, remain. The criterion knows nothing of the figures."""
    by_round = [{run["round"]: run for run in runs if "void" not in run
                 and run.get(figure) is not None} for runs in (runs_a, runs_b)]
    shared = set(by_round[0]) & set(by_round[1])
    quiet = {r for r in shared if all(part[r]["noise"] <= noise_max for part in by_round)}
    used = quiet if len(quiet) >= max(intervals.RUNS_MIN, len(shared) / 2) else shared
    return tuple({r: part[r][figure] * scale for r in used} for part in by_round)
