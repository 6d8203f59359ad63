#!/usr/bin/python3
"""The same conversations with every engine and variant: the same octets come back, but for the date
and what is drawn at random."""

import contextlib
import itertools
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "wire"))

from wire import eventually, run, test, uring  # noqa: E402
from conversations import Conversation  # noqa: E402

RUNS = ("reactor", "reactor file_io=read", "reactor-pool", "reactor-pool pool_work=file",
        "multi-reactor threads=2", "multi-reactor threads=2 accept=handoff",
        "multi-reactor threads=2 accept=shared", "proactor", "proactor file_io=read",
        "proactor file_io=splice", "proactor threads=2",
        "reactor file_jobs=posix-aio file_io=read", "reactor file_jobs=linux-aio",
        "reactor file_jobs=io_uring file_io=read")
SECONDS = 20
MASKS = ((re.compile(rb"(?m)^Date: [^\r\n]*"), b"Date: "),
         (re.compile(rb"boundary=[0-9a-f]*"), b"boundary="),
         (re.compile(rb"--[0-9a-f]{0,16}"), b"--"))


def masked(data, port):
    """With what may differ blanked out, at equal length, so that also beginnings can be compared."""
    data = data.replace(b":%d/" % port, b":00000/")
    for pattern, kept in MASKS:
        data = pattern.sub(lambda match, kept=kept: kept.ljust(len(match[0]), b"*"), data)
    return data


def hold(server, conversation):
    """What the server says, masked."""
    with server.connect(receive_buffer=conversation.receive_buffer) as connection:
        with contextlib.suppress(OSError):  # a refusal may end it in the middle (ENOTCONN, too)
            for pause_s, data in conversation.pieces:
                time.sleep(pause_s)
                connection.send(data)
            if conversation.end == "half-close":
                connection.half_close()
        if conversation.end in ("half-close", "close field"):
            return masked(connection.read_to_end(), server.port)
        data = b""
        with contextlib.suppress(ConnectionError, TimeoutError):
            connection.sock.settimeout(1)
            while len(data) < conversation.read_max and (more := connection.receive()):
                data += more
        if conversation.end == "reset":
            connection.reset()
        return masked(data, server.port)


def difference(said):
    """Where two answers differ, in words; None: they do not."""
    for (one, first), (other, second) in itertools.combinations(said.items(), 2):
        if first != second:
            at = next((i for i, pair in enumerate(zip(first, second)) if pair[0] != pair[1]),
                      min(len(first), len(second)))
            around = slice(max(0, at - 200), at + 100)
            return (f"at octet {at}\n  {one} ({len(first)}): {first[around]!r}\n"
                    f"  {other} ({len(second)}): {second[around]!r}")
    return None


def setup(world):
    world.root.write("small.txt", "small\n")
    world.root.write("empty.txt", "")
    world.root.pattern("page.html", 5_000)
    world.root.pattern("medium.bin", 100_000)
    world.root.pattern("large.bin", 1_500_000)
    world.root.write("folder/file name.txt", "in a folder\n")
    world.root.write(".hidden", "hidden")
    world.outside.write("secret", "secret")
    servers = {}
    for name in RUNS:
        engine, *settings = name.split()
        if reason := uring.refuses(engine, settings):
            print(f"skip {name}: {reason}")
            continue
        settings = dict(setting.split("=") for setting in settings)
        servers[name] = world.serve(settings={"autoindex": "on", **settings},
                                    arguments=["--engine", engine])
    return servers


@test
def all_say_the_same(servers):
    end = time.monotonic() + SECONDS
    descriptors = {name: server.descriptors() for name, server in servers.items()}
    first_seed = int(os.environ.get("DIFF_SEED", "1"))
    for seed in itertools.count(first_seed):
        conversation = Conversation(seed)
        with ThreadPoolExecutor(len(servers)) as pool:
            said = dict(zip(servers, pool.map(lambda server: hold(server, conversation),
                                              servers.values())))
        if conversation.end in ("reset", "leave"):  # how much had come by then is up to chance
            least = min(map(len, said.values()))
            said = {name: data[:least] for name, data in said.items()}
        found = difference(said)
        assert not found, f"seed {seed}, {conversation.end}: {found}"
        if time.monotonic() > end and seed >= first_seed + 50:
            break
    print(f"# {seed - first_seed + 1} conversations")
    for name, server in servers.items():
        assert eventually(lambda: server.descriptors() <= descriptors[name] + 30), name


if __name__ == "__main__":
    run(setup)
