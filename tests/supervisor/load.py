"""Clients of many kinds at once, which count what a reload costs them: kept connections with
requests at a steady rate, idle ones, and new ones all the time."""

import asyncio
import collections
import time


class Load:
    """`counts`: answered, lost (asked, and the connection ended before an answer), refused, reset,
    cut (an answer in part), closed (while idle), told (Connection: close). `pipelined`: so many
    requests are sent at a time; those behind an answer that tells to close are asked again elsewhere
    (RFC 9112 section 9.6), and not lost."""

    def __init__(self, address, body, kept=50, idle=50, rate=500, new=100, context=None,
                 pipelined=1, target="/a.txt"):
        self.address, self.body, self.context = address, body, context
        self.pipelined = pipelined
        self.request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        self.kept, self.idle, self.rate, self.new = kept, idle, rate, new
        self.counts = collections.Counter()
        self.errors = []
        self.stopping = False
        self.ports = set()

    async def open(self):
        host, port = self.address
        return await asyncio.open_connection(host, port, ssl=self.context,
                                             server_hostname="localhost" if self.context else None)

    async def ask(self, reader, writer):
        """True: answered, and the connection goes on."""
        writer.write(self.request * self.pipelined)
        for _ in range(self.pipelined):
            if not await self.take_answer(reader):
                return False
        return True

    async def take_answer(self, reader):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            self.counts["cut" if error.partial else "lost"] += 1
            return False
        except (ConnectionError, OSError) as error:
            self.counts["reset"] += 1
            self.errors.append(repr(error))
            return False
        try:
            body = await reader.readexactly(len(self.body))
        except (asyncio.IncompleteReadError, ConnectionError, OSError):
            self.counts["cut"] += 1
            return False
        assert head.startswith(b"HTTP/1.1 200 ") and body == self.body, (head, body)
        self.counts["answered"] += 1
        if b"\r\nconnection: close\r\n" in head.lower():
            self.counts["told"] += 1
            return False
        return True

    async def one(self, pause):
        """A kept connection, opened again when it was told to close."""
        while not self.stopping:
            try:
                reader, writer = await self.open()
            except ConnectionRefusedError:
                self.counts["refused"] += 1
                continue
            except (ConnectionError, OSError) as error:
                self.counts["reset"] += 1
                self.errors.append(repr(error))
                continue
            try:
                await self.talk(reader, writer, pause)
            finally:
                writer.close()

    async def talk(self, reader, writer, pause):
        while not self.stopping and await self.ask(reader, writer):
            try:  # nothing comes unasked; an end is a close while idle
                data = await asyncio.wait_for(reader.read(1), pause)
                self.counts["closed"] += 1
                assert data == b"", data
                return
            except asyncio.TimeoutError:
                pass
            except (ConnectionError, OSError) as error:
                self.counts["reset"] += 1
                self.errors.append(repr(error))
                return

    async def newcomers(self):
        async def newcomer():
            try:
                reader, writer = await self.open()
            except ConnectionRefusedError:
                self.counts["refused"] += 1
                return
            except (ConnectionError, OSError) as error:
                self.counts["reset"] += 1
                self.errors.append(repr(error))
                return
            try:
                await self.ask(reader, writer)
            finally:
                writer.close()
        tasks = set()
        while not self.stopping:
            task = asyncio.create_task(newcomer())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            await asyncio.sleep(1 / self.new)
        if tasks:
            await asyncio.wait(tasks)

    async def run(self, work):
        """Has `work` (a coroutine function) done meanwhile. Returns its result."""
        tasks = [asyncio.create_task(self.one(self.kept / self.rate)) for _ in range(self.kept)]
        tasks += [asyncio.create_task(self.one(3600)) for _ in range(self.idle)]
        if self.new:
            tasks.append(asyncio.create_task(self.newcomers()))
        await asyncio.sleep(1)
        started = time.monotonic()
        result = await work()
        self.took = time.monotonic() - started
        await asyncio.sleep(1)
        self.stopping = True
        _, rest = await asyncio.wait(tasks, timeout=1)
        for task in rest:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            if not task.cancelled() and task.exception():
                raise task.exception()
        return result
