#!/usr/bin/python3
"""Who the client is, as proxies tell it that nobody here wrote: HAProxy by PROXY headers and by
X-Forwarded-For, nginx by X-Forwarded-For and X-Real-IP, lighttpd by Forwarded; and curl, which can
begin a connection as a proxy does."""

import os
import re
import socket

from client import Program, Skipped, eventually, front, logged, run, serve_logged, test, url
from client.front import Front

PROXIED = """
trusted = {"127.0.0.1", "127.0.0.8", "unix:"}
server "localhost" { listen = {"@listen@ proxy_protocol"} root = "@root@" }
"""
BELIEVED = """
real_ip_from = {"127.0.0.1"}
real_ip_header = %s
server "localhost" { listen = {"@listen@"} root = "@root@" }
"""
HAPROXY = """
global
    log stderr local0 notice
defaults
    mode @mode@
    timeout connect 5s
    timeout client 10s
    timeout server 10s
    @option@
frontend front
    bind unix@@folder@/front.sock mode 666
    bind 127.0.0.1:@port@
    bind [::1]:@port@
    default_backend gearshift
backend gearshift
    @backend@
    server only @server@ @tls@ @with@
"""
NGINX = """
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
    upstream gearshift { server @server@; keepalive 4; }
    server {
        listen unix:@folder@/front.sock;
        listen 127.0.0.1:@port@;
        listen [::1]:@port@;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Real-IP $remote_addr;
        location / { proxy_pass @scheme@://gearshift; }
    }
}
"""
LIGHTTPD = """
server.document-root = "@folder@"
server.port = @port@
server.bind = "127.0.0.1"
server.modules = ("mod_proxy")
$SERVER["socket"] == "@folder@/front.sock" { }
proxy.forwarded = ("for" => 1, "proto" => 1, "host" => 1, "by" => 1)
proxy.server = ("" => (("host" => "@host@", "port" => "@server_port@")))
"""
SPOOFED = ("-H", "X-Forwarded-For: 6.6.6.6", "-H", "X-Real-IP: 6.6.6.6", "-H",
           'Forwarded: for="6.6.6.6')


def setup(world):
    world.curl = Program(world, "curl", package="curl")
    front.build(world)
    return world


