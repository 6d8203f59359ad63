"""The request mix of an access log: combined or common format (nginx, Apache, gearshift), or one
JSON object a line with "request" and "status"."""

import dataclasses
import email.utils
import json
import re

from . import Refusal

LINES_MAX = 1_000_000
REQUESTS_MAX = 10_000  # replayed in a circle; from a longer log, those that are evenly spaced

_LINE = re.compile(r'^\S+ \S+ .*?\[[^\]]*\] "(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) ')


@dataclasses.dataclass(frozen=True)
class Asked:
    """A request of the log, with the file that answers it."""
    target: str
    file: object        # site.File
    fields: tuple = ()  # If-Modified-Since where the log says 304


def read(path, site):
    """The requests that this folder can answer, in the order of the log, and how many lines were
    left out for which reason."""
    found, left_out, lines = [], {}, 0

    def leave_out(reason):
        left_out[reason] = left_out.get(reason, 0) + 1

    try:
        with open(path, encoding="latin-1") as file:
            for line in file:
                lines += 1
                if lines > LINES_MAX:
                    leave_out(f"after line {LINES_MAX}")
                    continue
                asked = _parse(line)
                if asked is None:
                    leave_out("no line of the combined, common or JSON format")
                    continue
                request = _request(*asked, site)
                if isinstance(request, str):
                    leave_out(request)
                else:
                    found.append(request)
    except OSError as error:
        raise Refusal(f"{path}: {error.strerror}; name a readable access log") from None
    if not found:
        reasons = "; ".join(f"{count} x {reason}" for reason, count in left_out.items())
        raise Refusal(f"{path}: not one of {lines} lines is a request for a file in "
                      f"{site.root} ({reasons or 'the log is empty'})")
    if len(found) > REQUESTS_MAX:
        left_out["thinned out evenly"] = len(found) - REQUESTS_MAX
        found = [found[i * len(found) // REQUESTS_MAX] for i in range(REQUESTS_MAX)]
    return found, left_out


def _parse(line):
    """(request line, status), or None."""
    if line.startswith("{"):
        try:
            entry = json.loads(line)
            return str(entry["request"]), int(entry["status"])
        except (ValueError, KeyError, TypeError):
            return None
    match = _LINE.match(line)
    return (match["request"], int(match["status"])) if match else None


def _request(line, status, site):
    """An Asked, or why there is none."""
    words = line.split(" ")
    if len(words) != 3 or words[0] != "GET":
        return "not a GET"
    target = words[1]
    if not re.fullmatch(r"/[!#-\[\]-~]*", target):
        return "a target that is no path of printable ASCII"
    if status not in (200, 206, 304):
        return f"status {status}"
    file = site.find(target)
    if file is None:
        return "no such file in the folder"
    fields = ()
    if status == 304:
        fields = ("If-Modified-Since: " + email.utils.formatdate(file.mtime, usegmt=True),)
    return Asked(target, file, fields)
