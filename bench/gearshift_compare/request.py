"""One HTTP/1.1 request, and all of its answer: for the check that a server's answers are right, and
never for a measurement."""

import dataclasses
import functools
import hashlib
import socket
import ssl

TIMEOUT_S = 10


@dataclasses.dataclass
class Answer:
    status: int
    fields: dict          # names in small letters; the last of a name counts
    head_size: int
    length: int           # octets of body that came
    digest: str           # SHA-256 of them, in hexadecimal
    tls: str = ""         # protocol and cipher suite


def head(target, fields=(), host="127.0.0.1"):
    """A request; a Host among the fields takes the place of `host`."""
    if not any(field.lower().startswith("host:") for field in fields):
        fields = (f"Host: {host}", *fields)
    return "\r\n".join([f"GET {target} HTTP/1.1", *fields, "", ""]).encode("latin-1")


@functools.lru_cache(maxsize=1)
def tls_context():
    """One that believes any certificate, for all connections: to make one takes longer than a handshake."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def connect(port, tls=False, source="", timeout_s=TIMEOUT_S):
    """A connection, from the loopback address `source` if that is given."""
    connection = socket.create_connection(("127.0.0.1", port), timeout_s,
                                          (source, 0) if source else None)
    connection.settimeout(timeout_s)
    if tls:
        connection = tls_context().wrap_socket(connection, server_hostname="localhost")
    return connection


def read_head(connection):
    """Status, fields, octets of the head, and what of the body came with it."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part or len(data) > 1 << 20:
            raise ConnectionError("the connection ended before an answer's head did")
        data += part
    text, _, rest = data.partition(b"\r\n\r\n")
    first, *lines = text.decode("latin-1").split("\r\n")
    words = first.split()
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
        raise ConnectionError(f"no HTTP/1 status line: {first[:60]!r}")
    fields = {name.strip().lower(): value.strip()
              for name, _, value in (line.partition(":") for line in lines)}
    return int(words[1]), fields, len(text) + 4, rest


def read_answer(connection):
    """An answer whose length is told, to its end, on a connection that is kept: status, fields and octets of the
    body, which is dropped. Raises ConnectionError where it ends early, or tells none."""
    status, fields, _, rest = read_head(connection)
    if "content-length" not in fields:
        raise ConnectionError(f"status {status}: the answer does not tell its length")
    length = int(fields["content-length"])
    left = length - len(rest)
    while left > 0:
        part = connection.recv(min(left, 1 << 18))
        if not part:
            raise ConnectionError(f"the body ended after {length - left} of {length} octets")
        left -= len(part)
    return status, fields, length


def ask(port, target, fields=(), tls=False, body_max=None):
    """GETs a target on a connection of its own. With `body_max` no more of the body is read.
    Raises OSError where there is no whole answer."""
    with connect(port, tls) as connection:
        protocol = f"{connection.version()} {connection.cipher()[0]}" if tls else ""
        connection.sendall(head(target, fields, f"127.0.0.1:{port}"))
        status, got, head_size, rest = read_head(connection)
        left = _body_length(status, got)
        if body_max is not None:
            left = min(left, body_max)
        digest, length = hashlib.sha256(), 0
        while True:
            rest = rest[:left - length]
            digest.update(rest)
            length += len(rest)
            if length >= left:
                break
            rest = connection.recv(1 << 18)
            if not rest:
                if "content-length" in got:
                    raise ConnectionError(f"the body ended after {length} of {left} octets")
                break
    return Answer(status, got, head_size, length, digest.hexdigest(), protocol)


def _body_length(status, fields):
    """Octets of the body; as many as there are before the end when nothing tells."""
    if status in (204, 304):
        return 0
    if "chunked" in fields.get("transfer-encoding", "").lower():
        raise ConnectionError("a file in chunked coding: its length is not told")
    return int(fields.get("content-length", 1 << 62))
