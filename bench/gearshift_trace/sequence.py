"""From events to the rows of a sequence diagram, and to the figures beside it."""

import collections
import dataclasses

from . import calls
from .events import CLIENT, Call, Entry, Mark, Wake

CLIENT_LANE, KERNEL_LANE = "client", "kernel"
PERIOD_MAX, REPEATS_MIN = 8, 3   # what is done again and again is drawn once
# What the C library does for a thread or a process of its own: drawn together.
HOUSEKEEPING = ("rt_sigprocmask", "rt_sigaction", "rseq", "set_robust_list", "set_tid_address", "prctl",
                "gettid", "getpid", "getppid", "geteuid", "getuid", "mmap", "munmap", "mprotect", "brk")
ALIKE_MIN = 4
ROWS_MAX = 120
OUT = ("SEND", "SENDMSG", "SEND_ZC", "SENDMSG_ZC", "SPLICE", "WRITE", "WRITEV")


@dataclasses.dataclass
class Row:
    """An arrow. `kind`: data, wake, call, wait (a call that sleeps), woken (its end), ring, mark,
    or note (no arrow)."""
    at: float
    source: str
    target: str
    kind: str
    text: str

    def same(self, other):
        return (self.source, self.target, self.kind, self.text) == (
            other.source, other.target, other.kind, other.text)


@dataclasses.dataclass
class Sequence:
    engine: str
    model: str
    lanes: list            # names, from the left
    rows: list
    sleeping: list         # (lane, first row, last row) of bars beside which a thread sleeps
    asleep: int            # threads that are not drawn, since they slept all the time
    begin: float           # of the first byte
    figures: dict
    recording: object
    answer: tuple          # status, bytes
    free: dict             # of requests that nobody watches, or None


def build(engine, model, recording, descriptors, client_fd, answer, free, main_pid, alive):
    """The diagram of a recording. `client_fd`: the client's descriptor, None: made meanwhile;
    `alive`: numbers of the threads that there are at its end."""
    words = calls.Words(descriptors, recording, main_pid)
    names = _names(recording, main_pid)
    sending = []  # the server's calls that have put bytes into the connection
    timed = sorted(_rows(recording, words, names, client_fd, sending), key=lambda item: item[0])
    rows, shut = [row for _, row in timed], {}
    begin = next((row.at for row in rows if row.source == CLIENT_LANE), rows[0].at if rows else 0.0)
    rows = [row for row in rows if row.at >= begin or row.kind == "woken"]
    rows = _shorten(rows)
    used = list(dict.fromkeys(lane for row in rows for lane in (row.source, row.target) if lane))
    lanes = [CLIENT_LANE, KERNEL_LANE] + [name for name in names.values() if name in used]
    for name, bar in _bars(rows):
        shut.setdefault(name, []).append(bar)
    return Sequence(engine, model, lanes, rows,
                    [(name, *bar) for name in lanes for bar in shut.get(name, [])],
                    len(alive - names.keys()), begin, _figures(recording, sending, begin),
                    recording, answer, free)


def _names(recording, main_pid):
    """Thread -> lane, of all that do something. Two of one name are told apart by a number."""
    found, counted = {}, collections.Counter()
    for thread in dict.fromkeys(e.thread for e in recording.events if e.thread != CLIENT):
        name, pid = recording.threads.get(thread, ("", None))
        if name in ("gearshift", ""):
            name = "main thread" if thread == main_pid else "child process" if thread == pid \
                else "thread"
        counted[name] += 1
        found[thread] = name if counted[name] == 1 else f"{name} ({counted[name]})"
    return found


def _rows(recording, words, names, client_fd, sending):
    """((at, place), row), to be sorted: of what has the same time, in the order of the events."""
    fds = {"client", None if client_fd is None else str(client_fd)}
    for place, event in enumerate(recording.events):
        if isinstance(event, Call):
            if event.thread == CLIENT:
                for row in _of_client(event, fds):
                    yield (row.at, place), row
            else:
                for row in _of_server(event, words, names[event.thread]):
                    yield (row.at, place), row
                if _to_client(event, words):
                    sending.append(event)
                words.learn(event)
        elif isinstance(event, Wake):
            by = names.get(event.by, KERNEL_LANE)
            if by != names[event.thread]:
                yield (event.at, place), Row(event.at, by, names[event.thread], "wake", "wakes it")
        elif isinstance(event, Entry):
            yield (event.at, place), _of_ring(event, names)
        elif isinstance(event, Mark):
            lane = names[event.thread]
            yield (event.at, place), Row(event.at, lane, lane, "mark",
                                         event.name.replace("__", " "))


def _of_client(call, fds):
    """What the client does on its connection; the rest of a Python program is left out."""
    if call.name == "socket" and call.result.isdigit() and None in fds:
        fds.add(call.result)
        return []
    if call.begin is None or not call.arguments or call.arguments[0] not in fds:
        return []
    if call.name in calls.SENDS:
        return [Row(call.begin, CLIENT_LANE, KERNEL_LANE, "data",
                    f"{calls.positive(call) or '?'} bytes")]
    if call.name in calls.RECEIVES and call.end is not None:
        count = calls.positive(call)
        return [Row(call.end, KERNEL_LANE, CLIENT_LANE, "data",
                    f"{count} bytes" if count else "the end")]
    if call.name == "close":
        fds.discard(call.arguments[0])  # another file may have this number soon
    if call.name in ("connect", "close", "shutdown"):
        return [Row(call.begin, CLIENT_LANE, KERNEL_LANE, "data", call.name)]
    return []


