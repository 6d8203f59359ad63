#!/usr/bin/python3
"""Handshakes that go wrong, and those that only look odd: late, in pieces, mutated, cut, abandoned,
or no TLS at all. Whatever comes, the others are served and nothing is kept."""

import random
import time

from wire import each, eventually, head, hello, patience, rounds, run, test
from wire.client import TIMEOUT_S
from wire.tls import TlsFault, TlsSocket, Truncated, client_context

HANDSHAKE_S = 1.0
SLACK_S = 1.0
AT_ONCE = rounds(300)
RESETS_S = 30
HELLO = hello.record(hello.HANDSHAKE, hello.client_hello(name="localhost", alpn=("http/1.1",)))
HELLO_1_2 = hello.record(hello.HANDSHAKE, hello.client_hello(versions=(), name="localhost"))
# What an answer to octets that were to be a ClientHello may begin with: an alert, a ServerHello,
# or, where the first octet has become a letter, a page.
BEGINNINGS = (b"\x15\x03", b"\x16\x03", b"HTTP/1.1 400 ")


def setup(world):
    world.root.write("a.txt", "a")
    return world.serve(settings={"tls_handshake_timeout": f"{HANDSHAKE_S:g}s"})


def is_well(server):
    return server.get("/a.txt").body == b"a"


# Time

@each([
    ("nothing", [b""]), ("one octet", [HELLO[:1]]), ("half a hello", [HELLO[:60]]),
    ("a hello", [HELLO]), ("a hello of 1.2", [HELLO_1_2]),
    ("a record header", [b"\x16\x03\x01\x40\x00"]),
    ("octet by octet", [HELLO[at:at + 1] for at in range(len(HELLO))]),
])
def a_handshake_has_one_deadline(server, _, pieces):
    """From the accept to its end, however often an octet comes. No page is sent."""
    with server.connect_raw() as connection:
        started = time.monotonic()
        try:
            for piece in pieces:
                connection.send(piece)
                if len(pieces) > 1:
                    time.sleep(0.004)
        except ConnectionError:
            pass  # its time is over
        data = connection.read_to_end(HANDSHAKE_S + SLACK_S + 1)
        took = time.monotonic() - started
        assert HANDSHAKE_S - 0.15 <= took <= HANDSHAKE_S + patience(SLACK_S), took
        assert b"HTTP/" not in data


@test
def behind_the_handshake_the_other_deadlines_hold(server):
    with server.connect() as connection:
        connection.expect_silence(HANDSHAKE_S + 0.5)
        assert connection.get("/a.txt").body == b"a"
        connection.expect_silence(HANDSHAKE_S + 0.5)
        assert connection.get("/a.txt").body == b"a"


# Pieces

@test
def a_handshake_octet_by_octet(server):
    """Each in a segment of its own, and the request as well."""
    own = server.world.serve()
    for _ in range(3):
        with own.connect(segment=1) as connection:
            assert connection.get("/a.txt").body == b"a"


class Splitting(TlsSocket):
    """Its ClientHello goes out in records of `split` octets (RFC 8446 section 5.1 allows it)."""

    split = 0

    def write_raw(self, data):
        if self.split and data[0] == hello.HANDSHAKE:
            message, data = data[5:], b""
            for at in range(0, len(message), self.split):
                data += hello.record(hello.HANDSHAKE, message[at:at + self.split])
            self.split = 0
        super().write_raw(data)


@each([1, 3, 4, 64, 200])
def a_hello_in_several_records(server, split):
    """mbed TLS may refuse it (it cannot put them together)."""
    connection = server.connect_raw()
    connection.sock = Splitting(connection.raw, client_context())
    connection.sock.split = split
    with connection:
        try:
            connection.sock.handshake()
        except (TlsFault, Truncated):
            assert server.world.tls == "mbedtls", "refused"
        else:
            assert connection.get("/a.txt").body == b"a"
    assert is_well(server)


@test
def a_request_right_behind_the_handshake(server):
    """In the same segment as the client's last message."""
    for _ in range(20):
        with server.connect(wait=False) as connection:
            assert connection.get("/a.txt").body == b"a"


# No TLS

@each([
    ("a request", head("GET", "/a.txt")), ("HEAD", head("HEAD", "/a.txt")),
    ("pipelined", head("GET", "/a.txt") * 50),
    ("with a body", head("POST", "/a.txt", "Content-Length: 5") + b"12345"),
    ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
])
def plain_http_gets_a_page_and_the_end(server, _, octets):
    with server.connect_raw() as connection:
        connection.send(octets)
        answer = connection.read_response(octets[:4].decode().strip())
        assert answer.status == (505 if octets.startswith(b"PRI ") else 400) and answer.closes
        assert answer["Content-Type"].startswith("text/html")
        connection.expect_end()
    assert is_well(server)


