#!/usr/bin/python3
"""Files that the server compresses (HTTP.md "Answering", docs/server.conf.md `compress`). What gzip
makes is decompressed here; what the other codings make, in unit/test_compressor and client/test_curl."""

import gzip
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from wire import ONE_AT_A_TIME, each, eventually, head, run, test, text

CODINGS = ("gzip", "br", "zstd")
STARTS = {"gzip": b"\x1f\x8b\x08", "zstd": b"\x28\xb5\x2f\xfd"}
ALL = "Accept-Encoding: zstd, br, gzip"
GZIP = "Accept-Encoding: gzip"


def setup(world):
    world.page = world.root.write("page.txt", text("page", 5_000))
    world.large = world.root.write("large.txt", text("large", 400_000))
    world.root.write("short.txt", b"x" * 1023)
    world.root.write("least.txt", b"x" * 1024)
    world.root.write("picture.png", text("picture", 5_000))
    world.root.write("dir/index.html", world.page)
    world.noise = world.root.write("noise.txt", random.Random(1).randbytes(20_000))
    return world.serve(block='compress = {"zstd", "br", "gzip"}\n')


def plain(answer):
    """The file that the answer stands for."""
    if "Content-Encoding" not in answer:
        return answer.body
    assert answer["Content-Encoding"] == "gzip", answer
    return gzip.decompress(answer.body)


@each([
    ("gzip", "gzip"), ("br", "br"), ("zstd", "zstd"), ("gzip, deflate, br, zstd", "zstd"),
    ("gzip, deflate, br", "br"), ("gzip;q=0.5, br;q=0.4", "gzip"), ("gzip;q=0", None), ("*", "zstd"),
    ("br;q=0, zstd;q=0, *", "gzip"), ("identity, gzip;q=0.5", None), ("identity;q=0, br", "br"),
    ("deflate", None), ("identity", None), ("", None), ("*;q=0", None),
])
def accept_encoding_chooses(server, value, coding):
    for target, octets in (("/page.txt", server.world.page), ("/large.txt", server.world.large),
                           ("/dir/", server.world.page)):
        answer = server.get(target, f"Accept-Encoding: {value}")
        assert answer.status == 200 and answer.get("Content-Encoding") == coding
        assert answer["Vary"] == "Accept-Encoding"
        if coding is None:
            assert answer.body == octets
            continue
        assert len(answer.body) < len(octets) / 2
        assert answer.body.startswith(STARTS.get(coding, b""))
        if coding == "gzip":
            assert gzip.decompress(answer.body) == octets
    assert answer["Content-Type"] == "text/html; charset=utf-8"


@test
def who_does_not_ask_gets_the_file(server):
    answer = server.get("/page.txt")
    assert answer.body == server.world.page and answer["Vary"] == "Accept-Encoding"


@test
def what_is_too_short_of_another_type_or_no_smaller_stays_as_it_is(server):
    for target in ("/short.txt", "/picture.png", "/none.txt", "/dir"):
        answer = server.get(target, ALL)
        assert "Content-Encoding" not in answer and "Vary" not in answer, (target, answer)
    assert server.get("/least.txt", ALL)["Content-Encoding"] == "zstd"
    for _ in range(3):
        for coding in CODINGS:
            answer = server.get("/noise.txt", f"Accept-Encoding: {coding}")
            assert answer.body == server.world.noise and "Content-Encoding" not in answer
            assert answer["Vary"] == "Accept-Encoding"


@each(CODINGS)
def it_is_sent_like_a_file(server, coding):
    for target in ("/page.txt", "/large.txt"):
        accepts = f"Accept-Encoding: {coding}"
        with server.connect() as connection:  # so that one thread's cache answers
            whole = connection.get(target, accepts)
            assert whole["Accept-Ranges"] == "bytes" and whole["Last-Modified"]
            assert int(whole["Content-Length"]) == len(whole.body)
            assert whole.body == connection.get(target, accepts).body
            for value in ("identity", *CODINGS):
                etag = connection.get(target, f"Accept-Encoding: {value}")["ETag"]
                assert (etag == whole["ETag"]) == (value == coding)
                same = connection.get(target, accepts, f"If-None-Match: {etag}")
                assert same.status == (304 if value == coding else 200)
                assert same["Vary"] == "Accept-Encoding"
                part = connection.get(target, accepts, f"If-Range: {etag}", "Range: bytes=10-29")
                assert part.status == (206 if value == coding else 200)
            assert part["ETag"] == whole["ETag"] and part["Content-Encoding"] == coding
            size = len(whole.body)
            part = connection.get(target, accepts, "Range: bytes=10-29")
            assert part.status == 206 and part.body == whole.body[10:30]
            assert part["Content-Range"] == f"bytes 10-29/{size}"
            assert connection.get(target, accepts, "Range: bytes=-1").body == whole.body[-1:]
            several = connection.get(target, accepts, "Range: bytes=0-9,20-29,-5")
            assert several.status == 206 and several["Content-Encoding"] == coding
            assert whole.body[20:30] in several.body and whole.body[-5:] in several.body
            beyond = connection.get(target, accepts, f"Range: bytes={size}-")
            assert beyond.status == 416 and beyond["Content-Range"] == f"bytes */{size}"
            assert connection.get(target, accepts, 'If-Match: "x"').status == 412
            assert connection.ask("HEAD", target, accepts).without("Date") == whole.without("Date")


