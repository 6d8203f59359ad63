"""values.py: values that nginx and server.conf write differently: times, sizes, variables, patterns."""

import re

from .nginx_text import Refused

UNITS_S = {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "y": 31536000}

# Variables of nginx that have another name here.
RENAMED = {
    "http_host": "host", "args": "args", "query_string": "args", "realip_remote_addr": "remote_addr",
}
KNOWN = {
    "uri", "path", "document_uri", "host", "args", "query", "is_args", "request_uri", "scheme", "https",
    "remote_addr", "remote_port", "request_id", "request_method", "server_name", "server_port", "hostname",
    "remote_user", "server_protocol", "ssl_protocol", "ssl_cipher", "ssl_server_name", "ssl_client_verify",
    "ssl_client_s_dn", "ssl_client_i_dn", "ssl_client_serial",
    *map(str, range(10)),
}
FAMILIES = ("arg_", "http_", "cookie_")

# Those of a line of the access log, where nginx's names are ours.
LOG_KNOWN = {
    "remote_addr", "remote_port", "remote_user", "time_local", "time_iso8601", "msec", "request", "request_method",
    "request_uri", "server_protocol", "uri", "document_uri", "args", "query_string", "is_args", "status",
    "body_bytes_sent", "bytes_sent", "request_length", "request_time", "host", "server_name", "server_port", "scheme",
    "https", "ssl_protocol", "ssl_cipher", "ssl_server_name", "ssl_client_verify", "ssl_client_s_dn", "ssl_client_i_dn",
    "ssl_client_serial", "connection", "connection_requests", "request_id", "pid", "hostname",
}
SENT = ("cache_control", "connection", "content_encoding", "content_length", "content_range", "content_type", "etag",
        "last_modified", "location")
OF_PROXIES = re.compile(r"\$(?:\{(?:upstream_\w+|gzip_ratio|http2|pipe|proxy_add_x_forwarded_for)\}"
                        r"|(?:upstream_\w+|gzip_ratio|http2|pipe|proxy_add_x_forwarded_for)\b)")
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def seconds(text):
    """The seconds that "1h 30m" are; None: it is no time."""
    total = 0.0
    parts = re.findall(r"(\d+)(ms|[smhdwMy]?)", text)
    if not parts or "".join(n + u for n, u in parts) != text.replace(" ", ""):
        return None
    for number, unit in parts:
        total += int(number) * UNITS_S[unit]
    return total


def duration(text):
    """A time of nginx as a duration of server.conf."""
    found = seconds(text)
    if found is None:
        raise Refused(f"\"{text}\" is not a time")
    return duration_of(found)


def duration_of(found):
    if found == 0:
        return "0"
    if found != int(found):
        return f"{round(found * 1000)}ms"
    for unit, unit_s in (("y", 31536000), ("d", 86400), ("h", 3600), ("m", 60)):
        if found % unit_s == 0:
            return f"{int(found) // unit_s}{unit}"
    return f"{int(found)}s"


def size(text):
    if not re.fullmatch(r"\d+[kKmMgG]?", text):
        raise Refused(f"\"{text}\" is not a size")
    return text.lower()


def octets(text):
    return int(text.rstrip("kmgKMG")) << {"k": 10, "m": 20, "g": 30}.get(text[-1:].lower(), 0)


def is_known(name):
    return name in KNOWN or name.startswith(FAMILIES)


def variables(text, is_map=None):
    """A text with nginx's variables as one with ours, and the names of those that we do not have. is_map: tells whether
    a name is that of a map."""
    unknown = []

    def replace(match):
        name = match[1] or match[2]
        name = RENAMED.get(name, name)
        if not is_known(name) and (is_map is None or not is_map(name)):
            unknown.append(name)
        return "${" + name + "}" if match[1] else "$" + name

    out, at = [], 0
    for match in VARIABLE.finditer(text):
        out.append(text[at:match.start()].replace("$", "$$"))
        out.append(replace(match))
        at = match.end()
    out.append(text[at:].replace("$", "$$"))
    return "".join(out), unknown


def log_format(text, is_map):
    """A format of the access log, and the variables in it that we do not have. Those of proxies say what nginx says of a
    static file."""
    unknown = []
    text = OF_PROXIES.sub("-", text)
    for match in VARIABLE.finditer(text):
        name = match[1] or match[2]
        sent = name.removeprefix("sent_http_")
        if name not in LOG_KNOWN and not name.startswith(FAMILIES) and \
                not (name != sent and sent in SENT) and not is_map(name):
            unknown.append(name)
    return text, unknown


def has_variables(text):
    return VARIABLE.search(text) is not None


def regex_opened(regex):
    """A regular expression without the `^` at its beginning, and whether it had one."""
    return (regex[1:], True) if regex.startswith("^") and not _alternates(regex) else (regex, False)


def _alternates(regex):
    """Has it a `|` outside of all groups and classes?"""
    depth = at = 0
    while at < len(regex):
        char = regex[at]
        if char == "\\":
            at += 1
        elif char == "[":
            end = regex.find("]", at + 2)
            at = end if end > 0 else len(regex)
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif char == "|" and depth == 0:
            return True
        at += 1
    return False


def regex_below(prefix, regex, ignore_case=False):
    """The regular expression for paths that begin with prefix, too."""
    below = "".join("\\" + c if c in r"\^$.|?*+()[]{}" else c for c in prefix)
    inner, anchored = regex_opened(regex)
    if ignore_case:
        inner = f"(?i:{inner})"
    elif _alternates(inner):
        inner = f"(?:{inner})"
    if anchored:
        if inner.startswith(below):
            return "^" + inner
        return f"^(?={below}){inner}" if prefix not in ("", "/") else "^" + inner
    return f"^(?={below}).*?{inner}" if prefix not in ("", "/") else inner
