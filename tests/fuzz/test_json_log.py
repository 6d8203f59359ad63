#!/usr/bin/python3
"""Lines of the JSON access log that hold arbitrary octets, read by Python's JSON parser: each is one
line of printable ASCII, and tells the characters that came, with "\\xHH" for each octet that is not
UTF-8. Python's own decoder says which octets these are.

    test_json_log.py PATH/log_records [--lines 1000000] [--seed 1]"""

import argparse
import codecs
import json
import os
import random
import struct
import subprocess
import tempfile

BATCH = 25_000
CUT_AT = 8192
PRINTABLE = bytes(range(0x20, 0x7f)) + b"\n"
CHARACTERS = [chr(number).encode() for number in (
    0x00, 0x09, 0x0a, 0x1b, 0x22, 0x5c, 0x7f, 0x80, 0x85, 0x9b, 0xe9, 0x7ff, 0x800, 0x2028, 0x202e, 0x20ac,
    0xd7ff, 0xe000, 0xfeff, 0xfffd, 0xffff, 0x10000, 0x1d11e, 0x1f600, 0x10ffff)]
BROKEN = [b"\xc0\xaf", b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf0\x9d\x84",
          b"\xe2\x82", b"\xc3", b"\x80", b"\xff", b"\xf8\x88\x80\x80\x80"]
codecs.register_error("log", lambda error: (
    "".join(f"\\x{octet:02X}" for octet in error.object[error.start:error.end]), error.end))


def span(dice):
    """Octets of all kinds, few or many; at times so many that they are cut."""
    kind = dice.random()
    if kind < 0.2:
        return dice.randbytes(dice.randrange(60))
    if kind < 0.21:
        return (dice.choice(CHARACTERS) * 9000)[dice.randrange(4):9000]
    pieces = [b"plain text of some length", *dice.choices(CHARACTERS, k=4), *dice.choices(BROKEN, k=2),
              b"x" * dice.randrange(20), dice.randbytes(2)]
    dice.shuffle(pieces)
    return b"".join(pieces[:dice.randrange(len(pieces) + 1)])


def expected(octets):
    """What a JSON parser has to read. Long ones are of characters only: none of them is torn."""
    if len(octets) <= CUT_AT:
        return octets.decode("utf-8", "log")
    return codecs.getincrementaldecoder("utf-8")("log").decode(octets[:CUT_AT])


def batch(writer, folder, dice, count):
    records = [[span(dice) for _ in range(4)] for _ in range(count)]
    path = os.path.join(folder, "access.log")
    data = b"".join(struct.pack("<H", len(octets)) + octets for record in records for octets in record)
    subprocess.run([writer, path], input=data, check=True, timeout=300)
    with open(path, "rb") as file:
        text = file.read()
    os.remove(path)
    strange = text.translate(None, PRINTABLE)
    assert not strange, f"octets that are not printable ASCII: {strange[:100]!r}"
    lines = text.splitlines()
    assert len(lines) == count, f"{len(lines)} lines of {count} records"
    for line, record in zip(lines, records):
        entry = json.loads(line)
        read = [entry[key] for key in ("host", "request", "referer", "user_agent")]
        assert read == [expected(octets) for octets in record], (line, record)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("writer")
    parser.add_argument("--lines", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    dice = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="gearshift-json-") as folder:
        for first in range(0, options.lines, BATCH):
            batch(options.writer, folder, dice, min(BATCH, options.lines - first))
    print(f"{options.lines} lines, seed {options.seed}: ok\n1 passed, 0 failed")


if __name__ == "__main__":
    main()
