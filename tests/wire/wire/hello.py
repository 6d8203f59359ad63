"""ClientHellos made by hand: the same octets each time, and what no library would say."""

import struct

ALERT, HANDSHAKE = 21, 22
FATAL = 2
# Alert descriptions, RFC 8446 section 6 and RFC 7301 section 3.2.
UNEXPECTED_MESSAGE, HANDSHAKE_FAILURE, PROTOCOL_VERSION = 10, 40, 70
NO_APPLICATION_PROTOCOL = 120

TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 = 0x0301, 0x0302, 0x0303, 0x0304
CIPHERS_1_3 = (0x1301, 0x1302, 0x1303)
CIPHERS_1_2 = (0xc02b, 0xc02f, 0xc02c, 0xc030)  # ECDHE with AES-GCM, ECDSA and RSA
CIPHERS_OLD = (0x002f, 0x0035, 0x000a, 0x009c, 0x009e, 0xc013, 0xc009)  # no AEAD, or no ECDHE
X25519, SECP256R1 = 0x001d, 0x0017


def record(kind, data, version=TLS_1_0):
    """A record in the clear."""
    return struct.pack(">BHH", kind, version, len(data)) + data


def _vector(data, width):
    return len(data).to_bytes(width, "big") + data


def _numbers(values):
    return b"".join(struct.pack(">H", value) for value in values)


def extension(number, data):
    return struct.pack(">H", number) + _vector(data, 2)


def server_name(name):
    """RFC 6066 section 3."""
    return extension(0, _vector(b"\0" + _vector(name.encode("latin-1"), 2), 2))


def client_hello(version=TLS_1_2, versions=(TLS_1_3, TLS_1_2), ciphers=CIPHERS_1_3 + CIPHERS_1_2,
                 curves=(X25519, SECP256R1), alpn=(), name=None, more=b"", compressions=b"\0"):
    """The handshake message. `versions` is the extension supported_versions, empty for none; `more`
    are whole extensions."""
    extensions = b""
    if name is not None:
        extensions += server_name(name)
    extensions += extension(10, _vector(_numbers(curves), 2))
    extensions += extension(11, b"\1\0")
    extensions += extension(13, _vector(_numbers((0x0403, 0x0804, 0x0401, 0x0503, 0x0501)), 2))
    if alpn:
        names = b"".join(_vector(protocol.encode(), 1) for protocol in alpn)
        extensions += extension(16, _vector(names, 2))
    if versions:
        extensions += extension(43, _vector(_numbers(versions), 1))
        extensions += extension(45, b"\1\1")
        share = struct.pack(">H", X25519) + _vector(b"\x09" + bytes(31), 2)
        extensions += extension(51, _vector(share, 2))
    body = (struct.pack(">H", version) + bytes(range(32)) + _vector(bytes(32), 1)
            + _vector(_numbers(ciphers), 2) + _vector(compressions, 1)
            + _vector(extensions + more, 2))
    return b"\1" + _vector(body, 3)


def read_record(connection):
    """The next record on a connection without TLS: its type and its octets."""
    kind, _, length = struct.unpack(">BHH", connection.read_octets(5))
    return kind, connection.read_octets(length)


def outcome(server, hello):
    """What a ClientHello on a connection of its own is answered with: ("alert", level, description)
    or ("hello", version, cipher)."""
    with server.connect_raw() as connection:
        connection.send(record(HANDSHAKE, hello))
        kind, data = read_record(connection)
        if kind == ALERT:
            assert connection.read_to_end(5) == b"", "more behind a fatal alert"
            return "alert", data[0], data[1]
        assert kind == HANDSHAKE and data[0] == 2, (kind, data[:40])
        at = 4 + 2 + 32
        at += 1 + data[at]
        cipher = int.from_bytes(data[at:at + 2], "big")
        version = int.from_bytes(data[4:6], "big")
        extensions = data[at + 5:]
        while extensions:
            number, length = struct.unpack(">HH", extensions[:4])
            if number == 43:
                version = int.from_bytes(extensions[4:6], "big")
            extensions = extensions[4 + length:]
        return "hello", version, cipher
