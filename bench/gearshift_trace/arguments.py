"""The command line."""

import argparse
import os
import urllib.parse

from gearshift_compare import Refusal

EPILOG = """\
Examples
  %(prog)s /                                 one request for www/'s page, reactor and proactor
  %(prog)s / --engines reactor,reactor-pool,thread-per-connection
  %(prog)s --size 1M                         a file of that size, made for it
  %(prog)s /video.mp4 --root /srv/www --cold /srv/www/video.mp4
  %(prog)s http://localhost:8080/ --config server.conf --engines reactor
  %(prog)s / --close --tls

Exit status: 0 it is drawn; 1 the system refused something; 2 wrong arguments; 3 the answer was an
error, or not whole; 130 interrupted.
"""
TOOLS = ("auto", "ftrace", "strace")
UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
SIZE_MAX = 1 << 30


def parser(binary, site):
    p = argparse.ArgumentParser(
        prog="gearshift-trace", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="One request seen in two engines of gearshift, or more: system calls, wake-ups "
                    "and thread switches between the first byte in and the last one out, side by "
                    "side, in the terminal and as a page.")
    p.add_argument("url", nargs="?", metavar="URL|PATH", help="what is asked for (/)")
    p.add_argument("--engines", metavar="A,B", default="reactor,proactor",
                   help="those of `gearshift -h` (%(default)s)")
    p.add_argument("--gearshift", metavar="FILE", default=binary, help="the server (%(default)s)")
    p.add_argument("--option", "-o", metavar="KEY=VALUE", action="append", default=[],
                   help="a setting for every engine; may be repeated")
    what = p.add_argument_group("what is served")
    what.add_argument("--root", metavar="DIR", help=f"this folder ({site})")
    what.add_argument("--config", metavar="FILE", help="what this server.conf says; the URL names "
                      "one of its addresses")
    what.add_argument("--size", metavar="N", help="a file of so many bytes (1k, 1M), and nothing "
                      "else")
    how = p.add_argument_group("how it is asked")
    how.add_argument("--cold", metavar="FILE", help="this file of the disk is put out of the page "
                     "cache before, and was not asked for")
    how.add_argument("--close", action="store_true", help="on a connection of its own, that is "
                     "made and ended within the picture")
    how.add_argument("--tls", action="store_true", help="over TLS")
    how.add_argument("--tool", choices=TOOLS, default="auto", help="what records: ftrace (root, "
                     "tracefs), else strace (%(default)s)")
    how.add_argument("--probes", action="store_true", help="tell of the server's own probes as well "
                     "(ftrace; docs/status.md lists them)")
    out = p.add_argument_group("what comes of it")
    out.add_argument("--output", metavar="FILE", help="the page (gearshift-trace.html)")
    out.add_argument("--svg", metavar="DIR", help="a picture ENGINE.svg for each engine as well")
    out.add_argument("--quiet", action="store_true", help="nothing in the terminal")
    out.add_argument("--width", metavar="N", type=int, help="columns of the terminal")
    return p


def parse(argv, binary, site):
    a = parser(binary, site).parse_args(argv)
    if sum(x is not None for x in (a.root, a.config, a.size)) > 1:
        raise Refusal("--root, --config and --size each say what is served: give one of them")
    if a.size is not None and a.url is not None:
        raise Refusal("--size makes the file that is asked for: give it no URL")
    if a.size is not None and a.cold is not None:
        raise Refusal("--size makes a file that nobody has read from a disk; --cold needs one that "
                      "is there, with --root")
    if a.probes and a.tool == "strace":
        raise Refusal("--probes: strace cannot tell of them; they need ftrace (root, tracefs)")
    a.engines = [word for word in a.engines.split(",") if word]
    if not a.engines:
        raise Refusal("--engines: name one at least, such as reactor,proactor")
    if len(set(a.engines)) < len(a.engines):
        raise Refusal("--engines: an engine is named twice; each is drawn once")
    a.settings = dict(_setting(text) for text in a.option)
    a.size = None if a.size is None else _size(a.size)
    a.host, a.port, a.target = _url(a)
    a.gearshift = os.path.abspath(a.gearshift)
    for name in ("root", "config"):
        if getattr(a, name) is not None:
            path = os.path.abspath(getattr(a, name))
            if not os.path.exists(path):
                raise Refusal(f"--{name} {path}: there is no such file or folder")
            setattr(a, name, path)
    if a.cold is not None and not os.path.isfile(a.cold):
        raise Refusal(f"--cold {a.cold}: there is no such file; it is the path on the disk, not "
                      "that of the URL")
    a.output = a.output or "gearshift-trace.html"
    return a


def _setting(text):
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise Refusal(f"--option {text}: it has the form KEY=VALUE, as in server.conf")
    return key, value


def _size(text):
    unit = text[-1:].lower() if text[-1:].isalpha() else ""
    number = text[:-1] if unit else text
    if unit not in UNITS or not number.isascii() or not number.isdigit():
        raise Refusal(f"--size {text}: it is a number of bytes, such as 1k or 1M")
    size = int(number) * UNITS[unit]
    if size > SIZE_MAX:
        raise Refusal(f"--size {text}: at most 1G")
    return size


def _url(a):
    """Host, port (of the configuration, else None) and target."""
    if a.size is not None:
        return "localhost", None, "/file.bin"
    url = a.url or "/"
    if any(not "!" <= c <= "~" for c in url):
        raise Refusal(f"{url!r}: write other characters than printable ASCII as %XX")
    if url.startswith("/"):
        if a.config:
            raise Refusal("--config: name a whole URL, http://HOST:PORT/PATH, since the file says "
                          "which addresses there are")
        return "localhost", None, url
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refusal(f"{url}: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refusal(f"{url}: it is a path such as /index.html, or http://HOST[:PORT]/PATH")
    a.tls = a.tls or parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.hostname, port or (443 if a.tls else 80), target
