"""Runs a client program to its end, or beside the test, in an environment that is the same
everywhere: UTF-8, no proxy, and a home folder without anybody's settings."""

import os
import shlex
import shutil
import subprocess

from client.run import Skipped

TIMEOUT_S = 60
SHOWN_MAX = 4000  # octets of output in a report of failure


class Ran:
    """What a program left: its exit status, standard output (octets) and standard error (text)."""

    def __init__(self, argv, status, out, err):
        self.argv = argv
        self.status = status
        self.out = out
        self.err = err.decode("utf-8", "replace")

    @property
    def text(self):
        return self.out.decode()

    def __repr__(self):
        return (f"$ {shlex.join(self.argv)}\nexit status {self.status}\n"
                f"{self.out[-SHOWN_MAX:].decode('utf-8', 'backslashreplace')}\n"
                f"{self.err[-SHOWN_MAX:]}")


class Program:
    """A program of this machine. Calling it runs it and checks its exit status."""

    def __init__(self, world, name, package):
        search = os.environ.get("PATH", os.defpath) + ":/usr/local/sbin:/usr/sbin:/sbin"
        self.path = shutil.which(name, path=search)
        if self.path is None:
            raise Skipped(f"no {name} (Debian package {package})")
        self.home = os.path.join(world.path, "home")
        os.makedirs(self.home, exist_ok=True)
        self.environment = {"PATH": search, "HOME": self.home, "LC_ALL": "C.UTF-8"}
        if world.tls:
            self._trust(os.path.join(world.pki, "ca.pem"))

    def _trust(self, ca_path):
        """Makes the test CA one of those that programs trust: curl and rclone by a variable, wget
        and lftp by a file in the home folder."""
        self.environment.update(CURL_CA_BUNDLE=ca_path, RCLONE_CA_CERT=ca_path)
        for name, line in ((".wgetrc", f"ca_certificate = {ca_path}\n"),
                           (".lftprc", f"set ssl:ca-file {ca_path}\n")):
            with open(os.path.join(self.home, name), "w", encoding="ascii") as file:
                file.write(line)

    def __call__(self, *arguments, status=0, cwd=None, timeout_s=TIMEOUT_S, stdin=""):
        """Runs it to its end, with this text as its input. `status` is the exit status that is
        right, None for any."""
        argv = [self.path, *(os.fsdecode(argument) for argument in arguments)]
        done = subprocess.run(argv, input=stdin.encode(), capture_output=True, cwd=cwd,
                              env=self.environment, timeout=timeout_s, check=False)
        ran = Ran(argv, done.returncode, done.stdout, done.stderr)
        assert status is None or ran.status == status, f"not exit status {status}: {ran}"
        return ran

    def start(self, *arguments, output):
        """Starts it beside the test, with both outputs to this path; the Popen."""
        with open(output, "wb") as file:
            return subprocess.Popen([self.path, *arguments], stdin=subprocess.DEVNULL, stdout=file,
                                    stderr=subprocess.STDOUT, env=self.environment)
