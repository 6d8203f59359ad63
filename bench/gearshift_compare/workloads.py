"""What is asked of a server: the workloads that a folder gives, as data."""

import dataclasses

from . import access_log, load

CONNECTIONS = 64
DRAIN_SIZE = 4 << 20       # from here on counted in MiB, by a client that drops the octets
PIPELINE = 16
RANGE_SIZE = 1024
COLD_SIZE_MIN = 256 << 10  # smaller files come from the disk in one piece: nothing to stall on
COLD_FILES_MAX = 12
HOT_SIZE_MAX = 64 << 10
IDLE_CONNECTIONS = 5000


@dataclasses.dataclass(frozen=True)
class Ask:
    """One request and what has to come back."""
    target: str
    file: object
    fields: tuple = ()
    status: int = 200
    first: int = 0            # octets first ... first + length - 1 of the file
    length: int = 0


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    title: str
    what: str                  # a sentence for the report
    client: str                # wrk, ab, drain, cold, slow, idle, load, paced
    asks: tuple                # of Ask, in order, in a circle
    connections: int = CONNECTIONS
    pipeline: int = 1
    close: bool = False
    tls: bool = False
    not_modified: bool = False  # every server is asked with a validator of its own
    unit: str = "request"      # what CPU is counted by: request, or MiB
    extra: dict = dataclasses.field(default_factory=dict, hash=False)

    @property
    def metric(self):
        """The figure that workloads are first judged by; smaller is better, but of
        a capacity."""
        return {"cold": "p99", "slow": "p99", "idle": "connection_kib", "load": "capacity"}.get(self.client,
                                                                                 "cpu_us")


def whole(file):
    return Ask(file.target, file, length=file.size)


def size_text(octets):
    for unit in ("octets", "KiB", "MiB", "GiB"):
        if octets < 1024 or unit == "GiB":
            return f"{octets:.0f} {unit}" if octets >= 10 or unit == "octets" \
                else f"{octets:.1f} {unit}"
        octets /= 1024
    raise AssertionError("not reached")


def _single(name, title, file, connections, **options):
    """A file asked for again and again; a large one by the client that drops what it receives."""
    what = options.pop("what", f"{file.target}, {size_text(file.size)}, on kept connections.")
    if file.size >= DRAIN_SIZE and not options.get("tls"):
        return Workload(name, title, what, "drain", (whole(file),), unit="MiB",
                        connections=min(4, connections), **options)
    large = file.size >= DRAIN_SIZE
    return Workload(name, title, what, "wrk", (whole(file),), unit="MiB" if large else "request",
                    connections=min(16, connections) if large else connections, **options)


def from_site(site, *, seed, log=None, connections=CONNECTIONS, idle=IDLE_CONNECTIONS,
              load_program=None):
    """Every workload that the folder gives, and notes on those that it cannot give."""
    notes, found = [], []
    mix = site.mix(seed)
    if mix:
        largest = max(file.size for file in mix)
        found.append(Workload(
            "mix", "The site's own mix", f"{len(mix)} files of the folder, each as often as the "
            f"others, up to {size_text(largest)}, in random order.", "wrk",
            tuple(map(whole, mix)), connections))
    left = len(site.files) - len(mix)
    if left > 0:
        notes.append(f"mix: {left} of {len(site.files)} files are left out (more than 10,000, or "
                     "larger than 16 MiB).")
    if log:
        asked, left_out = access_log.read(log, site)
        found.insert(0, _replay(log, asked, left_out, connections, notes))
    found += _of_one_file(site, connections)
    found += _special(site, connections, idle, notes)
    if load_program:
        found.append(_under_load(site, connections, load_program))
    found += _with_tls(site, connections)
    return found, notes


def _replay(log, asked, left_out, connections, notes):
    if left_out:
        notes.append("log: left out: " + "; ".join(
            f"{count} x {reason}" for reason, count in sorted(left_out.items())) + ".")
    asks = tuple(Ask(a.target, a.file, a.fields, 304 if a.fields else 200,
                     length=0 if a.fields else a.file.size) for a in asked)
    share = sum(ask.status == 304 for ask in asks) / len(asks)
    return Workload("log", "The access log", f"{len(asks)} requests of {log} in their order, in a "
                    f"circle; {share:.0%} are answered 304.", "wrk", asks, connections)


