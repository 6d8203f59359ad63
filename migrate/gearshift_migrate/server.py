"""server.py: one server: its names and addresses, the servers that its conditions make of it, its locations."""

import re

from . import answers, conditions, maps, nginx_directives as directives, tls, values
from .admission import CLOSED, referers, translate_admission
from .fields import cache_of, translate_fields
from .location import find, gather, place_of
from .nginx_tree import Place
from .server_conf import quoted
from .settings import logs, translate_settings

PASSES = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass", "js_content")
REGEX_NAME = re.compile(r"~\*?\^(?:\((?:\?<\w+>)?(?:\.[*+]|\[\^\.\][*+]|\\w\+|\[a-z0-9-\]\+)\)|\.[*+])\\\.((?:[\w-]+\\\.)+\w+)\$?")


class Context:
    """What all servers share while they are translated."""

    def __init__(self, http, addresses, notes, prefix):
        self.http, self.addresses, self.notes, self.prefix = http, addresses, notes, prefix.rstrip("/")
        self.maps = {d.args[1][1:]: d for d in http if d.name == "map" and len(d.args) == 2}
        self.formats = {d.args[0]: d for d in http if d.name == "log_format" and d.args}
        self.zones = {}
        for directive in http:
            if directive.name in ("limit_req_zone", "limit_conn_zone"):
                name = next((a[5:].partition(":")[0] for a in directive.args if a.startswith("zone=")), None)
                self.zones[name] = directive
        self.named, self.locations, self.place = {}, [], None  # of the server that is translated
        self.captured = ()  # names of groups of the location's expression
        self.used = {}  # maps that the result needs, by name, each behind those that it looks at
        self.connections_max = 0
        self.served = set()  # addresses that a server has that was written
        self.notes_scripts = False

    def variables(self, text):
        """As values.variables(), with those that maps define."""
        return values.variables(text, lambda name: name in self.captured or maps.use(name, self))

    def log_format(self, text):
        return values.log_format(text, lambda name: maps.use(name, self))


def translate_server(server, context, out):
    """The blocks of one server: one, and one more for each host or scheme that a condition sends elsewhere."""
    listens = context.addresses.of[id(server)]
    names = [a for d in server.block if d.name == "server_name" for a in d.args]
    place = Place([server.block, context.http])
    if not listens:
        return
    names, listens = by_host_and_scheme(server, place, names, listens, context, out)
    if not listens:
        return
    is_default = context.addresses.is_default(server, listens)
    ours = names_of(server, names, is_default, context, listens)
    if ours is None:
        return
    block = begin(out, ours, listens, context)
    context.named = {d.args[0]: d for d in server.block if d.name == "location" and d.args[0].startswith("@")}
    fill(server, place, block, listens, context)


def begin(out, names, listens, context):
    block = out.block(f"server {quoted(names[0])}")
    context.served |= {x.address for x in listens}
    block.list("listen", context.addresses.texts(listens))
    if names[1:]:
        block.list("alias_hosts", names[1:])
    return block


def names_of(server, names, is_default, context, listens):
    """Title and alias_hosts. None: nobody can reach this server."""
    at = next((d for d in server.block if d.name == "server_name"), server)
    out = []
    for name in names:
        lower = name.lower()
        regex = REGEX_NAME.fullmatch(name)
        if lower in ("_", '""', "", "-", "!@#", "$hostname", "localhost.localdomain") and lower != "$hostname":
            continue
        if name.startswith("~") and regex is not None:
            context.notes.differs(at, f"{name}: every name below {regex[1]}".replace("\\", ""))
            out.append("*." + regex[1].replace("\\", ""))
        elif name.startswith("~") or name.endswith(".*") or "*" in name[1:] or "$" in name:
            context.notes.unsaid(at, f"{name}: a name, or *.name")
        elif lower.startswith("."):
            out += [lower[1:], "*" + lower]
        else:
            try:
                out.append(lower.rstrip(".").encode("idna").decode())
            except UnicodeError:
                context.notes.unsaid(at, f"{name}: no name of a host")
    out = list(dict.fromkeys(out))
    if is_default and (not out or any(x.address in context.served for x in listens)):
        return [*out, "_"]  # else it is the first of its addresses, which answers to unknown names anyhow
    if not out:
        context.notes.unsaid(server, "no request can reach it: it has no name that can be said, and is no default_server")
        return None
    return out


