"""settings.py: what is served, of a server or of a location: everything but fields, who may, and answers without files."""

import re

from . import values
from .admission import is_guarded_by_itself
from .location import find
from .nginx_text import Refused
from .server_conf import listed

SCRIPTS = re.compile(r"\.(php\d?|phtml|cgi|pl|py|jsp|aspx?)$")
STATUSES = range(400, 600)
OF_NGINX = (494, 495, 496, 497, 498, 499)  # its own numbers
LOG_COMBINED = ("combined", "main")


def translate_settings(place, context, out):
    """All of them that the place says something about."""
    for part in (root, index, tried, error_pages, compress, listings, types, odds, logs):
        try:
            part(place, context, out)
        except Refused as refusal:
            context.notes.unsaid(place.blocks[0][0], str(refusal))


def path_of(text, context):
    """A path of nginx's root and alias: relative ones begin at its prefix."""
    joined = text if text.startswith("/") else f"{context.prefix}/{text}"
    return joined.rstrip("/") or "/"


def root(place, context, out):
    directive = place.one("root", "alias")
    if directive is None:
        return
    text = directive.args[0]
    if values.has_variables(text):
        root_by_variable(directive, text, place, context, out)
        return
    path = path_of(text, context)
    location = place.location
    if directive.name == "root" or location is None:
        out.path("root", path)
    elif location.kind == "=":
        name = location.path.endswith("/") and (place.last("index").args[0] if place.last("index") else "index.html")
        out.path("alias", f"{path}/{name}" if name else path)
    elif location.kind in ("", "^~"):
        below = location.path[len(location.alias_path):].strip("/") if location.alias_path else ""
        out.path("alias", f"{path}/{below}" if below else path)
    else:
        context.notes.unsaid(directive, "a location of a regular expression has no alias; it is closed")
        out.set("deny", '"all"')


def root_by_variable(directive, text, place, context, out):
    """`/srv/www/$host`: what stands in front of the variable, and paths that begin with it."""
    base, _, rest = text.partition("$")
    ours, unknown = context.variables("$" + rest)
    if directive.name == "alias" or unknown or not base.endswith("/"):
        context.notes.unsaid(directive, "such a variable is not there for folders; it is closed")
        out.set("deny", '"all"')
        return
    context.notes.differs(directive, "a folder is found with its slash alone: `try` asks no folder of this kind for it")
    out.path("root", path_of(base, context))
    names = [d for d in place.all("index")][-1:]
    first = names[0].args[0] if names else "index.html"
    out.list("try", [f"/{ours.rstrip('/')}$uri", f"/{ours.rstrip('/')}$uri/{first}"])


def index(place, context, out):
    directives = place.own("index")
    if not directives:
        return
    names = [name for d in directives for name in d.args]
    kept = [n for n in names if "/" not in n and "$" not in n and not SCRIPTS.search(n)]
    for directive in directives:
        for name in directive.args:
            if SCRIPTS.search(name) and not context.notes_scripts:
                context.notes_scripts = True
                context.notes.unsaid(directive, f"{name}: there are no scripts")
            elif "/" in name or "$" in name:
                context.notes.unsaid(directive, f"{name}: an index is a name without / and variables")
    if kept and kept != ["index.html"]:
        out.list("index", kept)


def tried(place, context, out):
    directive = place.one("try_files")
    fallback = page_for_all(place)
    if directive is None and fallback is None:
        return
    items = try_items(directive, place, context) if directive is not None else ["$uri", "$uri/"]
    if fallback is not None:
        items.append(fallback)
    inherited = place.server is not None and place.server.own("try_files")
    if items == ["$uri", "$uri/"] and not inherited:
        return
    if items and not out.has("try"):
        out.list("try", items)


def try_items(directive, place, context):
    """The paths of `try`. The last argument of try_files is where the request goes on: to a path, a status, or a
    location with a name."""
    out = []
    for at, text in enumerate(directive.args):
        last = at == len(directive.args) - 1
        if last and text.startswith("="):
            if text != "=404":
                context.notes.unsaid(directive, f"{text}: what is not there is 404")
            continue
        if last and text.startswith("@"):
            out += named(directive, text, context)
            continue
        path = text.partition("?")[0] if last else text
        if SCRIPTS.search(path):
            context.notes.unsaid(directive, f"{text}: there are no scripts")
            continue
        ours, unknown = context.variables(path)
        if unknown:
            context.notes.unsaid(directive, f"{text}: there is no ${unknown[0]}")
            continue
        if not ours.startswith(("/", "$uri")):
            ours = "/" + ours
        target = find(context.locations, path) if last and "$" not in path else None
        if target is not None and target is not place.location and is_guarded_by_itself(target):
            context.notes.unsaid(directive, f"{text}: it is left out, since {target.directive.place} guards it")
            continue
        out.append(ours)
    return list(dict.fromkeys(out))


