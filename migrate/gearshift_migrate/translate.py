"""translate.py: the whole configuration: what holds for the process, and each server in its turn."""

import re

from . import nginx_directives as directives
from . import values
from .nginx_text import Refused
from .nginx_tree import Scope
from .notes import Notes
from .server_conf import Block
from .translate_server import translate_server

# Directives that stand where they are translated; all others are looked up in the table.
TOP = {
    "user", "worker_processes", "worker_connections", "pid", "error_log", "events", "http", "use", "stream", "mail",
    "worker_shutdown_timeout", "worker_rlimit_nofile",
}
DEMULTIPLEXERS = {"epoll": None, "poll": "poll", "select": "select"}
LEVELS = {"debug": "debug", "info": "info", "notice": "info", "warn": "warn", "error": "error", "crit": "error",
          "alert": "error", "emerg": "error"}

# Settings that nginx has for each server, and we have once: those of the http block, or of a server
# where all that have one agree.
ONCE = (
    ("keepalive_timeout", "keepalive_timeout", values.duration),
    ("keepalive_requests", "keepalive_requests", str),
    ("client_header_timeout", "header_timeout", values.duration),
    ("client_body_timeout", "body_timeout", values.duration),
    ("send_timeout", "send_timeout", values.duration),
    ("client_max_body_size", "body_max", values.size),
    ("lingering_timeout", "linger_timeout", values.duration),
    ("max_ranges", "ranges_max", str),
    ("sendfile_max_chunk", "send_turn", values.size),
    ("open_file_cache_valid", "cache_valid", values.duration),
    ("real_ip_header", None, None),
    ("real_ip_recursive", "real_ip_recursive", str),
    ("gzip_min_length", "compress_min", values.size),
    ("ssl_session_tickets", "tls_session_tickets", str),
    ("ssl_protocols", None, None),
    ("ssl_ciphers", None, None),
    ("ssl_ecdh_curve", None, None),
    ("default_type", None, None),
)


def translate(tree):
    """The text of a server.conf, and the notes."""
    notes, out = Notes(), Block()
    main = Scope(tree)
    http = [d for d in tree if d.name == "http"]
    servers, inner = [], main
    if http:
        block = [d for each in http for d in each.block]
        inner = Scope(block, main)
        servers = inner.own("server")
    elif main.own("server"):  # a file of sites-enabled alone
        servers = main.own("server")
    elif not tree or all(d.name not in ("http", "server", "events") for d in tree):
        raise Refused("neither an http block nor a server block is in it")
    process(main, inner, out, notes)
    once(inner, servers, out, notes)
    for directive in tree:
        if directive.name not in TOP and directive.name != "server":
            tell_of(directive, notes)
    for directive in (inner.block if http else []):
        tell_of(directive, notes)
    if not servers:
        notes.told.append("no server block is in it")
    for server in defaults_last(servers):
        translate_server(Scope(server.block, inner), server, out, notes)
    return "\n".join(out.lines()) + "\n", notes.told


def defaults_last(servers):
    """In their order: which of them is the default is said by its name."""
    return servers


def tell_of(directive, notes):
    """Notes a directive that nothing can say."""
    _, kind, text = directives.find(directive.name)
    if kind == directives.UNSAID:
        notes.add(directive, text)


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
        out.text("pid_file", pid.args[0])
    error = http.one("error_log")
    if error is not None and error.args[0] != "/dev/null":
        out.text("error_log", error.args[0])
        if len(error.args) > 1:
            out.set("log_level", LEVELS.get(error.args[1], "error"))
    for events in main.own("events"):
        scope = Scope(events.block)
        connections, use = scope.one("worker_connections"), scope.one("use")
        if connections is not None:
            out.set("connections_max", connections.args[0])
        if use is not None and DEMULTIPLEXERS.get(use.args[0]):
            out.set("demultiplexer", DEMULTIPLEXERS[use.args[0]])
    drain = main.one("worker_shutdown_timeout")
    if drain is not None:
        out.set("drain_timeout", values.duration(drain.args[0]))


def once(http, servers, out, notes):
    """Settings that are ours once."""
    scopes = [Scope(server.block, http) for server in servers] or [http]
    for name, key, convert in ONCE:
        found = {tuple(d.args): d for d in (scope.one(name) for scope in scopes) if d is not None}
        if not found:
            continue
        if len(found) > 1:
            notes.add(list(found.values())[1], "one value holds for all servers here; the first one of the file is taken")
        directive = next(iter(found.values()))
        try:
            setting(name, key, convert, directive, out, notes)
        except Refused as error:
            notes.add(directive, str(error))
    trusted = [d.args[0] for d in http.own("set_real_ip_from")]
    for scope in scopes:
        trusted += [d.args[0] for d in scope.own("set_real_ip_from") if d.args[0] not in trusted]
    header = next((d for d in (scope.one("real_ip_header") for scope in scopes) if d is not None), None)
    if header is not None and header.args[0] == "proxy_protocol":
        out.list("trusted", trusted)
    else:
        out.list("real_ip_from", trusted)
    types = http.own("types")
    own = [f"{extension}={kind.name}" for block in types for kind in block.block for extension in kind.args]
    out.list("types", own)


def setting(name, key, convert, directive, out, notes):
    """One of ONCE."""
    first = directive.args[0]
    if name == "real_ip_header":
        if first.lower() in ("x-forwarded-for", "forwarded"):
            out.text("real_ip_header", first)
        elif first != "proxy_protocol":
            notes.add(directive, f"{first}: the client is taken from X-Forwarded-For or Forwarded")
    elif name == "ssl_protocols":
        ours = [p for p in directive.args if p in ("TLSv1.2", "TLSv1.3")]
        if len(ours) < len(directive.args):
            notes.add(directive, "versions below TLSv1.2 are not there")
        out.list("tls_protocols", ours)
    elif name == "ssl_ciphers":
        notes.add(directive, "the names are those of the library: the default, which is strict, is kept")
    elif name == "ssl_ecdh_curve":
        if first != "auto":
            out.list("tls_curves", first.split(":"))
    elif name == "default_type":
        out.text("default_type", first)
    elif name == "client_max_body_size" and first == "0":
        notes.add(directive, "a body has a limit: the default is kept")
    elif name == "keepalive_timeout":
        out.set(key, convert(first))
    else:
        out.set(key, convert(first))


def is_regex(text):
    return re.search(r"[\\^$.|?*+()\[\]{}]", text) is not None
