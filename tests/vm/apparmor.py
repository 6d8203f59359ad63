#!/usr/bin/env python3
"""apparmor.py PROFILE SERVER ENGINE...: the server under its AppArmor profile, in a guest of run_in_vm --apparmor, as gearshift.service
starts it: by the profile's name, as a user without privileges but for low ports. All that it does must pass without one
DENIED in the kernel's log; then what it must not do is tried by a process in the profile, and by links in a site.
"""

import ctypes
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

WAIT_S = 60  # emulation is slow
BINARY, CONTROL, LOCAL = "/usr/bin/gearshift", "/run/gearshift/control", "/etc/apparmor.d/local/gearshift"
LOG = "/var/log/gearshift/access.log"
USER = 33  # www-data: any that is not root, as the package's own user is
LARGE = bytes(range(256)) * 1024
CONF = """engine = reactor
connections_max = 200
cache_files = 100
log_level = error
{top}
access_log = "{log}"
error_log = stderr
tls_certificates = "/etc/letsencrypt/live"
include("sites-enabled/*.conf")
"""
SITE = """server "site.example" {
    listen = {":80", ":443 tls"}
    root = "/var/www/html"
    autoindex = on
    etag = content
    compress = {"gzip"}
    symlinks = any
    status_page = "/status"
    location "/srv/" { alias = "/srv/www/" }
}
"""
HOME = """server "home.example" { listen = ":80" root = "/home/ann/public_html" }
"""


def run(*command):
    """Its exit status, and what it says."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=WAIT_S, check=False)
    return done.returncode, done.stdout


def must(*command):
    status, output = run(*command)
    assert status == 0, (command, status, output)


def write(path, data, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode("ascii"))
    os.chmod(path, mode)


def eventually(what, why):
    deadline = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < deadline, why
        time.sleep(0.05)


class KernelLog:
    """What AppArmor has denied since the last look."""

    def __init__(self):
        with open("/proc/sys/kernel/printk_ratelimit", "w", encoding="ascii") as file:
            file.write("0")
        self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)

    def denied(self):
        found = []
        while True:
            try:
                line = os.read(self.fd, 8192).decode("utf-8", "replace")
            except BlockingIOError:
                return found
            if 'apparmor="DENIED"' in line:
                found.append(re.sub(r"^.*?(operation=.*)\n", r"\1", line))


def prepare():
    """The folders that the package and the unit make, and a site."""
    for name in ("/run/gearshift", "/var/log/gearshift"):
        os.makedirs(name, exist_ok=True)
        os.chown(name, USER, USER)
    write("/etc/gearshift/server.conf", CONF.format(top="", log=LOG))
    write("/etc/gearshift/sites-available/site.conf", SITE)
    os.makedirs("/etc/gearshift/sites-enabled")
    os.symlink("../sites-available/site.conf", "/etc/gearshift/sites-enabled/site.conf")
    shutil.rmtree("/var/www/html", ignore_errors=True)
    write("/var/www/html/index.html", "home")
    write("/var/www/html/folder/large.bin", LARGE)
    write("/var/www/html/page.txt", "all work and no play\n" * 500)
    write("/srv/www/a.txt", "served")
    write("/opt/other/secret.txt", "secret")
    write("/home/ann/public_html/index.html", "at home")
    os.chmod("/home/ann", 0o755)
    os.symlink("/opt/other/secret.txt", "/var/www/html/link.txt")
    archive, live = "/etc/letsencrypt/archive/site.example", "/etc/letsencrypt/live/site.example"
    os.makedirs(archive)
    os.makedirs(live)
    must("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
         "/CN=site.example", "-addext", "subjectAltName=DNS:site.example", "-keyout", archive + "/privkey1.pem",
         "-out", archive + "/fullchain1.pem")
    os.chmod(archive + "/privkey1.pem", 0o640)
    os.chown(archive + "/privkey1.pem", 0, USER)
    for name in ("privkey", "fullchain"):
        os.symlink(f"../../archive/site.example/{name}1.pem", f"{live}/{name}.pem")


def syslog():
    """Somebody who takes what is logged. Whoever serves may write to it, as to systemd's."""
    taken = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    taken.bind("/dev/log")
    os.chmod("/dev/log", 0o666)
    taken.settimeout(WAIT_S)
    return taken


