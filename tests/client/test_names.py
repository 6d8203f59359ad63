#!/usr/bin/python3
"""Names made of every octet but NUL and '/', as curl, wget and Chromium ask for them: escaped, as they
are where they send them so, and by the links of a listing. On every engine."""

import os
import re

from client import Program, Site, logged, run, serve_logged, test, tree, url
from client.browser import Browser

OCTETS = [octet for octet in range(1, 256) if octet != ord("/")]
NAMES = [b"a%cb.txt" % octet for octet in OCTETS]
# curl refuses controls in a URL, and reads '?', '#' and escapes.
RAW_BY_CURL = [octet for octet in range(0x21, 256) if octet != 0x7f and chr(octet) not in "#%/?"]
CAFE = "/caf\u00e9/\u65e5\u672c.txt"
LISTING = {"autoindex": "on", "index": "{}"}

# Follows each link of the listing, and says how many led to a file that holds its own name.
WALK = """<!DOCTYPE html><meta charset="utf-8"><p id="walked"></p><p id="slug"></p><p id="query"></p>
<script type="module" src="/[slug].js"></script>
<script type="module">
const say = (id, text) => document.getElementById(id).textContent = text;
const text = async address => {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
};
const octets = link => link.replace(/^\\.\\//, "").match(/%[0-9A-F]{2}|[^%]/g)
  .map(part => part[0] == "%" ? parseInt(part.slice(1), 16) : part.charCodeAt(0)).join();
try {
  const listing = new DOMParser().parseFromString(
    new TextDecoder("utf-8", {fatal: true}).decode(await text("/names/")), "text/html");
  const links = [...listing.querySelectorAll("a")].map(a => a.getAttribute("href"))
    .filter(link => link != "../");
  let right = 0;
  for (const link of links)
    right += octets(link) == (await text("/names/" + link)).join();
  await text("/q.txt?x=a|b[c]{d}^`caf\\u00e9");
  say("query", "found");
  say("walked", `${right} of ${links.length}`);
} catch (error) {
  say("walked", error);
}
</script>
"""


def escaped(name):
    return "".join(f"%{octet:02X}" for octet in name)


def setup(world):
    world.names = Site(os.path.join(world.path, "site"))
    for name in NAMES:
        world.names.write(b"names/" + name, name)
    world.names.write(CAFE[1:], "UTF-8")
    world.names.write(b"caf\xe9.txt", "Latin-1")
    world.names.write("q.txt", "query")
    world.names.write("[slug].js", 'document.getElementById("slug").textContent = "loaded";')
    world.names.write("walk.html", WALK)
    world.local = Site(os.path.join(world.path, "local"))
    return world


def curl_all(world, server, targets, folder):
    """curl asks for all of them; what it stored under the number of each."""
    curl = Program(world, "curl", package="curl")
    world.local.folder(folder)
    lines = []
    for number, target in enumerate(targets):
        address = url(server, "/").encode() + target
        quoted = address.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        lines += [b'url = "%s"' % quoted, b'output = "%s/%d"' % (world.local.at(folder), number)]
    config = world.local.at(folder + ".curlrc")
    with open(config, "wb") as file:
        file.write(b"\n".join(lines) + b"\n")
    curl("-sS", "--globoff", "--fail", "-K", config)
    stored = []
    for number in range(len(targets)):
        with open(world.local.at(f"{folder}/{number}"), "rb") as file:
            stored.append(file.read())
    return stored


@test
def curl_asks_for_every_octet_escaped(world):
    server = world.serve(root=world.names)
    targets = [f"names/{escaped(name)}".encode() for name in NAMES]
    assert curl_all(world, server, targets, "escaped") == NAMES


@test
def curl_sends_octets_as_they_are(world):
    server = serve_logged(world, root=world.names)
    names = [b"a%cb.txt" % octet for octet in RAW_BY_CURL]
    assert curl_all(world, server, [b"names/" + name for name in names], "raw") == names
    targets = {entry.target for entry in logged(server)}
    assert {f"/names/a{octet:c}b.txt" for octet in RAW_BY_CURL if octet < 0x80} <= targets


@test
def curl_sends_utf_8_and_what_is_none_as_it_is(world):
    """In a query; in a path when it is told to, since it learnt to escape there."""
    server = serve_logged(world, root=world.names)
    curl = Program(world, "curl", package="curl")
    for target, data in ((CAFE, b"UTF-8"), (b"/caf\xe9.txt", b"Latin-1")):
        ran = curl("-sS", "--fail", "--request-target", target, url(server, "/"))
        assert ran.out == data, target
    assert curl("-sS", "--fail", url(server, "/").encode() + b"q.txt?caf\xe9\xc3\xa9").out == b"query"
    assert [entry.target for entry in logged(server)] == [
        CAFE, "/caf\\xE9.txt", "/q.txt?caf\\xE9\u00e9"]


@test
def curl_and_wget_take_an_address_as_it_is_typed(world):
    server = serve_logged(world, root=world.names)
    curl = Program(world, "curl", package="curl")
    wget = Program(world, "wget", package="wget")
    for name, data in ((CAFE[1:], b"UTF-8"), (b"caf\xe9.txt", b"Latin-1"),
                       ("q.txt?x=a|b[c]{d}^`\"caf\u00e9", b"query")):
        address = url(server, "/").encode() + os.fsencode(name)
        assert curl("-sS", "--globoff", "--fail", address).out == data, name
        assert wget("-nv", "-O", "-", address).out == data, name
    assert {entry.status for entry in logged(server)} == {200}


@test
def wget_mirrors_a_listing_of_them(world):
    server = serve_logged(world, LISTING, root=world.names)
    wget = Program(world, "wget", package="wget")
    folder = world.local.at("mirror")
    os.makedirs(folder)
    wget("-nv", "-r", "-np", "-nH", "--no-iri", "--default-page=.listing", "-e", "robots=off",
         "--restrict-file-names=unix,nocontrol", url(server, "/names/"), cwd=folder)
    tree.compare(world, Site(os.fsdecode(world.names.at("names"))),
                 os.path.join(os.fsdecode(folder), "names"), ".listing")
    assert {entry.status for entry in logged(server)} == {200}


@test
def chromium_follows_every_link_and_loads_what_has_brackets(world):
    server = serve_logged(world, LISTING, root=world.names)
    dom = Browser(world).load(url(server, "/walk.html")).dom
    shown = dict(re.findall(r'id="(\w+)">([^<]*)<', dom))
    assert shown == {"walked": f"{len(NAMES)} of {len(NAMES)}", "slug": "loaded",
                     "query": "found"}, shown
    targets = [entry.target for entry in logged(server)]
    assert "/[slug].js" in targets, "Chromium escapes brackets in a path"
    assert "/q.txt?x=a|b[c]{d}^`caf%C3%A9" in targets, "Chromium escapes what a query may hold"


if __name__ == "__main__":
    run(setup)
