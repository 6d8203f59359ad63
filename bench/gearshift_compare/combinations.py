"""What is compared: engine x variant x TLS library x file_io of gearshift, and its peers."""

import dataclasses
import re
import subprocess

from . import Refusal

REFERENCE = "reactor"
# The settings that make another model of an engine; those with `threads` get one for each CPU.
VARIANTS = {
    "reactor": [("", {})],
    "reactor-pool": [("request", {"pool_work": "request"}), ("file", {"pool_work": "file"})],
    "multi-reactor": [("reuseport", {"accept": "reuseport"}), ("shared", {"accept": "shared"}),
                      ("handoff", {"accept": "handoff"})],
    "proactor": [("", {})],
}
THREADED = ("multi-reactor", "proactor")
TLS_LIBRARIES = ("openssl", "mbedtls")


@dataclasses.dataclass(frozen=True)
class Combination:
    name: str
    engine: str                 # "" of a peer
    settings: tuple = ()        # of (key, value): what -o is given, beyond what all have
    tls: str = ""               # library; such a one runs the TLS workloads alone
    peer: str = ""              # its name in servers.json
    tls_too: bool = False       # a peer that runs the TLS workloads as well as the others
    binary: str = ""
    role: str = "candidate"     # control: the reference once more; baseline: another binary

    def describe(self):
        found = dataclasses.asdict(self)
        found["settings"] = dict(self.settings)
        return found

    def runs(self, workload):
        if self.peer:
            return self.tls_too or not workload.tls
        return bool(self.tls) == workload.tls


class Binary:
    """A gearshift and what it says of itself."""

    def __init__(self, path):
        self.path = path
        try:
            told = subprocess.run([path, "-V"], stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, timeout=20, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Refusal(f"{path} cannot be run ({error}); build it with `make build`, or name "
                          "another with --gearshift") from None
        if told.returncode != 0 or not told.stdout.startswith("gearshift "):
            raise Refusal(f"{path} -V does not answer as gearshift does; name one with --gearshift")
        self.info = told.stdout
        self.version = told.stdout.split("\n", 1)[0].split(" ", 1)[1]
        head, _, engines = told.stdout.partition("\nengines:\n")
        self.engines = [line.split()[0] for line in engines.split("\n")
                        if line.startswith("  ") and line.split()[0] != "auto"]
        self.tls = [name for name in re.findall(r"\(tls_backend = (\w+)\)", head)
                    if name in TLS_LIBRARIES]


def _variants(engine, wanted, extra):
    """(suffix, settings) of an engine."""
    found = VARIANTS.get(engine, [("", {})])
    if wanted == "none":
        found = found[:1]
    return found + [(",".join(f"{k}={v}" for k, v in settings.items()), settings)
                    for name, settings in extra if name == engine]


def _name(engine, suffix, alone, file_io, tls):
    words = [engine + (f"/{suffix}" if suffix and not alone else "")]
    if file_io != "auto":
        words.append(f"file_io={file_io}")
    if tls:
        words.append(f"+{tls}")
    return " ".join(words)


def of_gearshift(binary, engines, *, variants="default", extra=(), file_ios=("auto",), tls=(),
                 threads=1, role="candidate", label=""):
    """Every combination; TLS is tried with the first variant of each engine, file_io auto."""
    found = []
    for engine in engines:
        own = _variants(engine, variants, extra)
        alone = len(own) == 1
        base = {"threads": str(threads)} if engine in THREADED else {}
        for number, (suffix, settings) in enumerate(own):
            for file_io in file_ios:
                more = {"file_io": file_io} if file_io != "auto" else {}
                found.append(Combination(
                    label + _name(engine, suffix, alone, file_io, ""), engine,
                    tuple({**base, **settings, **more}.items()), binary=binary.path, role=role))
            if number == 0:
                found += [Combination(label + _name(engine, suffix, True, "auto", library), engine,
                                      tuple({**base, **settings, "tls_backend": library}.items()),
                                      tls=library, binary=binary.path, role=role)
                          for library in tls]
    return found


def control_of(combination):
    """The same once more: what two identical servers differ by is the noise."""
    return dataclasses.replace(combination, name=combination.name + " (again)", role="control")
