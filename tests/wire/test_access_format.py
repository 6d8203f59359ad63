#!/usr/bin/python3
"""Formats of the access log, and which answers leave a line (docs/server.conf.md "Logs"): what a
line says is what was on the wire."""

import datetime
import json
import os
import re
import time

from wire import each, eventually, head, run, test

FLUSHED_S = 3.0
# One variable an element, taken apart at the blanks.
ALL = ("remote_addr remote_port status request_method request_uri uri args is_args server_protocol "
       "body_bytes_sent bytes_sent request_length request_time msec time_iso8601 time_utc host "
       "server_name server_port scheme https ssl_protocol ssl_cipher connection "
       "tls_client_verify connection_requests pid request_id http_x_test sent_http_content_length "
       "sent_http_content_type sent_http_etag sent_http_location").split()


def setup(world):
    world.root.write("a.txt", "0123456789")
    world.root.write("a b.txt", "0123456789")
    world.root.pattern("large.bin", 300_000)
    world.root.folder("dir")
    world.numbers = iter(range(1000))
    return world


class Logged:
    """A server with an access log of its own. lines() stops it and reads the log."""

    def __init__(self, world, format=None, **settings):
        self.path = f"{world.logs.path}/format-{next(world.numbers)}.log"
        if format is not None:
            settings["access_log_format"] = format
        self.server = world.serve(settings={"access_log": self.path, **settings})

    def text(self):
        with open(self.path, encoding="ascii") as file:
            return file.read()

    def lines(self):
        self.server.stop()
        text = self.text()
        assert text == "" or text.endswith("\n"), "half a line at the end"
        return text.splitlines()


class Everything(Logged):
    """Each variable by its name."""

    def __init__(self, world, **settings):
        super().__init__(world, " ".join("[$%s]" % name for name in ALL), **settings)

    def dicts(self):
        rows = []
        for line in self.lines():
            values = re.findall(r"\[([^\]]*)\]", line)
            assert len(values) == len(ALL), line
            rows.append(dict(zip(ALL, values)))
        return rows


def raw(server, octets):
    """What is sent back up to the end of the stream."""
    with server.connect() as connection:
        connection.send(octets)
        return connection.read_to_end(), connection.sock


def body_of(answer):
    return answer.split(b"\r\n\r\n", 1)[1]


@each([
    ("200", head("GET", "/a.txt?x=1&y", "Connection: close"), 200),
    ("1.0", head("GET", "/a.txt", version="1.0"), 200),
    ("long", head("GET", "/large.bin", "Connection: close"), 200),
    ("head", head("HEAD", "/large.bin", "Connection: close"), 200),
    ("206", head("GET", "/large.bin", "Range: bytes=5-104", "Connection: close"), 206),
    ("multipart", head("GET", "/a.txt", "Range: bytes=0-1,4-5", "Connection: close"), 206),
    ("304", head("GET", "/a.txt", "If-None-Match: *", "Connection: close"), 304),
    ("301", head("GET", "/dir", "Connection: close"), 301),
    ("404", head("GET", "/none", "Connection: close"), 404),
    ("405", head("POST", "/a.txt", "Content-Length: 7", "Connection: close") + b"1234567", 405),
    ("416", head("GET", "/a.txt", "Range: bytes=99-", "Connection: close"), 416),
    ("400", head("GET", "/a.txt", "Content-Length: 05"), 400),
    ("505", head("GET", "/", version="2.0"), 505),
])
def what_a_line_says_was_on_the_wire(world, name, octets, status):
    log = Everything(world)
    answer, _ = raw(log.server, octets)
    (line,) = log.dicts()
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:100]
    assert line["status"] == str(status)
    assert int(line["bytes_sent"]) == len(answer)
    assert int(line["body_bytes_sent"]) == len(body_of(answer))
    first = octets.split(b"\r\n")[0].decode()
    assert [line["request_method"], line["request_uri"], line["server_protocol"]] == first.split()
    if status < 400 or status in (404, 405, 416):
        assert int(line["request_length"]) == len(octets), name
    fields = dict(re.findall(r"(?m)^([\w-]+): (.*)\r$", answer.split(b"\r\n\r\n")[0].decode() + "\r"))
    for field in ("Content-Length", "Content-Type", "Location"):
        logged = line["sent_http_" + field.lower().replace("-", "_")]
        assert logged == fields.get(field, "-"), (field, logged, fields)
    assert line["sent_http_etag"] == fields.get("ETag", "-").replace('"', r"\x22")


