#!/usr/bin/python3
"""curl: whole files, resumed, partial, conditional, compressed and parallel ones, uploads that are
turned down, kept connections, and the kinds of address."""

import email
import gzip
import os
import socket
import struct

from client import Program, Skipped, http_date, logged, run, scheme, serve_logged, test, url

MTIME_S = 1704164645  # 2 January 2024
SIZES = (0, 1, 16384, 16385, 5_000_000)
PAGE = b"".join(b"line %d of a page that compresses well\n" % index for index in range(1000))
ALL_CODINGS = {"precompressed": '{"zstd", "br", "gzip"}'}


def brotli(data):
    """A brotli stream that holds `data` as one uncompressed meta-block (RFC 7932 section 9)."""
    assert 0 < len(data) <= 65536
    return (1 << 20 | len(data) - 1 << 4).to_bytes(3, "little") + data + b"\x03"


def zstd(data):
    """A Zstandard frame that holds `data` as one raw block (RFC 8878 section 3.1)."""
    assert 0 < len(data) <= 1 << 17
    return (b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(data))
            + (len(data) << 3 | 1).to_bytes(3, "little") + data)


def setup(world):
    root = world.root
    world.curl = Program(world, "curl", package="curl")
    world.files = {f"file-{size}.bin": root.pattern(f"file-{size}.bin", size) for size in SIZES}
    world.large = world.files["file-5000000.bin"]
    root.write("dir/index.html", "<p>index")
    world.many = {f"many/{index}.bin": root.pattern(f"many/{index}.bin", index * 997)
                  for index in range(1, 51)}
    world.sidecars = {"zstd": zstd(PAGE), "br": brotli(PAGE), "gzip": gzip.compress(PAGE)}
    for coding, suffix in (("zstd", ".zst"), ("br", ".br"), ("gzip", ".gz")):
        for name in (f"only-{coding}.txt", "all.txt"):
            root.write(name, PAGE)
            root.write(name + suffix, world.sidecars[coding])
    world.server = world.serve(settings=ALL_CODINGS)
    world.local = os.path.join(world.path, "local")
    os.mkdir(world.local)
    return world


def get(world, path, *options, **more):
    """The octets that curl brings."""
    return world.curl("-sS", "--fail", *options, url(world.server, path), **more).out


def code(world, path, *options):
    """The status that curl got, and the octets of body."""
    ran = world.curl("-sS", "-w", "%{stderr}%{http_code}", *options, url(world.server, path))
    return int(ran.err), ran.out


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


@test
def whole_files(world):
    for name, data in world.files.items():
        assert get(world, "/" + name) == data, name


@test
def a_cut_download_is_resumed(world):
    size = 64 << 20
    world.root.sparse("slow.bin", size, {place: b"%x" % place for place in range(0, size, 65521)})
    path = os.path.join(world.local, "resumed.bin")
    get(world, "/slow.bin", "-o", path, "--limit-rate", "16M", "--max-time", "1",
        status=28)  # CURLE_OPERATION_TIMEDOUT
    assert 0 < os.path.getsize(path) < size, "it was not cut"
    get(world, "/slow.bin", "-o", path, "-C", "-")
    assert read(path) == read(world.root.at("slow.bin"))


@test
def a_resumed_download_asks_only_for_the_rest(world):
    server = serve_logged(world)
    path = os.path.join(world.local, "rest.bin")
    for have in (1, 16384, 4_999_999):
        write(path, world.large[:have])
        world.curl("-sS", "--fail", "-C", "-", "-o", path, url(server, "/file-5000000.bin"))
        assert read(path) == world.large, have
    assert [(entry.status, entry.size) for entry in logged(server)] == [
        (206, 4_999_999), (206, 4_983_616), (206, 1)]


@test
def a_complete_download_stays_as_it_is(world):
    path = os.path.join(world.local, "complete.bin")
    write(path, world.large)
    assert code(world, "/file-5000000.bin", "-o", path, "-C", "-")[0] == 416  # "no more than that"
    assert read(path) == world.large


@test
def single_ranges(world):
    data = world.large
    for text, part in (("0-99", data[:100]), ("-100", data[-100:]), ("4999900-", data[4999900:]),
                       ("16383-16384", data[16383:16385]), ("0-9999999999", data)):
        assert code(world, "/file-5000000.bin", "-r", text) == (206, part), text
    assert code(world, "/file-5000000.bin", "-r", "5000000-")[0] == 416


@test
def several_ranges(world):
    ran = world.curl("-sS", "--fail", "-i", "-r", "0-9,100-109,-10",
                     url(world.server, "/file-5000000.bin"))
    status, _, rest = ran.out.partition(b"\r\n")
    assert status == b"HTTP/1.1 206 Partial Content"
    message = email.message_from_bytes(rest)
    assert message.get_content_type() == "multipart/byteranges"
    assert int(message["Content-Length"]) == len(rest.partition(b"\r\n\r\n")[2])
    found = [(part["Content-Range"], part.get_payload(decode=True))
             for part in message.get_payload()]
    assert found == [("bytes 0-9/5000000", world.large[:10]),
                     ("bytes 100-109/5000000", world.large[100:110]),
                     ("bytes 4999990-4999999/5000000", world.large[-10:])]


