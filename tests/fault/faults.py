"""What the fault tests share: the page by which they make the server's calls fail (inject.h), and
the clients that keep it busy meanwhile."""

import contextlib
import errno
import mmap
import os
import random
import struct
import sys
import threading
import time

from wire import Closed, eventually, head

# struct fault_page of inject.h: the members in order; `armed` is its first.
PAGE = struct.Struct("<IiIIQQQQQI32s")
ARMED = struct.Struct("<I")
COUNTS = struct.Struct("<QQ")
COUNTS_AT = 40
AHEAD = struct.Struct("<I")
AHEAD_AT = 92

# ctest sets these: the library, the sanitizers of this build ("": none), and the library of theirs
# that has to come first.
LIBRARY = os.environ.get("FAULT_LIBRARY", "")
SANITIZER = os.environ.get("FAULT_SANITIZER", "")
FIRST = os.environ.get("FAULT_FIRST", "")


def option(name):
    """An argument of this test, by which also the harness goes."""
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else ""


def demultiplexer():
    """What the engine, if it is an event loop, waits with."""
    for setting in option("--variant").split():
        if setting.startswith("demultiplexer="):
            return setting.partition("=")[2]
    return "epoll"


def file_jobs():
    """Who reads the files of an event loop."""
    for setting in option("--variant").split():
        if setting.startswith("file_jobs="):
            return setting.partition("=")[2]
    return "auto"


def has_executor():
    """Are files read by something else than the loop, its workers, or a proactor's processor? What
    it does not read, a worker does: one call that fails makes no read fail."""
    return file_jobs() in ("posix-aio", "linux-aio", "io_uring")


def uses_io_uring():
    """Are its operations the kernel's? Else the server makes the calls itself."""
    return option("--engine") == "proactor" and "processor=epoll" not in option("--variant")


class Faults:
    """The page. A server started within preloaded() looks at it."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "faults")
        with open(self.path, "wb") as file:
            file.truncate(4096)
        os.chmod(self.path, 0o666)
        with open(self.path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), 4096)

    @contextlib.contextmanager
    def preloaded(self, **variables):
        """Servers that are started meanwhile have the library."""
        assert os.path.exists(LIBRARY), "FAULT_LIBRARY names no file: ctest sets it"
        library = LIBRARY
        if set(library) & set(" :"):  # a separator of LD_PRELOAD's, which knows no quotes
            library = self.path + ".so"
            if not os.path.lexists(library):
                os.symlink(os.path.abspath(LIBRARY), library)
        assert not set(library) & set(" :"), f"{library}: no library can be preloaded from there"
        variables |= {"FAULT_PAGE": self.path,
                      "LD_PRELOAD": " ".join(filter(None, (FIRST, library)))}
        os.environ.update(variables)
        try:
            yield
        finally:
            for name in variables:
                del os.environ[name]

    def arm(self, call, error, every=1, start=0, limit=0, seed=None, cold=False):
        """From now on `call` fails with `error` ("": does less), one in `every` (at random where
        there is a seed), but for the first `start` calls, at most `limit` times; `cold`: and the
        kernel's caches seem empty."""
        number = getattr(errno, error) if error else 0
        PAGE.pack_into(self.page, 0, 0, number, every, seed is not None, start, limit, seed or 0,
                       0, 0, cold, call.encode())
        ARMED.pack_into(self.page, 0, 1)

    def disarm(self):
        ARMED.pack_into(self.page, 0, 0)

    def skip(self, seconds):
        """The monotonic clock of the servers goes so far ahead."""
        before, = AHEAD.unpack_from(self.page, AHEAD_AT)
        AHEAD.pack_into(self.page, AHEAD_AT, before + seconds)

    @property
    def calls(self):
        return COUNTS.unpack_from(self.page, COUNTS_AT)[0]

    @property
    def count(self):
        return COUNTS.unpack_from(self.page, COUNTS_AT)[1]


