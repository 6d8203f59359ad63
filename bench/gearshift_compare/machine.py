"""The machine that is measured on: what a reader has to know to judge the figures, which CPUs
servers and clients get, and what is wrong with it as a bench."""

import glob
import os
import platform
import re
import resource
import shutil
import subprocess

from . import network
from .servers import SEARCH

NOFILE = 65536


def _read(path, default=""):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return default


def raise_limits():
    """As many descriptors as may be had; how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, min(NOFILE, hard) if hard != resource.RLIM_INFINITY else NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def cores():
    """The CPUs that this process may use, those of a core together."""
    found = {}
    for cpu in sorted(os.sched_getaffinity(0)):
        siblings = _read(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list",
                         str(cpu))
        found.setdefault(siblings, []).append(cpu)
    return list(found.values())


def split_cpus():
    """CPUs for servers and for clients: half of the cores each, never a core for both. Two empty
    tuples where there is one core only."""
    own = cores()
    if len(own) < 2:
        return (), ()
    half = len(own) // 2
    return (tuple(cpu for core in own[:half] for cpu in core),
            tuple(cpu for core in own[half:] for cpu in core))


def parse_cpus(text):
    """"0,2-3" -> (0, 2, 3). Raises ValueError."""
    found = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    if not found or not found <= os.sched_getaffinity(0):
        raise ValueError(text)
    return tuple(sorted(found))


def _file_system(path):
    """Type of the file system that holds a path (proc_pid_mountinfo(5))."""
    best, kind = "", "unknown"
    for line in _read("/proc/self/mountinfo").split("\n"):
        left, _, right = line.partition(" - ")
        words = left.split()
        if len(words) < 5:
            continue
        point = words[4].replace("\\040", " ")
        if (path + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(best):
            best, kind = point, right.split()[0]
    return kind


def version_of(program, *arguments):
    """The first line that tells a version, or "not installed"."""
    path = shutil.which(program, path=SEARCH)
    if path is None:
        return "not installed"
    try:
        done = subprocess.run([path, *arguments], stdin=subprocess.DEVNULL, text=True, timeout=20,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"unknown ({error})"
    lines = [line.strip() for line in done.stdout.split("\n") if re.search(r"\d\.\d", line)]
    return re.sub(r"\s*\[epoll\].*|\s*<\$.*", "", lines[0]) if lines else "unknown"


VERSION_FLAGS = {"wrk": "-v", "ab": "-V", "nginx": "-v", "lighttpd": "-v", "h2o": "-v",
             "apache2": "-v", "caddy": "version", "perf": "--version", "strace": "-V",
             "openssl": "version", "static-web-server": "--version",
             "darkhttpd": "--help"}
PROGRAMS = {"apache": "apache2", "apache-prefork": "apache2", "nginx-nosf": "nginx"}  # of peers


def facts(root, system_congestion, programs, paths=None):
    """For report.json. `programs` by name; `paths` are those of some that are not the installed
    ones. `system_congestion` is that of the machine, before any namespace."""
    cpuinfo = _read("/proc/cpuinfo")
    model = re.search(r"^(?:model name|Model|Hardware)\s*:\s*(.*)$", cpuinfo, re.MULTILINE)
    release = re.search(r'^PRETTY_NAME="?([^"\n]*)', _read("/etc/os-release"), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s+(\d+)", _read("/proc/meminfo"), re.MULTILINE)
    governors = {_read(path) for path in
                 glob.glob("/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor")}
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return {
        "cpu": model[1] if model else platform.machine(),
        "cpus": os.cpu_count(), "cores": len(cores()),
        "virtual": bool(re.search(r"^flags.*\bhypervisor\b", cpuinfo, re.MULTILINE)),
        "governor": ", ".join(sorted(governors)) or "none told (a virtual machine, or fixed)",
        "memory_mib": int(memory[1]) // 1024 if memory else None,
        "kernel": platform.release(), "system": release[1] if release else platform.system(),
        "file_system": _file_system(root),
        "congestion_of_the_system": system_congestion,
        "congestion_measured": network.congestion_control(),
        "limits": {"descriptors": soft,
                   "locked memory": _limit(resource.RLIMIT_MEMLOCK),
                   "net.core.somaxconn": _read("/proc/sys/net/core/somaxconn"),
                   "kernel.io_uring_disabled": _read("/proc/sys/kernel/io_uring_disabled", "-"),
                   "kernel.perf_event_paranoid":
                       _read("/proc/sys/kernel/perf_event_paranoid", "-")},
        "load_average": os.getloadavg()[0],
        "user": "root" if os.geteuid() == 0 else "not root",
        "python": platform.python_version(),
        "versions": {name: version_of((paths or {}).get(name, PROGRAMS.get(name, name)),
                                      VERSION_FLAGS[PROGRAMS.get(name, name)])
                     for name in programs if PROGRAMS.get(name, name) in VERSION_FLAGS},
    }


def _limit(which):
    soft = resource.getrlimit(which)[0]
    return "unlimited" if soft == resource.RLIM_INFINITY else soft


def warnings(found, server_cpus, client_cpus):
    """Sentences on what makes this machine a worse bench than it could be."""
    told = []
    if found["congestion_measured"] == "bbr":
        told.append("Congestion control is bbr: over loopback its pacing timers, and not the "
                    "server, decide what large files cost. Measure with --congestion reno (as "
                    "root, or where user namespaces are allowed).")
    if not server_cpus or not client_cpus:
        told.append("Server and client share their CPUs: there is one core only, so each slows "
                    "the other down.")
    elif set(server_cpus) & set(client_cpus):
        told.append("Server and client share CPUs, as asked for: each slows the other down.")
    if found["governor"] not in ("performance",) and not found["governor"].startswith("none"):
        told.append(f"The CPU frequency governor is {found['governor']}: figures wander with the "
                    "clock; `cpupower frequency-set -g performance` holds it.")
    if found["virtual"]:
        told.append("This is a virtual machine: what its neighbours do is not seen from here.")
    if found["load_average"] > 0.5 * max(1, found["cpus"]):
        told.append(f"The load average was {found['load_average']:.1f} at the start: others were "
                    "busy on this machine.")
    return told