@test
def head_comes_first(server):
    """HEAD tells the length that GET will have, though nobody has asked before."""
    own = server.world.serve(block="compress = gzip\n")
    with own.connect() as connection:
        answer = connection.ask("HEAD", "/large.txt", GZIP)
        assert answer.without("Date") == connection.get("/large.txt", GZIP).without("Date")


@test
def pipelined_requests_are_answered_in_order(server):
    own = server.world.serve(block='compress = {"gzip"}\n')
    asked = [("/page.txt", GZIP), ("/large.txt", GZIP), ("/page.txt", "X: y"), ("/none", GZIP),
             ("/large.txt", GZIP), ("/large.txt", "X: y"), ("/page.txt", GZIP)] * 3
    answers = own.exchange(b"".join(head("GET", *one) for one in asked), ["GET"] * len(asked))
    for (target, field), answer in zip(asked, answers):
        if target == "/none":
            assert answer.status == 404
            continue
        assert ("Content-Encoding" in answer) == (field == GZIP)
        assert plain(answer) == (server.world.page if "page" in target else server.world.large)


@test
def a_sidecar_wins(server):
    root = server.world.root
    root.write("beside.txt", text("beside", 5_000))
    root.write("beside.txt.gz", gzip.compress(b"sidecar"))
    own = server.world.serve(block="""
        precompressed = {"gzip", "br"}
        compress = {"zstd", "br", "gzip"}
        location "/dir/" { compress = {} }
    """)
    assert plain(own.get("/beside.txt", ALL)) == b"sidecar"
    assert plain(own.get("/beside.txt", GZIP)) == b"sidecar"
    assert own.get("/beside.txt", "Accept-Encoding: br")["Content-Encoding"] == "br"
    assert plain(own.get("/page.txt", GZIP)) == server.world.page
    assert "Content-Encoding" not in own.get("/dir/", ALL)


