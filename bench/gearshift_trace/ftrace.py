"""Records by ftrace, the kernel's own tracer, in an instance of its own below tracefs: system calls,
scheduler and io_uring of the server's threads alone, written to memory while they run. Nobody is
stopped, and nobody else's events are kept.

https://docs.kernel.org/trace/ftrace.html (instances, set_event_pid), .../trace/events.html.
"""

import errno
import os
import re
import threading

from .events import CLIENT, Call, Entry, Mark, Recording, Wake
from .probes import Probes

ROOTS = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
PREFIX = "gearshift-trace-"
EVENTS = ("syscalls", "sched/sched_waking", "sched/sched_switch")
RING_EVENTS = ("io_uring_submit_req", "io_uring_complete", "io_uring_task_add",
               "io_uring_queue_async_work")
BUFFER_KIB = 4096      # a CPU
DISTORTS = ("Recorded by ftrace, in the kernel, while everything runs: each event adds some 0.2 to 1 "
            "µs to these times.")
TRAPS = " A probe of the server (◆) is a trap, which adds 1 to 2 µs."
LINE = re.compile(r"^\s*(.+?)-(\d+)\s+\[\d+\] \S+\s+([\d.]+): (\w+)(.*)$")
ENTER = re.compile(r"^\((.*)\)$")
FIELD = re.compile(r"(\w+)=(\S+)")


def folder():
    """Where tracefs is, or None."""
    return next((root for root in ROOTS if os.path.isdir(f"{root}/instances")), None)


def refusal():
    """Why it cannot be used here, or ""."""
    root = folder()
    if root is None:
        return "tracefs is not mounted, or only root may look into it"
    try:
        os.mkdir(f"{root}/instances/{PREFIX}{os.getpid()}-try")
        os.rmdir(f"{root}/instances/{PREFIX}{os.getpid()}-try")
    except OSError as error:
        return f"{root}/instances: {error.strerror}"
    if not os.path.isdir(f"{root}/events/syscalls"):
        return "this kernel has no events of system calls (CONFIG_FTRACE_SYSCALLS)"
    return ""


class Recorder:
    """with Recorder(threads) as r: r.begin(); ask; r.end(); as often as wanted; r.readings(threads)"""

    def __init__(self, threads, binary=None):
        """`binary`: a server whose probes are to be told as well."""
        self.root = folder()
        self.probes = Probes(self.root, binary) if binary else None
        self.instance = f"{self.root}/instances/{PREFIX}{os.getpid()}"
        self.client = threading.get_native_id()
        self.watched = [*threads, self.client]
        self.texts = []

    def _write(self, name, value):
        with open(f"{self.instance}/{name}", "w", encoding="ascii") as file:
            file.write(value)

    def __enter__(self):
        _remove_stale(self.root)
        os.mkdir(self.instance)
        try:
            if self.probes:
                self.probes.add()
            self._write("tracing_on", "0")
            self._write("trace_clock", "mono")
            self._write("buffer_size_kb", str(BUFFER_KIB))
            self._write("set_event_pid", " ".join(map(str, self.watched)))
            self._write("options/event-fork", "1")
            probes = self.probes.events() if self.probes else ()
            for event in (*EVENTS, *(f"io_uring/{e}" for e in RING_EVENTS), *probes):
                if os.path.isdir(f"{self.instance}/events/{event}"):
                    self._write(f"events/{event}/enable", "1")
        except BaseException:
            self.__exit__()
            raise
        return self

    def begin(self):
        self._write("trace", "")  # what was there goes
        self._write("tracing_on", "1")

    def end(self):
        self._write("tracing_on", "0")
        with open(f"{self.instance}/trace", encoding="utf-8", errors="replace") as file:
            self.texts.append(file.read())

    def __exit__(self, *_):
        """An instance goes only when its events are off."""
        try:
            self._write("tracing_on", "0")
            self._write("events/enable", "0")
            os.rmdir(self.instance)
        except OSError:
            pass
        if self.probes:
            self.probes.remove()

    def readings(self, threads):
        ring = "" if os.path.isdir(f"{self.root}/events/io_uring") else (
            "This kernel has no events of io_uring: what the ring carried is not seen.")
        found = []
        for text in self.texts:
            threads = dict(threads)
            events, switches = parse(text, threads, self.client)
            distorts = DISTORTS + (TRAPS if self.probes else "")
            found.append(Recording("ftrace", distorts, True, events, threads, switches, ring))
        return found


