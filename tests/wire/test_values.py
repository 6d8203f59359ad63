#!/usr/bin/python3
"""Variables in headers, try, error_pages and redirects, escaped for where they stand; `return` with a
status, a text, a URL, and without an answer; `internal`."""

import re

from wire import each, head, run, test

CONF = """
    alias_hosts = {"www.example.org"}
    headers = {"X-Values: $host|$scheme|$request_method|$arg_a|$cookie_sid|$is_args$args|$$5",
               "X-Agent: \\"$http_user_agent\\"",
               "Link: <https://www.example.org$uri>; rel=canonical",
               "X-Nothing: $http_no_such_field",
               "X-Tls: $tls_protocol$tls_client_verify", "X-Protocol: $server_protocol$remote_user"}
    error_pages = {"404=/errors/$arg_lang/404.html", "410=/gone.html"}
    location "/try/" { root = "@root@" try = {"/hosts/$host$uri", "$uri.html", "/by/$arg_page"} }
    location "/ok/" { return = "200 ok" }
    location "/json/" { return = "200 {\\"a\\":\\"$arg_a\\"}" return_type = "application/json" }
    location "/html/" { return = "200 <p>$arg_a</p>" return_type = "text/html" }
    location "/empty/" { return = 204 }
    location "/gone/" { return = 410 }
    location "/not/" { return = 405 }
    location "/teapot/" { return = "418 short, $request_method" }
    location "/away/" { return = "308 https://$host$request_uri" }
    location "/found/" { return = "https://other.example$uri" }
    location ~ "^/old/([a-z]+)/(?<page>[^/]*)$" {
        return = "301 https://new.example/$1/$page.html"
        headers = {"X-Captured: $1|$page"}
    }
    location ~ "^/user/(?<name>[^/]*)$" { root = "@root@" try = "/by/$name" headers = "X-Name: $name" }
    location "/close/" { return = 444 }
    location "/inner/" { root = "@root@" internal = on }
    location "/shown/" { root = "@root@" error_pages = {"404=/inner/page.html"} }
    redirect "/to/" { to = "/new?h=$http_x_from&a=$arg_a" }
"""


def setup(world):
    root = world.root
    root.write("a.txt", "a")
    root.write("gone.html", "gone page")
    root.write("errors/de/404.html", "nichts")
    root.write("hosts/www.example.org/try/x", "of the host")
    root.write("by/page", "by page")
    root.write("secret", "secret")
    root.write("try/plain.html", "plain")
    root.write("inner/page.html", "inner")
    return world.serve(block=CONF)


@test
def a_header_holds_what_was_asked(server):
    answer = server.get("/a.txt?a=b%20c&d", "Cookie: x=y; sid=42", host="WWW.example.org:80")
    scheme = "https" if "tls" in str(server.argv) and server.world.tls else "http"
    assert answer["X-Values"].replace("https|", "http|") == "www.example.org|http|GET|b c|42|?a=b%20c&d|$5", scheme
    assert answer["Link"] == "<https://www.example.org/a.txt>; rel=canonical"
    assert "X-Nothing" not in answer
    tls = answer.get("X-Tls")
    assert tls is None or re.fullmatch(r"TLSv1\.[23]NONE", tls), tls
    assert answer["X-Protocol"] == "HTTP/1.1"
    etag = answer["ETag"]
    answer = server.get("/a.txt", f"If-None-Match: {etag}")
    assert answer.status == 304 and answer["X-Values"].endswith("|GET||||$5")
    assert server.ask("HEAD", "/a.txt")["X-Values"].endswith("|HEAD||||$5")
    assert server.get("/no")["X-Values"].endswith("|GET||||$5")


@each([b"\xff", b"a\tb", b'a"b', b"a\\b", b"a,b;c", b"<x>", b"%0d%0aX: y", b"a" * 3000])
def a_field_of_the_client_stays_a_value(server, value):
    answer = server.get("/a.txt", b"User-Agent: " + value)
    if len(value) > 2000:
        assert "X-Agent" not in answer
        return
    assert re.fullmatch(r'"[^"\\,;<>\x00-\x1f\x7f-\xff]*"', answer["X-Agent"]), answer["X-Agent"]


@each(["/a.txt?a=%0d%0aSet-Cookie:%20x", "/a%0d%0aSet-Cookie:x", "/json/?a=%22,%22b%22:%22%0a",
       "/html/?a=%3Cscript%3E", "/away/%0d%0aSet-Cookie:x", "/to/?a=%0d%0aSet-Cookie:x",
       "/found//%5Cevil%0a", "/try/?page=%0d%0a"])
