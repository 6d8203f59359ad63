#!/usr/bin/python3
"""Sockets that whoever starts the server has made: LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES."""

import os
import shutil
import socket
import subprocess
import sys
import unittest

from supervised import AS_ROOT, BINARY, Supervised, WAIT_S, environment, wait_until
from command import Server, end

# Passes its descriptors from 3 on to the command: the names, the PID ("own": its own), the command.
LAUNCHER = """
import os, sys
names, pid, *command = sys.argv[1:]
os.environ.update(LISTEN_FDS=str(names.count(":") + 1), LISTEN_FDNAMES=names,
                  LISTEN_PID=str(os.getpid()) if pid == "own" else pid)
os.execv(command[0], command)
"""


class Activated(Supervised):
    def tcp(self, address="127.0.0.1", family=socket.AF_INET):
        made = socket.create_server((address, 0), family=family)
        self.addCleanup(made.close)
        return made

    def launch(self, named, *arguments, pid="own", before=(), **popen):
        """Starts the command, by `before`, with sockets [(name, socket)]; what subprocess.Popen
        returns."""
        def arrange():
            fds = [os.dup2(made.fileno(), 100 + i) for i, (_, made) in enumerate(named)]
            for i, fd in enumerate(fds):
                os.dup2(fd, 3 + i, inheritable=True)
                os.close(fd)
        env = environment()
        del env["GEARSHIFT_PROCESSES"], env["GEARSHIFT_CONTROL"]
        process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, ":".join(name for name, _ in named), pid,
             *before, BINARY, *arguments], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            preexec_fn=arrange, close_fds=False, **popen)
        self.addCleanup(end, process)
        return process

    def activated(self, named, listen, text=""):
        """A server that serves; its Server."""
        stderr_path = self.path("stderr")
        with open(stderr_path, "wb") as stderr:
            process = self.launch(named, "-c", self.conf(text, listen=listen), stderr=stderr)
        self.addCleanup(lambda: process.stdout.close())
        line = process.stdout.readline().decode()
        self.assertRegex(line, "^gearshift: serving ", self.read("stderr"))
        return Server(process, [line], stderr_path)

    def assert_answers(self, address, family=socket.AF_INET):
        with socket.socket(family) as client:
            client.settimeout(WAIT_S)
            client.connect(address)
            client.sendall(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            self.assertEqual(client.recv(15), b"HTTP/1.1 200 OK")

    def refused(self, named, listen, pid="own"):
        process = self.launch(named, "-c", self.conf(listen=listen), stderr=subprocess.PIPE, pid=pid)
        out, err = process.communicate(timeout=WAIT_S)
        self.assertEqual(out, b"")
        return process.returncode, err.decode()


class Served(Activated):
    def test_with_and_without_workers(self):
        for processes in (0, 1, 2):
            with self.subTest(processes=processes):
                web = self.tcp()
                server = self.activated([("web", web)], "systemd:web", f"processes = {processes}")
                self.assert_answers(web.getsockname())
                self.assertRegex(self.read("stderr"), rf"listening on 127\.0\.0\.1:{web.getsockname()[1]}")
                self.assertEqual(server.stop(), 0)

    def test_it_stays(self):
        web, path = self.tcp(), self.path("s.sock")
        local = socket.socket(socket.AF_UNIX)
        self.addCleanup(local.close)
        local.bind(path)
        os.chmod(path, 0o666)
        local.listen()
        server = self.activated([("web", web), ("local", local)], 'systemd:web", "systemd:local')
        for words in (("reload",), ("upgrade",), ("shift", "coroutine"), ("upgrade",), ("reload",)):
            self.assert_done(*words)
            self.assert_answers(web.getsockname())
            self.assert_answers(path, socket.AF_UNIX)
        self.assertNotIn("nothing uses it", server.stderr())
        self.conf(listen="systemd:web")
        self.assert_done("reload")
        self.assert_one_generation(server)
        self.conf(listen='systemd:web", "systemd:local')
        self.assertRegex(self.order("reload")[2], "systemd:local: no socket of this name was passed")
        self.assertEqual(server.stop(), 0)
        self.assertTrue(os.path.exists(path))  # it is the service manager's

    def test_one_name_for_two(self):
        both = [self.tcp(), self.tcp()]
        server = self.activated([("web", made) for made in both], "systemd:web")
        for made in both:
            self.assert_answers(made.getsockname())
        self.assert_done("upgrade")
        for made in both:
            self.assert_answers(made.getsockname())
        self.assertEqual(server.stop(), 0)

    def test_what_nothing_uses_is_closed(self):
        for processes in (0, 1):
            with self.subTest(processes=processes), socket.socket(type=socket.SOCK_DGRAM) as other:
                web = self.tcp()
                server = self.activated([("other", other), ("web", web)], "systemd:web",
                                        f"processes = {processes}")
                self.assertTrue(wait_until(lambda: "nothing uses it" in server.stderr()))
                self.assertRegex(server.stderr(), "descriptor 3, named 'other' .*, a datagram socket: "
                                                  "nothing uses it, and it is closed")
                self.assertFalse(os.path.exists(f"/proc/{server.pid}/fd/3")
                                 and os.readlink(f"/proc/{server.pid}/fd/3")
                                 == f"socket:[{os.fstat(other.fileno()).st_ino}]")
                with open(f"/proc/{server.pid}/environ", "rb") as file:
                    self.assertIn(b"LISTEN_FDS=2", file.read())  # it was there
                self.assertEqual(server.stop(), 0)

    def test_under_load(self):
        web = self.tcp()
        server = self.activated([("web", web)], "systemd:web")

        async def work():
            for words in (("reload",), ("upgrade",), ("upgrade",)):
                await self.order_meanwhile(*words)
        self.assert_nothing_lost(self.under_load(server, work, kept=20, idle=20, rate=100, new=20))

    def test_by_systemd(self):
        launcher = shutil.which("systemd-socket-activate")
        if launcher is None:
            self.skipTest("there is no systemd-socket-activate")
        probe = self.tcp()
        port = probe.getsockname()[1]
        probe.close()
        env = environment()
        del env["GEARSHIFT_PROCESSES"], env["GEARSHIFT_CONTROL"]
        with open(self.path("stderr"), "wb") as stderr:
            process = subprocess.Popen(
                [launcher, "-l", f"127.0.0.1:{port}", "--fdname=web", BINARY, "-c",
                 self.conf(listen="systemd:web")], env=env, stderr=stderr,
                stdout=subprocess.DEVNULL)
        self.addCleanup(end, process)
        self.assertTrue(wait_until(lambda: "Listening on" in self.read("stderr")), self.read("stderr"))
        self.assert_answers(("127.0.0.1", port))  # what it was started for waits in the queue
        process.terminate()
        self.assertEqual(process.wait(WAIT_S), 0)


class WithQueuesOfTheirOwn(Activated):
    """accept = reuseport: the server opens further sockets beside the one that was passed."""

    TEXT = "engine = multi-reactor\nthreads = 2\nprocesses = 2\naccept = reuseport"

    def test_all_are_served(self):
        web = self.tcp()
        server = self.activated([("web", web)], "systemd:web", self.TEXT)

        def queues():
            with open("/proc/net/tcp", encoding="ascii") as file:
                return sum(f":{web.getsockname()[1]:04X} 00000000:0000 0A" in line for line in file)
        self.assertTrue(wait_until(lambda: queues() == 4), queues())
        for _ in range(40):  # in a queue that nobody looks at one would wait for ever
            self.assert_answers(web.getsockname())
        for words in (("reload",), ("upgrade",)):
            self.assert_done(*words)
            self.assertEqual(queues(), 4)
            for _ in range(40):
                self.assert_answers(web.getsockname())
        self.assertEqual(server.stop(), 0)

    @unittest.skipUnless(AS_ROOT, "only root can be somebody else")
    def test_of_another_user(self):
        """The kernel lets a user open sockets beside his own alone."""
        user, setpriv = self.as_nobody(), shutil.which("setpriv")
        if setpriv is None:
            self.skipTest("there is no setpriv")
        os.chmod(self.folder, 0o777)
        process = self.launch([("web", self.tcp())], "-c", self.conf(self.TEXT, listen="systemd:web"),
                              before=(setpriv, f"--reuid={user['user']}", f"--regid={user['group']}",
                                      "--clear-groups"), stderr=subprocess.PIPE)
        out, err = process.communicate(timeout=WAIT_S)
        self.assertEqual((process.returncode, out), (78, b""), err)
        self.assertRegex(err.decode(), "systemd:web: accept = reuseport opens sockets beside the one "
                                       "that was passed, .*; set accept = shared")


class Refused(Activated):
    def test_sentences(self):
        with socket.socket(type=socket.SOCK_DGRAM) as datagrams, socket.socket() as deaf, \
                open("/dev/null", "rb") as nothing:
            for named, sentence in (
                    ([("web", datagrams)], "systemd:web: .* is a datagram socket, and has to be"),
                    ([("web", deaf)], "systemd:web: .* is a socket that does not listen"),
                    ([("web", nothing)], "systemd:web: .* is no socket"),
                    ([("a", self.tcp()), ("b", self.tcp())],
                     "systemd:web: no socket of this name was passed, but: a, b")):
                with self.subTest(sentence):
                    status, err = self.refused(named, "systemd:web")
                    self.assertEqual(status, 78, err)
                    self.assertRegex(err, sentence)

    def test_for_another_process(self):
        status, err = self.refused([("web", self.tcp())], "systemd:web", pid="1")
        self.assertEqual(status, 78)
        self.assertRegex(err, r"systemd:web: no socket was passed \(LISTEN_FDS\)")

    def test_the_grammar(self):
        for listen in ("systemd:", "systemd:a:b", "systemd:web congestion=reno"):
            with self.subTest(listen):
                self.assertEqual(self.run_command("-t", "-c", self.conf(listen=listen))[0], 78)
        self.assertEqual(self.run_command("-t", "-c", self.conf(listen="systemd:web tls"))[0], 78)
        status, out, _ = self.run_command("-T", "-c", self.conf(listen="systemd:web backlog=7"))
        self.assertEqual(status, 0)
        self.assertIn('"systemd:web backlog=7"', out)
        self.assertEqual(self.run_command("-t", "-c", self.conf(listen="systemd:web"))[0], 0)


if __name__ == "__main__":
    unittest.main()
