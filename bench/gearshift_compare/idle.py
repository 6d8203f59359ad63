"""Connections that stay open and ask nothing: what each takes of memory, and what they cost those
that do ask."""

import socket
import time

from . import check, processes, request

BATCH = 500
SETTLE_S = 0.2
PORTS = 20_000   # connections from one address, which has fewer than 30,000 ports


def run(bench, server, workload, seconds, one_client):
    """Holds connections on a server just started, and measures others beside them."""
    count, ask = workload.extra["idle"], workload.asks[0]
    request.ask(server.port, ask.target)
    time.sleep(SETTLE_S)
    before, kernel_before = server.memory_kib(), processes.kernel_kib(server.process)
    held = []
    try:
        hold(server.port, ask, count, held)
        time.sleep(SETTLE_S)
        taken = (server.memory_kib() - before) / max(1, count)
        in_kernel = (processes.kernel_kib(server.process) - kernel_before) / max(1, count)
        cpu_s, began = server.usage()["cpu_s"], time.monotonic()
        time.sleep(SETTLE_S)
        idle_cpu = (server.usage()["cpu_s"] - cpu_s) / (time.monotonic() - began)
        found = one_client(bench, server, workload, seconds)
        lost = count - alive(held)
        if lost:
            raise check.WrongAnswer(f"{lost} of {count} idle connections were closed")
    finally:
        for connection in held:
            connection.close()
    if count == 0:
        return {**found, "idle_util": idle_cpu}
    return {**found, "connection_kib": max(0.0, taken), "idle_util": idle_cpu,
            "kernel_kib": in_kernel, "held_kib": max(0.0, taken) + max(0.0, in_kernel)}


def hold(port, ask, count, ret_held):
    """Opens connections, each of which gets one answer; they are appended as they are made."""
    for first in range(0, count, BATCH):
        batch = []
        for _ in range(min(BATCH, count - first)):
            at = len(ret_held) // PORTS
            connection = request.connect(port, source=f"127.0.0.{at + 1}" if at else "")
            ret_held.append(connection)
            connection.sendall(request.head(ask.target, ask.fields))
            batch.append(connection)
        for connection in batch:
            status, _, _ = request.read_answer(connection)
            if status != 200:
                raise check.WrongAnswer(f"GET {ask.target}: status {status} instead of 200")


def alive(connections):
    """How many the server has not closed."""
    count = 0
    for connection in connections:
        connection.setblocking(False)
        try:
            count += connection.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            count += 1
        except OSError:
            pass
    return count