def nothing_is_smuggled_in(server, target):
    with server.connect() as connection:
        for _ in range(2):
            answer = connection.get(target)
            assert "Set-Cookie" not in answer
            for name, value in answer.fields:
                assert re.fullmatch(r"[ -~]*", value), (name, value)
            assert b"<script" not in answer.body
            assert b'"b":' not in answer.body


@test
def try_and_error_pages_find_paths(server):
    assert server.get("/try/x", host="www.example.org").body == b"of the host"
    assert server.get("/try/y?page=page").body == b"by page"
    assert server.get("/try/plain").body == b"plain"
    for page in ("../secret", "%2e%2e/secret", "/secret", "..%2fsecret", "x/../../secret"):
        assert server.get(f"/try/y?page={page}").status == 404
    assert server.get("/nothing?lang=de").body == b"nichts"
    assert b"<h1>404" in server.get("/nothing?lang=../errors/de").body
    assert b"<h1>404" in server.get("/nothing").body


@test
def a_redirect_encodes_for_the_query(server):
    assert server.get("/to/x?a=b%26c+d", "X-From: e&f=g")["Location"] == "/new?h=e%26f%3Dg&a=b%26c%20d"


@each(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
def return_answers_every_method(server, method):
    with server.connect() as connection:
        for target, status, body in (("/ok/x", 200, b"ok"), ("/gone/x", 410, b"gone page"),
                                     ("/teapot/", 418, b"short, " + method.encode()),
                                     ("/empty/", 204, b""), ("/away/x", 308, b""),
                                     ("/not/", 405, None)):
            answer = connection.ask(method, target)
            assert answer.status == status, (target, answer.status)
            assert body is None or answer.body == (b"" if method == "HEAD" else body)
            assert ("Content-Length" in answer) == (status != 204)
        assert connection.ask(method, "/ok/")["Content-Type"] == "text/plain; charset=utf-8"


@test
def return_leads_away(server):
    answer = server.get("/away/a%20b?c=d&e", host="x.example")
    assert answer.status == 308 and answer["Location"] == "https://x.example/away/a%20b?c=d&e"
    assert server.get("/found//x?y")["Location"] == "https://other.example/found/x"
    assert server.get("/found/?y").status == 302
    assert server.get("/json/?a=%22%5C").body == b'{"a":"\\u0022\\u005C"}'
    assert server.get("/html/?a=%3Cb%3E").body == b"<p>&lt;b&gt;</p>"


@test
def a_pattern_has_captured(server):
    for target in ("/old/abc/x%22y,%0a?q", "/old/abc/x%22y%2c%0A"):
        answer = server.get(target)
        assert answer["Location"] == "https://new.example/abc/x%22y,%0A.html", answer["Location"]
        assert answer["X-Captured"] == "abc|x%22y%2C%0A", answer["X-Captured"]
    answer = server.get("/user/page")
    assert answer.body == b"by page" and answer["X-Name"] == "page"
    answer = server.get("/user/" + "n%6f")
    assert answer.status == 404 and answer["X-Name"] == "no"


@test
def a_text_that_is_too_long_is_refused(server):
    assert server.get("/json/?a=" + "x" * 4200).status == 414


@test
def a_connection_is_closed_without_an_answer(server):
    with server.connect() as connection:
        connection.send(head("GET", "/close/"))
        connection.expect_end()
    with server.connect() as connection:  # what was asked for before is answered
        connection.send(head("GET", "/ok/") + head("GET", "/close/") + head("GET", "/ok/"))
        assert connection.read_response().body == b"ok"
        connection.expect_end()
    with server.connect() as connection:
        connection.send(head("POST", "/close/", "Content-Length: 2") + b"xy")
        connection.expect_end()


@test
def what_is_internal_is_there_for_error_pages_alone(server):
    assert server.get("/inner/page.html").status == 404
    answer = server.get("/shown/x")
    assert answer.status == 404 and answer.body == b"inner"


SERVER = """
server "first.example" {
    listen = {"@listen@"}
    return = "301 https://$host$request_uri"
    location "/.well-known/acme-challenge/" { root = "@root@/acme" }
}
"""


@test
def challenges_are_served_beside_a_return(server):
    server.world.root.write("acme/.well-known/acme-challenge/token", "challenge")
    own = server.world.serve(conf=SERVER, tls=False)
    assert own.get("/.well-known/acme-challenge/token", host="first.example").body == b"challenge"
    for target in ("/", "/a?b", "/.well-known/x"):
        assert own.get(target, host="first.example")["Location"] == f"https://first.example{target}"
    assert own.get("//evil.example/", host="first.example")["Location"] == "https://first.example//evil.example/"


if __name__ == "__main__":
    run(setup)
