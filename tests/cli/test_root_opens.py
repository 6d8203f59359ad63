"""What else root opens, creates or removes by a name in a folder that somebody else may write to: the
pid file. A trap is refused, by -t in the same words, with status 78, and nothing was written, made,
removed or made accessible before."""
import os
import unittest

from command import AS_ROOT
from traps import DAEMON, Traps, state


@unittest.skipUnless(AS_ROOT, "only root opens what others may not")
class PidFile(Traps):
    def assert_traps(self, sentence, name="theirs/g.pid", left=None):
        self.assert_trap(sentence, "-c", self.config(f'pid_file = "@DIR@/{name}"'), left=left)

    def test_traps(self):
        self.link(self.precious, "theirs/g.pid")
        self.assert_traps(r"pid_file \S+/g\.pid: it is a symbolic link")
        self.remove("theirs/g.pid")
        self.link(self.path("roots/made"), "theirs/g.pid")
        self.assert_traps("it is a symbolic link")
        self.remove("theirs/g.pid")
        os.link(self.precious, self.path("theirs/g.pid"))
        self.assert_traps("second name", left=["theirs/g.pid"])
        self.remove("theirs/g.pid")
        os.mkfifo(self.path("theirs/g.pid"))
        self.assert_traps("No such device or address")
        self.remove("theirs/g.pid")
        self.write("theirs/g.pid", "daemon's\n")
        self.give("theirs/g.pid", DAEMON)
        self.assert_traps("does not belong to the user who serves", left=["theirs/g.pid"])
        self.remove("theirs/g.pid")
        os.mkdir(self.path("theirs/g.pid"))
        self.assert_traps("Is a directory")

    def test_link_in_the_middle(self):
        self.link(self.path("roots"), "theirs/run")
        self.assert_traps("reached through a link", "theirs/run/precious")
        self.assert_traps("reached through a link", "theirs/run/made")

    def test_swapped_later(self):
        """At the end, root that serves removes its own file and no other: the folder was exchanged
        for a link to another that has a file of that name."""
        os.mkdir(self.path("theirs/run"))
        self.give("theirs/run")
        file = self.config('user = ""\nallow_root = on\npid_file = "@DIR@/theirs/run/precious"')
        server = self.serve("-c", file)
        os.rename(self.path("theirs/run"), self.path("theirs/old"))
        self.link(self.path("roots"), "theirs/run")
        was = state(self.precious)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(state(self.precious), was)
        self.assertEqual(os.listdir(self.path("theirs/old")), [])

    def test_replaced_later(self):
        """What stands there at the end is somebody else's."""
        file = self.config('pid_file = "@DIR@/theirs/g.pid"')
        server = self.serve("-c", file)
        os.rename(self.path("theirs/g.pid"), self.path("theirs/old.pid"))
        self.write("theirs/g.pid", "another's\n")
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.read("theirs/g.pid"), "another's\n")
        self.assertEqual(self.read("theirs/old.pid"), "")  # names no process

if __name__ == "__main__":
    unittest.main()
