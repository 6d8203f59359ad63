#!/usr/bin/env python3
"""test_farm.py SERVER: HAProxy with deploy/haproxy/haproxy.cfg in front of four nodes on different engines, each in a network namespace
of its own, while clients in another one ask and look at every answer. A node is drained, one shifted, one upgraded, one killed, one cut off and
back, a fifth added by HAProxy's runtime API. Nothing may be lost but what was on its way from the killed node.

Changed of that configuration are addresses, TLS (which tests/client has), and how often a node is asked for its health. Needs root, ip and haproxy,
else it is skipped (77). Waits for events; no time is asserted."""

import contextlib
import csv
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

TREE = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
PREFIX = f"gs{os.getpid()}"
NET = "10.77"
CLIENTS = 8
WAIT_S = 30
ENGINES = {1: "reactor", 2: "multi-reactor", 3: "auto", 4: "thread-per-connection", 5: "coroutine"}
NODE = """
engine = {engine}
engine_fallback = on
processes = 1
user = root
allow_root = on
control = "{folder}/control"
access_log = "{folder}/access.log"
access_log_format = json
trusted = {{"{net}.{number}.1"}}
drain_delay = 2s
drain_timeout = 10s
keepalive_timeout = 90s
server "www.example.org" {{
    alias_hosts = {{"health"}}
    listen = {{"{net}.{number}.2:8080 proxy_protocol"}}
    root = "{root}"
    health = "/healthz"
    headers = {{"X-Node: {number}"}}
}}
"""


def ip(*words):
    subprocess.run(("ip", *words), check=True, capture_output=True)


def eventually(what, condition):
    """Waits until the condition holds; its last value is in the sentence when it does not."""
    end = time.monotonic() + WAIT_S
    while not (value := condition()):
        assert time.monotonic() < end, f"{what}: {value!r}"
        time.sleep(0.05)
    return value


class Namespace:
    """A machine: a network namespace with one link to the balancer's."""

    def __init__(self, name, number, balancer=None):
        self.name, self.number = f"{PREFIX}{name}", number
        ip("netns", "add", self.name)
        ip("-n", self.name, "link", "set", "lo", "up")
        if balancer:
            ip("-n", balancer.name, "link", "add", f"v{number}", "type", "veth", "peer", "name", "eth0", "netns", self.name)
            ip("-n", balancer.name, "addr", "add", f"{NET}.{number}.1/24", "dev", f"v{number}")
            ip("-n", self.name, "addr", "add", f"{NET}.{number}.2/24", "dev", "eth0")
            ip("-n", balancer.name, "link", "set", f"v{number}", "up")
            ip("-n", self.name, "link", "set", "eth0", "up")

    def start(self, *command, **options):
        return subprocess.Popen(("ip", "netns", "exec", self.name, *command), start_new_session=True, **options)

    def remove(self):
        subprocess.run(("ip", "netns", "del", self.name), check=False)


