"""Logs on standard output and standard error: `access_log = stdout`, `error_log = stdout`."""
import http.client
import json
import os
import signal
import socket
import subprocess
import threading
import unittest

from command import AS_ROOT, BINARY, Unheard, end, environment, wait_until

ENGINES = (("reactor", []), ("reactor-pool", []), ("multi-reactor", ["-o", "threads=2"]),
           ("proactor", ["-o", "threads=2"]))


def get(port, target):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", target)
        return connection.getresponse().read()
    finally:
        connection.close()


class Streams(Unheard):
    def exercise(self, *arguments, stdout, log="stdout"):
        """A request before a rotation and one behind it."""
        process, port = self.begin("-o", f"access_log={log}", *arguments, stdout=stdout)
        self.assertEqual(get(port, "/hello.txt?one"), b"hello\n")
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(get(port, "/hello.txt?two"), b"hello\n")
        self.stop(process)
        self.assertNotRegex(self.read("stderr"), " error ")

    def check_json(self, text):
        """Threads write their lines when they come to it: in any order."""
        self.assertEqual(sorted(json.loads(line)["request"].split()[1]
                                for line in text.splitlines()),
                         ["/hello.txt?one", "/hello.txt?two"])

    def test_pipe(self):
        for engine, settings in ENGINES:
            with self.subTest(engine):
                self.need_engine(engine)
                reader, writer = os.pipe()
                self.exercise("-e", engine, *settings, "-o", "access_log_format=json",
                              stdout=writer)
                os.close(writer)
                with open(reader, encoding="utf-8") as file:
                    self.check_json(file.read())

    def test_socket(self):
        """As systemd's StandardOutput=journal: /dev/stdout cannot be opened there."""
        for engine, settings in ENGINES:
            with self.subTest(engine):
                self.need_engine(engine)
                ours, theirs = socket.socketpair()
                self.exercise("-e", engine, *settings, "-o", "access_log_format=json",
                              stdout=theirs)
                theirs.close()
                with ours, ours.makefile("r", encoding="utf-8") as file:
                    self.check_json(file.read())

    def test_file_of_roots(self):
        """Which the user that serves could not open again; what stands in it stays."""
        with open(self.path("out"), "a+", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            self.exercise("-o", "access_log_format=json", stdout=file)
            file.seek(0)
            self.check_json(file.read())
            self.assertEqual(os.fstat(file.fileno()).st_uid, os.geteuid())  # given to nobody

    def test_path_of_a_stream(self):
        """/dev/stdout is the stream: on a socket, and in a file of root's, which cannot be opened."""
        for name in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
            with self.subTest(name):
                ours, theirs = socket.socketpair()
                self.exercise("-o", "access_log_format=json", stdout=theirs, log=name)
                theirs.close()
                with ours, ours.makefile("r", encoding="utf-8") as file:
                    self.check_json(file.read())
        with open(self.path("out"), "a+", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            self.exercise("-o", "access_log_format=json", stdout=file, log="/dev/stdout")
            file.seek(0)
            self.check_json(file.read())

    def test_plain_format(self):
        with open(self.path("out"), "a+", encoding="utf-8") as file:
            self.exercise(stdout=file)
            file.seek(0)
            self.assertRegex(file.read(), r"\A127\.0\.0\.1 - - \[[^]]+\] \"GET /hello\.txt\?one "
                                          r"HTTP/1\.1\" 200 6 \"-\" \"-\"\n127[^\n]+two[^\n]+\n\Z")

    def test_in_a_file(self):
        """At the top level and in a server; as printed, too."""
        file = self.config("access_log = stderr", "access_log = stdout")
        done = self.run_command("-T", "-c", file)
        self.assertEqual(done[0], 0, done[2])
        self.assertRegex(done[1], r'(?m)^access_log = "stderr"$')
        self.assertRegex(done[1], r'(?m)^ +access_log = "stdout"$')
        self.assertEqual(self.run_command("-t", "-c", file)[0], 0)
        done = self.run_command("-T", "-c", self.config('error_log = "/dev/stdout"'))
        self.assertRegex(done[1], r'(?m)^error_log = "stdout"$')

    def test_access_log_on_stderr(self):
        server = self.serve(self.site, "--port", "0", "-o", "access_log=stderr")
        server.get("/hello.txt?one")
        self.assertEqual(server.stop(), 0)
        self.assertRegex(server.stderr(), r"GET /hello\.txt\?one HTTP/1\.1")

    def test_error_log_on_stdout(self):
        with open(self.path("out"), "a+", encoding="utf-8") as file:
            process, _ = self.begin("-o", "error_log=stdout", stdout=file)
            self.assertTrue(wait_until(lambda: "ready:" in self.read("out")))
            process.send_signal(signal.SIGUSR1)
            self.stop(process)
            file.seek(0)
            words = [line.split()[1:3] for line in file if "(RLIMIT_NOFILE)" not in line]
        self.assertEqual(words, [["info", "ready:"], ["info", "stopping:"], ["info", "ended:"]])
        self.assertEqual(self.read("stderr"), "")

    def test_nobody_reads(self):
        """A pipe, or a socket, that is full costs lines, and the server serves on."""
        for kind in ("pipe", "socket"):
            ours, theirs = socket.socketpair() if kind == "socket" else (None, None)
            reader, writer = os.pipe() if kind == "pipe" else (None, None)
            with self.subTest(kind):
                process, port = self.begin("-o", "access_log=stdout", "-o", "access_log_buffer=1k",
                                           stdout=theirs or writer)
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                for _ in range(120):
                    connection.request("GET", "/hello.txt?" + "x" * 6000)
                    self.assertEqual(connection.getresponse().read(), b"hello\n")
                connection.close()
                self.stop(process)
                self.assertRegex(self.read("stderr"), r"access log stdout: .*; lines lost: \d+")
            for each in filter(None, (ours, theirs)):
                each.close()
            for each in filter(None, (reader, writer)):
                os.close(each)
            os.unlink(self.path("stderr"))

    def test_others_see_no_change(self):
        """The pipe's end is shared with whoever started the server: it still waits there."""
        reader, writer = os.pipe()
        text = []
        thread = threading.Thread(target=lambda: text.append(os.read(reader, 65536)))
        process, port = self.begin("-o", "access_log=stdout", stdout=writer)
        self.assertTrue(os.get_blocking(writer))
        thread.start()
        get(port, "/hello.txt")
        self.stop(process)
        thread.join()
        self.assertIn(b"/hello.txt", text[0])
        os.close(reader)
        os.close(writer)

    def test_not_for_writing(self):
        with open("/dev/null", "rb") as null:
            for key in ("access_log", "error_log"):
                for mode in ([], ["-t"]):
                    done = subprocess.run(
                        [BINARY, self.site, "--port", "0", "-o", f"{key}=stdout", *mode],
                        env=environment(), stdin=subprocess.DEVNULL, stdout=null,
                        stderr=subprocess.PIPE, text=True, timeout=20, check=False)
                    self.assertEqual(done.returncode, 78)
                    self.assertEqual(done.stderr, f"gearshift: -o {key}: {key} stdout cannot be "
                                                  "written: it is open for reading only\n")

    @unittest.skipUnless(AS_ROOT, "the server has to change its user")
    def test_as_the_user_that_serves(self):
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        process, port = self.begin("-o", "access_log=stdout", stdout=theirs)
        get(port, "/hello.txt?one")
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            self.assertRegex(file.read(), r"Uid:\t65534\t")
        self.stop(process)
        theirs.close()
        with ours:
            self.assertIn(b"?one", ours.recv(65536))


if __name__ == "__main__":
    unittest.main()