@each([b"G", b"GET /a.t", b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n"])
def half_of_a_plain_request_ends_soon(server, octets):
    own = server.world.serve(settings={"header_timeout": "1s", "tls_handshake_timeout": "1s"})
    with own.connect_raw() as connection:
        connection.send(octets)
        answer = connection.read_response()
        assert answer.status in (400, 408) and answer.closes
        connection.expect_end()


@test
def plain_http_octet_by_octet_gets_it_too(server):
    with server.connect_raw() as connection:
        connection.drip(head("GET", "/a.txt"), 0.001)
        answer = connection.read_response()
        assert answer.status == 400 and answer.closes


@each([("an SSL 2 hello", b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(40)),
       ("zeros", bytes(2000)), ("ones", b"\xff" * 2000), ("SSH", b"SSH-2.0-OpenSSH_9.2\r\n"),
       ("a record too long", b"\x16\x03\x01\xff\xff" + bytes(70000)),
       ("an empty record", b"\x16\x03\x01\x00\x00"),
       ("application data first", b"\x17\x03\x03\x00\x05hello"),
       ("an alert first", b"\x15\x03\x01\x00\x02\x02\x28"),
       ("a change of ciphers", b"\x14\x03\x03\x00\x01\x01" * 40),
       ("a ServerHello", hello.record(hello.HANDSHAKE, b"\x02" + HELLO[6:])),
       ("a second hello", HELLO_1_2 * 2),
       ("an empty hello", hello.record(hello.HANDSHAKE, b"\x01\0\0\0")),
       ("a hello without end",
        hello.record(hello.HANDSHAKE, b"\x01\xff\xff\xff" + bytes(9000)) * 4)])
def what_is_neither_is_dropped(server, _, octets):
    """By an alert, a page or nothing, but soon; and never does anything of it come back."""
    with server.connect_raw() as connection:
        try:
            connection.send(octets)
            connection.half_close()
        except OSError:
            pass  # dropped already
        data = connection.read_to_end(TIMEOUT_S)
        assert data == b"" or data.startswith(BEGINNINGS), data[:100]
    assert is_well(server)


# Mutations

def all_end(server, inputs):
    """Each on a connection of its own, fifty at a time: all are closed, with no more than their
    due."""
    for at in range(0, len(inputs), 50):
        connections = [server.connect_raw() for _ in inputs[at:at + 50]]
        for connection, octets in zip(connections, inputs[at:at + 50]):
            try:
                connection.send(octets)
                connection.half_close()
            except OSError:
                pass  # dropped already
        for connection, octets in zip(connections, inputs[at:at + 50]):
            data = connection.read_to_end(TIMEOUT_S)
            assert data == b"" or data.startswith(BEGINNINGS), (octets, data[:100])
            connection.close()
    assert is_well(server)


@each([("1.3", HELLO), ("1.2", HELLO_1_2)])
def a_cut_hello_is_dropped(server, _, octets):
    """At every octet of its headers, and at every third behind them."""
    all_end(server, [octets[:cut] for cut in range(len(octets)) if cut < 50 or cut % 3 == 0])


@each([("1.3", HELLO), ("1.2", HELLO_1_2)])
def a_hello_whose_lengths_are_cut_with_it(server, _, octets):
    """The record and the message are as long as they say; what is inside is not."""
    message = octets[9:]
    cut = [b"\1" + size.to_bytes(3, "big") + message[:size] for size in range(0, len(message), 3)]
    all_end(server, [hello.record(hello.HANDSHAKE, octets) for octets in cut])


@each([("1.3", HELLO, 1), ("1.3 again", HELLO, 2), ("1.2", HELLO_1_2, 3)])
def mutated_hellos_do_no_harm(server, _, octets, seed):
    """A few through each engine; tests/fuzz/fuzz_tls_*.c gives each library as many as it has time for."""
    rng = random.Random(seed)
    inputs = []
    for _ in range(rounds(150)):
        mutated = bytearray(octets)
        for _ in range(rng.choice((1, 1, 2, 4, 16))):
            kind, at = rng.randrange(4), rng.randrange(len(mutated))
            if kind == 0:
                mutated[at] = rng.randrange(256)
            elif kind == 1:
                mutated[at] ^= 1 << rng.randrange(8)
            elif kind == 2:
                del mutated[at:at + rng.randrange(1, 5)]
            else:
                mutated[at:at] = rng.randbytes(rng.randrange(1, 5))
        inputs.append(bytes(mutated))
    all_end(server, inputs)


@test
def mutated_second_flights_do_no_harm(server):
    """What comes behind the ServerHello."""
    rng = random.Random(4)
    for number in range(rounds(100)):
        with server.connect_raw() as connection:
            connection.send((HELLO, HELLO_1_2)[number % 2])
            assert hello.read_record(connection)[0] == hello.HANDSHAKE
            kind = rng.choice((20, 21, 22, 23, 24, 0, 255))
            connection.send(hello.record(kind, rng.randbytes(rng.randrange(0, 600)), 0x0303))
            connection.half_close()
            connection.read_to_end(TIMEOUT_S)
    assert is_well(server)


# Resets

def finish_server_flight(connection):
    connection.send(HELLO)
    connection.receive()


STAGES = {
    "before a word": lambda connection: None,
    "in the hello": lambda connection: connection.send(HELLO[:100]),
    "behind the hello": lambda connection: connection.send(HELLO_1_2),
    "behind the server's answer": finish_server_flight,
    "behind garbage": lambda connection: connection.send(b"\x16\x03\x01\x00\x05hello"),
    "behind plain HTTP": lambda connection: connection.send(head("GET", "/a.txt")),
}


@each(list(STAGES))
def resets_in_mid_handshake(server, stage):
    """Hundreds at a time: nothing stays behind."""
    # Handshakes may take as long as the machine takes.
    server = server.world.serve(settings={"tls_handshake_timeout": "10m"})
    assert is_well(server)

    def reset():
        for _ in range(2):
            connections = [server.connect_raw() for _ in range(AT_ONCE)]
            for connection in connections:
                STAGES[stage](connection)
            for connection in connections:
                connection.reset()

    # It may have a ServerHello to sign for each before it sees that nobody waits for it.
    server.expect_all_back(reset, RESETS_S)
    assert is_well(server)


@test
def a_client_that_mistrusts_the_certificate(server):
    """Its alert ends the handshake; nobody else notices."""
    for _ in range(20):
        try:
            server.connect(context=client_context(server.world.pki + "/wildcard.pem"))
        except TlsFault as fault:
            assert "CERTIFICATE_VERIFY_FAILED" in str(fault)
        else:
            raise AssertionError("trusted")
    assert is_well(server)


if __name__ == "__main__":
    run(setup, tls=True)