def by_host_and_scheme(server, place, names, listens, context, out):
    """`if ($host = ...)` and `if ($scheme = http)` that redirect are servers of their own. Returns what is left."""
    for directive in [d for d in server.block if d.name == "if"]:
        condition = answers.Condition(directive)
        act = condition.action("return", "rewrite")
        hosts = answers.plain_names(condition)
        if act is None and hosts == ["www."]:
            act = answers.without_www(directive, names)
        if act is None:
            continue
        plain = condition.left in ("$scheme", "$https", "$ssl_protocol", "$server_port") and \
            (condition.left, condition.operator, condition.right.strip("'\"")) in (
                ("$scheme", "=", "http"), ("$scheme", "!=", "https"), ("$https", "=", ""), ("$https", "!=", "on"),
                ("$server_port", "=", "80"), ("$ssl_protocol", "=", ""), ("$server_port", "!=", "443"))
        if plain:
            clear = [x for x in listens if not context.addresses.has_tls(x)]
            if clear:
                split(server, place, names, clear, act, context, out)
            listens = [x for x in listens if x not in clear]
        elif hosts is not None:
            moved = [n for n in names if n.lower() in hosts or (hosts == ["www."] and n.lower().startswith("www."))]
            if moved:
                split(server, place, moved, listens, act, context, out, alone=True)
                names = [n for n in names if n not in moved]
        elif condition.left in ("$host", "$http_host") and condition.operator == "!=":
            kept = [n for n in names if n.lower() == condition.right.strip('"').lower()]
            moved = [n for n in names if n not in kept]
            if kept and (moved or context.addresses.is_default(server, listens)):
                split(server, place, moved, listens, act, context, out)
                context.addresses.default.update({x.address: None for x in listens
                                                  if context.addresses.default[x.address] is server})
            names = kept or names
        else:
            continue
        directive.name = "if (said)"
    if not names and not context.addresses.is_default(server, listens):
        return names, [] if any(d.name == "if (said)" for d in server.block) else listens
    return names, listens


def split(server, place, names, listens, act, context, out, alone=False):
    """A server for these names and addresses that sends its clients elsewhere."""
    is_default = context.addresses.is_default(server, listens) and not alone
    ours = names_of(server, names, is_default, context, listens)
    if ours is None:
        return
    block = begin(out, ours, listens, context)
    if any(context.addresses.has_tls(x) for x in listens):
        tls.server(place, block, context.notes)
    if act.name == "return":
        answers.write_return(act, block, context)
    else:
        flag = act.args[2] if len(act.args) > 2 else ""
        target = re.sub(r"/\$1\??$|(?<=\w)\$1\??$|\$request_uri\??$|\$uri\??$", "$request_uri", act.args[1])
        changed = type(act)("return", ["301" if flag == "permanent" else "302", target], act.file, act.line)
        answers.write_return(changed, block, context)


def fill(server, place, block, listens, context):
    """What stands in the server's block."""
    if any(context.addresses.has_tls(x) for x in listens):
        tls.server(place, block, context.notes)
    locations = [x for x in gather(server.block) if x.kind != "@"]
    context.locations, context.place = locations, place
    returned = place.one("return")
    if returned is not None and not any(d.name == "return" for d in server.block):
        returned = None
    if returned is not None:
        locations = []  # nginx never comes to them
    if returned is not None and is_silent(returned):
        logs(place, context, block)
        answers.write_return(returned, block, context)
        return
    translate_settings(place, context, block)
    if returned is None and not block.has("root") and needs_root(locations):
        block.set("root", quoted(f"{context.prefix}/html"), "nginx's own, for nothing is said")
    translate_fields(place, context, block)
    translate_admission(place, context, block)
    if any(d.name == "if" and answers.Condition(d).left == "$invalid_referer" for d in server.block):
        referers(place, context, block)
    status(locations, block)
    skipped = log_skips(locations, context)
    if skipped and not block.has("access_log_skip"):
        block.list("access_log_skip", skipped)
    pages_elsewhere(place, None, ["/index.html"], locations, context, block)
    cache_of(place, context).write(block)
    if returned is not None:
        kind = place.last("default_type")
        answers.write_return(returned, block, context, kind.args[0] if kind is not None else "text/plain")
    conditions.translate(server, block, context)
    for directive in server.block:
        if directive.name == "rewrite" and returned is None:
            answers.write_rewrite(directive, None, block, context)
        elif directive.name == "if":
            if not maps.translate_condition(directive, None, block, context):
                answers.translate_condition(directive, None, place, block, context)
        else:
            tell_of(directive, context)
    paths = {x.path for x in locations if x.kind in ("", "^~")}
    for location in locations:
        if location.kind in ("", "^~") and location.path + "/" in paths:
            context.notes.differs(location.directive, f"{location.path}: that for {location.path}/ holds for it, too")
            continue
        translate_location(location, locations, place, block, context)
        context.captured = ()
    conditions.spread(block)


def is_silent(returned):
    """Is nothing of a body to be said, neither of its type nor of how long it is kept?"""
    return returned.args[0] in (*answers.REDIRECTS, "444") or not returned.args[0].isdigit()


def needs_root(locations):
    """Is there anything that would look for a file, and has no root?"""
    for location in locations:
        names = {d.name for block in location.chain for d in block}
        if names & {"root", "alias", "return", *PASSES, "stub_status"}:
            continue
        return True
    return not any(x.kind in ("", "^~") and x.path == "/" for x in locations)


def tell_of(directive, context):
    if directive.name in PASSES or directive.name in CLOSED or directive.name.startswith("if "):
        return  # who translates them has told
    _, kind, text = directives.find(directive.name)
    if kind == directives.UNSAID:
        context.notes.unsaid(directive, text)