def start():
    """As gearshift.service does (User=, AmbientCapabilities=, NoNewPrivileges=, AppArmorProfile=)."""
    return subprocess.Popen(
        ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--bounding-set=-all,+net_bind_service",
         "--inh-caps=-all,+net_bind_service", "--ambient-caps=-all,+net_bind_service", "--no-new-privs",
         "aa-exec", "-p", "gearshift", "--", BINARY, "-c", "/etc/gearshift/server.conf"],
        env={"XDG_RUNTIME_DIR": "/run", "PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL)


def replace():
    """Another file in the binary's place, as dpkg does it: what runs has no name any more."""
    shutil.copy(BINARY, BINARY + ".dpkg-new")
    os.rename(BINARY + ".dpkg-new", BINARY)


def order(*words):
    return run(BINARY, *words, "--control", CONTROL)


def done(*words):
    status, output = order(*words)
    assert status == 0, (words, status, output)


def ask(target, host="site.example", tls=False, fields=""):
    """Status, head and body."""
    with socket.create_connection(("127.0.0.1", 443 if tls else 80), WAIT_S) as connection:
        if tls:
            context = ssl.create_default_context(cafile="/etc/letsencrypt/live/site.example/fullchain.pem")
            connection = context.wrap_socket(connection, server_hostname=host)
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{fields}Connection: close\r\n\r\n".encode("ascii"))
        data = b""
        while part := connection.recv(1 << 18):
            data += part
        connection.close()
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode("latin-1").lower(), body


def workers(pid):
    return [int(word) for word in run("pgrep", "-P", str(pid))[1].split()]


def confined(pid):
    with open(f"/proc/{pid}/attr/current", encoding="ascii") as file:
        return file.read().strip() == "gearshift (enforce)"


def serves():
    assert ask("/", tls=True)[::2] == (200, b"home")
    assert ask("/folder/large.bin")[::2] == (200, LARGE)
    assert ask("/folder/")[0] == 200
    assert ask("/srv/a.txt")[::2] == (200, b"served")


def what_it_needs(server, engines, daemon):
    assert all(confined(pid) for pid in (server.pid, *workers(server.pid)))
    serves()
    assert "content-encoding: gzip" in ask("/page.txt", fields="Accept-Encoding: gzip\r\n")[1]
    assert ask("/status")[0] == 200
    for engine in engines:
        done("shift", engine)
        serves()
    os.rename(LOG, LOG + ".1")
    done("reopen")
    ask("/page.txt?logged")
    eventually(lambda: os.path.exists(LOG) and "?logged" in open(LOG, encoding="ascii").read(), "no line in the new log")
    write("/etc/gearshift/server.conf", CONF.format(
        top="tls_backend = mbedtls\ncache_valid = notify\npid_file = \"/run/gearshift/pid\"", log="syslog:"))
    done("reload")
    serves()
    assert b"gearshift" in daemon.recv(4096)


def replaced(server, profile):
    """A package is upgraded: another binary, the profile loaded anew, `gearshift upgrade`; and one that fails."""
    replace()
    must("apparmor_parser", "-r", "-K", profile)
    old = workers(server.pid)
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: workers(server.pid) and not set(old) & set(workers(server.pid)), "a worker was not replaced")
    serves()
    write("/etc/gearshift/server.conf", CONF.format(top="processes = 0", log=LOG))
    status, output = order("upgrade")
    assert status == 78 and "goes on as before" in output, (status, output)
    serves()
    write("/etc/gearshift/server.conf", CONF.format(top="", log=LOG))
    done("upgrade")
    assert os.stat(f"/proc/{server.pid}/exe").st_ino == os.stat(BINARY).st_ino
    assert all(confined(pid) for pid in (server.pid, *workers(server.pid)))
    serves()


def another_folder(profile):
    """A site in a home: for who says so in local/. A start does not fail without: it opens roots by O_PATH, of which
    AppArmor takes no notice."""
    write("/etc/gearshift/sites-enabled/home.conf", HOME)
    done("reload")
    assert ask("/", host="home.example")[0] == 403
    write(LOCAL, "/home/*/public_html/{,**} r,\n")
    must("apparmor_parser", "-r", "-K", profile)
    eventually(lambda: ask("/", host="home.example")[::2] == (200, b"at home"), "local/ does not help")


