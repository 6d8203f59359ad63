"""drain.py PORT TARGET CONNECTIONS: asks for a large file again and again on kept connections,
until SIGUSR1, counting from SIGUSR2 on. Bodies are dropped in the kernel (MSG_TRUNC, tcp(7)), so
that the client costs little and the server is what is measured. Prints its figures as wrk's script
does."""

import json
import re
import selectors
import signal
import socket
import sys
import time

PIECE = 4 << 20


class Download:
    """A connection, and what is left of the body on it."""

    def __init__(self, port, request):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.request, self.received, self.done = request, 0, []
        self._ask()

    def _ask(self):
        self.head, self.left, self.began = b"", None, time.monotonic()
        self.socket.send(self.request)

    def receive(self, buffer):
        """Takes what has come. Raises ConnectionError when the answer is none or ends early."""
        if self.left is None:
            data = self.socket.recv(4096)
            self.head += data
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                if not data or len(self.head) > 65536:
                    raise ConnectionError("no head")
                return
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", self.head[:end])
            if b" 200 " not in self.head[:16] or not length:
                raise ConnectionError(repr(self.head[:40]))
            self._count(len(self.head), len(self.head) - end - 4, int(length[1]))
        else:
            count = self.socket.recv_into(buffer, min(self.left, PIECE), socket.MSG_TRUNC)
            if count == 0:
                raise ConnectionError("the body ended early")
            self._count(count, count, self.left)
        if self.left == 0:
            self.done.append(time.monotonic() - self.began)
            self._ask()

    def _count(self, received, of_body, left):
        self.received += received
        self.left = left - of_body


def percentile(values, p):
    return values[min(len(values) - 1, int(len(values) * p / 100))]


def main(port, target, connections):
    stopped, warm = [], []
    request = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode("ascii")
    buffer, failed, began = bytearray(PIECE), 0, time.monotonic()
    with selectors.DefaultSelector() as ready:
        downloads = [Download(port, request) for _ in range(connections)]
        for download in downloads:
            ready.register(download.socket, selectors.EVENT_READ, download)
        signal.signal(signal.SIGUSR2, lambda *_: warm.append(True))
        signal.signal(signal.SIGUSR1, lambda *_: stopped.append(True))
        while not stopped and ready.get_map():
            if warm:
                warm.clear()
                began = time.monotonic()
                for download in downloads:
                    download.received, download.done = 0, []
            for key, _ in ready.select(0.1):
                try:
                    key.data.receive(buffer)
                except BlockingIOError:
                    pass
                except OSError as error:
                    print(error, file=sys.stderr)
                    ready.unregister(key.fileobj)
                    failed += 1
    seconds = time.monotonic() - began
    times = sorted(second for download in downloads for second in download.done)
    curve = [[p, round(percentile(times, p) * 1e6)] for p in (0, 10, 25, 50, 75, 90, 95, 99)
             if times]
    print("@@" + json.dumps({
        "requests": len(times), "octets": sum(d.received for d in downloads), "us": seconds * 1e6,
        "curve": curve, "failed": {"read": failed}, "status_errors": 0}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
