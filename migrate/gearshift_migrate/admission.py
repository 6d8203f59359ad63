"""admission.py: who may, and how often: allow, deny, auth_basic, valid_referers, satisfy, limit_*."""

import ipaddress
import re

from . import values
from .server_conf import quoted

BY_CLIENT = ("$binary_remote_addr", "$remote_addr", "${binary_remote_addr}", "${remote_addr}")
BY_SERVER = ("$server_name", "$host", "$http_host")
CLOSED = ("auth_request", "secure_link", "auth_jwt")  # what nobody can ask here lets nobody in
BURST_MAX = 1000000


def translate_admission(place, context, out):
    addresses(place, context, out)
    password(place, context, out)
    satisfy = place.one("satisfy")
    if satisfy is not None and satisfy.args[0] == "any":
        out.set("satisfy", "any")
    for name in CLOSED:
        directive = place.one(name)
        if directive is not None and directive.args[:1] != ["off"]:
            context.notes.unsaid(directive, "nobody else is asked: what it guards is closed (deny = \"all\")"
                                 if name != "secure_link" else
                                 "links are signed otherwise here, see `signed`: what it guards is closed (deny = \"all\")")
            out.set("deny", '"all"')
    requests(place, context, out)


GUARDS = ("allow", "deny", "auth_basic", "valid_referers", *CLOSED)


def is_guarded_by_itself(location):
    """Does a location say who may, other than its server?"""
    return any(d.name in GUARDS for block in location.chain for d in block)


def network(text):
    """The network that a text is; "all" and "unix:" stand for themselves."""
    if text in ("all", "unix:"):
        return text
    return ipaddress.ip_network(text, strict=False)


def is_covered(inner, outers):
    """Does one of the outer ones hold all that inner does?"""
    for outer in outers:
        if outer == "all" or outer == inner:
            return True
        if "unix:" in (outer, inner) or inner == "all":
            continue
        if outer.version == inner.version and inner.subnet_of(outer):
            return True
    return False


def addresses(place, context, out):
    """The first that matches decides in nginx, the smallest network here: a line behind a larger one that holds it
    never matches there, and is left out."""
    rules = place.own("allow", "deny")
    if not rules:
        return
    seen, lists = [], {"allow": [], "deny": []}
    for rule in rules:
        try:
            found = network(rule.args[0])
        except ValueError:
            context.notes.unsaid(rule, f"\"{rule.args[0]}\" is no address")
            continue
        if is_covered(found, seen):
            continue
        seen.append(found)
        lists[rule.name].append(str(found).removesuffix("/128" if ":" in str(found) else "/32"))
    allow, deny = lists["allow"], lists["deny"]
    if allow and "all" not in allow and "all" not in deny:
        allow.append("all")  # who is not named may, in nginx
    if deny[-1:] == ["all"] and allow:
        deny.pop()
    if allow == ["all"] and deny:
        allow = []
    if allow == ["all"] and place.server is None:
        return
    if allow == ["all"]:
        out.set("allow", "{}")
        return
    if allow:
        out.list("allow", allow)
    if deny:
        out.list("deny", deny)


def password(place, context, out):
    if not place.own("auth_basic", "auth_basic_user_file"):
        return
    realm, users = place.last("auth_basic"), place.last("auth_basic_user_file")
    if realm is None:
        return
    if realm.args[0] == "off":
        if place.server is not None and is_guarded(place.server):
            out.set("auth", "off")
        return
    if users is None or values.has_variables(users.args[0]):
        context.notes.unsaid(realm, "it needs a file of names and passwords: what it guards is closed (deny = \"all\")")
        out.set("deny", '"all"')
        return
    block = out.block(f"auth {quoted(realm.args[0])}")
    block.set("users", quoted(users.args[0]))


def is_guarded(place):
    realm = place.last("auth_basic")
    return realm is not None and realm.args[0] != "off"


def referers(place, context, out):
    """valid_referers, which `if ($invalid_referer)` puts into force."""
    directive = place.last("valid_referers")
    if directive is None:
        return False
    ours = []
    for name in directive.args:
        if name in ("none", "blocked", "server_names"):
            ours.append(name)
        elif re.fullmatch(r"(\*\.|\.)?[\w.-]+\w", name):
            ours += [name[1:], "*" + name] if name.startswith(".") else [name]
        elif re.fullmatch(r"(\*\.)?[\w.-]+\w/.*", name):
            context.notes.differs(directive, f"{name}: hosts are compared, not paths")
            ours.append(name.partition("/")[0])
        elif ending_of(name):
            ours += ending_of(name)
        elif name.startswith("~"):
            ours.append("~* " + name[1:])  # nginx compares them without regard to case
        else:
            context.notes.unsaid(directive, f"{name}: a name, or *.name")
    out.list("referers", dict.fromkeys(ours))
    return True


def ending_of(name):
    r"""`~\.google\.` has no name, `~example\.com` has one."""
    match = re.fullmatch(r"~\*?\^?(?:\(\.\+\\\.\)\?|\.\*)?((?:[\w-]+\\\.)+\w+)\$?", name)
    return [match[1].replace("\\", ""), "*." + match[1].replace("\\", "")] if match else []


def requests(place, context, out):
    for directive in place.own("limit_req"):
        words = dict(a.partition("=")[::2] for a in directive.args)
        zone = context.zones.get(words.get("zone"))
        if zone is None:
            context.notes.unsaid(directive, f"there is no zone {words.get('zone')}")
            continue
        key, rate = zone.args[0], next((a[5:] for a in zone.args if a.startswith("rate=")), "1r/s")
        name = "limit_requests" if key in BY_CLIENT else "limit_requests_server" if key in BY_SERVER else None
        match = re.fullmatch(r"(\d+)r/([sm])", rate)
        if name is None or match is None:
            context.notes.unsaid(directive, f"{key}: a limit is by client, or for all together")
            continue
        if out.has(name):
            context.notes.unsaid(directive, "one such limit holds in a place: that above")
            continue
        text = f"{match[1]}/{match[2]} burst={words.get('burst', '0')}"
        if "nodelay" not in directive.args and words.get("burst", "0") != "0":
            text += f" delay={words.get('delay', '0')}"
        out.set(name, quoted(text))
    for directive in place.own("limit_conn"):
        zone = context.zones.get(directive.args[0])
        if zone is None or zone.args[0] not in BY_CLIENT:
            context.notes.unsaid(directive, "connections are counted by client, see `limit_connections`")
            continue
        context.connections_max = max(context.connections_max, int(directive.args[1]))
        context.notes.differs(directive, "`limit_connections` holds for the whole server, and counts idle connections, too")