def attempts():
    """What somebody would do who has taken a worker over. All of it is within what root may."""
    libc = ctypes.CDLL(None, use_errno=True)

    def call(name, *arguments):
        if getattr(libc, name)(*arguments) < 0:
            raise OSError(ctypes.get_errno(), name)

    return {
        "reads a password": lambda: open("/etc/shadow", "rb"),
        "reads another folder": lambda: open("/opt/other/secret.txt", "rb"),
        "lists another folder": lambda: os.listdir("/opt/other"),
        "writes to a site": lambda: open("/var/www/html/index.html", "ab"),
        "makes a file in a site": lambda: open("/var/www/html/shell.php", "wb"),
        "writes to the configuration": lambda: open("/etc/gearshift/server.conf", "ab"),
        "replaces the binary": lambda: os.rename("/opt/other/secret.txt", BINARY),
        "executes a shell": lambda: os.execv("/bin/sh", ["sh", "-c", "exit 0"]),
        "executes what it wrote": lambda: os.execv("/var/log/gearshift/program", ["program"]),
        "looks into a process": lambda: call("ptrace", 16, 1, 0, 0),
        "signals a process": lambda: os.kill(1, signal.SIGURG),
        "opens a raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
        "opens a packet socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0),
        "mounts": lambda: call("mount", b"none", b"/mnt", b"tmpfs", 0, None),
        "becomes another user": lambda: os.setuid(1),
        "leaves the profile": lambda: write("/proc/self/attr/current", "changeprofile unconfined"),
    }


def what_it_must_not(log):
    assert ask("/link.txt")[0] in (403, 404), "a link out of the site was followed"
    assert any("/opt/other/secret.txt" in line for line in log.denied())
    shutil.copy("/bin/true", "/var/log/gearshift/program")
    for confine in (False, True):
        for name, attempt in attempts().items():
            if not confine and name not in ("reads a password", "lists another folder", "executes a shell",
                                            "executes what it wrote", "opens a raw socket", "signals a process"):
                continue
            pid = os.fork()
            if pid == 0:
                try:
                    if confine:
                        write_current("changeprofile gearshift")
                    attempt()
                    os._exit(0)
                except OSError as error:
                    os._exit(error.errno)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            assert (status in (1, 13)) == confine, f"{name}, {'in' if confine else 'outside'} the profile: {status}"
    assert ask("/index.html")[2] == b"home" and not os.path.exists("/var/www/html/shell.php")


def write_current(word):
    fd = os.open("/proc/self/attr/current", os.O_WRONLY)
    os.write(fd, word.encode("ascii"))
    os.close(fd)


def the_server(server, profile, engines, log, daemon):
    """All of it. When each part began, and the end."""
    eventually(lambda: server.poll() is not None or os.path.exists(CONTROL), "it does not come to serve")
    marks = [time.monotonic()]
    for step in (lambda: what_it_needs(server, engines, daemon), lambda: replaced(server, profile)):
        try:
            step()
        finally:
            denied = log.denied()
            print("\n".join(denied), end="\n" if denied else "")
        marks.append(time.monotonic())
        print(f"{marks[-1] - marks[-2]:.1f} s", flush=True)
        assert not denied, "the profile denies what the server needs"
    another_folder(profile)
    what_it_must_not(log)
    server.send_signal(signal.SIGQUIT)
    assert server.wait(WAIT_S) == 0
    return [*marks, time.monotonic()]


def main():
    for program in ("apparmor_parser", "aa-exec", "setpriv", "openssl"):
        if not shutil.which(program):
            print(f"apparmor: skipped: there is no {program}")
            sys.exit(77)
    profile, binary, *engines = sys.argv[1:]
    must("mount", "-t", "securityfs", "securityfs", "/sys/kernel/security")
    shutil.copy(binary, BINARY)
    shutil.copy(profile, "/etc/apparmor.d/gearshift")
    profile = "/etc/apparmor.d/gearshift"
    prepare()
    must("apparmor_parser", "-r", "-K", profile)
    log = KernelLog()
    server = start()
    try:
        tried = the_server(server, profile, engines, log, syslog())
    finally:
        server.kill()  # what it leaves behind would keep the guest from ending
    print("ok  ", ", ".join(f"{tried[i + 1] - tried[i]:.1f}" for i in range(len(tried) - 1)), "s")


if __name__ == "__main__":
    main()
