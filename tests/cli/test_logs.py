"""Where logs go, and what becomes of the server when they cannot be written: syslog, disks that are
full or hang, pipes and terminals that nobody reads. It serves on, and tells how many lines are lost.
Standard streams: test_streams.py."""
import contextlib
import fcntl
import http.client
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import time
import unittest

from command import AS_ROOT, WAIT_S, Unheard, end, wait_until

ENGINES = (("reactor", []), ("reactor-pool", []), ("multi-reactor", ["-o", "threads=2"]),
           ("leader-followers", []), ("coroutine", []), ("iterative", []),
           ("thread-per-connection", []), ("thread-pool", []), ("process-per-connection", []),
           ("proactor", ["-o", "threads=2"]))
LOST = re.compile(r"access log (\S+): ([^;]*); lines lost: (\d+)")


class Logs(Unheard):
    def ask(self, port, count=1, query="x"):
        """So many requests on one connection; each is answered."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
        with contextlib.closing(connection):
            for _ in range(count):
                connection.request("GET", f"/hello.txt?{query}")
                self.assertEqual(connection.getresponse().read(), b"hello\n")

    def lost(self):
        """Lines that the error log has told of, and why."""
        found = LOST.findall(self.read("stderr"))
        return sum(int(number) for _, _, number in found), {why for _, why, _ in found}

    # ---- syslog ----

    def daemon(self, name="syslog"):
        ours = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(ours.close)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path(name))
        ours.bind(self.path(name))
        os.chmod(self.path(name), 0o666)
        ours.settimeout(WAIT_S)
        return ours

    def test_syslog(self):
        for engine, settings in ENGINES:
            with self.subTest(engine):
                self.need_engine(engine)
                ours = self.daemon()
                process, port = self.begin(
                    "-e", engine, *settings, "-o",
                    f"access_log=syslog:server=unix:{self.path('syslog')},tag=web,nohostname")
                self.ask(port, query="one")
                self.assertRegex(ours.recv(65536).decode(),
                                 r"\A<190>[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d web: 127\.0\.0\.1 "
                                 r'- - \[[^]]*\] "GET /hello\.txt\?one HTTP/1\.1" 200 6 "-" "-"\Z')
                process.send_signal(signal.SIGUSR1)
                self.ask(port, query="two")
                self.assertIn(b"?two HTTP", ours.recv(65536))
                self.stop(process)
        self.assertNotRegex(self.read("stderr"), " error ")

    def test_syslog_over_udp(self):
        for host in ("127.0.0.1", "localhost"):  # of which the first address may be ::1
            family, *_, address = socket.getaddrinfo(host, 0, type=socket.SOCK_DGRAM)[0]
            with socket.socket(family, socket.SOCK_DGRAM) as ours:
                ours.bind(address)
                ours.settimeout(WAIT_S)
                port_of_log = ours.getsockname()[1]
                process, port = self.begin(
                    "-o", f"access_log=syslog:server={host}:{port_of_log},facility=daemon,"
                          "severity=debug", "-o", "access_log_format=$status $uri")
                self.ask(port)
                self.assertRegex(ours.recv(65536).decode(),
                                 r"\A<31>[A-Z]\S\S .\d \S+ [^ .]+ gearshift: 200 /hello\.txt\Z")
                self.stop(process)

    def test_a_daemon_that_comes_and_goes(self):
        """The server starts without it; each time that it comes it gets the lines again."""
        process, port = self.begin(
            "-o", f"access_log=syslog:server=unix:{self.path('syslog')}",
            "-o", "access_log_buffer=1k")
        self.ask(port, 3)
        self.assertTrue(wait_until(lambda: self.lost() == (3, {"No such file or directory"})),
                        self.read("stderr"))
        for turn in range(2):
            ours = self.daemon()
            self.ask(port, query=f"turn{turn}")
            self.assertIn(b"?turn%d " % turn, ours.recv(65536))
            ours.close()
        self.ask(port, 2)
        self.stop(process)
        self.assertEqual(self.lost(), (5, {"No such file or directory", "Connection refused"}))

    def test_a_daemon_that_does_not_read(self):
        ours = self.daemon()
        process, port = self.begin(
            "-o", f"access_log=syslog:server=unix:{self.path('syslog')}",
            "-o", "access_log_buffer=1k", "-o", "access_log_format=$args")
        self.ask(port, 2000, query="x" * 1000)
        self.stop(process)
        ours.setblocking(False)
        taken = 0
        with contextlib.suppress(BlockingIOError):
            while ours.recv(65536):
                taken += 1
        lost, _ = self.lost()
        self.assertGreater(lost, 0)
        self.assertEqual(taken + lost, 2000)

    def test_error_log_to_syslog(self):
        ours = self.daemon()
        process, port = self.begin(
            "-o", f"error_log=syslog:server=unix:{self.path('syslog')},facility=user,nohostname")
        self.ask(port)
        process.send_signal(signal.SIGUSR1)
        self.stop(process)
        ours.setblocking(False)
        lines = []
        with contextlib.suppress(BlockingIOError):
            while True:
                lines.append(ours.recv(65536).decode())
        lines = [line for line in lines if "(RLIMIT_NOFILE)" not in line]
        self.assertEqual([line.split()[6] for line in lines], ["ready:", "stopping:", "ended:"])
        for line in lines:
            self.assertRegex(line, r"\A<14>\S+ .\d \S+ gearshift: \S+Z info [^\n]*\Z")
        self.assertEqual(self.read("stderr"), "")

    def test_refused_destinations(self):
        for key in ("access_log", "error_log"):
            for text, why in (("facility=x", "has a facility that is not known"),
                              ("server=unix:x", "names a unix socket without an absolute path"),
                              ("server=no.such.host.invalid", '"no.such.host.invalid" has no '),
                              ("colour=red", "has a parameter that is not known")):
                self.assert_refused(78, re.escape(why), self.site, "--port", "0", "-o",
                                    f"{key}=syslog:{text}")
        status, _, err = self.run_command("-t", "-c", self.config("access_log = \"syslog:\""))
        self.assertEqual(status, 0, err)

    def test_formats_as_printed(self):
        text = 'access_log_format = "\\"$request\\" \\${status}" access_log_sample = 1/10'
        file = self.config(f"access_log = /dev/null {text}",
                           'access_log_status = {4xx, 503} access_log_skip = {"/healthz"}')
        status, first, err = self.run_command("-T", "-c", file)
        self.assertEqual(status, 0, err)
        self.assertIn('    access_log_status = {"4xx", "503"}\n    access_log_skip = {"/healthz"}\n',
                      first)
        self.assertEqual(self.run_command("-T", "-c", self.write("printed.conf", first))[1], first)

    def test_unknown_variable(self):
        file = self.config("", '\n access_log_format = "$remote_adr"')
        self.assert_refused(78, re.escape(f"{file}:6: access_log_format: it holds $remote_adr, which is not known; "
                                          "did you mean $remote_addr?"), "-t", "-c", file)

    # ---- what cannot be written ----

    def test_full_device(self):
        for engine, settings in ENGINES:
            with self.subTest(engine):
                self.need_engine(engine)
                process, port = self.begin("-e", engine, *settings, "-o", "access_log=/dev/full",
                                           "-o", "access_log_buffer=1k")
                self.ask(port, 100)
                self.stop(process)
                self.assertEqual(self.lost(), (100, {"No space left on device"}))
                os.unlink(self.path("stderr"))

    @unittest.skipUnless(AS_ROOT, "to mount a file system")
    def test_full_disk(self):
        """It tells how many lines are lost; when there is room again, it goes on with whole lines."""
        disk = self.path("disk")
        os.mkdir(disk)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=777", "none", disk],
                          capture_output=True, check=False).returncode != 0:
            self.skipTest("no file system can be mounted")
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=True)
        log = f"{disk}/access.log"
        for engine, settings in ENGINES:
            with self.subTest(engine):
                self.need_engine(engine)
                process, port = self.begin("-e", engine, *settings, "-o", f"access_log={log}",
                                           "-o", "access_log_buffer=1k",
                                           "-o", "access_log_format=$status $args")
                self.ask(port, 200, query="y" * 1000)
                self.assertTrue(wait_until(lambda: self.lost()[0] > 0), self.read("stderr"))
                os.truncate(log, 0)
                for turn in range(2):  # what is in a buffer may be written with the first of them
                    for once in range(10):  # a writer that has had no CPU yet has no room for it
                        self.ask(port, query=f"again{turn}.{once}")
                        if wait_until(lambda: f"again{turn}" in self.read("disk/access.log"), 3):
                            break
                    self.assertIn(f"again{turn}", self.read("disk/access.log"))
                self.stop(process)
                with open(log, encoding="ascii") as file:
                    lines = [line for line in file.read().splitlines() if line]
                written = sum(line == "200 " + "y" * 1000 for line in lines)
                self.assertEqual(self.lost()[1], {"No space left on device"})
                self.assertGreater(self.lost()[0], 200 - 65 - written - 1)
                for line in lines:
                    if "again" in line:
                        self.assertRegex(line, r"^200 again[01]\.[0-9]$")
                os.unlink(log)
                os.unlink(self.path("stderr"))

    @unittest.skipUnless(AS_ROOT, "to mount a file system")
    def test_disk_that_hangs(self):
        """A file system that takes no writes (fsfreeze(8)): clients are served, lines wait or are
        lost, and when it comes back those that waited are written."""
        disk, image = self.path("disk"), self.path("image")
        os.mkdir(disk)
        with open(image, "wb") as file:
            file.truncate(16 << 20)
        if shutil.which("mkfs.ext4") is None or any(
                subprocess.run(command, capture_output=True, check=False).returncode != 0
                for command in (["mkfs.ext4", "-q", image], ["mount", "-o", "loop", image, disk])):
            self.skipTest("no file system can be mounted")
        self.addCleanup(subprocess.run, ["umount", disk], check=True)
        os.chmod(disk, 0o777)
        log = f"{disk}/access.log"
        for engine, settings in ENGINES:
            if engine == "process-per-connection":
                continue  # whose connections write for themselves
            with self.subTest(engine):
                self.need_engine(engine)
                process, port = self.begin("-e", engine, *settings, "-o", f"access_log={log}",
                                           "-o", "access_log_buffer=1k",
                                           "-o", "access_log_format=$args")
                self.ask(port, query="first")
                self.assertTrue(wait_until(lambda: self.read("disk/access.log") == "first\n"))
                subprocess.run(["fsfreeze", "-f", disk], check=True)
                try:
                    self.ask(port, 3000, query="z" * 1000)
                    self.assertTrue(wait_until(lambda: self.lost()[0] > 0), self.read("stderr"))
                    process.send_signal(signal.SIGUSR1)  # which is put off
                    self.ask(port, 10)
                finally:
                    subprocess.run(["fsfreeze", "-u", disk], check=True)
                self.ask(port, query="last")
                self.stop(process)
                with open(log, encoding="ascii") as file:
                    lines = file.read().splitlines()
                self.assertEqual(lines[0], "first")
                lost, why = self.lost()
                self.assertEqual(len(lines) + lost, 3012)
                self.assertEqual(why, {"it does not take lines as fast as they come"})
                self.assertLessEqual(set(lines), {"first", "z" * 1000, "x", "last"})
                os.unlink(log)
                os.unlink(self.path("stderr"))

    def test_pipe_without_reader(self):
        """EPIPE, and no SIGPIPE."""
        reader, writer = os.pipe()
        process, port = self.begin("-o", "access_log=stdout", "-o", "access_log_buffer=1k",
                                   stdout=writer)
        os.close(writer)
        os.close(reader)
        self.ask(port, 100)
        self.stop(process)
        lost, why = self.lost()
        self.assertEqual((lost, why), (100, {"Broken pipe"}))

    def test_fifo_that_nobody_reads(self):
        """Opened anew, it fits into no process that reads: that is told at the start."""
        os.mkfifo(self.path("fifo"), 0o666)
        reader = os.open(self.path("fifo"), os.O_RDONLY | os.O_NONBLOCK)
        process, port = self.begin("-o", f"access_log={self.path('fifo')}",
                                   "-o", "access_log_buffer=1k", "-o", "access_log_format=$args")
        self.ask(port, 3000, query="x" * 1000)
        text = b""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(reader, 1 << 20):
                text += piece
        os.close(reader)
        self.stop(process)
        lost, _ = self.lost()
        self.assertGreater(lost, 0)
        whole = sum(line == b"x" * 1000 for line in text.split(b"\n"))
        self.assertLessEqual(whole + lost, 3000)

    def test_terminal_that_is_stopped(self):
        """Nobody reads it, and it cannot be opened so that it does not wait: it is asked for room."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        process, port = self.begin("-o", "access_log=stdout", "-o", "access_log_buffer=1k",
                                   stdout=slave)
        os.close(slave)
        self.ask(port, 3000, query="x" * 1000)
        self.stop(process)
        self.assertGreater(self.lost()[0], 0)

    @staticmethod
    def fill(writer):
        """Fills a pipe without a change to the end that others share."""
        own = os.open(f"/proc/self/fd/{writer}", os.O_WRONLY | os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(own, b"\n")
        os.close(own)

    def begin_with_full_pipe(self):
        """A server with something to complain of, and no room for it behind standard error. The
        process, its port, and the pipe's other end."""
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        process, port = self.begin("-o", "access_log=/dev/full", "-o", "access_log_buffer=1k",
                                   stderr=writer)
        self.fill(writer)
        os.close(writer)
        return process, port, reader

    def test_error_log_in_a_full_pipe(self):
        """Its lines are lost and counted; nobody waits for a reader."""
        process, port, reader = self.begin_with_full_pipe()
        self.ask(port, 100)  # and more than one line for the error log
        process.send_signal(signal.SIGQUIT)
        self.assertEqual(process.wait(WAIT_S), 0)
        os.close(reader)

    def test_error_log_tells_what_it_lost(self):
        process, port, reader = self.begin_with_full_pipe()
        self.ask(port, 100)
        time.sleep(0.2)
        text = b""
        while select.select([reader], [], [], 0)[0]:
            text += os.read(reader, 65536)
        self.stop(process)
        with open(reader, "rb") as file:
            text += file.read()
        self.assertRegex(text.decode(), r"warn \d+ lines of this log are missing before this one")

    # ---- opened again ----

    def test_reopen(self):
        """SIGUSR1 where there is something to open, and where there is nothing."""
        for engine, settings in ENGINES:
            with self.subTest(engine):
                self.need_engine(engine)
                folder = self.path(f"logs-{engine}")
                os.mkdir(folder)
                os.chmod(folder, 0o777)
                log = f"{folder}/access.log"
                process, port = self.begin("-e", engine, *settings, "-o", f"access_log={log}",
                                           "-o", "access_log_format=$args")
                self.ask(port, query="one")
                self.assertTrue(wait_until(
                    lambda: os.path.exists(log) and os.path.getsize(log) == 4))
                os.rename(log, log + ".1")
                process.send_signal(signal.SIGUSR1)
                self.assertTrue(wait_until(lambda: os.path.exists(log)))
                self.ask(port, query="two")
                self.stop(process)
                with open(log, encoding="ascii") as new, open(log + ".1", encoding="ascii") as old:
                    self.assertEqual((old.read(), new.read()), ("one\n", "two\n"))


if __name__ == "__main__":
    unittest.main()
