#!/usr/bin/python3
"""Names of any octets but NUL (HTTP.md "Reading a request" 3, "Finding the file"): clients ask for
them as they are or escaped, and neither listings, redirects, logs, `try`, `error_pages` nor
sidecars stumble over them."""

import gzip
import html.parser
import json
import os
import re
import urllib.parse

from wire import each, eventually, head, run, test

OCTETS = [octet for octet in range(1, 256) if octet != ord("/")]
NAMES = [b"a%cb.txt" % octet for octet in OCTETS]
RAW = [octet for octet in range(0x21, 256) if octet != 0x7f and chr(octet) not in "#%/?"]
NOT_RAW = [octet for octet in range(256) if octet <= 0x20 or octet == 0x7f or octet == ord("#")]
EVERY = bytes(OCTETS)  # all of them in one name; 254 octets
FALLBACK = "<p>fallback"


def escaped(name):
    """As a client that trusts nothing sends it."""
    return "".join(f"%{octet:02X}" for octet in name)


def setup(world):
    root = world.root
    for name in NAMES:
        root.write(b"names/" + name, b"<" + name + b">")
        root.write(b"folders/" + name + b"/index.html", b"in " + name)
        root.write(b"clean/" + name + b".html", b"page " + name)
        root.write(b"coded/" + name, name)
        root.write(b"coded/" + name + b".gz", gzip.compress(b"gz " + name))
    root.write(b"names/" + EVERY, "every")
    root.write("fallback.html", FALLBACK)
    root.write("missing.html", "<p>missing")
    root.write("%2F.txt", "no separator")
    root.write(b"many\n\xe9\xc3\xa9\x1b[1m/1", "")
    root.write(b"many\n\xe9\xc3\xa9\x1b[1m/2", "")
    world.server = world.serve(settings={"autoindex": "on", "precompressed": '{"gzip"}'})
    return world


def get_all(server, targets, *fields):
    """The answers to all of them on one connection, a hundred requests at a time."""
    answers = []
    with server.connect() as connection:
        for first in range(0, len(targets), 100):
            part = targets[first:first + 100]
            connection.send(b"".join(head("GET", target, *fields) for target in part))
            answers += [connection.read_response() for _ in part]
    return answers


def bodies(server, targets, *fields):
    answers = get_all(server, targets, *fields)
    statuses = {target: answer.status for target, answer in zip(targets, answers)
                if answer.status != 200}
    assert not statuses, statuses
    return [answer.body for answer in answers]


def visible(text):
    """Octets that a field line may hold without obs-text."""
    return all(0x20 <= ord(char) < 0x7f for char in text)


@test
def every_octet_may_be_asked_for_escaped(world):
    targets = ["/names/" + escaped(name) for name in NAMES]
    assert bodies(world.server, targets) == [b"<" + name + b">" for name in NAMES]
    assert bodies(world.server, ["/names/" + escaped(EVERY)]) == [b"every"]


@test
def nearly_every_octet_may_be_asked_for_as_it_is(world):
    names = [b"a%cb.txt" % octet for octet in RAW]
    assert bodies(world.server, [b"/names/" + name for name in names]) == [
        b"<" + name + b">" for name in names]
    assert bodies(world.server, [b"http://localhost/names/" + name for name in names]) == [
        b"<" + name + b">" for name in names]


@test
def a_query_may_hold_them_as_they_are(world):
    query = bytes(octet for octet in range(0x21, 256) if octet != 0x7f and chr(octet) not in "#%")
    targets = [b"/fallback.html?" + query] + [b"/fallback.html?x=%cy" % octet for octet in RAW]
    assert set(bodies(world.server, targets)) == {FALLBACK.encode()}
    escapes = "".join(f"%{octet:02x}" for octet in range(1, 256))
    assert bodies(world.server, ["/fallback.html?" + escapes]) == [FALLBACK.encode()]


@each(NOT_RAW)
def a_control_a_blank_and_a_hash_are_400(world, octet):
    for target in (b"/names/a%cb.txt" % octet, b"/fallback.html?%cx" % octet):
        world.server.refuses(head("GET", target), 400)


@each(["/%00", "/names/a%00b.txt", "/fallback.html?%00", "/%", "/%4", "/%g1", "/%e", "/?%", "/?%e"])
def nul_and_bad_escapes_are_400(world, target):
    world.server.refuses(head("GET", target), 400)


