#!/usr/bin/env python3
"""load.py ADDRESS PORT CLIENTS FILE...: clients that ask for files on kept connections, one after the other, and look at each
answer: status, length, every byte (FILE is PATH:SHA-256 in hexadecimal). Runs until its standard input ends; prints one line of JSON a
tenth of a second with what has been answered so far, by node (field X-Node), and what has failed, with the reason. For test_farm.py."""

import collections
import hashlib
import http.client
import json
import random
import sys
import threading
import time

lock = threading.Lock()
answers = collections.Counter()
faults = []
over = threading.Event()


def asked(connection, path, digest):
    """One request. Returns the node that has answered, or raises."""
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200 or hashlib.sha256(body).hexdigest() != digest:
        raise ValueError(f"status {answer.status}, {len(body)} bytes, node {answer.getheader('X-Node')}")
    return answer.getheader("X-Node")


def client(address, port, files, seed):
    chance = random.Random(seed)
    connection = http.client.HTTPConnection(address, port, timeout=15)  # less than test_farm.WAIT_S
    while not over.is_set():
        path, digest = chance.choice(files)
        try:
            node = asked(connection, path, digest)
            with lock:
                answers[node] += 1
        except (OSError, http.client.HTTPException, ValueError) as fault:
            connection.close()
            with lock:
                faults.append(f"{path}: {type(fault).__name__}: {fault}")
        time.sleep(0.004)  # the servers are asked, not the CPU
    connection.close()


def main():
    address, port, clients = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    files = [tuple(word.rsplit(":", 1)) for word in sys.argv[4:]]
    threads = [threading.Thread(target=client, args=(address, port, files, seed)) for seed in range(clients)]
    for thread in threads:
        thread.start()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    while not over.wait(0.1):
        with lock:
            print(json.dumps({"answers": answers, "faults": faults}), flush=True)
    for thread in threads:
        thread.join()
    print(json.dumps({"answers": answers, "faults": faults, "over": True}), flush=True)


if __name__ == "__main__":
    main()
