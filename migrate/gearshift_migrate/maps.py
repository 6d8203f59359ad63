"""maps.py: `if ($name) { return 301 $name; }` of a map of paths: a redirect for each."""

import re

from . import values
from .answers import Condition, with_query
from .location import text_of
from .server_conf import quoted, single

OF_PATHS = ("$uri", "$request_uri", "$document_uri")


def translate_condition(directive, location, out, context):
    """False: it is no such condition."""
    condition = Condition(directive)
    act = condition.action("return", "rewrite")
    name = condition.left[1:]
    row = context.maps.get(name)
    about_it = not condition.operator or (condition.operator == "!=" and condition.right.strip("'\"") in ("", "0"))
    if row is None or act is None or not about_it or \
            not any(re.search(rf"\${{?{name}\b", word) for word in act.args):
        return False
    if act.name == "return":
        status = act.args[0] if act.args[0].isdigit() else "302"
        target = act.args[-1] if len(act.args) > 1 or not act.args[0].isdigit() else None
    else:
        status = "301" if "permanent" in act.args else "302"
        target = act.args[1]
    if target is None or row.args[0] not in OF_PATHS or location is not None or \
            status not in ("301", "302", "303", "307", "308"):
        context.notes.unsaid(directive, f"a map of {row.args[0]}: paths that have moved, with their new ones, are what is said")
        return True
    for line in row.block:
        if line.name in ("default", "hostnames", "volatile") or not line.args or not line.args[0]:
            continue
        to = re.sub(rf"\$(?:{name}\b|{{{name}}})", lambda _: line.args[0], target)
        one(line, status, to, out, context)
    return True


def one(line, status, target, out, context):
    """One path, or a regular expression of such."""
    source = line.name[1:] if line.name.startswith("\\") else line.name
    ours, unknown = values.variables(target)
    if unknown:
        context.notes.unsaid(line, f"there is no ${unknown[0]}")
        return
    if source.startswith("~"):
        kind, regex = ("~*", source[2:]) if source.startswith("~*") else ("~", source[1:])
        path = text_of(regex) if kind == "~" else None
        head = f"location = {quoted(path)}" if path else f"location {kind} {single(regex)}"
        out.block(head).set("return", quoted(f"{status} {ours}"))
    elif "?" in source:
        context.notes.unsaid(line, "a path is compared without its query")
    elif source.startswith("/"):
        out.block(f"location = {quoted(source)}").set("return", quoted(f"{status} {ours}"))
    else:
        context.notes.unsaid(line, f"\"{source}\" is no path")


__all__ = ["translate_condition", "with_query"]
