"""System calls a request, counted in runs of their own: by perf, which counts in the kernel and
hardly disturbs; else by strace, which stops the server at each call."""

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
ATTACH_S = 10


def tool():
    """"perf", "strace", or "" with the reason why neither may be used here."""
    if shutil.which("perf", path=SEARCH):
        probe = subprocess.run(["perf", "stat", "-x", ";", "-e", "raw_syscalls:sys_enter", "true"],
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
    with tempfile.NamedTemporaryFile("r", dir=bench.folder, suffix=".counts") as output:
        process = _attach(which, server.pids(), output.name)
        try:
            figures = client.run(seconds)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(ATTACH_S)
            finally:
                processes.stop(process)
        text = output.read()
    units = figures["octets"] / (1 << 20) if workload.unit == "MiB" else figures["requests"]
    if not units:
        raise ClientFailed("not one answer came")
    by_name = _read_perf(text) if which == "perf" else _read_strace(text)
    more = {short: by_name.pop(event) / units for event, short in EVENTS.items() if event in by_name}
    more["futexes"] = by_name.get("futex", 0) / units
    total = by_name.pop("total", None) or sum(by_name.values())
    return {"tool": which, "calls": total / units, **more,
            "by_name": {name: round(calls / units, 4) for name, calls in
                        sorted(by_name.items(), key=lambda item: -item[1])
                        if calls / units >= 0.005}}


def _attach(which, pids, path):
    """A tracer that has attached to these processes."""
    if which == "perf":
        events = ["raw_syscalls:sys_enter"] + [
            event for event in EVENTS if ":" not in event or _is_tracepoint(event)] + [
            f"syscalls:sys_enter_{name}" for name in CALLS if _is_tracepoint(f"syscalls:sys_enter_{name}")]
        argv = ["perf", "stat", "-x", ";", "-o", path, "-e", ",".join(events),
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


def _is_tracepoint(event):
    """Has this kernel the tracepoint "group:name"?"""
    return os.path.exists(os.path.join(TRACEPOINTS, event.replace(":", "/")))


def _read_perf(text):
    found = {}
    for line in text.split("\n"):
        words = line.split(";")
        if len(words) > 2 and words[0].isdigit():
            name = words[2].rpartition("sys_enter")[2].lstrip("_")
            found[name or "total"] = int(words[0])
    return found


def _read_strace(text):
    return {words[0]: int(words[1]) for words in map(str.split, text.split("\n"))
            if len(words) == 2 and words[1].isdigit() and words[0] != "total"}
