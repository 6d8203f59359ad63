"""Chromium without a window: what a page has become, what it looks like, and what it asked for.
Nothing that the browser does on its own account leaves the machine."""

import base64
import hashlib
import json
import os
import shutil
import socket
import struct
import subprocess
import types
import zlib

from client.program import Program

BUDGET_MS = 3000  # of the page's own time, which runs as fast as its requests are answered
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-dev-shm-usage", "--hide-scrollbars")
PHONE = (390, 844)
DESKTOP = (1280, 900)


class Browser:
    """A Chromium; each call is a process with a profile of its own."""

    def __init__(self, world):
        self.program = Program(world, "chromium", package="chromium")
        self.folder = os.path.join(world.path, "browser")
        self.pictures = world.pictures
        self.trust = [f"--ignore-certificate-errors-spki-list={_spki(world)}"] if world.tls else []
        os.makedirs(self.folder, exist_ok=True)
        os.makedirs(self.pictures, exist_ok=True)
        # A port with nobody behind it is the proxy for all that is not on the loopback.
        self.nowhere = socket.socket()
        self.nowhere.bind(("127.0.0.1", 0))

    def proxy(self):
        return f"127.0.0.1:{self.nowhere.getsockname()[1]}"

    def _run(self, *arguments):
        profile = os.path.join(self.folder, "profile")
        shutil.rmtree(profile, ignore_errors=True)
        return self.program(
            *ARGUMENTS, f"--user-data-dir={profile}", f"--proxy-server={self.proxy()}",
            f"--virtual-time-budget={BUDGET_MS}", *self.trust, *arguments)

    def load(self, address, size=DESKTOP):
        """What a page has become once its scripts have run (`dom`), what it asked for, as
        (method, address) in order, and the lines that it wrote to the console."""
        log = os.path.join(self.folder, "net-log.json")
        ran = self._run(f"--log-net-log={log}", "--enable-logging=stderr",
                        f"--window-size={size[0]},{size[1]}", "--dump-dom", address)
        return types.SimpleNamespace(dom=ran.text, requests=_page_requests(log, address),
                                     console=[line for line in ran.err.split("\n")
                                              if ":CONSOLE" in line])

    def picture(self, address, name, size, dark=False):
        """Saves a screenshot; its path."""
        path = os.path.join(self.pictures, name + ".png")
        if os.path.exists(path):
            os.remove(path)
        self._run(f"--window-size={size[0]},{size[1]}", f"--screenshot={path}",
                  *(["--force-dark-mode"] if dark else []), address)
        return path


def _spki(world):
    """What tells the browser that it may trust this key, whoever has signed it: its digest."""
    key = subprocess.run(["openssl", "pkey", "-in", f"{world.pki}/localhost-ecdsa.key", "-pubout",
                          "-outform", "DER"], capture_output=True, check=True).stdout
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


def _page_requests(log, address):
    """The browser's own requests have no initiator; those of a page have its origin, and the first
    one is for the page itself."""
    with open(log, encoding="utf-8") as file:
        events = json.load(file)["events"]
    found = []
    for event in events:
        parameters = event.get("params", {})
        if "initiator" in parameters and "method" in parameters and (
                parameters["url"] == address or parameters["initiator"] != "not an origin"):
            found.append((parameters["method"], parameters["url"]))
    return found


def read_png(path):
    """Width, height, the brightness (0 to 255) of the first pixel, and the number of octets that
    the pixels take when compressed: next to none for an empty page."""
    with open(path, "rb") as file:
        data = file.read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "not a PNG"
    width, height = struct.unpack(">II", data[16:24])
    place, compressed = 8, b""
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place:place + 8])
        if kind == b"IDAT":
            compressed += data[place + 8:place + 8 + length]
        place += 12 + length
    # Whatever the filter of the first line is, it leaves the first pixel as it is.
    first = zlib.decompressobj().decompress(compressed, 4)[1:]
    return types.SimpleNamespace(width=width, height=height, brightness=sum(first) / len(first),
                                 weight=len(compressed))
