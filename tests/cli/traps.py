"""Folders that somebody else may write to, what can lie in wait for root there, and how to see that
nothing of it was touched. For test_root_*.py: the table of docs/decisions/0018-what-root-opens.md,
row by row. Standard library only."""
import os
import pwd
import stat

from command import Command

NOBODY = pwd.getpwnam("nobody")
DAEMON = pwd.getpwnam("daemon")
ROOT = pwd.getpwuid(0)


def state(path):
    """All that could change of a file: its content, owner, mode, names, times."""
    info = os.lstat(path)
    content = ""
    if stat.S_ISREG(info.st_mode):
        with open(path, "rb") as file:
            content = file.read()
    return (content, info.st_uid, info.st_gid, info.st_mode, info.st_nlink, info.st_ino,
            info.st_mtime_ns)


class Traps(Command):
    """`theirs` is a folder of nobody's, `roots` one of root's with a file that nobody may read."""

    def setUp(self):
        super().setUp()
        for name in ("theirs", "roots"):
            os.mkdir(self.path(name), 0o755)
        self.give("theirs")
        self.precious = self.write("roots/precious", "root's own\n")
        os.chmod(self.precious, 0o600)

    def give(self, name, user=NOBODY):
        os.chown(self.path(name), user.pw_uid, user.pw_gid, follow_symlinks=False)

    def link(self, target, name):
        """A link that nobody made."""
        os.symlink(target, self.path(name))
        self.give(name)

    def assert_trap(self, sentence, *arguments, left=None, **popen):
        """Refused by the test of a configuration and by a start; nothing is other than before."""
        before = {name: state(self.path(name)) for name in ("roots/precious", *(left or ()))}
        folders = [sorted(os.listdir(self.path(name))) for name in ("theirs", "roots")]
        for mode in (["-t"], []):
            self.assert_refused(78, sentence, *mode, *arguments, **popen)
            self.assertEqual([sorted(os.listdir(self.path(name))) for name in ("theirs", "roots")],
                             folders)
            for name, was in before.items():
                self.assertEqual(state(self.path(name)), was, name)

    def assert_serves(self, *arguments):
        status, output, errors = self.run_command("-t", *arguments)
        self.assertEqual(status, 0, errors)
        self.assertIn("is valid", output)
        server = self.serve(*arguments)
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
        return server

    def remove(self, name):
        os.unlink(self.path(name))
