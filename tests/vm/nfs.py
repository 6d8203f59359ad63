#!/usr/bin/env python3
"""nfs.py EXPORT MOUNTED SERVER ENGINE...: files that a real NFS server keeps, served by each engine: the same answers as from
a disk, what another machine changes, handles that have become stale, and a server that is silent: only who asks for what
it has waits.

"Another machine" writes to EXPORT, the server's own folder, of whose changes the client MOUNTED is not told.
"""

import ctypes
import os
import shutil
import socket
import subprocess
import sys
import time

WAIT_S = 60  # emulation is slow
LARGE = bytes(range(256)) * 4096
THREADS = "/proc/fs/nfsd/threads"


def mount_nfs(folder):
    libc = ctypes.CDLL(None, use_errno=True)
    data = b"addr=127.0.0.1,clientaddr=127.0.0.1,vers=4.2,port=2049,proto=tcp,hard,actimeo=1"
    if libc.mount(b"127.0.0.1:/", folder.encode(), b"nfs4", 0, data) != 0:
        raise OSError(ctypes.get_errno(), "mount of NFS")


def say(path, text):
    with open(path, "wb", buffering=0) as file:
        file.write(text.encode("ascii") + b"\n")


def begin(folder):
    """The NFS server answers, when a grace period has passed. What mountd says of exports is written to the kernel by hand, for
    nobody else asks for them; it is forgotten when the server ends."""
    never = 2147483647
    for address in ("127.0.0.1", "::ffff:127.0.0.1"):
        say("/proc/net/rpc/auth.unix.ip/channel", f"nfsd {address} {never} clients")
    # 9234: fsid, no look at subtrees, any port, root stays root, answers may come before the disk (nfsd/export.h).
    say("/proc/net/rpc/nfsd.export/channel", f"clients {folder} {never} 9234 65534 65534 0")
    say("/proc/net/rpc/nfsd.fh/channel", f"clients 1 \\x00000000 {never} {folder}")
    say("/proc/fs/nfsd/versions", "-3 +4 +4.1 +4.2")
    say("/proc/fs/nfsd/nfsv4leasetime", "10")
    say("/proc/fs/nfsd/nfsv4gracetime", "10")
    say("/proc/fs/nfsd/portlist", "tcp 2049")
    say(THREADS, "4")


def end():
    """It answers nobody any more."""
    say(THREADS, "0")


class Server:
    def __init__(self, binary, engine, nfs, local, log):
        self.log = log
        with open("/run/nfs/server.conf", "w", encoding="ascii") as file:
            file.write(f'user = root\nallow_root = on\nprocesses = 0\nengine = {engine}\ncache_valid = 100ms\n'
                       + ("threads = 2\n" if engine == "multi-reactor" else "") +
                       f'server "nfs.example" {{ listen = "127.0.0.1:8080" root = "{nfs}" autoindex = on }}\n'
                       f'server "local.example" {{ listen = "127.0.0.1:8080" root = "{local}" }}\n')
        with open(log, "wb") as errors:
            self.process = subprocess.Popen([binary, "-c", "/run/nfs/server.conf"], stdout=errors, stderr=errors)
        deadline = time.monotonic() + WAIT_S
        while b"ready" not in open(log, "rb").read() and b"serving" not in open(log, "rb").read():
            assert time.monotonic() < deadline and self.process.poll() is None, open(log, encoding="utf-8").read()
            time.sleep(0.05)

    def ask(self, host, target, wait=True, fields=""):
        """Status, head and body; or the connection, of which the answer is to come."""
        connection = socket.create_connection(("127.0.0.1", 8080), WAIT_S)
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{fields}\r\n".encode("ascii"))
        return read(connection) if wait else connection

    def stop(self):
        self.process.terminate()
        assert self.process.wait(WAIT_S) == 0


def read(connection):
    data = b""
    with connection:
        while part := connection.recv(1 << 18):
            data += part
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode("latin-1").lower(), body


