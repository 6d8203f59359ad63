#!/usr/bin/python3
"""The control socket: what it refuses, whom, and what `gearshift shift` takes."""

import os
import socket
import unittest

from supervised import AS_ROOT, BINARY, Supervised, wait_until


class Control(Supervised):
    def assert_order(self, status, sentence, *words):
        got, out, err = self.order(*words)
        self.assertEqual((got, out), (status, ""), err)
        self.assertRegex(err, sentence)

    def test_nobody_there(self):
        for word in ("status", "reload", "drain", "stop", "reopen"):
            self.assert_order(1, "no server answers at .*control: is one running", word)
        self.assert_order(1, "no server answers", "shift", "reactor")
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(self.control)
        self.assert_order(1, "the one that made it has died", "status")
        server = self.supervise()  # takes the place of what is left
        self.assert_done("status")
        server.process.kill()
        server.wait()
        self.assert_order(1, "the one that made it has died", "status")

    def test_usage(self):
        self.supervise()
        self.assert_order(2, "shift takes the name of an engine", "shift")
        self.assert_order(2, "shift takes the name of an engine", "shift", "threads=2")
        self.assert_order(2, "shift takes KEY=VALUE behind the engine", "shift", "reactor", "pin")
        self.assert_order(2, "shift takes KEY=VALUE", "shift", "reactor", "=on")
        self.assert_order(2, "reload takes no arguments", "reload", "now")
        self.assert_order(2, "'a b' is not one word", "shift", "a b")
        self.assert_order(2, "status takes --control PATH", "status", "--no-such")

    def test_shift(self):
        server = self.supervise(text="threads = 1")
        self.assertIn("engine multi-reactor,",
                      self.assert_done("shift", "multi-reactor", "threads=3", "pin=on"))
        self.assertTrue(wait_until(lambda: "multi-reactor: 3 threads" in server.stderr()))
        for status, sentence, *words in (
                (78, "threads: .*is not a number", "multi-reactor", "threads=x"),
                (78, "no_such_key", "reactor", "no_such_key=1"),
                (78, "needs multi-reactor", "reactor", "threads=3"),
                (78, "processes = 0 takes the supervisor away", "reactor", "processes=0"),
                (78, "'gearbox' is not built in", "gearbox")):
            self.assert_one_generation(server)
            before = self.workers(server)
            self.assert_order(status, sentence, "shift", *words)
            self.assertTrue(wait_until(lambda: self.workers(server) == before))
        # What a shift has said does not outlive the next reload.
        self.assertIn("engine reactor,", self.assert_done("reload"))
        # Nor is an edit taken that nobody has asked to be taken.
        self.conf("engine = proactor\nno_such_key = 1")
        self.assertIn("engine coroutine,", self.assert_done("shift", "coroutine"))
        self.assert_order(78, "no_such_key", "reload")

    def test_protocol(self):
        server = self.supervise()
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(self.control)
            lines = client.makefile("rb")
            client.sendall(b"sta")
            client.sendall(b"tus\n \t\nno-such-order\r\nstatus\n")
            self.assertIn(b'"state":"serving"', lines.readline())
            self.assertIn(b"an empty line", lines.readline())
            self.assertIn(b'{"status":2,"message":"unknown order; there are: ', lines.readline())
            self.assertIn(b'"status":0', lines.readline())
            client.sendall(b"x " * 40 + b"\n")
            self.assertIn(b"too many words", lines.readline())
            client.sendall(b"y" * 5000)
            self.assertIn(b"the line is too long", lines.readline())
            with self.assertRaises(ConnectionResetError):  # there is more than it has read
                client.recv(1)
        clients = [socket.socket(socket.AF_UNIX) for _ in range(20)]  # more than have a place
        for client in clients[:16]:
            client.connect(self.control)
        for client in clients:
            client.close()
        self.assert_done("status")
        self.assertEqual(server.get("/a.txt"), (200, b"hello\n"))

    @unittest.skipUnless(AS_ROOT, "only root can be somebody else")
    def test_strangers(self):
        self.supervise()
        other = self.as_nobody()
        result = self.run_command("status", "--control", self.control, **other)
        self.assertEqual(result[:2], (1, ""))
        self.assertRegex(result[2], "may be asked by root, and by the user who has started")
        os.chmod(self.control, 0o666)  # the file's mode is not all
        result = self.run_command("status", "--control", self.control, **other)
        self.assertEqual(result[:2], (1, ""))
        self.assertRegex(result[2], "only root, and the user who has started the server, may ask")
        self.assertTrue(os.access(BINARY, os.X_OK))

    def test_ends(self):
        for word in ("drain", "stop"):
            server = self.supervise()
            self.assertIn("the server has ended", self.assert_done(word))
            self.assertEqual(server.wait(), 0)
            self.assertTrue(wait_until(lambda: not os.path.exists(self.control)))
            self.assert_order(1, "no server answers", "status")


if __name__ == "__main__":
    unittest.main()