def named(directive, name, context):
    """Where a location with a name leads to, as paths of `try`."""
    location = context.named.get(name)
    if location is None:
        context.notes.unsaid(directive, f"there is no location {name}")
        return []
    for inner in location.block:
        if inner.name == "return" and inner.args[:1] == ["404"]:
            return []
        if inner.name == "rewrite" and inner.args[0] in ("^", ".*", "^.*$", "^(.*)$", "^/(.*)$", "^.*") and \
                not values.has_variables(inner.args[1]) and inner.args[1].startswith("/"):
            path = inner.args[1].partition("?")[0]
            if not SCRIPTS.search(path):
                return [path]
        if inner.name == "try_files":
            return [a for a in inner.args if not a.startswith(("=", "@"))]
    context.notes.unsaid(directive, f"{name}: it neither serves a file nor answers 404")
    return []


def page_for_all(place):
    """The page of `error_page 404 = /index.html`, which applications have for all of their paths."""
    for directive in place.own("error_page"):
        if "404" in directive.args[:-1] and any(a in ("=", "=200") for a in directive.args):
            target = directive.args[-1]
            if target.startswith("/") and not values.has_variables(target):
                return target.partition("?")[0]
    return None


def error_pages(place, context, out):
    pages = []
    for directive in place.own("error_page"):
        target, codes = directive.args[-1], directive.args[:-1]
        change = [c for c in codes if c.startswith("=")]
        numbers = [int(c) for c in codes if c.isdigit()]
        if change and 404 in numbers and page_for_all(place):
            continue
        own = [n for n in numbers if n in STATUSES and n not in OF_NGINX]
        if target.startswith("@") and not change and without_page(context.named.get(target), numbers, place):
            continue
        if change or not target.startswith("/"):
            context.notes.unsaid(directive, "a page has the status of its error, and is a file of the server")
            continue
        if len(own) < len(numbers):
            context.notes.unsaid(directive, "these are numbers of nginx: " +
                                 ", ".join(str(n) for n in numbers if n not in own))
        ours, unknown = context.variables(target.partition("?")[0])
        if unknown:
            context.notes.unsaid(directive, f"there is no ${unknown[0]}")
            continue
        pages += [f"{number}={ours}" for number in own]
    if pages:
        out.list("error_pages", pages)


def without_page(location, numbers, place):
    """`error_page 404 @missing;` of a location that does nothing but say that the error is not to be kept: a field of what
    is no file."""
    if location is None:
        return False
    rest = [d for d in location.block if d.name != "add_header"]
    fields = [d for d in location.block if d.name == "add_header"]
    if [d.name for d in rest] != ["return"] or rest[0].args[:1] not in [[str(n)] for n in numbers]:
        return False
    if any(d.args[0].lower() != "cache-control" for d in fields):
        return False
    place.fields_of_errors += fields
    return True


CODINGS = (("zstd", "zstd"), ("brotli", "br"), ("gzip", "gzip"))


def compress(place, context, out):
    names = [name for name, _ in CODINGS]
    if place.own(*names):
        codings = [ours for name, ours in CODINGS if is_on(place, name)]
        out.set("compress", listed(codings) if codings else "{}")
    on = any(is_on(place, name) for name in names)
    asked = [d for name in names for d in place.own(f"{name}_types")]
    if on and (asked or place.own(*names)):
        types = [t for name in names for d in place.all(f"{name}_types") for t in d.args]
        if "*" in types:
            out.list("compress_types", ["*/*"])
        elif types:
            out.list("compress_types", as_here(["text/html", *types]))
        else:
            out.list("compress_types", ["text/html"], "all that gzip is without gzip_types; without this line all text is")
    static = [name + "_static" for name in names]
    if place.own(*static):
        codings = [ours for name, ours in CODINGS if is_on(place, name + "_static")]
        out.set("precompressed", listed(codings) if codings else "{}")


# Types that have another name here for the same files: both are named.
RENAMED_TYPES = {
    "application/javascript": "text/javascript", "application/x-javascript": "text/javascript",
    "text/x-js": "text/javascript", "text/xml": "application/xml", "application/xml": "text/xml",
    "image/x-icon": "image/vnd.microsoft.icon", "image/vnd.microsoft.icon": "image/x-icon",
    "application/x-font-ttf": "font/ttf", "application/x-font-truetype": "font/ttf", "font/truetype": "font/ttf",
    "font/opentype": "font/otf", "application/x-font-opentype": "font/otf", "application/x-font-otf": "font/otf",
}


def as_here(types):
    """A list of media types, with the names that our files have."""
    return dict.fromkeys(name for kind in types for name in (kind, RENAMED_TYPES.get(kind)) if name)


def is_on(place, name):
    directive = place.last(name)
    return directive is not None and directive.args[:1] not in (["off"], [])


def listings(place, context, out):
    directive = place.one("autoindex", "fancyindex")
    if directive is not None:
        out.set("autoindex", directive.args[0])
    form = place.one("autoindex_format")
    if form is not None and form.args[0] in ("json", "jsonp", "xml"):
        context.notes.differs(form, f"{form.args[0]}: who asks for JSON (Accept: application/json) gets JSON, others the page")


