"""Runs the gearshift named by the environment variable GEARSHIFT, and ends what it started.

Command: a test case with a folder of its own, a site in it, and helpers to run the command to its
end (run) or as a server (serve). Standard library only.
"""
import http.client
import os
import pwd
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../wire"))
from wire import uring  # noqa: E402  (found by the line above)

BINARY = os.path.abspath(os.environ.get("GEARSHIFT", "build/release/gearshift"))
AS_ROOT = os.geteuid() == 0
WAIT_S = 20
PROCESSES = os.environ.get("TEST_PROCESSES", "0")

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # what is started inherits it; nohup(1) ignores it

ANNOUNCED = re.compile(r"gearshift: serving (?P<what>.*) on (?P<where>\S+) "
                       r"\(engine (?P<engine>\S+)\)\n")

LIFE = re.compile(r" info (ready|stopping|draining|ended): ")


def environment(**settings):
    """The environment of a server: ours without GEARSHIFT*, with `settings`. It serves itself, with
    a configuration file, too: tests/supervisor has those with workers."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("GEARSHIFT")}
    env.update({"GEARSHIFT_PROCESSES": PROCESSES, "GEARSHIFT_CONTROL": "off"})
    env.update(settings)
    return env


class UnixConnection(http.client.HTTPConnection):
    """An HTTP connection through a unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=WAIT_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(WAIT_S)
        self.sock.connect(self.path)


class Server:
    """A server that has announced its addresses."""

    def __init__(self, process, lines, stderr_path):
        self.process = process
        self.pid = process.pid
        self.lines = lines
        self.stderr_path = stderr_path
        self.where = [ANNOUNCED.fullmatch(line)["where"] for line in lines]

    @property
    def address(self):
        """(host, port) of the first address."""
        host, port = re.fullmatch(r"https?://\[?([^]]*?)\]?:(\d+)/", self.where[0]).groups()
        return host, int(port)

    def connect(self):
        return socket.create_connection(self.address, timeout=WAIT_S)

    def get(self, path, index=0):
        """Status and body of a request to address number `index`."""
        if self.where[index].startswith("unix:"):
            connection = UnixConnection(self.where[index][len("unix:"):])
        else:
            netloc = self.where[index][len("http://"):].rstrip("/")
            connection = http.client.HTTPConnection(netloc, timeout=WAIT_S)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def send(self, number):
        os.kill(self.pid, number)

    def wait(self, timeout=WAIT_S):
        """Its exit status."""
        return self.process.wait(timeout)

    def stop(self, number=signal.SIGTERM):
        self.send(number)
        return self.wait()

    def stderr(self):
        """What it said, but for a machine's limit of descriptors that is below the defaults, and for
        the lines of every server's life."""
        with open(self.stderr_path, encoding="utf-8", errors="replace") as file:
            return "".join(line for line in file
                           if "(RLIMIT_NOFILE)" not in line and not LIFE.search(line))

    def status_line(self, key):
        """A line of /proc/PID/status, without its key."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith(key + ":"):
                    return line[len(key) + 1:].split()
        raise KeyError(key)


class Command(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        # Readable by whoever the server becomes; not below /tmp's sticky bit alone.
        self.folder = tempfile.mkdtemp(prefix="gearshift-cli-")
        os.chmod(self.folder, 0o755)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.site = self.path("site")
        os.mkdir(self.site)
        self.write("site/hello.txt", "hello\n")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def config(self, text="", server="", name="server.conf"):
        """Writes a server.conf: `text` at the top level, `server` in its one server block. @DIR@ is
        this test's folder."""
        whole = (f'{text}\nserver "localhost" {{\n    listen = {{"127.0.0.1:0"}}\n'
                 f'    root = "@DIR@/site"\n    {server}\n}}\n')
        return self.write(name, whole.replace("@DIR@", self.folder))

    def run_command(self, *arguments, env=None, **popen):
        """Runs it to its end: status, standard output, standard error."""
        done = subprocess.run([BINARY, *arguments], env=env or environment(), text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=WAIT_S,
                              check=False, **popen)
        return done.returncode, done.stdout, done.stderr

    def serve(self, *arguments, env=None, addresses=1, before=(), binary=BINARY, **popen):
        """Starts a server, by the command `before` if there is one, and waits for the lines that
        announce its addresses."""
        stderr_path = self.path(f"stderr.{time.monotonic_ns()}")
        with open(stderr_path, "wb") as stderr:
            process = subprocess.Popen([*before, binary, *arguments], env=env or environment(),
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=stderr, **popen)
        self.addCleanup(end, process)
        text = read_lines(process.stdout, addresses)
        lines = text.splitlines(keepends=True)
        reached = [line for line in lines if line.startswith("  ")]  # of one on all addresses
        lines = [line for line in lines if line not in reached]
        with open(stderr_path, encoding="utf-8", errors="replace") as file:
            self.assertEqual(len(lines), addresses, f"not announced: {text!r} {file.read()}")
        for line in lines:
            self.assertRegex(line, ANNOUNCED)
        server = Server(process, lines, stderr_path)
        server.reached = reached
        return server

    def assert_refused(self, status, sentence, *arguments, **popen):
        """It ends with `status`, nothing on standard output, and one line like `sentence`."""
        result = self.run_command(*arguments, **popen)
        self.assertEqual((result[0], result[1]), (status, ""), result[2])
        self.assertRegex(result[2], r"\Agearshift: [^\n]*\n\Z")
        self.assertRegex(result[2], sentence)


    def need_engine(self, name):
        """Skips the test, or the subTest(), where the kernel does not let this engine run."""
        if reason := uring.refuses(name):
            self.skipTest(reason)

    def as_nobody(self):
        """What has Popen start the command as nobody; where that cannot be, the test is skipped."""
        nobody = pwd.getpwnam("nobody")
        popen = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        try:
            subprocess.run([BINARY, "-v"], capture_output=True, timeout=WAIT_S, check=True, **popen)
        except PermissionError:
            self.skipTest(f"{BINARY} cannot be executed by nobody")
        return popen


class Unheard(Command):
    """With servers whose streams are the test's own, so that they say nowhere that they serve."""

    def begin(self, *arguments, stdout=subprocess.DEVNULL, stderr=None, **popen):
        """Starts one of the site; waits until it serves. The process and its port."""
        port = free_port()
        with open(self.path("stderr"), "ab") as file:
            process = subprocess.Popen(
                [BINARY, self.site, "--port", str(port), *arguments], env=environment(),
                stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr or file, **popen)
        self.addCleanup(end, process)

        def serves():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0
        self.assertTrue(wait_until(serves), self.read("stderr"))
        return process, port

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(WAIT_S), 0)


def read_lines(stream, count):
    """`count` lines, or what came until the stream's end or a deadline."""
    text = b""
    deadline = time.monotonic() + WAIT_S
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while text.count(b"\n") < count and time.monotonic() < deadline:
            if selector.select(0.2):
                piece = os.read(stream.fileno(), 4096)
                if not piece:
                    break
                text += piece
    return text.decode("utf-8")


def end(process):
    """Ends a process that a test may have left."""
    if process.poll() is None:
        process.kill()
        process.wait(WAIT_S)
    if process.stdout is not None:
        process.stdout.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, timeout=WAIT_S):
    """Asks `condition` until it holds; False when it never did."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False
