#!/usr/bin/python3
"""Each key of server.conf at its least and at its most (docs/server.conf.md): the server starts,
answers what the key governs, and ends with status 0. The keys and their bounds are what the program
itself says."""

import contextlib
import gzip
import re
import resource
import subprocess
from concurrent.futures import ThreadPoolExecutor

from wire import CAP_IPC_LOCK, BadResponse, Closed, ServerFailed, head, may, run, test

LARGE = 300_000
SIDE_BY_SIDE = 6
RING_SIZE = 128 << 10  # of io_uring, locked, for each thread of the proactor
BOUNDS = re.compile(r"allowed: (?:a number|a size|a duration) from (\w+) to (\w+)")
UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}

# With a deadline this short, a client on a busy machine may come too late.
TIGHT = {"header_timeout", "body_timeout", "keepalive_timeout", "send_timeout",
         "tls_handshake_timeout"}
# A sanitizer writes an octet for each 8 addresses that are set aside, and these set aside most.
NOT_SANITIZED = {"connections_max", "threads", "cache_files"}
NOT_STARTED = {"processes"}  # a thousand, of up to a thousand threads each: one test is not to have them
REFUSABLE = {("threads", "1024"), ("threads", "0"), ("connections_max", "1")}
# What else has to be set, so that the key is what decides.
BESIDE = {
    "header_field_max": {"header_max": "16m"},
    "header_max": {"header_field_max": "1m", "header_count_max": "10000"},
    "header_count_max": {"header_max": "1m"},
    "ranges_max": {"header_field_max": "32k"},
    "cache_bytes": {"small_file_max": "1m"},
    "small_file_max": {"cache_bytes": "64m"},
    **{key: {"compress": '{"gzip"}'} for key in ("compress_cache", "compress_min", "compress_max")},
}


class Key:
    def __init__(self, name, least, most):
        self.name, self.least, self.most = name, least, most


def _number(text):
    """A number or a size; of a duration, its digits."""
    return int(re.match(r"\d+", text)[0]) * UNITS.get(re.sub(r"\d", "", text), 1)


def _ask(world, *arguments):
    return subprocess.run([world._options.server, *arguments], capture_output=True, text=True,
                          timeout=20)


def _keys(world):
    """The keys of the top level that are numbers, sizes and durations; and all the names."""
    listing = _ask(world, "-T", "--root", world.root.path)
    assert listing.returncode == 0, listing.stderr
    names = re.findall(r"^(\w+) = ", listing.stdout, re.MULTILINE)
    keys = []
    for name in names:
        answer = _ask(world, "-t", "--root", world.root.path, "-o", f"{name}=no such value")
        bounds = BOUNDS.search(answer.stderr)
        if bounds:
            assert answer.returncode == 78, answer
            keys.append(Key(name, *bounds.groups()))
    return keys


def setup(world):
    world.digits = world.root.write("digits.txt", b"0123456789")
    world.middle = world.root.pattern("middle.bin", 16_000)
    world.large = world.root.pattern("large.bin", LARGE)
    world.text = world.root.write("text.txt", b"some text " * 5000)
    world.root.write("list/a.txt", b"a")
    world.root.write("list/b.txt", b"b")
    world.keys = _keys(world)
    world.sanitized = world.serve().is_sanitized()
    return world


def _request(method, target, *fields):
    """With no field but those needed: a limit may allow no other."""
    return head(method, target, *fields)


