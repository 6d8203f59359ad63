"""System calls a request, counted in runs of their own: by perf, which counts in the kernel and
hardly disturbs; else by strace, which stops the server at each call."""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import tempfile

from . import check, measure, processes
from .clients import ClientFailed
from .servers import SEARCH

TRACEPOINTS = "/sys/kernel/tracing/events"
CALLS = ("accept4", "close", "epoll_ctl", "epoll_pwait", "epoll_wait", "fcntl", "futex",
         "io_uring_enter", "mmap", "munmap", "newfstat", "newfstatat", "openat", "openat2", "poll",
         "ppoll", "pread64", "preadv2", "read", "readv", "recvfrom", "recvmsg", "sendfile64",
         "sendmsg", "sendto", "setsockopt", "shutdown", "splice", "statx", "write", "writev",
         "cachestat", "lseek", "fadvise64", "readahead", "sched_yield", "timerfd_settime")
# Beside them, where perf counts: a virtual machine often has no counter of cache misses. Locks of the kernel that were
# not free when a thread of the server wanted them are told by Linux from 5.19 on.
EVENTS = {"context-switches": "switches", "cpu-migrations": "migrations", "cache-misses": "misses",
          "lock:contention_begin": "contended"}
# All that may stand beside the calls: and the calls that wait for a lock of threads, or wake who does (futex(2)), which
# takes no call while it is free.
BESIDE = (*EVENTS.values(), "futexes")
ALL_CALLS = "raw_syscalls:sys_enter"
SYSCALLS = {"newfstat": "fstat", "sendfile64": "sendfile"}  # whose tracepoint has another name than the call itself
ATTACH_S = 10


def tool():
    """"perf", "strace", or "" with the reason why neither may be used here."""
    if shutil.which("perf", path=SEARCH):
        probe = subprocess.run(["perf", "stat", "-x", ";", "-e", ALL_CALLS, "true"],
                               stdin=subprocess.DEVNULL, capture_output=True, text=True,
                               check=False)
        if re.search(r"^\d+;", probe.stderr, re.MULTILINE):
            return "perf", ""
    if shutil.which("strace", path=SEARCH):
        probe = subprocess.run(["strace", "-c", "-o", os.devnull, "true"],
                               stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if probe.returncode == 0:
            return "strace", ""
    return "", ("System calls were not counted: perf may not trace them here "
                "(kernel.perf_event_paranoid, or not root), and strace may not attach.")


def count(which, bench, server, workload, seconds):
    """{"calls": all of them a request or MiB, "by_name": {name: so many}, "tool": which}."""
    fields, _ = check.check_workload(server, workload, bench.draw, whole=False)
    client = measure.client_for(bench, server, workload, fields)
    figures, by_name = tally(which, server.pids(), bench.folder, lambda: client.run(seconds))
    units = figures["octets"] / (1 << 20) if workload.unit == "MiB" else figures["requests"]
    if not units:
        raise ClientFailed("not one answer came")
    more = {short: by_name.pop(event) / units for event, short in EVENTS.items() if event in by_name}
    more["futexes"] = by_name.get("futex", 0) / units
    total = by_name.pop("total", None) or sum(by_name.values())
    return {"tool": which, "calls": total / units, **more,
            "by_name": {name: round(calls / units, 4) for name, calls in
                        sorted(by_name.items(), key=lambda item: -item[1])
                        if calls / units >= 0.005}}


def tally(which, pids, folder, act):
    """(what act() returned, {name: how many of these calls and events the processes made meanwhile}); "total", where perf
    counts, is all calls."""
    with tempfile.NamedTemporaryFile("r", dir=folder, suffix=".counts") as output:
        numbers = _numbers() if which == "perf" else {}
        process = _attach(which, numbers, pids, output.name)
        try:
            returned = act()
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(ATTACH_S)
            finally:
                processes.stop(process)
        text = output.read()
    return returned, _read_perf(text, numbers) if which == "perf" else _read_strace(text)


def _attach(which, numbers, pids, path):
    """A tracer that has attached to these processes; perf counts calls by `numbers` (_numbers())."""
    if which == "perf":
        argv = ["perf", "stat", "-x", ";", "-o", path, "-e", ALL_CALLS]
        for name, number in numbers.items():
            argv += ["-e", ALL_CALLS, "--filter", f"id=={number}"] if number is not None else [
                "-e", f"syscalls:sys_enter_{name}"]
        argv += ["-e", ",".join(event for event in EVENTS if ":" not in event or _is_tracepoint(event)),
                 "-p", ",".join(map(str, pids))]
    else:
        argv = ["strace", "-f", "-c", "-U", "name,calls", "-o", path]
        for pid in pids:
            argv += ["-p", str(pid)]
    process = processes.start(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(0.3)
    except subprocess.TimeoutExpired:
        return process
    processes.stop(process)
    raise ClientFailed(f"{which} could not attach to the server")


def _numbers():
    """{name: number} of the calls that this kernel can count by name; None where nobody here knows their numbers, so that
    each is counted by a tracepoint of its own. The kernel takes forty milliseconds to let go of each of those, which is
    longer than all that is counted; the one of all calls, asked for a number, it lets go of once."""
    known = [name for name in CALLS if _is_tracepoint(f"syscalls:sys_enter_{name}")]
    try:
        resolve = ctypes.CDLL("libseccomp.so.2").seccomp_syscall_resolve_name
    except (OSError, AttributeError):
        return dict.fromkeys(known)
    resolve.argtypes, resolve.restype = [ctypes.c_char_p], ctypes.c_int
    numbers = {name: resolve(SYSCALLS.get(name, name).encode()) for name in known}
    return {name: number if number >= 0 else None for name, number in numbers.items()}


def _is_tracepoint(event):
    """Has this kernel the tracepoint "group:name"?"""
    return os.path.exists(os.path.join(TRACEPOINTS, event.replace(":", "/")))


def _read_perf(text, numbers):
    """{name: so many} of the lines of perf, which come in the order of _attach(): all calls, each by its number, the rest."""
    found, by_number = {}, iter(["total", *(name for name, number in numbers.items() if number is not None)])
    for line in text.split("\n"):
        words = line.split(";")
        if len(words) <= 2:
            continue
        name = next(by_number) if words[2] == ALL_CALLS else words[2].removeprefix("syscalls:sys_enter_")
        if words[0].isdigit():
            found[name] = int(words[0])
    return found


def _read_strace(text):
    return {words[0]: int(words[1]) for words in map(str.split, text.split("\n"))
            if len(words) == 2 and words[1].isdigit() and words[0] != "total"}
