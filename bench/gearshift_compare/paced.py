"""Requests on a schedule at one rate (gearshift-load): what a server costs that has little to do."""

import time

from . import load


def run(bench, server, workload, seconds):
    """The figures of a run, in the form of a load generator's."""
    apart = bool(bench.client_cpus) and not set(bench.client_cpus) & set(bench.server_cpus)
    ask = workload.asks[0]
    knee = load.Knee(workload.extra["program"], server.port, ask.target, workload.connections,
                     cpus=bench.client_cpus, apart=apart, seconds=seconds / load.STEPS, size=ask.length)
    began = time.monotonic()
    point = knee.step(workload.extra["rate"])
    return {"requests": knee.requests, "octets": knee.octets, "us": (time.monotonic() - began) * 1e6,
            "late": point["late"], "command": " ".join(knee.command(workload.extra["rate"])),
            **{name: point[name] for name in ("p50", "p99", "p999", "share", "lag_p99") if name in point}}
