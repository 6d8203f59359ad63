#!/usr/bin/env python3
"""test_keepalived.py SERVER: two nodes share an address with deploy/keepalived/keepalived.conf, each in a network namespace, and a client on the
same bridge asks at that address. The first drains: its /healthz says 503, the address moves while it still serves, and at most the answers are lost that were on their
way in that moment: a connection does not move with an address. Needs root, ip,
keepalived and curl, else it is skipped (77). The configuration's addresses and times are other ones, and its script asks the node itself."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import test_farm
from test_farm import TREE, Load, Namespace, eventually, ip

NET = "10.77.100"  # the load asks at 10.77.100.1
NODE = """
engine = reactor
processes = 1
user = root
allow_root = on
control = "{folder}/control"
drain_delay = 6s
drain_timeout = 5s
keepalive_requests = 1
server "www.example.org" {{
    listen = {{":80"}}
    root = "{root}"
    health = "/healthz"
    headers = {{"X-Node: {number}"}}
}}
"""


class Node:
    """A gearshift and a keepalived on the bridge."""

    def __init__(self, world, number):
        self.world, self.number = world, number
        world.nodes[number] = self  # whatever happens below, this is ended
        self.server = self.keepalived = None
        self.space = Namespace(f"k{number}", number)
        world.plug(self.space, 10 + number)
        self.folder = world.folder / f"node{number}"
        self.folder.mkdir()
        conf = self.folder / "server.conf"
        conf.write_text(NODE.format(folder=self.folder, root=world.root, number=number))
        text = (TREE / "deploy/keepalived/keepalived.conf").read_text(encoding="utf-8")
        for old, new in (("http://127.0.0.1:8404/healthz", "http://127.0.0.1/healthz"), ("192.0.2.10/24", f"{NET}.1/24"),
                         ("unicast_src_ip 192.0.2.1", f"unicast_src_ip {NET}.{10 + number}"), ("192.0.2.2", f"{NET}.{13 - number}"),
                         ("advert_int 1", "advert_int 0.3"), ("preempt_delay 30", "nopreempt"), ("state MASTER", "state BACKUP"),
                         ("priority 150", f"priority {160 - 10 * number}"), ("script_user nobody", "script_user root")):
            assert old in text, old
            text = text.replace(old, new)
        (self.folder / "keepalived.conf").write_text(text)
        with open(self.folder / "output", "ab") as output:
            self.server = self.space.start(world.server, "-c", conf, stdout=output, stderr=output)
            eventually("node answers", lambda: self.order("status").returncode == 0)
            self.keepalived = self.space.start(world.keepalived, "-n", "-l", "-D", "-P", "-f", self.folder / "keepalived.conf",
                                               "-p", self.folder / "k.pid", "-r", self.folder / "v.pid", stdout=output, stderr=output)

    def order(self, *words):
        return subprocess.run((self.world.server, *words, "--control", self.folder / "control"), capture_output=True, text=True,
                              timeout=test_farm.WAIT_S, check=False)

    def has_address(self):
        return f"{NET}.1/24" in subprocess.run(("ip", "-n", self.space.name, "addr"), capture_output=True, text=True, check=True).stdout

    def stop(self):
        for process in (self.keepalived, self.server):
            if process and process.poll() is None:
                process.terminate()
                process.wait(test_farm.WAIT_S)
        self.space.remove()


class World:
    def __init__(self, server, keepalived, folder):
        self.server, self.keepalived, self.folder = server, keepalived, folder
        self.root = folder / "www"
        self.root.mkdir()
        self.bridge, self.nodes, self.load = Namespace("br", 0), {}, None
        ip("-n", self.bridge.name, "link", "add", "br0", "type", "bridge")
        ip("-n", self.bridge.name, "link", "set", "br0", "up")
        self.client = Namespace("kc", 99)
        self.plug(self.client, 20)

    def plug(self, space, host):
        ip("-n", self.bridge.name, "link", "add", f"v{host}", "type", "veth", "peer", "name", "eth0", "netns", space.name)
        ip("-n", self.bridge.name, "link", "set", f"v{host}", "master", "br0", "up")
        ip("-n", space.name, "addr", "add", f"{NET}.{host}/24", "dev", "eth0")
        ip("-n", space.name, "link", "set", "eth0", "up")

    def end(self):
        if self.load and self.load.process.poll() is None:
            self.load.process.terminate()
            self.load.process.wait(test_farm.WAIT_S)
        for node in self.nodes.values():
            node.stop()
        for space in (self.client, self.bridge):
            space.remove()


def moves(world):
    path = world.root / "a.bin"
    path.write_bytes(bytes(range(256)) * 20)
    for number in (1, 2):
        Node(world, number)
    first = eventually("a node has the address", lambda: next((n for n in (1, 2) if world.nodes[n].has_address()), None))
    if first == 2:  # it was there first, and keeps it
        world.nodes[1], world.nodes[2] = world.nodes[2], world.nodes[1]
    one, two = world.nodes[1], world.nodes[2]
    world.load = Load(world, [path])
    world.load.goes_on((one.number,))
    drain = subprocess.Popen((world.server, "drain", "--control", one.folder / "control"), stdout=subprocess.DEVNULL)
    eventually("the address moves", lambda: two.has_address() and not one.has_address())
    world.load.goes_on((two.number,))
    assert drain.wait(test_farm.WAIT_S) == 0
    return world.load.stop()


def main():
    server, keepalived = os.path.abspath(sys.argv[1]), shutil.which("keepalived", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if os.geteuid() != 0 or not keepalived or not shutil.which("ip") or not os.path.exists("/usr/bin/curl"):
        print("skipped: needs root, ip, keepalived and /usr/bin/curl")
        return 77
    if subprocess.run(("unshare", "-n", "ip", "link", "add", "br0", "type", "bridge"), check=False, stderr=subprocess.DEVNULL).returncode != 0:
        print("skipped: no network namespaces with bridges here")
        return 77
    with tempfile.TemporaryDirectory(prefix="gearshift-keepalived-") as folder:
        world = World(server, keepalived, pathlib.Path(folder))
        with test_farm.ended(world):
            last = moves(world)
            print(last)
            # One answer of each client, and one more where it asks again before the bridge has learned of the move.
            assert len(last["faults"]) <= 2 * test_farm.CLIENTS, last["faults"]
    return 0


if __name__ == "__main__":
    sys.exit(main())
