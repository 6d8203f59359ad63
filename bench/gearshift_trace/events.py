"""What a recorder hands on: calls, wake-ups, switches and entries of a ring, in the order of time."""

import dataclasses

CLIENT = 0  # the thread number that stands for the client in every record


@dataclasses.dataclass
class Call:
    """A system call of a server's thread, or of the client on its connection."""
    thread: int
    name: str
    begin: float                 # seconds; None: it was under way when the recording began
    arguments: tuple = ()        # as the recorder wrote them
    end: float = None            # None: it was under way when the recording ended
    result: str = ""             # "78", "-1 EAGAIN"
    slept: bool = False          # the thread gave its CPU away inside


@dataclasses.dataclass
class Wake:
    """The kernel made a thread runnable. `by` is the thread in whose time it did, the client's too,
    or None: an interrupt, somebody else."""
    at: float
    thread: int
    by: int = None


@dataclasses.dataclass
class Entry:
    """Of an io_uring: submitted, completed, or handed to a thread of the kernel."""
    at: float
    thread: int
    kind: str                    # "submit", "complete", "async"
    operation: str               # "SEND"; "" where it is not known
    result: str = ""


@dataclasses.dataclass
class Mark:
    """A probe of the server itself (USDT)."""
    at: float
    thread: int
    name: str


@dataclasses.dataclass
class Recording:
    """One request. `timed`: its times are nearly those of a run that nobody watches."""
    tool: str
    distorts: str
    timed: bool
    events: list
    threads: dict                # number -> (name, process), of all that the server has
    switches: dict = None        # thread -> how often it was given a CPU; None: not seen
    ring: str = ""               # why entries of rings are missing, or ""