@test
def an_escaped_slash_separates_nothing(world):
    first = NAMES[0]
    statuses = [world.server.get(target).status
                for target in (f"/names%2F{escaped(first)}", f"/names%2f{escaped(first)}",
                               "/names/..%2ffallback.html", "/%2E%2E%2Ffallback.html")]
    assert set(statuses) == {404}, statuses
    assert world.server.get("/%2F.txt").body == b"no separator"


@each(["/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd", b"/\xc0\xae\xc0\xae/etc/passwd", "/..%c0%afetc",
       "/..\\..\\etc/passwd", "/%5c..%5c..%5cetc/passwd", "/%2e%2e%c0%af"])
def what_looks_like_a_separator_is_a_name(world, target):
    assert world.server.get(target).status == 404


class Links(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.hrefs, self.tags = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "a":
            self.hrefs.append(dict(attrs)["href"])


@test
def links_of_a_listing_lead_to_the_names(world):
    answer = world.server.get("/names/")
    links = Links(answer.body.decode("utf-8"))
    hrefs = [href for href in links.hrefs if href != "../"]
    found = {urllib.parse.unquote_to_bytes(href.removeprefix("./")) for href in hrefs}
    assert found == {*NAMES, EVERY} and all(visible(href) for href in hrefs)
    assert not any(octet < 0x20 and octet != ord("\n") or octet == 0x7f for octet in answer.body)
    targets = ["/names/" + href.removeprefix("./") for href in hrefs]
    assert sorted(bodies(world.server, targets)) == sorted(
        [b"<" + name + b">" for name in NAMES] + [b"every"])


@test
def a_listing_in_json_names_what_json_can(world):
    items = json.loads(world.server.get("/names/", "Accept: application/json").body)
    assert len(items) == len(NAMES) + 1
    names = {item["name"] for item in items}
    assert {name.decode() for name in NAMES if name.isascii()} <= names


@test
def a_listing_of_a_folder_with_such_a_name_is_html(world):
    answer = world.server.get("/" + escaped(b"many\n\xe9\xc3\xa9\x1b[1m") + "/")
    text = answer.body.decode("utf-8")
    title = text[text.index("<title>"):text.index("</title>")]
    assert "\n" not in title and "\x1b" not in title and "\u00e9" in title, title
    assert "2" in [href.removeprefix("./") for href in Links(text).hrefs]


@test
def redirects_to_folders_are_escaped(world):
    names = [name for name in NAMES if name != b"a%b.txt"]
    targets = ["/folders/" + escaped(name) for name in names]
    targets += [b"/folders/a%cb.txt" % octet for octet in RAW]
    places = []
    for target, answer in zip(targets, get_all(world.server, targets)):
        place = answer["Location"]
        assert answer.status == 301 and visible(place) and place.endswith("/"), (target, place)
        places.append(place)
    for target, place, body in zip(targets, places, bodies(world.server, places)):
        assert body == b"in " + urllib.parse.unquote_to_bytes(target)[len("/folders/"):], place


@test
def a_redirect_keeps_its_query_and_escapes_what_was_raw(world):
    for raw, kept in (("?x=a|b[c]{d}", "?x=a%7Cb%5Bc%5D%7Bd%7D"), ("?q=%E4%0d%0A/?&", "?q=%E4%0d%0A/?&"),
                      ("?caf\xe9\xc3\xa9\"<>", "?caf%E9%C3%A9%22%3C%3E")):
        answer = world.server.get("/names" + raw)
        assert answer.status == 301 and answer["Location"] == "/names/" + kept, answer["Location"]


@test
def a_field_cannot_be_forged_by_a_name(world):
    world.root.write(b"forged\r\nX-Forged: yes\r\n\r\n/index.html", "in")
    answer = world.server.get("/forged%0d%0aX-Forged:%20yes%0D%0A%0d%0a")
    assert answer.status == 301 and b"X-Forged: yes" not in answer.raw
    assert world.server.get(answer["Location"]).body == b"in"


@test
def configured_redirects_escape_what_they_pass_on(world):
    server = world.serve(block='redirect "/old/" { to = "https://new.example/" }')
    targets = ["/old/" + escaped(name) for name in NAMES]
    for name, answer in zip(NAMES, get_all(server, targets)):
        place = answer["Location"]
        assert visible(place) and place.startswith("https://new.example/"), place
        assert urllib.parse.unquote_to_bytes(place) == b"https://new.example/" + name


@test
def aliases_map_them(world):
    server = world.serve(block='location "/mounted/" { alias = "@root@/names" }')
    targets = ["/mounted/" + escaped(name) for name in NAMES]
    assert bodies(server, targets) == [b"<" + name + b">" for name in NAMES]


@test
def what_is_configured_in_utf_8_is_found_raw_and_escaped(world):
    world.root.write("caf\u00e9/a.txt", "cup")
    server = world.serve(block="""location "/caf\u00e9/" { alias = "@root@/caf\u00e9" }
        redirect "/\u00e9" { to = "/moved" }
        error_pages = {"404=/caf\u00e9/a.txt"}""")
    for place in ("/caf\xc3\xa9/a.txt", "/caf%C3%A9/a.txt", "/caf\xc3%a9/a.txt"):
        answer = server.get(place)
        assert answer.status == 200 and answer.body == b"cup", place
    for place in ("/\xc3\xa9", "/%c3%a9"):
        assert server.get(place)["Location"] == "/moved", place
    answer = server.get("/caf\xe9/a.txt")
    assert answer.status == 404 and answer.body == b"cup"


@test
def try_finds_them_with_a_suffix_and_falls_back(world):
    server = world.serve(settings={"try": '{"$uri", "$uri.html", "/fallback.html"}'})
    assert bodies(server, ["/clean/" + escaped(name) for name in NAMES]) == [
        b"page " + name for name in NAMES]
    assert bodies(server, [b"/clean/a%cb.txt" % octet for octet in RAW]) == [
        b"page a%cb.txt" % octet for octet in RAW]
    assert set(bodies(server, ["/none/" + escaped(name) for name in NAMES])) == {FALLBACK.encode()}


@test
def error_pages_are_shown_for_them(world):
    server = world.serve(settings={"error_pages": '{"404=/missing.html"}'})
    for answer in get_all(server, ["/none/" + escaped(name) for name in NAMES]):
        assert answer.status == 404 and answer.body == b"<p>missing"


@test
def nothing_of_them_is_in_a_built_in_error_page(world):
    pages = {answer.body for answer in
             get_all(world.server, ["/none/" + escaped(name) for name in NAMES])}
    assert len(pages) == 1


@test
def sidecars_are_found(world):
    targets = ["/coded/" + escaped(name) for name in NAMES]
    for name, body in zip(NAMES, bodies(world.server, targets, "Accept-Encoding: gzip")):
        assert gzip.decompress(body) == b"gz " + name
    assert bodies(world.server, targets) == NAMES


def logged(world, form):
    """Asks for all names, raw where they may be, and reads the log: (request lines sent, lines)."""
    path = f"{world.logs.path}/{form}.log"
    server = world.serve(settings={"access_log": path, "access_log_format": form})
    targets = [f"/names/{escaped(name)}".encode() for name in NAMES]
    targets += [b"/names/a%cb.txt" % octet for octet in RAW]
    bodies(server, targets)
    refused = [b"/a%cb" % octet for octet in NOT_RAW if octet not in (0, 10, 13, 32)]
    for target in refused:
        server.refuses(head("GET", target), 400)
    server.stop()
    with open(path, "rb") as file:
        text = file.read()
    assert all(octet == 10 or 0x20 <= octet < 0x7f for octet in text)
    sent = [b"GET " + target + b" HTTP/1.1" for target in targets + refused]
    return sent, text.decode("ascii").splitlines()


@test
def the_log_holds_each_in_a_line(world):
    sent, lines = logged(world, "combined")
    found = [re.search(r'\] "((?:[^"\\]|\\x[0-9A-F]{2})*)" [0-9]{3} ', line)[1] for line in lines]
    read = [re.sub(r"\\x([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), line).encode("latin-1")
            for line in found]
    assert sorted(read) == sorted(sent)


@test
def the_log_in_json_holds_each_in_a_line(world):
    sent, lines = logged(world, "json")
    wanted = ["".join(f"\\x{octet:02X}" if octet > 0x7f else chr(octet) for octet in line)
              for line in sent]  # none of these is UTF-8
    assert sorted(json.loads(line)["request"] for line in lines) == sorted(wanted)


@test
def the_error_log_holds_a_name_in_a_line(world):
    path = f"{world.logs.path}/error.log"
    server = world.serve(settings={"autoindex": "on", "autoindex_max": "1", "error_log": path})
    assert server.get("/" + escaped(b"many\n\xe9\xc3\xa9\x1b[1m") + "/").status == 503

    def text():
        return open(path, "rb").read() if os.path.exists(path) else b""

    assert eventually(lambda: b"many" in text())
    line, = [line for line in text().split(b"\n") if b"many" in line]
    assert rb"/many\x0A\xE9" + "\u00e9".encode() + rb"\x1B[1m/ holds more" in line, line


if __name__ == "__main__":
    run(setup)
