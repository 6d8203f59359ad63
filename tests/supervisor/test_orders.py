#!/usr/bin/python3
"""What the command line says to a server that runs, and what it is told."""

import json
import os
import shutil
import socket
import subprocess
import unittest

from supervised import BINARY, Supervised, environment


class Orders(Supervised):
    def test_sentences_come_as_they_are_logged(self):
        server = self.supervise()
        self.conf('no_such_key = "a\\\\b"')
        status, out, err = self.order("reload")
        self.assertEqual((status, out), (78, ""))
        self.assertIn('server.conf:2:1: "no_such_key" is no key or block at the top level', err)
        self.assertIn(err.strip(), server.stderr())
        status, out, err = self.order("reload", "--json")
        self.assertEqual((status, err), (78, ""))
        self.assertIn('"no_such_key" is no key', json.loads(out)["message"])

    def test_only_shift_takes_arguments(self):
        server = self.supervise()
        for word in ("status", "reload", "reopen", "drain", "stop"):
            self.assertEqual(self.order(word, "now"), (2, "", f"{word} takes no arguments\n"))
        self.assertEqual(server.get("/a.txt")[0], 200)

    def test_status(self):
        server = self.supervise("-e", "coroutine", text="processes = 2\naccept = shared")
        self.assertRegex(self.assert_done("status"),
                         rf"^gearshift \S+, process {server.pid}, up \d+ s, serving: engine coroutine, "
                         r"generation 1, 2 of 2 workers ready\n$")
        said = json.loads(self.assert_done("status", "--json"))
        self.assertEqual({key: said[key] for key in ("status", "pid", "state", "engine", "workers")},
                         {"status": 0, "pid": server.pid, "state": "serving", "engine": "coroutine",
                          "workers": 2})

    def test_how_they_end(self):
        """The table of gearshift(8)."""
        for words in (("status",), ("reload",), ("shift", "reactor"), ("upgrade",), ("drain",),
                      ("stop",), ("reopen",)):
            self.assertEqual(self.order(*words)[0], 1, words)  # nobody is there
        binary = self.path("gearshift")
        shutil.copy(BINARY, binary)
        os.mkdir(self.path("logs"))
        server = self.supervise(text='access_log = "@DIR@/logs/a"\nstart_timeout = 2s', binary=binary)
        before = self.workers(server)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            for status, text, *words in (
                    (2, "", "shift"), (2, "", "shift", "reactor", "x"), (2, "", "reload", "now"),
                    (78, "no_such_key = 1", "reload"), (78, "engine = no-such", "reload"),
                    (78, "", "shift", "no-such"), (78, "no_such_key = 1", "upgrade")):
                with self.subTest(words=words, text=text):
                    self.conf(f'access_log = "@DIR@/logs/a"\n{text}')
                    self.assertEqual(self.order(*words)[0], status)
            self.conf(listen=f"127.0.0.1:{taken.getsockname()[1]}")
            self.assertEqual(self.order("reload")[0], 1)
        self.conf()
        os.rename(self.path("logs"), self.path("moved"))
        self.assertEqual(self.order("reopen")[0], 78)
        os.rename(self.path("moved"), self.path("logs"))
        self.assertEqual(self.order("reopen")[0], 0)
        for script in ("no program", "#!/bin/sh\nkill -SEGV $$\n", "#!/bin/sh\nexec sleep 60\n", None):
            os.remove(binary)  # it is executed: not to be written to
            if script is not None:
                self.write("gearshift", script)
                os.chmod(binary, 0o755)
            self.assertEqual(self.order("upgrade")[0], 1, script)
        self.write("gearshift", "#!/bin/sh\nexit 69\n")
        os.chmod(binary, 0o755)
        self.assertEqual(self.order("upgrade")[0], 69)
        self.assertEqual(self.workers(server), before)  # after all of that
        for words in (("status",), ("reload",), ("shift", "reactor"), ("drain",)):
            self.assertEqual(self.order(*words)[0], 0, words)
        self.assertEqual(server.wait(), 0)

    def test_where_the_socket_is(self):
        def told(*words, **env):
            done = subprocess.run([BINARY, "status", *words], env={**environment(), **env},
                                  text=True, capture_output=True, timeout=60, check=False)
            return done.returncode, done.stdout, done.stderr
        self.supervise()
        self.assertEqual(told("-c", self.path("server.conf"), GEARSHIFT_CONTROL=self.control)[0], 0)
        status, _, err = told("--control", self.path("none"))
        self.assertEqual(status, 1)
        self.assertIn(f"no server answers at {self.path('none')}", err)
        self.conf()
        self.write("off.conf", self.read("server.conf").replace(self.control, "off"))
        status, _, err = told("-c", self.path("off.conf"))
        self.assertEqual(status, 1)
        self.assertIn("no control socket is known: control = off; name the server's", err)

    def test_no_runtime_folder(self):
        env = environment()
        for name in ("GEARSHIFT_PROCESSES", "GEARSHIFT_CONTROL", "XDG_RUNTIME_DIR"):
            env.pop(name, None)
        as_user = self.as_nobody() if os.geteuid() == 0 else {}
        server = self.serve("-c", self.config("control = auto"), env=env, **as_user)
        self.assertIn("there is no control socket: the automatic place", server.stderr())
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
