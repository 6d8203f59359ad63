"""Stands between a proxy and the server, passes every octet on, and counts the connections: those
too that end with a RST, of which the kernel keeps no trace."""

import contextlib
import socket
import threading


class Relay:
    """Has addresses and a TLS context, or none, as a server has. Its threads end with the connections, and with the test."""

    def __init__(self, server):
        self.server = server
        self.context = server.context
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addresses = [self.listener.getsockname()]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self):
        return self.addresses[0][1]

    def _accept(self):
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                client, _ = self.listener.accept()
                self.connections += 1
                server = socket.create_connection(self.server.addresses[0])
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=_pass_on, args=pair, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def _pass_on(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
