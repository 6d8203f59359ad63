"""fields.py: add_header and expires of a place, as `headers` and cache blocks.

nginx takes the add_header lines of the innermost block alone, ours add up: what an inner place leaves out is
removed there. Cache-Control without `always` is for answers that have a file, as a cache block is; all other
fields stand on every answer here, errors too.
"""

import mimetypes
import re

from . import values
from .server_conf import quoted

HARMLESS = re.compile(r"no-store|no-cache|private", re.IGNORECASE)
LONG = re.compile(r"max-age=\"?0*[1-9]", re.IGNORECASE)
FOREVER = "max-age=315360000"
# Fields that the server makes itself, and what does that.
MADE = {
    "accept-ranges": None, "connection": None, "content-length": None, "date": None, "etag": None, "keep-alive": None,
    "last-modified": None, "server": None, "transfer-encoding": None, "vary": None, "allow": None,
    "content-encoding": "`precompressed` or `compress`", "content-type": "`types` or `default_type`",
}
# What nginx's mime.types has beside Python's table.
EXTENSIONS = {
    "text/html": ["html", "htm"], "text/css": ["css"], "application/javascript": ["js", "mjs"],
    "text/javascript": ["js", "mjs"], "application/json": ["json"], "image/svg+xml": ["svg"], "text/xml": ["xml"],
    "application/xml": ["xml"], "font/woff2": ["woff2"], "font/woff": ["woff"], "font/ttf": ["ttf"],
    "font/otf": ["otf"], "image/webp": ["webp"], "image/avif": ["avif"], "image/x-icon": ["ico"],
    "application/manifest+json": ["webmanifest"], "application/wasm": ["wasm"], "image/jpeg": ["jpg", "jpeg"],
    "image/png": ["png"], "image/gif": ["gif"], "application/pdf": ["pdf"], "text/plain": ["txt"],
    "video/mp4": ["mp4"], "video/webm": ["webm"], "audio/mpeg": ["mp3"], "application/rss+xml": ["rss"],
    "application/atom+xml": ["atom"], "application/x-javascript": ["js"], "image/bmp": ["bmp"],
    "text/markdown": ["md"], "text/calendar": ["ics"], "application/rdf+xml": ["rdf"],
    "text/cache-manifest": ["appcache"], "text/vtt": ["vtt"], "application/ld+json": ["jsonld"],
    "application/geo+json": ["geojson"], "application/vnd.ms-fontobject": ["eot"], "application/font-woff": ["woff"], "application/font-woff2": ["woff2"],
}


class Field:
    def __init__(self, directive):
        self.directive, self.name = directive, directive.args[0]
        self.value = directive.args[1] if len(directive.args) > 1 else ""
        self.always = "always" in directive.args[2:]


class Cache:
    """What a place says about how long its files are kept: `control` and `expires`, as they stand in a block, or
    `by_type`: [(glob, control, expires)]. None of them: nothing is said."""

    def __init__(self):
        self.control = self.expires = None
        self.by_type = []

    def __bool__(self):
        return bool(self.control or self.expires or self.by_type)

    def write(self, out, pattern="*"):
        for glob, control, expires in self.by_type:
            self._block(out, glob, control, expires)
        if self.control or self.expires:
            self._block(out, pattern, self.control, self.expires)

    @staticmethod
    def _block(out, pattern, control, expires):
        block = out.block(f"cache {quoted(pattern)}")
        if control:
            block.set("control", quoted(control))
        if expires:
            block.set("expires", expires)


def fields_of(place):
    return [Field(d) for d in place.all("add_header") if d.args] + \
           [Field(d) for d in place.every("more_set_headers") if d.args and ":" not in d.args[0]]


def translate_fields(place, context, out, leave_out=None):
    """`headers` of the place, where it says something about them; a name in lower case is left out."""
    if not place.own("add_header") and not place.fields_of_errors:
        return
    mine = [f for f in fields_of(place) if not is_cached(f, context)]
    mine += [Field(d) for d in place.fields_of_errors]
    lines, said = [], set()
    for field in mine:
        name = field.name.lower()
        if name == leave_out:
            continue
        if name in MADE and (name != "vary" or field.value.lower() == "accept-encoding"):
            if MADE[name]:
                context.notes.unsaid(field.directive, f"{field.name} is made by the server: see {MADE[name]}")
            continue
        if name in MADE:
            context.notes.unsaid(field.directive, f"{field.name} is made by the server")
            continue
        if not field.value or name in said:
            if field.value:
                context.notes.unsaid(field.directive, f"{field.name}: a field stands once")
            continue
        value, unknown = context.variables(" ".join(field.value.split()))
        if unknown:
            context.notes.unsaid(field.directive, f"{field.name}: there is no ${unknown[0]}")
            continue
        said.add(name)
        lines.append(f"{field.name}: {value}")
    dropped = []
    for outer in fields_of(place.server) if place.server is not None else ():
        name = outer.name.lower()
        if name not in said and name not in MADE and not is_cached(outer, context) and name != "x-content-type-options":
            said.add(name)
            dropped.append(f"{outer.name}:")
    if lines or dropped:
        out.list("headers", lines + dropped, "nginx drops those of the server here: a line without a value does so" if dropped else None)


