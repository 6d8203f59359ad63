#!/usr/bin/python3
"""Long listings (HTML and JSON): made while they are sent, piece by piece, so that they are complete,
as long as announced, and neither hold up others nor take the memory that their text would."""

import json
import os
import re
import threading
from urllib.parse import unquote_to_bytes

from wire import eventually, head, run, test

NAMES = 6_000
LEAVING = 12
JSON = "Accept: application/json"


def setup(world):
    """Names of many lengths, in no order; some are folders, some are links, and some no UTF-8."""
    world.root.write("a.txt", "a")
    world.root.write("long/file", "xy")
    folder = world.root.at("long")
    for number in range(NAMES):
        mark = b"&<\xc3\xa9\xff"[:number % 6] * (number % 20)
        name = os.path.join(folder, b"%05d-%s" % (number * 7919 % NAMES, mark))
        if number % 100 == 0:
            os.mkdir(name, 0o755)
        elif number % 100 == 1:
            os.symlink("file", name)
        else:
            os.link(os.path.join(folder, b"file"), name)
    world.listed = sorted(os.listdir(folder))
    return world.serve(settings={"autoindex": "on"})


def html_names(body):
    return [unquote_to_bytes(link) for link in re.findall(rb'<a href="\./([^"]*)">', body)]


def natural(name):
    """Numbers by value; all names have as many leading zeros as it takes."""
    return [(0, int(part), b"") if part.isdigit() else (1, 0, part.lower())
            for part in re.findall(rb"\d+|\D", name)]


def expected(world):
    """In order: folders first, then files, each as people count."""
    folders = [name for name in world.listed if os.path.isdir(os.path.join(world.root.at("long"),
                                                                          name))]
    folders.sort(key=natural)
    files = sorted(set(world.listed) - set(folders), key=natural)
    return folders, files


@test
def all_names_are_there_in_order(server):
    folders, files = expected(server.world)
    wanted = [name + b"/" for name in folders] + files
    with server.connect() as connection:
        for _ in range(2):
            answer = connection.get("/long/")
            assert answer.status == 200 and html_names(answer.body) == wanted
            assert answer.body.endswith(b"</html>\n")
            assert connection.get("/a.txt").body == b"a"
            told = connection.ask("HEAD", "/long/")
            assert told["Content-Length"] == str(len(answer.body))
            items = json.loads(connection.get("/long/", JSON).body)
            assert len(items) == len(wanted)
            assert [item["type"] for item in items] == (["directory"] * len(folders)
                                                        + ["file"] * len(files))
            for item, name in zip(items, folders + files):
                assert item["name"].encode() == name or b"\xc3" in name


@test
def what_would_take_too_much_memory_is_refused(server):
    """By names, not by entries; what else is asked for is answered, and a shorter folder is listed."""
    world = server.world
    log = world.root.path + ".log"
    folder = world.root.at("wide")
    os.mkdir(folder)
    for number in range(5000):
        os.link(world.root.at("long/file"), os.path.join(folder, b"%0240d" % number))
    own = world.serve(settings={"autoindex": "on", "listing_memory": "1m", "error_log": log})
    for fields in ((), (JSON,), ()):
        assert own.get("/wide/", *fields).status == 503
        assert own.get("/a.txt").body == b"a"
        assert len(html_names(own.get("/long/").body)) == len(world.listed)
    with open(log, encoding="utf-8") as lines:
        assert "listing_memory = 1048576" in lines.read()


@test
def answers_around_it_are_whole(server):
    """Pipelined, so that what waits to be sent is before and behind it."""
    octets = b"".join((head("GET", "/a.txt"), head("GET", "/long/", JSON), head("HEAD", "/long/"),
                       head("GET", "/long/"), head("GET", "/a.txt")))
    answers = server.exchange(octets, ["GET", "GET", "HEAD", "GET", "GET"])
    assert answers[0].body == answers[4].body == b"a"
    assert len(json.loads(answers[1].body)) == len(server.world.listed)
    assert len(html_names(answers[3].body)) == len(server.world.listed)
    assert int(answers[2]["Content-Length"]) == len(answers[3].body)


@test
def several_at_a_time_and_others_among_them(server):
    wanted = server.get("/long/", JSON).body
    complaints = []

    def ask(target, *fields):
        try:
            with server.connect() as connection:
                for _ in range(3):
                    answer = connection.get(target, *fields)
                    assert answer.body == (b"a" if target == "/a.txt" else wanted)
        except BaseException as error:  # it is raised again below
            complaints.append(error)
    threads = [threading.Thread(target=ask, args=arguments)
               for arguments in [("/long/", JSON), ("/a.txt",)] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if complaints:
        raise complaints[0]


@test
def clients_that_leave_take_nothing_along(server):
    server.get("/long/")
    before = server.descriptors()
    for number in range(10):
        connection = server.connect(receive_buffer=16384)
        connection.send(head("GET", "/long/"))
        if number % 2 == 0:
            connection.read_head()
        connection.reset()
    assert len(html_names(server.get("/long/").body)) == len(server.world.listed)
    assert eventually(lambda: server.descriptors() <= before + 2, 10)


@test
def who_has_left_is_not_worked_for(server):
    """A reset that comes while the names are still looked at ends that: nobody would get them."""
    server.get("/long/")
    descriptors = server.descriptors()

    def cpu_of(end):
        """Of clients that ask, and then do `end`."""
        connections = [server.connect() for _ in range(LEAVING)]
        assert server.get("/a.txt").body == b"a"  # their handshakes are over
        before = server.cpu_s()
        for connection in connections:
            connection.send(head("GET", "/long/"))
        for connection in connections:
            end(connection)
        assert eventually(lambda: server.descriptors() <= descriptors + 2, 60)
        return server.cpu_s() - before

    def stay(connection):
        assert connection.read_response().status == 200
        connection.close()
    whole, left = cpu_of(stay), cpu_of(lambda connection: connection.reset())
    assert left <= whole / 2, f"{left} s of CPU for those that left, {whole} s for the others"


@test
def who_ends_its_side_still_gets_it(server):
    wanted = len(server.world.listed)
    with server.connect() as connection:
        connection.send(head("GET", "/long/"))
        connection.half_close()
        assert len(html_names(connection.read_response().body)) == wanted
        connection.expect_end()


@test
def slow_readers_take_less_memory_than_their_texts(server):
    clients = 20
    with server.connect() as connection:
        text = len(connection.get("/long/").body)
    own = server.world.serve(settings={"autoindex": "on"})
    assert len(own.get("/long/").body) == text
    before = own.memory_kib()
    connections = [own.connect(receive_buffer=4096) for _ in range(clients)]
    for connection in connections:
        connection.send(head("GET", "/long/"))
    for connection in connections:
        assert int(connection.read_head()["Content-Length"]) == text
    grown = own.memory_kib() - before
    for connection in connections:
        connection.close()
    # A sanitizer has memory of its own for all that was ever freed.
    assert own.is_sanitized() or grown < clients * text // 1024 * 2 // 3, (grown, text)
    assert len(own.get("/long/").body) == text


if __name__ == "__main__":
    run(setup)
