#!/usr/bin/env python3
"""bench/trace: a request is drawn as it is known to be, and what cannot be had is said."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

PROJECT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
TRACE = os.path.join(PROJECT, "bench/trace")
GEARSHIFT = os.path.abspath(os.environ.get("GEARSHIFT", "build/release/gearshift"))
ROW = re.compile(r"^(?: *[+-]?\d+ µs)? *(\S.*?) [─═┄~]▶ (.+?)  +(.*)$")
WAIT_S = 120

sys.path.insert(0, os.path.join(PROJECT, "bench"))
sys.dont_write_bytecode = True

from gearshift_compare import Refusal  # noqa: E402
from gearshift_trace import arguments, ftrace, probes, sequence, strace  # noqa: E402
from gearshift_trace.events import CLIENT, Call, Entry, Wake  # noqa: E402


class Trace(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gearshift-trace-test-")
        os.chmod(self.folder, 0o755)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_trace(self, *arguments, status=0):
        """What it prints."""
        done = subprocess.run(
            [sys.executable, "-B", TRACE, "--gearshift", GEARSHIFT, "--width", "80", *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WAIT_S, check=False,
            cwd=self.folder)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout if status == 0 else done.stderr

    def diagrams(self, text, engines):
        """Engine -> its rows (from, to, what)."""
        found, rows = {}, None
        for line in text.split("\n"):
            if line in engines:
                rows = found[line] = []
            elif rows is not None and ROW.match(line):
                rows.append(ROW.match(line).groups())
        return found

    def needs(self, module):
        why = module.refusal()
        if why:
            self.skipTest(why)

    def page(self):
        with open(os.path.join(self.folder, "gearshift-trace.html"), encoding="utf-8") as file:
            return file.read()


def server_calls(rows):
    """Names of the server's calls in their order; one that sleeps counts where it ends."""
    names = []
    for source, _, text in rows:
        if "wakes" in text or "client" in (source, _) or text.endswith("(sleeps)"):
            continue
        names.append(re.split(r"[ (]", text)[0])
    return names


def is_subsequence(names, of):
    rest = iter(of)
    return all(name in rest for name in names)


class KnownSequences(Trace):
    def test_small_from_memory(self):
        """A loop waits, receives and sends; a thread of its own needs no loop."""
        self.needs(strace)
        engines = ("reactor", "thread-per-connection")
        for _ in range(3):  # on a busy machine the request may come before the loop waits for it
            text = self.run_trace("--size", "1k", "--tool", "strace", "--engines", ",".join(engines),
                                  "--svg", "pictures")
            found = self.diagrams(text, engines)
            if "epoll_wait" in server_calls(found["reactor"]):
                break
        self.assertEqual(server_calls(found["reactor"]), ["epoll_wait", "recvfrom", "sendto"])
        self.assertEqual(server_calls(found["thread-per-connection"]), ["recvfrom", "sendto"])
        for engine in engines:
            self.assertRegex(found[engine][0][2], r"^\d+ bytes$")
            self.assertEqual(found[engine][0][:2], ("client", "kernel"))
            self.assertTrue(any("sendto(connection, " in row[2] for row in found[engine]))
        self.assertNotIn("µs  ", text.partition("status")[0], "times of strace are no times")
        self.assertIn("strace, which stops a thread", text)
        page = self.page()
        self.assertNotRegex(page, r"(?:src|href)=\"(?!data:)|url\(|@import|<script")
        self.assertEqual(page.count("<svg xmlns"), 4, "each wide and slim")
        for engine in engines:
            with open(os.path.join(self.folder, f"pictures/{engine}.svg"), encoding="utf-8") as file:
                picture = file.read()
            self.assertIn("prefers-color-scheme: dark", picture)
            self.assertIn("sendto(connection", picture)

    def test_large_goes_by_sendfile(self):
        self.needs(strace)
        text = self.run_trace("--size", "1M", "--tool", "strace", "--engines", "reactor")
        names = server_calls(self.diagrams(text, ("reactor",))["reactor"])
        self.assertTrue(is_subsequence(["epoll_wait", "recvfrom", "sendto", "sendfile"], names), names)

    def test_ring_is_seen_by_the_kernel_alone(self):
        self.needs(ftrace)
        text = self.run_trace("--size", "1k", "--engines", "proactor,reactor", "--probes")
        if "proactor cannot run here" in text:
            self.skipTest("no io_uring here")
        if probes.offsets(GEARSHIFT):
            self.assertRegex(text, r"main thread ◆ +request start")
            self.assertRegex(text, r"main thread ◆ +response done")
        else:
            self.assertIn("This gearshift has no probes", text)
        found = self.diagrams(text, ("proactor", "reactor"))
        words = [row[2] for row in found["proactor"]]
        self.assertTrue(any(re.match(r"submitted: SEND", word) for word in words), words)
        self.assertTrue(any(re.match(r"completed: RECV = \d+", word) for word in words), words)
        self.assertEqual(server_calls(found["reactor"]), ["epoll_wait", "recvfrom", "sendto"])
        self.assertIn(("kernel", "main thread", "wakes it"), found["reactor"])
        self.assertRegex(text, r"first byte in to last byte out +\d+ µs +\d+ µs")

    def test_ring_of_strace_is_said_to_be_hidden(self):
        self.needs(strace)
        text = self.run_trace("--size", "1k", "--tool", "strace", "--engines", "proactor,reactor")
        if "proactor cannot run here" not in text:
            self.assertIn("not visible to strace", text)


