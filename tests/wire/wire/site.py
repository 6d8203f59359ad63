"""Builds document roots. Everything in them is readable for all: a server that is started as root
serves as somebody else."""

import itertools
import os
import shutil
import socket
import time

# The mtime of every file that does not ask for another one: 2 January 2024, with nanoseconds.
MTIME_NS = 1704164645_123456789


DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def http_date(seconds):
    """An IMF-fixdate (RFC 9110 section 5.6.7). By hand: `email`, which has it, takes a fifth of a
    test's start to import."""
    at = time.gmtime(seconds)
    return (f"{DAYS[at.tm_wday]}, {at.tm_mday:02} {MONTHS[at.tm_mon - 1]} {at.tm_year:04} "
            f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02} GMT")


def eventually(condition, timeout_s=5.0, pause_s=0.02):
    """Waits until condition() is true; whether it became true in time."""
    limit = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(pause_s)
    return True


def patience(seconds):
    """What a test may wait for something that is due within `seconds`: on a machine with more to do than
    it has CPUs, for as many times longer as it is busy."""
    return seconds * (1 + os.getloadavg()[0] / (os.cpu_count() or 1))


_longest = b""


def _numbered(size):
    """So many octets of lines of sixteen, each with its number; the beginning of the longest that was made."""
    global _longest  # hundreds of files may begin alike
    if len(_longest) < size:
        count = size // 16 + 1
        _longest = b"%015x\n" * count % tuple(range(count))
    return _longest[:size]


def text(label, size):
    """Lines that differ, and say everywhere whose they are."""
    lines = (f"{label} {number} {number * 7919 % 10007}\n" for number in itertools.count())
    made = []
    while size > 0:
        made.append(next(lines).encode())
        size -= len(made[-1])
    return b"".join(made)


class Site:
    """A folder. Names are text or octets, with '/' between segments; folders on the way are
    made."""

    def __init__(self, path):
        self.path = path
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o755)

    def at(self, name):
        """The full path of a name, as octets."""
        return os.path.join(os.fsencode(self.path), os.fsencode(name))

    def _prepare(self, name):
        path = self.at(name)
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        return path

    def write(self, name, data=b"", mtime_ns=MTIME_NS, mode=0o644):
        """Makes a file or overwrites it in place."""
        path = self._prepare(name)
        with open(path, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
        os.chmod(path, mode)
        os.utime(path, ns=(mtime_ns, mtime_ns))
        return data

    def replace(self, name, data, mtime_ns=MTIME_NS):
        """Puts a new file in the place of an old one, as a careful publisher does."""
        self.write(name + ".new", data, mtime_ns)
        os.rename(self.at(name + ".new"), self.at(name))

    def touch(self, name, mtime_ns):
        os.utime(self.at(name), ns=(mtime_ns, mtime_ns))

    def pattern(self, name, size):
        """A file of `size` octets in which every place differs from its neighbourhood; its
        octets."""
        return self.write(name, _numbered(size))

    def sparse(self, name, size, marks):
        """A file with a hole: zeros, but for `marks` (offset to octets)."""
        path = self._prepare(name)
        with open(path, "wb") as file:
            file.truncate(size)
            for offset, data in marks.items():
                file.seek(offset)
                file.write(data)
        os.chmod(path, 0o644)
        os.utime(path, ns=(MTIME_NS, MTIME_NS))

    def folder(self, name, mode=0o755):
        os.makedirs(self.at(name), mode=0o755, exist_ok=True)
        os.chmod(self.at(name), mode)

    def link(self, name, to):
        """A symbolic link with this very text."""
        path = self._prepare(name)
        if os.path.lexists(path):
            os.remove(path)
        os.symlink(os.fsencode(to), path)

    def fifo(self, name):
        os.mkfifo(self._prepare(name))
        os.chmod(self.at(name), 0o666)

    def socket(self, name):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self._prepare(name))
        os.chmod(self.at(name), 0o777)

    def remove(self, name):
        path = self.at(name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.remove(path)

    def demolish(self):
        """Removes the whole folder, whatever modes a test has set."""
        for folder, names, _ in os.walk(os.fsencode(self.path)):
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.islink(path):
                    os.chmod(path, 0o700)
        shutil.rmtree(self.path, ignore_errors=True)
