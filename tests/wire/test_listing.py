#!/usr/bin/python3
"""Listings (HTTP.md "Finding the file"): HTML for people and mirroring programs, JSON for
programs."""

import html.parser
import json
import time
import urllib.parse

from wire import MTIME_NS, each, http_date, run, test

# Names that give trouble in HTML or in URLs; those of OCTETS also in a text.
AWKWARD = ["a & b.txt", "<script>alert(1)<script>", "\"quoted\" 'names'.txt", "a#b.txt",
           "what?.txt", "100%.txt", "%41.txt",
           "a+b.txt", "a;b=c,d.txt", "a:b.txt", "http:", "\\back.txt", "\u00e4\u4e2d\U0001d11e.txt",
           "&amp;.txt", "{[]}^`|.txt", "-rf", " leading.txt",
           "trailing ", "~tilde", "a@b", "n" * 250]
OCTETS = [b"new\nline.txt", b"tab\there.txt", b"latin-\xe4.txt", b"\xff\xfe", b"cut-\xe4\xb8",
             b"bell\x07.txt", b"cr\r.txt"]


class Links(html.parser.HTMLParser):
    """Collects hrefs, tags and the text; refuses event handlers."""

    def __init__(self, text):
        super().__init__()
        self.hrefs, self.text, self.tags = [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "a":
            self.hrefs.append(dict(attrs)["href"])
        for name, _ in attrs:
            assert not name.startswith("on"), f"an event handler: {attrs}"

    def handle_data(self, data):
        if self.tags[-1:] not in (["script"], ["style"]):
            self.text += data


def setup(world):
    root = world.root
    for name in AWKWARD:
        root.write("awkward/" + name, name)
    for name in OCTETS:
        root.write(b"octets/" + name, name)
    root.folder("awkward/sub <dir> & more")
    root.write("plain/b.txt", "bb", mtime_ns=MTIME_NS)
    root.write("plain/a.txt", "a" * 1234, mtime_ns=951782400 * 10**9)
    root.write("plain/B.txt", "B")
    root.write("plain/a10", "")
    root.write("plain/a9", "")
    root.write("plain/z/x.txt", "x")
    root.write("plain/a-dir/x.txt", "x")
    root.sparse("plain/huge.bin", 20 << 30, {})
    root.write("plain/.hidden", "hidden")
    root.fifo("plain/fifo")
    root.socket("plain/socket")
    root.link("plain/link.txt", "a.txt")
    root.link("plain/link-dir", "z")
    root.link("plain/out.txt", "../../outside/secret.txt")
    root.link("plain/dangling", "nowhere")
    world.outside.write("secret.txt", "secret")
    root.folder("empty")
    root.write("with-index/index.html", "index")
    root.write("with-index/other.txt", "other")
    root.folder("closed", mode=0o300)
    return world.serve(settings={"autoindex": "on", "cache_valid": "100ms"})


def html_links(server, target):
    answer = server.get(target)
    assert answer.status == 200
    return Links(answer.body.decode())


def json_items(server, target):
    answer = server.get(target, "Accept: application/json")
    assert answer.status == 200
    return json.loads(answer.body)


def down(hrefs):
    """Without the links that lead upwards."""
    return [href for href in hrefs if href.strip("./")]


def names(hrefs):
    """The names that links lead to, as octets."""
    return [urllib.parse.unquote_to_bytes(href.removeprefix("./")) for href in down(hrefs)]


PLAIN_DIRS = ["a-dir/", "link-dir/", "z/"]
PLAIN_FILES = ["a.txt", "a9", "a10", "B.txt", "b.txt", "huge.bin", "link.txt"]


@test
def html_is_sorted_directories_first(server):
    links = html_links(server, "/plain/")
    assert names(links.hrefs) == [name.encode() for name in PLAIN_DIRS + PLAIN_FILES]


@test
def json_is_sorted_alike(server):
    items = json_items(server, "/plain/")
    assert [item["name"] + ("/" if item["type"] == "directory" else "")
            for item in items] == PLAIN_DIRS + PLAIN_FILES


@test
def json_tells_type_size_and_time(server):
    items = {item["name"]: item for item in json_items(server, "/plain/")}
    assert items["a.txt"] == {"name": "a.txt", "type": "file", "mtime": http_date(951782400),
                              "size": 1234}
    assert items["huge.bin"]["size"] == 20 << 30
    assert items["link.txt"]["size"] == 1234
    assert items["z"]["type"] == "directory" and items["z"].keys() == {"name", "type", "mtime"}
    time.strptime(items["z"]["mtime"], "%a, %d %b %Y %H:%M:%S GMT")


@test
def html_tells_size_and_time(server):
    text = html_links(server, "/plain/").text
    assert "2000-02-29" in text or "29-Feb-2000" in text or "29 Feb 2000" in text
    assert "1.2 KiB" in text and "20 GiB" in text


@test
def links_start_with_a_dot(server):
    """Else a name with a colon would be taken for a scheme."""
    for target in ("/plain/", "/awkward/", "/octets/"):
        for href in html_links(server, target).hrefs:
            assert href.startswith(("../", "./")), href


@test
def only_the_root_has_no_way_up(server):
    assert "../" in html_links(server, "/plain/").hrefs
    assert "../" not in html_links(server, "/").hrefs


@test
def links_of_awkward_names_lead_to_them(server):
    hrefs = down(html_links(server, "/awkward/").hrefs)
    assert sorted(names(hrefs)) == sorted([name.encode() for name in AWKWARD]
                                          + [b"sub <dir> & more/"])
    for href in hrefs:
        target = urllib.parse.urljoin("http://localhost/awkward/",
                                      href).removeprefix("http://localhost")
        answer = server.get(target)
        name = urllib.parse.unquote(href.removeprefix("./"))
        assert answer.status == 200 and (name.endswith("/") or answer.body.decode() == name)


@test
def links_of_names_that_are_not_utf_8_are_exact(server):
    hrefs = down(html_links(server, "/octets/").hrefs)
    assert sorted(names(hrefs)) == sorted(OCTETS)
    assert sorted(server.get("/octets/" + href).body for href in hrefs) == sorted(OCTETS)


@test
def links_hold_only_what_a_url_may(server):
    for target in ("/awkward/", "/octets/"):
        for href in html_links(server, target).hrefs:
            assert all(char.isascii() and (char.isalnum() or char in "-._~!$&'()*+,;=:@/%")
                       for char in href), href


@each(["/awkward/", "/octets/", "/awkward/sub%20%3Cdir%3E%20&%20more/"])
def names_are_escaped(server, target):
    body = server.get(target).body
    body.decode("utf-8")
    assert body.count(b"<script") == 1 and b"<dir>" not in body  # the page's own
    links = Links(body.decode())
    assert links.tags.count("script") == 1 and "dir" not in links.tags


@test
def text_shows_the_names(server):
    text = html_links(server, "/awkward/").text
    for name in ("a & b.txt", "&amp;.txt", "100%.txt", "\u00e4\u4e2d\U0001d11e.txt"):
        assert name in text


@test
def json_survives_awkward_names(server):
    items = {item["name"]: item["type"] for item in json_items(server, "/awkward/")}
    assert items == {**{name: "file" for name in AWKWARD}, "sub <dir> & more": "directory"}
    assert len(json_items(server, "/octets/")) == len(OCTETS)
    assert "new\nline.txt" in [item["name"] for item in json_items(server, "/octets/")]


@each(["fifo", "socket", ".hidden", "out.txt", "dangling", "secret"])
def what_is_not_served_is_not_listed(server, name):
    assert name not in html_links(server, "/plain/").text
    assert name not in [item["name"] for item in json_items(server, "/plain/")]


@each([
    (None, "html"), ("*/*", "html"), ("text/html", "html"),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"),
    ("application/json", "json"), ("application/json, text/html;q=0.5", "json"),
    ("text/html, application/json;q=0.9", "html"),
    ("application/json;q=0", "html"), ("application/json, */*;q=0.1", "json"),
    ("application/jsonx", "html"), ("", "html"), ("text/plain", "html"),
])
def accept_chooses(server, accept, form):
    answer = server.get("/plain/", *([] if accept is None else [f"Accept: {accept}"]))
    assert answer.status == 200
    assert answer["Content-Type"].split(";")[0] == ("application/json"
                                                    if form == "json" else "text/html")


@test
def caches_are_told_that_accept_chooses(server):
    for fields in ([], ["Accept: application/json"]):
        assert "accept" in [name.strip().lower()
                            for name in server.get("/plain/", *fields)["Vary"].split(",")]


@test
def html_says_its_charset(server):
    assert server.get("/plain/")["Content-Type"] == "text/html; charset=utf-8"


@test
def head_has_the_fields_of_get(server):
    for fields in ([], ["Accept: application/json"]):
        get, answer = server.get("/awkward/", *fields), server.head("/awkward/", *fields)
        assert answer.without("Date") == get.without("Date")


@test
def an_empty_directory_is_an_empty_list(server):
    assert json_items(server, "/empty/") == []
    assert names(html_links(server, "/empty/").hrefs) == []


@test
def an_index_file_wins(server):
    assert server.get("/with-index/").body == b"index"


@test
def a_directory_without_slash_is_redirected_first(server):
    assert server.get("/plain")["Location"] == "/plain/"


@test
def a_directory_that_may_not_be_read_is_403(server):
    assert server.get("/closed/").status == 403


@test
def what_is_new_is_listed(server):
    root = server.world.root
    root.write("changing/1", "")
    assert [item["name"] for item in json_items(server, "/changing/")] == ["1"]
    root.write("changing/2", "")
    time.sleep(0.3)
    assert [item["name"] for item in json_items(server, "/changing/")] == ["1", "2"]
    root.remove("changing/1")
    time.sleep(0.3)
    assert [item["name"] for item in json_items(server, "/changing/")] == ["2"]


@test
def it_is_off_by_default(server):
    own = server.world.serve()
    answer = own.get("/plain/")
    assert answer.status == 404 and b"a.txt" not in answer.body


@test
def too_many_names_are_503(server):
    own = server.world.serve(settings={"autoindex": "on", "autoindex_max": "5"})
    assert own.get("/plain/").status == 503
    assert own.get("/empty/").status == 200


@test
def a_title_is_escaped(server):
    body = server.get("/awkward/sub%20%3Cdir%3E%20&%20more/").body.decode()
    title = body[body.index("<title>"):body.index("</title>")]
    assert "&lt;dir&gt; &amp; more" in title


@test
def many_listings_on_one_connection(server):
    with server.connect() as connection:
        first = connection.get("/awkward/").body
        for _ in range(50):
            assert connection.get("/awkward/").body == first


if __name__ == "__main__":
    run(setup)
