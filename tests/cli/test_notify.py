"""cache_valid = notify: what is said where the kernel does not tell of changes, and that time does then."""
import os
import shutil
import subprocess
import time
import unittest

from command import Command

SEEN_S = 10


OWN_NAMESPACE = unittest.skipUnless(shutil.which("unshare") and shutil.which("nsenter") and subprocess.run(
    ["unshare", "-Urm", "true"], check=False, capture_output=True).returncode == 0,
    "needs a user namespace of its own")


class Notify(Command):
    def becomes(self, server, wanted, target="/hello.txt"):
        limit = time.monotonic() + SEEN_S
        while (got := server.get(target)) != wanted and (got[0], None) != wanted:
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

    @OWN_NAMESPACE
    def test_too_few_of_the_kernel(self):
        """The limit of watches is a user namespace's."""
        self.check("looked at again after 1000 ms", "user=root", "allow_root=on", before=[
            "unshare", "-Ur", "sh", "-c",
            "echo 0 > /proc/sys/user/max_inotify_watches; exec \"$@\"", "sh"])

    @OWN_NAMESPACE
    def test_what_is_mounted(self):
        """Over the root, and below it: told by mountinfo, for inotify tells nothing of it."""
        def mount(*words):
            subprocess.run(["nsenter", "-t", str(server.pid), "-U", "-m", "--preserve-credentials",
                            *words], check=True)

        other, below = os.path.join(self.folder, "other"), os.path.join(self.site, "below")
        for folder in (other, below):
            os.mkdir(folder)
        for folder in (other, self.site):
            os.chmod(folder, 0o755)
        with open(os.path.join(other, "hello.txt"), "w", encoding="ascii") as file:
            file.write("mounted\n")
        server = self.serve(self.site, "--port", "0", "-o", "cache_valid=notify", "-o", "user=root",
                            "-o", "allow_root=on", before=["unshare", "-Urm"])
        for where, target, without in ((self.site, "/hello.txt", (200, b"hello\n")),
                                       (below, "/below/hello.txt", (404, None))):
            for _ in range(2):
                self.becomes(server, without, target)
                mount("mount", "--bind", other, where)
                self.becomes(server, (200, b"mounted\n"), target)
                mount("umount", "--lazy", where)
            self.becomes(server, without, target)


if __name__ == "__main__":
    unittest.main()