def _of_server(call, words, lane):
    text, result = words.call(call), words.result(call)
    if call.begin is None:
        return [Row(call.end, KERNEL_LANE, lane, "woken", f"{call.name} = {result}")]
    if call.end is None:  # and the recording went on for a while
        kind = "call" if call.name.startswith("exit") else "wait"
        return [Row(call.begin, lane, KERNEL_LANE, kind, text)]
    if call.slept:
        return [Row(call.begin, lane, KERNEL_LANE, "wait", text),
                Row(call.end, KERNEL_LANE, lane, "woken", f"{call.name} = {result}")]
    return [Row(call.begin, lane, KERNEL_LANE, "call", f"{text} = {result}")]


def _of_ring(entry, names):
    lane = names.get(entry.thread, CLIENT_LANE)
    if entry.kind == "complete":
        what = entry.operation or "an operation"
        return Row(entry.at, KERNEL_LANE, lane, "ring", f"completed: {what} = {entry.result}")
    if entry.kind == "async":
        return Row(entry.at, KERNEL_LANE, KERNEL_LANE, "ring",
                   f"{entry.operation}: to a kernel thread")
    return Row(entry.at, lane, KERNEL_LANE, "ring", f"submitted: {entry.operation}")


def _shorten(rows):
    """Repetitions are drawn once, housekeeping in a row; a diagram that is too long has its middle
    left out."""
    rows, short, i = _alike(_together(rows)), [], 0
    while i < len(rows):
        period, times = _repetition(rows, i)
        short += rows[i:i + period]
        if times > 1:
            last = rows[i + period * times - 1]
            what = "this" if period == 1 else f"these {period}"
            short.append(Row(last.at, last.source, last.target, "note",
                             f"{what}, {times - 1} times more"))
        i += period * times
    if len(short) > ROWS_MAX:
        half = ROWS_MAX // 2
        gone = len(short) - 2 * half
        short = short[:half] + [Row(short[half].at, "", "", "note", f"{gone} rows left out")] \
            + short[-half:]
    return short


def _together(rows):
    """Calls of HOUSEKEEPING that one thread makes one after the other, as one row."""
    found, names = [], []
    for row in rows:
        name = row.text.partition("(")[0]
        if row.kind != "call" or name not in HOUSEKEEPING:
            found.append(row)
            names = []
            continue
        if names and found[-1].source == row.source:
            names.append(name)
            found[-1] = dataclasses.replace(found[-1], text=", ".join(
                f"{n} x{names.count(n)}" if names.count(n) > 1 else n for n in dict.fromkeys(names)))
        else:
            found.append(row)
            names = [name]
    return found


def _alike(rows):
    """A thread that makes the same call again and again, each time a little further on."""
    found, i = [], 0
    while i < len(rows):
        end = i + 1
        while end < len(rows) and rows[end].kind == rows[i].kind == "call" and (
                rows[end].source, rows[end].text.partition("(")[0]) == (
                rows[i].source, rows[i].text.partition("(")[0]):
            end += 1
        found.append(rows[i])
        if end - i > ALIKE_MIN:
            found.append(dataclasses.replace(
                rows[end - 1], kind="note",
                text=f"{rows[i].text.partition('(')[0]}, {end - i - 1} times more"))
        else:
            found += rows[i + 1:end]
        i = end
    return found


def _repetition(rows, i):
    """(period, times) of what begins at row i; times is 1 unless it is worth telling."""
    for period in range(1, PERIOD_MAX + 1):
        times = 1
        while i + period * (times + 1) <= len(rows) and all(
                rows[i + k].same(rows[i + period * times + k]) for k in range(period)):
            times += 1
        if times >= REPEATS_MIN:
            return period, times
    return 1, 1


def _bars(rows):
    """(lane, (first, last)): from a wait to its end, or to the end of the picture."""
    asleep = {}
    for i, row in enumerate(rows):
        if row.kind == "wait":
            asleep[row.source] = i
        elif row.kind == "woken" and row.target not in asleep and row.text.startswith("clone"):
            continue  # its first step
        elif row.kind == "woken":
            yield row.target, (asleep.pop(row.target, -1), i)
    for lane, i in asleep.items():
        yield lane, (i, len(rows))


def _figures(recording, sending, begin):
    """What is counted from the first byte on. Times in microseconds, where they are to be had."""
    server = [e for e in recording.events if isinstance(e, Call) and e.thread != CLIENT
              and e.end is not None and e.end >= begin]
    entries = [e for e in recording.events if isinstance(e, Entry) and e.at >= begin]
    found = {
        "calls": len(server),
        "by_name": dict(collections.Counter(call.name for call in server).most_common()),
        "submitted": sum(e.kind == "submit" for e in entries),
        "completed": sum(e.kind == "complete" for e in entries),
        "kernel_threads": sum(e.kind == "async" for e in entries),
        "wakes": None, "switches": None, "in_out_us": None,
    }
    if not recording.timed:
        return found
    found["wakes"] = sum(isinstance(e, Wake) and e.at >= begin for e in recording.events)
    found["switches"] = sum(recording.switches.values())
    out = [call.end for call in sending if call.end is not None]
    out += [e.at for e in entries if e.kind == "complete" and e.operation in OUT
            and e.result.isdigit()]
    if out:
        found["in_out_us"] = (max(out) - begin) * 1e6
    return found


def _to_client(call, words):
    """Whether it has put bytes into the connection."""
    place = 2 if call.name == "splice" else 0
    return bool(call.name in calls.SENDS and calls.positive(call)
                and len(call.arguments) > place
                and words.descriptor(call.thread, call.arguments[place]) == "connection")
