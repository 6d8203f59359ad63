#!/usr/bin/python3
"""A terminal that is closed ends the server in it, but for one that nohup(1) has started: that goes on,
and a process's SIGHUP reloads it all the same."""

import os
import pty
import signal
import unittest

from supervised import BINARY, Supervised, environment, wait_until


def gone(pid):
    return wait_until(lambda: not os.path.exists(f"/proc/{pid}"))


class Terminal(Supervised):
    def in_a_terminal(self, hangup):
        """Starts a server in the foreground of a terminal of its own, where another process leads the
        session, as a shell does. The server's process number, and the terminal's descriptor."""
        env = environment()
        del env["GEARSHIFT_PROCESSES"], env["GEARSHIFT_CONTROL"]
        conf, log = self.conf(), self.write("log", "")
        leader, terminal = pty.fork()
        if leader == 0:
            if os.fork() == 0:
                fd = os.open(log, os.O_WRONLY)
                os.dup2(fd, 1)
                os.dup2(fd, 2)
                signal.signal(signal.SIGHUP, hangup)
                os.execve(BINARY, [BINARY, "-c", conf], env)
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            while True:
                signal.pause()
        self.addCleanup(os.waitpid, leader, 0)
        self.assertTrue(wait_until(lambda: "serving" in self.read("log")))
        pid = int(self.assert_done("status").split(", ")[1].removeprefix("process "))
        return pid, leader, terminal

    def test_closed(self):
        pid, _, terminal = self.in_a_terminal(signal.SIG_DFL)
        os.close(terminal)
        self.assertTrue(gone(pid), self.read("log"))
        self.assertIn("stopping: everything is closed at once: SIGHUP from the terminal",
                      self.read("log"))

    def test_nohup(self):
        pid, leader, terminal = self.in_a_terminal(signal.SIG_IGN)
        os.close(terminal)
        self.assertTrue(wait_until(lambda: os.waitid(os.P_PID, leader,
                                                     os.WEXITED | os.WNOHANG | os.WNOWAIT)))

        def reloaded():
            os.kill(pid, signal.SIGHUP)  # again: one that meets the terminal's in the queue is lost
            return "generation 1 has ended" in self.read("log")
        self.assertTrue(wait_until(reloaded), self.read("log"))
        self.assertNotIn("stopping", self.read("log"))
        self.assert_done("stop")
        self.assertTrue(gone(pid))


if __name__ == "__main__":
    unittest.main()