class Load:
    """Clients that ask for everything at once, and judge each answer: what arrives whole is right,
    and something, be it the end of the connection, arrives in time."""

    CLIENTS = 6
    # What a shortage or an error may make of a good request (HTTP.md "Finding the file").
    REFUSALS = (500, 503)

    def __init__(self, root):
        self.files = {"/small.txt": root.write("small.txt", "small"),
                      "/page.html": root.pattern("page.html", 5_000).decode(),
                      "/medium.bin": root.pattern("medium.bin", 100_000),
                      "/large.bin": root.pattern("large.bin", 1_500_000)}
        self.files = {name: data.encode() if isinstance(data, str) else data
                      for name, data in self.files.items()}
        for number in range(30):
            self.files[f"/many/{number}.txt"] = root.write(f"many/{number}.txt",
                                                           f"file {number}").encode()
        self.targets = list(self.files)

    def check(self, answer, target, partial=None):
        if answer.status in self.REFUSALS:
            return
        if target not in self.files:
            assert answer.status in (200, 404), (target, answer)
            return
        data = self.files[target]
        if partial and answer.status == 206:
            data = data[partial[0]:partial[1] + 1]
        else:
            assert answer.status == 200, (target, answer)
        assert answer.body == data, f"{target}: another body, of {len(answer.body)} octets"

    def exchange(self, connection, dice):
        """One exchange of some kind."""
        kind = dice.randrange(8)
        if kind < 3:
            target = dice.choice(self.targets)
            self.check(connection.get(target), target)
        elif kind == 3:
            targets = [dice.choice(self.targets) for _ in range(8)]
            connection.send(b"".join(head("GET", target) for target in targets))
            for target in targets:
                answer = connection.read_response()
                self.check(answer, target)
                if answer.closes:
                    raise Closed("announced")
        elif kind == 4:
            first = dice.randrange(1_000_000)
            last = first + dice.randrange(300_000)
            self.check(connection.get("/large.bin", f"Range: bytes={first}-{last}"), "/large.bin",
                       (first, last))
        elif kind == 5:
            self.check(connection.get("/many/"), "/many/")
        elif kind == 6:
            self.check(connection.get("/none"), "/none")
        else:
            answer = connection.ask("HEAD", "/page.html")
            assert answer.status in (200, *self.REFUSALS), answer

    def client(self, server, seed, goes_on):
        dice = random.Random(seed)
        while goes_on():
            with contextlib.suppress(Closed, ConnectionError), server.connect() as connection:
                for _ in range(dice.randrange(1, 12)):
                    self.exchange(connection, dice)
                    if not goes_on():
                        break

    def run(self, server, seed, goes_on, after):
        """Lets the clients work while goes_on(), calls after(), and waits for what they are still
        owed; the first complaint is raised."""
        complaints = []

        def work(number):
            try:
                self.client(server, seed * 1000 + number, goes_on)
            except BaseException as error:  # it is raised again below
                complaints.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(self.CLIENTS)]
        for thread in threads:
            thread.start()
        while goes_on():
            time.sleep(0.01)
        after()
        for thread in threads:
            thread.join()
        if complaints:
            raise complaints[0]

    def serves(self, server):
        """Everything is answered, in full."""
        with server.connect() as connection:
            for target, data in self.files.items():
                answer = connection.get(target)
                assert answer.status == 200 and answer.body == data, (target, answer)
            assert connection.get("/many/").status == 200
            assert connection.get("/none").status == 404


def for_seconds(seconds):
    end = time.monotonic() + seconds
    return lambda: time.monotonic() < end


def is_idle(server, seconds=0.4):
    """A quarter of the time at most: whoever spins needs all of it. What is due a moment later
    (logs) may come in between, so the second look counts as well."""
    def idles():
        before = server.cpu_s()
        time.sleep(seconds)
        return server.cpu_s() - before <= seconds / 4
    return idles() or idles() or idles()


def returns_to(server, descriptors):
    return eventually(lambda: server.descriptors() <= descriptors, 5)
