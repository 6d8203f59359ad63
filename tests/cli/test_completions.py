"""What shells complete, by the shells themselves, and that no command, option or key is missing: the
help and `gearshift keys` are the measure."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

from command import BINARY, Command

FOLDER = pathlib.Path(__file__).parents[2] / "packaging/completions"
TABLE = pathlib.Path(__file__).parents[2] / "config/config_keys.c"
SHELLS = ("bash", "zsh", "fish")
BASH = """
source "$1"; COMP_WORDS=("${@:2}"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
compopt() { :; }; _gearshift; printf '%s\\n' "${COMPREPLY[@]}"
"""


class TestKeys(Command):
    def keys(self, *arguments):
        status, out, err = self.run_command("keys", *arguments)
        self.assertEqual((status, err), (0, ""))
        return out.splitlines()

    def test_every_key_of_the_table(self):
        table = re.search(r"struct config_key keys\[\] = \{\n(.*?)\n\};", TABLE.read_text(), re.S)[1]
        names = re.findall(r'^    \{ "(\w+)"', table, re.M)
        self.assertEqual([line.split("\t")[0] for line in self.keys()], names)

    def test_settings_are_those_that_o_takes(self):
        names = [line.split("\t")[0] for line in self.keys("--settings")]
        self.assertEqual(len(names), len(set(names)))
        self.assertNotIn("include", names)
        for name in names:
            status, _, err = self.run_command("-T", self.site, "-o", f"{name}=\x01")
            self.assertEqual(status, 78)
            self.assertIn(name, err)
            self.assertNotIn("it cannot be set here", err)

    def test_one_key(self):
        self.assertEqual(self.keys("--values", "accept"), ["handoff", "reuseport", "shared"])
        text = "\n".join(self.keys("watchdog"))
        self.assertIn("allowed  a duration from", text)
        self.assertIn("default", text)
        self.assertEqual(sum(line.startswith("control:") for line in self.keys("control")), 2)

    def test_refusals(self):
        for arguments, sentence in ((("engin",), 'did you mean "engine"'), (("nonsense",), "gearshift keys lists"),
                                    (("--values",), "usage:"), (("a", "b"), "usage:")):
            status, out, err = self.run_command("keys", *arguments)
            self.assertEqual((status, out), (2, ""))
            self.assertIn(sentence, err)


class TestCompletions(Command):
    def setUp(self):
        super().setUp()
        self.path = f"{os.path.dirname(BINARY)}:{os.environ['PATH']}"

    def words(self):
        """Commands and options, as the help has them."""
        text = self.run_command("-h")[1]
        usage = text.split("\n\n")[0]
        commands = set(re.findall(r"^ +gearshift ([a-z]{3,})", usage, re.M))
        commands |= set(re.findall(r"(?<=\| )([a-z]{3,})", usage)) - {"upgrade"} | {"upgrade"}
        commands |= {"stop", "reopen"}
        return commands, set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))

    def test_nothing_of_the_help_is_missing(self):
        commands, options = self.words()
        self.assertGreater(len(commands), 12)
        self.assertGreater(len(options), 20)
        for shell in SHELLS:
            text = (FOLDER / f"gearshift.{shell}").read_text()
            for word in commands:
                self.assertRegex(text, rf"\b{word}\b", f"{shell}: {word}")
            for option in options:
                wanted = f"-l {option[2:]} " if shell == "fish" else option
                self.assertIn(wanted, text, shell)

    def bash(self, *words):
        done = subprocess.run(["bash", "-c", BASH, "bash", FOLDER / "gearshift.bash", BINARY, *words],
                              text=True, capture_output=True, cwd=self.folder, check=False)
        self.assertEqual(done.stderr, "")
        return done.stdout.splitlines()

    def test_bash(self):
        self.assertEqual(self.bash("rel"), ["reload"])
        self.assertIn("proactor", self.bash("-e", ""))
        self.assertEqual(self.bash("-o", "watchd"), ["watchdog="])
        self.assertEqual(self.bash("-o", "accept", "=", "s"), ["shared"])
        self.assertEqual(self.bash("-o", "accept", "="), ["handoff", "reuseport", "shared"])
        self.assertIn("multi-reactor", self.bash("-o", "engine", "=", "multi"))
        self.assertIn("proactor", self.bash("shift", ""))
        self.assertEqual(self.bash("shift", "proactor", "thr"), ["threads="])
        self.assertEqual(self.bash("explain", "--js"), ["--json"])
        self.assertIn("site", self.bash("si"))

    @unittest.skipUnless(shutil.which("fish"), "no fish")
    def test_fish(self):
        def complete(line):
            script = f"source {FOLDER}/gearshift.fish; complete -C '{line}'"
            done = subprocess.run(["fish", "--no-config", "-c", script], text=True, capture_output=True,
                                  env={**os.environ, "PATH": self.path, "HOME": str(self.folder)},
                                  cwd=self.folder, check=False)
            self.assertEqual(done.stderr, "")
            return [word.split("\t")[0] for word in done.stdout.splitlines()]
        self.assertIn("reload", complete("gearshift rel"))
        self.assertIn("accept=shared", complete("gearshift -o accept=s"))
        self.assertIn("watchdog=", complete("gearshift -o watchd"))
        self.assertIn("proactor", complete("gearshift shift proa"))

    @unittest.skipUnless(shutil.which("zsh"), "no zsh")
    def test_zsh_reads_it(self):
        done = subprocess.run(["zsh", "-n", FOLDER / "gearshift.zsh"], text=True, capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
