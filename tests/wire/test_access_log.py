#!/usr/bin/python3
"""The access log (HTTP.md "Answering"): combined by default, JSON on request; one line a request,
whatever octets the client sent."""

import datetime
import json
import os
import re
import signal
import time

from wire import each, eventually, head, run, test

QUOTED = r'"((?:[^"\\]|\\x[0-9A-F]{2})*)"'
COMBINED = re.compile(rf"(\S+) - - \[([^\]]+)\] {QUOTED} ([0-9]{{3}}) ([0-9]+|-) {QUOTED} {QUOTED}")
FLUSHED_S = 3.0


def setup(world):
    world.root.write("a.txt", "0123456789")
    world.root.pattern("large.bin", 300_000)
    world.root.folder("dir")
    world.numbers = iter(range(1000))
    return world


class Logged:
    """A server with an access log of its own. lines() stops it and reads the log."""

    def __init__(self, world, **settings):
        self.path = f"{world.logs.path}/access-{next(world.numbers)}.log"
        self.server = world.serve(settings={"access_log": self.path, **settings})

    def text(self):
        with open(self.path, "rb") as file:
            return file.read()

    def lines(self):
        self.server.stop()
        text = self.text()
        assert text == b"" or text.endswith(b"\n"), "half a line at the end"
        assert all(octet == 10 or 32 <= octet < 127
                   for octet in text), "an octet that is not printable ASCII"
        return text.decode().splitlines()

    def combined(self):
        """Peer, date, request line, status, octets, referer, user agent of each line."""
        found = []
        for line in self.lines():
            match = COMBINED.fullmatch(line)
            assert match, f"not combined: {line}"
            found.append(match.groups())
        return found


@test
def a_line_in_combined_form(world):
    log = Logged(world)
    log.server.get("/a.txt?x=y", "Referer: http://example.org/", "User-Agent: test/1.0 (x; y)")
    (peer, date, request, status, octets, referer, agent), = log.combined()
    assert (peer, request, status, octets) == ("127.0.0.1", "GET /a.txt?x=y HTTP/1.1", "200", "10")
    assert (referer, agent) == ("http://example.org/", "test/1.0 (x; y)")
    when = datetime.datetime.strptime(date, "%d/%b/%Y:%H:%M:%S %z")
    assert abs(when.timestamp() - time.time()) < 60


@test
def what_is_absent_is_a_dash(world):
    log = Logged(world)
    log.server.get("/a.txt")
    (*_, referer, agent), = log.combined()
    assert referer == "-" and agent == "-"


@test
def every_request_is_a_line_in_order(world):
    log = Logged(world)
    requests = [
        (head("GET", "/a.txt"), "GET", "200", "10"), (head("HEAD", "/a.txt"), "HEAD", "200", "0"),
        (head("GET", "/none"), "GET", "404", None),
        (head("GET", "/a.txt", "Range: bytes=2-4"), "GET", "206", "3"),
        (head("GET", "/a.txt", "Range: bytes=99-"), "GET", "416", None),
        (head("GET", "/a.txt", "If-None-Match: *"), "GET", "304", "0"),
        (head("GET", "/dir"), "GET", "301", None), (head("OPTIONS", "*"), "OPTIONS", "204", "0"),
        (head("POST", "/a.txt"), "POST", "405", None),
        (head("GET", "/large.bin"), "GET", "200", "300000"),
        (head("GET", "/a.txt", "Content-Length: 05"), "GET", "400", None),
    ]
    answers = log.server.exchange(b"".join(octets for octets, *_ in requests),
                                  [method for _, method, *_ in requests])
    lines = log.combined()
    assert len(lines) == len(requests)
    for line, answer, (octets, _, status, size) in zip(lines, answers, requests):
        assert line[2] == octets.split(b"\r\n")[0].decode()
        assert line[3] == status == str(answer.status)
        assert line[4] == (size or str(len(answer.body))) or (size == "0" and line[4] == "-")


@each([
    b"GET / HTTP/1.1\n", b"G\x00T / HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\xfc\x03\x03\r\n\r\n", b"GET /\"><script> HTTP/1.1\r\n\r\n",
    b"GET /\\x41\\ HTTP/1.1\r\n\r\n",
    b"GET /\x1b[31m HTTP/1.1\r\n\r\n", b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
    head("GET", "/" + "x" * 9000), head("GET", "/", version="2.0"),
    head("GET", "/a.txt", host=None),
    head("GET", "/a.txt", *["X: y"] * 200),
])
def a_refused_request_is_one_line(world, octets):
    log = Logged(world)
    status = log.server.status(octets)
    line, = log.combined()
    assert line[3] == str(status)


