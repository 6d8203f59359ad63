"""One run: a client against a server for some time, what both and the machine used meanwhile, and
right answers before and after."""

import dataclasses
import os
import random
import time

from . import check, clients, cold, idle, load, paced, processes, slow
from .clients import ClientFailed

NOISE_MAX = 0.15   # CPUs that others used; a run with more is noisy
WARM_UP = 0.2      # of a run, before it: connections and handshakes are made, caches filled
HANDSHAKE_OCTETS = 4096  # more than a server's part of one
BY_THEMSELVES = {"cold": cold, "load": load, "paced": paced, "slow": slow}
WARM_BUSY = 256    # from so many connections on it warms up until each could have had two answers
FULL = 0.95        # share of its CPUs from which on a client counts as the bottleneck


@dataclasses.dataclass(frozen=True)
class Bench:
    """Where measurements happen: CPUs of the servers and of the clients (empty: not bound), a
    folder for scripts, and the sequence of random numbers for what is sampled."""
    server_cpus: tuple
    client_cpus: tuple
    folder: str
    draw: random.Random

    @property
    def cpus(self):
        return set(self.server_cpus) | set(self.client_cpus) or os.sched_getaffinity(0)


class Meter:
    """What a server, its client and the machine use between two moments."""

    def __init__(self, bench, server):
        self.bench, self.server = bench, server
        self.moments = []

    def note(self, client=None):
        """Called at the beginning and at the end; `client` is a process that still runs."""
        times = os.times()
        moment = {"server": self.server.usage(), "at": time.monotonic()}
        if client is None:
            moment.update(client=times.children_user + times.children_system, received=0)
        else:
            moment.update(received=processes.octets_read(client.pid),
                          client=processes.usage(client)["cpu_s"])
        moment.update(busy=processes.busy_s(), kernel=processes.kernel_threads_s(),
                      own=times.user + times.system)
        self.moments.append(moment)

    def read(self):
        a, b = self.moments
        wall = b["at"] - a["at"]
        server = {key: b["server"][key] - a["server"][key] for key in b["server"]}
        client, own = b["client"] - a["client"], b["own"] - a["own"]
        busy = sum(b["busy"][cpu] - a["busy"][cpu] for cpu in self.bench.cpus
                   if cpu in b["busy"] and cpu in a["busy"])
        kernel = b["kernel"] - a["kernel"]
        noise = (busy - server["cpu_s"] - client - own - kernel) / wall
        return {"wall_s": wall, "server": server, "server_util": server["cpu_s"] / wall,
                "client_util": client / wall, "noise": max(0.0, noise)}

    def received(self):
        """Octets that the client has read meanwhile."""
        return self.moments[1]["received"] - self.moments[0]["received"]


def run(bench, server, workload, seconds):
    """The record of a run. Where an answer was wrong, or something failed, it has `void`, a
    sentence, and its figures do not count."""
    record = {"seconds": seconds}
    try:
        fields, size = check.check_workload(server, workload, bench.draw, whole=False)
        if workload.client == "idle":
            record.update(idle.run(bench, server, workload, seconds, _one_client))
        elif workload.client in BY_THEMSELVES:
            record.update(_by_itself(BY_THEMSELVES[workload.client], bench, server, workload,
                                     seconds))
        else:
            record.update(_one_client(bench, server, workload, seconds, fields, size))
        check.check_workload(server, workload, bench.draw, whole=False)
    except (check.WrongAnswer, ClientFailed, OSError) as error:
        record["void"] = str(error)
    return record


def client_for(bench, server, workload, fields):
    """The load generator of a workload, ready to run."""
    scheme = "https" if workload.tls else "http"
    url = f"{scheme}://127.0.0.1:{server.port_for(workload.tls)}"
    options = {"connections": workload.connections, "cpus": bench.client_cpus,
               "folder": bench.folder}
    if workload.client == "drain":
        return clients.Drain(server.port_for(workload.tls), workload.asks[0], **options)
    if workload.client == "ab":
        return clients.Ab(url + workload.asks[0].target, name=workload.name, **options)
    asks = [(ask.target, ask.fields) for ask in workload.asks]
    if len(asks) == 1:
        fields = asks[0][1] + fields
        asks = [(asks[0][0], ())]
    return clients.wrk(url + asks[0][0], asks, pipeline=workload.pipeline, fields=fields,
                       name=workload.name, script=workload.extra.get("script"), **options)


def _one_client(bench, server, workload, seconds, fields=(), size=None):
    client = client_for(bench, server, workload, fields)
    for longer in (seconds, max(2.0, 8 * seconds)):
        meter = Meter(bench, server)
        figures = client.run(longer, WARM_UP * longer, meter, _warm_octets(workload, size))
        if size is not None:
            check.check_count(workload, figures, size)
        if figures["requests"] * figures["share"] >= 1 or workload.unit == "MiB":
            break  # else the machine is so busy that no answer came in time
    found = _by_unit(workload, figures, meter, server)
    found["command"] = client.command()
    return found


def _warm_octets(workload, size):
    """What the client has read when the handshakes of its connections are over, however long they
    take: more than those, and a few answers, on each."""
    if workload.client != "wrk" or size is None:
        return 0
    if not workload.tls:
        return 2 * size * workload.connections if workload.connections >= WARM_BUSY else 0
    return workload.connections * (HANDSHAKE_OCTETS + min(3 * size, 1 << 16))


def _by_itself(client, bench, server, workload, seconds):
    """A workload that is a module of its own."""
    meter = Meter(bench, server)
    meter.note()
    figures = client.run(bench, server, workload, seconds)
    meter.note()
    return _by_unit(workload, {**figures, "share": 1.0}, meter, server)


def _by_unit(workload, figures, meter, server):
    """The client's figures in the meter's time, and the meter's by request or MiB."""
    used, share = meter.read(), figures["share"]
    own, seconds = used.pop("server"), used["wall_s"]
    requests, octets = figures["requests"] * share, figures["octets"] * share
    units = octets / (1 << 20) if workload.unit == "MiB" else requests
    if not units:
        raise ClientFailed("not one answer came")
    found = {key: value for key, value in figures.items()
             if key not in ("failed", "status_errors", "us", "share")}
    found.update(used, requests=round(requests), octets=round(octets),
                 mbs=octets / seconds / 1e6, rate=units / seconds,
                 memory_kib=server.memory_kib())
    if workload.client == "load":  # of all rates together, these would say nothing
        del found["rate"], found["mbs"]
    elif workload.client not in ("cold", "slow"):
        split = own["user_s"] + own["system_s"]
        user = own["user_s"] / split if split else 0
        cpu_us = own["cpu_s"] * 1e6 / units
        found.update(cpu_us=cpu_us, user_us=cpu_us * user, system_us=cpu_us * (1 - user),
                     waits=own["waits"] / units, preemptions=own["preemptions"] / units)
    return found