def _remove_stale(root):
    """Instances of those that were killed."""
    for name in os.listdir(f"{root}/instances"):
        pid = name.removeprefix(PREFIX).partition("-")[0]
        if name.startswith(PREFIX) and pid.isdigit() and not os.path.isdir(f"/proc/{pid}"):
            try:
                with open(f"{root}/instances/{name}/events/enable", "w", encoding="ascii") as file:
                    file.write("0")
                os.rmdir(f"{root}/instances/{name}")
            except OSError:
                pass


def parse(text, threads, client):
    """The events in `text`, and how often each thread was given a CPU. `threads` are the server's,
    to which those that began and ended meanwhile are added; `client` is the thread that asks."""
    events, switches, under_way = [], {t: 0 for t in threads}, {}
    operations = {}  # of entries of rings, by their user_data
    for line in text.split("\n"):
        match = LINE.match(line)
        if not match:
            continue
        thread, at, name, rest = int(match[2]), float(match[3]), match[4], match[5]
        own = CLIENT if thread == client else thread
        if name.startswith("sys_"):  # recorded of none but these and what they have started
            if own != CLIENT:
                threads.setdefault(thread, (match[1], None))
            _call(events, under_way, own, at, name[4:], rest)
        elif name == "sched_waking":
            woken = int(dict(FIELD.findall(rest)).get("pid", -1))
            if woken in threads:
                known = own == CLIENT or thread in threads
                events.append(Wake(at, woken, own if known else None))
        elif name == "sched_switch":
            _switch(threads, switches, under_way, rest)
        elif name.startswith("io_uring_"):
            _entry(events, operations, own, at, name, rest)
        elif own != CLIENT:
            events.append(Mark(at, own, name))
    return events, switches


def _call(events, under_way, thread, at, name, rest):
    if rest.startswith(" -> "):
        call = under_way.pop(thread, None)
        if call is None or call.name != name:
            call = Call(thread, name, None)
            events.append(call)
        call.end, call.result = at, _result(int(rest[4:], 16))
        return
    inner = ENTER.match(rest.strip())
    words = inner[1].split(", ") if inner and inner[1] else []
    call = Call(thread, name, at, tuple(_number(word.partition(": ")[2]) for word in words))
    under_way[thread] = call
    events.append(call)


def _number(text):
    """The kernel writes hexadecimal; those that fill 64 or 32 bits are negative numbers."""
    try:
        value = int(text.split()[0], 16)
    except (ValueError, IndexError):
        return text
    if value >= 1 << 63:
        value -= 1 << 64
    elif 0xffff0000 <= value <= 0xffffffff:
        value -= 1 << 32
    return str(value)


def _result(value):
    if value >= 1 << 63:
        value -= 1 << 64
    if -4096 < value < 0:
        return f"-1 {errno.errorcode.get(-value, -value)}"
    return str(value)


def _switch(threads, switches, under_way, rest):
    left, _, taken = rest.partition("==>")
    left, taken = dict(FIELD.findall(left)), dict(FIELD.findall(taken))
    thread = int(left.get("prev_pid", -1))
    if thread in under_way and not left.get("prev_state", "R").startswith("R"):
        under_way[thread].slept = True
    thread = int(taken.get("next_pid", -1))
    if thread in threads:
        switches[thread] = switches.get(thread, 0) + 1


def _entry(events, operations, thread, at, name, rest):
    words = dict(re.findall(r"(user_data|opcode|result) ([\w-]+)", rest))
    user = words.get("user_data")
    if name == "io_uring_task_add":  # tells what one that was submitted long ago is
        operations[user] = words.get("opcode", "")
        return
    if name == "io_uring_complete":
        value = int(words.get("result", "0"))
        result = str(value) if value >= 0 else f"-{errno.errorcode.get(-value, -value)}"
        events.append(Entry(at, thread, "complete", operations.get(user, ""), result))
        return
    kind = "submit" if name == "io_uring_submit_req" else "async"
    operations[user] = words.get("opcode", "")
    events.append(Entry(at, thread, kind, operations[user]))