@test
def who_asked_and_where(world):
    log = Everything(world)
    port = log.server.port
    with log.server.connect() as connection:
        peer = connection.sock.raw if hasattr(connection.sock, "raw") else connection.sock
        number = peer.getsockname()[1]
        connection.get("/a%20b.txt?q=%20", "X-Test: a \"b\"", "X-Test: c", host="some.example:80")
    (line,) = log.dicts()
    assert line["remote_addr"] == "127.0.0.1" and line["remote_port"] == str(number)
    assert line["host"] == "some.example" and line["server_name"] == "localhost"
    assert line["server_port"] == str(port)
    assert line["uri"] == "/a b.txt" and line["request_uri"] == "/a%20b.txt?q=%20"
    assert line["args"] == "q=%20" and line["is_args"] == "?"
    assert line["http_x_test"] == r"a \x22b\x22"
    assert abs(float(line["msec"]) - time.time()) < 60
    for name in ("time_iso8601", "time_utc"):
        when = datetime.datetime.fromisoformat(line[name].replace("Z", "+00:00"))
        assert abs(when.timestamp() - time.time()) < 60
    assert re.fullmatch(r"\d+\.\d{3}", line["request_time"])


@test
def what_tls_has_agreed_upon(world):
    log = Everything(world)
    _, sock = raw(log.server, head("GET", "/a.txt", "Connection: close"))
    (line,) = log.dicts()
    if not world.tls:
        assert (line["scheme"], line["https"]) == ("http", "-")
        assert (line["ssl_protocol"], line["ssl_cipher"]) == ("-", "-")
        return
    assert (line["scheme"], line["https"]) == ("https", "on")
    assert re.fullmatch(r"TLSv1\.[23]", line["ssl_protocol"])
    name, version, _ = sock.tls.cipher()  # by OpenSSL's name; of 1.3, IANA's as well
    assert line["ssl_protocol"] == sock.tls.version()
    assert line["ssl_cipher"].startswith("TLS_")
    words = re.sub(r"[-_]|TLS|WITH", "", line["ssl_cipher"])
    assert words.startswith(re.sub(r"[-_]|TLS", "", name)), (line["ssl_cipher"], name, version)


@test
def requests_and_connections_are_counted(world):
    log = Everything(world)
    for _ in range(2):
        with log.server.connect() as connection:
            connection.send(head("GET", "/a.txt") * 3)
            for _ in range(3):
                connection.read_response()
        time.sleep(0.05)
    lines = log.dicts()
    assert len(lines) == 6
    by_connection = {}
    for line in lines:
        by_connection.setdefault((line["pid"], line["connection"]), []).append(
            line["connection_requests"])
    assert len(by_connection) == 2, by_connection
    assert all(numbers == ["1", "2", "3"] for numbers in by_connection.values()), by_connection


@test
def nothing_is_known_of_what_is_no_request(world):
    log = Everything(world)
    answer, _ = raw(log.server, b"G\x00T /\r\n\r\n")
    (line,) = log.dicts()
    assert line["status"] == "400" and int(line["bytes_sent"]) == len(answer)
    assert line["request_method"] == line["uri"] == line["http_x_test"] == "-"


@test
def an_aborted_answer_tells_what_was_sent(world):
    world.root.sparse("huge.bin", 1 << 30, {})
    log = Everything(world)
    connection = log.server.connect(receive_buffer=4096)
    connection.send(head("GET", "/huge.bin"))
    first = connection.read_head()
    connection.reset()
    assert eventually(lambda: log.text().count("\n") == 1, FLUSHED_S)
    (line,) = log.dicts()
    assert line["status"] in ("200", "499")
    if line["status"] == "200":
        assert int(line["bytes_sent"]) - int(line["body_bytes_sent"]) == len(first.head)
        assert int(line["bytes_sent"]) < 1 << 30


@test
def a_client_that_leaves_before_an_answer_is_499(world):
    log = Everything(world)
    connection = log.server.connect()
    connection.send(head("POST", "/a.txt", "Content-Length: 100") + b"x" * 10)
    time.sleep(0.2)
    connection.close()
    assert eventually(lambda: log.text().count("\n") == 1, FLUSHED_S)
    (line,) = log.dicts()
    assert (line["status"], line["bytes_sent"], line["body_bytes_sent"]) == ("499", "0", "0")
    assert line["sent_http_content_length"] == "-"


