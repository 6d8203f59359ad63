#!/usr/bin/python3
"""`gearshift top` and `gearshift stats`: what a server does, from its control socket."""

import asyncio
import json
import os
import pty
import re
import subprocess
import unittest

from supervised import BINARY, Supervised, environment

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/status.md")
LINE = re.compile(r"reactor: (\d+) requests/s, \d+ bytes/s, (\d+) connections, CPU [\d.]+ %, "
                  r"([\d.]+) us and ([\d.]+) system calls a request, "
                  r"answer p50 ([\d.]+) p99 ([\d.]+) ms")


class Top(Supervised):
    def test_lines(self):
        server = self.supervise()

        async def work():
            return await self.order_meanwhile("top", "-n", "2")
        lines = []

        async def look():
            lines.extend((await work()).splitlines())
        self.under_load(server, look, kept=10, idle=5, rate=100, new=10)
        self.assertEqual(len(lines), 2)
        for line in lines:
            match = LINE.fullmatch(line)
            self.assertIsNotNone(match, line)
            requests, connections, cpu_us, calls, p50, p99 = map(float, match.groups())
            self.assertGreater(requests, 0)
            self.assertGreaterEqual(connections, 10)
            self.assertGreater(cpu_us, 0)
            self.assertGreater(calls, 0)
            self.assertGreater(p50, 0)
            self.assertGreaterEqual(p99, p50)

    def test_a_terminal_gets_a_screen(self):
        self.supervise()
        ours, theirs = pty.openpty()
        with subprocess.Popen([BINARY, "top", "-n", "1", "--control", self.control],
                              env=environment(), stdin=subprocess.DEVNULL, stdout=theirs) as client:
            os.close(theirs)
            text = b""
            try:
                while piece := os.read(ours, 4096):
                    text += piece
            except OSError:  # the other end is closed
                pass
            self.assertEqual(client.wait(20), 0)
        os.close(ours)
        self.assertTrue(text.startswith(b"\x1b[H\x1b[J"))
        for what in (b"engine reactor", b"requests/s", b"idle", b"p99.9", b"system calls a request"):
            self.assertIn(what, text)

    def test_a_full_disk(self):
        self.supervise()
        for words in (("top", "-n", "2"), ("stats",), ("status",), ("status", "--json"), ("reload",)):
            with self.subTest(words), open("/dev/full", "wb") as full:
                done = subprocess.run([BINARY, *words, "--control", self.control], env=environment(), stdout=full,
                                      stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=20, check=False)
                self.assertEqual((done.returncode, done.stderr),
                                 (1, b"gearshift: standard output cannot be written\n"))

    def test_json(self):
        server = self.supervise()
        self.assertEqual(server.get("/a.txt")[0], 200)
        answer = json.loads(self.assert_done("stats", "--json"))
        self.assertEqual(answer["status"], 0)
        self.assertEqual(answer["stats"]["engine"], "reactor")
        self.assertEqual(answer["stats"]["requests_total"]["GET"], 1)
        self.assertEqual(answer["stats"]["servers"],
                         [{"server": "localhost", "requests_total": 1, "body_bytes_total": 6}])
        with open(DOCS, encoding="utf-8") as file:
            docs = file.read()
        missing = {name for name in answer["stats"]
                   if name.endswith(("_total", "_seconds")) and f"`{name}`" not in docs}
        self.assertEqual(missing, set())

    def test_refusals(self):
        for arguments, status, sentence in (
                (("-n", "0"), 2, "-n takes a number of looks from 1 on"),
                (("-n", "2x"), 2, "-n takes a number"),
                (("-n",), 2, "top takes --control PATH, -c FILE and -n N"),
                (("--lines",), 2, "top takes"),
                (("--control", self.path("none")), 1,
                 "no server answers at .*: is one running, with `processes` above 0")):
            with self.subTest(arguments):
                self.assert_refused(status, sentence, "top", *arguments)

    def test_the_server_ends(self):
        server = self.supervise()

        async def ends():
            process = await asyncio.create_subprocess_exec(
                BINARY, "top", "--control", self.control, env=environment(),
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            await process.stdout.readline()
            self.assertEqual(await asyncio.to_thread(server.stop), 0)
            _, err = await asyncio.wait_for(process.communicate(), 20)
            self.assertEqual(process.returncode, 1)
            self.assertIn(b"the server has closed the connection", err)
        asyncio.run(ends())


if __name__ == "__main__":
    unittest.main()
