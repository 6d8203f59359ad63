"""TLS under a Connection: a socket whose octets go through Python's ssl module in memory.

The test keeps control over the wire: what one send() is given leaves at once, in records of its
own. Nothing is sent or received behind the test's back but what the protocol asks for, and how a
stream ends is told apart: close_notify and FIN, FIN alone (Truncated), RST.
"""

import errno
import socket
import ssl
import threading

PLAIN_MAX = 16384  # octets of plaintext in one record (RFC 8446 section 5.1)
CHUNK = 1 << 16


class Truncated(ConnectionResetError):
    """The stream ended without close_notify: for TLS that is a cut, as a RST is for TCP."""


class TlsFault(AssertionError):
    """What came is not TLS, or it is an alert that is not close_notify."""


def client_context(ca_path=None, versions=None, alpn=None, ciphers=None, curve=None,
                   tickets=True):
    """What a client wants. Without `ca_path` any certificate will do. `versions` is a pair of
    ssl.TLSVersion; ciphers are OpenSSL's names of those of TLS 1.2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Python up to 3.11.2 (Debian 12's) sets this, and takes a FIN for close_notify then.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED if ca_path else ssl.CERT_NONE
    if ca_path:
        context.load_verify_locations(ca_path)
    if versions:
        context.minimum_version, context.maximum_version = versions
    if alpn:
        context.set_alpn_protocols(alpn)
    if ciphers:
        context.set_ciphers(ciphers)
    if curve:
        context.set_ecdh_curve(curve)
    if not tickets:
        context.options |= ssl.OP_NO_TICKET
    return context


def is_cut(error):
    """Does this error of the ssl module say that the stream has ended without close_notify? Python
    3.11.2 has no class of its own for that with OpenSSL 3."""
    return isinstance(error, ssl.SSLEOFError) or error.reason == "UNEXPECTED_EOF_WHILE_READING"


class Records:
    """Types and lengths of the records in a stream of ciphertext, as their headers tell them (RFC
    8446 section 5.1), in order."""

    def __init__(self):
        self.seen = []
        self._head = b""
        self._skip = 0

    def feed(self, data):
        at = 0
        while at < len(data):
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
            else:
                step = min(5 - len(self._head), len(data) - at)
                self._head += data[at:at + step]
                if len(self._head) == 5:
                    self._skip = int.from_bytes(self._head[3:], "big")
                    self.seen.append((self._head[0], self._skip))
                    self._head = b""
            at += step


class TlsSocket:
    """The methods of a socket that a Connection uses. One thread may send while another
    receives.

    raw          the connected TCP socket; owned
    server_name  the name that is asked for; None: none
    session      one to be resumed, the `tls.session` of an earlier one
    segment      octets handed to the kernel at a time; None: all that there are"""

    def __init__(self, raw, context, server_name=None, session=None, segment=None):
        self.raw = raw
        self.records = Records()
        self.established = False
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name,
                                    session=session)
        self._segment = segment
        self._queued = b""  # to be sent once the handshake is over
        self._plain = b""   # received, and not yet asked for
        self._end = None    # how the stream ended: b"" in order, or what is raised
        self._closing = False
        self._lock = threading.RLock()     # of the SSL object and its two BIOs
        self._sending = threading.RLock()  # records reach the wire in their order

    # What a socket has, too

    @property
    def family(self):
        return self.raw.family

    def fileno(self):
        return self.raw.fileno()

    def settimeout(self, seconds):
        self.raw.settimeout(seconds)

    def gettimeout(self):
        return self.raw.gettimeout()

    def setblocking(self, flag):
        self.raw.setblocking(flag)

    def setsockopt(self, *arguments):
        self.raw.setsockopt(*arguments)

    # Sending

    def write_raw(self, data):
        """Hands ciphertext to the kernel, a segment at a time."""
        step = self._segment or len(data)
        for at in range(0, len(data), step or 1):
            self.raw.sendall(data[at:at + step])

    def _flush(self):
        """Sends what the library has to say, unless somebody else is just sending."""
        if self._sending.acquire(blocking=False):
            try:
                with self._lock:
                    data = self._outgoing.read()
                if data:
                    self.write_raw(data)
            finally:
                self._sending.release()

    def sendall(self, data):
        """Each piece of at most PLAIN_MAX octets becomes a record. What is given before the
        handshake is over follows it."""
        with self._sending:
            if not self.established:
                self._queued += data
                self._shake()
                return
            for at in range(0, len(data), 4 * PLAIN_MAX):
                with self._lock:
                    for start in range(at, min(at + 4 * PLAIN_MAX, len(data)), PLAIN_MAX):
                        self.tls.write(data[start:min(start + PLAIN_MAX, at + 4 * PLAIN_MAX)])
                    records = self._outgoing.read()
                self.write_raw(records)

    def compose(self, *pieces):
        """The records, one a piece, that this plaintext becomes. They are the caller's to send, in
        their order."""
        with self._lock:
            for piece in pieces:
                self.tls.write(piece)
            return self._outgoing.read()

    # The handshake

    def _shake(self):
        """Goes on with the handshake as far as it is possible without receiving."""
        with self._lock:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as error:
                if is_cut(error):
                    raise Truncated(f"end of stream in the handshake: {error}") from None
                self._flush()
                raise TlsFault(f"no handshake: {error}") from error
            else:
                self.established = True
        self._flush()
        if self.established and self._queued:
            data, self._queued = self._queued, b""
            self.sendall(data)

    def handshake(self):
        """Completes the handshake."""
        self._shake()
        while not self.established:
            self._receive_raw()
            self._shake()

    # Receiving

    def _receive_raw(self, size=CHUNK):
        """Takes what has arrived, not much more than is asked for, so that a slow reader is one."""
        data = self.raw.recv(min(CHUNK, max(size, 2048)))
        self.records.feed(data)
        with self._lock:
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()

    def _decrypt(self, size):
        """Moves plaintext that has arrived to _plain, about `size` octets."""
        parts, have = [self._plain], len(self._plain)
        with self._lock:
            while have < size and self._end is None:
                try:
                    part = self.tls.read(size - have)
                    if not part:
                        self._end = b""
                except ssl.SSLWantReadError:
                    break
                except ssl.SSLZeroReturnError:
                    self._end, part = b"", b""
                except ssl.SSLError as error:
                    self._end, part = TlsFault(f"in place of octets: {error}"), b""
                    if is_cut(error):
                        self._end = Truncated("end of stream without close_notify")
                parts.append(part)
                have += len(part)
        self._plain = b"".join(parts)
        self._flush()

    def recv(self, size, flags=0):
        """Plaintext, as soon as there is some; empty behind close_notify and FIN. A FIN alone
        raises Truncated, whatever else is not TLS TlsFault."""
        if not self.established:
            self.handshake()
        while True:
            if len(self._plain) < size:
                self._decrypt(size)
            if self._plain:
                data = self._plain[:size]
                if not flags & socket.MSG_PEEK:
                    self._plain = self._plain[size:]
                return data
            if self._end is None:
                self._receive_raw(size)
            elif self._end == b"":
                after = b"" if flags & socket.MSG_PEEK else self.raw.recv(1)
                if after:
                    self._end = TlsFault("more octets behind close_notify")
                    continue
                return b""
            else:
                raise self._end

    # The end

    def _notify(self):
        """Lets the library compose close_notify."""
        with self._lock:
            if not self._closing:
                self._closing = True
                try:
                    self.tls.unwrap()
                except ssl.SSLError:
                    pass  # it wants the peer's close_notify, which a later recv() will see

    def shutdown(self, how):
        """socket.SHUT_WR: close_notify, then a FIN."""
        assert how == socket.SHUT_WR
        if not self.established:
            self.handshake()
        self._decrypt(1 << 30)
        self._notify()
        with self._sending:
            self._flush()
        try:
            self.raw.shutdown(how)
        except OSError as error:
            if error.errno != errno.ENOTCONN:  # the server has cut it meanwhile: recv() will tell
                raise

    def notify(self):
        """close_notify alone; the TCP connection stays open in both directions."""
        self._decrypt(1 << 30)
        self._notify()
        self._flush()

    def close(self):
        """close_notify, as far as it can be sent at once, then the end."""
        if self.raw.fileno() < 0:
            return
        try:
            self.raw.setblocking(False)
            if self.established:
                # A session ticket that nobody has read would make the kernel send a RST.
                self.raw.recv(CHUNK)
        except OSError:
            pass
        try:
            if self.established:
                self._notify()
                self._flush()
        except OSError:
            pass
        self.raw.close()
