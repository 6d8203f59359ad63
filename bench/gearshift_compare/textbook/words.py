"""Verdicts, margins and values as words, the same for all reports."""

from ..terminal import number

SIZES = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))


def value_text(value, variable):
    """A value of a variable, alone."""
    if "octets of the file" in variable:
        for unit, size in SIZES:
            if value >= size and value % size == 0:
                return f"{value // size} {unit}"
    return f"{value:,}".replace(",", " ")


def at(value, variable):
    if not variable:
        return ""
    if "octets of the file" in variable:
        return value_text(value, variable)
    return f"{value_text(value, variable)} {variable}"


def verdict_text(verdict, value, variable):
    if verdict in ("holds from", "holds up to"):
        words = at(value, variable)
        return f"{verdict} {words}" + (" on" if verdict == "holds from" else "")
    return verdict


def margin(part):
    """"1.43 × [1.38, 1.50] at 64 busy connections"."""
    told = part["telling"]
    if told is None:
        return "not measured"
    where = at(told["value"], part["variable"])
    return (f"{number(told['median'])} × [{number(told['low'])}, {number(told['high'])}]" + (f" at {where}" if where else ""))


def crossing_text(part):
    told = part["crossing"]
    if not told:
        return ""
    place = int(told["at"])
    if "octets of the file" in part["variable"] and place >= 1024:
        near = f"{place / 1024:.0f} KiB" if place < 1 << 20 else f"{place / (1 << 20):.1f} MiB"
    else:
        near = number(told["at"])
    return (f"they cross near {near} (between {value_text(told['low'], part['variable'])} and "
            f"{at(told['high'], part['variable'])})")


CLASS = {"holds": "better", "does not hold": "worse", "no difference": "same", "too few runs": "same"}


def css_class(verdict):
    return CLASS.get(verdict, "partly")


def reason_text(claim):
    """What was counted, as a sentence for the two that a part compares; "" without counts."""
    rows = {row["name"]: row for row in claim["reasons"]["rows"]}
    told = []
    for part in claim["parts"]:
        pair = [name for name in (part["a"], part["b"]) if name in rows and name not in {name for name, _ in told}]
        for name in pair:
            told.append((name, _row_text(rows[name])))
    return "; ".join(f"{name}: {text}" for name, text in told if text)


def _row_text(row):
    parts = []
    if "calls" in row:
        parts.append(f"{number(row['calls'])} calls")
    if "waits" in row:
        parts.append(f"{number(row['waits'])} waits")
    if "system_us" in row:
        parts.append(f"{number(row['user_us'])} µs of its own and {number(row['system_us'])} in the kernel")
    return ", ".join(parts)
