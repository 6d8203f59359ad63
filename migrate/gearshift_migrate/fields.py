"""fields.py: add_header and expires of a place, as `headers` and cache blocks.

nginx takes the add_header lines of the innermost block alone, ours add up: what an inner place leaves out is
removed there. Cache-Control without `always` is for answers that have a file, as a cache block is; all other
fields stand on every answer here, errors too.
"""

import re

from . import media_types, values
from .server_conf import Block, listed, quoted

HARMLESS = re.compile(r"no-store|no-cache|private", re.IGNORECASE)
LONG = re.compile(r"max-age=\"?0*[1-9]", re.IGNORECASE)
FOREVER = "max-age=315360000"
# Fields that the server makes itself, and what does that.
MADE = {
    "accept-ranges": None, "connection": None, "content-length": None, "date": None, "etag": None, "keep-alive": None,
    "last-modified": None, "server": None, "transfer-encoding": None, "vary": None, "allow": None,
    "content-encoding": "`precompressed` or `compress`", "content-type": "`types` or `default_type`",
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
    lines, said, more, later = [], set(), [], Block()  # blocks stand behind the list
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
        if not field.value:
            continue
        if name in said:
            more.append(field)
            continue
        text = field_by_type(field, context, later)
        value, unknown = context.variables(" ".join((field.value if text is None else text).split()))
        if unknown:
            context.notes.unsaid(field.directive, f"{field.name}: there is no ${unknown[0]}")
            continue
        if text is not None and not value:
            continue
        said.add(name)
        lines.append(f"{field.name}: {value}")
    dropped = []
    for outer in fields_of(place.server) if place.server is not None else ():
        name = outer.name.lower()
        if name not in said and name not in MADE and not is_cached(outer, context) and name != "x-content-type-options":
            said.add(name)
            if is_by_type(outer, context):
                later.block('headers "**"').list("remove", [outer.name])
            else:
                dropped.append(f"{outer.name}:")
    several(more, context, later)
    if lines or dropped:
        out.list("headers", lines + dropped, "nginx drops those of the server here: a line without a value does so" if dropped else None)
    out.parts += later.parts


def several(fields, context, out):
    """Lines of a name that stands already."""
    lines = []
    for field in fields:
        value, unknown = context.variables(" ".join(field.value.split()))
        if unknown:
            context.notes.unsaid(field.directive, f"{field.name}: there is no ${unknown[0]}")
        else:
            lines.append(f"{field.name}: {value}")
    if lines:
        out.block('headers "**"').list("add", lines)


def is_cached(field, context):
    """Does a cache block say this field?"""
    if field.name.lower() == "expires":
        return True
    if field.name.lower() != "cache-control" or field.always or is_harmless(field):
        return False
    return not values.has_variables(field.value) or media_types.rows_of(field.value[1:], context) is not None


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
    """A map of media types: by what the names of their files end in."""
    found = media_types.rows_of(value.strip("${}"), context)
    if found is None:
        context.notes.unsaid(directive, f"{value}: how long a file is kept is said by its type, its name or for all")
        return
    rows, default = found
    for glob, text in rows:
        control, expires = read(text)
        if control or expires:
            cache.by_type.append((glob, control, expires))
    if any(read(default)):
        cache.control, cache.expires = read(default)


def is_by_type(field, context):
    return values.has_variables(field.value) and media_types.rows_of(field.value.strip("${}"), context) is not None


def field_by_type(field, context, out):
    """A field whose value is a map of media types: the default in `headers`, and blocks for the others. Returns the default,
    or None: it is no such field."""
    if not is_by_type(field, context):
        return None
    rows, default = media_types.rows_of(field.value.strip("${}"), context)
    for glob, text in rows:
        value, unknown = context.variables(" ".join(text.split()))
        if unknown:
            context.notes.unsaid(field.directive, f"{field.name}: there is no ${unknown[0]}")
        elif value != default:
            block = out.block(f"headers {quoted(glob)}")
            block.set("set" if value else "remove", listed([f"{field.name}: {value}" if value else field.name]))
    return default
