"""file_jobs: which engines take which, what each needs of other settings and of the kernel, and what
doctor tells of those that read files for an event loop."""
import errno
import os
import unittest

from test_doctor import Doctors
from test_engines import ENGINES, IO_URING_ENTER, IO_URING_REGISTER, IO_URING_SETUP, engine_of, \
    forbid

READERS = ("posix-aio", "linux-aio", "io_uring")
REACTORS = ("reactor", "reactor-pool", "multi-reactor")
KINDS = ("inline", "workers", "processor", *READERS)
TAKEN = {"reactor": {"inline", "workers", *READERS}, "reactor-pool": {"workers", *READERS},
         "multi-reactor": {"inline", "workers", *READERS}, "proactor": {"processor"}}
# The numbers of x86-64.
IO_SETUP, IO_SUBMIT, IO_GETEVENTS = 206, 209, 208


class FileJobs(Doctors):
    def arguments(self, engine, *settings):
        if engine == "reactor-pool":
            settings += ("pool_work=file",)
        return [self.site, "--port", "0", "-e", engine,
                *(part for setting in settings for part in ("-o", setting))]

    def test_who_takes_which(self):
        for engine in ENGINES[:-1]:
            for kind in KINDS:
                arguments = self.arguments(engine, f"file_jobs={kind}")
                if kind not in TAKEN.get(engine, {"inline"}):
                    self.assert_refused(78, f"engine {engine} has no file_jobs = {kind}; it takes: "
                                            "auto, ", *arguments)
                elif kind in READERS and self.doctor()["files"][f"file_jobs = {kind}"]["ok"]:
                    server = self.serve(*arguments)
                    self.assertEqual(engine_of(server), engine)
                    self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
                    self.assertEqual(server.stop(), 0)

    def test_what_they_need_of_other_settings(self):
        for kind in READERS:
            self.assert_refused(78, f"file_jobs = {kind} needs some workers.*set file_workers to 1",
                                *self.arguments("reactor", f"file_jobs={kind}", "file_workers=0"))
            self.assert_refused(78, f"file_jobs = {kind} is for .*: set pool_work = file",
                                self.site, "--port", "0", "-e", "reactor-pool", "-o",
                                f"file_jobs={kind}")
        self.assert_refused(78, "file_jobs = linux-aio passes the page cache by, .*: set file_io = "
                                "auto or read", *self.arguments("reactor", "file_jobs=linux-aio",
                                                                "file_io=sendfile"))

    def check_refused(self, kind, reason, popen):
        """On each engine, with the reason that doctor has."""
        finding = self.doctor(**popen)["files"][f"file_jobs = {kind}"]
        self.assertFalse(finding["ok"])
        self.assertRegex(finding["text"], f"cannot run: {reason}")
        for engine in REACTORS:
            self.assert_refused(69, reason, *self.arguments(engine, f"file_jobs={kind}"), **popen)

    def test_linux_aio_is_forbidden(self):
        if os.uname().machine != "x86_64":
            self.skipTest("system calls have other numbers here")
        for number, call in ((IO_SETUP, "io_setup"), (IO_SUBMIT, "io_submit"),
                             (IO_GETEVENTS, "io_getevents")):
            for error in (errno.EPERM, errno.ENOSYS):
                self.check_refused("linux-aio", f"file_jobs = linux-aio: {call}: "
                                   f"{os.strerror(error)}; .*seccomp.*or set file_jobs = workers",
                                   {"preexec_fn": forbid(number, error)})

    def test_more_operations_than_are_left(self):
        """As io_setup(2) says when fs.aio-max-nr is used up, which is the whole machine's."""
        if os.uname().machine != "x86_64":
            self.skipTest("system calls have other numbers here")
        for error in (errno.EAGAIN, errno.EINVAL):
            self.check_refused("linux-aio", "file_jobs = linux-aio: io_setup: .*more than the "
                               "sysctl fs.aio-max-nr leaves: raise it, or set file_jobs = workers",
                               {"preexec_fn": forbid(IO_SETUP, error)})

    def test_io_uring_is_forbidden(self):
        for number, call in ((IO_URING_SETUP, "setup"), (IO_URING_ENTER, "enter"),
                             (IO_URING_REGISTER, "register")):
            if call != "setup" and not self.doctor()["files"]["file_jobs = io_uring"]["ok"]:
                continue
            for error in (errno.EPERM, errno.ENOSYS):
                self.check_refused("io_uring", f"file_jobs = io_uring: io_uring_(enter|{call}): "
                                   f"{os.strerror(error)}: a seccomp filter.*or set file_jobs = "
                                   "workers", {"preexec_fn": forbid(number, error)})

    def test_posix_aio_needs_nothing(self):
        finding = self.doctor()["files"]["file_jobs = posix-aio"]
        self.assertTrue(finding["ok"])
        self.assertRegex(finding["text"], r"\Acan run, with the reactors; cost: .*threads")

    def test_auto_sets_it_back(self):
        """The engine that is taken may not have it."""
        server = self.serve(self.site, "--port", "0", "-e", "auto", "-o", "threads=1", "-o",
                            "file_jobs=inline")
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
        engine = engine_of(server)
        self.assertEqual(server.stop(), 0)
        self.assertEqual("; with file_jobs = auto, since " in server.stderr(), engine == "proactor")


if __name__ == "__main__":
    unittest.main()
