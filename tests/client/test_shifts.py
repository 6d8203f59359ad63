#!/usr/bin/python3
"""The project's own site is open in Chromium, which asks at full throttle, while the engine is changed
again and again under it and others: the page's own counters say how many it has seen, and that nothing
failed."""

import asyncio
import os
import subprocess
import sys
import threading

from client import run, test, url
from client.browser import DESKTOP, Browser, read_png
from client.own_site import shipped_configuration
from client.page import Page

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../supervisor"))
from load import Load  # noqa: E402

WALK = ("multi-reactor", "coroutine", "proactor", "thread-pool", "reactor-pool",
        "process-per-connection", "leader-followers", "reactor")
CANNOT_RUN = 69


def setup(world):
    world.browser = Browser(world)
    return world


def order(server, control, *words):
    """A word to the supervisor: its exit status, and both outputs."""
    done = subprocess.run([server.argv[0], *words, "--control", control], capture_output=True,
                          text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


class OtherClients(Load):
    """Clients of many kinds, beside the browser, until they are told to stop."""

    def __init__(self, world, server):
        page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../www/robots.txt")
        with open(page, "rb") as file:
            super().__init__(server.addresses[0], file.read(), kept=20, rate=200, new=30,
                             idle=0 if server.context else 20, context=server.context, target="/robots.txt")
        self.enough = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.run(self.wait)))

    async def wait(self):
        while not self.enough.is_set():
            await asyncio.sleep(0.05)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.enough.set()
        self.thread.join()

    def assert_nothing_lost(self, *but):
        kinds = [kind for kind in ("lost", "refused", "reset", "cut", "closed", "told")
                 if kind not in but]
        assert {kind: self.counts[kind] for kind in kinds} == dict.fromkeys(kinds, 0), self.errors
        assert self.counts["answered"] > 0


def counter(page, name):
    return int(page.value(f"document.getElementById('{name}').textContent").replace(",", ""))


@test
def the_page_sees_the_gears_change_and_no_request_fails(world):
    control = os.path.join(world.path, "control")
    server = world.serve(conf=shipped_configuration(),
                         settings={"processes": "1", "control": control, "workers": "100",
                                   "drain_timeout": "2s"})
    with OtherClients(world, server) as others, \
            Page(world.browser, url(server), DESKTOP) as page:
        page.wait_for("document.getElementById('seen').textContent === '1'")
        page.wait_for("!document.getElementById('again').hidden")  # the five requests are answered
        page.value("document.getElementById('throttle').click()")
        seen = ["reactor"]
        for engine in WALK:
            status, text = order(server, control, "shift", engine)
            if status == CANNOT_RUN:
                continue
            assert status == 0, text
            seen.append(engine)
            page.wait_for(f"document.getElementById('engine').textContent === '{engine}'")
            before = counter(page, "answered")
            page.wait_for("Number(document.getElementById('answered').textContent.replaceAll(',', ''))"
                          f" > {before + 20}")
        assert len(seen) > 6, seen
        gears = page.value("[...document.querySelectorAll('#gears li')].map(i => i.textContent)")
        assert [gear.split(" ")[0] for gear in gears] == seen, gears
        assert counter(page, "seen") == len(seen), gears
        assert counter(page, "failed") == 0
        assert page.value("document.querySelectorAll('#requests .ok').length") == 5
        # Plain connections move, and so they are those of the beginning: at most six (HTTP/1.1).
        connections = counter(page, "connections")
        assert world.tls or connections <= 6, connections
        page.wait_for("!document.getElementById('inside').hidden")
        for mode in ("light", "dark"):
            picture = read_png(page.picture(f"www-shifts-{mode}", mode == "dark"))
            assert picture.brightness < 80 if mode == "dark" else picture.brightness > 180, mode
    others.assert_nothing_lost(*(("closed", "told") if world.tls else ()))


@test
def without_a_status_page_nothing_is_missed(world):
    conf = shipped_configuration()
    assert conf.count("status_page") == 1
    server = world.serve(conf=conf.replace("status_page", "# status_page"))
    with Page(world.browser, url(server), DESKTOP) as page:
        page.wait_for("Number(document.getElementById('answered').textContent) > 2")
        assert counter(page, "failed") == 0
        assert page.value("document.getElementById('inside').hidden")


@test
def what_fails_is_told(world):
    server = world.serve(conf=shipped_configuration())
    with Page(world.browser, url(server), DESKTOP) as page:
        page.wait_for("Number(document.getElementById('answered').textContent) > 1")
        server.stop()
        page.wait_for("Number(document.getElementById('failed').textContent) > 0")
        assert "failed" in page.value("document.getElementById('shifted').textContent")


if __name__ == "__main__":
    run(setup)