@test
def settings_bound_it(server):
    """Of each server and location what it says."""
    own = server.world.serve(settings={"compress_min": "2k", "compress_max": "10k"}, block="""
        compress = {"gzip"}
        location "/dir/" { compress_types = {"text/css"} }
        location "/picture.png/" { }
    """)
    assert "Content-Encoding" not in own.get("/least.txt", ALL)
    assert "Content-Encoding" not in own.get("/large.txt", ALL)
    assert own.get("/page.txt", ALL)["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in own.get("/page.txt", "Accept-Encoding: zstd, br")
    assert "Vary" not in own.get("/dir/", ALL)
    own = server.world.serve(block='compress = gzip\n compress_types = {"image/*"}\n')
    assert own.get("/picture.png", ALL)["Content-Encoding"] == "gzip"
    assert "Vary" not in own.get("/page.txt", ALL)
    assert "Vary" not in server.world.serve().get("/page.txt", ALL)


@test
def one_file_of_two_names_has_the_fields_of_each(server):
    root = server.world.root
    root.write("twin.txt", text("twin", 5_000))
    root.link("twin.css", "twin.txt")
    with server.connect() as connection:
        for _ in range(3):
            for name, kind in (("twin.txt", "text/plain"), ("twin.css", "text/css")):
                answer = connection.get(f"/{name}", GZIP)
                assert answer["Content-Type"].startswith(kind) and "Content-Encoding" in answer


@test
def little_room_is_enough(server):
    """Each file has its octets, whatever has made way for it; what never fits is sent as it is."""
    root = server.world.root
    files = {f"room-{number}.txt": text(f"room {number}", 12_000) for number in range(20)}
    for name, octets in files.items():
        root.write(name, octets)
    own = server.world.serve(settings={"compress_cache": "64k"}, block="compress = gzip\n")
    with own.connect() as connection:
        for name, octets in [*files.items(), *reversed(files.items())]:
            answer = connection.get(f"/{name}", GZIP)
            assert plain(answer) == octets
        answer = connection.get("/large.txt", GZIP)
        assert answer.body == server.world.large and "Content-Encoding" not in answer
        assert answer["Vary"] == "Accept-Encoding"


@test
def many_clients_of_two_sites_get_what_is_theirs(server):
    """All at once, for what nobody has asked for before; some may get the file as it is."""
    root = server.world.root
    names = [f"crowd-{number}.txt" for number in range(4)]
    contents = {(site, name): text(f"{site} {name}", 150_000 if name > names[1] else 3_000)
                for site in "ab" for name in names}
    for (site, name), octets in contents.items():
        root.write(f"{site}/{name}", octets)
    own = server.world.serve(conf="".join(
        f'server "{site}.example" {{ listen = {{"@listen@"}} root = "@root@/{site}" '
        f'compress = {{"gzip"}} }}\n' for site in "ab"))

    def ask(number):
        site, name = "ab"[number % 2], names[number // 2 % 4]
        for _ in range(3):
            with own.connect() as connection:
                answer = connection.get(f"/{name}", GZIP, host=f"{site}.example")
                assert answer.status == 200 and plain(answer) == contents[site, name]

    with ThreadPoolExecutor(24) as pool:
        list(pool.map(ask, range(48)))


@test
def whoever_leaves_holds_up_nobody(server):
    root = server.world.root
    for number in range(4):
        root.write(f"left-{number}.txt", text(f"left {number}", 300_000))
    own = server.world.serve(block="compress = gzip\n")
    for number in range(4):
        with own.connect() as connection:
            connection.send(head("GET", f"/left-{number}.txt", GZIP))
    for number in range(4):
        octets = text(f"left {number}", 300_000)
        assert plain(own.get(f"/left-{number}.txt", GZIP)) == octets
        assert eventually(lambda: "Content-Encoding" in own.get(f"/left-{number}.txt", GZIP), 5)


@each([signal.SIGTERM, signal.SIGQUIT])
def the_server_ends_in_the_midst_of_it(server, number):
    """At once, or after the answer; nothing is left behind, which a sanitizer would tell."""
    octets = text("long", 3_000_000)
    server.world.root.write("long.txt", octets)
    own = server.world.serve(block="compress = gzip\n")
    with own.connect() as connection:
        assert connection.get("/short.txt").status == 200
        connection.send(head("GET", "/long.txt", GZIP))
        time.sleep(0.01)
        own.kill(number)
        if number == signal.SIGQUIT:
            assert plain(connection.read_response()) == octets
    own.wait()
    own.stop()


@test
def a_file_that_changes_is_one_version_or_another(server):
    """It is rewritten and replaced while clients ask for it: each answer is one whole version, and a
    tag is of one sequence of octets."""
    root = server.world.root
    versions = [text(f"version {number}", 200_000 + number) for number in range(12)]
    root.write("changing.txt", versions[0])
    own = server.world.serve(settings={"cache_valid": "10ms"}, block="compress = gzip\netag = inode\n")
    done, faults, seen = threading.Event(), [], {}

    def ask():
        while not done.is_set() and not faults:
            answer = own.get("/changing.txt", GZIP)
            body = plain(answer)
            if body not in versions:
                faults.append(answer)
            if seen.setdefault(answer["ETag"], answer.body) != answer.body:
                faults.append((answer, "a tag for other octets"))

    askers = [threading.Thread(target=ask) for _ in range(1 if own.world.engine in ONE_AT_A_TIME else 4)]
    for asker in askers:
        asker.start()
    for octets in versions:
        root.replace("changing.txt", octets)
        time.sleep(0.05)
    done.set()
    for asker in askers:
        asker.join()
    assert not faults, faults[0]
    assert eventually(lambda: plain(own.get("/changing.txt", GZIP)) == versions[-1], 3)


@test
def a_file_that_is_rewritten_in_place_is_seen(server):
    root = server.world.root
    own = server.world.serve(settings={"cache_valid": "50ms"}, block="compress = gzip\n")
    for size in (5_000, 100_000):
        name = f"in-place-{size}.txt"
        for version in "abcabc":
            octets = text(version, size)
            root.write(name, octets)
            assert eventually(lambda: plain(own.get(f"/{name}", GZIP)) == octets, 2.5)


if __name__ == "__main__":
    run(setup)
