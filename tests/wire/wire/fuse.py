"""A file system in this process, by FUSE (fuse(4)): files that fail, change, or keep who asks for them waiting.

It speaks the kernel's protocol by itself (<linux/fuse.h>), since nothing less can say when an answer
comes. Only what reading needs is there. It is mounted in a mount namespace of this process, which
takes it along when it ends; servers that are started afterwards are in it, too.
"""

import atexit
import contextlib
import ctypes
import errno
import os
import shutil
import stat
import struct
import sys
import tempfile
import threading

LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT = 1, 2, 3, 14, 15, 17, 18, 25, 26
OPENDIR, READDIR, RELEASEDIR, INTERRUPT, DESTROY, BATCH_FORGET = 27, 28, 29, 36, 38, 42
NAMES = {LOOKUP: "lookup", GETATTR: "getattr", OPEN: "open", READ: "read", STATFS: "statfs",
         FLUSH: "flush", OPENDIR: "open", READDIR: "read"}
UNANSWERED = (FORGET, BATCH_FORGET, INTERRUPT)

CLONE_NEWNS, MS_NOSUID, MS_NODEV, MS_REC, MS_PRIVATE, MNT_DETACH = 0x20000, 2, 4, 16384, 1 << 18, 2
REQUEST_SIZE = 1 << 17
ASYNC_READ = 1
ROOT = 1

_own = []  # whether own_mounts() was called
_libc = ctypes.CDLL(None, use_errno=True)


def _check(result):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def mount(source, target, kind, flags=0, data=""):
    """mount(2)."""
    _check(_libc.mount(os.fsencode(source), os.fsencode(target), os.fsencode(kind),
                       ctypes.c_ulong(flags), os.fsencode(data)))


def unmount(target):
    """umount2(2), whoever is still in there."""
    _check(_libc.umount2(os.fsencode(target), MNT_DETACH))


def own_mounts():
    """This process, and those that it starts from now on, get mounts of their own. None, or why that
    cannot be: a sentence."""
    try:
        _check(_libc.unshare(CLONE_NEWNS))
        mount("none", "/", "", MS_REC | MS_PRIVATE)
    except OSError as error:
        return f"no mount namespace can be made here: {error}"
    return None


def kernel_has(kind):
    """Does the kernel have this type of file system (without loading a module)?"""
    with open("/proc/filesystems", encoding="ascii") as file:
        return kind in file.read().split()


class Node:
    """A file or a folder; `data` None for the latter."""

    def __init__(self, number, data, mtime_ns):
        self.number, self.data, self.mtime_ns = number, data, mtime_ns
        self.children = {}


