"""A proxy in front of the server: its process, and what clients see through any such proxy. It
listens on a unix socket in the test's own folder, so that it needs no port."""

import email
import itertools
import os
import signal
import socket

from client.logged import url
from wire import eventually

START_S = 10
REQUESTS = 200
SIZES = (0, 1, 1024, 16385, 3_000_000)
# How every configuration of nginx begins: in the foreground, with nothing outside of @folder@; "http"
# is to be closed.
NGINX_HEAD = """
daemon off;
worker_processes 1;
pid @folder@/nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path @folder@/body;
    proxy_temp_path @folder@/proxy;
    fastcgi_temp_path @folder@/fastcgi;
    uwsgi_temp_path @folder@/uwsgi;
    scgi_temp_path @folder@/scgi;
"""


class Front:
    """One running proxy."""

    def __init__(self, world, program, arguments, sock):
        self.curl = world.curl
        self.socket = sock
        self.output = os.path.join(world.path, "front.log")
        self.process = program.start(*arguments, output=self.output)
        if not eventually(self._answers, START_S):
            self.stop()
            raise AssertionError(f"{program.path} does not listen: {self.log()}")

    def _answers(self):
        with socket.socket(socket.AF_UNIX) as sock:
            return sock.connect_ex(self.socket) == 0

    def log(self):
        with open(self.output, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(START_S)

    def ask(self, path, *options):
        """curl's (status, fields, body) of one request through the proxy."""
        ran = self.curl("-sS", "-i", "--unix-socket", self.socket, *options,
                        "http://localhost" + path)
        head, _, body = ran.out.partition(b"\r\n\r\n")
        status, _, fields = head.partition(b"\r\n")
        return int(status.split()[1]), email.message_from_bytes(fields), body


def build(world):
    """The files that the functions below ask for."""
    world.files = {f"/file-{size}.bin": world.root.pattern(f"file-{size}.bin", size)
                   for size in SIZES}
    world.root.write("dir/index.html", "<p>index")


def files_are_the_same(front, world):
    for path, data in world.files.items():
        status, fields, body = front.ask(path)
        assert status == 200 and body == data, path
        assert int(fields["Content-Length"]) == len(data), path


def ranges_are_the_same(front, world):
    data = world.files["/file-3000000.bin"]
    for text, part in (("0-99", data[:100]), ("-100", data[-100:]), ("2999900-", data[-100:])):
        status, fields, body = front.ask("/file-3000000.bin", "-r", text)
        assert status == 206 and body == part, text
        assert fields["Content-Range"].endswith("/3000000"), text
    status, fields, _ = front.ask("/file-3000000.bin", "-r", "3000000-")
    assert (status, fields["Content-Range"]) == (416, "bytes */3000000")
    status, fields, body = front.ask("/file-3000000.bin", "-r", "0-0,-1")
    assert status == 206 and fields.get_content_type() == "multipart/byteranges"
    assert len(body) == int(fields["Content-Length"])


def head_has_no_body(front, world):
    for path, data in world.files.items():
        status, fields, body = front.ask(path, "--head")
        assert (status, body) == (200, b"") and int(fields["Content-Length"]) == len(data), path


def conditional_requests_get_304(front, world):
    for path in world.files:
        _, fields, _ = front.ask(path)
        for condition in (f"If-None-Match: {fields['ETag']}",
                          f"If-Modified-Since: {fields['Last-Modified']}"):
            status, again, body = front.ask(path, "-H", condition)
            assert (status, body) == (304, b""), f"{path}, {condition}"
            assert again["ETag"] == fields["ETag"]


def a_redirect_names_no_host(front, _):
    status, fields, _ = front.ask("/dir?a=b")
    assert (status, fields["Location"]) == (301, "/dir/?a=b")


def a_mix_keeps_its_order(front, world):
    """Many requests of all kinds over one client connection. An answer that is longer or shorter
    than announced would put the kept connections behind the proxy out of step."""
    tag = front.ask("/file-1024.bin")[1]["ETag"]
    kinds = [('url = "http://localhost/file-1024.bin"', "200 1024"),
             ('url = "http://localhost/file-16385.bin"\nhead', "200 0"),
             (f'url = "http://localhost/file-1024.bin"\nheader = {quoted(f"If-None-Match: {tag}")}',
              "304 0"),
             ('url = "http://localhost/file-16385.bin"\nrange = "100-299"', "206 200"),
             ('url = "http://localhost/file-16385.bin"', "200 16385"),
             ('url = "http://localhost/file-0.bin"', "200 0"),
             ('url = "http://localhost/dir/"\nrequest = "POST"\ndata = "a=b"', "405"),
             ('url = "http://localhost/none"', "404")]
    asked = list(itertools.islice(itertools.cycle(kinds), REQUESTS))
    path = os.path.join(world.path, "mix.curl")
    common = (f'silent\nshow-error\nunix-socket = "{front.socket}"\noutput = "{os.devnull}"\n'
              'write-out = "%{http_code} %{size_download}\\n"\n')
    with open(path, "w", encoding="utf-8") as file:
        file.write("next\n".join(f"{common}{kind}\n" for kind, _ in asked))
    lines = world.curl("-K", path).text.splitlines()
    assert len(lines) == REQUESTS
    for line, (kind, expected) in zip(lines, asked):
        assert line.startswith(expected), f"{line}, not {expected}, for {kind}"


def quoted(text):
    """Text as curl's configuration file wants it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def address(server):
    """host:port of the server, as proxies write it."""
    return url(server, "").removeprefix("http://")
