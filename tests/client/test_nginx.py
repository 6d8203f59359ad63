#!/usr/bin/python3
"""nginx in front of the server: a reverse proxy that keeps its connections, and a cache that
revalidates."""

import os
import re

from client import Program, eventually, front, logged, run, serve_logged, test
from client.front import NGINX_HEAD, Front
from client.relay import Relay

KEPT_MAX = 4

CONFIGURATION = NGINX_HEAD + """    proxy_cache_path @folder@/cache keys_zone=files:1m use_temp_path=off;
    upstream gearshift {
        server @server@;
        keepalive @kept@;
    }
    server {
        listen unix:@folder@/front.sock;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        location / { proxy_pass http://gearshift; }
        location /cached/ {
            proxy_pass http://gearshift/;
            proxy_cache files;
            proxy_cache_revalidate on;
            proxy_cache_valid 200 3s;
            add_header X-Cache $upstream_cache_status;
        }
    }
}
"""


def start(world, server):
    """Starts an nginx of our own in front of the server, in a folder of its own."""
    folder = os.path.join(world.path, f"nginx-{server.port}")
    os.mkdir(folder)
    os.chmod(folder, 0o755)
    text = CONFIGURATION.replace("@folder@", folder).replace("@kept@", str(KEPT_MAX))
    path = os.path.join(folder, "nginx.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("@server@", front.address(server)))
    return Front(world, world.nginx, ["-p", folder, "-e", "stderr", "-c", path],
                 os.path.join(folder, "front.sock"))


def setup(world):
    world.nginx = Program(world, "nginx", package="nginx-light")
    world.curl = Program(world, "curl", package="curl")
    front.build(world)
    return world


def through(world, *checks):
    """Makes these checks through an nginx; the requests that reached the server."""
    server = serve_logged(world)
    proxy = start(world, server)
    try:
        for check in checks:
            check(proxy, world)
        assert not re.search(r"\[(error|crit|alert|emerg)\]", proxy.log()), proxy.log()
    finally:
        proxy.stop()
    return logged(server)


@test
def files(world):
    through(world, front.files_are_the_same, front.ranges_are_the_same)


@test
def heads_conditions_and_redirects(world):
    through(world, front.head_has_no_body, front.conditional_requests_get_304,
            front.a_redirect_names_no_host)


@test
def two_hundred_requests_over_kept_connections(world):
    server = serve_logged(world)
    relay = Relay(server)
    proxy = start(world, relay)
    try:
        front.a_mix_keeps_its_order(proxy, world)
    finally:
        proxy.stop()
        relay.close()
    assert relay.connections <= KEPT_MAX, f"{relay.connections} connections"
    assert len(logged(server)) == front.REQUESTS + 1


def cache_says(proxy, path, *options):
    status, fields, body = proxy.ask("/cached" + path, *options)
    return fields["X-Cache"], status, body


def a_file_is_revalidated(proxy, world):
    path, data = "/file-16385.bin", world.files["/file-16385.bin"]
    assert cache_says(proxy, path) == ("MISS", 200, data)
    assert cache_says(proxy, path) == ("HIT", 200, data)
    assert cache_says(proxy, path, "-r", "10-19") == ("HIT", 206, data[10:20])
    # proxy_cache_valid is over after three to four seconds; until then these are hits.
    assert eventually(lambda: cache_says(proxy, path) == ("REVALIDATED", 200, data), 15)


def a_changed_file_is_seen(proxy, world):
    world.root.write("changing.txt", "old")
    assert cache_says(proxy, "/changing.txt") == ("MISS", 200, b"old")
    world.root.replace("changing.txt", "newer")  # of the same time, which is what a tag is made of, beside the size
    assert eventually(lambda: cache_says(proxy, "/changing.txt")[2] == b"newer", 15)


@test
def a_cache_that_revalidates(world):
    requests = through(world, a_file_is_revalidated)
    assert [(entry.method, entry.status) for entry in requests] == [("GET", 200), ("GET", 304)]


@test
def a_cache_that_learns_of_a_change(world):
    requests = through(world, a_changed_file_is_seen)
    assert requests[0].status == requests[-1].status == 200


if __name__ == "__main__":
    run(setup)
