#!/usr/bin/python3
"""The engine is changed at full load, from each to each, and no client notices."""

import asyncio
import os
import unittest

from supervised import Supervised

ENGINES = ("reactor", "reactor-pool", "multi-reactor", "leader-followers", "proactor", "coroutine",
           "thread-per-connection", "thread-pool", "process-per-connection")
ALIASES = ("select", "poll", "sigio", "aio", "polling", "emulated-proactor")


def all_pairs(names):
    """A walk that goes from each to each other once, and ends where it began (an Eulerian circuit
    of the complete directed graph, Hierholzer)."""
    rest = {name: [other for other in names if other != name] for name in names}
    stack, walk = [names[0]], []
    while stack:
        here = stack[-1]
        if rest[here]:
            stack.append(rest[here].pop())
        else:
            walk.append(stack.pop())
    return walk[::-1]


class Pairs(Supervised):
    def shift_through(self, walk, **load):
        # Each connection of these may need a thread.
        server = self.supervise("-e", walk[0], text="workers = 400\ndrain_timeout = 20s")

        async def work():
            for engine in walk[1:]:
                told = await self.order_meanwhile("shift", engine)
                self.assertIn(f"engine {engine},", told)
                await asyncio.sleep(0.05)
        clients = self.under_load(server, work, **load)
        self.assert_nothing_lost(clients)
        self.assert_one_generation(server)
        self.assertEqual(server.stop(), 0)

    def test_each_to_each(self):
        self.need_engine("proactor")
        walk = all_pairs(ENGINES)
        self.assertEqual(len(walk), len(ENGINES) * (len(ENGINES) - 1) + 1)
        self.shift_through(walk, kept=40, idle=40, rate=400, new=60)

    def test_means(self):
        self.need_engine("proactor")
        walk = ["reactor"]
        for alias in ALIASES:
            walk += [alias, "multi-reactor"]
        self.shift_through(walk, kept=40, idle=40, rate=400, new=60)

    def test_many_processes(self):
        server = self.supervise(text="processes = 3\naccept = shared")
        self.assert_one_generation(server, 3)

        async def work():
            for engine in ("multi-reactor", "coroutine", "reactor"):
                await self.order_meanwhile("shift", engine)
            self.conf("processes = 1")
            await self.order_meanwhile("reload")
            self.conf("processes = 2")
            await self.order_meanwhile("reload")
        clients = self.under_load(server, work)
        self.assert_nothing_lost(clients)
        self.assert_one_generation(server, 2)
        self.assertEqual(os.waitpid(-1, os.WNOHANG)[0], 0)


if __name__ == "__main__":
    unittest.main()
