#!/usr/bin/python3
"""What the server tells of itself: status_page, with counts right after known requests, in three
forms, and health."""

import json
import time

from wire import each, head, run, test
from wire.proxied import connect, v1

# Whoever says X-Forwarded-For, or begins with a PROXY header, is believed.
CONF = """
real_ip_from = {"127.0.0.1", "unix:"}
trusted = {"127.0.0.0/8"}
server "a" {
    listen = {"@listen@", "@listen@ proxy_protocol", "unix:@world@/logs/s.sock"}
    root = "@root@"
    status_page = "/status" health = "/healthz"
}
server "open.example" {
    listen = {"@listen@"} root = "@root@"
    status_page = "/status" status_allow = {"192.0.2.0/24", "2001:db8::/32"}
}
"""
PLAIN, PROXIED, UNIX = range(3)
FORMS = ("", "?format=json", "?format=prometheus", "?format=html")


def setup(world):
    world.root.write("a.txt", "hello")
    return world.serve(conf=CONF, listeners=3)


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
def it_is_known_when_certificates_end(server):
    with server.connect() as connection:
        told = figures(connection)["tls_certificates"]
        text = connection.get("/status?format=prometheus").body.decode()
    assert bool(told) == bool(server.world.tls)
    for certificate in told:
        assert certificate["expires"] > time.time() and certificate["file"].endswith(".pem")
        assert (f'\ngearshift_tls_certificate_expiry_seconds{{file="{certificate["file"]}"}} '
                f'{certificate["expires"]}\n') in text


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


@each(["192.0.2.1", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.1"])
def strangers_see_nothing(server, client):
    with server.connect() as connection:
        for form in FORMS:
            answer = connection.get("/status" + form, f"X-Forwarded-For: {client}")
            assert answer.status == 403, form
            assert b"requests_total" not in answer.body
        assert connection.get("/healthz", f"X-Forwarded-For: {client}").status == 200
    with connect(server, v1(client.removeprefix("::ffff:")), PROXIED) as connection:
        assert connection.get("/status").status == 403


@each(["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def this_machine_sees_all(server, client):
    with server.connect() as connection:
        for form in FORMS:
            assert connection.get("/status" + form, f"X-Forwarded-For: {client}").status == 200


@test
def a_unix_socket_is_this_machine_unless_it_speaks_for_others(server):
    with server.connect(UNIX) as connection:
        assert connection.get("/status").status == 200
        assert connection.get("/status", "X-Forwarded-For: 192.0.2.1").status == 403


@test
def who_is_allowed_sees_all(server):
    with server.connect() as connection:
        for client, status in (("192.0.2.7", 200), ("2001:db8::7", 200), ("127.0.0.1", 200),
                               ("::ffff:192.0.2.7", 200), ("192.0.3.7", 403), ("2001:db9::", 403)):
            answer = connection.get("/status", f"X-Forwarded-For: {client}", host="open.example")
            assert answer.status == status, client


@each(["/status", "/healthz"])
def methods(server, path):
    with server.connect() as connection:
        whole = connection.get(path)
        answer = connection.ask("HEAD", path)
        assert answer.status == 200 and answer.body == b""
        assert answer["Content-Type"] == whole["Content-Type"]
        assert int(answer["Content-Length"]) > 0
        for method in ("POST", "PUT", "DELETE"):
            answer = connection.ask(method, path)
            assert answer.status == 405, method
            assert answer["Allow"] == "GET, HEAD, OPTIONS"
            if answer.closes:
                break
    with server.connect() as connection:
        assert connection.ask("OPTIONS", path)["Allow"] == "GET, HEAD, OPTIONS"


@test
def no_condition_and_no_range_holds(server):
    """They are never kept by anybody: there is nothing to compare with."""
    with server.connect() as connection:
        answer = connection.get("/healthz", "If-None-Match: *", "Range: bytes=0-0")
        assert (answer.status, answer.body) == (200, b"ok\n")
        assert connection.get("/status?format=json", "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT",
                              "Accept-Encoding: gzip").status == 200


@test
def neighbours_are_files(server):
    server.world.root.write("status.txt", "a file")
    with server.connect() as connection:
        for path in ("/status/", "/status/x", "/healthz/", "/Status", "/healthz2"):
            assert connection.get(path).status == 404, path
        assert connection.get("/status.txt").body == b"a file"
        assert connection.get("/%73tatus").status == 200
        assert connection.get("/healthz?verbose=1").status == 200


@test
def pipelined_looks_are_answered_in_order(server):
    with server.connect() as connection:
        connection.send(head("GET", "/a.txt") + head("GET", "/status?format=json")
                        + head("GET", "/healthz") + head("GET", "/a.txt"))
        assert connection.read_response().body == b"hello"
        assert json.loads(connection.read_response().body)["engine"] == server.world.engine
        assert connection.read_response().body == b"ok\n"
        assert connection.read_response().body == b"hello"


@test
def percentiles_are_those_of_the_buckets(server):
    with server.connect() as connection:
        for _ in range(50):
            connection.get("/a.txt")
        times = figures(connection)["answer_seconds"]
    buckets = times["buckets_ns"]
    assert sum(count for _, count in buckets) == times["count"] >= 50
    assert buckets == sorted(buckets)
    assert 0 < times["p50"] <= times["p90"] <= times["p99"] <= times["p999"] < 60
    assert round(times["p50"] * 1e9) in {middle for middle, _ in buckets}


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
