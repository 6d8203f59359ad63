#!/usr/bin/env python3
"""The wire tests' own TLS client tells the ends of a stream apart, with whichever Python runs it: up to
3.11.2 the ssl module took a FIN for close_notify, and an end in the handshake for something else."""

import pathlib
import socket
import struct
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "wire"))
from wire.tls import TlsFault, TlsSocket, client_context  # noqa: E402  (found by the line above)

RESET = struct.pack("ii", 1, 0)
TIMEOUT_S = 30


class Peer:
    """A listener whose one connection is treated by act(connection)."""

    def __init__(self, act):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(TIMEOUT_S)
        self._act = act
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self):
        with self._listener, self._listener.accept()[0] as connection:
            connection.settimeout(TIMEOUT_S)
            self._act(connection)

    def handshake(self):
        with socket.create_connection(self._listener.getsockname(), timeout=TIMEOUT_S) as sock:
            try:
                TlsSocket(sock, client_context()).handshake()
            finally:
                self._thread.join(TIMEOUT_S)


def close_at_once(connection):
    pass


def close_behind_the_hello(connection):
    connection.recv(65536)


def close_within_a_record(connection):
    connection.recv(65536)
    connection.sendall(b"\x16\x03\x03\x00\x7a\x02")


def reset(connection):
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def speak_http(connection):
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


class Handshake(unittest.TestCase):
    def test_an_end_is_one_of_the_connection(self):
        for act in (close_at_once, close_behind_the_hello, close_within_a_record, reset):
            with self.subTest(act.__name__), self.assertRaises(ConnectionError):
                Peer(act).handshake()

    def test_other_octets_are_a_fault(self):
        with self.assertRaises(TlsFault):
            Peer(speak_http).handshake()


if __name__ == "__main__":
    unittest.main()
