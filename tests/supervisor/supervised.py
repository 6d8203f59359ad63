"""A server with a supervisor: started with a configuration file and a control socket of its own."""

import asyncio
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../cli"))
from command import AS_ROOT, BINARY, Command, WAIT_S, environment, wait_until  # noqa: E402
from load import Load  # noqa: E402

BODY = b"hello\n"
NOTHING = {"lost": 0, "refused": 0, "reset": 0, "cut": 0, "closed": 0, "told": 0}


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(number) for number in file.read().split()]


def memory_kib(pid):
    """What is the process's own."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return sum(int(number) for number in re.findall(r"Private_\w+: +(\d+) kB", file.read()))


def is_sanitized(pid):
    """Built with a sanitizer, which keeps memory that was freed, and turns a signal into a status?"""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmSize:\s+(\d+)", file.read())[1]) > 1 << 30


class Supervised(Command):
    def setUp(self):
        super().setUp()
        self.write("site/a.txt", BODY.decode())
        self.control = self.path("control")

    def conf(self, text="", server="", name="server.conf", listen=None):
        path = self.config(f'control = "{self.control}"\n{text}', server, name)
        if listen is not None:
            whole = self.read(name)
            self.write(name, whole.replace('"127.0.0.1:0"', f'"{listen}"', 1))
        return path

    def supervise(self, *arguments, text="", server="", name="server.conf", addresses=1,
                  listen=None, **popen):
        env = environment()
        del env["GEARSHIFT_PROCESSES"], env["GEARSHIFT_CONTROL"]
        where = {} if listen is None else {"listen": listen}
        return self.serve("-c", self.conf(text, server, name, **where), *arguments, env=env,
                          addresses=addresses, **popen)

    def order(self, *words, timeout=60):
        """Says something on the control socket: status, standard output, standard error."""
        done = subprocess.run([BINARY, *words, "--control", self.control], env=environment(),
                              text=True, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=timeout, check=False)
        return done.returncode, done.stdout, done.stderr

    def assert_done(self, *words):
        status, out, err = self.order(*words)
        self.assertEqual((status, err), (0, ""), out)
        return out

    async def order_meanwhile(self, *words):
        """The same, while others go on."""
        process = await asyncio.create_subprocess_exec(
            BINARY, *words, "--control", self.control, env=environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = await asyncio.wait_for(process.communicate(), 60)
        self.assertEqual(process.returncode, 0, out + err)
        return out.decode()

    def under_load(self, server, work, address=None, **load):
        """What clients have counted while `work` was done."""
        clients = Load(address or server.address, BODY, **load)
        asyncio.run(clients.run(work))
        self.assertGreater(clients.counts["answered"], 0)
        return clients

    def assert_nothing_lost(self, clients, **but):
        counts = {key: clients.counts[key] for key in NOTHING if key not in but}
        self.assertEqual(counts, {key: 0 for key in counts}, clients.errors[:3])

    def workers(self, server):
        return children(server.pid)

    def assert_one_generation(self, server, workers=1):
        self.assertTrue(wait_until(lambda: len(self.workers(server)) == workers),
                        self.workers(server))


__all__ = ["AS_ROOT", "BINARY", "BODY", "Load", "Supervised", "WAIT_S", "children", "environment",
           "is_sanitized", "memory_kib", "wait_until"]
