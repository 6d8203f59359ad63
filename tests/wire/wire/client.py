"""A raw HTTP client: what is sent, in which pieces, and when, is up to the test."""

import contextlib
import os
import socket
import struct
import threading
import time

from wire.request import head, octets
from wire.response import BadResponse, Response

# For anything that should come at once; generous, for a machine that has much else to do, since only a
# failure takes it. Emulation needs more.
TIMEOUT_S = float(os.environ.get("WIRE_TIMEOUT_S", "30"))
TRANSCRIPT_MAX = 40  # entries kept of a test's conversation
_local = threading.local()


class Closed(AssertionError):
    """The server closed (or reset) the connection where more was due."""


def transcript():
    """What this thread's connections have sent ('>') and received ('<') in the present test."""
    if not hasattr(_local, "entries"):
        _local.entries = []
    return _local.entries


def _note(direction, data):
    entries = transcript()
    entries.append((direction, bytes(data[:2000]), len(data)))
    del entries[:-TRANSCRIPT_MAX]


class Connection:
    """One connection to the server. A context manager: leaving it closes."""

    def __init__(self, sock):
        self.sock = sock  # a socket, or a TlsSocket with one beneath
        self.raw = getattr(sock, "raw", sock)
        self.sock.settimeout(TIMEOUT_S)
        self.pending = b""  # received and not consumed yet
        self.received = 0   # octets received so far
        if sock.family != socket.AF_UNIX:
            self.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Sending

    def send(self, data):
        """Sends these octets; one segment if they are few, and one record."""
        data = octets(data)
        _note(">", data)
        self.sock.sendall(data)

    def ask(self, method, target, *fields, **options):
        """Sends a request without a body and reads its answer."""
        self.send(head(method, target, *fields, **options))
        return self.read_response(method)

    def get(self, target, *fields, **options):
        return self.ask("GET", target, *fields, **options)

    def drip(self, data, pause_s):
        """Sends octet by octet with a pause between them; ends early when the server closes."""
        with contextlib.suppress(ConnectionError):
            for octet in octets(data):
                self.send(bytes([octet]))
                time.sleep(pause_s)

    def half_close(self):
        """Says that nothing more will be sent; with TLS, by a close_notify and a FIN."""
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        """Closes with a RST."""
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.raw.close()

    def close(self):
        self.sock.close()

    # Receiving

    def receive(self, size=65536):
        """One receive; empty at end of stream. A reset counts as end of stream only for
        read_to_end()."""
        data = self.sock.recv(size)
        self.received += len(data)
        _note("<", data)
        return data

    def fill(self, what):
        """Receives more; `what` is what is missed, for the complaint when nothing comes."""
        try:
            data = self.receive()
        except TimeoutError:
            raise BadResponse(f"no {what} within {self.sock.gettimeout()} s; "
                              f"so far {self.pending[:200]!r}") from None
        except ConnectionError as error:
            raise Closed(f"{error} in place of {what}") from None
        if not data:
            raise Closed(f"end of stream in place of {what}; so far {self.pending[:200]!r}")
        self.pending += data

    def read_response(self, method="GET"):
        """Reads one response, strictly; a 1xx counts as one."""
        while b"\r\n\r\n" not in self.pending:
            if len(self.pending) > 1 << 20:
                raise BadResponse(f"a head without end: {self.pending[:200]!r}")
            self.fill("a response head")
        end = self.pending.index(b"\r\n\r\n") + 4
        answer = Response(self.pending[:end])
        self.pending = self.pending[end:]
        answer.body = self.read_octets(answer.body_length(method))
        return answer

    def read_octets(self, count):
        """Exactly so many octets."""
        parts, have = [self.pending], len(self.pending)
        while have < count:
            self.pending = b""
            self.fill(f"octets {have} to {count} of a body")
            parts.append(self.pending)
            have += len(self.pending)
        data = b"".join(parts)
        self.pending = data[count:]
        return data[:count]

    def read_head(self):
        """Reads only the head of a response; its body stays to be read."""
        while b"\r\n\r\n" not in self.pending:
            self.fill("a response head")
        end = self.pending.index(b"\r\n\r\n") + 4
        answer = Response(self.pending[:end])
        self.pending = self.pending[end:]
        return answer

    def read_to_end(self, timeout_s=None):
        """Everything up to the end of the stream, be it a FIN or a RST."""
        parts = [self.pending]
        self.pending = b""
        if timeout_s is not None:
            self.sock.settimeout(timeout_s)
        with contextlib.suppress(ConnectionError):
            while data := self.receive(1 << 18):
                parts.append(data)
        return b"".join(parts)

    def expect_end(self, timeout_s=None):
        """The server closes now, in order (a FIN, no RST; with TLS close_notify before it), having
        sent nothing more."""
        if timeout_s is not None:
            self.sock.settimeout(timeout_s)
        assert not self.pending, f"more after the last answer: {self.pending[:200]!r}"
        try:
            data = self.receive()
        except TimeoutError:
            raise BadResponse(f"not closed within {self.sock.gettimeout()} s") from None
        assert not data, f"more after the last answer: {data[:200]!r}"

    def expect_silence(self, seconds):
        """Nothing comes, and the connection stays open."""
        assert not self.pending, f"unexpected: {self.pending[:200]!r}"
        self.sock.settimeout(seconds)
        try:
            data = self.receive()
        except TimeoutError:
            return
        finally:
            self.sock.settimeout(TIMEOUT_S)
        raise AssertionError(f"unexpected: {data[:200]!r}" if data else "closed too early")

    def is_open(self):
        """Neither closed nor reset by the server, as far as one can see now."""
        self.sock.setblocking(False)
        try:
            return bool(self.sock.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        finally:
            self.sock.settimeout(TIMEOUT_S)
