#!/usr/bin/python3
"""A listing in Chromium: headers sort and the filter filters by its script, without a request, under
its own policy. A page beside it, of the same origin, clicks."""

import html
import json
import re

from client import logged, run, serve_logged, test, url
from client.browser import Browser

DRIVER = """<!DOCTYPE html><iframe src="./d/"></iframe><pre></pre><script>
document.querySelector("iframe").onload = function () {
  var doc = this.contentDocument, told = {}, filter = doc.querySelector("input[type=search]");
  function names() {
    return Array.from(doc.querySelectorAll("tbody tr:not(.up)")).filter(function (row) { return !row.hidden; })
      .map(function (row) { return row.querySelector("a").textContent; });
  }
  told.before = names();
  told.hidden = filter.hidden;
  doc.querySelector("button[value=size]").click();
  told.size = names();
  told.query = this.contentWindow.location.search;
  told.sorted = Array.from(doc.querySelectorAll("th")).map(function (head) { return head.getAttribute("aria-sort"); });
  doc.querySelector("button[value=size]").click();
  told.smallest = names();
  doc.querySelector("button[value=name]").click();
  told.names = names();
  filter.value = "F1 txt";
  filter.dispatchEvent(new Event("input"));
  told.filtered = names();
  told.summary = doc.querySelector(".tools p").textContent;
  document.querySelector("pre").textContent = JSON.stringify(told);
};
</script>"""


def setup(world):
    world.browser = Browser(world)
    for name, size in (("f1.txt", 3000), ("f2.txt", 5), ("f10.txt", 2000), ("note", 1)):
        world.root.write("d/" + name, "x" * size)
    world.root.write("d/z/x", "")
    world.root.write("drive.html", DRIVER)
    return world


@test
def clicks_sort_and_words_filter(world):
    server = serve_logged(world, {"autoindex": "on"})
    page = world.browser.load(url(server, "/drive.html"))
    told = json.loads(html.unescape(re.search("<pre>(.*?)</pre>", page.dom, re.DOTALL)[1]))
    files = ["f1.txt", "f2.txt", "f10.txt", "note"]
    assert told["before"] == told["names"] == ["z/"] + files and told["hidden"] is False, told
    assert told["size"] == ["z/", "f1.txt", "f10.txt", "f2.txt", "note"], told
    assert told["smallest"] == ["z/", "note", "f2.txt", "f10.txt", "f1.txt"], told
    assert told["query"] == "?sort=size&order=desc", told
    assert told["sorted"] == ["none", "descending", "none"], told
    assert told["filtered"] == ["f1.txt", "f10.txt"] and told["summary"] == "2 of 5", told
    assert [entry.target for entry in logged(server) if entry.target.startswith("/d/")] == ["/d/"]
    assert page.console == [], page.console


if __name__ == "__main__":
    run(setup)
