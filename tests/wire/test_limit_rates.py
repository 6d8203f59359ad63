#!/usr/bin/python3
"""Limits of requests by client and server: who asks more often is refused at once, or waits. Of time
only what may not be too short is looked at."""

import time

from wire import head, run, test

# A limit of so few an hour, so that however slow the machine is, nothing comes back meanwhile.
CONF = """
access_log = off
real_ip_from = {"127.0.0.0/8"}
limit_exempt = {"198.51.100.0/24"}
server "_" {
    listen = {"@listen@"} root = "@root@"
    location "/few/" { alias = "@root@" limit_requests = "10/h burst=3" }
    location "/again/" { alias = "@root@" limit_requests = "10/h burst=3" }
    location "/page/" { alias = "@root@" limit_requests = "10/h burst=0" error_pages = {"429=/sorry.html"} }
    location "/all/" { alias = "@root@" limit_requests_server = "10/h burst=2" }
    location "/later/" { alias = "@root@" limit_requests = "20/s burst=100 delay=1" }
    location "/open/" { alias = "@root@" limit_requests = "" }
    redirect "/few/old" { to = "/open/a.txt" }
}
"""


def setup(world):
    world.root.write("a.txt", b"a" * 10)
    world.root.write("sorry.html", b"<p>later</p>")
    return world.serve(conf=CONF)


def _statuses(connection, path, count, *fields):
    return [connection.get(path, *fields).status for _ in range(count)]


@test
def the_burst_and_one_more_are_answered(server):
    with server.connect() as connection:
        assert _statuses(connection, "/few/a.txt", 6, "X-Forwarded-For: 192.0.2.1") == \
            [200] * 4 + [429] * 2
        answer = connection.get("/few/a.txt", "X-Forwarded-For: 192.0.2.1")
        assert 1 <= int(answer["Retry-After"]) <= 360, answer["Retry-After"]
        assert not answer.closes and b"Too Many Requests" in answer.body
        # Another client, another address of the same network, and where nothing is limited.
        assert connection.get("/few/a.txt", "X-Forwarded-For: 192.0.2.2").status == 200
        assert _statuses(connection, "/open/a.txt", 6, "X-Forwarded-For: 192.0.2.1") == [200] * 6


@test
def an_ipv6_network_is_one_client(server):
    with server.connect() as connection:
        statuses = [connection.get("/few/a.txt", f"X-Forwarded-For: 2001:db8::{i}:{i + 1}").status
                    for i in range(6)]
        assert statuses == [200] * 4 + [429] * 2, statuses
        assert connection.get("/few/a.txt", "X-Forwarded-For: 2001:db8:0:1::1").status == 200


@test
def places_that_say_the_same_count_together(server):
    with server.connect() as connection:
        who = "X-Forwarded-For: 192.0.2.3"
        assert _statuses(connection, "/few/a.txt", 2, who) == [200] * 2
        assert _statuses(connection, "/again/a.txt", 4, who) == [200] * 2 + [429] * 2


@test
def a_redirect_is_not_counted(server):
    with server.connect() as connection:
        assert _statuses(connection, "/few/old", 9, "X-Forwarded-For: 192.0.2.4") == [301] * 9


@test
def the_error_page_is_the_sites_own(server):
    with server.connect() as connection:
        connection.get("/page/a.txt", "X-Forwarded-For: 192.0.2.5")
        answer = connection.get("/page/a.txt", "X-Forwarded-For: 192.0.2.5")
        assert answer.status == 429 and answer.body == b"<p>later</p>" and answer["Retry-After"]


@test
def all_clients_together(server):
    with server.connect() as connection:
        answers = [connection.get("/all/a.txt", f"X-Forwarded-For: 192.0.2.{i}") for i in range(5)]
        assert [answer.status for answer in answers] == [200] * 3 + [503] * 2
        assert int(answers[4]["Retry-After"]) >= 1


@test
def who_is_exempt(server):
    with server.connect() as connection:
        assert _statuses(connection, "/few/a.txt", 9, "X-Forwarded-For: 198.51.100.9") == [200] * 9
        assert connection.get("/few/a.txt", "X-Forwarded-For: 192.0.2.6").status == 200


@test
def connections_count_together(server):
    """However the kernel spreads them over threads and processes."""
    statuses = []
    for _ in range(8):
        with server.connect() as connection:
            statuses.append(connection.get("/few/a.txt", "Connection: close").status)
    assert statuses == [200] * 4 + [429] * 4, statuses


@test
def who_is_to_wait_waits(server):
    """Two at once, then one for each 50 ms; pipelined, they come in order, and nothing is lost."""
    with server.connect() as connection:
        begun = time.monotonic()
        connection.send(head("GET", "/later/a.txt", "X-Forwarded-For: 192.0.2.7") * 8)
        answers = [connection.read_response() for _ in range(8)]
        took = time.monotonic() - begun
        assert all(answer.status == 200 and answer.body == b"a" * 10 for answer in answers)
        assert took >= 6 * 0.050 - 0.002, took


@test
def who_leaves_while_he_waits_takes_nothing_along(server):
    for _ in range(20):
        with server.connect() as connection:
            connection.send(head("GET", "/later/a.txt", "X-Forwarded-For: 192.0.2.8") * 3)
    with server.connect() as connection:
        answer = connection.get("/later/a.txt", "X-Forwarded-For: 192.0.2.9")
        assert answer.status == 200


if __name__ == "__main__":
    run(setup)
