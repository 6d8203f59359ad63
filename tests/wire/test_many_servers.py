#!/usr/bin/python3
"""Ten thousand servers at one address: each answers to its names, a request costs what it costs
with one server, and the configuration is read in a time that grows as it does."""

import os
import random
import resource
import subprocess

from wire import head, run, test

COUNT = 10_000
REQUESTS = 16_000
BATCH = 50  # pipelined
CHEAP_S = 0.3  # what REQUESTS may cost beyond three times what they cost with one server


def configuration(count):
    """Every tenth has a wildcard, too, and every hundredth a wildcard beneath that."""
    servers = []
    for number in range(count):
        names = []
        if number % 10 == 0:
            names.append(f"*.w{number}.example.org")
        if number % 100 == 0:
            names.append(f"*.deep.w{number}.example.org")
        aliases = ", ".join(f'"{name}"' for name in names)
        servers.append(f"""server "host{number}.example.org" {{
            listen = {{"@listen@"}} root = "@root@" alias_hosts = {{{aliases}}}
            headers = {{"Number: {number}"}}
        }}
        """)
    return "".join(servers)


def setup(world):
    world.root.write("a.txt", "a")
    many = world.serve(conf=configuration(COUNT), tls=False)
    many.one = world.serve(conf=configuration(1), tls=False)
    return many


def ask(server, hosts):
    """The answers to requests of these hosts, pipelined."""
    with server.connect() as connection:
        for at in range(0, len(hosts), BATCH):
            batch = hosts[at:at + BATCH]
            connection.send(b"".join(head("GET", "/a.txt", host=host) for host in batch))
            for host in batch:
                answer = connection.read_response()
                assert answer.status == 200
                yield host, answer["Number"]


@test
def each_answers_to_its_names(server):
    chosen = random.Random(1).sample(range(COUNT), 1000)
    wanted = {f"host{number}.example.org": number for number in chosen}
    for number in range(0, COUNT, 100):
        wanted[f"x.w{number}.example.org"] = number
        wanted[f"X.Y.W{number}.Example.org."] = number
        wanted[f"x.deep.w{number}.example.org"] = number
        wanted[f"w{number}.example.org"] = 0  # an asterisk stands for a label at least
        wanted[f"x.w{number + 1}.example.org"] = 0
    for host, number in ask(server, list(wanted)):
        assert number == str(wanted[host]), host


def cpu_of(server, hosts):
    before = server.cpu_s()
    for _ in ask(server, hosts):
        pass
    return server.cpu_s() - before


@test
def a_request_costs_what_it_costs_with_one(server):
    """Names are looked up, not searched: one by one it took 240 to 660 us for each request."""
    draw = random.Random(2)
    hosts = [f"host{draw.randrange(COUNT)}.example.org" for _ in range(REQUESTS // 2)]
    hosts += [f"unknown{number}.w{number}.example.org" for number in range(REQUESTS // 2)]
    many, one = cpu_of(server, hosts), cpu_of(server.one, hosts)
    assert many < 3 * one + CHEAP_S, (many, one)


def load_cpu(server, count):
    """CPU time of -t for so many servers, half of them at an address of their own."""
    parts = configuration(count).replace("@root@", server.world.root.path).split("@listen@")
    path = os.path.join(server.world.path, f"load-{count}.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(parts[0])
        for number, part in enumerate(parts[1:]):
            own = number if number % 2 == 0 else 0
            file.write(f"127.0.{own // 256}.{own % 256}:8080{part}")
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run([server.argv[0], "-t", "-c", path], check=True, capture_output=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


@test
def loading_grows_as_the_configuration_does(server):
    """Four times as many take four times as long, and not sixteen times."""
    few, many = load_cpu(server, 2_000), load_cpu(server, 8_000)
    assert many < 8 * few + 0.1, (few, many)


if __name__ == "__main__":
    run(setup)