def is_cached(field, context):
    """Does a cache block say this field?"""
    if field.name.lower() == "expires":
        return True
    if field.name.lower() != "cache-control" or field.always or is_harmless(field):
        return False
    return not values.has_variables(field.value) or field.value[1:] in context.maps


def is_harmless(field):
    """May an error have this Cache-Control as well, since it lets nobody keep anything for long?"""
    return HARMLESS.search(field.value) is not None and LONG.search(field.value) is None


def cache_of(place, context, elsewhere=False):
    """What holds of the place for files. elsewhere: as it is said in another place, which has other `headers`."""
    cache = Cache()
    expires = place.last("expires")
    controls = [f for f in fields_of(place) if f.name.lower() == "cache-control" and
                (is_cached(f, context) or ((elsewhere or expires is not None) and is_harmless(f)))]
    texts = [f.value for f in controls if not values.has_variables(f.value)]
    for field in controls:
        if values.has_variables(field.value):
            by_type(field.directive, field.value, cache, context, lambda text: (text or None, None))
    if expires is not None and expires.args[0] not in ("off",):
        if values.has_variables(expires.args[0]):
            by_type(expires, expires.args[0], cache, context, lambda text: expires_of([text]))
        elif expires.args[0] == "modified":
            context.notes.unsaid(expires, "counted from the answer alone, not from a file's last change")
        elif expires.args[0].startswith("@"):
            context.notes.unsaid(expires, "no hour of the day")
        else:
            cache.control, cache.expires = expires_of(expires.args)
    if texts:
        said = ", ".join(texts)
        if cache.control:
            texts.insert(0, cache.control)
        elif cache.expires and "max-age" not in said and "no-cache" not in said and "no-store" not in said:
            texts.insert(0, f"max-age={int(values.seconds(expires.args[0]))}")
        cache.control = ", ".join(dict.fromkeys(part.strip() for text in texts for part in text.split(",")))
    return cache


def expires_of(args):
    """(control, expires) of the arguments of expires."""
    first = args[0]
    if first == "off" or first == "":
        return None, None
    if first == "max":
        return FOREVER, None
    if first == "epoch" or first.startswith("-"):
        return "no-cache", None
    found = values.seconds(first)
    return (None, None) if found is None else (None, values.duration_of(float(int(found))))


def by_type(directive, value, cache, context, read):
    """A map of $sent_http_content_type: by what the names of files of that type end in."""
    rows = context.maps.get(value[1:])
    if rows is None or rows.args[0] not in ("$sent_http_content_type", "$uri", "$request_uri"):
        context.notes.unsaid(directive, f"there is no {value}")
        return
    default, seen = None, set()
    for row in sorted(rows.block, key=lambda row: row.name.startswith("~")):  # as nginx asks them
        if row.name == "default":
            default = read(row.args[0] if row.args else "")
            continue
        if not row.args or row.name in ("hostnames", "volatile", "include"):
            continue
        endings = (type_endings if rows.args[0] == "$sent_http_content_type" else path_endings)(row.name)
        control, expires = read(row.args[0])
        if not endings and row.name and (control or expires):
            context.notes.differs(row, f"{row.name}: no ending is known of names that are meant by this")
        fresh = [e for e in endings if e not in seen]
        seen.update(fresh)
        if fresh and (control or expires):
            cache.by_type.append((glob_of(fresh), control, expires))
    if default is not None and any(default):
        cache.control, cache.expires = default


def type_endings(pattern):
    """What the names of files of a media type end in, or of the types that a regular expression is for."""
    table = {}
    for extension, kind in mimetypes.types_map.items():
        table.setdefault(kind, []).append(extension[1:])
    for kind, extensions in EXTENSIONS.items():
        table[kind] = list(dict.fromkeys(extensions + table.get(kind, [])))
    if not pattern.startswith("~"):
        return table.get(pattern.partition(";")[0].strip().lower(), [])
    try:
        regex = re.compile(pattern.lstrip("~*"), re.IGNORECASE)
    except re.error:
        return []
    return list(dict.fromkeys(e for kind in sorted(table) if regex.search(kind) for e in table[kind]))


def glob_of(extensions):
    return "*." + (extensions[0] if len(extensions) == 1 else "{" + ",".join(extensions) + "}")


ENDING = re.compile(r"~\*?(?:\.\*)?\\\.(?:(\w+)|\((?:\?:)?([\w|]+)\))\$")


def path_endings(pattern):
    match = ENDING.fullmatch(pattern)
    return [] if match is None else (match[1] or match[2]).split("|")
