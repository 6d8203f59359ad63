"""Document roots, looked up again by the user who serves: by the rules that held for root at the
start, and where that user cannot, the old one is kept and the error log says so, once."""
import os
import time
import unittest

from command import AS_ROOT
from traps import Traps

SEEN_S = 10  # ten times cache_valid


@unittest.skipUnless(AS_ROOT, "only root opens what the user who serves may not")
class Roots(Traps):
    def release(self, number, owner_is_user=False):
        os.makedirs(self.path(f"theirs/releases/{number}"), mode=0o755, exist_ok=True)
        self.write(f"theirs/releases/{number}/hello.txt", f"release {number}\n")
        if owner_is_user:
            for name in ("theirs/releases", f"theirs/releases/{number}"):
                self.give(name)

    def switch(self, target, name="theirs/current"):
        self.link(target, name + ".next")
        os.rename(self.path(name + ".next"), self.path(name))

    def becomes(self, server, wanted, timeout_s=SEEN_S):
        limit = time.monotonic() + timeout_s
        while (got := server.get("/hello.txt")) != wanted:
            if time.monotonic() > limit:
                self.fail(f"{got}, not {wanted}\n{server.stderr()}")
            time.sleep(0.05)

    def stays(self, server, wanted, seconds=2.5):
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            self.assertEqual(server.get("/hello.txt"), wanted)
            time.sleep(0.05)

    def test_switched(self):
        for number in (7, 8):
            self.release(number, owner_is_user=True)
        self.switch("releases/7")
        server = self.serve(self.path("theirs/current"), "--port", "0")
        self.becomes(server, (200, b"release 7\n"))
        self.switch("releases/8")
        self.becomes(server, (200, b"release 8\n"))
        self.assertEqual(server.stderr(), "")

    def test_closed_to_the_user(self):
        """The user cannot look the path up again: said at the start, and what was there stays."""
        os.makedirs(self.path("private/site"))
        self.write("private/site/hello.txt", "old\n")
        os.chmod(self.path("private"), 0o700)
        server = self.serve(self.path("private/site"), "--port", "0")
        self.assertRegex(server.stderr(), r"warn root \S+/private/site cannot be looked up again by "
                                          r"user 'nobody': Permission denied")
        self.assertEqual(server.get("/hello.txt"), (200, b"old\n"))
        os.rename(self.path("private/site"), self.path("private/before"))
        os.makedirs(self.path("private/site"))
        self.write("private/site/hello.txt", "new\n")
        self.stays(server, (200, b"old\n"))
        self.assertEqual(server.stderr().count("cannot be looked up"), 1)
        os.chmod(self.path("private"), 0o755)
        self.becomes(server, (200, b"new\n"))

    def test_closed_later(self):
        """Each thread keeps what it has."""
        os.makedirs(self.path("private/site"))
        self.write("private/site/hello.txt", "old\n")
        os.chmod(self.path("private"), 0o755)
        server = self.serve(self.path("private/site"), "--port", "0")
        self.becomes(server, (200, b"old\n"))
        os.chmod(self.path("private"), 0o700)
        self.stays(server, (200, b"old\n"))
        self.assertEqual(server.stderr().count("cannot be looked up again: Permission denied; what "
                                               "it was before is served"), 1, server.stderr())

    def test_led_to_what_its_maker_may_not_read(self):
        """The user who serves may read it, but the rules of the start hold on."""
        self.release(7, owner_is_user=True)
        self.switch("releases/7")
        os.mkdir(self.path("others"))
        self.write("others/hello.txt", "secret\n")
        os.chmod(self.path("others"), 0o750)
        nobody = os.stat(self.path("theirs/releases/7"))
        os.chown(self.path("others"), 0, nobody.st_gid)
        server = self.serve(self.path("theirs/current"), "--port", "0")
        self.becomes(server, (200, b"release 7\n"))
        self.switch(self.path("others"))
        self.stays(server, (200, b"release 7\n"))
        self.assertRegex(server.stderr(), r"error root \S+/theirs/current cannot be looked up again: "
                                          r"a link of an ordinary user's leads to it")
        self.release(8, owner_is_user=True)
        self.switch("releases/8")
        self.becomes(server, (200, b"release 8\n"))


if __name__ == "__main__":
    unittest.main()
