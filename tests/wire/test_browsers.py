#!/usr/bin/python3
"""What browsers are told (docs/server.conf.md `security_headers`, `hsts`, `cors`), and validators that
are switched (`etag`, `last_modified`, `if_modified_since`)."""

import os
import re
import time

from wire import each, head, http_date, run, test

ORIGIN = "https://app.example.org"
CONF = """
    autoindex = on
    redirect "/moved" { to = "/a.html" }
    location "/basic/" { security_headers = basic }
    location "/strict/" { security_headers = strict }
    location "/own/" {
        security_headers = strict
        hsts = ""
        headers = {"X-Frame-Options: SAMEORIGIN", "Permissions-Policy:", "Content-Security-Policy: default-src 'none'"}
    }
    location "/hsts/" { hsts = "max-age=60; includeSubDomains" }
    location "/any/" { cors = {"*"} }
    location "/cors/" {
        cors = {"https://app.example.org", "https://*.example.net", "http://localhost:3000"}
        cors_credentials = on
        cors_headers = {"X-One", "X-Two"}
        cors_max_age = 10m
        error_pages = {"404=/missing.html"}
    }
    redirect "/cors/moved" { to = "/cors/a.html" }
    location "/untagged/" { etag = off }
    location "/undated/" { last_modified = off }
    location "/bare/" { etag = off last_modified = off }
    location "/exact/" { if_modified_since = exact }
    location "/hints/" {
        early_hints = {"Link: </app.css>; rel=preload; as=style", "Link: </app.js>; rel=preload; as=script"}
        error_pages = {"404=/hints/a.html"}
    }
    location "/save/" {
        download = {"*.html", "/save/sub/"}
        charset_types = {"application/json"}
    }
"""
FOLDERS = ("basic", "strict", "own", "hsts", "any", "cors", "untagged", "undated", "bare",
           "exact", "hints", "save")

NAMES = [  # of a file; the quoted string; what is escaped
    (b"a b.html", "a b.html", None),
    ("é€.html".encode(), "__.html", "%C3%A9%E2%82%AC.html"),
    (b'q"\\%41.html', "q___41.html", "q%22%5C%2541.html"),
    (b"bad\xff.html", "bad_.html", None),
    (b"'(),;.html", "'(),;.html", None),
]


def setup(world):
    for folder in FOLDERS:
        world.root.write(f"{folder}/a.html", "x" * 100)
        world.root.write(f"{folder}/list/a.txt", "x")
    world.root.write("a.html", "x" * 100)
    world.root.write("missing.html", "missing")
    world.root.write("hints/long.html", "y" * 200_000)
    for name, _, _ in NAMES:
        with open(os.path.join(os.fsencode(world.root.path), b"save", name), "wb") as file:
            file.write(b"x")
    return world.serve(block=CONF)


BASIC = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "strict-origin-when-cross-origin",
         "X-Frame-Options": "SAMEORIGIN", "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
         "Permissions-Policy": None, "Content-Security-Policy": None}
STRICT = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
          "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin",
          "Cross-Origin-Resource-Policy": "same-origin",
          "Content-Security-Policy": "default-src 'self'; base-uri 'self'; form-action 'self'; "
                                     "frame-ancestors 'none'; object-src 'none'"}
OWN = {**STRICT, "X-Frame-Options": "SAMEORIGIN", "Permissions-Policy": None,
       "Content-Security-Policy": "default-src 'none'"}


@each([("basic", BASIC), ("strict", STRICT), ("own", OWN),
       ("any", {"X-Content-Type-Options": "nosniff", "Referrer-Policy": None,
                "X-Frame-Options": None, "Strict-Transport-Security": None})])
def a_preset_is_a_set_of_fields(server, folder, wanted):
    target = f"/{folder}/a.html"
    whole = server.get(target)
    for answer in (whole, server.head(target), server.get(target, "Range: bytes=0-1"),
                   server.get(target, f"If-None-Match: {whole['ETag']}")):
        assert answer.status in (200, 206, 304)
        for name, value in wanted.items():
            assert answer.get(name) == value, (name, answer)


@each([("/strict/a.html", "max-age=31536000"), ("/own/a.html", None), ("/basic/a.html", None),
       ("/hsts/a.html", "max-age=60; includeSubDomains"), ("/hsts/none", "max-age=60; includeSubDomains"),
       ("/strict/list/", "max-age=31536000")])
def strict_transport_security_is_for_tls(server, target, value):
    assert server.get(target).get("Strict-Transport-Security") == (value if server.world.tls else None)


@each(["/strict/none", "/strict/list/"])
def pages_of_the_servers_own_have_a_policy_of_theirs(server, target):
    answer = server.get(target, "Accept: text/html")
    policy = answer["Content-Security-Policy"]
    assert b"<style>" in answer.body and "style-src 'unsafe-inline'" in policy
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert answer["X-Frame-Options"] == "DENY" and answer["Referrer-Policy"] == "no-referrer"
    assert server.get(target.replace("strict", "own"))["Content-Security-Policy"] == "default-src 'none'"


