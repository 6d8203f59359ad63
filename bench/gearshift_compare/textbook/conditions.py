"""What is asked of a server at a value of a variable: workloads on files that are made here."""

import os
import random
import socket

from .. import request, site, workloads
from ..workloads import Ask, Workload

CONNECTIONS = 64
BUSY_BESIDE_IDLE = 8
COLD = (8, 2 << 20)      # files of so many octets, which are evicted and read
SMALL = 614              # octets of a file of the crowd
CHECKED = 100            # of the crowd, for the checks before and after
CROWD = """function init(arguments) math.randomseed(os.time()) end
function request()
    local i = math.random(0, %d - 1)
    return wrk.format("GET", string.format("/crowd/%%d/%%d.html", math.floor(i / 1000), i))
end
"""
SLOW_SIZE = 8 << 20      # more than the socket buffers of both ends take
YESTERDAY_S = 86400


class Place:
    """The folder that is served. Files are made when they are first asked for, of yesterday: what
    was written just now has another tag in two seconds."""

    def __init__(self, root, program=None, cpus=()):
        self.root, self.program, self.cpus = root, program, cpus
        self._made, self._folders = {}, set()
        self._block = bytes(random.Random(7).choices(b"abcdefghij klmnop\n", k=1 << 16)) * 16

    def file(self, name, size):
        if name not in self._made:
            path = os.path.join(self.root, name)
            self._folder(os.path.dirname(path))
            with open(path, "wb") as out:
                left = size
                while left > 0:
                    out.write(self._block[:left])
                    left -= len(self._block)
                out.flush()
                if size >= 1 << 20:  # only what is on the disk can be dropped from memory
                    os.fsync(out.fileno())
            then = os.stat(path).st_mtime - YESTERDAY_S
            os.utime(path, (then, then))
            self._made[name] = site.File(path, "/" + name, size, int(then))
        return self._made[name]

    def text(self, name, text):
        with open(os.path.join(self.root, name), "w", encoding="ascii") as out:
            out.write(text)

    def _folder(self, path):
        if path not in self._folders:
            os.makedirs(path, exist_ok=True)
            self._folders.add(path)

    def whole(self, name, size):
        return workloads.whole(self.file(name, size))

    def small(self):
        return self.whole("1k.html", 1024)


def _text(value):
    return f"{value:,}".replace(",", " ")


def busy(place, value):
    return Workload(f"busy-{value}", f"{_text(value)} busy connections", "1 KiB, kept connections, each asks again "
                    "as soon as it is answered.", "wrk", (place.small(),), value)


def idle(place, value):
    return Workload(f"idle-{value}", f"{_text(value)} idle connections", "Beside 8 that ask for 1 KiB all the time.",
                    "idle", (place.small(),), BUSY_BESIDE_IDLE, extra={"idle": value})


def close(place, value):
    ask = place.small()
    return Workload(f"close-{value}", f"{value} clients, a connection for each request", "1 KiB, Connection: close.", "wrk",
                    (Ask(ask.target, ask.file, ("Connection: close",), length=ask.length),), value, close=True)


def pipelined(place, value):
    return Workload(f"pipelined-{value}", f"{value} requests sent together", "1 KiB, 64 kept connections.", "wrk",
                    (place.small(),), CONNECTIONS, pipeline=value)


def sized(place, value):
    ask = place.whole(f"size/{value}.bin", value)
    large = value >= workloads.DRAIN_SIZE
    connections = 4 if large else 16 if value >= 1 << 18 else CONNECTIONS
    return Workload(f"size-{value}", workloads.size_text(value), "One file, in the page cache, on kept connections.",
                    "drain" if large else "wrk", (ask,), connections, unit="MiB" if large else "request",
                    extra={"size": value})


def tls_sized(place, value):
    ask = place.whole(f"size/{value}.bin", value)
    return Workload(f"tls-{value}", f"TLS, {workloads.size_text(value)}", "One file, on kept connections.", "wrk", (ask,),
                    16 if value >= 1 << 18 else CONNECTIONS, tls=True)


def handshake(place, value):
    return Workload(f"handshake-{value}", f"{value} clients, a full TLS handshake for each request", "1 KiB.", "ab",
                    (place.small(),), value, close=True, tls=True)


def paced(place, value):
    return Workload(f"paced-{value}", f"{_text(value)} requests a second", "1 KiB, on 64 kept connections, on a schedule that "
                    "does not wait for answers.", "paced", (place.small(),), CONNECTIONS,
                    extra={"rate": value, "program": place.program})