@test
def hostile_values_stay_in_their_line(world):
    log = Logged(world)
    values = ["\" 200 0 \"", "a\"b", "a\\b", "\\x0a", "\\", "\"", "\xff\xfe\x80", "a\tb", "%0a%0d",
              "' OR 1=1 --", "${jndi:ldap://x}", "\xc3\xa4", "<script>"]
    with log.server.connect() as connection:  # lines of one connection are in order
        for value in values:
            answer = connection.get("/a.txt", f"User-Agent: {value}", f"Referer: {value}")
            assert answer.status == 200
    lines = log.combined()
    assert len(lines) == len(values)
    for value, (*_, referer, agent) in zip(values, lines):
        octets = re.sub(r"\\x([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), agent)
        assert octets == value and referer == agent


@test
def a_long_line_is_still_one(world):
    log = Logged(world)
    assert log.server.get("/a.txt?" + "x" * 7000, "User-Agent: " + "\xff" * 8000,
                          "Referer: " + "\"" * 8000).status == 200
    assert log.server.get("/a.txt").status == 200
    assert [line[3] for line in log.combined()] == ["200", "200"]


@test
def json_on_request(world):
    log = Logged(world, access_log_format="json")
    values = ["plain", "a\"b", "a\\b", "\xff\xfe\x80", "a\tb", "\xc3\xa4", "</script>"]
    for value in values:
        log.server.get("/a.txt?q", f"User-Agent: {value}", f"Referer: {value}", host="some.example")
    log.server.status(b"G\x01T /\x02\x7f HTTP/1.1\r\n\r\n")
    log.server.head("/none")
    lines = [json.loads(line) for line in log.lines()]
    lines.sort(key=lambda line: line["status"])
    assert [line["status"] for line in lines] == [200] * len(values) + [400, 404]
    texts = [str(value) for line in lines for value in line.values()]
    for wanted in ("plain", "some.example", "127.0.0.1"):
        assert wanted in texts, texts
    assert any("GET /a.txt?q" in text for text in texts) or {"GET", "/a.txt?q"} <= set(texts)
    assert all(line.keys() == lines[0].keys() for line in lines)


@each(["Caf\u00e9", "\u20ac 5", "\u65e5\u672c\u8a9e", "\U0001d11e clef", "a\"b\\c", "a\tb"])
def json_reads_as_what_was_sent(world, text):
    """A parser reads characters, not the octets that they were sent as."""
    log = Logged(world, access_log_format="json")
    sent = text.encode().decode("latin-1")  # what a field line takes for octets
    log.server.get(f"/a.txt?{sent}" if "\t" not in sent and " " not in sent else "/a.txt",
                   f"User-Agent: {sent}", f"Referer: {sent}")
    line, = (json.loads(line) for line in log.lines())
    assert line["user_agent"] == line["referer"] == text, line
    assert "?" not in line["request"] or line["request"] == f"GET /a.txt?{text} HTTP/1.1", line


@each([("\xe9", "\\xE9"), ("caf\xe9\xc3\xa9", "caf\\xE9\u00e9"), ("\xc3(", "\\xC3("),
       ("\xed\xa0\x80", "\\xED\\xA0\\x80"), ("\xe2\x82", "\\xE2\\x82")])
def json_tells_octets_that_are_no_characters(world, sent, read):
    log = Logged(world, access_log_format="json")
    log.server.get("/a.txt", f"User-Agent: {sent}")
    line, = (json.loads(line) for line in log.lines())
    assert line["user_agent"] == read, line


@test
def a_transfer_that_breaks_off_is_logged_with_what_was_sent(world):
    """From memory (a `small_file_max` like this, or what `compress` has made) as from the file."""
    size = 12_000_000
    world.root.pattern("long.bin", size)
    for small_file_max in ("16k", "16m"):
        logged = Logged(world, small_file_max=small_file_max)
        with logged.server.connect(receive_buffer=65536) as connection:
            connection.send(head("GET", "/long.bin"))
            connection.read_octets(20_000)
            connection.reset()
        eventually(lambda: logged.text() != b"")
        lines = logged.combined()
        assert len(lines) == 1 and lines[0][3] == "200"
        assert 15_000 < int(lines[0][4]) < size, (small_file_max, lines)


@test
def it_is_written_within_seconds(world):
    log = Logged(world)
    with log.server.connect() as connection:
        connection.get("/a.txt")
        assert eventually(lambda: log.text().count(b"\n") == 1, FLUSHED_S)
        connection.get("/a.txt")
        assert eventually(lambda: log.text().count(b"\n") == 2, FLUSHED_S)


@test
def nothing_is_lost_under_load_or_at_the_stop(world):
    log = Logged(world, access_log_buffer="4k")
    with log.server.connect() as connection:
        for _ in range(20):
            connection.send(head("GET", "/a.txt") * 100)
            for _ in range(100):
                connection.read_response()
    assert len(log.combined()) == 2000


@test
def a_rotated_log_is_opened_again(world):
    log = Logged(world)
    log.server.get("/a.txt?before")
    assert eventually(lambda: b"before" in log.text(), FLUSHED_S)
    os.rename(log.path, log.path + ".1")
    log.server.kill(signal.SIGUSR1)
    assert eventually(lambda: os.path.exists(log.path), FLUSHED_S)
    log.server.get("/a.txt?after")
    assert [line[2] for line in log.combined()] == ["GET /a.txt?after HTTP/1.1"]
    with open(log.path + ".1", "rb") as file:
        assert file.read().count(b"\n") == 1


@test
def lines_are_appended_over_a_restart(world):
    first = Logged(world)
    first.server.get("/a.txt?first")
    first.server.stop()
    second = world.serve(settings={"access_log": first.path})
    second.get("/a.txt?second")
    second.stop()
    assert [line[2] for line in first.combined()] == ["GET /a.txt?first HTTP/1.1",
                                                      "GET /a.txt?second HTTP/1.1"]


@test
def it_is_off_by_default(world):
    server = world.serve()
    server.get("/a.txt")
    server.stop()
    assert "GET /a.txt" not in server.stderr()


@test
def an_aborted_download_is_a_line(world):
    world.root.sparse("huge.bin", 1 << 30, {})
    log = Logged(world)
    connection = log.server.connect(receive_buffer=4096)
    connection.send(head("GET", "/huge.bin"))
    connection.read_head()
    connection.reset()
    assert eventually(lambda: log.text().count(b"\n") == 1, FLUSHED_S)
    (*_, status, octets, _, _), = log.combined()
    assert status in ("200", "499") and int(octets) < 1 << 30


if __name__ == "__main__":
    run(setup, jobs=8)
