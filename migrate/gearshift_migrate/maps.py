"""maps.py: map blocks, as maps; `if ($name) { return 301 $name; }` of a map of paths as a location for each."""

import re

from . import values
from .answers import REDIRECTS, Condition, return_parts
from .location import text_of
from .server_conf import Block, quoted, single

OF_PATHS = ("$uri", "$request_uri", "$document_uri")
NESTING_MAX = 4


def use(name, context, depth=0):
    """Puts the map that defines this variable among those that the result needs. False: there is none that can be said."""
    if name in context.used:
        return True
    row = context.maps.get(name)
    if row is None or depth == NESTING_MAX:
        return False
    source, unknown = variables(row.args[0], context, depth)
    if unknown:
        return False
    block = Block(f"map {quoted(source)} {quoted('$' + name)}")
    if row.files:
        block.list("file", row.files)
    if any(line.name == "hostnames" for line in row.block):
        block.set("hostnames", "on")
    for line in row.block:
        if line.name in ("volatile", "include", "hostnames") or (line.file != row.file and row.files):
            continue
        value, unknown = variables(line.args[0] if line.args else "", context, depth)
        captured = re.findall(r"\(\?P?<(\w+)>", line.name) if line.name.startswith("~") else []
        if [name for name in unknown if name not in captured]:
            return False
        block.parts.append((key_of(line.name), quoted(value), None))  # set() would look through all of them
    context.used[name] = block
    return True


def variables(text, context, depth):
    return values.variables(text, lambda name: use(name, context, depth + 1))


def key_of(name):
    if name == "default":
        return "default"
    if name.startswith("~*"):
        return f"~* {single(name[2:])}"
    if name.startswith("~"):
        return f"~ {single(name[1:])}"
    return quoted(name)  # a backslash in front means the same here


def otherwise_files(condition, inner, context):
    """`if ($name) { return 301 $name; }` within a location: a return that comes to nothing leads on to the files."""
    act = condition.action("return")
    if act is None or len(act.args) != 2 or act.args[0] not in REDIRECTS or act.args[1] != condition.left or \
            condition.operator or inner.has("return") or not use(condition.left[1:], context):
        return
    inner.set("return", quoted(" ".join(act.args)))
    condition.directive.name = "if (said)"


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
        status, target = return_parts(act.args)
    else:
        status = "301" if "permanent" in act.args else "302"
        target = act.args[1]
    if not target or row.args[0] not in OF_PATHS or location is not None or status not in REDIRECTS:
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
    ours, unknown = context.variables(target)
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
