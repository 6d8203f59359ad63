#!/usr/bin/python3
"""A thousand servers with redirects of their own, a thousand redirects and 20,000 rules of a _redirects in one of them,
and a map of 100,000, asked by many clients at a time: each gets its own answer."""

import random
import threading

from wire import head, run, test

SERVERS = 1000
REDIRECTS = 1000
RULES = 20_000
KEYS = 100_000
CLIENTS = 24
REQUESTS = 200  # of each client
BATCH = 20  # pipelined


def configuration():
    parts = ['map "$uri" "$moved" { file = "@root@/moved.map" }\n']
    for number in range(SERVERS):
        first = number == 0
        redirects = range(REDIRECTS if first else 2)
        parts.append(f"""server "host{number}.example.org" {{ listen = {{"@listen@"}} root = "@root@"
            return = "302 $moved" {"redirects_file = on" if first else ""}
            {" ".join(f'redirect "/r{i}" {{ to = "/n{number}/{i}" }}' for i in redirects)} }}
        """)
    return "".join(parts)


def setup(world):
    root = world.root
    root.write("a.txt", "a")
    root.write("moved.map", "".join(f"/old/{i} /new/{i};\n" for i in range(KEYS)))
    root.write("_redirects", "".join(f"/f{i}/* /g{i}/:splat 307\n/p{i} /q{i} 307!\n" for i in range(RULES // 2)))
    return world.serve(conf=configuration(), tls=False)


def request(draw):
    """A host, a path, and what is answered: a status, and a Location."""
    number = draw.randrange(SERVERS) if draw.random() < 0.5 else 0
    kind, i = draw.randrange(6), draw.randrange(REDIRECTS if number == 0 else 2)
    if kind == 0:
        return number, f"/r{i}", 301, f"/n{number}/{i}"
    if kind == 1:
        key = draw.randrange(KEYS)
        return number, f"/OLD/{key}", 302, f"/new/{key}"
    if kind == 2:
        return number, "/a.txt", 200, None
    rule = draw.randrange(RULES // 2)
    if number != 0:
        return number, f"/p{rule}", 404, None
    return (0, f"/p{rule}", 307, f"/q{rule}") if kind < 5 else (0, f"/f{rule}/x/y", 307, f"/g{rule}/x/y")


def ask(server, seed, faults):
    draw = random.Random(seed)
    with server.connect() as connection:
        for _ in range(REQUESTS // BATCH):
            batch = [request(draw) for _ in range(BATCH)]
            connection.send(b"".join(head("GET", path, host=f"host{number}.example.org")
                                     for number, path, *_ in batch))
            for row in batch:
                answer = connection.read_response()
                if (answer.status, answer.get("Location")) != row[2:]:
                    faults.append((row, answer))


@test
def each_client_gets_its_answers(server):
    faults = []
    clients = [threading.Thread(target=ask, args=(server, seed, faults)) for seed in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert not faults, faults[:3]


if __name__ == "__main__":
    run(setup)
