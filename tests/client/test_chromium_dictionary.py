#!/usr/bin/python3
"""Compression dictionaries (RFC 9842) in Chromium: it keeps a file that is to be a dictionary, asks
for the next version with its hash, and has the whole file of the delta that it gets."""

import html
import json
import re
import subprocess

from client import logged, run, serve_logged, test, url
from client.browser import Browser

# Each version is a script that tells which one it is, behind what both have in common.
COMMON = "".join(f"function part{number}() {{ return {number * number}; }}\n" for number in range(2000))
OLD, NEW = "assets/app.3fa1c2d4.js", "assets/app.9be0d172.js"
DRIVER = """<!DOCTYPE html><pre></pre><script>
(async function () {
  var told = {tries: 0}, answer;
  await (await fetch("/%s")).text();
  do { // a browser writes down what it keeps after the page has it
    await new Promise(function (done) { setTimeout(done, 20); });
    answer = await fetch("/%s", {cache: "reload"});
    told.coding = answer.headers.get("Content-Encoding");
    told.text = (await answer.text()).slice(-20);
    told.tries++;
  } while (told.coding === null && told.tries < 100);
  document.querySelector("pre").textContent = JSON.stringify(told);
}());
</script>""" % (OLD, NEW)


def setup(world):
    world.browser = Browser(world)
    root = world.root
    root.write("old/" + OLD, COMMON + "'the old version'")
    root.write(OLD, COMMON + "'the old version'")
    root.write(NEW, COMMON + "'the new version'")
    root.write("index.html", DRIVER)
    ran = subprocess.run([world.binary, "dictionary", root.path + "/old", root.path],
                         capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return world


def serve(world):
    return serve_logged(world, block="""
        deltas = {"dcz", "dcb"}
        use_as_dictionary = "/assets/app.*.js"
        cache "*.js" { control = "public, max-age=31536000, immutable" }
    """)


@test
def the_next_version_comes_as_a_delta(world):
    server = serve(world)
    page = world.browser.load(url(server, "/"))
    told = json.loads(html.unescape(re.search("<pre>(.*?)</pre>", page.dom, re.DOTALL)[1]))
    assert told["coding"] in ("dcz", "dcb") and told["text"].endswith("'the new version'"), told
    sizes = [entry.size for entry in logged(server) if entry.target == "/" + NEW]
    assert sizes[-1] * 50 < len(COMMON), sizes
    assert page.console == [], page.console


if __name__ == "__main__":
    run(setup)
