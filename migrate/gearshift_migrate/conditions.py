"""conditions.py: `if` of a server that is about something else than path, host or scheme: redirects by a query, a
cookie or a field, as maps; and the file that says that a site is being worked on."""

import re

from . import maps
from .answers import REDIRECTS, Condition, leads_anywhere, return_parts, url_of
from .server_conf import Block, quoted, single

SOURCES = re.compile(r"\$(?:args|query_string|is_args|remote_addr|remote_user|(?:arg|http|cookie)_\w+)")


def translate(server, block, context):
    """Writes what can be said, and marks these conditions as said. After all settings, before all locations."""
    root = next((d.args[0].rstrip("/") for d in server.block if d.name == "root" and d.args), None)
    found = []
    for directive in [d for d in server.block if d.name == "if"]:
        condition = Condition(directive)
        name = maintenance_file(condition, root)
        if name is not None and not block.has("maintenance"):
            block.set("maintenance", quoted(name), "503 while it is there")
            directive.name = "if (said)"
        row = redirect(condition, context)
        if row is not None:
            found.append((directive, condition, *row))
    write_redirects(found, block, context)


def maintenance_file(condition, root):
    """NAME of `if (-f $document_root/NAME) { return 503; }`; None: it is no such condition."""
    act = condition.action("return")
    if act is None or act.args[:1] != ["503"] or condition.operator not in ("-f", "-e"):
        return None
    for start in ("$document_root/", (root or "$document_root") + "/"):
        name = condition.left.strip("'\"").removeprefix(start)
        if name != condition.left.strip("'\"") and name and "$" not in name and not name.endswith("/"):
            return name
    return None


def redirect(condition, context):
    """(the status, the map's source, the key and the value as written) of a redirect that hangs on one variable; None: it is
    none."""
    act = condition.action("return", "rewrite")
    source = condition.left
    if act is None or SOURCES.fullmatch(source) is None or condition.operator not in ("=", "~", "~*"):
        return None
    if act.name == "return":
        status, target = return_parts(act.args)
    else:
        status = "301" if "permanent" in act.args[2:] else "302" if "redirect" in act.args[2:] or "://" in act.args[1] else ""
        target = act.args[1].removesuffix("?")
        if act.args[0] not in ("^", ".*", "^.*", "^.*$", "^/.*$") or not act.args[1].endswith("?"):
            return None  # its groups are of the path, and the query goes along
    if status not in REDIRECTS or not target or leads_anywhere(url_of(target)):
        return None
    value, unknown = context.variables(url_of(target))
    right = condition.right.strip("'\"")
    if unknown or not right:
        return None
    key = quoted(right) if condition.operator == "=" else f"{condition.operator} {single(right)}"
    return status, context.variables(source)[0], key, value


def write_redirects(found, block, context):
    """A map for each run of conditions about one variable; where it says nothing, the next one is asked."""
    if not found or block.has("return"):
        return
    found = [row for row in found if row[2] == found[0][2]]
    runs = []
    for row in found:
        if runs and runs[-1][0] == row[3]:
            runs[-1][1].append(row)
        elif len(runs) < maps.NESTING_MAX:
            runs.append((row[3], [row]))
        else:
            break
    following = None
    for source, rows in reversed(runs):
        name = f"led_{len([n for n in context.used if n.startswith('led_')]) + 1}"
        made = Block(f"map {quoted(source)} {quoted('$' + name)}")
        for directive, _, _, _, key, value in rows:
            if not any(part[0] == key for part in made.parts):  # the first one holds
                made.parts.append((key, quoted(value), None))
            directive.name = "if (said)"
        if following is not None:
            made.set("default", quoted("$" + following))
        context.used[name] = made
        following = name
    block.set("return", quoted(f"{found[0][2]} ${following}"))


def spread(block):
    """A server's `return` that may come to nothing holds in locations that have no own, too."""
    told = next((part for part in block.parts if isinstance(part, tuple) and part[0] == "return"), None)
    if told is None or not re.fullmatch(r'"\d+ \$led_\d+"', told[1]):
        return
    for part in block.parts:
        if isinstance(part, Block) and part.head.startswith("location") and not part.has("return"):
            part.set(*told)
