"""What a proxy does in front of a connection: PROXY headers of both versions, and sockets that
begin with one."""

import ipaddress
import socket
import struct

from wire.client import TIMEOUT_S, Connection
from wire.tls import TlsSocket

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21


def v1(source, destination="198.51.100.1", source_port=56324, port=443):
    """A line of version 1."""
    family = 6 if ":" in source else 4
    if family == 6 and ":" not in destination:
        destination = "2001:db8::ffff"
    return f"PROXY TCP{family} {source} {destination} {source_port} {port}\r\n".encode()


def v2_raw(command, family, rest=b""):
    """A header of version 2 of any octets."""
    return SIGNATURE + bytes([command, family]) + struct.pack(">H", len(rest)) + rest


def v2(source, tlvs=b"", source_port=56324, transport=1):
    """A header of version 2 that names a client: an address, or "unix:"."""
    if source == "unix:":
        return v2_raw(PROXY, 0x30 | transport, b"/run/client".ljust(108, b"\0") * 2 + tlvs)
    address = ipaddress.ip_address(source)
    family = 0x10 if address.version == 4 else 0x20
    ports = struct.pack(">HH", source_port, 443)
    return v2_raw(PROXY, family | transport, address.packed * 2 + ports + tlvs)


def tlv(kind, value):
    return bytes([kind]) + struct.pack(">H", len(value)) + value


class Prefixed:
    """A socket that sends some octets in front of what is sent first, in one segment."""

    def __init__(self, sock, prefix):
        self._sock = sock
        self._prefix = prefix

    def sendall(self, data):
        data, self._prefix = self._prefix + bytes(data), b""
        self._sock.sendall(data)

    def send(self, data):
        self.sendall(data)
        return len(data)

    def __getattr__(self, name):
        return getattr(self._sock, name)


def dial(server, listener=0, source=None):
    """A connected socket, from an address of this machine if one is given."""
    address = server.addresses[listener]
    if isinstance(address, str):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(TIMEOUT_S)
        sock.connect(address)
        return sock
    return socket.create_connection(address, TIMEOUT_S, (source, 0) if source else None)


def connect(server, header, listener=0, source=None, pieces=None):
    """A connection that begins with a header, and then speaks what the server does: TLS, or not.
    The header is sent together with what comes first, or, with `pieces`, before it, in pieces of
    so many octets."""
    sock = dial(server, listener, source)
    if isinstance(sock.getsockname(), tuple):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for start in range(0, len(header) if pieces else 0, pieces or 1):
        sock.sendall(header[start:start + pieces])
    raw = sock if pieces else Prefixed(sock, header)
    if server.context is None:
        return Connection(raw)
    connection = Connection(TlsSocket(raw, server.context))
    try:
        connection.sock.handshake()
    except BaseException:
        sock.close()
        raise
    return connection