class Node:
    """A gearshift in a namespace."""

    def __init__(self, world, number):
        self.world, self.number = world, number
        self.space = Namespace(f"n{number}", number, world.balancer)
        self.folder = world.folder / f"node{number}"
        self.folder.mkdir()
        self.conf = self.folder / "server.conf"
        self.conf.write_text(NODE.format(engine=ENGINES[number], folder=self.folder, net=NET, number=number, root=world.root))
        self.process = None
        self.start()

    def start(self):
        with open(self.folder / "output", "ab") as output:
            self.process = self.space.start(self.world.server, "-c", self.conf, stdout=output, stderr=output)
        eventually(f"node {self.number} has an answer for orders", lambda: self.order("status").returncode == 0)

    def order(self, *words):
        return subprocess.run((self.world.server, *words, "--control", self.folder / "control"), capture_output=True, text=True,
                              timeout=WAIT_S, check=False)

    def must(self, *words):
        done = self.order(*words)
        assert done.returncode == 0, (words, done)

    def kill(self):
        """The supervisor and its workers, at once: a machine that is off."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(WAIT_S)

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(WAIT_S)
        self.space.remove()

    def logged(self):
        """What its access log says: (client, path, status) of each request but those for its health."""
        with open(self.folder / "access.log", encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        return [line for line in lines if " /healthz " not in line["request"]]


class Load:
    """Clients in a namespace of their own."""

    def __init__(self, world, paths):
        files = [f"/{path.name}:{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in paths]
        self.process = world.client.start(sys.executable, "-B", HERE / "load.py", f"{NET}.100.1", "80", str(CLIENTS), *files,
                                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.last = {"answers": {}, "faults": []}
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.last = json.loads(line)

    def faults(self):
        return self.last["faults"]

    def answers(self, number):
        return self.last["answers"].get(str(number), 0)

    def goes_on(self, numbers, more=20):
        """Until each of these nodes has answered some more."""
        before = {number: self.answers(number) for number in numbers}
        eventually(f"answers of {numbers}", lambda: all(self.answers(n) >= before[n] + more for n in numbers))

    def stop(self):
        self.process.stdin.close()
        self.process.wait(WAIT_S)
        return eventually("the last line", lambda: self.last if self.last.get("over") else None)


class World:
    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.root = folder / "www"
        self.root.mkdir()
        self.paths = []
        for size in (100, 5000, 70000, 600000):
            path = self.root / f"{size}.bin"
            path.write_bytes(bytes((i * 7 + size) % 251 for i in range(size)))
            self.paths.append(path)
        self.nodes, self.haproxy, self.load = {}, None, None
        self.balancer = Namespace("lb", 0)
        self.client = Namespace("client", 100, self.balancer)

    def start(self):
        for number in range(1, 5):
            self.nodes[number] = Node(self, number)
        text = (TREE / "deploy/haproxy/haproxy.cfg").read_text(encoding="utf-8")
        text = re.sub(r"^    (bind :443 .*|http-request redirect .*|log .*)\n", "", text, flags=re.MULTILINE)
        text = text.replace("/run/haproxy/admin.sock", f"{self.folder}/admin.sock").replace("inter 1s", "inter 200ms").replace(" slowstart 10s", "")
        text = text.replace("maxconn 100000", "maxconn 1000")  # descriptors that a test may not have
        text = text.replace("bind :80", f"bind {NET}.100.1:80")
        text = re.sub(r"192\.0\.2\.1(\d):", rf"{NET}.\1.2:", text)
        (self.folder / "haproxy.cfg").write_text(text)
        with open(self.folder / "haproxy.log", "wb") as output:
            self.haproxy = self.balancer.start("haproxy", "-db", "-f", self.folder / "haproxy.cfg", stdout=output, stderr=output)
        eventually("HAProxy listens", (self.folder / "admin.sock").exists)
        eventually("all nodes are up", lambda: all(self.is_up(number) for number in self.nodes))

    def ask(self, command):
        """One command of HAProxy's runtime API, and what it says."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(self.folder / "admin.sock"))
            sock.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: sock.recv(65536), b"")).decode()

    def row(self, name):
        rows = csv.DictReader(self.ask("show stat").removeprefix("# ").splitlines())
        return next(row for row in rows if (row["pxname"], row["svname"]) == ("farm", name))

    def is_up(self, number):
        row = self.row(f"node{number}")
        return row["status"] == "UP" and row["check_status"] == "L7OK"

    def is_down(self, number):
        return self.row(f"node{number}")["status"].startswith("DOWN")

    def end(self):
        for process in (self.load and self.load.process, self.haproxy):
            if process and process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(WAIT_S)
        for node in self.nodes.values():
            node.stop()
        for space in (self.client, self.balancer):
            space.remove()


def drained(world):
    """One node goes, announced: HAProxy looks away while it still serves, and nobody loses anything. And it comes back."""
    node = world.nodes[1]
    node.must("drain")
    assert world.is_down(1), "the balancer was not told before the node ended"
    node.process.wait(WAIT_S)
    world.load.goes_on((2, 3, 4))
    node.start()
    eventually("node 1 is up again", lambda: world.is_up(1))
    world.load.goes_on((1,))


def shifted(world):
    """Another engine: the balancer does not even see it."""
    changes = world.row("node2")["chkdown"]
    for engine in ("coroutine", "reactor-pool"):
        world.nodes[2].must("shift", engine)
        world.load.goes_on((2,))
    world.nodes[2].must("reload")
    world.load.goes_on((2,))
    assert world.row("node2")["chkdown"] == changes


