"""Many sessions at once, on two sites with the same names and other contents: the clients pipeline,
and each answer is compared with what its own URL has on the disk."""

import os
import random
import threading
import time

from wire.request import head
from wire.run import rounds
from wire.site import eventually

SUFFIXES = {"zstd": ".zst", "br": ".br", "gzip": ".gz"}
SIDECARS = {"index.html": (), "p.html": ("zstd", "br", "gzip"), "gz.css": ("gzip",),
            "large.txt": ("br",), "plain.txt": ()}  # a name: the codings of its sidecars
SIZES = {"index.html": 700, "p.html": 3000, "gz.css": 5000, "large.txt": 30_000, "plain.txt": 10}
CODINGS = ("", "gzip", "br", "zstd", "zstd, br, gzip", "identity")
CONF = """
server "a.example" {
    listen = {"@listen@"}
    root = "@root@/a"
    precompressed = {"zstd", "br", "gzip"}
}
server "b.example" { listen = {"@listen@"} root = "@root@/b" }
"""
BATCHES = (1, 2, 7, 30)
CONNECTIONS = 8
SLACK = 4  # descriptors: a pipe or two that are kept for the next
# How many answers a crowd looks at. A million, for once: CROWD_ANSWERS=1000000
ANSWERS = os.environ.get("CROWD_ANSWERS")
ANSWERS_PLAIN, ANSWERS_TLS = 16_000, 5_000


class Question:
    """A request, and the one right answer to it."""

    def __init__(self, site, name, accepted, coding, body):
        self.what = f"/{name} of {site}, accepting {accepted!r}"
        self.head = head("GET", f"/{name}", f"Accept-Encoding: {accepted}",
                         host=f"{site}.example")
        self.coding = f"\r\nContent-Encoding: {coding}\r\n".encode() if coding else None
        self.body = body

    def check(self, answer_head, body):
        assert answer_head.startswith(b"HTTP/1.1 200 "), (self.what, answer_head)
        if self.coding is None:
            assert b"\r\nContent-Encoding:" not in answer_head, (self.what, answer_head)
        else:
            assert self.coding in answer_head, (self.what, answer_head)
        assert body == self.body, f"{self.what}: another body: {answer_head!r} {body[:80]!r}"


def _contents(site, name, coding):
    """Octets that say whose they are, everywhere."""
    label = f"[{site} {name} {coding or 'plain'}] ".encode()
    size = SIZES[name] if not coding else SIZES[name] // 3
    return (label * (size // len(label) + 1))[:size]


class Crowd:
    """The sites below the world's root, and those who ask. start() starts a server for them."""

    def __init__(self, world):
        self.world = world
        self.questions = []
        for site in "ab":
            for name, sidecars in SIDECARS.items():
                world.root.write(f"{site}/{name}", _contents(site, name, None))
                for coding in sidecars:
                    world.root.write(f"{site}/{name}{SUFFIXES[coding]}",
                                     _contents(site, name, coding))
                for accepted in CODINGS:
                    self._add(site, name, accepted)

    def _add(self, site, name, accepted):
        chosen = None
        if site == "a":
            offered = [coding for coding in SUFFIXES
                       if coding in SIDECARS[name] and coding in accepted]
            chosen = offered[0] if offered else None
        self.questions.append(Question(site, name, accepted, chosen,
                                       _contents(site, name, chosen)))

    def start(self, **settings):
        return self.world.serve(conf=CONF, settings=settings)

    def _batch(self, connection, asked):
        connection.send(b"".join(question.head for question in asked))
        for question in asked:
            while (end := connection.pending.find(b"\r\n\r\n") + 4) < 4:
                connection.fill("a head")
            answer_head = connection.pending[:end]
            length = int(answer_head.partition(b"\r\nContent-Length: ")[2].partition(b"\r")[0])
            while len(connection.pending) < end + length:
                connection.fill("a body")
            question.check(answer_head, connection.pending[end:end + length])
            connection.pending = connection.pending[end + length:]

    def _client(self, server, dice, count):
        """Half of the clients ask for one and the same thing, the others for anything."""
        asks_one = dice.randrange(2) == 0
        while count > 0:
            one = dice.choice(self.questions)
            with server.connect() as connection:
                for _ in range(20):
                    asked = [one if asks_one else dice.choice(self.questions)
                             for _ in range(dice.choice(BATCHES))]
                    self._batch(connection, asked)
                    count -= len(asked)
                    if count <= 0:
                        break

    def ask(self, server, answers, seed=1):
        """Lets all ask until so many answers have come; the first complaint is raised."""
        complaints = []

        def work(number):
            try:
                self._client(server, random.Random(seed * 1000 + number), answers // CONNECTIONS)
            except BaseException as error:  # it is raised again below
                complaints.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if complaints:
            raise complaints[0]

    def asks_for_long(self, server):
        """ANSWERS of them, and no descriptor is left behind: those that the cache keeps are there
        after the first round; or after the second, where a thread, which has a cache of its own, took hardly any
        client in the first."""
        answers = int(ANSWERS or rounds(ANSWERS_TLS if self.world.tls else ANSWERS_PLAIN))
        self.ask(server, answers // 4, seed=1)
        time.sleep(0.05)
        counts = [server.descriptors()]
        for seed in (2, 3):
            self.ask(server, answers, seed=seed)
            if eventually(lambda: server.descriptors() <= counts[-1] + SLACK):
                return
            counts.append(server.descriptors())
        raise AssertionError(f"descriptors after one round, and two more: {counts}")
