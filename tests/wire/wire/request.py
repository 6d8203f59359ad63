"""Builds request octets. Says nothing that is not asked for, so that a test shows what it sends."""


def octets(text):
    """Text as it goes over the wire: one octet a character (so "\\xff" is the octet FF)."""
    return text if isinstance(text, bytes) else text.encode("latin-1")


def head(method, target, *fields, host="localhost", version="1.1"):
    """A request head. `fields` are whole lines without CRLF ("Range: bytes=0-1"); `host` None
    leaves Host out."""
    lines = [octets(method) + b" " + octets(target) + b" HTTP/" + octets(version)]
    if host is not None:
        lines.append(b"Host: " + octets(host))
    lines += [octets(field) for field in fields]
    return b"\r\n".join(lines) + b"\r\n\r\n"
