#!/usr/bin/python3
"""When a reload is done, it is done: whoever connects from then on meets the new configuration."""

import json
import os
import socket
import unittest

from supervised import WAIT_S, Supervised, wait_until

ENGINES = ("reactor", "reactor-pool", "multi-reactor", "leader-followers", "coroutine", "proactor",
           "iterative", "thread-pool", "thread-per-connection", "process-per-connection")
RELOADS = 10


class Generations(Supervised):
    def setUp(self):
        super().setUp()
        for name in ("even", "odd"):
            os.mkdir(self.path(name))
            self.write(f"{name}/a.txt", f"{name}\n")

    def configure(self, text, number):
        """The configuration of reload `number`, and what it answers."""
        name = ("even", "odd")[number % 2]
        self.conf(text)
        self.write("server.conf", self.read("server.conf").replace("/site", f"/{name}"))
        return f"{name}\n".encode()

    def ask_control(self, word):
        """As the command does it, without the time that a process takes to start and to end."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(WAIT_S)
            client.connect(self.control)
            client.sendall(word.encode() + b"\n")
            answer = json.loads(client.makefile("rb").readline())
        self.assertEqual(answer["status"], 0, answer)
        return answer["message"]


class Taken(Generations):
    def test_new_connections_meet_the_new_configuration(self):
        for engine in ENGINES:
            with self.subTest(engine):
                self.need_engine(engine)
                text = f"engine = {engine}\nworkers = 4"
                self.conf(text)
                server = self.supervise(text=text)
                seen, wanted = [], []
                for number in range(RELOADS):
                    wanted.append(self.configure(text, number))
                    self.ask_control("reload")
                    seen.append(server.get("/a.txt")[1])
                self.assertEqual(server.stop(), 0)
                self.assertEqual(seen, wanted)


if __name__ == "__main__":
    unittest.main()
