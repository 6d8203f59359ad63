"""cache_valid = notify: what is said where the kernel does not tell of changes, and that time does then."""
import os
import shutil
import subprocess
import time
import unittest

from command import Command

SEEN_S = 10


class Notify(Command):
    def becomes(self, server, wanted):
        limit = time.monotonic() + SEEN_S
        while (got := server.get("/hello.txt")) != wanted:
            if time.monotonic() > limit:
                self.fail(f"{got}, not {wanted}\n{server.stderr()}")
            time.sleep(0.02)

    def check(self, said, *settings, **popen):
        server = self.serve(self.site, "--port", "0", "-o", "cache_valid=notify",
                            *(part for setting in settings for part in ("-o", setting)), **popen)
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
        path = os.path.join(self.site, "hello.txt")
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write("changed\n")
        os.rename(path + ".new", path)
        self.becomes(server, (200, b"changed\n"))
        self.assertEqual(server.stop(), 0)
        self.assertRegex(server.stderr(), said)
        self.assertEqual(server.stderr().count(said), 1)

    def test_of_no_use(self):
        self.check("process-per-connection has a process for each connection",
                   "engine=process-per-connection")

    def test_too_few_of_ours(self):
        self.check("looked at again after 1000 ms", "cache_watches=1")

    @unittest.skipUnless(shutil.which("unshare") and subprocess.run(
        ["unshare", "-Ur", "true"], check=False, capture_output=True).returncode == 0,
        "needs a user namespace of its own")
    def test_too_few_of_the_kernel(self):
        """The limit of watches is a user namespace's."""
        self.check("looked at again after 1000 ms", "user=root", "allow_root=on", before=[
            "unshare", "-Ur", "sh", "-c",
            "echo 0 > /proc/sys/user/max_inotify_watches; exec \"$@\"", "sh"])


if __name__ == "__main__":
    unittest.main()
