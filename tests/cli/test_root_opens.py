"""What else root opens, creates, removes or reads by a name in a folder that somebody else may write
to: pid file, unix sockets, document roots, keys, media types. A trap is refused, by -t in the same
words, with status 78, and nothing was written, made, removed or made accessible before."""
import os
import re
import shutil
import socket
import stat
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "pki"))
import make_pki  # noqa: E402, it lies beside this folder
from command import AS_ROOT  # noqa: E402
from traps import DAEMON, Traps, state  # noqa: E402


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
        self.assert_traps("it is not a regular file")
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


@unittest.skipUnless(AS_ROOT, "only root opens what others may not")
class UnixSocket(Traps):
    def address(self, name):
        return "unix:" + self.path(name)

    def assert_traps(self, sentence, name="theirs/s.sock", left=None):
        self.assert_trap(sentence, self.site, "--listen", self.address(name), left=left)

    def stale(self, name):
        with socket.socket(socket.AF_UNIX) as old:
            old.bind(self.path(name))

    def test_what_is_no_socket(self):
        self.link(self.precious, "theirs/s.sock")
        self.assert_traps("exists and is not a socket")
        self.remove("theirs/s.sock")
        self.link(self.path("roots/made"), "theirs/s.sock")
        self.assert_traps("exists and is not a socket")
        self.remove("theirs/s.sock")
        os.link(self.precious, self.path("theirs/s.sock"))
        self.assert_traps("exists and is not a socket", left=["theirs/s.sock"])

    def test_link_in_the_middle(self):
        """Neither made nor removed by it."""
        self.link(self.path("roots"), "theirs/run")
        self.assert_traps("reached through a link", "theirs/run/s.sock")
        self.stale("roots/s.sock")
        self.assert_traps("reached through a link", "theirs/run/s.sock", left=["roots/s.sock"])

    def test_mode_is_there_from_the_first_moment(self):
        for mask in (0o077, 0o777, 0):
            server = self.serve(self.site, "--listen", self.address("theirs/s.sock"),
                                preexec_fn=lambda mask=mask: os.umask(mask))
            self.assertEqual(stat.S_IMODE(os.stat(self.path("theirs/s.sock")).st_mode), 0o666)
            self.assertIn(server.status_line("Umask")[0], (f"{mask:04o}", f"{mask:03o}"))
            self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
            self.assertEqual(server.stop(), 0)
            self.assertFalse(os.path.exists(self.path("theirs/s.sock")))

    def test_in_a_folder_that_can_be_exchanged(self):
        """Reached by the folder's descriptor, it is made, taken over when stale, and removed."""
        os.mkdir(self.path("theirs/run"))
        self.give("theirs/run")
        self.stale("theirs/run/s.sock")
        server = self.assert_serves(self.site, "--listen", self.address("theirs/run/s.sock"))
        self.assertEqual(server.stop(), 0)
        self.assertEqual(os.listdir(self.path("theirs/run")), [])

    def test_swapped_later(self):
        """At the end root that serves removes its own name only."""
        os.mkdir(self.path("theirs/run"))
        self.give("theirs/run")
        server = self.serve(self.site, "--listen", self.address("theirs/run/precious"),
                            "-o", "user=root", "-o", "allow_root=on")
        os.rename(self.path("theirs/run"), self.path("theirs/old"))
        self.link(self.path("roots"), "theirs/run")
        was = state(self.precious)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(state(self.precious), was)
        self.assertEqual(os.listdir(self.path("theirs/old")), [])


