"""The load generators: wrk, ab, and a client that drops what it receives (drain.py). Each runs for
a time, in a process of its own, and gives the same figures."""

import json
import math
import os
import re
import shutil
import signal
import sys
import tempfile
import time

from . import processes
from .servers import SEARCH

HERE = os.path.dirname(os.path.abspath(__file__))
GRACE_S = 30           # for a client to end after it was told to
PERCENTILES = (0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99)
KEPT = {50: "p50", 90: "p90", 99: "p99", 99.9: "p999"}

_DONE = """
function done(summary, latency, requests)
    local e, curve = summary.errors, {}
    for i, p in ipairs({%s}) do
        curve[i] = string.format("[%%g,%%d]", p, p == 0 and latency.min or latency:percentile(p))
    end
    print(string.format('@@{"requests":%%d,"octets":%%d,"us":%%d,"curve":[%%s],"failed":{' ..
        '"connect":%%d,"read":%%d,"write":%%d,"timeout":%%d},"status_errors":%%d}',
        summary.requests, summary.bytes, summary.duration, table.concat(curve, ","),
        e.connect, e.read, e.write, e.timeout, e.status))
end
""" % ",".join(f"{p:g}" for p in PERCENTILES)

# Every thread goes round the same list, each from a place of its own.
_CIRCLE = """
local threads = 0
function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end
local asks = {
%s}
local ready, at = {}, 0
function init(arguments)
    for i, ask in ipairs(asks) do
        ready[i] = string.rep(wrk.format("GET", ask[1], ask[2]), %d)
    end
    at = math.floor(number * #ready / %d)
end
function request()
    at = at %% #ready + 1
    return ready[at]
end
"""


class ClientFailed(Exception):
    """A load generator ended without figures; the text is what it said."""


def wrk_script(asks, pipeline, threads):
    """The Lua of a workload: which requests are sent, and how the figures are told. `asks` is of
    (target, fields)."""
    if len(asks) == 1 and pipeline == 1:
        return _DONE
    lines = []
    for target, fields in asks:
        pairs = ", ".join("[%s] = %s" % tuple(map(_lua, field.split(": ", 1))) for field in fields)
        lines.append("    {%s, {%s}},\n" % (_lua(target), pairs))
    return _CIRCLE % ("".join(lines), pipeline, threads) + _DONE


def _lua(text):
    """A Lua string."""
    return '"' + re.sub(r'["\\\x00-\x1f]', lambda m: "\\%03d" % ord(m[0]), text) + '"'


class Client:
    """One run of a load generator, to be started, waited for, and read. wrk and ab know whole
    seconds only, so they are given more and are told to end by SIGINT, which they do well."""

    end_signal = signal.SIGINT
    counts_reads = True   # its reads are answers, so that they tell how many fell into a time

    def __init__(self, argv, cpus, folder):
        self.argv, self.cpus, self.folder = argv, cpus, folder

    def run(self, seconds, warm_up=0.0, meter=None, warm_octets=0):
        """Runs it for both times, counted from when it is ready, and warms up until it has read
        `warm_octets`. The meter notes the second time; `share` is the part of what the client
        counted that fell into that."""
        with tempfile.TemporaryFile(dir=self.folder) as output:
            process = processes.start(self.argv, cpus=self.cpus, stdout=output, stderr=output)
            try:
                self._wait(process, GRACE_S,
                           lambda: processes.catches(process.pid, self.end_signal))
                self._wait(process, warm_up)
                self._wait(process, GRACE_S,
                           lambda: not 0 <= processes.octets_read(process.pid) < warm_octets)
                self.begin(process)
                if meter:
                    meter.note(process)
                self._wait(process, seconds)
                if meter:
                    meter.note(process)
                self._end(process)
                whole = processes.octets_read(process.pid)
            finally:
                processes.stop(process)
            output.seek(0)
            figures = self.read(output.read().decode("utf-8", "replace"))
        figures["share"] = 1.0
        if meter and whole > 0 and self.counts_reads:
            figures["share"] = meter.received() / whole
        return figures

    def during(self, what):
        """Runs it for as long as what(process) takes; its figures."""
        with tempfile.TemporaryFile(dir=self.folder) as output:
            process = processes.start(self.argv, cpus=self.cpus, stdout=output, stderr=output)
            try:
                self._wait(process, GRACE_S,
                           lambda: processes.catches(process.pid, self.end_signal))
                what(process)
                self._end(process)
            finally:
                processes.stop(process)
            output.seek(0)
            return self.read(output.read().decode("utf-8", "replace"))

    @staticmethod
    def _wait(process, seconds, ready=None):
        """Until it is ready, or has ended, or the time is over; it is not waited for in wait(2)'s
        sense, so that /proc still knows it."""
        deadline = time.monotonic() + seconds
        while ready is None or not ready():
            left = deadline - time.monotonic()
            if left <= 0 or os.waitid(os.P_PID, process.pid,
                                      os.WEXITED | os.WNOWAIT | os.WNOHANG):
                return
            time.sleep(min(left, 0.05 if ready is None else 0.002))

    def begin(self, process):
        """The warm-up is over."""

    def _end(self, process):
        """Until it has ended: wrk sleeps through a signal that came just before its sleep."""
        for _ in range(GRACE_S):
            process.send_signal(self.end_signal)
            self._wait(process, 1)
            if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
                return
        raise ClientFailed(f"{self.argv[0]} does not end")

    def read(self, text):
        found = re.search(r"@@(\{.*\})", text)
        if not found:
            raise ClientFailed(f"{os.path.basename(self.argv[0])}: {_last_line(text)}")
        return _with_percentiles(json.loads(found[1]))

    def command(self):
        return " ".join(self.argv)


