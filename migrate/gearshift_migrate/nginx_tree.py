"""nginx_tree.py: includes resolved, and what holds where: nginx's inheritance."""

import glob
import os

from .nginx_directives import is_known
from .nginx_text import Refused, parse

NESTING_MAX = 20
OF_PROXIES = ("fastcgi.conf", "fastcgi_params", "uwsgi_params", "scgi_params", "proxy_params")
LISTS = ("types", "map", "geo", "split_clients")  # blocks of values, not of directives


def load(path):
    """The directives of the file and of all that it includes. Relative names begin, as nginx has it, at
    the folder of the first file."""
    return _resolve(_read(path, path), os.path.dirname(os.path.abspath(path)), 0)


# How many arguments a directive has at least, where that is not one.
ARGUMENTS = {"add_header": 2, "error_page": 2, "limit_conn": 2, "limit_conn_zone": 2, "limit_req_zone": 2, "map": 2, "rewrite": 2,
             "log_format": 2}
NONE_NEEDED = ("events", "http", "server", "types", "internal", "stub_status", "stream", "mail", "break", "auth_delay", "rtmp",
               "empty_gif", "flv", "mp4", "ip_hash", "least_conn", "random", "ssi", "upload_progress_json_output")


def check(directives):
    """Refuses what nginx would refuse, too: a directive without its arguments."""
    for directive in directives:
        least = ARGUMENTS.get(directive.name, 0 if directive.name in NONE_NEEDED or not is_known(directive.name) else 1)
        if len(directive.args) < least:
            raise Refused(f"{directive.place}: {directive.name} has not all of its arguments")
        if directive.block and directive.name not in LISTS:
            check(directive.block)


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
            if directive.block is not None and (directive.name not in LISTS or directive.name == "map"):
                if directive.name == "map":
                    directive.files = [path for row in directive.block if row.name == "include" and row.args
                                       for path in _included(folder, row.args[0])]
                directive.block = _resolve(directive.block, folder, depth)
            out.append(directive)
            continue
        if depth == NESTING_MAX:
            raise Refused(f"{directive.place}: files include one another more than {NESTING_MAX} deep")
        name = directive.args[0]
        if os.path.basename(name) == "mime.types":  # ours has a table of its own, and reads the machine's
            out.append(directive)
            continue
        for path in _included(folder, name):
            if not os.path.exists(path) and os.path.basename(path) in OF_PROXIES:
                continue
            if not os.path.exists(path):
                raise Refused(f"{directive.place}: include {name}: there is no file {path}")
            shown = os.path.relpath(path, folder) if path.startswith(folder + os.sep) else path
            out += _resolve(_read(path, shown), folder, depth + 1)
    return out


def _included(folder, name):
    """The files of that name, or pattern. A file of sites-enabled that is given alone includes what lies beside that
    folder."""
    for base in (folder, os.path.dirname(folder)):
        pattern = os.path.join(base, name)
        found = sorted(glob.glob(pattern)) if glob.has_magic(pattern) else [pattern]
        if [path for path in found if os.path.exists(path)]:
            return found
    return [] if glob.has_magic(name) else [os.path.join(folder, name)]


class Scope:
    """A block and those around it."""

    def __init__(self, block, outer=None):
        self.block, self.outer = block, outer

    def own(self, *names):
        """The directives of these names in the block itself."""
        return [d for d in self.block if d.name in names]

    def all(self, *names):
        """Those that hold: nginx takes the ones of the innermost block that has any."""
        scope = self
        while scope is not None:
            found = scope.own(*names)
            if found:
                return found
            scope = scope.outer
        return []

    def one(self, *names):
        """The last of them, or None."""
        found = self.all(*names)
        return found[-1] if found else None

    def is_on(self, name):
        found = self.one(name)
        return found is not None and found.args[:1] != ["off"]


class Place:
    """Where something is to be said: a server with what is around it, or a location with those around it up to
    the server. What nginx has inherited within a place is said there; between the places ours inherits, too."""

    def __init__(self, blocks, server=None, location=None):
        """blocks: the innermost first. server: the Place of the server, of a location."""
        self.blocks, self.server, self.location = blocks, server, location
        self.fields_of_errors = []  # add_header of what answers errors alone

    def own(self, *names):
        """The directives of these names that hold by what this place says itself; none: it says nothing."""
        for block in self.blocks:
            found = [d for d in block if d.name in names]
            if found:
                return found
        return []

    def one(self, *names):
        found = self.own(*names)
        return found[-1] if found else None

    def all(self, *names):
        """Those that hold, wherever they stand."""
        found = self.own(*names)
        return found if found or self.server is None else self.server.all(*names)

    def last(self, *names):
        found = self.all(*names)
        return found[-1] if found else None

    def every(self, *names):
        """All directives of these names of this place, inherited or not."""
        return [d for block in self.blocks for d in block if d.name in names]