# ---- request ids ----

@test
def the_id_is_on_the_answer_and_in_the_log(world):
    log = Logged(world, "$status $request_id", request_id="on")
    told = []
    for _ in range(3):
        with log.server.connect() as connection:
            for target, status in (("/a.txt", 200), ("/large.bin", 200), ("/none", 404)):
                answer = connection.get(target, "X-Request-Id: mine")
                assert answer.status == status
                told.append(f"{status} {answer['X-Request-Id']}")
            answer = connection.get("/a.txt", "Range: bytes=0-1,4-5")
            told.append(f"206 {answer['X-Request-Id']}")
            connection.send(head("GET", "/a.txt", "Content-Length: 05"))
            answer = connection.read_response()
            told.append(f"400 {answer['X-Request-Id']}")
    assert all(re.fullmatch("[0-9]{3} [0-9a-f]{32}", each_one) for each_one in told)
    assert len(set(told)) == len(told), "an id came twice"
    assert sorted(log.lines()) == sorted(told)


@test
def the_id_is_logged_without_being_told(world):
    log = Logged(world, "$request_id")
    with log.server.connect() as connection:
        connection.send(head("GET", "/a.txt") * 5)
        for _ in range(5):
            assert "X-Request-Id" not in dict(connection.read_response().fields)
    lines = log.lines()
    assert len(set(lines)) == 5 and all(re.fullmatch("[0-9a-f]{32}", line) for line in lines)


@test
def the_id_is_told_without_a_log(world):
    server = world.serve(settings={"request_id": "on"})
    ids = {server.get("/a.txt")["X-Request-Id"] for _ in range(5)}
    assert len(ids) == 5, "an id came twice"


@test
def a_trusted_proxy_says_the_id(world):
    server = world.serve(settings={"request_id": "on", "real_ip_from": "127.0.0.1"})
    assert server.get("/a.txt", "X-Request-Id: 0a-b_c")["X-Request-Id"] == "0a-b_c"
    for forged in ("a b", "x" * 200, '"', ""):
        said = server.get("/a.txt", f"X-Request-Id: {forged}")["X-Request-Id"]
        assert re.fullmatch("[0-9a-f]{32}", said), said


# ---- which answers leave a line ----

@test
def a_sample_never_leaves_out_errors(world):
    log = Logged(world, "$status", access_log_sample="1/1000000000")
    with log.server.connect() as connection:
        for _ in range(50):
            connection.get("/a.txt")
        connection.get("/none")
        connection.get("/a.txt", "Range: bytes=99-")
    assert log.lines() == ["404", "416"]


@test
def a_sample_is_a_share(world):
    log = Logged(world, "$status", access_log_sample="0.25")
    for _ in range(2):
        with log.server.connect() as connection:
            for _ in range(4):
                connection.send(head("GET", "/a.txt") * 100)
                for _ in range(100):
                    connection.read_response()
    # 200 of 800 are to be expected, with a deviation of 12.2: eight of them happen never.
    assert 102 <= len(log.lines()) <= 298


@test
def connections_are_sampled_each_by_itself(world):
    """Also where each is a process that was forked with the same memory."""
    log = Logged(world, "$status", access_log_sample="1/2")
    for _ in range(60):
        log.server.get("/a.txt")
    assert 2 <= len(log.lines()) <= 58


@test
def a_filter_by_status(world):
    log = Logged(world, "$status", access_log_status='{"404", "3xx"}')
    with log.server.connect() as connection:
        for target in ("/a.txt", "/dir", "/none", "/a.txt"):
            connection.get(target)
        connection.get("/a.txt", "Range: bytes=99-")
        connection.get("/a.txt", "If-None-Match: *")
    assert log.lines() == ["301", "404", "304"]


@test
def paths_that_are_left_out(world):
    log = Logged(world, "$request_uri", access_log_skip='{"/healthz", "/dir/", "/a b.txt", "= /e", "*.{p,q}", "~ ^/r[0-9]"}')
    with log.server.connect() as connection:
        for target in ("/healthz", "/healthz/x?y", "/healthz?z", "/healthzz", "/dir", "/dir/x",
                       "/%68ealthz", "/a%20b.txt", "//healthz", "/a/../healthz", "/e", "/e/f", "/x/y.q", "/r1",
                       "/rx", "/a.txt"):
            connection.get(target)
    assert log.lines() == ["/healthzz", "/e/f", "/rx", "/a.txt"]


