#!/usr/bin/python3
"""A site that nobody here made: the manual of Python as Debian packages it, a thousand files,
mirrored and compared, under load, and read in a browser. Prints what it measured."""

import os
import time
import types
import urllib.parse

from client import Program, Skipped, logged, run, serve_logged, test, tree, url
from client.browser import DESKTOP, PHONE, Browser, read_png
from client.load import run_ab, run_wrk

MANUAL = "/usr/share/doc/python3-doc/html"
JAVASCRIPT = "/usr/share/javascript"  # where links out of the manual lead
PAGES = ("/index.html", "/library/asyncio.html", "/library/stdtypes.html")
AB_REQUESTS = 4000
WRK_SECONDS = 5

# Two scripts of the manual are links out of it, which the server refuses. An operator gives them an
# address of their own.
BLOCK = """
    redirect "/_static/jquery.js" { to = "/javascript/jquery/jquery.js" }
    redirect "/_static/underscore.js" { to = "/javascript/underscore/underscore.js" }
    location "/javascript/" { alias = "@javascript@" }
"""


def setup(world):
    if not os.path.isdir(MANUAL):
        raise Skipped(f"no {MANUAL} (Debian package python3-doc)")
    world.manual = types.SimpleNamespace(path=os.path.realpath(MANUAL))
    world.names, world.outward = [], []
    for folder, _, names in os.walk(world.manual.path):
        for name in names:
            path = os.path.join(folder, name)
            inside = os.path.realpath(path).startswith(world.manual.path + "/")
            kept = world.names if inside else world.outward
            if not name.startswith("."):
                kept.append(os.path.relpath(path, world.manual.path))
    return world


def size_of(world, names):
    return sum(os.path.getsize(os.path.join(world.manual.path, name)) for name in names)


@test
def a_mirror_is_the_manual(world):
    """Every file is reached through the listings; links that leave the manual are refused."""
    wget = Program(world, "wget", package="wget")
    server = serve_logged(world, {"autoindex": "on", "index": "{}"}, root=world.manual)
    mirror = os.path.join(world.path, "mirror")
    os.mkdir(mirror)
    started = time.monotonic()
    wget("-nv", "-r", "-l", "inf", "-np", "-nH", "--no-iri", "-e", "robots=off",
         "--default-page=.listing", "--restrict-file-names=unix,nocontrol",
         "--reject-regex=[?]", url(server), cwd=mirror, status=None)
    seconds = time.monotonic() - started
    left_out = [os.path.basename(name) for name in world.outward]
    tree.compare(world, world.manual, mirror, ".*", *left_out)
    for name in world.outward:
        assert server.get("/" + name).status in (403, 404), name
    requests = [entry for entry in logged(server) if not entry.target.endswith("/")]
    got = [entry for entry in requests if entry.status == 200]
    assert len(got) >= len(world.names)
    print(f"     wget: {len(world.names)} files, {size_of(world, world.names)} octets, "
          f"{seconds:.2f} s, no difference; {len(world.outward)} links out of it refused")


@test
def every_link_of_the_manual_is_followed(world):
    """The other way to mirror it: from its front page, by the links in the pages."""
    wget = Program(world, "wget", package="wget")
    server = serve_logged(world, root=world.manual)
    started = time.monotonic()
    wget("-nv", "-r", "-l", "inf", "-np", "-nH", "-e", "robots=off", "--delete-after", url(server),
         cwd=world.path, status=None)
    seconds = time.monotonic() - started
    requests = logged(server)
    refused = {urllib.parse.unquote(entry.target[1:]) for entry in requests
               if entry.status not in (200, 304)}
    missing = {name for name in refused
               if os.path.isfile(os.path.join(world.manual.path, name.partition("?")[0]))}
    assert missing <= set(world.outward), missing
    got = sum(entry.status == 200 for entry in requests)
    assert got > len(world.names) // 2, got
    print(f"     wget by links: {got} files, {sum(entry.size for entry in requests)} octets, "
          f"{seconds:.2f} s; refused: {', '.join(sorted(refused)) or 'none'}")


@test
def ab_on_pages(world):
    ab = Program(world, "ab", package="apache2-utils")
    server = world.serve(root=world.manual)
    for page in PAGES:
        found = run_ab(ab, "-k", "-n", str(AB_REQUESTS), "-c", "8", url(server, page))
        assert (found.requests, found.not_2xx, found.kept) == (AB_REQUESTS, 0, AB_REQUESTS), page
        assert found.octets == AB_REQUESTS * size_of(world, [page[1:]]), page
        print(f"     ab -k {page}: {found.requests} requests, {found.octets} octets, "
              f"{found.seconds:.2f} s, {found.per_second:.0f} requests/s, no error")


@test
def wrk_on_every_file(world):
    wrk = Program(world, "wrk", package="wrk")
    server = world.serve(root=world.manual)
    targets = ",\n".join(f'"/{urllib.parse.quote(name)}"' for name in sorted(world.names))
    script = f"""
        local targets, next_one = {{{targets}}}, 0
        function request()
            next_one = next_one % #targets + 1
            return wrk.format("GET", targets[next_one])
        end
    """
    found = run_wrk(wrk, url(server), "-t1", "-c8", script=script, seconds=WRK_SECONDS)
    print(f"     wrk on all files in turn: {found.requests} requests, {WRK_SECONDS} s, "
          f"{found.per_second:.0f} requests/s, no error")


@test
def the_manual_in_a_browser(world):
    browser = Browser(world)
    block = BLOCK.replace("@javascript@", JAVASCRIPT)
    server = serve_logged(world, block=block, root=world.manual)
    for path in ("/", "/library/asyncio.html"):
        page = browser.load(url(server, path))
        assert "</h1>" in page.dom and "Python" in page.dom, path
        assert all(address.startswith(url(server)) for _, address in page.requests), page.requests
    for path, name, size in (("/", "index-desktop", DESKTOP), ("/", "index-phone", PHONE),
                             ("/library/asyncio.html", "asyncio-desktop", DESKTOP)):
        picture = read_png(browser.picture(url(server, path), "python3-doc-" + name, size))
        assert (picture.width, picture.height) == size and picture.weight > 20_000, name
    requests = logged(server)
    assert {entry.status for entry in requests} <= {200, 301, 304}, requests
    with open(os.path.join(MANUAL, "index.html"), encoding="utf-8") as file:
        wants_script = "_static/jquery.js" in file.read()  # that of Python 3.13 does without
    assert not wants_script or any(
        entry.target == "/javascript/jquery/jquery.js" and entry.status == 200
        for entry in requests), "the script behind a redirect"
    print(f"     Chromium: {len(requests)} requests, none failed")


if __name__ == "__main__":
    run(setup)