def replaces(place):
    """Are the types of a server all that there are in it?"""
    blocks = place.own("types")
    return bool(blocks) and blocks[0] in place.blocks[0] and \
        not any(row.name == "include" for block in blocks for row in block.block)


def types(place, context, out):
    blocks = place.own("types")
    default = place.one("default_type")
    kind = default.args[0] if default is not None else None
    if blocks:
        rows = [f"{extension}={row.name}" for block in blocks for row in block.block
                if row.name != "include" for extension in row.args]
        if replaces(place):
            last = place.last("default_type")
            rows.append("*=" + (kind or (last.args[0] if last is not None else "text/plain")))
            kind = None
        out.list("types", rows)
    elif kind and place.server is not None and replaces(place.server):
        out.list("types", ["*=" + kind])
    elif kind and (kind != "application/octet-stream" or place.server is not None):
        out.text("default_type", kind)


def odds(place, context, out):
    """One setting each."""
    charset = place.one("charset")
    if charset is not None:
        value = "" if charset.args[0] == "off" or "$" in charset.args[0] else charset.args[0].lower()
        if value != "utf-8" or place.server is not None:
            out.set("charset", f'"{value}"')
    elif place.server is None:
        out.set("charset", '""')
    for directive in place.own("charset_types"):
        out.list("charset_types", as_here(["text/html", *directive.args]) if directive.args != ["*"] else ["*/*"])
    links = place.one("disable_symlinks")
    if links is not None and links.args[0] != "off":
        out.set("symlinks", "owner" if links.args[0] == "if_not_owner" else "deny")
    since = place.one("if_modified_since")
    if since is not None:
        if since.args[0] == "off":
            context.notes.unsaid(since, "dates are answered, as `exact` or `before`")
        else:
            out.set("if_modified_since", since.args[0])
    etag = place.one("etag")
    if etag is not None and etag.args[0] == "off":
        out.set("etag", "off")
    if place.one("internal") is not None and place.server is not None:
        out.set("internal", "on")
    for name in ("limit_rate", "limit_rate_after"):
        directive = place.one(name)
        if directive is not None:
            if values.has_variables(directive.args[0]):
                context.notes.unsaid(directive, "one rate for all")
            else:
                out.set(name, values.size(directive.args[0]))


def logs(place, context, out):
    directives = place.own("access_log")
    if not directives or place.server is not None:
        return  # those of locations: translate_server
    used = [d for d in directives if d.args[0] != "off"]
    if not used:
        out.set("access_log", "off")
        return
    for more in used[1:]:
        context.notes.unsaid(more, "a server has one access log")
    directive = used[0]
    target = directive.args[0]
    target = {"/dev/stdout": "stdout", "/dev/stderr": "stderr"}.get(target, target)
    if values.has_variables(target) and not target.startswith("syslog:"):
        context.notes.unsaid(directive, "a log has one name")
        return
    out.text("access_log", target)
    words = [a for a in directive.args[1:] if "=" not in a and a != "gzip"]
    condition = [a for a in directive.args if a.startswith("if=")]
    if condition:
        log_condition(directive, condition[0][3:], context, out)
    if not words or words[0] == "combined":
        return
    if words[0] not in context.formats:
        context.notes.unsaid(directive, f"there is no log_format {words[0]}")
        return
    row = context.formats[words[0]]
    escape = row.args[1] + " " if row.args[1:2] and row.args[1].startswith("escape=") else ""
    text = "".join(row.args[1 + bool(escape):])
    text, unknown = context.log_format(text)
    if unknown:
        context.notes.unsaid(row, f"there is no ${unknown[0]} in a log: the lines are `combined`")
        return
    if escape.strip() in ("escape=default", "escape=none"):
        escape = ""
    out.set("access_log_format", "'" + (escape + text).replace("\\", "\\\\").replace("'", "\\'") + "'")


def log_condition(directive, variable, context, out):
    """A map of $status to whether a line is written."""
    row = context.maps.get(variable[1:])
    if row is None or row.args[0] != "$status":
        context.notes.unsaid(directive, f"if={variable}: lines are chosen by status, by path and by chance")
        return
    default, kept, left = "1", [], []
    for line in row.block:
        if line.name == "default":
            default = line.args[0]
            continue
        classes = re.fullmatch(r"~\^\[?([1-5]+)\]?(\.\.|\\d\\d)?", line.name)
        names = [f"{c}xx" for c in classes[1]] if classes else [line.name]
        (kept if line.args and line.args[0] not in ("0", "") else left).extend(names)
    if default in ("0", ""):
        out.list("access_log_status", kept)
    elif left and all(name.endswith("xx") for name in left):
        out.list("access_log_status", [f"{c}xx" for c in "2345" if f"{c}xx" not in left])
    else:
        context.notes.unsaid(directive, f"if={variable}: classes of statuses alone are left out")
