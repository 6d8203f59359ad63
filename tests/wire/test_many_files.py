#!/usr/bin/python3
"""A folder of 100,000 files: each is found, descriptors and memory stay bounded, and it can be
listed."""

import itertools
import json
import os
import random

from wire import MTIME_NS, eventually, head, run, test

KEPT = 4  # descriptors of the root and the folder that two threads may keep
COUNT = 100_000
CONTENTS = 1000  # different ones; each has COUNT / CONTENTS names, which are made in half the time


def content(number):
    return b"%05d" % (number % CONTENTS)


def setup(world):
    world.root.folder("many")
    folder = world.root.at("many")
    for number in range(CONTENTS):
        world.root.write("many/%06d.txt" % number, content(number))
    many = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for number in range(CONTENTS, COUNT):
        os.link(b"%06d.txt" % (number % CONTENTS), b"%06d.txt" % number,
                src_dir_fd=many, dst_dir_fd=many)
    os.close(many)
    os.utime(folder, ns=(MTIME_NS, MTIME_NS))
    return world.serve(settings={"autoindex": "on", "cache_files": "1000"})


@test
def each_is_found(server):
    """In an order that no cache foresees."""
    chosen = random.Random(1).sample(range(COUNT), 6_000)
    with server.connect() as connection:
        for at in range(0, len(chosen), 50):
            numbers = chosen[at:at + 50]
            connection.send(b"".join(head("GET", f"/many/{number:06}.txt") for number in numbers))
            for number in numbers:
                answer = connection.read_response()
                assert answer.status == 200 and answer.body == content(number)


@test
def descriptors_stay_bounded(server):
    assert server.descriptors() <= 1000 + 30, server.descriptors()


@test
def names_that_are_not_there_are_bounded_too(server):
    asked = itertools.count(step=50)

    def ask_for_others():
        with server.connect() as connection:
            for at in itertools.islice(asked, 200):
                connection.send(b"".join(head("GET", f"/many/none-{number}.txt")
                                         for number in range(at, at + 50)))
                for _ in range(50):
                    assert connection.read_response().status == 404
    server.expect_all_back(ask_for_others, 10)
    assert server.descriptors() <= 1000 + 30


@test
def a_listing_in_json_names_them_all(server):
    answer = server.get("/many/", "Accept: application/json")
    items = json.loads(answer.body)
    assert [item["name"] for item in items] == [f"{number:06}.txt" for number in range(COUNT)]
    assert items[99_999]["size"] == 5


@test
def a_listing_in_html_links_them_all(server):
    body = server.get("/many/").body
    assert body.count(b'href="./') == COUNT and b'href="./099999.txt"' in body


@test
def listings_give_their_memory_back(server):
    """Each thread that makes one keeps what the largest took, so several rounds may set new marks."""
    def list_it():
        for _ in range(2):
            server.get("/many/")
    server.expect_all_back(list_it, 10)


@test
def a_listing_whose_reader_goes_away_is_given_up(server):
    before = server.descriptors()
    for _ in range(3 * KEPT):
        with server.connect(receive_buffer=4096) as connection:
            connection.send(head("GET", "/many/"))
            connection.read_head()
    # A thread that comes to it only now keeps the root and the folder.
    assert eventually(lambda: server.descriptors() <= before + KEPT, 10)
    assert server.get("/many/000001.txt").body == content(1)


if __name__ == "__main__":
    run(setup)