def _last_line(text):
    """What a program said when it gave up; before that comes its usual greeting."""
    return (text.strip().splitlines() or ["it ended without a word"])[-1][-300:]


def _with_percentiles(figures):
    """Latency in milliseconds, the usual percentiles by name. wrk tells 0 for percentiles that it
    has too few requests for; there the curve ends, or does not begin."""
    curve = []
    for p, us in figures["curve"]:
        if us <= 0 or curve and us / 1e3 < curve[-1][1]:
            break
        curve.append([p, us / 1e3])
    figures["curve"] = curve
    figures.update({KEPT[p]: ms for p, ms in figures["curve"] if p in KEPT})
    return figures


def wrk(url, asks, *, connections, pipeline, fields, cpus, folder, name, script=None):
    """`script` makes the requests where they are not a list."""
    threads = max(1, min(len(cpus) if cpus else 1, connections))
    path = os.path.join(folder, f"{name}.lua")
    with open(path, "w", encoding="ascii") as file:
        file.write(script + _DONE if script else wrk_script(asks, pipeline, threads))
    argv = ["wrk", "-t", str(threads), "-c", str(connections), "-d", "600s", "--timeout", "10s",
            "-s", path]
    for field in fields:
        argv += ["-H", field]
    return Client(argv + [url], cpus, folder)


class Ab(Client):
    """ab, which makes a new TLS connection, and no resumption, for each request. It reads the same
    for each, handshake and answer."""

    def __init__(self, url, *, connections, cpus, folder, name):
        self.csv = os.path.join(folder, f"{name}.csv")
        super().__init__(["ab", "-q", "-t", "600", "-n", "100000000", "-c", str(connections),
                          "-e", self.csv, url], cpus, folder)

    def read(self, text):
        def figure(name):
            found = re.search(rf"^{name}:\s+([\d.]+)", text, re.MULTILINE)
            return float(found[1]) if found else 0

        requests, seconds = figure("Complete requests"), figure("Time taken for tests")
        if not seconds:
            raise ClientFailed(f"ab: {_last_line(text)}")
        if not requests:
            return {"requests": 0, "octets": 0, "us": seconds * 1e6, "curve": [], "failed": {},
                    "status_errors": 0}
        with open(self.csv, encoding="ascii") as file:
            pairs = [line.split(",") for line in file if line[:1].isdigit()]
        curve = [[float(p), float(ms) * 1e3] for p, ms in pairs
                 if float(p) in PERCENTILES and not math.isnan(float(ms))]
        os.unlink(self.csv)
        return _with_percentiles({
            "requests": int(requests), "octets": int(figure("Total transferred")),
            "us": seconds * 1e6, "curve": curve,
            "failed": {"request": int(figure("Failed requests"))},
            "status_errors": int(figure("Non-2xx responses"))})


class Drain(Client):
    """drain.py, which counts anew when it is told to. Python itself catches SIGINT before the
    program is ready, so other signals are used."""

    end_signal = signal.SIGUSR1
    counts_reads = False

    def __init__(self, port, ask, *, connections, cpus, folder):
        super().__init__([sys.executable, "-B", os.path.join(HERE, "drain.py"), str(port),
                          ask.target, str(connections)], cpus, folder)

    def begin(self, process):
        process.send_signal(signal.SIGUSR2)


def missing():
    """(program, Debian package) of the load generators that are not installed."""
    return [(program, package) for program, package in (("wrk", "wrk"), ("ab", "apache2-utils"))
            if shutil.which(program, path=SEARCH) is None]
