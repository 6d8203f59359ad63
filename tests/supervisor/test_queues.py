#!/usr/bin/python3
"""Fewer loops, and fewer processes: the queue of each listening socket is inherited, so that whoever
connects is accepted, whether the kernel moves connections out of a closed socket's queue
(net.ipv4.tcp_migrate_req) or not."""

import asyncio
import ctypes
import fcntl
import os
import signal
import socket
import struct
import unittest

from secured import Secured
from supervised import BODY, Load, wait_until

MIGRATE = "/proc/sys/net/ipv4/tcp_migrate_req"
CLONE_NEWNET, SIOCSIFFLAGS, IFF_UP = 0x40000000, 0x8914, 1

# What reloads ask for, one after another.
STEPS = ("threads = 1", "threads = 4", "threads = 1\nprocesses = 3", "threads = 1", "threads = 4",
         "threads = 2\naccept = shared", "threads = 3", "threads = 2\nprocesses = 2",
         "engine = reactor", "threads = 4", "engine = thread-per-connection\nworkers = 300",
         "threads = 1")


def enter_own_network():
    """This process, and its children, have a network of their own: with a loopback device, and with
    sysctls that are nobody else's."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise unittest.SkipTest(f"unshare(CLONE_NEWNET): {os.strerror(ctypes.get_errno())}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        fcntl.ioctl(device, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def stands_still(pid):
    """Are all threads of the process stopped?"""
    states = set()
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/stat", encoding="ascii") as file:
            states.add(file.read().rpartition(")")[2].split()[0])
    return states == {"T"}


def setUpModule():
    enter_own_network()


class Queues(Secured):
    def reload_through(self, engine, migrates):
        self.need_engine(engine)
        try:
            with open(MIGRATE, "w", encoding="ascii") as file:
                file.write(str(migrates))
        except OSError as error:
            self.skipTest(f"{MIGRATE}: {error}")
        server = self.supervise(text=f"engine = {engine}\nthreads = 4\ndrain_timeout = 3s",
                                addresses=2)

        async def work():
            for step in STEPS:
                if not step.startswith("engine"):
                    step = f"engine = {engine}\n{step}"
                self.conf(step + "\ndrain_timeout = 3s")
                await self.order_meanwhile("reload")
                await asyncio.sleep(0.1)

        async def both():
            plain = Load(server.address, BODY, kept=0, idle=0, new=200)
            secured = Load(self.secured_address(server), BODY, kept=0, idle=0, new=100,
                           context=self.context())
            done = asyncio.Event()

            async def work_once():
                await work()
                done.set()
            await asyncio.gather(plain.run(work_once), secured.run(done.wait))
            return plain, secured
        counted = asyncio.run(both())
        status, said = server.stop(), server.stderr()
        for clients in counted:
            self.assertGreater(clients.counts["answered"], 100)
            self.assert_nothing_lost(clients, **({"told": 0} if clients.context else {}))
        self.assertEqual(status, 0)
        self.assertNotRegex(said, "killed|error")

    def freeze(self, engine, before, after):
        """Clients wait in all queues of a worker that accepts nobody and never will again."""
        server = self.supervise(text=f"engine = {engine}\n{before}", addresses=2)
        old = self.workers(server)
        for pid in old:
            os.kill(pid, signal.SIGSTOP)
            self.assertTrue(wait_until(lambda pid=pid: stands_still(pid)))
        clients = [server.connect() for _ in range(40)]
        for client in clients:
            self.addCleanup(client.close)
            client.sendall(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.conf(f"engine = {engine}\n{after}")
        self.assert_done("reload")
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        for client in clients:
            self.assertEqual(client.recv(15), b"HTTP/1.1 200 OK")
        server.stop()

    def test_frozen(self):
        # Not proactor: a ring accepts while its process stands still.
        for engine in ("multi-reactor", "emulated-proactor"):
            for before, after in (("threads = 4", "threads = 1"), ("processes = 3", "processes = 1"),
                                  ("threads = 3", "threads = 2\naccept = shared"),
                                  ("threads = 2", "threads = 3")):
                with self.subTest(engine=engine, before=before, after=after):
                    self.freeze(engine, before, after)

    def test_one_stands_still(self):
        """Of two processes with one queue, either accepts when the other does not."""
        for engine in ("reactor", "reactor-pool", "leader-followers", "coroutine",
                       "emulated-proactor", "thread-per-connection", "thread-pool",
                       "process-per-connection", "select", "poll", "sigio", "aio", "polling"):
            shared = "\naccept = shared" if engine == "emulated-proactor" else ""
            with self.subTest(engine):
                self.control = self.path(f"control.{engine}")
                server = self.supervise(text=f"engine = {engine}\nprocesses = 2{shared}",
                                        addresses=2)
                for pid in self.workers(server):
                    os.kill(pid, signal.SIGSTOP)
                    self.assertTrue(wait_until(lambda pid=pid: stands_still(pid)))
                    self.assertEqual(server.get("/a.txt"), (200, BODY))
                    os.kill(pid, signal.SIGCONT)
                self.assertEqual(server.stop(), 0)

    def test_unix_socket_of_sigio(self):
        """All threads are told of its clients."""
        path = self.path("g.sock")
        file = self.conf("engine = multi-reactor\nthreads = 3\ndemultiplexer = sigio")
        self.write("server.conf", self.read("server.conf").replace(
            '"127.0.0.1:0"', f'"unix:{path}"', 1))
        self.conf = lambda *_: file
        server = self.supervise(addresses=2)
        for _ in range(20):
            self.assertEqual(server.get("/a.txt"), (200, BODY))


def of(engine, migrates):
    return lambda self: self.reload_through(engine, migrates)


for ENGINE in ("multi-reactor", "proactor"):
    for MIGRATES in (0, 1):
        setattr(Queues, f"test_{ENGINE.replace('-', '_')}_migrate_{MIGRATES}", of(ENGINE, MIGRATES))


if __name__ == "__main__":
    unittest.main()
