"""What texts claim of I/O models, as experiments: gearshift-compare --textbook.

A claim (claims_*.py) is a sentence, who says it, an experiment and the parts that decide it. Below
it: conditions are what is asked of a server at a value of the experiment's variable, rules are how
measured ratios become a verdict. runner measures, conclude judges, page and plain tell; command is
the whole of it. Servers, clients, intervals and the journal are those of gearshift_compare.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Series:
    """A server that takes part in experiments under a name: a line of a plot."""
    name: str
    engine: str = ""
    settings: tuple = ()     # of (key, value)
    tls: str = ""            # library
    most: float = 1 << 60    # the largest value at which it is tried, of a variable with these words
    most_of: str = "connections"
    why: str = ""            # and why
    each_cpu: str = ""       # the setting that is the number of CPUs where that is the variable
    peer: str = ""           # its name in servers.json
    role: str = "candidate"  # control: the same server as another series, measured once more

    def tried(self, variable, value):
        return self.most_of not in variable or value <= self.most


@dataclasses.dataclass(frozen=True)
class Beside:
    """Part of a claim: `a` takes more, less or the same of the figure as `b`."""
    a: str
    b: str
    says: str                # more, less, same, no more
    figure: str = ""         # "": the claim's
    by: float = 1.0          # more or less by this factor at least, no more than by it
    values: tuple = ()       # (): all that both have


@dataclasses.dataclass(frozen=True)
class Growth:
    """Part of a claim: the figure of `a` grows, falls, stays, or grows no more than `by` as the variable grows from its
    first value."""
    a: str
    says: str
    figure: str = ""
    by: float = 1.0
    values: tuple = ()

    @property
    def b(self):
        return ""


@dataclasses.dataclass(frozen=True)
class Claim:
    name: str
    title: str
    sentence: str            # what texts say, in neutral words
    said_by: tuple           # works and chapters
    experiment: str          # what is done here
    condition: object        # (place, value) -> workloads.Workload
    variable: str            # what the values are; "" where there is one condition only
    values: tuple
    series: tuple            # names
    parts: tuple             # of Beside and Growth
    because: str             # what is behind it, in system calls, wake-ups, copies and memory
    figure: str = "cpu_us"
    quick: tuple = ()        # the values of --quick; (): the first and the last
    large: tuple = ()        # further ones, with --large alone
    quick_series: tuple = ()  # (): all
    explain: tuple = ()      # the value whose calls are counted; (): the first that can be
    caution: str = ""        # what the experiment cannot tell


def the_claims(peers=()):
    """All of them, by name, in the order of the report; with `peers` those about them as well."""
    from . import claims_files, claims_models, claims_peers, claims_scale  # they import this module
    found = (*claims_models.CLAIMS, *claims_files.CLAIMS, *claims_scale.CLAIMS, *claims_peers.claims(tuple(peers)))
    return {claim.name: claim for claim in found}