def eventually(what, why):
    deadline = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < deadline, why
        time.sleep(0.1)


def fill(site):
    shutil.rmtree(site, ignore_errors=True)
    os.makedirs(site + "/folder")
    for name, data in (("a.txt", b"first"), ("folder/b.txt", b"below"), ("large.bin", LARGE)):
        with open(f"{site}/{name}", "wb") as file:
            file.write(data)
        os.utime(f"{site}/{name}", (1700000000, 1700000000))


def answers(server):
    """What a disk would have answered."""
    assert server.ask("nfs.example", "/a.txt")[2] == b"first"
    status, head, body = server.ask("nfs.example", "/large.bin")
    assert status == 200 and body == LARGE and f"content-length: {len(LARGE)}" in head
    assert server.ask("nfs.example", "/large.bin", fields="Range: bytes=70000-70009\r\n")[::2] == (206, LARGE[70000:70010])
    assert b"b.txt" in server.ask("nfs.example", "/folder/")[2]
    assert server.ask("nfs.example", "/none")[0] == 404


def changes(server, site):
    """Another machine writes, replaces, and removes what is open here: its handles are stale then."""
    with open(site + "/a.txt", "wb") as file:
        file.write(b"second")
    eventually(lambda: server.ask("nfs.example", "/a.txt")[2] == b"second", "a change was never seen")
    fill(site)
    seen = set()

    def is_new():
        status, _, body = server.ask("nfs.example", "/large.bin")
        seen.add(status)
        return status == 200 and body == LARGE and server.ask("nfs.example", "/a.txt")[2] == b"first"
    eventually(is_new, f"a tree that was replaced: {seen}")
    assert seen <= {200, 404, 503}, f"a stale handle: {seen}"
    os.remove(site + "/a.txt")
    eventually(lambda: server.ask("nfs.example", "/a.txt")[0] == 404, "a removal was never seen")


def hangs(server, export, waits_for_all):
    """Who asks for what is silent waits, and is answered in the end; nobody else notices."""
    end()
    waiting = []
    try:
        waiting = [server.ask("nfs.example", target, wait=False) for target in
                   ("/large.bin", "/folder/b.txt", "/folder/", "/unknown", "/large.bin", "/x/y")]
        time.sleep(0.5)
        if not waits_for_all:
            for _ in range(20):
                assert server.ask("local.example", "/here.txt")[2] == b"here"
    finally:
        begin(export)
    if waits_for_all:  # deadlines of some have passed while nobody could look at what they had sent
        for connection in waiting:
            connection.close()
        eventually(lambda: is_answered(server), "nobody is answered any more")
        return
    found = [read(connection) for connection in waiting]
    assert [status for status, _, _ in found] == [200, 200, 200, 404, 200, 404], [f[0] for f in found]
    assert found[0][2] == LARGE and found[1][2] == b"below"


def is_answered(server):
    try:
        return server.ask("nfs.example", "/a.txt")[2] == b"first"
    except OSError:
        return False


def main():
    export, mounted, binary, *engines = sys.argv[1:]
    local = "/run/nfs/local"
    os.makedirs(local, exist_ok=True)
    with open(local + "/here.txt", "wb") as file:
        file.write(b"here")
    fill(export + "/site")
    begin(export)
    mount_nfs(mounted)
    for engine in engines:
        began = time.monotonic()
        fill(export + "/site")
        server = Server(binary, engine, mounted + "/site", local, f"/run/nfs/{engine}.log")
        try:
            answers(server)
            changes(server, export + "/site")
            fill(export + "/site")
            eventually(lambda: server.ask("nfs.example", "/a.txt")[2] == b"first", "the tree did not come back")
            hangs(server, export, engine in ("iterative", "leader-followers"))
            server.stop()
        except BaseException:
            print(open(server.log, encoding="utf-8").read(), file=sys.stderr)
            raise
        print(f"ok   {engine}: {time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main()
