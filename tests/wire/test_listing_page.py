#!/usr/bin/python3
"""What people see and ask for in a listing (HTTP.md "Listings"): orders, a README, names left out, the
policy of the page, and pages of one's own."""

import base64
import hashlib
import json
import re

from wire import each, run, test

SIZES = {"b10": 5, "B9": 3000, "a.txt": 1, "Z.png": 3000, "keep.tmp": 7}
TIMES = {"b10": 300, "B9": 100, "a.txt": 200, "Z.png": 400, "keep.tmp": 500}
README = b"# Hello <b>\r\n\xff \xe2\x82\xac\r\n"
BY_NAME = ["a.txt", "B9", "b10", "README.md", "Z.png"]

TEMPLATE = """<title>{{path}}</title>{{! a comment }}
{{#breadcrumbs}}[{{href}} {{name}}{{#current}}!{{/current}}]{{/breadcrumbs}}
{{folders}}+{{files}} {{total_bytes}} {{total_size}} {{summary}} {{sort}} {{order}} {{size_order}} {{size_sorted}}
{{#entries}}<{{href}}|{{name}}|{{kind}}|{{bytes}}|{{size}}|{{modified_iso}}{{#image}}|image{{/image}}{{^folder}}|{{modified}}{{/folder}}>
{{/entries}}{{#readme}}({{readme_name}}: {{readme}}){{/readme}}{{#preview}}preview{{/preview}}
"""


def setup(world):
    root = world.root
    root.write("d/README.md", README, mtime_ns=10**9)
    root.write("d/readme.txt/x", "")
    for name, size in SIZES.items():
        root.write("d/" + name, "x" * size, mtime_ns=TIMES[name] * 10**9)
    for name in ("f2", "f10"):
        root.write(f"d/{name}/x", "")
    root.write("long/README", "y" * 40000)
    root.write("middle/README", "\u20ac<" * 6000)
    root.write("binary/README", b"a\0b")
    root.write("none/x", "")
    root.link("link/README", "../d/README.md")
    root.link("out/README", "../../outside/secret.txt")
    world.outside.write("secret.txt", "secret")
    world.logs.write("page.html", TEMPLATE)
    return world.serve(conf="""server "localhost" {
        listen = {"@listen@"}
        root = "@root@"
        autoindex = on
        autoindex_exclude = {"*.tmp", "readme.txt"}
        location "/own/" { alias = "@root@" autoindex_template = "@world@/logs/page.html" }
        location "/policy/" { alias = "@root@" headers = {"content-security-policy: default-src 'self'"} }
        }""")


def page(server, target):
    answer = server.get(target)
    assert answer.status == 200
    return answer.body.decode()


def rows(text):
    return [name for name in re.findall(r'<td><a href="\./[^"]*">([^<]*)', text)]


def names(server, target):
    """The files, in both forms."""
    found = [name for name in rows(page(server, target)) if not name.endswith("/")]
    items = json.loads(server.get(target, "Accept: application/json").body)
    assert found == [item["name"] for item in items if item["type"] == "file"], target
    return found


@each([
    ("", BY_NAME), ("?sort=name", BY_NAME), ("?order=desc", BY_NAME[::-1]),
    ("?sort=size", ["a.txt", "b10", "README.md", "B9", "Z.png"]),
    ("?sort=size&order=desc", ["B9", "Z.png", "README.md", "b10", "a.txt"]),
    ("?sort=time", ["README.md", "B9", "a.txt", "b10", "Z.png"]),
    ("?sort=time&order=desc", ["Z.png", "b10", "a.txt", "B9", "README.md"]),
    ("?C=S;O=D", ["B9", "Z.png", "README.md", "b10", "a.txt"]),
    ("?C=N&O=A", BY_NAME), ("?sort=colour&order=up&x", BY_NAME),
])
def orders(server, query, wanted):
    assert names(server, "/d/" + query) == wanted


@test
def folders_are_first_and_by_name(server):
    assert rows(page(server, "/d/"))[:2] == ["f2/", "f10/"]
    assert rows(page(server, "/d/?sort=size&order=desc"))[:2] == ["f2/", "f10/"]
    assert rows(page(server, "/d/?sort=name&order=desc"))[:2] == ["f10/", "f2/"]


@test
def headers_ask_for_the_other_order(server):
    text = page(server, "/d/?sort=size&order=desc&preview=on")
    heads = re.findall(r'aria-sort="(\w+)"><form>(.*?)<button name="sort" value="(\w+)"', text)
    assert [(sorted_, key) for sorted_, _, key in heads] == [
        ("none", "name"), ("descending", "size"), ("none", "time")]
    assert ["asc", "asc", "desc"] == [re.search(r'name="order" value="(\w+)"', form)[1]
                                      for _, form, _ in heads]
    assert all('name="preview" value="on"' in form for _, form, _ in heads)