# ---- where they stand ----

@test
def servers_share_a_log_in_forms_of_their_own(world):
    path = f"{world.logs.path}/shared.log"
    conf = f"""
access_log = "{path}"
access_log_format = "top $server_name $host"
server "a.test" {{ listen = {{"@listen@"}} root = "@root@" }}
server "b.test" {{ listen = {{"@listen@"}} root = "@root@"
    access_log_format = "escape=json {{\\"b\\":\\"$http_user_agent\\"}}" }}
server "c.test" {{ listen = {{"@listen@"}} root = "@root@" access_log_status = {{5xx}} }}
server "d.test" {{ listen = {{"@listen@"}} root = "@root@" access_log = off }}
"""
    server = world.serve(conf=conf, tls=False)
    with server.connect() as connection:
        for host in "abcd":
            connection.get("/a.txt", 'User-Agent: "\\ \xe9', host=f"{host}.test")
    server.stop()
    with open(path, encoding="ascii") as file:
        first, second = file.read().splitlines()
    assert first == "top a.test a.test"
    assert json.loads(second) == {"b": '"\\ \\xE9'}


@test
def what_headers_know_a_line_knows(world):
    """And escaped as everything in it; of a request that is none there is nothing to know."""
    path = f"{world.logs.path}/known.log"
    conf = f"""
access_log = "{path}"
access_log_format = "$arg_Id|$cookie_sid|$kind|$engine|$query|$path|$$|$arg_Id"
map "$http_user_agent" "$kind" {{ ~ "(?<name>bot|crawler)" = "a \\"$name\\"" default = "browser" }}
server "_" {{ listen = {{"@listen@"}} root = "@root@" }}
"""
    server = world.serve(conf=conf, tls=False)
    with server.connect() as connection:
        connection.get("/a.txt?Id=%22%0a1", "Cookie: x=2; sid=3", "User-Agent: my bot")
        connection.get("/a.txt?Id=" + "x" * 5000, "User-Agent: Lynx")
        connection.send(b"GET\r\n\r\n")
        connection.read_to_end()
    server.stop()
    engine = world.engine
    with open(path, encoding="ascii") as file:
        first, second, third = file.read().splitlines()
    assert first == '\\x22\\x0A1|3|a \\x22bot\\x22|%s|Id=%%22%%0a1|/a.txt|$|\\x22\\x0A1' % engine, first
    assert second.startswith("x" * 5000 + "|-|browser|")
    assert third == f"-|-|browser|{engine}|-|-|$|-", third


@test
def hostile_values_in_every_variable(world):
    log = Logged(world, "<$http_x_test|$request_uri|$uri|$args|$host|$request_method>")
    with log.server.connect() as connection:
        for value in ("a\"b", "\\x0a", "\xff\xfe", "a\tb", "<|>"):
            connection.get("/a.txt?\xc3\xa4=\"", f"X-Test: {value}")
    raw(log.server, b"GET /\x1b[31m\" HTTP/1.1\r\nHost: x\r\n\r\n")
    lines = log.lines()
    assert len(lines) == 6
    for line in lines:
        assert re.fullmatch(r'<[ !#-\[\]-~]*(\\x[0-9A-F]{2}[ !#-\[\]-~]*)*>', line), line


@test
def a_rotated_log_is_opened_again_by_its_writer(world):
    log = Logged(world, "$args", access_log_buffer="1k")
    with log.server.connect() as connection:
        for i in range(200):
            connection.get(f"/a.txt?{i}")
            if i == 100:
                assert eventually(lambda: "\n100\n" in log.text(), FLUSHED_S)
                os.rename(log.path, log.path + ".1")
                log.server.kill(10)
                assert eventually(lambda: os.path.exists(log.path), FLUSHED_S)
    new = log.lines()
    with open(log.path + ".1", encoding="ascii") as file:
        old = file.read().splitlines()
    assert old + new == [str(i) for i in range(200)]


if __name__ == "__main__":
    run(setup, jobs=8)