def _of_one_file(site, connections):
    small = site.median if site.median.size < DRAIN_SIZE else site.smallest
    return [
        _single("smallest", "The smallest file", site.smallest, connections),
        _single("median", "The median file", site.median, connections),
        _single("largest", "The largest file", site.largest, connections),
        Workload("close", "A connection per request", f"{small.target}, {size_text(small.size)}; "
                 "each connection carries one request.", "wrk",
                 (dataclasses.replace(whole(small), fields=("Connection: close",)),), connections,
                 close=True),
        Workload("pipelined", "Pipelined", f"{site.smallest.target}, {PIPELINE} requests sent "
                 "together.", "wrk", (whole(site.smallest),), connections, pipeline=PIPELINE),
        _range(site.largest, connections),
        Workload("304", "Not modified", f"{small.target}, asked with a validator that still "
                 "holds.", "wrk", (Ask(small.target, small, status=304),), connections,
                 not_modified=True),
        Workload("404", "Not found", "A path that does not exist.", "wrk",
                 (Ask("/gearshift-compare/no-such-file", None, status=404),), connections),
    ]


def _range(file, connections):
    length = min(RANGE_SIZE, file.size)
    first = (file.size - length) // 2
    return Workload("range", "A byte range", f"{length} octets from the middle of {file.target}.",
                    "wrk", (Ask(file.target, file, (f"Range: bytes={first}-{first + length - 1}",),
                                206, first, length),), connections)


def _special(site, connections, idle, notes):
    hot = next((file for file in reversed(site.files) if file.size <= 1024), site.smallest)
    found = []
    if hot.size > HOT_SIZE_MAX:
        notes.append("cold, idle: the folder has no file of at most 64 KiB that could be the hot "
                     "one.")
        return found
    cold = [file for file in site.files[-COLD_FILES_MAX:]
            if file.size >= COLD_SIZE_MIN and file is not hot]
    if cold:
        found.append(Workload(
            "cold", "Hot requests beside cold files", f"{hot.target} is asked for on a schedule "
            f"while 4 clients read {len(cold)} files of {size_text(cold[0].size)} to "
            f"{size_text(cold[-1].size)} that are evicted from the page cache each time.", "cold",
            (whole(hot),), 16, extra={"cold": tuple(map(whole, cold))}))
    else:
        notes.append("cold: the folder has no file of at least 256 KiB to read from the disk.")
    if idle > 0:
        found.append(Workload(
            "idle", "Idle connections held", f"{idle} connections that had one answer each and "
            f"stay open, while {hot.target} is asked for on {connections} others.", "idle",
            (whole(hot),), connections, extra={"idle": idle}))
    return found


def _under_load(site, connections, program):
    small = site.median if site.median.size < DRAIN_SIZE else site.smallest
    return Workload(
        "load", "Load and latency", f"{small.target}, {size_text(small.size)}: requests come on a "
        "schedule that does not wait for answers, at one rate after the other, and count from when "
        f"they were due. Capacity is the highest rate at which 99 % are answered within "
        f"{load.LIMIT_MS:g} ms.", "load", (whole(small),), connections,
        extra={"program": program})


def _with_tls(site, connections):
    small = site.median if site.median.size < DRAIN_SIZE else site.smallest
    mix = "on kept connections, TLS 1.3 (1.2 where the library has no more)."
    return [
        _single("tls", "TLS, the median file", small, connections, tls=True,
                what=f"{small.target}, {size_text(small.size)}, {mix}"),
        _single("tls-largest", "TLS, the largest file", site.largest, connections, tls=True,
                what=f"{site.largest.target}, {size_text(site.largest.size)}, {mix}"),
        Workload("tls-handshake", "TLS handshakes", f"{small.target}; a full handshake for each "
                 "request.", "ab", (whole(small),), 16, close=True, tls=True),
    ]


QUICK = ("log", "mix", "median", "largest", "close")
