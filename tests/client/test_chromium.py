#!/usr/bin/python3
"""Chromium loads the project's own site by the server.conf that is shipped with it: it works, it
needs nothing from elsewhere, and it has a dark side. Its pictures stay, to be looked at."""

import collections
import html
import html.parser
import os
import re
import urllib.parse

from client import logged, run, serve_logged, test, url
from client.browser import DESKTOP, PHONE, Browser, read_png
from client.own_site import PROJECT, shipped_configuration

SIZES = {"phone": (PHONE[0], 6900), "desktop": (DESKTOP[0], 3700)}  # tall enough for all of it

# The front page shows what the server can do: these, among its requests, have to "fail".
SHOWN = {("GET", "/style.css", 206), ("GET", "/style.css", 416), ("GET", "/no/such/page", 404)}


def setup(world):
    world.browser = Browser(world)
    return world


def serve(world):
    """A server by the shipped configuration, with a log of its own."""
    return serve_logged(world, conf=shipped_configuration())


def pages():
    """The paths of all pages of the site."""
    root = os.path.join(PROJECT, "www")
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            if name.endswith(".html"):
                yield "/" + os.path.relpath(os.path.join(folder, name), root)


class Links(html.parser.HTMLParser):
    """Collects what a page refers to, what it loads, and the names of its places."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loaded, self.ids = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids.add(attrs.get("id"))
        if tag == "a" and "href" in attrs:
            self.links.append(attrs["href"])
        elif tag == "link":
            self.loaded.append(attrs["href"])
        self.loaded += [attrs[name] for name in ("src", "poster", "data") if name in attrs]


@test
def the_page_names_the_engine_that_served_it(world):
    server = serve(world)
    field = server.get("/")["Server-Timing"]
    engine = re.fullmatch(r'engine;desc="([^"]+)"', field)[1]
    assert engine == server.argv[server.argv.index("--engine") + 1]
    dom = world.browser.load(url(server)).dom
    shown = re.search(r'id="engine"[^>]*>([^<]*)<', dom)
    assert shown and html.unescape(shown[1]) == engine, dom
    assert re.search(r"<h1>[^<]", dom) and "</html>" in dom, "not a whole page"


@test
def the_page_finds_its_own_requests_answered_well(world):
    dom = world.browser.load(url(serve(world))).dom
    asked = len(re.findall(r"data-request=", dom))
    assert asked >= 5 and dom.count('class="ok"') == asked, dom
    assert 'class="off"' not in dom, dom


@test
def every_resource_comes_from_the_server_and_arrives(world):
    server = serve(world)
    page = world.browser.load(url(server))
    assert len(page.requests) > 3, page.requests
    for method, address in page.requests:
        assert address.startswith(url(server)), f"{method} {address} is somewhere else"
    requests = {(entry.method, entry.target, entry.status) for entry in logged(server)}
    faults = {request for request in requests if request[2] not in (200, 304)} - SHOWN
    assert not faults, faults
    targets = collections.Counter(target for _, target, _ in requests)
    for needed in ("/", "/style.css", "/app.js", "/favicon.svg"):
        assert targets[needed], f"{needed} was not asked for"


@test
def every_other_page_loads_without_a_fault(world):
    for path in pages():
        if path in ("/index.html", "/404.html"):
            continue
        server = serve(world)
        page = world.browser.load(url(server, path))
        assert "<h1" in page.dom, path
        assert all(address.startswith(url(server)) for _, address in page.requests), path
        assert {entry.status for entry in logged(server)} <= {200, 304}, path


@test
def every_link_leads_somewhere(world):
    server = serve(world)
    seen = 0
    for path in pages():
        page = Links(server.get(path).body.decode())
        for link in page.links + page.loaded:
            target = urllib.parse.urlsplit(urllib.parse.urljoin(path, link))
            if target.scheme or target.netloc:
                assert link in page.links, f"{path} loads {link} from elsewhere"
                continue
            answer = server.get(target.path)
            assert answer.status == 200, f"{path} refers to {link}: {answer.status}"
            if target.fragment:
                assert target.fragment in Links(answer.body.decode()).ids, f"{path}: {link}"
            seen += 1
    assert seen > 10, "hardly a link"


@test
def pictures_on_a_phone_and_a_desktop_in_light_and_dark(world):
    if world.tls:
        return  # they look the same
    server = serve(world)
    for place, size in SIZES.items():
        brightness = {}
        for mode in ("light", "dark"):
            path = world.browser.picture(url(server), f"www-{place}-{mode}", size, mode == "dark")
            picture = read_png(path)
            assert (picture.width, picture.height) == size, path
            assert picture.weight > 20_000, f"{path} is empty"
            brightness[mode] = picture.brightness
        assert brightness["dark"] < 80 and brightness["light"] > 180, brightness


@test
def the_status_page_lives(world):
    """It shows figures that come from the server's JSON, asked for again and again, and needs nothing else."""
    server = world.serve(block='status_page = "/status"')
    for _ in range(20):
        server.get("/none")
    address = url(server, "/status")
    page = world.browser.load(address)
    assert page.console == [], page.console
    assert page.requests[0] == ("GET", address)
    assert {request for request in page.requests[1:]} == {("GET", address + "?format=json")}
    assert len(page.requests) >= 3
    for what in (world.engine, "requests a second", "system calls a request", "p99.9", "4xx"):
        assert what in page.dom, what
    assert '<span id="state" class="">' in page.dom  # and not what it says without an answer


@test
def pictures_of_the_status_page(world):
    if world.tls:
        return  # they look the same
    server = world.serve(block='status_page = "/status"')
    for place, size in (("phone", (PHONE[0], 2600)), ("desktop", (DESKTOP[0], 1700))):
        brightness = {}
        for mode in ("light", "dark"):
            path = world.browser.picture(url(server, "/status"), f"status-{place}-{mode}", size,
                                         mode == "dark")
            picture = read_png(path)
            assert (picture.width, picture.height) == size, path
            brightness[mode] = picture.brightness
        assert brightness["dark"] < 80 and brightness["light"] > 180, brightness


if __name__ == "__main__":
    run(setup)
