#!/usr/bin/python3
"""What the server tells of itself: status_page, with counts right after known requests, in three
forms, and health."""

import json

from wire import run, test

CONF = """
server "a" {
    listen = {"@listen@"} root = "@root@"
    status_page = "/status" health = "/healthz"
}
"""


def setup(world):
    world.root.write("a.txt", "hello")
    return world.serve(conf=CONF)


def figures(connection):
    answer = connection.get("/status?format=json")
    assert answer.status == 200 and answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    return json.loads(answer.body)


@test
def known_requests_are_counted(server):
    with server.connect() as connection:
        before = figures(connection)
        for _ in range(10):
            assert connection.get("/a.txt").body == b"hello"
        for _ in range(3):
            assert connection.get("/none").status == 404
        after = figures(connection)

    def more(family, key):
        return after[family][key] - before[family][key]

    assert more("requests_total", "GET") == 14  # and the first look
    assert more("responses_total", "2xx") == 11
    assert more("responses_total", "4xx") == 3
    assert after["answer_seconds"]["count"] - before["answer_seconds"]["count"] == 14
    assert after["servers"][0]["requests_total"] - before["servers"][0]["requests_total"] == 14
    assert after["received_bytes_total"] > before["received_bytes_total"]
    assert after["sent_bytes_total"] > before["sent_bytes_total"]
    assert after["connections_accepted_total"] >= 1
    assert more("file_cache_total", "hit") + more("file_cache_total", "miss") >= 13
    assert after["engine"]


@test
def prometheus_gets_its_text(server):
    with server.connect() as connection:
        answer = connection.get("/status", "Accept: text/plain;version=0.0.4")
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = answer.body.decode().splitlines()
    for line in lines:
        assert line.startswith(("# HELP gearshift_", "# TYPE gearshift_", "gearshift_")), line
    names = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert {"gearshift_requests_total", "gearshift_answer_seconds"} <= names


@test
def a_browser_gets_a_page(server):
    with server.connect() as connection:
        answer = connection.get("/status", "Accept: text/html,*/*")
    assert answer["Content-Type"].startswith("text/html")
    assert b"http://" not in answer.body and b"https://" not in answer.body


@test
def health_is_well(server):
    with server.connect() as connection:
        answer = connection.get("/healthz")
        assert (answer.status, answer.body) == (200, b"ok\n")
        assert answer["Cache-Control"] == "no-store"


if __name__ == "__main__":
    run(setup)