@test
def conditional_by_date(world):
    """curl itself drops what is not new enough: only the log shows who decided."""
    server = serve_logged(world)
    path = os.path.join(world.local, "dated.html")
    for condition in (http_date(MTIME_S), http_date(MTIME_S - 1), "-" + http_date(MTIME_S + 1),
                      "-" + http_date(MTIME_S - 1)):
        world.curl("-sS", "-z", condition, "-R", "-o", path, url(server, "/dir/index.html"))
        if condition == http_date(MTIME_S - 1):
            assert read(path) == b"<p>index" and int(os.path.getmtime(path)) == MTIME_S
    write(path, b"<p>index")
    os.utime(path, (MTIME_S, MTIME_S))
    world.curl("-sS", "-z", path, "-o", path, url(server, "/dir/index.html"))
    assert read(path) == b"<p>index"
    assert [entry.status for entry in logged(server)] == [304, 200, 200, 412, 304]


@test
def conditional_by_entity_tag(world):
    saved = os.path.join(world.local, "etag")
    world.root.write("tagged.txt", "one")
    assert code(world, "/tagged.txt", "--etag-save", saved) == (200, b"one")
    assert read(saved).startswith(b'"')
    assert code(world, "/tagged.txt", "--etag-compare", saved) == (304, b"")
    world.root.replace("new.txt", "other")
    assert code(world, "/new.txt", "--etag-compare", saved) == (200, b"other")


@test
def compressed(world):
    for name in ("only-zstd.txt", "only-br.txt", "only-gzip.txt", "all.txt"):
        assert get(world, "/" + name, "--compressed") == PAGE, name
        assert get(world, "/" + name) == PAGE, name


@test
def the_compressed_octets_are_those_of_the_sidecar(world):
    for coding, sidecar in world.sidecars.items():
        field = f"Accept-Encoding: {coding}"
        assert get(world, "/all.txt", "-H", field) == sidecar, coding
        assert get(world, f"/only-{coding}.txt", "-H", field) == sidecar, coding
    assert get(world, "/only-br.txt", "-H", "Accept-Encoding: gzip") == PAGE


@test
def what_the_server_compresses_is_read(world):
    """Each coding by its own library, a short text and one of several blocks, kept and made."""
    features = world.curl("-V").out.decode()
    long = b"".join(b"line %d of %d\n" % (index, index * index % 9973) for index in range(30_000))
    world.root.write("page.css", PAGE)
    world.root.write("long.css", long)
    server = world.serve(settings={"compress": '{"zstd", "br", "gzip"}'})
    for coding, feature in (("zstd", "zstd"), ("br", "brotli"), ("gzip", "libz")):
        if feature not in features:
            print(f"# skipped: this curl has no {coding}")
            continue
        for name, octets in (("page.css", PAGE), ("long.css", long)) * 2:
            ran = world.curl("-sS", "--fail", "--compressed", "-H", f"Accept-Encoding: {coding}",
                             "-w", "%{stderr}%{size_download} %header{content-encoding}",
                             url(server, f"/{name}"))
            size, made = ran.err.split()
            assert ran.out == octets and made == coding and int(size) < len(octets) / 2
    ran = world.curl("-sS", "--fail", "--compressed", url(server, "/long.css"))
    assert ran.out == long


@test
def fifty_files_in_parallel(world):
    folder = os.path.join(world.local, "parallel")
    get(world, "/many/[1-50].bin", "-Z", "--parallel-max", "10", "--create-dirs",
        "-o", folder + "/many/#1.bin")
    for name, data in world.many.items():
        assert read(os.path.join(folder, name)) == data, name


@test
def an_upload_that_is_too_large_is_refused_at_once(world):
    """2 MB are above the default body_max: 413 in place of 100, and no octet of them is asked for.
    The connection is of no further use, and curl knows."""
    body = os.path.join(world.local, "body.bin")
    write(body, bytes(2_000_000))
    ran = world.curl("-sSv", "--expect100-timeout", "30", "-T", body, url(world.server, "/up.bin"),
                     "--next", "-sS", "-w", "\n%{http_code} %{num_connects}",
                     url(world.server, "/file-1.bin"))
    assert "> Expect: 100-continue" in ran.err and "< HTTP/1.1 413 " in ran.err, ran
    assert "HTTP/1.1 100" not in ran.err and "Connection: close" in ran.err, ran
    assert ran.out.endswith(world.files["file-1.bin"] + b"\n200 1"), ran


@test
def an_upload_that_waits_for_100_is_refused_at_once(world):
    """405 in place of 100, and no octet is sent for nothing. The connection closes, and curl knows."""
    body = os.path.join(world.local, "body.bin")
    write(body, bytes(2_000_000))
    server = serve_logged(world, settings={"body_max": "4m"})
    for method in ("PUT", "POST"):
        ran = world.curl("-sSv", "--expect100-timeout", "30", "-X", method, "-T", body,
                         url(server, "/up.bin"), "--next", "-sS", "-w",
                         "\n%{http_code} %{num_connects}", url(server, "/file-1.bin"))
        assert "> Expect: 100-continue" in ran.err and "< HTTP/1.1 405 " in ran.err, ran
        assert "HTTP/1.1 100" not in ran.err and "Connection: close" in ran.err, ran
        assert ran.out.endswith(world.files["file-1.bin"] + b"\n200 1"), ran
    assert [(entry.method, entry.status) for entry in logged(server)] == [
        ("PUT", 405), ("GET", 200), ("POST", 405), ("GET", 200)]


