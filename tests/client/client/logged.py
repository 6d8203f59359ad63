"""A server's address, and what its access log tells of the requests it got."""

import json
import os
import types


def scheme(server):
    return "https" if server.context else "http"


def url(server, path="/"):
    """The address of a path on a server that listens on TCP."""
    host, port = server.addresses[0]
    return f"{scheme(server)}://{f'[{host}]' if ':' in host else host}:{port}{path}"


def serve_logged(world, settings=None, **options):
    """Starts a server that keeps an access log of its own."""
    number = len(os.listdir(world.logs.path))
    path = os.path.join(world.logs.path, f"access-{number}.json")
    settings = {**(settings or {}), "access_log": path, "access_log_format": "json"}
    server = world.serve(settings=settings, **options)
    server.access_log = path
    return server


def logged(server):
    """Stops the server; every request in order: method, target, status, size (of the body), peer
    (the client's address)."""
    server.stop()
    requests = []
    with open(server.access_log, encoding="utf-8") as file:
        for line in file:
            entry = json.loads(line)
            method, target, _ = entry["request"].split(" ")
            requests.append(types.SimpleNamespace(
                method=method, target=target, status=entry["status"], size=entry["body_bytes"],
                peer=entry["peer"]))
    return requests
