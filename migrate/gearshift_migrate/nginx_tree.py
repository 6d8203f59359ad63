"""nginx_tree.py: includes resolved, and what holds where: nginx's inheritance."""

import glob
import os

from .nginx_text import Directive, Refused, parse

NESTING_MAX = 20


def load(path):
    """The directives of the file and of all that it includes. Relative names begin, as nginx has it, at
    the folder of the first file."""
    return _resolve(_read(path, path), os.path.dirname(os.path.abspath(path)), 0)


def load_text(text, name="nginx.conf", folder="."):
    return _resolve(parse(text, name), folder, 0)


def _read(path, shown):
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return parse(file.read(), shown)
    except OSError as error:
        raise Refused(f"{shown}: {error.strerror}") from error


def _resolve(directives, folder, depth):
    out = []
    for directive in directives:
        if directive.name != "include" or directive.block is not None or len(directive.args) != 1:
            if directive.block is not None and directive.name not in ("types", "map", "geo", "split_clients"):
                directive.block = _resolve(directive.block, folder, depth)
            out.append(directive)
            continue
        if depth == NESTING_MAX:
            raise Refused(f"{directive.place}: files include one another more than {NESTING_MAX} deep")
        name = directive.args[0]
        if os.path.basename(name) == "mime.types":  # ours has a table of its own, and reads the machine's
            out.append(directive)
            continue
        pattern = os.path.join(folder, name)
        paths = sorted(glob.glob(pattern)) if glob.has_magic(pattern) else [pattern]
        for path in paths:
            if not os.path.exists(path):
                out.append(Directive("include", [name], directive.file, directive.line))
                continue
            out += _resolve(_read(path, os.path.relpath(path, folder)
                                  if path.startswith(folder + os.sep) else path), folder, depth + 1)
    return out


class Scope:
    """A block and those around it, the innermost last."""

    def __init__(self, block, outer=None):
        self.block, self.outer = block, outer

    def own(self, *names):
        """The directives of these names in the block itself."""
        return [d for d in self.block if d.name in names]

    def all(self, name):
        """Those that hold: nginx takes the ones of the innermost block that has any."""
        scope = self
        while scope is not None:
            found = scope.own(name)
            if found:
                return found
            scope = scope.outer
        return []

    def one(self, name):
        """The last of them, or None."""
        found = self.all(name)
        return found[-1] if found else None

    def is_on(self, name):
        found = self.one(name)
        return found is not None and found.args[:1] != ["off"]