class Refusals(Trace):
    def test_are_sentences(self):
        cases = (
            (("--engines", "reactor,reactor"), "named twice"),
            (("--size", "1k", "/x"), "--size makes the file"),
            (("--size", "9T"), "--size 9T: it is a number of bytes"),
            (("--root", "/nowhere"), "--root /nowhere: there is no such"),
            (("--cold", "/nowhere"), "--cold /nowhere: there is no such file"),
            (("--config", TRACE, "/x"), "name a whole URL"),
            (("ftp://x/",), "it is a path such as /index.html"),
            (("/ü",), "%XX"),
            (("--probes", "--tool", "strace"), "--probes: strace cannot tell of them"),
            (("-o", "x"), "--option x: it has the form KEY=VALUE"),
        )
        for given, sentence in cases:
            with self.subTest(given):
                with self.assertRaises(Refusal) as caught:
                    arguments.parse(given, GEARSHIFT, PROJECT)
                self.assertIn(sentence, str(caught.exception))
                self.assertEqual(caught.exception.status, 2)

    def test_a_setting_that_the_server_refuses(self):
        if strace.refusal() and ftrace.refusal():
            self.skipTest("nothing may record here")
        self.assertIn("engine racer: this gearshift has ",
                      self.run_trace("--engines", "racer", status=2))
        told = self.run_trace("-o", "no_such_key=1", "--engines", "reactor", status=1)
        self.assertIn("no_such_key", told)

    def test_an_answer_that_is_an_error_is_drawn_and_told(self):
        if strace.refusal() and ftrace.refusal():
            self.skipTest("nothing may record here")
        told = self.run_trace("/no-such-file", "--engines", "reactor", status=3)
        self.assertIn("the answer was an error, 404", told)
        self.assertIn("404", self.page())

    def test_a_port_that_is_taken(self):
        if strace.refusal() and ftrace.refusal() or os.geteuid() == 0:
            self.skipTest("root has a network of its own" if os.geteuid() == 0 else "no recorder")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            conf = os.path.join(self.folder, "server.conf")
            with open(conf, "w", encoding="ascii") as file:
                file.write(f'server {{ listen = {{"127.0.0.1:{port}"}} root = "{self.folder}" }}\n')
            told = self.run_trace(f"http://localhost:{port}/", "--config", conf, status=1)
            self.assertIn(f"somebody listens on port {port}", told)


class OfProbes(unittest.TestCase):
    def test_are_where_the_notes_of_the_binary_say(self):
        version = subprocess.run([GEARSHIFT, "-V"], capture_output=True, text=True, check=True).stdout
        found = probes.offsets(GEARSHIFT)
        self.assertEqual(set(found), set(probes.WANTED) if "USDT" in version else set())
        self.assertEqual(len(set(found.values())), len(found))
        self.assertEqual(probes.offsets(TRACE), {})