def status(locations, block):
    """stub_status: the status page, for those who may."""
    for location in locations:
        if not any(d.name == "stub_status" for d in location.block):
            continue
        block.set("status_page", quoted(location.path.rstrip("/") or "/status"))
        allowed = [d.args[0] for d in location.block if d.name == "allow" and d.args[0] not in ("127.0.0.1", "::1")]
        if allowed:
            block.list("status_allow", allowed)


def log_skips(locations, context):
    out = []
    for location in locations:
        directive = next((d for d in location.block if d.name == "access_log"), None)
        if directive is None:
            continue
        if directive.args[0] != "off":
            context.notes.unsaid(directive, "a server has one access log")
        else:
            out.append(location.pattern())
    return list(dict.fromkeys(out))


def translate_location(location, locations, server_place, block, context):
    """A location, and those that its rewrites and conditions add before it."""
    names = {d.name for d in location.block}
    if "stub_status" in names:
        return
    place = place_of(location, server_place)
    context.captured = re.findall(r"\(\?P?<(\w+)>", location.path) if location.is_regex else ()
    returned = next((d for d in location.block if d.name == "return"), None)
    rewrites = [d for d in location.block if d.name == "rewrite"]
    whole = next((d for d in rewrites if d.args[0] in answers.ALL), None)
    for directive in rewrites:
        if directive is not whole:
            answers.write_rewrite(directive, location, block, context)
    inner = block.block(location.head())
    at = len(block.parts) - 1
    passes = next((d for d in location.block if d.name in PASSES), None)
    if passes is not None:
        context.notes.unsaid(passes, directives.find(passes.name)[2] + "; its paths are 404 here")
        inner.set("return", quoted("404"))
    elif returned is not None:
        kind = place.last("default_type")
        field = next((d for d in place.own("add_header") if d.args[0].lower() == "content-type"), None)
        if field is not None:  # which is how people say it
            kind = type(field)("default_type", field.args[1:2], field.file, field.line)
        if answers.write_return(returned, inner, context, kind.args[0] if kind is not None else "text/plain"):
            translate_fields(place, context, inner, leave_out="content-type" if field is not None else None)
    elif whole is not None:
        block.parts.pop()
        answers.write_rewrite(whole, location, block, context)
        return
    else:
        translate_settings(place, context, inner)
        translate_fields(place, context, inner)
        translate_admission(place, context, inner)
        caches(location, place, locations, context, inner)
        guarded = [answers.Condition(d) for d in location.block if d.name == "if"]
        if any(c.left == "$invalid_referer" for c in guarded):
            referers(place, context, inner)
        for condition in guarded:
            maps.otherwise_files(condition, inner, context)
        for directive in location.block:
            if directive.name == "if" and not maps.translate_condition(directive, location, block, context):
                before = len(block.parts)
                answers.translate_condition(directive, location, place, Both(inner, block), context)
                added = block.parts[before:]
                del block.parts[before:]
                block.parts[at:at] = added
                at += len(added)
    for directive in location.block:
        if directive.name not in ("return", "rewrite", "if", "location"):
            tell_of(directive, context)
    if not inner.parts and location.kind in ("", "^~") and location.path == "/":
        block.parts.remove(inner)


class Both:
    """Where the conditions of a location write: settings into it, blocks beside it."""

    def __init__(self, inner, outer):
        self.inner, self.outer = inner, outer
        self.parts = outer.parts

    def block(self, head):
        return self.outer.block(head)

    def list(self, key, items):
        self.inner.list(key, items)

    def set(self, key, value):
        self.inner.set(key, value)


def caches(location, place, locations, context, inner):
    """Cache blocks: of the location where it says something itself, and of pages to which nginx goes on from here, as
    from a folder to its index.html, and to the last path of try_files."""
    if place.own("expires") or place.own("add_header"):
        cache_of(place, context).write(inner)
    if location.is_regex:
        return
    served = place.last("try_files")
    pages = []
    if served is not None and served.args[-1].startswith("/") and "$" not in served.args[-1]:
        pages.append(served.args[-1].partition("?")[0])
    prefix = location.path if location.path.endswith("/") else location.path + "/"
    if location.kind != "=":
        pages.append(prefix + "index.html")
    pages_elsewhere(place, location, pages, locations, context, inner)


def pages_elsewhere(place, location, pages, locations, context, inner):
    """Cache blocks for pages that belong to another location for nginx."""
    for page in pages:
        target = find(locations, page)
        if target is None or target is location or (location is None and not target.is_regex and target.kind != "="):
            continue
        cache = cache_of(place_of(target, place.server or place), context, elsewhere=True)
        name = page.rpartition("/")[2]
        if cache and not any(getattr(p, "head", "") == f'cache "{name}"' for p in inner.parts):
            before = len(inner.parts)
            cache.write(inner, name)
            added = inner.parts[before:]
            del inner.parts[before:]
            first = next((i for i, p in enumerate(inner.parts) if getattr(p, "head", "").startswith("cache")), before)
            inner.parts[first:first] = added
