#!/usr/bin/python3
"""The request-target (HTTP.md "Reading a request" 3, RFC 9112 section 3.2, RFC 3986). Names of every
octet: test_every_octet.py."""

from wire import each, head, run, test


def setup(world):
    world.root.write("a.txt", "a")
    world.root.write("index.html", "index")
    world.root.write("a b.txt", "blank")
    world.root.write("\u00e4.txt", "umlaut")
    world.root.write("\U0001d11e.txt", "clef")
    world.root.write("a+b.txt", "plus")
    world.root.write("a b+.txt", "blank and plus")
    world.root.write("-._~!$&'()*+,;=:@.txt", "plain")
    world.root.write("%61.txt", "escaped twice")
    world.root.write("a?b#c.txt", "delimiters")
    world.root.write("\"<>\\^`{|}[].txt", "beyond RFC 3986")
    world.root.write(b"caf\xe9.txt", "Latin-1")
    world.root.write("new\nline.txt", "newline")
    return world.serve()


@each(["#", "\x01", "\x1f", "\x7f", "\x00", "\t", "\x0b", "\x0c", "\x0d", "\x0a"])
def controls_and_a_hash_are_400(server, octet):
    for target in (f"/{octet}", f"/a.txt{octet}", f"/a.txt?{octet}", f"/a.txt?x={octet}y", octet,
                   octet + "/a.txt",
                   f"http://localhost/{octet}"):
        server.refuses(head("GET", target), 400)


@each(["<", ">", "\"", "{", "}", "|", "\\", "^", "`", "[", "]", "\x80", "\xa0", "\xff", "\xc3\xa4"])
def what_clients_send_raw_is_taken(server, octet):
    """Whatever RFC 3986 says: names and queries reach a server like that."""
    for target, status in ((f"/{octet}", 404), (f"/a.txt{octet}", 404), (f"/a.txt?{octet}", 200),
                           (f"/a.txt?x={octet}y", 200), (f"http://localhost/a.txt?{octet}", 200)):
        assert server.get(target).status == status, target
    for target in (octet, octet + "/a.txt", f"http://local{octet}host/a.txt"):
        server.refuses(head("GET", target), 400)


@each(["#", "#x", "?x#y"])
def a_fragment_is_400(server, fragment):
    server.refuses(head("GET", "/a.txt" + fragment), 400)


@each([
    ("/-._~!$&'()*+,;=:@.txt", b"plain"), ("/a.txt?-._~!$&'()*+,;=:@/?", b"a"), ("/a.txt?", b"a"),
    ("/a.txt??", b"a"),
    ("/a.txt?x=%20%41%c3%a4", b"a"), ("/%61.txt", b"a"), ("/%61%2E%74x%74", b"a"),
    ("/a%2etxt", b"a"), ("/%2561.txt", b"escaped twice"),
    ("/a%20b.txt", b"blank"), ("/a+b.txt", b"plus"), ("/a%2Bb.txt", b"plus"),
    ("/a%20b+.txt", b"blank and plus"),
    ("/%C3%A4.txt", b"umlaut"), ("/%c3%a4.txt", b"umlaut"), ("/%F0%9D%84%9E.txt", b"clef"),
    ("/a%3Fb%23c.txt", b"delimiters"),
    ("/%22%3c%3E%5C%5E%60%7B%7C%7D%5B%5D.txt", b"beyond RFC 3986"), ("/?x", b"index"),
    ("/\"<>\\^`{|}[].txt", b"beyond RFC 3986"), ("/a.txt?x=a|b[c]{d}", b"a"),
    ("/\xc3\xa4.txt", b"umlaut"), ("/\xc3%a4.txt", b"umlaut"), ("/caf%E9.txt", b"Latin-1"),
    ("/caf\xe9.txt", b"Latin-1"), ("/new%0Aline.txt", b"newline"), ("/a.txt?%E4%c0%80", b"a"),
    ("/", b"index"),
])
def legal_targets_are_decoded_once(server, target, body):
    answer = server.get(target)
    assert answer.status == 200 and answer.body == body


@each([
    # truncated and bad
    "%", "%4", "%zz", "%4g", "%g4", "%%", "%%41", "%-1", "%+1", "% 41", "%u0041", "%0x41", "%4%31",
    "%00", "a%00b", "a.txt%00", "%c3%00", "%c3%", "%c3%4", "\xc3%zz",
])
def bad_escapes_are_400(server, escape):
    for target in ("/" + escape, "/dir/" + escape, "http://localhost/" + escape):
        server.refuses(head("GET", target), 400)


@each(["%", "%4", "%zz", "%g1", "x=%", "x=%2", "%00", "\xe4%"])
def bad_escapes_in_a_query_are_400(server, query):
    server.refuses(head("GET", "/a.txt?" + query), 400)


@each([
    "http://localhost/a.txt", "http://localhost:80/a.txt", "HTTP://localhost/a.txt",
    "hTTp://other.example/a.txt",
    "https://localhost/a.txt", "http://127.0.0.1:8080/a.txt", "http://[::1]/a.txt",
    "http://[::1]:80/a.txt", "http://localhost:/a.txt",
    "http://localhost/a.txt?x=y", "http://localhost/%61.txt", "http://localhost//a.txt",
    "http://localhost/x/../a.txt",
])
def the_absolute_form_is_served(server, target):
    answer = server.get(target)
    assert answer.status == 200 and answer.body == b"a"


@each(["http://localhost", "http://localhost/", "http://localhost?x", "http://localhost/?x",
       "http://localhost:80"])
def an_absolute_form_without_a_path_is_the_root(server, target):
    answer = server.get(target)
    assert answer.status == 200 and answer.body == b"index"


@each([
    "http:", "http:/", "http://", "http:///a.txt", "http:///", "http://?x", "http://:80/a.txt",
    "http:a.txt", "http:/a.txt", "://localhost/a.txt",
    "http//localhost/a.txt", "http://user@localhost/a.txt", "http://user:password@localhost/a.txt",
    "http://@localhost/a.txt",
    "http://localhost:x/a.txt", "http://localhost:65536/a.txt", "http://localhost:-1/a.txt",
    "http://[::1/a.txt", "http://::1/a.txt",
    "http://[::g]/a.txt", "http://[]/a.txt", "http://a\\b/a.txt", "http://a b/a.txt",
    "http://\xe4/a.txt", "http://a%zz/a.txt", "http://a#b/a.txt",
    "ftp://localhost/a.txt", "file:///a.txt", "ws://localhost/a.txt", "x://localhost/a.txt",
    "javascript:alert(1)", "mailto:a@b", "urn:a:b",
    "http ://localhost/a.txt", "http://localhost/../a.txt",
])
def malformed_absolute_forms_are_400(server, target):
    server.refuses(head("GET", target), 400)


@each(["a.txt", "./a.txt", "../a.txt", "?x", "localhost", "localhost:80", "localhost/a.txt", "*a",
       "**", "*/", "\\a.txt", "%2Fa.txt",
       "%2fa.txt", ":80", "@", ";", ""])
def other_forms_are_400(server, target):
    server.refuses(head("GET", target), 400)


@test
def nothing_of_the_target_is_echoed_unescaped(server):
    for target in ("/%3Cscript%3Ealert(1)%3C/script%3E", "/none?<script>", "/%3Cscript%3E/../../..",
                   "/'%22onload=alert(1)"):
        answer = server.get(target)
        assert b"<script>" not in answer.body and b"onload" not in answer.body


if __name__ == "__main__":
    run(setup)