class FuseSite:
    """Files below `path`. `valid_s`: for how long the kernel may believe what it was told."""

    def __init__(self, path, valid_s=0):
        self.path = path
        self.valid_s = valid_s
        self.nodes = {ROOT: Node(ROOT, None, 0)}
        self.failing = {}  # (what, name) -> [errno, how often (None: always)]
        self.held = set()  # (what, name); name None: of any file
        self.waiting = []  # (what, name, an answer to be sent)
        self.asked = []    # (what, name)
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        os.makedirs(path, exist_ok=True)
        self.device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        try:
            mount("gearshift-test", path, "fuse", MS_NOSUID | MS_NODEV,
                  f"fd={self.device},rootmode=40000,user_id=0,group_id=0,allow_other")
        except OSError:
            os.close(self.device)
            raise
        threading.Thread(target=self._serve, daemon=True).start()

    # What tests do

    def write(self, name, data, mtime_ns=1704164645_123456789):
        """Makes a file, or gives it another content; its octets."""
        data = data.encode() if isinstance(data, str) else data
        with self.lock:
            node = self.nodes[ROOT]
            for segment in name.split("/"):
                if segment not in node.children:
                    made = Node(len(self.nodes) + 1, None, mtime_ns)
                    self.nodes[made.number] = made
                    node.children[segment] = made
                node = node.children[segment]
            node.data, node.mtime_ns = data, mtime_ns
        return data

    def fail(self, what, name, error, count=None):
        """`what` (lookup, getattr, open, read) of the file `name` fails, so often (None: always); error 0:
        no longer."""
        with self.lock:
            self.failing[what, name] = [error, count]

    def hold(self, *whats, name=None):
        """These questions are not answered until let_go()."""
        with self.lock:
            self.held.update((what, name) for what in whats)

    def let_go(self):
        """Answers what waits, and what comes."""
        with self.lock:
            self.held.clear()
            waiting, self.waiting = self.waiting, []
        for _, _, answer in waiting:
            answer()

    def wait_until_held(self, count=1, timeout_s=20):
        """Waits until so many questions wait for let_go()."""
        with self.changed:
            return self.changed.wait_for(lambda: len(self.waiting) >= count, timeout_s)

    def close(self):
        self.let_go()
        with contextlib.suppress(OSError):
            unmount(self.path)

    # What the kernel asks

    def _serve(self):
        while True:
            try:
                request = os.read(self.device, REQUEST_SIZE + 4096)
            except OSError as error:
                if error.errno in (errno.EINTR, errno.ENOENT):
                    continue
                return  # ENODEV: unmounted
            _, code, unique, number = struct.unpack_from("=IIQQ", request)
            if code in UNANSWERED:
                continue
            self._take(code, unique, number, request[40:])

    def _name(self, code, number, body):
        if code == LOOKUP:
            return body.partition(b"\0")[0].decode()
        for node in self.nodes.values():
            for name, child in node.children.items():
                if child.number == number:
                    return name
        return "."

    def _take(self, code, unique, number, body):
        def answer():
            with self.lock:
                error, data = self._reply(code, number, body, name)
            with contextlib.suppress(OSError):  # who asked has gone
                os.write(self.device, struct.pack("=IiQ", 16 + len(data), -error, unique) + data)

        what = NAMES.get(code, "")
        with self.changed:
            name = self._name(code, number, body)
            self.asked.append((what, name))
            if (what, None) in self.held or (what, name) in self.held:
                self.waiting.append((what, name, answer))
                self.changed.notify_all()
                return
        answer()

    def _attributes(self, node):
        folder = node.data is None
        at_s, at_ns = divmod(node.mtime_ns, 10**9)
        return struct.pack("=QQQQQQIIIIIIIIII", node.number, len(node.data or b""), 8, at_s, at_s,
                           at_s, at_ns, at_ns, at_ns,
                           stat.S_IFDIR | 0o755 if folder else stat.S_IFREG | 0o644,
                           2 if folder else 1, 0, 0, 0, 4096, 0)

    def _valid(self):
        whole = int(self.valid_s)
        return whole, int((self.valid_s - whole) * 10**9)

    def _reply(self, code, number, body, name):
        failure = self.failing.get((NAMES.get(code), name), [0, None])
        if failure[0] and failure[1] != 0:
            failure[1] = failure[1] and failure[1] - 1
            return failure[0], b""
        node = self.nodes.get(number)
        seconds, rest = self._valid()
        if code == INIT:
            return 0, struct.pack("=IIIIHHIIHH32x", 7, 31, REQUEST_SIZE, ASYNC_READ, 12, 9,
                                  REQUEST_SIZE, 1, REQUEST_SIZE // 4096, 0)
        if code == LOOKUP:
            child = node.children.get(name)
            if child is None:
                return errno.ENOENT, b""
            return 0, struct.pack("=QQQQII", child.number, 0, seconds, seconds, rest,
                                  rest) + self._attributes(child)
        if code == GETATTR:
            return 0, struct.pack("=QII", seconds, rest, 0) + self._attributes(node)
        if code in (OPEN, OPENDIR):
            return 0, struct.pack("=QII", number, 0, 0)
        if code == READ:
            _, offset, size = struct.unpack_from("=QQI", body)
            return 0, node.data[offset:offset + size]
        if code == READDIR:
            _, offset, size = struct.unpack_from("=QQI", body)
            return 0, self._names(node, offset, size)
        if code == STATFS:
            return 0, struct.pack("=QQQQQIII28x", 0, 0, 0, 0, 0, 4096, 255, 4096)
        if code in (RELEASE, RELEASEDIR, FLUSH, DESTROY):
            return 0, b""
        return errno.ENOSYS, b""

    def _names(self, folder, offset, size):
        text = b""
        for place, (name, node) in enumerate(folder.children.items()):
            raw = os.fsencode(name)
            entry = struct.pack("=QQII", node.number, place + 1, len(raw),
                                (stat.S_IFDIR if node.data is None else stat.S_IFREG) >> 12) + raw
            entry += bytes(-len(entry) % 8)
            if place >= offset and len(text) + len(entry) <= size:
                text += entry
        return text


def namespace_or_skip():
    """own_mounts(), once; the test ends as skipped, with the reason, where that cannot be."""
    if not _own:
        why = own_mounts()
        if why is not None:
            print(f"skip all: {why}")
            sys.exit(77)
        _own.append(True)


def site_or_skip(path=None, valid_s=0):
    """A FuseSite in a folder of its own, or `path` in one, which go with the process; the test ends as
    skipped, with the reason, where none can be mounted."""
    namespace_or_skip()
    folder = os.path.dirname(path) if path else tempfile.mkdtemp(prefix="gearshift-fuse-")
    os.chmod(folder, 0o755)
    try:
        site = FuseSite(path or os.path.join(folder, "mounted"), valid_s)
    except OSError as error:  # no module, no device, or a container that may not mount
        shutil.rmtree(folder, ignore_errors=True)
        print(f"skip all: no FUSE can be mounted here: {error}")
        sys.exit(77)

    def end():
        site.close()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return site