def _serves(server):
    """What every server does, whatever its limits."""
    world = server.world
    for path, octets in (("/digits.txt", world.digits), ("/middle.bin", world.middle),
                         ("/large.bin", world.large), ("/digits.txt", world.digits)):
        answer = server.send(_request("GET", path))
        assert answer.status == 200 and answer.body == octets, (path, answer)
    assert server.send(_request("HEAD", "/large.bin"), method="HEAD").status == 200
    assert server.send(_request("GET", "/none")).status == 404
    assert server.send(_request("GET", "/list/")).status in (200, 503)
    assert server.send(_request("GET", "/digits.txt", "Range: bytes=0-0,4-4")).status in (200, 206,
                                                                                         431)
    assert server.send(b"GET / HTTP/1.1\r\nBad Field: x\r\n\r\n").status in (400, 431)
    if server.context:  # what is no TLS, and longer than the limits of HTTP
        with server.connect_raw() as connection:
            connection.send(b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n")
            assert connection.read_response().status in (400, 414)


# ---- what the keys govern ----

def _request_line_max(server, value):
    frame = len("GET /digits.txt? HTTP/1.1")
    assert server.send(_request("GET", "/digits.txt?" + "x" * (value - frame))).status == 200
    server.refuses(_request("GET", "/digits.txt?" + "x" * (value - frame + 1)), 414)


def _header_field_max(server, value):
    assert server.send(_request("GET", "/digits.txt", "X:" + "y" * (value - 2))).status == 200
    server.refuses(_request("GET", "/digits.txt", "X:" + "y" * (value - 1)), 431)


def _header_max(server, value):
    """The last line's end does not count."""
    others = _request("GET", "/digits.txt").split(b"\r\n", 1)[1].removesuffix(b"\r\n")
    left = value - len(others) + len("\r\n")
    fields = []
    while left > 1_000_000:
        fields.append("X:" + "y" * 499_996)
        left -= 500_000
    fields.append("X:" + "y" * (left - 4))
    assert server.send(_request("GET", "/digits.txt", *fields)).status == 200
    server.refuses(_request("GET", "/digits.txt", *fields[:-1], fields[-1] + "y"), 431)


def _header_count_max(server, value):
    assert server.send(_request("GET", "/digits.txt", *["X: y"] * (value - 1))).status == 200
    server.refuses(_request("GET", "/digits.txt", *["X: y"] * value), 431)


def _body_max(server, value):
    assert server.send(_request("POST", "/digits.txt", f"Content-Length: {value + 1}"),
                       method="POST").status == 413
    assert server.send(_request("POST", "/digits.txt", f"Content-Length: {min(value, 9)}")
                       + b"x" * min(value, 9), method="POST").status == 405


def _chunk_overhead_max(server, value):
    start = _request("POST", "/digits.txt", "Transfer-Encoding: chunked")
    assert server.send(start + b"1\r\nx\r\n0\r\n\r\n", method="POST").status == 405
    long = start + b"1;" + b"e" * min(value // 2, 2_000_000) + b"\r\nx\r\n0\r\n\r\n"
    assert server.send(long, method="POST").status == 405
    server.refuses(start + b"1;" + b"e" * (value + 1) + b"\r\nx\r\n0\r\n\r\n", 413, method="POST")


def _ranges_max(server, value):
    for count in {0, 1, 2, value // 2, value - 1, value, value + 1}:
        if count < 1:
            continue
        text = ",".join(f"{at}-{at}" for at in range(0, 3 * count, 3))
        for path in ("/large.bin", "/middle.bin"):
            answer = server.send(_request("GET", path, f"Range: bytes={text}"))
            assert answer.status == (206 if count <= value else 200), (count, answer.status)


def _keepalive_requests(server, value):
    with server.connect() as connection:
        for _ in range(20):
            assert connection.get("/digits.txt").status == 200


def _autoindex_max(server, value):
    assert server.get("/list/").status == (503 if value < 2 else 200)


def _small_file_max(server, value):
    for _ in range(2):
        assert server.get("/large.bin").body == server.world.large
        assert len(server.get("/large.bin", "Range: bytes=5-9,100-250000").body) > 249_000


def _compressed(server, value):
    for _ in range(2):
        answer = server.get("/text.txt", "Accept-Encoding: gzip")
        text = gzip.decompress(answer.body) if "Content-Encoding" in answer else answer.body
        assert text == server.world.text


def _connections_max(server, value):
    with server.connect() as connection:
        assert connection.get("/digits.txt").status == 200
        assert connection.get("/large.bin").body == server.world.large
    assert server.get("/digits.txt").status == 200


def _many_at_once(server, value):
    with ThreadPoolExecutor(8) as pool:
        for answer in pool.map(lambda number: server.get(f"/none/{number}"), range(40)):
            assert answer.status == 404
    for _ in range(3):
        assert server.get("/large.bin").body == server.world.large


GOVERNED = {
    "request_line_max": _request_line_max, "header_field_max": _header_field_max,
    "header_max": _header_max, "header_count_max": _header_count_max, "body_max": _body_max,
    "chunk_overhead_max": _chunk_overhead_max, "ranges_max": _ranges_max,
    "keepalive_requests": _keepalive_requests, "autoindex_max": _autoindex_max,
    "autoindex_readme_max": _many_at_once, "archive_entries_max": _many_at_once,
    "listing_memory": _many_at_once,
    "archive_bytes_max": _many_at_once,
    "small_file_max": _small_file_max, "cache_bytes": _small_file_max,
    "compress_cache": _compressed, "compress_min": _compressed, "compress_max": _compressed,
    "send_turn": _small_file_max, "connections_max": _connections_max,
    "threads": _many_at_once, "workers": _many_at_once, "worker_queue": _many_at_once,
    "file_workers": _many_at_once, "cache_files": _many_at_once, "cache_valid": _many_at_once,
    "cache_watches": _many_at_once,
    "cache_inactive": _many_at_once,
    "access_log_buffer": _many_at_once, "tls_session_cache": _many_at_once,
}


def _settings(world, key, value):
    few = {"connections_max": "64"} if world.sanitized else {}
    return {"access_log": world.logs.path + "/access.log", "autoindex": "on", **few,
            **BESIDE.get(key.name, {}), key.name: value}


def _locked_memory(world, key, value):
    """Would that be more memory locked than the limit of this user allows? All tests that run
    meanwhile have it together (getrlimit(2), RLIMIT_MEMLOCK), so it must not be tried."""
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return key.name == "threads" and world.engine == "proactor" and not may(CAP_IPC_LOCK) and \
        soft != resource.RLIM_INFINITY and _number(value) * RING_SIZE > soft // 2


def _try(world, key, value):
    """One key at one value. None, or what went wrong."""
    if _locked_memory(world, key, value):
        print(f"# skipped: {key.name} = {value} takes more locked memory than `ulimit -l` allows")
        return None
    try:
        server = world.serve(settings=_settings(world, key, value))
    except ServerFailed as error:
        # An engine with one thread, or fewer connections than threads: refused, with the reason.
        if (key.name, value) in REFUSABLE and "exit status 78, stdout b''" in str(error) and \
                re.search(rf"^gearshift: .*\b{key.name} = {value} ", str(error), re.MULTILINE):
            return None
        return f"{key.name} = {value}: {error}"
    try:
        exercise = GOVERNED.get(key.name)
        try:
            _serves(server)
            if exercise:
                exercise(server, _number(value))
        except (AssertionError, BadResponse, Closed, OSError) as error:
            if not (key.name in TIGHT and value == key.least):
                return f"{key.name} = {value}: {error!r}"
        server.stop()
    except ServerFailed as error:
        return f"{key.name} = {value}: {error}"
    return None


def _try_all(world, values):
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        faults = [fault for fault in pool.map(lambda pair: _try(world, *pair), values) if fault]
    assert not faults, "\n".join(faults)


@test
def the_program_tells_its_bounds(world):
    names = {key.name for key in world.keys}
    assert len(names) >= 30 and set(GOVERNED) | TIGHT <= names, sorted(names)


@test
def each_at_its_least(world):
    _try_all(world, [(key, key.least) for key in world.keys])


@test
def each_at_its_most(world):
    _try_all(world, [(key, key.most) for key in world.keys
                     if key.name not in NOT_STARTED
                     and not (world.sanitized and key.name in NOT_SANITIZED)])


def _all(world, which):
    """All keys of limits, deadlines and the cache together."""
    engine = {"threads", "workers", "file_workers", "connections_max", *NOT_STARTED}
    left_out = engine | NOT_SANITIZED if world.sanitized else engine
    few = {"connections_max": "64"} if world.sanitized else {}
    return {**few, **{key.name: getattr(key, which) for key in world.keys
                      if key.name not in left_out}}


@test
def all_at_their_least_together(world):
    """Nobody has such a server, but it does not end either."""
    server = world.serve(settings={**_all(world, "least"), "autoindex": "on"})
    for octets in (_request("GET", "/digits.txt"), _request("GET", "/large.bin") * 5,
                   _request("POST", "/", "Content-Length: 5"), b"\xff" * 3000, b"GET " * 1000,
                   _request("GET", "/list/", "Range: bytes=0-0", "X: y")):
        with contextlib.suppress(AssertionError, BadResponse, Closed, OSError):
            server.send(octets)
    server.stop()


@test
def all_at_their_most_together(world):
    server = world.serve(settings={**_all(world, "most"), "autoindex": "on",
                                   "access_log": world.logs.path + "/most.log"})
    _serves(server)
    for name in ("request_line_max", "header_max", "header_count_max", "ranges_max",
                 "small_file_max", "autoindex_max"):
        value = next(key.most for key in world.keys if key.name == name)
        GOVERNED[name](server, _number(value))
    server.stop()


@test
def the_longest_texts_together(world):
    """Whatever may be configured of an answer's fields, they fit into it."""
    media_type = "a/" + "t" * 1998
    fields = [f"X-{number}: " + "v" * 1900 for number in range(2)]
    fields.append("X-Content-Type-Options: nosniff")
    fields.append("X-3: " + "v" * (4096 - sum(len(field) + 2 for field in fields) - 7))
    names = ", ".join(f'"index-{number}"' for number in range(1000))
    tries = ", ".join(f'"$uri/{number}"' for number in range(999))
    for number, octets in ((0, world.digits), (1, world.middle), (2, world.large)):
        world.root.write(f"typed/{number}.long", octets)
        world.root.write(f"typed/{number}.long.gz", octets)
    server = world.serve(conf=f"""
        types = {{"long={media_type}"}}
        default_type = "{media_type}"
        header_field_max = 32k
        ranges_max = 1000
        server "localhost" {{
            listen = {{"@listen@"}}
            root = "@root@"
            charset = {"c" * 40}
            precompressed = {{gzip}}
            headers = {{{", ".join(f'"{field}"' for field in fields)}}}
            index = {{{names}}}
            redirect "/old/" {{ to = "/{"n" * 1999}" }}
            cache "*" {{ control = "{"c" * 2000}" expires = 100y }}
            location "/list/" {{ try = {{{tries}, "$uri"}} }}
        }}""")
    many = ",".join(f"{at}-{at}" for at in range(0, 4000, 4))
    for path in ("/typed/0.long", "/typed/1.long", "/typed/2.long"):
        answers = server.exchange(
            head("GET", path) + head("GET", path, "Range: bytes=0-0,4-4")
            + head("GET", path, f"Range: bytes={many}", "Accept-Encoding: gzip")
            + head("HEAD", path) + head("GET", path, "Range: bytes=-1"),
            ["GET", "GET", "GET", "HEAD", "GET"])
        assert [answer.status for answer in answers][:2] == [200, 206], answers
        assert answers[0]["Content-Type"] == media_type
        assert answers[2].status in (206, 416) and answers[4].status == 206
        assert answers[1].body.count(media_type.encode()) == 2
        assert server.get(path, f'If-None-Match: {answers[0]["ETag"]}').status == 304
    assert server.get("/typed/").status == 404  # each of the 1000 was looked for
    assert server.get("/list/a.txt").body == b"a"
    assert server.get("/list/none").status == 404
    assert server.get("/old/" + "x" * 2000 + "?" + "q" * 4000).status == 301
    server.stop()


@test
def beyond_either_is_refused(world):
    for key in world.keys:
        unit = re.sub(r"\d", "", key.most)
        beyond = [f"{int(re.match(r'[0-9]+', key.most)[0]) + 1}{unit}"]
        if key.least != "0":
            beyond.append("0")
        for value in beyond:
            answer = _ask(world, "-t", "--root", world.root.path, "-o", f"{key.name}={value}")
            assert answer.returncode == 78 and key.name in answer.stderr, (key.name, answer)


if __name__ == "__main__":
    run(setup)
