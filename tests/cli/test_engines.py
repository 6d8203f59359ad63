"""Which engine serves: named, chosen by `auto`, or in place of one that cannot run; and what
`gearshift doctor` tells of it. io_uring is forbidden by a seccomp filter, as in containers."""
import ctypes
import errno
import json
import os
import re
import struct
import subprocess
import sys
import unittest

from command import ANNOUNCED, AS_ROOT, BINARY, WAIT_S, Command, environment

IO_URING_SETUP, IO_URING_ENTER, IO_URING_REGISTER, OPENAT2 = 425, 426, 427, 437
SYSCTL = "/proc/sys/kernel/io_uring_disabled"
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
ENGINES = ("reactor", "reactor-pool", "multi-reactor", "leader-followers", "proactor", "coroutine",
           "iterative", "thread-per-connection", "thread-pool", "process-per-connection", "auto")


def forbid(number, error):
    """For preexec_fn: system call `number` fails with `error` from now on."""
    def apply():
        # load the number; if it is not ours skip one; return the error; return ALLOW
        program = b"".join(struct.pack("HBBI", *instruction) for instruction in (
            (0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | error),
            (0x06, 0, 0, 0x7fff0000)))
        memory = ctypes.create_string_buffer(program)
        filter_program = struct.pack("HxxxxxxP", 4, ctypes.addressof(memory))
        libc = ctypes.CDLL(None, use_errno=True)
        if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
                or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter_program, 0, 0) != 0):
            os._exit(99)
    return apply


def mount_over_sysctl(file):
    """Lays `file` over the sysctl, for this process and its children alone: to set it would take
    io_uring from everybody else on the machine. Raises OSError where that may not be: without
    CAP_SYS_ADMIN, as in a container, and in a chroot, whose mounts cannot be made private."""
    libc = ctypes.CDLL(None, use_errno=True)
    for step, done in (
            ("unshare", lambda: libc.unshare(CLONE_NEWNS)),
            ("make / private", lambda: libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None)),
            ("mount", lambda: libc.mount(file.encode(), SYSCTL.encode(), None, MS_BIND, None))):
        if done() != 0:
            raise OSError(ctypes.get_errno(), f"{step}: {os.strerror(ctypes.get_errno())}")


def disabled_by_sysctl(file):
    """For preexec_fn: as with the sysctl set to what `file` holds."""
    def apply():
        mount_over_sysctl(file)
        forbid(IO_URING_SETUP, errno.EPERM)()
    return apply


def why_no_mount(file):
    """Tries in a process of its own; a sentence, or None when it can be done."""
    code = f"import test_engines; test_engines.mount_over_sysctl({file!r})"
    tried = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True,
                           cwd=os.path.dirname(os.path.abspath(__file__)), check=False)
    return tried.stderr.strip().splitlines()[-1] if tried.returncode else None


def one_cpu():
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])


def engine_of(server):
    return ANNOUNCED.fullmatch(server.lines[0])["engine"]


class Engines(Command):
    NO_URING = [{"preexec_fn": forbid(IO_URING_SETUP, errno.EPERM)},
                {"preexec_fn": forbid(IO_URING_SETUP, errno.ENOSYS)}]

    def auto(self, *arguments, engine="auto", **popen):
        return self.serve(self.site, "--port", "0", "-e", engine, *arguments, **popen)


