"""A system call in short: which of its arguments say something, and in which words."""

import re

# A letter an argument: f a descriptor, n a number, s a string, o an operation, . nothing worth the room.
SHOWN = {
    "accept4": "f", "accept": "f", "cachestat": "f", "clone": "", "clone3": "", "close": "f",
    "connect": "f", "epoll_ctl": "fof", "epoll_pwait": "f", "epoll_pwait2": "f", "epoll_wait": "f",
    "fadvise64": "f", "fcntl": "f", "fstat": "f", "futex": ".o", "getdents64": "f.n",
    "io_getevents": "", "io_submit": ".n", "io_uring_enter": ".oo", "lseek": "fn", "madvise": ".n",
    "newfstat": "f", "newfstatat": "fs", "openat": "fs", "openat2": "fs", "poll": "", "ppoll": "",
    "pread64": "f.nn", "preadv2": "f", "pselect6": "n", "read": "f.n", "readv": "f",
    "recvfrom": "f.n", "recvmsg": "f", "sendfile": "ff.n", "sendfile64": "ff.n", "sendmsg": "f",
    "sendto": "f.n", "setsockopt": "f", "shutdown": "f", "splice": "f.f.n", "statx": "fs",
    "write": "f.n", "writev": "f", "timerfd_settime": "f",
}
SENDS = ("sendto", "sendmsg", "write", "writev", "sendfile", "sendfile64", "splice")
RECEIVES = ("recvfrom", "recvmsg", "read", "readv")
FUTEX = {0: "WAIT", 1: "WAKE", 3: "REQUEUE", 4: "REQUEUE", 5: "WAKE_OP", 6: "LOCK", 7: "UNLOCK",
         9: "WAIT", 10: "WAKE"}
EPOLL = {1: "ADD", 2: "DEL", 3: "MOD"}
TEXT_MAX = 22          # of a string
STRACE_FD = re.compile(r"^(-?\d+|AT_FDCWD)<(.*)>$")


class Words:
    """`descriptors`: (process, descriptor) -> word, of a recorder that does not tell them. Calls are
    given to it in their order: learn() keeps what they open and close."""

    def __init__(self, descriptors, recording, main_pid):
        self.threads, self.main, self.last = recording.threads, main_pid, descriptors
        self.kept = self._kept(recording.events)
        self.tables = {main_pid: {}}  # of a process, or of a thread whose process is not known
        for (pid, fd), word in descriptors.items():
            self.tables.setdefault(pid, {})[fd] = word

    def _kept(self, events):
        """Calls whose new descriptor is open at the end still, so that /proc has told what it is."""
        found, gone = set(), set()
        for call in reversed([e for e in events if hasattr(e, "arguments")]):
            number = call.result.split("<")[0]
            if call.name == "close" and call.arguments:
                gone.add((call.thread, call.arguments[0]))
            elif call.name.startswith("open") and number.isdigit():
                if (call.thread, number) not in gone:
                    found.add(id(call))
                gone.add((call.thread, number))
        return found

    def _process(self, thread):
        return self.threads.get(thread, ("", None))[1]

    def _table(self, thread):
        """Who is not known has been started meanwhile, with what its parent had open."""
        key = self._process(thread) or ("thread", thread)
        if key not in self.tables:
            self.tables[key] = dict(self.tables[self.main])
        return self.tables[key]

    def learn(self, call):
        number = call.result.split("<")[0]
        if number.isdigit() and call.name.startswith("accept"):
            self._table(call.thread)[int(number)] = "connection"
        elif number.isdigit() and call.name.startswith(("clone", "fork", "vfork")):
            self.tables.setdefault(("thread", int(number)), dict(self._table(call.thread)))
        elif number.isdigit() and call.name.startswith("open"):
            known = self.last.get((self._process(call.thread), int(number)))
            self._table(call.thread)[int(number)] = (
                known if known and id(call) in self.kept else f"fd {number}")
        elif call.name == "close" and call.arguments and call.arguments[0].isdigit():
            self._table(call.thread).pop(int(call.arguments[0]), None)

    def descriptor(self, thread, text):
        told = STRACE_FD.match(text)
        if told:
            return _of_strace(told[2])
        if not text.isdigit():
            return text if text.startswith("AT_") else ""
        return self._table(thread).get(int(text), f"fd {text}")

    def call(self, call):
        """Name and arguments."""
        shape = SHOWN.get(call.name)
        if shape is None:
            shape = "f" if call.arguments and STRACE_FD.match(call.arguments[0]) else ""
        shown = []
        for letter, text in zip(shape, call.arguments):
            if letter == "f":
                shown.append(self.descriptor(call.thread, text))
            elif letter == "n":
                shown.append(text)
            elif letter == "s" and text.startswith('"'):
                shown.append(text if len(text) <= TEXT_MAX else text[:TEXT_MAX - 1].rstrip('"') + '…"')
            elif letter == "o":
                shown.append(_operation(call, text, len(shown)))
        return f"{call.name}({', '.join(word for word in shown if word)})"

    @staticmethod
    def result(call):
        """With what strace says of a new descriptor, and of events, left out."""
        return call.result.split("<")[0]


def _of_strace(text):
    if text.startswith(("TCP", "UNIX")):
        return "connection" if "->" in text else "listener"
    if text.startswith("anon_inode:"):
        return text[11:].strip("[]").replace("eventpoll", "epoll")
    if text.startswith("pipe"):
        return "pipe"
    return text.rpartition("/")[2] or "/"


def _operation(call, text, place):
    if call.name == "io_uring_enter":
        return ("wait " if place else "submit ") + text
    if not text.isdigit():  # strace has the names
        return text.split("|")[0].removeprefix("FUTEX_").removeprefix("EPOLL_CTL_").removesuffix(
            "_PRIVATE").removesuffix("_BITSET")
    number = int(text)
    if call.name == "futex":
        return FUTEX.get(number & 127, text)
    return EPOLL.get(number, text)


def positive(call):
    """The bytes that a call has moved, or 0."""
    word = call.result.split()[0] if call.result else "0"
    return int(word) if word.isdigit() else 0