@test
def nothing_but_names_is_a_link(server):
    """A mirroring program would follow it."""
    for query in ("", "?sort=size", "?preview=on"):
        for link in re.findall(r'(?:href|src|action)="([^"]*)"', page(server, "/d/" + query)):
            assert "?" not in link, link


@test
def what_is_excluded_is_served_all_the_same(server):
    assert "keep.tmp" not in page(server, "/d/") and "readme.txt" not in page(server, "/d/")
    assert server.get("/d/keep.tmp").status == 200


@test
def a_readme_is_shown_as_text(server):
    assert "<h2>README.md</h2>\n<pre>\n# Hello &lt;b&gt;\n\ufffd \u20ac\n</pre>" in page(server, "/d/")
    assert "Hello" in page(server, "/link/")
    assert ("\u20ac&lt;" * 6000 + "</pre>") in page(server, "/middle/")
    told = server.head("/middle/")
    assert int(told["Content-Length"]) == len(server.get("/middle/").body)


@each(["/long/", "/binary/", "/none/", "/out/"])
def no_readme(server, target):
    text = page(server, target)
    assert "<section>" not in text and "secret" not in text


@test
def images_are_loaded_lazily_on_request(server):
    assert "<img" not in page(server, "/d/")
    assert page(server, "/d/?preview=on").count('<img loading="lazy" alt="" src="./Z.png">') == 1
    assert 'value="on">Show images' in page(server, "/d/")
    assert "Show images" not in page(server, "/none/")


@test
def the_policy_allows_what_is_in_the_page(server):
    """These hashes are the ones of http/listing_page.h: whoever changes the page, changes them."""
    answer = server.get("/d/")
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        found = re.findall(b"<%s>(.*?)</%s>" % (tag.encode(), tag.encode()), answer.body, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(found[0]).digest()).decode()
        assert len(found) == 1 and f"{tag}-src 'sha256-{digest}'" in policy, (tag, digest)
    assert b" style=" not in answer.body and b"{{" not in answer.body


@test
def a_configured_policy_is_the_only_one(server):
    fields = [value for name, value in server.get("/policy/d/").fields
              if name.lower() == "content-security-policy"]
    assert fields == ["default-src 'self'"]
    assert "Content-Security-Policy" not in server.get("/d/", "Accept: application/json")
    assert "Content-Security-Policy" not in server.get("/own/d/")


@test
def the_preset_lets_the_page_work(server):
    """Its icons are data, and its buttons are of forms."""
    own = server.world.serve(settings={"autoindex": "on", "security_headers": "strict"})
    policies = [value for name, value in own.get("/d/").fields
                if name.lower() == "content-security-policy"]
    assert len(policies) == 1 and "img-src 'self' data:" in policies[0], policies
    assert "form-action 'self'" in policies[0] and "'unsafe-inline'" in policies[0], policies


@test
def a_page_of_ones_own(server):
    text = page(server, "/own/d/?sort=size&order=desc&preview=on")
    assert text == (
        "<title>/own/d/</title>\n[../../ /][../ own/][./ d/!]\n"
        f"2+5 {3000 * 2 + 6 + len(README)} 5.9 KiB 2 folders, 5 files, 5.9 KiB size desc asc descending\n"
        + "".join(f"<./{name}/|{name}/|folder|||{re.search(f'{name}/.folder...([^>]*)>', text)[1]}>\n"
                  for name in ("f2", "f10"))
        + "<./B9|B9|file|3000|2.9 KiB|1970-01-01T00:01:40Z|1970-01-01 00:01>\n"
        "<./Z.png|Z.png|image|3000|2.9 KiB|1970-01-01T00:06:40Z|image|1970-01-01 00:06>\n"
        f"<./README.md|README.md|text|{len(README)}|{len(README)} B|1970-01-01T00:00:01Z|1970-01-01 00:00>\n"
        "<./b10|b10|file|5|5 B|1970-01-01T00:05:00Z|1970-01-01 00:05>\n"
        "<./a.txt|a.txt|text|1|1 B|1970-01-01T00:03:20Z|1970-01-01 00:03>\n"
        "(README.md: # Hello &lt;b&gt;\n\ufffd \u20ac\n)preview\n"), text


if __name__ == "__main__":
    run(setup)