@test
def an_upload_that_does_not_wait_is_read_and_answered_405(world):
    """The body is read to its end, so the connection can serve the next request."""
    body = os.path.join(world.local, "body.bin")
    write(body, b"GET /dir/ HTTP/1.1\r\nHost: x\r\n\r\n" * 62_500)  # not to be taken for requests
    server = serve_logged(world, settings={"body_max": "4m"})
    for method in ("PUT", "POST"):
        ran = world.curl("-sSv", "-H", "Expect:", "-X", method, "-T", body,
                         url(server, "/up.bin"), "--next", "-sS", "-w",
                         "\n%{http_code} %{num_connects}", url(server, "/file-1.bin"))
        assert "< HTTP/1.1 405 " in ran.err, ran
        assert ran.out.endswith(world.files["file-1.bin"] + b"\n200 0"), ran
    assert [(entry.method, entry.status) for entry in logged(server)] == [
        ("PUT", 405), ("GET", 200), ("POST", 405), ("GET", 200)]


@test
def a_chunked_upload_is_read_and_answered_405(world):
    body = os.path.join(world.local, "chunked.bin")
    write(body, bytes(300_000))
    ran = world.curl("-sS", "-H", "Transfer-Encoding: chunked", "-H", "Expect:", "-T", body,
                     "-o", os.devnull, "-w", "%{http_code} ", url(world.server, "/up.bin"), "--next", "-sS",
                     "-o", os.devnull, "-w", "%{http_code} %{num_connects}",
                     url(world.server, "/file-1.bin"))
    assert ran.text == "405 200 0", ran


@test
def head(world):
    page = url(world.server, "/file-5000000.bin")
    ran = world.curl("-sS", "-I", page, "--next", "-sS", "-r", "0-9", "-w", "\n%{num_connects}",
                     page)
    fields, _, rest = ran.text.partition("\r\n\r\n")
    assert fields.startswith("HTTP/1.1 200 OK\r\n"), ran
    assert "\r\nContent-Length: 5000000" in fields and "\r\nAccept-Ranges: bytes" in fields, ran
    assert rest == world.large[:10].decode() + "\n0", "no range over the same connection"


@test
def http_1_0(world):
    for name, data in world.files.items():
        assert get(world, "/" + name, "--http1.0") == data, name
    page = url(world.server, "/file-1.bin")
    counts = ["-sS", "-o", os.devnull, "-o", os.devnull, "-w", "%{num_connects} ", page, page]
    assert world.curl("--http1.0", *counts).text == "1 1 "
    assert world.curl("--http1.0", "-H", "Connection: keep-alive", *counts).text == "1 0 "


@test
def a_connection_is_kept(world):
    ran = world.curl("-sS", "-o", os.devnull, "-o", os.devnull,
                     "-w", "%{http_code} %{num_connects}\n",
                     url(world.server, "/many/[1-50].bin"), url(world.server, "/none/[1-5]"))
    assert ran.text.split("\n")[:-1] == ["200 1"] + ["200 0"] * 49 + ["404 0"] * 5


@test
def a_unix_socket(world):
    path = os.path.join(world.logs.path, "server.sock")
    server = world.serve(arguments=["--listen", "unix:" + path])
    for name, data in world.files.items():
        ran = world.curl("-sS", "--fail", "--unix-socket", path,
                         f"{scheme(server)}://localhost/{name}")
        assert ran.out == data, name


@test
def ipv6(world):
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError as error:
        raise Skipped(f"no IPv6 on this machine: {error}") from None
    server = world.serve(arguments=["--listen", "[::1]:0"])
    ran = world.curl("-sS", "--fail", "-g", url(server, "/file-16385.bin"))
    assert ran.out == world.files["file-16385.bin"]


@test
def dot_segments(world):
    """curl removes them by itself; as they are, they never leave the root."""
    assert code(world, "/dir/../../../dir/index.html") == (200, b"<p>index")
    assert code(world, "/dir/../dir/./index.html", "--path-as-is") == (200, b"<p>index")
    for path in ("/../etc/passwd", "/dir/../../etc/passwd", "/dir/%2e%2e/%2e%2e/etc/passwd"):
        status, body = code(world, path, "--path-as-is")
        assert status == 400 and b"root:" not in body, path


@test
def a_directory_redirects(world):
    ran = world.curl("-sS", "-L", "-w", "\n%{num_redirects} %{num_connects} %{url_effective}",
                     url(world.server, "/dir?a=b&c"))
    assert ran.text == f"<p>index\n1 1 {url(world.server, '/dir/?a=b&c')}", ran


if __name__ == "__main__":
    run(setup)
