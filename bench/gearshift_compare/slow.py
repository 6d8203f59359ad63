"""What slow clients do to others: some have asked for a large file and do not read it, while a small
one is asked for on a schedule that does not wait for answers. Who has no answer at the end counts
with the time that has passed since the request was due: a server that stalls is not void, it is slow."""

import socket
import time

from . import clients, cold, request
from .clients import ClientFailed

RATE = 200
SETTLE_S = 0.1
RECEIVE_BUFFER = 4096


def hold(port, ask, count, ret_held):
    """Opens connections that ask and never read; they are appended as they are made."""
    for _ in range(count):
        s = socket.socket()
        ret_held.append(s)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        s.settimeout(request.TIMEOUT_S)
        s.connect(("127.0.0.1", port))
        s.sendall(request.head(ask.target))


def run(bench, server, workload, seconds):
    """The figures of a run, in the form of a load generator's."""
    apart = bool(bench.client_cpus) and not set(bench.client_cpus) & set(bench.server_cpus)
    held = []
    try:
        hold(server.port, workload.extra["large"], workload.extra["slow"], held)
        time.sleep(SETTLE_S)
        latencies, on_time, _, _, faults = cold.load(
            server.port, workload.asks[0].target, (), seconds, cpus=bench.client_cpus, apart=apart,
            rate=RATE, connections=workload.connections, stalls=True)
    finally:
        for connection in held:
            connection.close()
    if faults:
        raise ClientFailed("; ".join(sorted(set(faults))))
    values = sorted(latencies)
    if not values:
        raise ClientFailed("not one request was sent")
    figures = {"requests": len(values), "octets": len(values) * workload.asks[0].length,
               "us": seconds * 1e6, "on_time": on_time,
               "curve": [[p, cold.percentile(values, p)] for p in clients.PERCENTILES]}
    figures.update({name: cold.percentile(values, p) for p, name in clients.KEPT.items()})
    return figures
