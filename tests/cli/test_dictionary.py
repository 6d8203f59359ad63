"""`gearshift dictionary`: deltas of files, which zstd(1) and brotli(1) read behind their heads."""
import glob
import hashlib
import os
import shutil
import subprocess
import unittest

from command import Command

COMMON = "".join(f"function part{number}() {{ return {number ** 3}; }}\n" for number in range(500))
OLD, NEW = COMMON + "old", COMMON.replace("part7", "section7") + "new"
HEADS = {"dcz": b"\x5e\x2a\x4d\x18\x20\0\0\0", "dcb": b"\xffDCB"}


class Dictionary(Command):
    def put(self, name, text):
        """A file of these octets, and the folders above it; its path."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
        return path

    def make(self, *arguments, status=0):
        got, out, errors = self.run_command("dictionary", *arguments)
        self.assertEqual(got, status, errors)
        return errors if status else out

    def deltas(self, folder):
        return sorted(os.path.basename(path) for path in glob.glob(self.path(folder) + "/*.dc[bz]"))

    def can(self, coding):
        return f" {coding} (" in self.run_command("-V")[1].split("dictionary:")[1].split("\n")[0]

    def check(self, name, old, new):
        """Has the delta the head of the old one, and do others make the new one of the rest?"""
        coding = name[-3:]
        with open(self.path(name), "rb") as file:
            data = file.read()
        head = HEADS[coding] + hashlib.sha256(old.encode()).digest()
        self.assertEqual(data[:len(head)], head)
        dictionary, rest = self.put("dictionary", old), self.path("rest")
        with open(rest, "wb") as file:
            file.write(data[len(head):])
        command = (["zstd", "-dcq", "--patch-from=" + dictionary, rest] if coding == "dcz" else
                   ["brotli", "-dc", "-D", dictionary, rest])
        if shutil.which(command[0]):
            self.assertEqual(subprocess.run(command, check=True, capture_output=True).stdout,
                             new.encode())

    def test_two_files(self):
        old, new = self.put("old.js", OLD), self.put("files/app.js", NEW)
        os.chmod(new, 0o640)
        os.utime(new, ns=(10**18 + 7, 10**18 + 7))
        out = self.make(old, new)
        names = self.deltas("files")
        stem = "app.js." + hashlib.sha256(OLD.encode()).hexdigest()
        self.assertEqual(names, [f"{stem}.{coding}" for coding in ("dcb", "dcz")
                                 if self.can(coding)])
        self.assertEqual(out.count("app.js: dc"), len(names))
        for name in names:
            stat = os.stat(self.path("files/" + name))
            self.assertEqual((stat.st_mtime_ns, stat.st_mode & 0o777), (10**18 + 7, 0o640))
            self.assertLess(stat.st_size, 300)
            self.check("files/" + name, OLD, NEW)
        self.assertEqual(self.make(old, new), "")  # they are there
        self.assertEqual(os.listdir(self.path("files")).count("app.js"), 1)
        self.assertEqual(len(os.listdir(self.path("files"))), 1 + len(names))
        # Another version in its place: the delta is made again.
        self.put("files/app.js", NEW + "er")
        self.assertIn("app.js: dc", self.make(old, new))
        self.check("files/" + names[0], OLD, NEW + "er")
        # One of which nothing is to be gained: that of before does not stay.
        self.put("files/app.js", "another")
        self.assertIn("app.js: no dc", self.make(old, new))
        self.assertEqual(self.deltas("files"), [])

    def test_two_folders(self):
        for name, text in (("index.html", OLD), ("js/app.3fa1c2d4.js", OLD), ("js/gone.js", OLD),
                           ("js/app.1111aaaa.js", OLD + "er"), ("only/there.js", OLD),
                           ("same.css", OLD), ("tiny.txt", "1")):
            self.put("old/" + name, text)
        for name, text in (("index.html", NEW), ("js/app.9be0d172.js", NEW), ("js/new.js", NEW),
                           ("same.css", OLD), ("tiny.txt", "2"), (".hidden", NEW),
                           ("index.html.gz", NEW)):
            self.put("new/" + name, text)
        os.symlink("js", self.path("new/link"))
        out = self.make("--coding", "dcz", self.path("old"), self.path("new"))
        hashed = [hashlib.sha256(text.encode()).hexdigest() for text in (OLD, OLD + "er")]
        self.assertEqual(self.deltas("new"), [f"index.html.{hashed[0]}.dcz"])
        self.assertEqual(self.deltas("new/js"),
                         sorted(f"app.9be0d172.js.{text}.dcz" for text in hashed))
        self.check("new/index.html." + hashed[0] + ".dcz", OLD, NEW)
        self.assertIn("\n3 deltas made, 0 were there, 1 were not worth it; 1 files have no former", out)
        again = self.make("--coding", "dcz", self.path("old"), self.path("new"))
        self.assertIn("0 deltas made, 3 were there", again)
        self.assertEqual(self.deltas("old") + self.deltas("old/js"), [])

    def test_refusals(self):
        old, new, folder = self.put("old", OLD), self.put("new", NEW), self.path("site")
        for arguments, status, sentence in (
                ((), 2, "usage: gearshift dictionary"), ((old,), 2, "usage:"),
                ((old, new, old), 2, "is not understood"), (("-x", old, new), 2, "'-x' is not"),
                ((old, folder), 2, "have to be two files, or two folders"),
                ((old, old), 2, "have to be two files"), ((folder, folder), 2, "have to be"),
                (("--coding", "br", old, new), 2, "no coding with a dictionary"),
                ((old, new + "er"), 1, "No such file"), ((old + "er", new), 1, "No such file")):
            self.assertIn(sentence, self.make(*arguments, status=status))
        if not self.can("dcb"):
            self.assertIn("this build cannot make dcb: ",
                          self.make("--coding", "dcb", old, new, status=2))
        large = self.path("large")
        with open(large, "wb") as file:
            file.truncate((128 << 20) + 1)
        self.assertIn("more than 128 MiB", self.make(large, new, status=1))
        self.assertEqual(glob.glob(new + ".*"), [])
        copy = self.put("copy", OLD)
        self.assertIn("is the same as", self.make(old, copy))


if __name__ == "__main__":
    unittest.main()