class OfFtrace(unittest.TestCase):
    TEXT = """
         python3-10    [000] ..... 1.000000: sys_sendto(fd: 3, buff: 0x7f, len: 0x25, flags: 0)
         python3-10    [000] d.s7. 1.000010: sched_waking: comm=my srv pid=20 prio=120 target_cpu=001
         python3-10    [000] ..... 1.000012: io_uring_task_add: ring 0001, req 02, user_data 0x9, opcode RECV, mask c3
         python3-10    [000] ..... 1.000015: sys_sendto -> 0x25
          my srv-20    [001] ..... 1.000020: io_uring_complete: ring 0001, req 00, user_data 0x9, result 37, cflags 0x3
          my srv-20    [001] ..... 1.000021: sys_epoll_wait -> 0x1
          my srv-20    [001] ..... 1.000022: sys_recvfrom(fd: 5, ubuf: 0x56, size: 0xa400, flags: 0)
          my srv-20    [001] ..... 1.000024: sys_recvfrom -> 0xfffffffffffffff5
          my srv-20    [001] ..... 1.000030: sys_futex(uaddr: 0x7f, op: 0x80, val: 0xffffffff)
          my srv-20    [001] d..2. 1.000031: sched_switch: prev_comm=my srv prev_pid=20 prev_prio=120 prev_state=S ==> next_comm=swapper next_pid=0 next_prio=120
          <idle>-0     [001] d..2. 1.000040: sched_switch: prev_comm=swapper prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=my srv next_pid=20 next_prio=120
          my srv-20    [001] ..... 1.000041: sys_futex -> 0x0
"""

    def test_events(self):
        events, switches = ftrace.parse(self.TEXT, {20: ("my srv", 20)}, 10)
        calls = [e for e in events if isinstance(e, Call)]
        self.assertEqual([(c.thread, c.name, c.result, c.slept) for c in calls],
                         [(CLIENT, "sendto", "37", False), (20, "epoll_wait", "1", False),
                          (20, "recvfrom", "-1 EAGAIN", False), (20, "futex", "0", True)])
        self.assertEqual(calls[2].arguments, ("5", "86", "41984", "0"))
        self.assertEqual(calls[3].arguments, ("127", "128", "-1"))
        self.assertIsNone(calls[1].begin)
        self.assertEqual([e for e in events if isinstance(e, Wake)], [Wake(1.00001, 20, CLIENT)])
        self.assertEqual([e for e in events if isinstance(e, Entry)],
                         [Entry(1.00002, 20, "complete", "RECV", "37")])
        self.assertEqual(switches, {20: 1})


class OfStrace(unittest.TestCase):
    TEXT = r"""
20 5.000 epoll_wait(6<anon_inode:[eventpoll]>,  <unfinished ...>
20 10.1 <... epoll_wait resumed>[{events=EPOLLIN, data=0x1}], 256, 900) = 1 <5.1>
20 10.2 recvfrom(9<TCP:[127.0.0.1:80->127.0.0.1:5]>, "GET /a, \"b\" (c"..., 41984, 0, NULL, NULL) = 37 <0.001>
21 10.3 openat2(5</srv/www>, "a,b", {flags=O_RDONLY}, 24) = -1 ENOENT (No such file or directory) <0.001>
21 10.4 futex(0x7f, FUTEX_WAIT_PRIVATE, 2, NULL <unfinished ...>
20 10.5 --- SIGUSR1 {si_signo=SIGUSR1} ---
20 10.6 +++ exited with 0 +++
"""

    def test_calls(self):
        threads = {20: ("x", 20)}
        calls = strace.within(strace.parse(self.TEXT, threads), 9.0, 11.0)
        self.assertEqual([(c.name, c.result, c.begin is None, c.end is None) for c in calls],
                         [("epoll_wait", "1", True, False), ("recvfrom", "37", False, False),
                          ("openat2", "-1 ENOENT", False, False), ("futex", "", False, True)])
        self.assertEqual(calls[1].arguments[2], "41984")
        self.assertEqual(calls[2].arguments[:2], ("5</srv/www>", '"a,b"'))
        self.assertIn(21, threads)

    def test_arguments_are_taken_apart_outside_of_brackets(self):
        self.assertEqual(strace.split('1<a, b>, "x, \\"y", [{p=1, q=2}], 5'),
                         ("1<a, b>", '"x, \\"y"', "[{p=1, q=2}]", "5"))
        self.assertEqual(strace.split("9<TCP:[1.1.1.1:80->2.2.2.2:5]>, 0"),
                         ("9<TCP:[1.1.1.1:80->2.2.2.2:5]>", "0"))


class Repetitions(unittest.TestCase):
    def rows(self, *texts):
        return [sequence.Row(i, "main thread", "kernel", "call", text) for i, text in enumerate(texts)]

    def texts(self, rows):
        return [row.text for row in sequence._shorten(rows)]

    def test_are_drawn_once(self):
        self.assertEqual(self.texts(self.rows("a() = 1", *["b() = 1", "c() = 1"] * 5, "d() = 1")),
                         ["a() = 1", "b() = 1", "c() = 1", "these 2, 4 times more", "d() = 1"])

    def test_a_call_that_goes_on_further_and_further(self):
        self.assertEqual(self.texts(self.rows(*(f"pread64(f, {i}) = 1" for i in range(9)))),
                         ["pread64(f, 0) = 1", "pread64, 8 times more"])

    def test_a_long_diagram_loses_its_middle(self):
        texts = self.texts(self.rows(*(f"c{i}() = 0" for i in range(500))))
        self.assertEqual(len(texts), sequence.ROWS_MAX + 1)
        self.assertIn("380 rows left out", texts)


if __name__ == "__main__":
    unittest.main()