def cold(place, value):
    count, size = COLD
    files = tuple(place.whole(f"cold/{n}.bin", size) for n in range(count)) if value else ()
    return Workload(f"cold-{value}", f"{value} clients that read cold files", "1,000 requests a second for 1 KiB that is in "
                    "memory, beside clients that read files dropped from the page cache.", "cold", (place.small(),), 16,
                    extra={"cold": files})


def slow(place, value):
    return Workload(f"slow-{value}", f"{_text(value)} slow clients", "200 requests a second for 1 KiB, beside clients that have "
                    "asked for 8 MiB and do not read it.", "slow", (place.small(),), 1,
                    extra={"slow": value, "large": place.whole("slow.bin", SLOW_SIZE)})


def header(place, value):
    """A header of about so many octets, in fields that are within the usual limits."""
    ask, fields, left = place.small(), [], value - 60
    while left > 20:
        part = min(left, 4000)
        fields.append(f"X-Fill-{len(fields)}: " + "x" * max(1, part - 12))
        left -= part
    return Workload(f"header-{value}", f"{_text(value)} octets of header", "1 KiB, 64 kept connections.", "wrk",
                    (Ask(ask.target, ask.file, tuple(fields), length=ask.length),), CONNECTIONS)


def files(place, value):
    """Many files, each as often as the others; all have been looked at before."""
    draw = random.Random(1)
    for number in range(value):
        place.file(_crowd(number), SMALL)
    asks = [place.whole(_crowd(number), SMALL) for number in draw.sample(range(value), min(value, CHECKED))]
    return Workload(f"files-{value}", f"{_text(value)} files", "Of 614 octets, in random order, 64 kept connections.", "wrk",
                    tuple(asks), CONNECTIONS, extra={
                        "crowd": value, "script": CROWD % value, "rounds": 6 if value <= 1000 else 4,
                        "settings": {"cache_bytes": str(max(64 << 20, 2048 * value)), "cache_files": str(max(512, value))}})


def _crowd(number):
    return f"crowd/{number // 1000}/{number}.html"


def targets_to_warm(workload):
    return ["/" + _crowd(number) for number in range(workload.extra.get("crowd", 0))]


def servers(place, value):
    text = "".join(f'server "h{n}.example" {{ listen = {{"127.0.0.1:@PORT@"}} root = "{place.root}" }}\n'
                   for n in range(value))
    return _configured(place, f"servers-{value}", f"{_text(value)} server blocks", text, ("Host: h%d.example" % (value - 1),))


def locations(place, value):
    return _with_locations(place, value, "locations", "location blocks", 'location "/l%d/" { index = "index.html" }')


def expressions(place, value):
    return _with_locations(place, value, "expressions", "regular expressions", "location ~ '[0-9]{3,}x%d$' { index = index.html }")


def rules(place, value):
    """Lines of a _redirects that are looked at for files that are there, too (the `!`)."""
    name = f"rules-{value}.txt"
    place.text(name, "".join(f"/old{n}/:year/:name /new{n}/:year/:name 301!\n" for n in range(value)))
    text = (f'server "localhost" {{ listen = {{"127.0.0.1:@PORT@"}} root = "{place.root}" '
            f'redirects_file = "{os.path.join(place.root, name)}" }}\n')
    return _configured(place, f"rules-{value}", f"{_text(value)} lines of a _redirects", text, ())


def _with_locations(place, value, name, title, pattern):
    text = (f'server "localhost" {{ listen = {{"127.0.0.1:@PORT@"}} root = "{place.root}"\n'
            + "".join(pattern % n + "\n" for n in range(value)) + "}\n")
    return _configured(place, f"{name}-{value}", f"{_text(value)} {title}", text, ())


def _configured(place, name, title, text, fields):
    ask = place.small()
    return Workload(name, title, "1 KiB, 64 kept connections.", "wrk",
                    (Ask(ask.target, ask.file, fields, length=ask.length),), CONNECTIONS, extra={"conf": text})


def cpus(place, value):
    """The server has so many CPUs, the client all others."""
    own = place.cpus
    return Workload(f"cpus-{value}", f"{value} CPUs", "1 KiB, 64 kept connections for each of them.", "wrk", (place.small(),),
                    CONNECTIONS * value, extra={"cpus": (tuple(own[:value]), tuple(own[value:])), "count": value})


def warm(port, targets):
    """Each of them once, many to a connection."""
    for first in range(0, len(targets), 200):
        part = targets[first:first + 200]
        with socket.create_connection(("127.0.0.1", port), 20) as connection:
            connection.sendall(b"".join(request.head(t) for t in part[:-1]) + request.head(part[-1], ["Connection: close"]))
            while connection.recv(1 << 18):
                pass