@each([None, ORIGIN, "null", "https://elsewhere.example"])
def a_star_lets_all_read(server, origin):
    fields = [f"Origin: {origin}"] if origin else []
    for target in ("/any/a.html", "/any/none", "/any/list/"):
        answer = server.get(target, *fields)
        assert answer["Access-Control-Allow-Origin"] == "*" and "Vary" not in answer or target[-1] == "/"
        assert answer["Access-Control-Expose-Headers"] == "Accept-Ranges, Content-Encoding, Content-Range, ETag"
        assert "Access-Control-Allow-Credentials" not in answer


ALLOWED = [ORIGIN, "https://x.example.net", "https://a.b-c.example.net", "http://localhost:3000"]
OTHERS = [None, "", "null", "*", "https://example.net", "https://.example.net", "http://x.example.net",
          "https://x.example.net:8443", "https://xexample.net", "https://evil.com/.example.net",
          "https://evil.com?.example.net", "https://u@.example.net",
          "https://app.example.org.evil.com", "https://APP.example.org", "https://app.example.org:443",
          "http://app.example.org", "https://app.example.org, https://evil.com", "http://localhost"]


@each([(origin, True) for origin in ALLOWED] + [(origin, False) for origin in OTHERS])
def an_origin_is_told_that_it_may_when_it_is_named(server, origin, allowed):
    fields = [f"Origin: {origin}"] if origin is not None else []
    etag = server.get("/cors/a.html")["ETag"]
    for answer in (server.get("/cors/a.html", *fields), server.head("/cors/a.html", *fields),
                   server.get("/cors/none", *fields), server.get("/cors/moved", *fields),
                   server.get("/cors/a.html", *fields, f"If-None-Match: {etag}"),
                   server.get("/cors/a.html", *fields, "Range: bytes=1000-"),
                   server.ask("POST", "/cors/a.html", *fields), server.get("/cors/list/", *fields)):
        assert answer.get("Access-Control-Allow-Origin") == (origin if allowed else None), answer
        assert answer.get("Access-Control-Allow-Credentials") == ("true" if allowed else None)
        assert ("Access-Control-Expose-Headers" in answer) == allowed
        assert "Origin" in re.split(", *", ", ".join(v for k, v in answer.fields if k == "Vary")), answer
        assert "Access-Control-Allow-Methods" not in answer


@test
def two_origins_are_none(server):
    answer = server.get("/cors/a.html", f"Origin: {ORIGIN}", "Origin: https://evil.com")
    assert "Access-Control-Allow-Origin" not in answer


@each([(origin, True) for origin in ALLOWED] + [(origin, False) for origin in OTHERS if origin is not None])
def a_preflight_is_answered(server, origin, allowed):
    asks = [f"Origin: {origin}", "Access-Control-Request-Method: GET",
            "Access-Control-Request-Headers: x-one"]
    for target in ("/cors/a.html", "/cors/none", "/cors/moved"):
        answer = server.ask("OPTIONS", target, *asks)
        assert answer.status == 204 and answer.body == b""
        assert answer.get("Access-Control-Allow-Origin") == (origin if allowed else None)
        assert answer.get("Access-Control-Allow-Credentials") == ("true" if allowed else None)
        assert answer.get("Access-Control-Allow-Methods") == ("GET, HEAD" if allowed else None)
        assert answer.get("Access-Control-Allow-Headers") == ("X-One, X-Two" if allowed else None)
        assert answer.get("Access-Control-Max-Age") == ("600" if allowed else None)
        assert answer["Vary"] == "Origin"


@test
def no_preflight_is_what_it_was(server):
    for target, fields in (("/a.html", (f"Origin: {ORIGIN}", "Access-Control-Request-Method: GET")),
                           ("*", (f"Origin: {ORIGIN}", "Access-Control-Request-Method: GET")),
                           ("/cors/a.html", (f"Origin: {ORIGIN}",)), ("/cors/a.html", ())):
        answer = server.ask("OPTIONS", target, *fields)
        assert answer.status == 204 and "Access-Control-Allow-Methods" not in answer
    assert server.ask("OPTIONS", "/cors/moved").status == 301
    answer = server.ask("OPTIONS", "/any/a.html", f"Origin: {ORIGIN}", "Access-Control-Request-Method: GET")
    assert answer["Access-Control-Allow-Origin"] == "*" and answer["Access-Control-Allow-Methods"] == "GET, HEAD"


@test
def pipelined_answers_have_the_fields_of_their_own_request(server):
    with server.connect() as connection:
        connection.send(b"".join(
            f"GET {target} HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\n\r\n".encode()
            for target, origin in (("/cors/a.html", ORIGIN), ("/a.html", ORIGIN), ("/cors/a.html", "https://no.example"),
                                   ("/any/a.html", ORIGIN), ("/cors/a.html", ALLOWED[1]))))
        got = [connection.read_response("GET").get("Access-Control-Allow-Origin") for _ in range(5)]
    assert got == [ORIGIN, None, None, "*", ALLOWED[1]]