def upgraded(world):
    """Another binary in the same process."""
    changes = world.row("node3")["chkdown"]
    world.nodes[3].must("upgrade")
    world.load.goes_on((3,))
    assert world.row("node3")["chkdown"] == changes


def cut_off(world):
    """A link that fails and comes back: its requests wait or go elsewhere; the node is down, and up again."""
    ip("-n", world.nodes[2].space.name, "link", "set", "eth0", "down")
    eventually("node 2 is down", lambda: world.is_down(2))
    world.load.goes_on((1,), 5)
    ip("-n", world.nodes[2].space.name, "link", "set", "eth0", "up")
    eventually("node 2 is up again", lambda: world.is_up(2))
    world.load.goes_on((2,))


def added(world):
    """A fifth node, without a restart of the balancer."""
    world.nodes[5] = Node(world, 5)
    for command in (f"add server farm/node5 {NET}.5.2:8080 check inter 200ms fall 2 rise 2 send-proxy-v2 check-send-proxy maxconn 20000",
                    "enable health farm/node5", "enable server farm/node5"):
        said = world.ask("experimental-mode on; " + command)
        assert "rror" not in said and "nknown" not in said, said
    world.load.goes_on((5,))


def killed(world):
    """A machine that is off at once. Lost is at most the answer that each client was just getting."""
    world.nodes[4].kill()
    eventually("node 4 is down", lambda: world.is_down(4))
    world.load.goes_on((1, 2, 3))
    return len(world.load.faults())


def logs_agree(world, last, lost):
    """Every node had its share, knows the client's own address, and has a line for each answer that came."""
    total = sum(last["answers"].values())
    for number, node in world.nodes.items():
        node.must("stop") if number != 4 else None
        lines = node.logged()
        assert {line["peer"] for line in lines} == {f"{NET}.100.2"}, (number, {line["peer"] for line in lines})
        if number != 4:  # what a killed process has not written yet is gone with it
            more = len(lines) - last["answers"][str(number)]
            assert 0 <= more <= CLIENTS + lost, (number, len(lines), last["answers"])
        if number in (1, 2, 3):
            assert len(lines) > total / 20, (number, len(lines), total)


@contextlib.contextmanager
def ended(world, *logs):
    """Ends the world at the end; where that is a failure, prints the logs and what the nodes have said of late."""
    try:
        yield
    except BaseException:
        for log in logs:
            print(log.read_text(), file=sys.stderr)
        for node in world.nodes.values():
            print(f"--- node {node.number}\n" + (node.folder / "output").read_text()[-3000:], file=sys.stderr)
        raise
    finally:
        world.end()


def main():
    server = os.path.abspath(sys.argv[1])
    missing = [name for name in ("ip", "haproxy") if not shutil.which(name)]
    if os.geteuid() != 0 or missing:
        print(f"skipped: {missing[0] + ' is missing' if missing else 'network namespaces need root'}")
        return 77
    if subprocess.run(("unshare", "-n", "true"), check=False, stderr=subprocess.DEVNULL).returncode != 0:
        print("skipped: no network namespaces here")
        return 77
    with tempfile.TemporaryDirectory(prefix="gearshift-farm-") as folder:
        world = World(server, pathlib.Path(folder))
        with ended(world, world.folder / "haproxy.log"):
            world.start()
            world.load = Load(world, world.paths)
            world.load.goes_on((1, 2, 3, 4))
            for step in (drained, shifted, upgraded, added, cut_off):
                began = time.monotonic()
                step(world)
                print(f"{step.__name__}: {time.monotonic() - began:.1f} s, {sum(world.load.last['answers'].values())} answers", flush=True)
                assert not world.load.faults(), (step.__name__, world.load.faults())
            lost = killed(world)
            last = world.load.stop()
            print(f"killed: lost {lost}; all: {last}")
            assert len(last["faults"]) == lost <= CLIENTS, last
            logs_agree(world, last, lost)
    return 0


if __name__ == "__main__":
    sys.exit(main())
