"""Records by strace, where the kernel's own tracer may not be used: it stops a thread before and after
each system call, so what it says of order and arguments is right, and of time nothing."""

import dataclasses
import os
import re
import shutil
import subprocess
import tempfile
import time

from gearshift_compare import processes
from gearshift_compare.servers import SEARCH

from .calls import RECEIVES
from .events import CLIENT, Call, Recording

ATTACH_S = 10
SETTLE_S = 0.1         # for calls that the attaching has interrupted to be begun again
DISTORTS = ("Recorded by strace, which stops a thread twice for each system call: the order is right, "
            "times would not be those of a run that nobody watches, so none are shown. Threads may "
            "wake up in another order than they do when left alone.")
RING = "What the ring carried is not visible to strace: io_uring_enter shows how many, not what."
WAITS = ("epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select", "pselect6",
         "io_getevents", "io_pgetevents", "futex", "rt_sigtimedwait", "clock_nanosleep")
LINE = re.compile(r"^(\d+) +(\d+\.\d+) (.*)$")
RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$")
CALL = re.compile(r"^(\w+)\((.*)$")
RESULT = re.compile(r"^(.*)\) *= (-?\w+)(?: (E\w+))?.*?(?: <([\d.]+)>)?$")


def refusal():
    """Why it cannot be used here, or ""."""
    path = shutil.which("strace", path=SEARCH)
    if path is None:
        return "strace is not installed (Debian package strace)"
    probe = subprocess.run([path, "-o", os.devnull, "true"], stdin=subprocess.DEVNULL,
                           capture_output=True, check=False)
    if probe.returncode != 0:
        return "strace may not trace here (ptrace is forbidden: a container's seccomp profile, yama)"
    return ""


class Recorder:
    """with Recorder(...) as r: r.begin(); ask; r.end(); as often as wanted; r.readings(threads)"""

    def __init__(self, threads, pids, place):
        """`place` notes what the client sends and receives, which is not traced."""
        self.threads, self.pids, self.place = threads, pids, place
        self.windows = []     # (began, ended, what the client did)
        self.text = ""

    def __enter__(self):
        with tempfile.NamedTemporaryFile(prefix="gearshift-trace-", delete=False) as file:
            self.path = file.name
        self.said = tempfile.TemporaryFile()
        argv = ["strace", "-f", "-ttt", "-T", "-yy", "-s", "24", "-o", self.path]
        for pid in self.pids:
            argv += ["-p", str(pid)]
        self.process = processes.start(argv, stdout=subprocess.DEVNULL, stderr=self.said)
        deadline = time.monotonic() + ATTACH_S
        while self._attached() < len(self.threads):
            if self.process.poll() is not None or time.monotonic() > deadline:
                told = self._said().strip().rpartition("\n")[2]
                self.__exit__()
                raise OSError(told or "strace could not attach to the server")
            time.sleep(0.005)
        time.sleep(SETTLE_S)
        return self

    def begin(self):
        self.place.moments.clear()
        self.windows.append([time.time(), None, None])

    def end(self):
        self.windows[-1][1:] = time.time(), list(self.place.moments)

    def _said(self):
        self.said.seek(0)
        return self.said.read().decode("utf-8", "replace")

    def _attached(self):
        """Threads that are traced: each has a line, or is one of a process that has "with N"."""
        text = self._said()
        more = sum(int(n) - 1 for n in re.findall(r"attached with (\d+) threads", text))
        return text.count("attached") + more

    def __exit__(self, *_):
        try:
            processes.stop(self.process)
            with open(self.path, encoding="utf-8", errors="replace") as file:
                self.text = file.read()
        finally:
            self.said.close()
            os.unlink(self.path)

    def readings(self, threads):
        threads, found = dict(threads), []
        calls = parse(self.text, threads)
        for began, ended, moments in self.windows:
            events = within(calls, began, ended)
            events += [Call(CLIENT, name, at, ("client",), at, str(count))
                       for at, name, count in moments]
            ring = RING if any(e.name == "io_uring_enter" for e in events) else ""
            found.append(Recording("strace", DISTORTS, False, events, threads, None, ring))
        return found


def parse(text, threads):
    """All calls, in the order in which they began. Threads that are not in `threads` are added."""
    calls, under_way = [], {}
    for line in text.split("\n"):
        match = LINE.match(line)
        if not match:
            continue
        thread, at, rest = int(match[1]), float(match[2]), match[3]
        resumed = RESUMED.match(rest)
        if resumed:
            call, rest = under_way.pop(thread, None), resumed[2]
            if call is None:
                continue
        else:
            match = CALL.match(rest)
            if not match:
                continue  # a signal, or the end of a thread
            call, rest = Call(thread, match[1], at), match[2]
            calls.append(call)
            threads.setdefault(thread, ("", None))
        unfinished = rest.endswith("<unfinished ...>")
        ended = None if unfinished else RESULT.match(rest)
        call.arguments += split(rest.removesuffix("<unfinished ...>") if ended is None
                                else ended[1])
        call.slept = call.slept or _waits(call, unfinished)
        if ended is None:
            under_way[thread] = call
        else:
            # A line has the time at which the call began, or was gone on with, and how long it took.
            call.end = max(at, call.begin + float(ended[4] or 0))
            call.result = f"{ended[2]} {ended[3]}" if ended[3] else ended[2]
    return calls


def _waits(call, unfinished):
    """Whether it is one of those that sleep. Who sends is interrupted by strace alone."""
    if call.name == "futex":
        return not any("WAKE" in text for text in call.arguments)
    return call.name in WAITS or unfinished and call.name in (*RECEIVES, "accept4",
                                                              "io_uring_enter", "restart_syscall")


def within(calls, began, ended):
    """Those of a window. One that began before has no beginning in it, one that ended behind no
    end; who slept through all of it is left out."""
    found = []
    for call in calls:
        if call.begin >= ended or (call.end or ended) < began:
            continue
        call = dataclasses.replace(call)
        if call.end is not None and call.end > ended:
            call.end = None
        if call.begin < began:
            if call.end is None:
                continue
            call.begin = None
        found.append(call)
    return found


def split(text):
    """Arguments, apart at the commas that no bracket or string holds."""
    found, depth, quoted, word, skip = [], 0, False, "", False
    for c in text:
        if quoted:
            quoted = skip or c != '"'
            skip = c == "\\" and not skip
        elif c == '"':
            quoted = True
        elif c in "([{<":
            depth += 1
        elif c in ")]}>" and not word.endswith(("=", "-")):  # "=>" and "->" are arrows
            depth -= 1
        elif c == "," and depth <= 0:
            found.append(word.strip())
            word = ""
            continue
        word += c
    if word.strip():
        found.append(word.strip())
    return tuple(found)