def free_port():
    """A port that nobody has now, in both families."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Proxy(Front):
    """A proxy in front of a server, in a folder of its own. It listens on TCP as well, so that
    clients have addresses."""

    def __init__(self, world, name, package, server, text, **words):
        program = Program(world, name, package=package)
        self.port = free_port()
        host, port = server.addresses[0]
        folder = os.path.join(world.path, f"{name}-{self.port}")
        os.mkdir(folder)
        os.chmod(folder, 0o755)
        words |= {"folder": folder, "port": self.port, "server": f"{host}:{port}", "host": host,
                  "server_port": port, "scheme": "https" if world.tls else "http",
                  "tls": "ssl verify none" if world.tls else ""}
        path = os.path.join(folder, f"{name}.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(re.sub(r"@(\w+)@(?!folder)", lambda match: str(words[match[1]]),
                              text.replace("unix@@folder@", "unix@" + folder)))
        arguments = {"haproxy": ["-db", "-f", path], "lighttpd": ["-D", "-f", path],
                     "nginx": ["-p", folder, "-e", "stderr", "-c", path]}[name]
        super().__init__(world, program, arguments, os.path.join(folder, "front.sock"))

    def get(self, path, source, *options):
        """The octets that curl, at an address of this machine, brings through the proxy."""
        host = f"[{source}]" if ":" in source else "127.0.0.1"
        return self.curl("-sS", "--fail", "--interface", source, *options,
                         f"http://{host}:{self.port}{path}").out


def haproxy(world, server, mode="tcp", option="", backend="", given=""):
    return Proxy(world, "haproxy", "haproxy", server, HAPROXY, mode=mode, option=option,
                 backend=backend, **{"with": given})


def peers(server):
    """Target and client of each request."""
    return [(entry.target, entry.peer) for entry in logged(server)]


@test
def haproxy_sends_headers_of_both_versions(world):
    for given in ("send-proxy", "send-proxy-v2", "send-proxy-v2-ssl", "send-proxy-v2-ssl-cn",
                  "send-proxy-v2 proxy-v2-options crc32c",
                  "send-proxy-v2 proxy-v2-options crc32c,ssl,cert-cn,unique-id,authority"):
        server = serve_logged(world, conf=PROXIED)
        proxy = haproxy(world, server, given=given)
        try:
            for source in ("127.0.0.5", "127.0.0.6", "::1"):
                data = proxy.get("/file-16385.bin", source, *SPOOFED)
                assert data == world.files["/file-16385.bin"], given
            assert proxy.ask("/file-1.bin")[2] == world.files["/file-1.bin"], given
        finally:
            proxy.stop()
        clients = [peer for _, peer in peers(server)]
        assert clients[:3] == ["127.0.0.5", "127.0.0.6", "::1"], f"{given}: {clients}"
        # Of a client at its own unix socket it tells nothing.
        assert clients[3] == "127.0.0.1", f"{given}: {clients}"
        assert "PROXY" not in server.stderr(), server.stderr()


@test
def haproxy_without_a_header_is_told(world):
    server = serve_logged(world, conf=PROXIED)
    proxy = haproxy(world, server)
    try:
        ran = world.curl("-sS", f"http://127.0.0.1:{proxy.port}/file-1.bin", status=None)
        assert ran.status != 0
    finally:
        proxy.stop()
    assert eventually(lambda: "PROXY header missing: a connection from 127.0.0.1"
                      in server.stderr(), 5), server.stderr()


@test
def haproxy_checks_health_with_a_local_header(world):
    server = serve_logged(world, conf=PROXIED)
    proxy = haproxy(world, server, backend="option httpchk GET /file-0.bin",
                    given="send-proxy-v2 check check-send-proxy inter 100ms")
    try:
        assert proxy.get("/file-1.bin", "127.0.0.5") == world.files["/file-1.bin"]
        assert eventually(lambda: "/file-0.bin" in open(server.access_log, encoding="ascii").read(),
                          10)
    finally:
        proxy.stop()
    found = set(peers(server))
    assert found == {("/file-0.bin", "127.0.0.1"), ("/file-1.bin", "127.0.0.5")}, found


@test
def haproxy_shares_kept_connections_between_clients(world):
    server = serve_logged(world, conf=BELIEVED % "X-Forwarded-For")
    proxy = haproxy(world, server, mode="http", option="option forwardfor",
                    backend="http-reuse always")
    sources = [f"127.0.0.{number}" for number in (5, 6, 7)] * 5
    try:
        for number, source in enumerate(sources):
            assert proxy.get(f"/file-1.bin?{number}", source, *SPOOFED) == \
                world.files["/file-1.bin"]
    finally:
        proxy.stop()
    assert peers(server) == [(f"/file-1.bin?{number}", source)
                             for number, source in enumerate(sources)]


@test
def nginx_names_the_client_in_fields(world):
    for field in ("X-Forwarded-For", "X-Real-IP"):
        server = serve_logged(world, conf=BELIEVED % field)
        proxy = Proxy(world, "nginx", "nginx-light", server, NGINX)
        try:
            for source in ("127.0.0.5", "::1", "127.0.0.6"):
                assert proxy.get("/file-1024.bin", source, *SPOOFED) == \
                    world.files["/file-1024.bin"]
        finally:
            proxy.stop()
        assert [peer for _, peer in peers(server)] == ["127.0.0.5", "::1", "127.0.0.6"], field


@test
def lighttpd_names_the_client_in_forwarded(world):
    if world.tls:
        raise Skipped("lighttpd speaks no TLS to servers behind it")
    server = serve_logged(world, conf=BELIEVED % "Forwarded")
    proxy = Proxy(world, "lighttpd", "lighttpd", server, LIGHTTPD)
    try:
        for source in ("127.0.0.5", "127.0.0.6"):
            assert proxy.get("/file-1024.bin", source, *SPOOFED) == world.files["/file-1024.bin"]
    finally:
        proxy.stop()
    assert [peer for _, peer in peers(server)] == ["127.0.0.5", "127.0.0.6"]


@test
def curl_begins_as_a_proxy(world):
    server = serve_logged(world, conf=PROXIED)
    for source in ("127.0.0.1", "127.0.0.8"):
        data = world.curl("-sS", "--fail", "--haproxy-protocol", "--interface", source,
                          url(server, "/file-16385.bin")).out
        assert data == world.files["/file-16385.bin"]
    ran = world.curl("-sS", "--haproxy-protocol", "--interface", "127.0.0.9",
                     url(server, "/file-1.bin"), status=None)
    assert ran.status != 0 and not ran.out
    assert [peer for _, peer in peers(server)] == ["127.0.0.1", "127.0.0.8"]
    assert "PROXY header refused: a connection from 127.0.0.9" in server.stderr()


@test
def curl_names_another_client(world):
    if "--haproxy-clientip" not in world.curl("--help", "all").text:
        raise Skipped("this curl has no --haproxy-clientip (8.2 has)")
    server = serve_logged(world, conf=PROXIED)
    for client in ("192.0.2.1", "2001:db8::1"):
        world.curl("-sS", "--fail", "--haproxy-clientip", client, url(server, "/file-1.bin"))
    assert [peer for _, peer in peers(server)] == ["192.0.2.1", "2001:db8::1"]


if __name__ == "__main__":
    run(setup)
