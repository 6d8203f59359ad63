"""The commands that README.md and docs/operations.md show for the binary that `make` builds run as they are
written, in the source tree; only the ports are others, since those of the pages may be taken here."""
import os
import re
import shlex
import unittest

from command import Command, environment

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = ("README.md", "docs/operations.md")
BUILT = "build/release/gearshift"
ORDERS = ("top", "status", "reload", "shift", "drain", "stop", "reopen")


def commands():
    """The lines for the binary in the blocks of shell of PAGES, as lists of words."""
    blocks = []
    for page in PAGES:
        with open(os.path.join(TREE, page), encoding="utf-8") as file:
            blocks += re.findall(r"^```sh\n(.*?)^```", file.read(), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.startswith(BUILT)]


class Readme(Command):
    def any_port(self, words):
        """The same arguments, on ports that the kernel chooses."""
        words = list(words)
        for at, word in enumerate(words):
            if word in ("-c", "--config"):
                with open(os.path.join(TREE, words[at + 1]), encoding="utf-8") as file:
                    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:0", file.read())
                text = re.sub(r'root = "(\w)', rf'root = "{TREE}/\1', text)
                words[at + 1] = self.write("readme.conf", text)
            elif word in ("-p", "--port"):
                self.assertGreater(int(words[at + 1]), 1023)
                words[at + 1] = "0"
        return words

    def test_commands(self):
        shown = commands()
        self.assertGreaterEqual(len(shown), 3)
        for command in shown:
            words = self.any_port(command[1:])
            with self.subTest(" ".join(command)):
                if words[0] in ORDERS:
                    continue
                if "-t" in words:
                    self.assertEqual(self.run_command(*words, cwd=TREE)[0], 0)
                    continue
                server = self.serve(*words, cwd=TREE)
                self.assertEqual(server.get("/")[0], 200)
                self.assertEqual(server.stop(), 0)

    def test_orders(self):
        shown = [command[1:] for command in commands() if command[1] in ORDERS]
        self.assertEqual([words[0] for words in shown],
                         ["shift", "top", "shift", "shift", "reload", "status", "top", "drain"])
        self.need_engine("proactor")
        control = self.path("control")
        words = self.any_port(["-c", "server.conf"])
        server = self.serve(*words, cwd=TREE, env={**environment(), "GEARSHIFT_PROCESSES": "1",
                                                   "GEARSHIFT_CONTROL": control})
        for order in shown:
            looks = ("-n", "1") if order == ["top"] else ()
            result = self.run_command(*order, *looks, "--control", control)
            self.assertEqual((result[0], result[2]), (0, ""), order)
        self.assertEqual(server.wait(), 0)


if __name__ == "__main__":
    unittest.main()