class Auto(Engines):
    def check(self, server, engine, sentence):
        self.assertEqual(engine_of(server), engine)
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
        self.assertEqual(server.stop(), 0)
        self.assertRegex(server.stderr(), sentence)

    def test_without_io_uring(self):
        cpus = len(os.sched_getaffinity(0))
        wanted = "multi-reactor" if cpus > 1 else "reactor"
        for popen in self.NO_URING:
            self.check(self.auto(**popen), wanted,
                       rf" info engine auto takes {wanted}; not proactor: io_uring_setup: ")

    def test_on_one_cpu(self):
        def limits():
            one_cpu()
            forbid(IO_URING_SETUP, errno.EPERM)()
        self.check(self.auto(preexec_fn=limits), "reactor",
                   "takes reactor; not proactor: .*; not multi-reactor: one event loop is enough")

    def test_threads_that_are_set_stay(self):
        for threads, wanted in ((1, "reactor"), (2, "multi-reactor")):
            self.check(self.auto("-o", f"threads={threads}", **self.NO_URING[0]), wanted,
                       f"takes {wanted}; ")

    def test_the_best(self):
        status, out, _ = self.run_command("doctor", "--json")
        self.assertEqual(status, 0)
        best = re.match(r"takes (\S+?)(;|$)", next(
            one for one in json.loads(out)["engines"] if one["name"] == "auto")["text"])[1]
        self.check(self.auto(), best, f" info engine auto takes {best}")

    def test_the_name_in_header_fields(self):
        """$engine is the one that serves."""
        server = self.auto("-o", 'headers={"Server-Timing: engine;desc=\\"$engine\\""}',
                           **self.NO_URING[0])
        with server.connect() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            text = b""
            while piece := connection.recv(4096):
                text += piece
        self.assertIn(f'Server-Timing: engine;desc="{engine_of(server)}"'.encode(), text)
        self.assertEqual(server.stop(), 0)

    def test_file_that_can_be_read_once(self):
        """-c /dev/stdin, and -c <(command): a pipe; and what it includes."""
        self.write("more.conf", "engine = auto\n")
        text = f'include("{self.path("more.conf")}")\n' + self.read(
            os.path.basename(self.config("", 'headers = {"X-Engine: $engine"}')))
        for mode in ("-t", "-T"):
            done = subprocess.run([BINARY, mode, "-c", "/dev/stdin"], input=text, text=True,
                                  env=environment(), capture_output=True, timeout=WAIT_S,
                                  check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        reader, writer = os.pipe()
        os.write(writer, text.encode())
        os.close(writer)
        server = self.serve("-c", f"/dev/fd/{reader}", pass_fds=[reader])
        os.close(reader)
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
        self.assertIn(engine_of(server), ENGINES[:-1])
        self.assertEqual(server.stop(), 0)

    def test_from_the_file_and_in_a_test(self):
        file = self.config("engine = auto")
        status, out, err = self.run_command("-t", "-c", file, **self.NO_URING[0])
        self.assertEqual((status, err), (0, ""))
        self.assertRegex(out, r"\Agearshift: engine auto takes .*not proactor.*\n.* is valid\n\Z")
        status, out, _ = self.run_command("-T", "-c", file, **self.NO_URING[0])
        self.assertRegex(out, r"(?m)^engine = \"?(multi-)?reactor\"?$")
        self.check(self.serve("-c", file), engine_of(self.serve("-c", file)), "engine auto takes")


class Emulated(Engines):
    """Engine proactor with processor = epoll needs nothing of io_uring."""

    def check(self, *forbidden, error=errno.EPERM, arguments=("-e", "emulated-proactor")):
        def limits():
            for number in forbidden:
                forbid(number, error)()
        server = self.serve(self.site, "--port", "0", *arguments, preexec_fn=limits)
        self.assertEqual(engine_of(server), arguments[1])
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
        self.assertEqual(server.get("/missing")[0], 404)
        self.assertEqual(server.stop(), 0)

    def test_io_uring_is_forbidden(self):
        for number in (IO_URING_SETUP, IO_URING_ENTER, IO_URING_REGISTER):
            self.check(number)
        self.check(IO_URING_SETUP, error=errno.ENOSYS,
                   arguments=("-e", "proactor", "-o", "processor=epoll", "-o", "threads=2"))
        self.assert_refused(69, "io_uring_setup: ", self.site, "--port", "0", "-e", "proactor",
                            "-o", "processor=io_uring", **self.NO_URING[0])

    def test_openat2_is_forbidden_too(self):
        """Which operations of a ring would pass by."""
        for error in (errno.EPERM, errno.ENOSYS):
            self.check(IO_URING_SETUP, OPENAT2, error=error)

    def test_auto_does_not_take_it(self):
        server = self.auto("-o", "processor=epoll", "-o", "threads=1")
        self.assertEqual(engine_of(server), "reactor")
        self.assertEqual(server.stop(), 0)
        self.assertRegex(server.stderr(), r"not proactor: emulated \(processor = epoll\)")

    def test_doctor(self):
        found = {one["name"]: one for one in json.loads(
            self.run_command("doctor", "--json", **self.NO_URING[0])[1])["engines"]}
        self.assertFalse(found["proactor"]["ok"])
        self.assertTrue(found["emulated-proactor"]["ok"])
        self.assertRegex(found["emulated-proactor"]["text"], r"\Acan run: .*processor=epoll")


class Refused(Engines):
    def test_exit_status_and_reason(self):
        for popen in self.NO_URING:
            for mode in ([], ["-t"]):
                self.assert_refused(69, r"io_uring_setup: .*(seccomp|kernel)", *mode, self.site,
                                    "--port", "0", "-e", "proactor", **popen)

    def test_each_call(self):
        self.need_engine("proactor")  # where all are refused, the first one is told
        for number, call in ((IO_URING_SETUP, "setup"), (IO_URING_ENTER, "enter"),
                             (IO_URING_REGISTER, "register")):
            for error in (errno.EPERM, errno.ENOSYS, errno.EACCES):
                self.assert_refused(69, rf"io_uring_{call}: .*seccomp filter.*allow io_uring_setup, "
                                    "io_uring_enter and io_uring_register, or take another engine",
                                    self.site, "--port", "0", "-e", "proactor",
                                    preexec_fn=forbid(number, error))
            server = self.auto(preexec_fn=forbid(number, errno.EPERM))
            self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
            self.assertEqual(server.stop(), 0)
            self.assertEqual(len(re.findall(rf"not proactor: io_uring_{call}", server.stderr())), 1)

    @unittest.skipUnless(AS_ROOT and os.path.exists(SYSCTL), "needs root, and the sysctl (Linux 6.6)")
    def test_sysctl(self):
        for value, advice in ((1, "set it to 0, or kernel.io_uring_group to a group of this user"),
                              (2, "to everybody by .*set it to 0")):
            self.write("disabled", f"{value}\n")
            if why := why_no_mount(self.path("disabled")):
                self.skipTest(f"nothing can be mounted over the sysctl here: {why}")
            popen = {"preexec_fn": disabled_by_sysctl(self.path("disabled"))}
            sentence = rf"sysctl kernel\.io_uring_disabled = {value}; "
            self.assert_refused(69, sentence, self.site, "--port", "0", "-e", "proactor", **popen)
            self.assert_refused(69, advice, self.site, "--port", "0", "-e", "proactor", **popen)
            _, out, _ = self.run_command("doctor", **popen)
            self.assertRegex(out, r"(?m)^  - proactor +cannot run: io_uring is forbidden .*" + sentence)
            server = self.auto("-o", "engine_fallback=on", engine="proactor", **popen)
            self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
            self.assertEqual(server.stop(), 0)
            self.assertRegex(server.stderr(), "engine_fallback takes .*" + sentence)

    def test_memory(self):
        """What kernels before 5.12 answer when the limit of locked memory is too small."""
        self.assert_refused(69, "limit of locked memory .*ulimit -l, LimitMEMLOCK=", self.site,
                            "--port", "0", "-e", "proactor",
                            preexec_fn=forbid(IO_URING_SETUP, errno.ENOMEM))

    def test_fallback(self):
        for threads, wanted in ((1, "reactor"), (3, "multi-reactor")):
            server = self.auto("-o", "engine_fallback=on", "-o", f"threads={threads}",
                               engine="proactor", **self.NO_URING[0])
            self.assertEqual(engine_of(server), wanted)
            self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
            self.assertEqual(server.stop(), 0)
            self.assertRegex(server.stderr(), rf" warn engine_fallback takes {wanted} for proactor,"
                             r" which cannot run here: io_uring_setup: ")

    def test_fallback_that_is_not_needed(self):
        for engine in ("reactor", "multi-reactor"):
            server = self.auto("-o", "engine_fallback=on", engine=engine)
            self.assertEqual(engine_of(server), engine)
            self.assertEqual(server.stop(), 0)
            self.assertNotIn("engine_fallback", server.stderr())

    def test_no_engine_at_all(self):
        def without_epoll():
            forbid(IO_URING_SETUP, errno.EPERM)()
            forbid(291, errno.EPERM)()  # epoll_create1, x86-64
        if os.uname().machine != "x86_64":
            self.skipTest("the number of epoll_create1 is another one here")
        self.assert_refused(69, "engine auto takes none; not proactor: .*; not reactor: epoll",
                            self.site, "--port", "0", "-e", "auto", preexec_fn=without_epoll)
        # Those that block can run all the same, but not without an eventfd; auto takes none of them.
        status, out, _ = self.run_command("doctor", preexec_fn=without_epoll)
        self.assertEqual(status, 0)
        self.assertRegex(out, r"(?m)^  \+ thread-pool +can run: ")
        self.assertRegex(out, r"(?m)^  - reactor +cannot run: epoll_create1: ")

        def without_eventfd():
            without_epoll()
            forbid(290, errno.EPERM)()  # eventfd2, x86-64
        status, out, _ = self.run_command("doctor", preexec_fn=without_eventfd)
        self.assertEqual(status, 69)
        self.assertRegex(out, r"(?m)^  - reactor +cannot run: epoll_create1: ")

    def test_unknown(self):
        self.assert_refused(78, "'warp' is not built in; there are: auto, reactor, ", self.site,
                            "-e", "warp")


class Doctor(Engines):
    def test_text(self):
        status, out, err = self.run_command("doctor")
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(re.findall(r"(?m)^\w+$", out), ["engines", "files", "tls", "machine"])
        for engine in ENGINES:
            self.assertEqual(len(re.findall(rf"(?m)^  [+-] {engine} +\S", out)), 1, engine)
        for name in ("openat2", "file_io = sendfile", "file_io = splice", "file_io = read", "CPUs",
                     "nofile", "memlock", "tasks"):
            self.assertRegex(out, rf"(?m)^  [+-] {name} +\S")
        self.assertRegex(out, r"(?m)^  \+ reactor +can run: ")

    def test_json(self):
        status, out, err = self.run_command("doctor", "--json")
        self.assertEqual((status, err), (0, ""))
        report = json.loads(out)
        self.assertEqual(list(report), ["version", "engines", "files", "tls", "machine"])
        names = [one["name"] for one in report["engines"]]
        self.assertEqual(sorted(names), sorted(set(names)))
        self.assertLessEqual({*ENGINES, "emulated-proactor"}, set(names))
        for group in ("engines", "files", "tls", "machine"):
            for finding in report[group]:
                self.assertIsInstance(finding["ok"], bool)
                self.assertTrue(finding["name"] and finding["text"])
                self.assertNotEqual(finding.get("advice"), "")
        cpus = len(os.sched_getaffinity(0))
        self.assertIn(f"{cpus} allowed", {one["name"]: one["text"]
                                          for one in report["machine"]}["CPUs"])

    def test_what_is_refused(self):
        for popen in self.NO_URING:
            status, out, _ = self.run_command("doctor", "--json", **popen)
            self.assertEqual(status, 0)
            engines = {one["name"]: one for one in json.loads(out)["engines"]}
            self.assertFalse(engines["proactor"]["ok"])
            self.assertRegex(engines["proactor"]["text"], "cannot run: io_uring_setup")
            self.assertRegex(engines["auto"]["text"], "takes (multi-)?reactor; not proactor")
        _, out, _ = self.run_command("doctor", preexec_fn=forbid(437, errno.ENOSYS))  # openat2
        self.assertRegex(out, r"(?m)^  - openat2 +Function not implemented: paths are walked")
        self.assertRegex(out, r"(?m)^  - openat2 cached +Function not implemented")

    def test_arguments(self):
        for arguments in (["--yaml"], ["--json", "x"], ["/"]):
            status, out, err = self.run_command("doctor", *arguments)
            self.assertEqual((status, out), (2, ""))
            self.assertRegex(err, r"\Agearshift: doctor takes nothing but --json, not '.*'\n")

    def test_a_folder_of_that_name(self):
        os.mkdir(self.path("doctor"))
        server = self.serve("./doctor", "--port", "0", cwd=self.folder)
        self.assertEqual(server.get("/none")[0], 404)
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
