#!/usr/bin/env python3
"""service.py PACKAGING BINARY: the unit is rated well, and the server serves under exactly what it
restricts: user, capabilities, system calls, families of addresses, a file system that is read-only.

There need be no systemd that runs: the restrictions are read from the unit and made here.
"""

import ctypes
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

PACKAGING, BINARY = pathlib.Path(sys.argv[1]), os.path.abspath(sys.argv[2])
WAIT_S = 20
EXPOSURE_MAX = 1.5
ERRNO_EPERM, ALLOW = 0x00050000 | 1, 0x7FFF0000  # SECCOMP_RET_*
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}

# In a mount namespace of its own: all is read-only but what the unit says, then the rest.
NAMESPACE = """
mount --make-rprivate / && mount --bind / {root} && mount -o remount,bind,ro {root} &&
mount --rbind /proc {root}/proc && mount --rbind /dev {root}/dev &&
mount -t tmpfs none {root}/tmp && mount --bind {folder}/run {root}/run &&
mkdir {root}/tmp/site && mount --bind {folder}/site {root}/tmp/site &&
exec chroot {root} {python} /run/tree/service.py /run/tree/packaging /run/tree/gearshift --restrict \
    -c /tmp/site/server.conf
"""


def unit_text():
    text = (PACKAGING / "gearshift.service.in").read_text()
    return text.replace("@bindir@", "/usr/bin").replace("@sysconfdir@", "/etc")


def settings():
    """Of the section [Service]; what stands several times is a list."""
    values = {}
    section = unit_text().split("[Service]")[1].split("[Install]")[0]
    for line in section.splitlines():
        if "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            values.setdefault(key, []).append(value)
    return values


def members(group):
    """The calls of a group of systemd's, with those of the groups in it."""
    out = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", group], text=True,
                         stdout=subprocess.PIPE, check=True).stdout
    words = [line.strip() for line in out.splitlines()[1:] if not line.strip().startswith("#")]
    names = set()
    for word in words:
        names |= members(word) if word.startswith("@") else {word}
    return names


def numbers():
    for path in ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"):
        if os.path.exists(path):
            return {name: int(number) for name, number in re.findall(
                r"#define __NR_(\w+) (\d+)", pathlib.Path(path).read_text())}
    return {}


def calls_allowed():
    """As SystemCallFilter= says, line by line."""
    allowed = set(members("@default"))
    for line in settings()["SystemCallFilter"]:
        words = line.lstrip("~").split()
        names = set().union(*(members(word) if word.startswith("@") else {word} for word in words))
        allowed = allowed - names if line.startswith("~") else allowed | names
    known = numbers()
    return sorted(known[name] for name in allowed if name in known)


def make_filter(allowed, families):
    """A program for seccomp(2): the calls, and of socket(2) the families."""
    def op(code, k, jt=0, jf=0):
        return struct.pack("=HBBI", code, jt, jf, k)
    load, equal, ret = 0x20, 0x15, 0x06
    socket_number = numbers()["socket"]
    program = [op(load, 0)]
    program.append(op(equal, socket_number, 0, len(families) + 3))
    program.append(op(load, 16))
    program += [op(equal, family, len(families) - i) for i, family in enumerate(families)]
    program += [op(ret, ERRNO_EPERM), op(ret, ALLOW)]
    for number in allowed:
        program += [op(equal, number, 0, 1), op(ret, ALLOW)]
    program.append(op(ret, ERRNO_EPERM))
    return program


def restrict():
    """Becomes what the unit says, and executes the server."""
    values = settings()
    nobody = pwd.getpwnam("nobody")
    capability = values["CapabilityBoundingSet"][0].lower().removeprefix("cap_")
    program = b"".join(make_filter(
        calls_allowed(), [FAMILIES[name] for name in values["RestrictAddressFamilies"][0].split()]))
    path = "/run/seccomp"
    pathlib.Path(path).write_bytes(program)
    os.environ["XDG_RUNTIME_DIR"] = "/run"
    # A sanitizer looks for leaks by ptrace(2), which the unit refuses.
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    os.umask(int(values["UMask"][0], 8))
    os.execvp("setpriv", [
        "setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups",
        f"--bounding-set=-all,+{capability}", f"--inh-caps=-all,+{capability}",
        f"--ambient-caps=-all,+{capability}", "--no-new-privs",
        sys.executable, __file__, str(PACKAGING), BINARY, "--filter", path, *sys.argv[4:]])


