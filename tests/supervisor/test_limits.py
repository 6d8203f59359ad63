#!/usr/bin/python3
"""What two generations need at the same time, and a limit that has room for one of them."""

import asyncio
import resource
import unittest

from supervised import Supervised, wait_until

AIO_MAX = "/proc/sys/fs/aio-max-nr"


class Limits(Supervised):
    def test_aio(self):
        """Three processes have their room, and of three more one: a reload fails when some of its
        workers serve already, which then finish what they have accepted."""
        with open(AIO_MAX, encoding="ascii") as file:
            each = int(file.read()) * 3 // 14
        if each + 1000 > resource.getrlimit(resource.RLIMIT_NOFILE)[1]:
            self.skipTest(f"{each} connections are more than RLIMIT_NOFILE allows")
        server = self.supervise(text=f"engine = aio\nconnections_max = {each}\ncache_files = 100\n"
                                     "processes = 3\ndrain_timeout = 3s")
        before = self.workers(server)
        done = []

        async def work():
            done.append(await asyncio.to_thread(self.order, "reload"))
        clients = self.under_load(server, work, idle=0)
        (status, out, err), = done
        self.assertEqual((status, out), (1, ""), err)
        self.assertIn("sysctl fs.aio-max-nr leaves", err)
        self.assertIn("while a reload is under way", err)
        # Whom a worker has accepted that gives up, it tells to close.
        self.assert_nothing_lost(clients, told=0)
        self.assertTrue(wait_until(lambda: self.workers(server) == before), server.stderr())
        self.assert_done("shift", "reactor")
        self.assert_one_generation(server, 3)
        self.assert_done("reload")  # to aio again, which has the room for itself now
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))


if __name__ == "__main__":
    unittest.main()
