#!/usr/bin/python3
"""limit_rate, limit_rate_after, limit_rate_client: answers come no faster than they may, whole, and
without being taken for stuck. Of time only what may not be too short is looked at."""

import time
from concurrent.futures import ThreadPoolExecutor

from wire import head, run, test

SIZE = 120_000
LEAD = 0.060  # what a piece that is sent at once stands for, and a clock's reading
CONF = """
access_log = off
real_ip_from = {"127.0.0.0/8"}
limit_exempt = {"198.51.100.0/24"}
send_timeout = 300ms
send_rate_min = 100k
server "_" {
    listen = {"@listen@"} root = "@root@" autoindex = on
    location "/slow/" { alias = "@root@" limit_rate = 300000 }
    location "/after/" { alias = "@root@" limit_rate = 100000 limit_rate_after = 100k }
    location ~ "^/led/(.*)$" { rewrite = "/slow/$1" }
    location "/client/" { alias = "@root@" limit_rate_client = 400000 }
    location "/both/" { alias = "@root@" limit_rate_client = 400000 limit_rate = 300000 autoindex = on }
}
"""


def setup(world):
    world.octets = world.root.pattern("some.bin", SIZE)
    world.root.write("a.txt", b"a" * 10)
    for i in range(40):
        world.root.write(f"list/{i}.txt", b"x")
    return world.serve(conf=CONF)


def _timed(server, path, *fields, rate, free=0):
    """The body of the answer, which took as long as that rate takes for it at least."""
    with server.connect() as connection:
        begun = time.monotonic()
        answer = connection.get(path, *fields)
        took = time.monotonic() - begun
    least = (len(answer.body) - free) / rate - LEAD
    assert took >= least, (took, least)
    return answer


@test
def an_answer_takes_its_time(server):
    answer = _timed(server, "/led/some.bin", rate=300_000)
    assert answer.status == 200 and answer.body == server.world.octets


@test
def the_first_bytes_are_free(server):
    answer = _timed(server, "/after/some.bin", rate=100_000, free=100 << 10)
    assert answer.body == server.world.octets


@test
def answers_to_one_client_share(server):
    def get(_):
        return _timed(server, "/client/some.bin", "X-Forwarded-For: 192.0.2.1", rate=400_000)

    if server.world.engine == "iterative":
        return
    begun = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(get, range(2)))
    took = time.monotonic() - begun
    assert all(answer.body == server.world.octets for answer in answers)
    assert took >= 2 * SIZE / 400_000 - LEAD, took


@test
def ranges_and_both_limits(server):
    answer = _timed(server, "/both/some.bin", "Range: bytes=1000-60999", "X-Forwarded-For: 192.0.2.2",
                    rate=300_000)
    assert answer.status == 206 and answer.body == server.world.octets[1000:61000]
    answer = _timed(server, "/both/some.bin", "Range: bytes=0-29999,40000-69999",
                    "X-Forwarded-For: 192.0.2.3", rate=300_000)
    assert answer.status == 206 and server.world.octets[40000:70000] in answer.body
    answer = _timed(server, "/both/list/", "X-Forwarded-For: 192.0.2.4", rate=300_000)
    assert answer.status == 200 and answer.body.count(b".txt") >= 40


@test
def an_exempt_client_is_not_held_up_by_the_limit_of_clients(server):
    answer = _timed(server, "/client/some.bin", "X-Forwarded-For: 198.51.100.1", rate=1 << 40)
    assert answer.body == server.world.octets


@test
def pipelined(server):
    """Short ones, a long one, and short ones behind it."""
    with server.connect() as connection:
        connection.send(head("GET", "/a.txt") * 3 + head("GET", "/slow/some.bin", "Range: bytes=0-29999") +
                        head("GET", "/slow/a.txt") + head("GET", "/a.txt", "Connection: close"))
        answers = [connection.read_response() for _ in range(6)]
        assert [len(answer.body) for answer in answers] == [10, 10, 10, 30_000, 10, 10]
        connection.expect_end()


@test
def who_does_not_wait(server):
    """HEAD, 304, an error: nothing to hold up, or next to nothing. And who leaves is forgotten."""
    with server.connect() as connection:
        answer = connection.get("/slow/a.txt")
        assert connection.get("/slow/a.txt", f"If-None-Match: {answer['ETag']}").status == 304
        assert connection.get("/slow/none").status == 404
    for _ in range(5):
        with server.connect() as connection:
            connection.send(head("GET", "/slow/some.bin"))
    assert server.get("/a.txt").status == 200


if __name__ == "__main__":
    run(setup)