@each([("untagged", False, True), ("undated", True, False), ("bare", False, False)])
def validators_are_left_out(server, folder, tagged, dated):
    target = f"/{folder}/a.html"
    for answer in (server.get(target), server.head(target), server.get(target, "Range: bytes=0-1")):
        assert ("ETag" in answer) == tagged and ("Last-Modified" in answer) == dated
    now = http_date(time.time())
    assert server.get(target, f"If-Modified-Since: {now}").status == (304 if dated else 200)
    assert server.get(target, 'If-None-Match: "x"').status == 200
    assert server.get(target, "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:10 GMT").status == (412 if dated else 200)


@test
def if_modified_since_is_exact_or_not(server):
    for folder, status in (("any", 304), ("exact", 200)):
        target = f"/{folder}/a.html"
        date = server.get(target)["Last-Modified"]
        assert server.get(target, f"If-Modified-Since: {date}").status == 304
        assert server.get(target, f"If-Modified-Since: {http_date(time.time())}").status == status


LINKS = ["</app.css>; rel=preload; as=style", "</app.js>; rel=preload; as=script"]
NAVIGATES = "Sec-Fetch-Mode: navigate"


def conversation(server, requests):
    """What comes back for all the requests, to the end."""
    with server.connect() as connection:
        connection.send(requests)
        return connection.read_to_end()


def ask_raw(server, method, target, *fields, version="1.1"):
    return conversation(server, head(method, target, *fields, "Connection: close", version=version))


@each(["/hints/a.html", "/hints/long.html"])
def who_navigates_is_told_early(server, target):
    octets = ask_raw(server, "GET", target, NAVIGATES)
    first, rest = octets.split(b"\r\n\r\n", 1)
    assert first.decode().split("\r\n") == ["HTTP/1.1 103 Early Hints"] + [f"Link: {link}" for link in LINKS]
    assert rest.startswith(b"HTTP/1.1 200 OK\r\n") and rest.count(b"HTTP/1.1 ") == 1
    final, body = rest.split(b"\r\n\r\n", 1)
    assert final.count(b"\r\nLink: ") == 2 and len(body) in (100, 200_000)


@each([("GET", "/hints/a.html", (), "1.1"), ("GET", "/hints/a.html", ("Sec-Fetch-Mode: cors",), "1.1"),
       ("HEAD", "/hints/a.html", (NAVIGATES,), "1.1"), ("GET", "/hints/a.html", (NAVIGATES,), "1.0"),
       ("GET", "/hints/list/a.txt", (NAVIGATES,), "1.1"), ("GET", "/hints/none", (NAVIGATES,), "1.1"),
       ("GET", "/hints/a.html", (NAVIGATES, "Range: bytes=0-1"), "1.1"), ("GET", "/a.html", (NAVIGATES,), "1.1"),
       ("GET", "/hints/a.html", (NAVIGATES, "If-Modified-Since: Fri, 01 Jan 2077 00:00:00 GMT"), "1.1")])
def nobody_else_is(server, method, target, fields, version):
    octets = ask_raw(server, method, target, *fields, version=version)
    assert octets.count(b"HTTP/1.1 ") == 1 and b" 103 " not in octets
    linked = target == "/hints/a.html"
    assert (octets.count(b"\r\nLink: ") == 2) == linked and (b"\r\nLink: " in octets) == linked


@test
def hints_of_pipelined_requests_stand_before_their_answers(server):
    one = head("GET", "/hints/a.html", NAVIGATES)
    octets = conversation(server, one + head("GET", "/a.html", NAVIGATES) + one +
                          head("GET", "/hints/long.html", NAVIGATES, "Connection: close"))
    statuses = re.findall(rb"HTTP/1.1 (\d+)", octets)
    assert statuses == [b"103", b"200", b"200", b"103", b"200", b"103", b"200"], statuses


@each([name for name in NAMES])
def a_file_is_saved_under_its_name(server, name, plain, escaped):
    target = b"/save/" + b"".join(b"%%%02x" % octet for octet in name)
    extra = f"; filename*=UTF-8''{escaped}" if escaped else ""
    whole = server.get(target)
    for answer in (whole, server.head(target), server.get(target, "Range: bytes=0-0"),
                   server.get(target, f"If-None-Match: {whole['ETag']}")):
        assert answer["Content-Disposition"] == f'attachment; filename="{plain}"{extra}', answer


@test
def other_files_are_shown(server):
    for target in ("/save/list/a.txt", "/a.html", "/save/none.html"):
        assert "Content-Disposition" not in server.get(target)


@test
def charset_is_for_the_types_that_are_named(server):
    server.world.root.write("save/a.json", "{}")
    server.world.root.write("a.json", "{}")
    assert server.get("/save/a.json")["Content-Type"] == "application/json; charset=utf-8"
    assert server.get("/a.json")["Content-Type"] == "application/json"
    assert server.get("/save/a.html")["Content-Type"] == "text/html"


if __name__ == "__main__":
    run(setup)
