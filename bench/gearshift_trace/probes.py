"""The probes of a binary (USDT, core/probe.h): where they are, as its notes tell, and how the kernel's
tracer is asked to tell of them. Each is a trap while it is asked for: 1 to 2 µs.

The notes: https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation; the section and
program headers: elf(5); uprobe_events: https://docs.kernel.org/trace/uprobetracer.html.
"""

import os
import struct

PROVIDER = "gearshift"
# Not those that come with each file job's path as text: what they tell is seen as calls.
WANTED = ("connection__open", "connection__close", "request__start", "request__done",
          "response__first", "response__done", "file__job__start", "file__job__done")
_SHT_NOTE, _PT_LOAD = 7, 1


def offsets(path):
    """Name -> offset in the file of the first place of each probe; empty where there are none."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:6] != b"\x7fELF\x02\x01":  # 64 bits, little-endian
        return {}
    found = {}
    for pc, name in _notes(data):
        offset = _file_offset(data, pc)
        if offset is not None:
            found.setdefault(name, offset)
    return {name: found[name] for name in WANTED if name in found}


def _headers(data, at, size, count, form):
    return [struct.unpack_from(form, data, at + i * size) for i in range(count)]


def _notes(data):
    """(address, name) of each."""
    start, size, count = struct.unpack_from("<Q", data, 40)[0], *struct.unpack_from("<HH", data, 58)
    for _, kind, _, _, offset, length, *_ in _headers(data, start, size, count, "<IIQQQQIIQQ"):
        end = offset + length
        while kind == _SHT_NOTE and offset + 12 <= end:
            name_size, text_size, note = struct.unpack_from("<III", data, offset)
            name = data[offset + 12:offset + 12 + name_size]
            offset += 12 + (name_size + 3 & ~3)
            text = data[offset:offset + text_size]
            offset += text_size + 3 & ~3
            if name == b"stapsdt\0" and note == 3:
                words = text[24:].split(b"\0")
                if words[0].decode() == PROVIDER:
                    yield struct.unpack_from("<Q", text)[0], words[1].decode()


def _file_offset(data, address):
    start, size, count = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
    for kind, _, offset, virtual, _, in_file, *_ in _headers(data, start, size, count, "<IIQQQQQQ"):
        if kind == _PT_LOAD and virtual <= address < virtual + in_file:
            return address - virtual + offset
    return None


class Probes:
    """Those of a binary, known to the tracer from add() to remove()."""

    def __init__(self, root, path):
        self.file, self.path = f"{root}/uprobe_events", os.path.realpath(path)
        self.group = f"gearshift_trace_{os.getpid()}"
        self.names = []

    def _write(self, line):
        fd = os.open(self.file, os.O_WRONLY | os.O_APPEND)  # open() would seek, which fails here
        try:
            os.write(fd, line.encode() + b"\n")
        finally:
            os.close(fd)

    def add(self):
        """Raises OSError where the kernel refuses."""
        for name, offset in offsets(self.path).items():
            self._write(f"p:{self.group}/{name} {self.path}:{offset:#x}")
            self.names.append(name)

    def remove(self):
        for name in self.names:
            try:
                self._write(f"-:{self.group}/{name}")
            except OSError:
                pass
        self.names = []

    def events(self):
        return [f"{self.group}/{name}" for name in self.names]