def apply_filter():
    """The last step: from here on nothing else than the unit allows is possible."""
    libc = ctypes.CDLL(None, use_errno=True)
    program = pathlib.Path(sys.argv[4]).read_bytes()
    room = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
    filter_ = Program(len(program) // 8, ctypes.addressof(room))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        sys.exit("no_new_privs is refused")
    if libc.prctl(PR_SET_SECCOMP, FILTER, ctypes.byref(filter_), 0, 0) != 0:
        sys.exit("seccomp is refused")
    os.execv(BINARY, [BINARY, *sys.argv[5:]])


class TestUnit(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gearshift-service-"))
        self.folder.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.folder)

    def test_its_exposure(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("there is no systemd-analyze")
        unit = self.folder / "gearshift.service"
        unit.write_text(unit_text())
        done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", unit],
                              text=True, capture_output=True, check=False)
        found = re.search(r"Overall exposure level for gearshift\.service: ([0-9.]+)", done.stdout)
        self.assertTrue(found, done.stdout + done.stderr)
        self.assertLessEqual(float(found[1]), EXPOSURE_MAX, done.stdout)

    def test_what_it_starts(self):
        values = settings()
        self.assertEqual(values["Type"], ["notify"])
        self.assertEqual(values["ExecReload"],
                         ["/usr/bin/gearshift reload -c /etc/gearshift/server.conf"])
        self.assertEqual(values["ExecStart"], ["/usr/bin/gearshift -c /etc/gearshift/server.conf"])

    def test_other_files(self):
        users = (PACKAGING / "gearshift.sysusers.in").read_text()
        self.assertRegex(users, r"(?m)^u gearshift ")
        folders = (PACKAGING / "gearshift.tmpfiles.in").read_text()
        self.assertRegex(folders, r"(?m)^d /run/gearshift 0755 gearshift gearshift -$")
        if shutil.which("logrotate"):
            path = self.folder / "logrotate"
            text = (PACKAGING / "gearshift.logrotate.in").read_text()
            path.write_text(text.replace("su gearshift gearshift", "su root root"))
            path.chmod(0o644)
            done = subprocess.run(["logrotate", "-d", path], text=True, capture_output=True,
                                  check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("error:", done.stderr)

    def start(self, engine):
        """The server under all of it; its process and the address. Skips where that cannot be made."""
        folder = self.folder / engine
        for name in ("root", "run/gearshift", "site"):
            (folder / name).mkdir(parents=True)
        os.chown(folder / "run/gearshift", *pwd.getpwnam("nobody")[2:4])
        tree = folder / "run/tree"  # the project may lie in /tmp, which the unit hides, or in a home
        shutil.copytree(PACKAGING, tree / "packaging")
        shutil.copy(BINARY, tree / "gearshift")
        shutil.copy(__file__, tree / "service.py")
        (folder / "site/a.txt").write_text("hello\n")
        port = 80 if engine == "reactor" and not self.is_taken(80) else 0
        (folder / "site/server.conf").write_text(
            f'engine = {engine}\nserver localhost {{\n  root = "/tmp/site"\n'
            f'  listen = {{"127.0.0.1:{port}"}}\n}}\n')
        process = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", NAMESPACE.format(
                root=folder / "root", folder=folder, python=sys.executable)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(lambda: process.poll() is None and (process.kill(), process.wait()))
        line = process.stdout.readline()
        if not line:
            process.wait(WAIT_S)
            self.fail(process.stderr.read())
        return process, re.search(r"http://([0-9.]+):(\d+)/", line).groups(), folder

    def is_taken(self, port):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return True
        return False

    def answer(self, address):
        with socket.create_connection((address[0], int(address[1])), WAIT_S) as client:
            client.sendall(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return client.makefile("rb").read()

    def test_it_serves(self):
        self.need_all()
        for engine in ("reactor", "proactor", "thread-pool", "process-per-connection"):
            with self.subTest(engine):
                process, address, folder = self.start(engine)
                self.assertRegex(self.answer(address), rb"(?s)^HTTP/1\.1 200 OK\r\n.*hello\n$")
                control = str(folder / "run/gearshift/control")
                for words in (("reload",), ("upgrade",), ("shift", "coroutine"), ("reopen",)):
                    done = subprocess.run([BINARY, *words, "--control", control], text=True,
                                          capture_output=True, timeout=WAIT_S, check=False)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertIn(b"hello\n", self.answer(address))
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                self.assertRegex(status, r"(?m)^Seccomp:\t2$")
                self.assertRegex(status, r"(?m)^NoNewPrivs:\t1$")
                process.send_signal(signal.SIGQUIT)
                self.assertEqual(process.wait(WAIT_S), 0, process.stderr.read())

    def need_all(self):
        if os.geteuid() != 0:
            self.skipTest("root makes the restrictions")
        if not numbers():
            self.skipTest("the numbers of system calls are known here for x86-64 alone")
        for name in ("systemd-analyze", "unshare", "setpriv", "chroot"):
            if shutil.which(name) is None:
                self.skipTest(f"there is no {name}")
        probe = subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True)
        if probe.returncode != 0:
            self.skipTest("no mount namespace can be made here")


if __name__ == "__main__":
    if sys.argv[3:4] == ["--restrict"]:
        restrict()
    if sys.argv[3:4] == ["--filter"]:
        apply_filter()
    unittest.main(argv=sys.argv[:1])
