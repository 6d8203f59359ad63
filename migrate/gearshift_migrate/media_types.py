"""media_types.py: maps of $sent_http_content_type, as endings of names: what nginx decides when it knows the type is decided here
by the path of the file."""

import mimetypes
import re

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


BY_TYPE = "$sent_http_content_type"
OF_PATHS = (BY_TYPE, "$uri", "$request_uri")


def rows_of(name, context):
    """([(glob, value)], the default's value) of the map that defines this variable, whose globs have nothing in common. None:
    it is not about types or endings."""
    row = context.maps.get(name)
    if row is None or row.args[0] not in OF_PATHS or not all(
            line.name in ("default", "") or row.args[0] == BY_TYPE or path_endings(line.name) for line in row.block):
        return None
    out, default, seen = [], "", set()
    for line in sorted(row.block, key=lambda line: line.name.startswith("~")):  # as nginx asks them
        value = line.args[0] if line.args else ""
        if line.name == "default":
            default = value
            continue
        if line.name in ("", "hostnames", "volatile"):
            continue
        endings = (type_endings if row.args[0] == BY_TYPE else path_endings)(line.name)
        if not endings:
            context.notes.differs(line, "no ending is known of names that have this type")
        fresh = [e for e in endings if e not in seen]
        seen.update(fresh)
        if fresh:
            out.append((glob_of(fresh), value))
    return out, default


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
