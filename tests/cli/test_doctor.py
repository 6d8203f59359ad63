"""What `gearshift doctor` tells, line by line, against what a start then does: each part of io_uring
that a filter or a limit may refuse, and settings that only some engines honour."""
import errno
import json
import os
import re
import resource
import unittest

from command import AS_ROOT, BINARY, Command
from test_engines import engine_of, forbid

IO_URING_ENTER, IO_URING_REGISTER = 426, 427
NOBODY = 65534


def limited(limit, number, drop_root=False):
    """For preexec_fn: no more than `number` of a resource from now on."""
    def apply():
        resource.setrlimit(limit, (number, number))
        if drop_root and AS_ROOT:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
    return apply


class Doctors(Command):
    def doctor(self, status=0, **popen):
        """What it found: group -> name -> finding."""
        result, out, err = self.run_command("doctor", "--json", **popen)
        self.assertEqual((result, err), (status, ""))
        return {group: {one["name"]: one for one in findings}
                for group, findings in json.loads(out).items() if group != "version"}

    def need_proactor(self):
        if not self.doctor()["engines"]["proactor"]["ok"]:
            self.skipTest("io_uring cannot run here")


class Forms(Doctors):
    def test_json_holds_what_the_text_holds(self):
        _, out, _ = self.run_command("doctor", "--json")
        lines = []
        for group, findings in json.loads(out).items():
            if group == "version":
                continue
            lines += ([""] if lines else []) + [group]
            for one in findings:
                lines.append(f"  {'+' if one['ok'] else '-'} {one['name']:20} {one['text']}")
                if "advice" in one:
                    lines.append(f"    {'':20} > {one['advice']}")
        self.assertEqual(self.run_command("doctor"), (0, "\n".join(lines) + "\n", ""))

    def test_every_way_to_a_file_is_told(self):
        files = self.doctor()["files"]
        self.assertEqual(list(files), ["openat2", "openat2 cached", "file_io = sendfile",
                                       "file_io = splice", "file_io = read", "page cache",
                                       "file_jobs = posix-aio", "file_jobs = linux-aio",
                                       "file_jobs = io_uring"])
        self.assertTrue(files["file_io = read"]["ok"])

    def test_a_way_that_is_refused(self):
        for number, name in ((40, "sendfile"), (275, "splice")):  # x86-64
            if os.uname().machine != "x86_64":
                self.skipTest("system calls have other numbers here")
            found = self.doctor(preexec_fn=forbid(number, errno.ENOSYS))
            finding = found["files"][f"file_io = {name}"]
            self.assertFalse(finding["ok"])
            self.assertRegex(finding["text"], r"Function not implemented: .*; set file_io = ")


class IoUring(Doctors):
    def test_features(self):
        self.need_proactor()
        text = self.doctor()["engines"]["proactor"]["text"]
        self.assertRegex(text, r"\Acan run: io_uring with (SINGLE_ISSUER and DEFER_TASKRUN|"
                               r"COOP_TASKRUN); accepts multishot, receives (multishot|one by one) "
                               r".*; idle threads (do not )?count as waiting for a disk"
                               r"; cost: .+\Z")

    def test_each_call_that_is_forbidden(self):
        """The rings are made, but cannot be used: found out before anything is served."""
        self.need_proactor()
        for number, call in ((IO_URING_ENTER, "io_uring_enter"),
                             (IO_URING_REGISTER, "io_uring_register")):
            for error in (errno.EPERM, errno.ENOSYS):
                popen = {"preexec_fn": forbid(number, error)}
                reason = rf"{call}: {os.strerror(error)}: a seccomp filter .* forbids it; allow "
                engines = self.doctor(**popen)["engines"]
                self.assertFalse(engines["proactor"]["ok"])
                self.assertRegex(engines["proactor"]["text"], "cannot run: " + reason)
                self.assertRegex(engines["auto"]["text"], "not proactor: " + reason)
                self.assert_refused(69, reason, self.site, "--port", "0", "-e", "proactor", **popen)
                server = self.serve(self.site, "--port", "0", "-e", "auto", **popen)
                self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
                self.assertEqual(server.stop(), 0)


class Limits(Doctors):
    def test_nofile(self):
        finding = self.doctor(preexec_fn=limited(resource.RLIMIT_NOFILE, 200))["machine"]["nofile"]
        self.assertFalse(finding["ok"])
        self.assertRegex(finding["text"], "^200, at most 200;")
        self.assertRegex(finding["advice"], "raise the hard limit .* or lower connections_max")

    def test_memlock(self):
        """Told in any case; whether the kernel counts rings shows in whether proactor can run."""
        popen = {"preexec_fn": limited(resource.RLIMIT_MEMLOCK, 4096, drop_root=True)}
        try:
            found = self.doctor(**popen)
        except PermissionError:
            self.skipTest(f"another user may not execute {BINARY}")
        self.assertFalse(found["machine"]["memlock"]["ok"])
        self.assertIn("128 KiB for each thread", found["machine"]["memlock"]["advice"])
        proactor = found["engines"]["proactor"]
        if not proactor["ok"] and "locked memory" in proactor["text"]:
            self.assert_refused(69, "limit of locked memory .*; raise it, set fewer threads, or",
                                self.site, "--port", "0", "-e", "proactor", **popen)

    def test_memory_for_some_rings_only(self):
        """What only shows when every thread's ring is made is status 69, too."""
        popen = {"preexec_fn": limited(resource.RLIMIT_MEMLOCK, 200 << 10, drop_root=True)}
        try:
            found = self.doctor(**popen)
        except PermissionError:
            self.skipTest(f"another user may not execute {BINARY}")
        one = {"preexec_fn": limited(resource.RLIMIT_MEMLOCK, 4096, drop_root=True)}
        if not found["engines"]["proactor"]["ok"] or self.doctor(**one)["engines"]["proactor"]["ok"]:
            self.skipTest("io_uring cannot run here, or its rings are not counted")
        self.assert_refused(69, "io_uring_(setup|register): .*limit of locked memory", self.site,
                            "--port", "0", "-e", "proactor", "-o", "threads=4", **popen)


class Settings(Doctors):
    """`auto` and engine_fallback take no engine that then refuses the configuration."""

    def served_by(self, *arguments, **popen):
        server = self.serve(self.site, "--port", "0", *arguments, **popen)
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
        self.assertEqual(server.stop(), 0)
        return engine_of(server), server.stderr()

    def test_handoff(self):
        engine, log = self.served_by("-e", "auto", "-o", "accept=handoff", "-o", "threads=2")
        self.assertEqual(engine, "multi-reactor")
        self.assertIn("not proactor: accept = handoff is multi-reactor's", log)

    def test_splice(self):
        without = {"preexec_fn": forbid(IO_URING_ENTER, errno.EPERM)}
        for arguments, level in ((("-e", "auto"), "info"),
                                 (("-e", "proactor", "-o", "engine_fallback=on"), "warn")):
            engine, log = self.served_by(*arguments, "-o", "file_io=splice", **without)
            self.assertRegex(engine, r"\A(multi-)?reactor\Z")
            self.assertRegex(log, rf" {level} .*; with file_io = auto, since splice is proactor's\n")

    def test_a_connection_for_each_thread(self):
        self.need_proactor()
        for engine in ("proactor", "multi-reactor"):
            self.assert_refused(78, "connections_max = 1 leaves nothing for some of 2 threads",
                                self.site, "--port", "0", "-e", engine, "-o", "threads=2",
                                "-o", "connections_max=1")


if __name__ == "__main__":
    unittest.main()
