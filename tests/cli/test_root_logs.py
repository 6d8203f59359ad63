"""Logs that root opens and creates in a folder that somebody else may write to: a trap is refused,
by -t in the same words, with status 78, and nothing was written, made or given away before."""
import os
import signal
import stat
import unittest

from command import AS_ROOT, wait_until
from traps import DAEMON, NOBODY, ROOT, Traps, state


@unittest.skipUnless(AS_ROOT, "only root opens what others may not")
class Logs(Traps):
    NAME = "theirs/x.log"

    def configs(self, name=NAME, more=""):
        path = f'"@DIR@/{name}"'
        yield self.config(f"error_log = {path}\n{more}")
        yield self.config(f"access_log = {path}\n{more}")
        yield self.config(more, f"access_log = {path}")

    def assert_traps(self, sentence, name=NAME, left=None, more=""):
        for file in self.configs(name, more):
            self.assert_trap(sentence, "-c", file, left=left)

    def test_link_to_a_file_of_roots(self):
        self.link(self.precious, self.NAME)
        self.assert_traps(r"x\.log cannot be written: it is reached through a link in a folder to "
                          r"which others than root may write: name what it points to")
        # Root being allowed to serve, it would have been appended to all the same.
        self.assert_traps("reached through a link", more='user = ""\nallow_root = on')

    def test_link_to_nothing(self):
        self.link(self.path("roots/made"), self.NAME)
        self.assert_traps("reached through a link")

    def test_link_in_the_middle(self):
        """The folder of the log is exchanged for a link to one of root's."""
        self.link(self.path("roots"), "theirs/logs")
        self.assert_traps("reached through a link", "theirs/logs/precious")
        self.assert_traps("reached through a link", "theirs/logs/made")

    def test_link_of_roots_that_was_moved_there(self):
        os.symlink(self.precious, self.path(self.NAME))
        self.assert_traps("reached through a link")

    def test_link_of_roots_to_a_link_of_theirs(self):
        os.symlink(self.path("theirs/second"), self.path("roots/x.log"))
        self.link(self.precious, "theirs/second")
        self.assert_traps("reached through a link", "roots/x.log")

    def test_hard_link(self):
        os.link(self.precious, self.path(self.NAME))
        self.assert_traps(r"it has a second name \(a hard link\), and others than root may write "
                          r"to its folder", left=[self.NAME])
        self.assert_traps("second name", more='user = ""\nallow_root = on')
        # The user's own, elsewhere.
        self.give("roots/precious")
        self.assert_traps("second name", left=[self.NAME])

    def test_file_of_roots(self):
        """Moved there, or what is left of a hard link to a file that was replaced since
        (passwd(1) replaces shadow): it would have been given to nobody, who then reads it."""
        os.chmod(self.write(self.NAME, "old secrets\n"), 0o600)
        self.assert_traps("it is root's and not empty, and others than root may write",
                          left=[self.NAME])
        self.assertEqual(os.stat(self.path(self.NAME)).st_uid, 0)

    def test_file_of_a_third(self):
        self.write(self.NAME, "daemon's\n")
        self.give(self.NAME, DAEMON)
        self.assert_traps("it does not belong to the user who serves", left=[self.NAME])

    def test_device(self):
        try:
            os.mknod(self.path(self.NAME), stat.S_IFCHR | 0o666, os.makedev(1, 3))
        except PermissionError:
            self.skipTest("no devices can be made here")
        self.assert_traps("neither a regular file nor a FIFO")

    def test_fifo_without_reader(self):
        os.mkfifo(self.path(self.NAME))
        self.give(self.NAME)
        self.assert_traps("No such device or address")  # and soon, not when somebody reads

    def test_folder(self):
        os.mkdir(self.path(self.NAME))
        self.assert_traps("Is a directory")

    def test_sticky_folder(self):
        """Everybody's, as /tmp is."""
        self.give("theirs", ROOT)
        os.chmod(self.path("theirs"), 0o1777)
        self.link(self.precious, self.NAME)
        self.assert_traps("reached through a link")
        self.remove(self.NAME)
        os.link(self.precious, self.path(self.NAME))
        self.assert_traps("second name")

    def test_folder_of_roots_group(self):
        """Or of whoever an access control list names: it shows in the bits of the group."""
        self.give("theirs", ROOT)
        os.chmod(self.path("theirs"), 0o775)
        self.link(self.precious, self.NAME)
        self.assert_traps("reached through a link")

    def test_folder_of_roots_that_can_be_exchanged(self):
        """They may not write to it, but may put another in its place."""
        os.mkdir(self.path("theirs/logs"))
        os.symlink(self.precious, self.path("theirs/logs/x.log"))
        self.assert_traps("reached through a link", "theirs/logs/x.log")

    def test_what_is_the_users_is_taken(self):
        for name in ("theirs/e.log", "theirs/a.log"):
            self.write(name, "before\n")
            self.give(name)
        file = self.config('error_log = "@DIR@/theirs/e.log"\naccess_log = "@DIR@/theirs/a.log"')
        self.assertEqual(self.assert_serves("-c", file).stop(), 0)
        self.assertIn("before\n", self.read("theirs/e.log"))
        self.assertRegex(self.read("theirs/a.log"), r"\Abefore\n.*GET /hello\.txt")
        self.assertEqual(os.stat(self.path("theirs/a.log")).st_uid, NOBODY.pw_uid)

    def test_what_is_missing_or_empty_is_given(self):
        self.write("theirs/e.log", "")  # of root's
        file = self.config('error_log = "@DIR@/theirs/e.log"\naccess_log = "@DIR@/theirs/a.log"')
        self.assert_serves("-c", file)
        for name in ("theirs/e.log", "theirs/a.log"):
            info = os.stat(self.path(name))
            self.assertEqual((info.st_uid, info.st_nlink), (NOBODY.pw_uid, 1))

    def test_root_that_serves_appends_to_its_own(self):
        self.write("theirs/a.log", "before\n")
        file = self.config('user = ""\nallow_root = on\naccess_log = "@DIR@/theirs/a.log"')
        self.assertEqual(self.assert_serves("-c", file).stop(), 0)
        self.assertRegex(self.read("theirs/a.log"), r"\Abefore\n.*GET /hello\.txt")

    def test_fifo_with_reader(self):
        os.mkfifo(self.path("theirs/a.log"))
        reader = os.open(self.path("theirs/a.log"), os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        file = self.config('access_log = "@DIR@/theirs/a.log"')
        self.give("theirs/a.log", DAEMON)
        self.assert_trap("does not belong to the user who serves", "-c", file)
        for user in (NOBODY, ROOT):
            self.give("theirs/a.log", user)
            self.assertEqual(self.assert_serves("-c", file).stop(), 0)
            self.assertIn(b"GET /hello.txt", os.read(reader, 65536))

    def test_standard_streams(self):
        """The administrator's links to devices and streams, as images of containers have them."""
        os.symlink("/dev/stdout", self.path("roots/access.log"))
        os.symlink("roots", self.path("folder"))
        for log in ("/dev/null", self.path("folder/access.log")):  # /dev/stdout: test_streams.py
            server = self.assert_serves("-c", self.config(f'error_log = "/dev/stderr"\n'
                                                          f'access_log = "{log}"',
                                                          name="s.conf"), "-o", "error_log=stderr")
            self.assertEqual(server.stop(), 0)
            self.assertEqual(b"GET /hello.txt" in server.process.stdout.read(), log != "/dev/null")
        status, _, errors = self.run_command("-t", "-c", self.path("s.conf"))  # a pipe as stderr
        self.assertEqual((status, errors), (0, ""))
        self.assertEqual(stat.S_IMODE(os.stat("/dev/null").st_mode), 0o666)

    def test_own_link_of_root(self):
        """To a file that is the user's already, through a folder that is a link too."""
        self.write("roots/real.log", "")
        self.give("roots/real.log")
        os.symlink("real.log", self.path("roots/a.log"))
        os.symlink("../roots/", self.path("roots/again"))
        file = self.config('access_log = "@DIR@/roots/again/a.log"')
        self.assertEqual(self.assert_serves("-c", file).stop(), 0)
        self.assertIn("GET /hello.txt", self.read("roots/real.log"))

    def test_own_link_of_root_to_nothing(self):
        """What was made through it could not be given to the user."""
        os.symlink("made", self.path("roots/a.log"))
        self.assert_traps("it is a link to nothing", "roots/a.log")

    def test_reopened_as_the_user(self):
        """After the drop a link leads to what the user may write to, and no further."""
        file = self.config('error_log = "@DIR@/theirs/e.log"\naccess_log = "@DIR@/theirs/a.log"')
        server = self.serve("-c", file)
        was = state(self.precious)
        for name in ("theirs/e.log", "theirs/a.log"):
            os.rename(self.path(name), self.path(name + ".1"))
            self.link(self.precious, name)
        server.send(signal.SIGUSR1)
        self.assertTrue(wait_until(lambda: self.read("theirs/e.log.1").count("again") == 2))
        errors = self.read("theirs/e.log.1")
        self.assertIn("the error log cannot be opened again, the old file stays", errors)
        self.assertRegex(errors, r"a\.log cannot be opened again.*: Permission denied")
        self.assertEqual(server.get("/hello.txt?after"), (200, b"hello\n"))
        self.assertEqual(server.stop(), 0)
        self.assertIn("?after ", self.read("theirs/a.log.1"))
        self.assertEqual(state(self.precious), was)

    def test_reopened_by_root(self):
        """Root being allowed to serve, the rules are those of a start."""
        file = self.config('user = ""\nallow_root = on\nerror_log = "@DIR@/theirs/e.log"\n'
                           'access_log = "@DIR@/theirs/a.log"')
        server = self.serve("-c", file)
        was = state(self.precious)
        for name, make in (("theirs/e.log", self.link), ("theirs/a.log", self.hard_link)):
            os.rename(self.path(name), self.path(name + ".1"))
            make(self.precious, name)
        server.send(signal.SIGUSR1)
        self.assertTrue(wait_until(lambda: self.read("theirs/e.log.1").count("again") == 2))
        self.assertRegex(self.read("theirs/e.log.1"), r"a\.log cannot be opened again.*second name")
        self.assertEqual(server.get("/hello.txt?after"), (200, b"hello\n"))
        self.assertEqual(server.stop(), 0)
        self.assertIn("?after ", self.read("theirs/a.log.1"))
        self.remove("theirs/a.log")
        self.assertEqual(state(self.precious)[0], was[0])

    def hard_link(self, target, name):
        os.link(target, self.path(name))


if __name__ == "__main__":
    unittest.main()
