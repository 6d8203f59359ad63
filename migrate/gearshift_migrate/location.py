"""location.py: location blocks by nginx's rules, those inside others written out, and which one a path belongs to."""

import re

from .nginx_tree import Place
from .server_conf import quoted, single
from .values import regex_below, regex_opened


class Location:
    """One location. kind: "", "=", "^~", "~", "~*" or "@". path: its prefix, path or regular expression, as nginx
    has it; alias_path: that of the outer location whose alias it has. chain: its block and those around it, the
    innermost first, without the server's."""

    def __init__(self, directive, outer=None):
        self.directive, self.outer = directive, outer
        args = directive.args
        self.kind, self.path = split(args)
        self.chain = [directive.block] + (outer.chain if outer is not None else [])
        self.alias_path = None
        if not any(d.name in ("root", "alias") for d in directive.block) and outer is not None:
            self.alias_path = outer.alias_path or (outer.path if any(d.name == "alias" for d in outer.directive.block)
                                                   else None)

    @property
    def is_regex(self):
        return self.kind in ("~", "~*")

    @property
    def block(self):
        return self.directive.block

    def regex(self):
        """Its regular expression, within those of the locations around it."""
        outer = self.outer
        if outer is None or outer.is_regex or outer.path == "/":
            return self.path
        return regex_below(outer.path, self.path, self.kind == "~*")

    def _parts(self):
        """The word before its pattern here, and the pattern."""
        if self.is_regex:
            text = self.regex()
            return ("~" if text != self.path else self.kind), text
        if self.kind == "=":
            return "=", self.path
        path = self.path if self.path.endswith("/") else self.path + "/"
        if re.search(r"[*?\[\]{}\\]", path):  # what would be a glob: one for these very bytes, and what lies below
            return "", re.sub(r"([*?\[\]{}\\])", r"\\\1", path) + "**"
        return self.kind, path

    def head(self):
        """The head of the block here."""
        word, text = self._parts()
        return " ".join(filter(None, ("location", word, single(text) if self.is_regex else quoted(text))))

    def pattern(self):
        """It as an item of a list."""
        word, text = self._parts()
        return text if word in ("", "^~") else f"{word} {text}"

    def matches(self, path):
        if self.kind == "=":
            return path == self.path
        if self.kind in ("", "^~"):
            return path.startswith(self.path)
        try:
            return re.search(self.regex(), path, re.IGNORECASE if self.kind == "~*" else 0) is not None
        except re.error:
            return False


def split(args):
    if len(args) >= 2 and args[0] in ("=", "^~", "~", "~*"):
        return args[0], args[1]
    text = args[0] if args else "/"
    for kind in ("~*", "^~", "=", "~", "@"):
        if text.startswith(kind):
            return kind, text if kind == "@" else text[len(kind):]
    return "", text


def gather(block, outer=None):
    """All locations of a server, the inner expressions before the outer ones, as nginx asks them."""
    out = []
    for directive in block:
        if directive.name != "location":
            continue
        location = Location(directive, outer)
        out += gather(directive.block, location)
        out.append(location)
    inner = [x for x in out if x.is_regex and x.outer is not None]
    return inner + [x for x in out if x not in inner]


def find(locations, path):
    """The location that nginx takes for a path; None: the server itself."""
    exact = [x for x in locations if x.kind == "=" and x.path == path]
    if exact:
        return exact[0]
    prefixes = sorted((x for x in locations if x.kind in ("", "^~") and path.startswith(x.path)),
                      key=lambda x: len(x.path))
    longest = prefixes[-1] if prefixes else None
    if longest is None or longest.kind != "^~":
        for location in locations:
            if location.is_regex and location.matches(path):
                return location
    return longest


def place_of(location, server):
    return Place(location.chain, server, location)


def text_of(regex):
    """The path that a regular expression stands for, if it has nothing but `^/path$`; else None."""
    inner, anchored = regex_opened(regex)
    if anchored and inner.endswith("$") and re.fullmatch(r"(?:[\w/-]|\\[./-])+", inner[:-1]):
        return inner[:-1].replace("\\", "")
    return None