@unittest.skipUnless(AS_ROOT, "only root opens what others may not")
class Read(Traps):
    """What is only read: a link of somebody's leads to what is his own."""

    def test_document_root(self):
        for name in ("roots/private", "theirs/releases", "theirs/releases/7"):
            os.mkdir(self.path(name), 0o755)
        self.write("roots/private/hello.txt", "private\n")
        os.chmod(self.path("roots"), 0o700)
        self.link(self.path("roots/private"), "theirs/site")
        self.assert_trap(r"/theirs/site.*a link of an ordinary user's leads to it, who does not own "
                         r"it, and it is not open to everybody: name the file itself", self.path("theirs/site"), "--port", "0")
        self.remove("theirs/site")
        self.link(self.path("roots"), "theirs/up")
        self.assert_trap("a link of an ordinary user's", self.path("theirs/up/private"),
                         "--port", "0")
        # The usual link to the present release, one that root made, and one to what all may read.
        self.write("theirs/releases/7/hello.txt", "hello\n")
        self.give("theirs/releases/7")
        self.link("releases/7/", "theirs/current")
        os.symlink(self.path("site"), self.path("theirs/of-root"))
        self.link(self.path("site"), "theirs/public")
        for name in ("theirs/current", "theirs/of-root", "theirs/current/", "theirs/public"):
            self.assertEqual(self.assert_serves(self.path(name), "--port", "0").stop(), 0)

    def test_keys(self):
        pki = self.path("pki")
        os.mkdir(pki)
        make_pki.make(pki)
        for name in ("site.pem", "site.key"):
            os.rename(os.path.join(pki, name), self.path("roots/" + name))
        os.chmod(self.path("roots/site.key"), 0o600)
        for backend in re.findall(r"tls_backend = (\S+)\)", self.run_command("-V")[1]):
            with self.subTest(backend):
                self.key_is_read_for_its_owner_only(f"tls_backend={backend}")

    def key_is_read_for_its_owner_only(self, backend):
        file = self.write("tls.conf", f"""server "localhost" {{
            listen = {{"127.0.0.1:0", "127.0.0.1:0 tls"}} root = "{self.site}"
            certificate = "roots/site.pem" key = "theirs/site.key" }}""")
        arguments = ("-o", backend, "-c", file)
        key = self.path("theirs/site.key")
        left = ["roots/site.key"]
        self.link(self.path("roots/site.key"), "theirs/site.key")
        self.assert_trap(r"/site\.key: cannot be opened: a link of an ordinary user's leads to it",
                         *arguments, left=left)
        self.remove("theirs/site.key")
        os.link(self.path("roots/site.key"), key)
        self.assert_trap(r"/site\.key: cannot be opened: it has a second name", *arguments,
                         left=left)
        self.remove("theirs/site.key")
        # A copy, of root's or the user's; and one behind the user's own link.
        shutil.copy(self.path("roots/site.key"), key)
        self.assertEqual(self.serve(*arguments, addresses=2).stop(), 0)
        os.rename(key, self.path("theirs/real.key"))
        self.give("theirs/real.key")
        self.link("real.key", "theirs/site.key")
        self.assertEqual(self.serve(*arguments, addresses=2).stop(), 0)
        self.remove("theirs/site.key")
        self.remove("theirs/real.key")

    def test_files_of_addresses(self):
        self.link(self.precious, "theirs/list")
        file = self.config(server='deny = "file:@DIR@/theirs/list"')
        self.assert_trap("deny: .*/theirs/list cannot be read: a link of an ordinary user's leads "
                         "to it", "-c", file)
        self.remove("theirs/list")
        self.write("theirs/list", "192.0.2.1\n")
        self.assertEqual(self.assert_serves("-c", file).stop(), 0)

    def test_passwords_and_keys(self):
        self.link(self.precious, "theirs/file")
        for key, statement in (("users", 'auth "x" { users = "@DIR@/theirs/file" }'),
                               ("signed", 'signed = "@DIR@/theirs/file"')):
            self.assert_trap(f"{key}: .*/theirs/file cannot be read: a link of an ordinary user's "
                             "leads to it", "-c", self.config(server=statement))

    def test_media_types(self):
        self.link(self.precious, "theirs/types")
        file = self.config('mime_types = "@DIR@/theirs/types"')
        self.assert_trap("mime_types: .*a link of an ordinary user's leads to it", "-c", file)
        self.remove("theirs/types")
        self.write("theirs/types", "text/x-theirs txt\n")
        self.assertEqual(self.assert_serves("-c", file).stop(), 0)


if __name__ == "__main__":
    unittest.main()
