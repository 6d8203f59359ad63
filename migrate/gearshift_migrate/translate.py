"""translate.py: the whole configuration: what holds for the process, and each server in its turn."""

from . import nginx_directives as directives
from . import tls, values
from .listen import Addresses
from .nginx_text import Refused
from .nginx_tree import Place, Scope, check
from .notes import Notes
from .server import Context, translate_server
from .server_conf import Block

LEVELS = {"debug": "debug", "info": "info", "notice": "info", "warn": "warn", "error": "error", "crit": "error",
          "alert": "error", "emerg": "error"}
HEAD = """Made of {file} by gearshift-migrate; `gearshift -t` checks it, `gearshift explain` tells what a request gets. \
What is not quite as with nginx everywhere: docs/migrating.md."""

# Settings that nginx has for each server, and we have once.
ONCE = (
    ("keepalive_timeout", "keepalive_timeout", values.duration),
    ("keepalive_requests", "keepalive_requests", str),
    ("client_header_timeout", "header_timeout", values.duration),
    ("client_body_timeout", "body_timeout", values.duration),
    ("send_timeout", "send_timeout", values.duration),
    ("client_max_body_size", "body_max", values.size),
    ("lingering_timeout", "linger_timeout", values.duration),
    ("sendfile_max_chunk", "send_turn", values.size),
    ("open_file_cache_valid", "cache_valid", values.duration),
    ("real_ip_recursive", "real_ip_recursive", str),
    ("gzip_min_length", "compress_min", values.size),
    ("max_headers", "header_count_max", str),
    ("ssl_handshake_timeout", "tls_handshake_timeout", values.duration),
)
DAY_S, HOUR_S = 86400, 3600
LEAST = {"sendfile_max_chunk": (4096, None), "gzip_min_length": (1, "1")}  # below it: that value, or none at all
OF_CDNS = ("cf-connecting-ip", "true-client-ip", "fastly-client-ip")
RANGES_MAX = 1000


def translate(tree, file="nginx.conf", prefix="/usr/share/nginx"):
    """The text of a server.conf, and the notes. tree: the directives of a whole configuration, or of a file of
    sites-enabled."""
    check(tree)
    notes, out = Notes(), Block()
    main = Scope(tree)
    blocks = main.own("http")
    http = [d for each in blocks for d in each.block] if blocks else tree
    servers = [d for d in http if d.name == "server"]
    if not servers:
        raise Refused(f"{file}: there is no server block in it")
    out.comment(HEAD.format(file=file))
    process(main, Scope(http, main), out, notes)
    scopes = [Scope(server.block, Scope(http)) for server in servers]
    once(scopes, out, notes)
    ranges(scopes, out, notes)
    real_ip(scopes, out, notes)
    tls.once(scopes, out, notes)
    addresses = Addresses(servers, notes)
    for directive in [*tree, *(http if blocks else [])]:
        tell_of(directive, notes)
    context = Context(http, addresses, notes, prefix)
    for server in servers:
        translate_server(server, context, out)
    first = next(i for i, part in enumerate(out.parts) if isinstance(part, Block))
    out.parts[first:first] = list(context.used.values())
    if context.connections_max:
        out.parts.insert(1, ("limit_connections", str(context.connections_max), "nginx counts requests in progress"))
    return "\n".join(out.lines()) + "\n", notes


def tell_of(directive, notes):
    """Notes a directive that nothing can say."""
    _, kind, text = directives.find(directive.name)
    if kind == directives.UNSAID:
        notes.unsaid(directive, text)


def process(main, http, out, notes):
    """What holds for the process."""
    user = main.one("user")
    if user is not None:
        out.text("user", ":".join(user.args))
    workers = main.one("worker_processes")
    if workers is not None and workers.args[0].isdigit() and int(workers.args[0]) > 1:
        out.set("processes", workers.args[0])
    elif workers is not None and workers.args[0] == "auto":
        out.set("engine", "multi-reactor", "a loop for each CPU")
    pid = main.one("pid")
    if pid is not None:
        out.path("pid_file", pid.args[0])
    error = http.one("error_log")
    if error is not None and error.args[0] not in ("/dev/null", "stderr"):
        out.path("error_log", error.args[0])
    if error is not None and len(error.args) > 1 and LEVELS.get(error.args[1], "error") != "info":
        out.set("log_level", LEVELS.get(error.args[1], "error"))
    for events in main.own("events"):
        scope = Scope(events.block)
        connections, use = scope.one("worker_connections"), scope.one("use")
        if connections is not None:
            out.set("connections_max", connections.args[0])
        if use is not None and use.args[0] in ("poll", "select"):
            out.set("demultiplexer", use.args[0])
    drain = main.one("worker_shutdown_timeout")
    if drain is not None:
        out.set("drain_timeout", values.duration(drain.args[0]))


def once(scopes, out, notes):
    """Settings that are ours once: those of the first server that has one."""
    for name, key, convert in ONCE:
        directive = the_one(name, scopes, notes)
        if directive is None:
            continue
        first = directive.args[0]
        try:
            if name == "client_max_body_size" and first == "0":
                continue  # no limit: a body is read and thrown away, and nobody sends one
            if name == "keepalive_timeout" and values.seconds(first) == 0:
                out.set("keepalive_requests", "1", "keepalive_timeout 0")
                continue
            value = convert(first)
            if convert is values.duration:
                value = within(values.seconds(first), key)
            elif name in LEAST and values.octets(value) < LEAST[name][0]:
                value = LEAST[name][1]
            if value is not None:
                out.set(key, value)
        except Refused as error:
            notes.unsaid(directive, str(error))


def within(found, key):
    """A deadline, as long as one may be; None: it would be none."""
    if found == 0 and key not in ("linger_timeout", "cache_valid"):
        return None
    return values.duration_of(min(found, HOUR_S if key == "linger_timeout" else DAY_S))


def the_one(name, scopes, notes):
    """The directive of that name, and a note where servers differ in it."""
    found = {}
    for scope in scopes:
        directive = scope.one(name)
        if directive is not None:
            found.setdefault(tuple(directive.args), directive)
    different = list(found.values())
    if len(different) > 1:
        notes.differs(different[1], f"one value holds for all servers: that of {different[0].place}")
    return different[0] if different else None


def ranges(scopes, out, notes):
    directive = the_one("max_ranges", scopes, notes)
    if directive is not None and directive.args[0].isdigit():
        out.set("ranges_max", str(min(int(directive.args[0]), RANGES_MAX)))


def real_ip(scopes, out, notes):
    """Who may say who the client is."""
    trusted = list(dict.fromkeys(d.args[0] for scope in scopes for d in scope.all("set_real_ip_from")))
    if not trusted:
        return
    header = the_one("real_ip_header", scopes, notes)
    name = header.args[0] if header is not None else "X-Real-IP"
    if name.lower() == "proxy_protocol":
        out.list("trusted", trusted)
        return
    if name.lower() in OF_CDNS:
        notes.differs(header, f"{name}: taken from X-Forwarded-For, to which such a CDN appends the same address")
        name = "X-Forwarded-For"
    ours = {"x-forwarded-for": "X-Forwarded-For", "forwarded": "Forwarded", "x-real-ip": "X-Real-IP"}.get(name.lower())
    if ours is None:
        notes.unsaid(header, f"{name}: the client is taken from X-Forwarded-For, Forwarded or X-Real-IP")
        return
    out.list("real_ip_from", trusted)
    if ours != "X-Forwarded-For":
        out.set("real_ip_header", ours)


def place_of(server, http):
    return Place([server.block, http])
