"""values.py: values that nginx and server.conf write differently: times, sizes, variables, patterns."""

import re

from .nginx_text import Refused

UNITS_S = {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "y": 31536000}

# Variables of nginx, by our names.
VARIABLES = {
    "args": "query", "query_string": "query", "document_uri": "uri", "http_host": "host",
    "ssl_client_s_dn": "tls_client_subject", "ssl_client_i_dn": "tls_client_issuer",
    "ssl_client_serial": "tls_client_serial", "ssl_client_verify": "tls_client_verify",
}
KNOWN = {
    "uri", "host", "query", "request_uri", "scheme", "remote_addr", "is_args", "request_id", "request_method",
    "server_name", "remote_user", "hostname", *VARIABLES.values(), *map(str, range(10)),
}
FAMILIES = ("arg_", "http_", "cookie_")


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
    if found == 0:
        return "0"
    if found != int(found):
        return f"{int(found * 1000)}ms"
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if found % size == 0:
            return f"{int(found) // size}{unit}"
    return f"{int(found)}s"


def size(text):
    return text.lower()


def variables(text, known=()):
    """A text with nginx's variables as one with ours, and the names of those that we do not have."""
    unknown = []

    def replace(match):
        name = match[1] or match[2]
        name = VARIABLES.get(name, name)
        if name not in KNOWN and name not in known and not name.startswith(FAMILIES):
            unknown.append(name)
        return "${" + name + "}" if match[1] else "$" + name

    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", replace, text), unknown


def request_uri(text):
    """$uri$is_args$args is one name here."""
    return re.sub(r"\$uri\$is_args\$(?:args|query)\b", "$request_uri", text)
