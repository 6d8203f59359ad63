"""Files on file systems that do not tell what of them is in memory (overlayfs, which containers are
made of, and tmpfs), and files that are not in memory: every engine serves them all the same."""
import os
import subprocess
import unittest

from command import AS_ROOT, Command

OLD = 1_000_000_000
SIZES = (0, 1, 600, 4096, 16384, 16385, 200_000)  # kept in memory, or by a descriptor
ENGINES = ("reactor", "reactor-pool", "multi-reactor", "coroutine", "proactor", "thread-pool")
OVERLAY = ('mount -t tmpfs tmpfs "$0" && mkdir "$0/lower" "$0/upper" "$0/work" "$0/site" && '
           'cp -p "$1"/* "$0/lower" && shift && mount -t overlay overlay '
           '-o "lowerdir=$0/lower,upperdir=$0/upper,workdir=$0/work" "$0/site" && exec "$@"')
TMPFS = ('mount -t tmpfs tmpfs "$0" && mkdir "$0/site" && cp -p "$1"/* "$0/site" && shift && '
         'exec "$@"')


def text_of(size):
    return ("%07d\n" % size * (size // 8 + 1))[:size]


class FileSystems(Command):
    def setUp(self):
        super().setUp()
        for size in SIZES:
            os.utime(self.write(f"site/{size}.txt", text_of(size)), (OLD, OLD))

    def all_are_right(self, server):
        for _ in range(2):
            for size in SIZES:
                self.assertEqual(server.get(f"/{size}.txt"), (200, text_of(size).encode()))
            self.assertEqual(server.get("/none.txt")[0], 404)

    def mounted(self, script, engine, *settings):
        """A server whose root is on what `script` mounts, where only the server sees it."""
        place = self.path("mounted")
        os.makedirs(place, exist_ok=True)
        config = self.write("server.conf", 'server "a" { listen = {"127.0.0.1:0"} '
                                           f'root = "{place}/site" }}\n')
        before = ("unshare", "--mount", "sh", "-c", script, place, self.site)
        options = [word for setting in ("processes=0", "control=off", *settings)
                   for word in ("-o", setting)]
        return self.serve("-c", config, "-e", engine, *options, before=before)

    @unittest.skipUnless(AS_ROOT, "only root mounts file systems")
    def test_mounted(self):
        for name, script in (("overlay", OVERLAY), ("tmpfs", TMPFS)):
            place = self.path(name)
            os.mkdir(place)
            tried = subprocess.run(["unshare", "--mount", "sh", "-c", script, place, self.site,
                                    "true"], capture_output=True, check=False)
            if tried.returncode != 0:
                self.skipTest(f"{name} cannot be mounted here: {tried.stderr.decode()}")
            for engine in ENGINES:
                with self.subTest(file_system=name, engine=engine):
                    self.need_engine(engine)
                    for settings in ((), ("cache_files=0",), ("file_io=read",)):
                        server = self.mounted(script, engine, *settings)
                        self.all_are_right(server)
                        self.assertEqual(server.stop(), 0)

    def test_cold(self):
        """What is not in the page cache is read by whoever may wait; nothing of it is lost."""
        for engine in ENGINES:
            with self.subTest(engine=engine):
                self.need_engine(engine)
                for size in SIZES:
                    with open(self.path(f"site/{size}.txt"), "rb") as file:
                        os.fsync(file.fileno())
                        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                server = self.serve(self.site, "--port", "0", "-e", engine, "-o", "processes=0",
                                    "-o", "control=off")
                self.all_are_right(server)
                descriptors = len(os.listdir(f"/proc/{server.pid}/fd"))
                self.assertLess(descriptors, 40)
                for _ in range(10):
                    self.all_are_right(server)
                # Connections that have ended, and files that were read, are closed a little later.
                self.assertLess(len(os.listdir(f"/proc/{server.pid}/fd")), descriptors + 10)
                self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
