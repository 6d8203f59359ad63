"""Conversations drawn from a seed: what a client sends, in which pieces, and how it ends. The same
seed gives the same conversation, so that one that shows a difference can be held again."""

import random

from wire import head

TARGETS = ("/small.txt", "/page.html", "/medium.bin", "/large.bin", "/empty.txt", "/folder/",
           "/folder", "/folder/file%20name.txt", "/none", "/../secret", "/%2e%2e/secret", "/a%zz",
           "/small.txt?query", "/.hidden", "*", "http://localhost/page.html", "//small.txt",
           "/[slug].js?x=a|b{c}", "/folder?caf\xe9\"<>", "/caf%E9%0A\xff")
METHODS = ("GET",) * 8 + ("HEAD",) * 3 + ("POST", "PUT", "OPTIONS", "TRACE", "get", "FOO")
RANGES = ("0-0", "-1", "5-", "0-99999999999", "2-1", "10-20,30-40", "0-10,-10,200-", "0-,0-,0-,0-",
          "x", "1000000-1400000", "9999999-", "50000-150000,3-4")
FIELDS = ("Accept: */*", "Accept-Encoding: gzip, br", "If-None-Match: *", 'If-None-Match: "x"',
          "If-Modified-Since: Tue, 02 Jan 2024 03:04:05 GMT", 'If-Match: "x"',
          "If-Unmodified-Since: Mon, 01 Jan 2024 00:00:00 GMT", "If-Range: \"x\"", "Connection: close",
          "Connection: keep-alive", "Expect: 100-continue", "Expect: wonders", "Upgrade: h2c",
          "X: " + "y" * 500, "Cookie: a=b; c=d")
BROKEN = (b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
          b"GET /small.txt HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
          b"GET /small.txt HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", b"GET /small.txt\r\n\r\n",
          b"GET /small.txt HTTP/1.1\nHost: x\n\n", b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n",
          head("GET", "/small.txt", "X: " + "y" * 70_000),
          head("POST", "/small.txt", "Content-Length: 3", "Transfer-Encoding: chunked"),
          head("POST", "/small.txt", "Transfer-Encoding: chunked") + b"zz\r\n")

ENDS = ("half-close",) * 4 + ("close field",) * 2 + ("reset", "leave")


def request(dice):
    """One request, right or wrong."""
    if dice.random() < 0.04:
        return dice.choice(BROKEN)
    fields = dice.sample(FIELDS, dice.choice((0, 0, 1, 1, 2, 3)))
    if dice.random() < 0.3:
        fields.append("Range: bytes=" + dice.choice(RANGES))
    body = b""
    if dice.random() < 0.15:
        body = bytes(dice.choices(b"abc\r\n", k=dice.choice((0, 1, 10, 3000))))
        if dice.random() < 0.5:
            fields.append(f"Content-Length: {len(body)}")
        else:
            fields.append("Transfer-Encoding: chunked")
            body = (b"%x\r\n%s\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
    version = "1.0" if dice.random() < 0.1 else "1.1"
    return head(dice.choice(METHODS), dice.choice(TARGETS), *fields, version=version) + body


def pieces(dice, data):
    """Cut here and there, with a pause in seconds before each."""
    count = dice.choice((1, 1, 1, 2, 3, 8, 20))
    places = sorted(dice.randrange(len(data) + 1) for _ in range(count - 1))
    return [(dice.choice((0, 0, 0.001, 0.01)), data[begin:end])
            for begin, end in zip([0, *places], [*places, len(data)]) if begin < end]


class Conversation:
    def __init__(self, seed):
        dice = random.Random(seed)
        self.seed = seed
        self.end = dice.choice(ENDS)
        data = b"".join(request(dice) for _ in range(dice.choice((1, 1, 2, 3, 6, 15))))
        if self.end == "close field":
            data += head("GET", "/small.txt", "Connection: close")
        elif self.end == "half-close" and dice.random() < 0.2:
            data = data[:dice.randrange(1, len(data) + 1)]  # in the midst of a request
        self.pieces = pieces(dice, data)
        self.receive_buffer = dice.choice((None, None, 4096))
        self.read_max = dice.choice((0, 1, 500, 70_000))  # before it resets or leaves
