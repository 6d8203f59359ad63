#!/usr/bin/env python3
"""test_site.py SERVER FOLDER: the documentation as built by docs/site/build.py into FOLDER, and as SERVER sends it.

Every reference in the HTML leads to a file of the site and, with `#`, to an element there; none leads a browser to another machine for a
script, a style, a picture or a font; the policy allows what the pages contain. Skipped (77) without Sphinx."""

import base64
import hashlib
import html.parser
import http.client
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.parse

TREE = pathlib.Path(__file__).resolve().parents[2]
LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src"), ("object", "data")}


class Page(html.parser.HTMLParser):
    """What a page refers to, what may be referred to in it, and what a policy has to know."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loaded, self.identifiers, self.inline, self.attributes = [], [], set(), [], []
        self.within = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        self.within = tag if tag in ("script", "style") and "src" not in names and names.get("type") != "application/json" else None
        for name, value in attrs:
            if name in ("href", "src", "data", "action"):
                (self.loaded if (tag, name) in LOADED else self.links).append(value)
            elif name in ("id", "name"):
                self.identifiers.add(value)
            elif name == "style" or name.startswith("on"):
                self.attributes.append(f"<{tag} {name}={value!r}>")

    def handle_endtag(self, tag):
        self.within = None

    def handle_data(self, data):
        if self.within:
            self.inline.append((self.within, data))


def check(found, what):
    assert not found, what + ":\n  " + "\n  ".join(sorted(found)[:20])


def references_hold(site, pages):
    lost, foreign = set(), set()
    for path, page in pages.items():
        for link in page.links + page.loaded:
            url = urllib.parse.urlsplit(link)
            if url.scheme or url.netloc:
                if link in page.loaded and url.scheme != "data":
                    foreign.add(f"{path.relative_to(site)}: {link}")
                continue
            base = site if url.path.startswith("/") else path.parent
            target = (base / urllib.parse.unquote(url.path).lstrip("/")).resolve() if url.path else path
            if target.is_dir() and (target / "index.html").exists():
                target /= "index.html"
            fragment = urllib.parse.unquote(url.fragment)
            if not target.exists() or fragment and target in pages and fragment not in pages[target].identifiers:
                lost.add(f"{path.relative_to(site)}: {link}")
    check(lost, "leads nowhere")
    check(foreign, "loaded from another machine")
    for path in filter(pathlib.Path.is_file, site.rglob("*.css")):
        text = path.read_text(encoding="utf-8")
        names = re.findall(r"url\(\s*[\"']?([^)\"']+)", text) + re.findall(r"@import\s*[\"']([^\"']+)", text)
        check([name for name in names if not name.startswith("data:")
               and not ((site / name.lstrip("/")) if name.startswith("/") else path.parent / re.sub(r"[?#].*", "", name)).exists()], path.name)


def scripts_are_scripts(site):
    """No page loads modules, so that none of its scripts may import."""
    check([path.name for path in site.glob("_static/**/*.js") if re.match(r"import\s", path.read_text(encoding="utf-8"))
           and path.name in (site / "index.html").read_text(encoding="utf-8")], "a script that imports")


def policy_allows(policy, pages):
    attributes, refused = set(), set()
    for path, page in pages.items():
        attributes.update(f"{path.name}: {text}" for text in page.attributes)
        for _, text in page.inline:
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            if f"'sha256-{digest}'" not in policy:
                refused.add(f"{path.name}: {text[:80]}")
    check(attributes, "an attribute that no hash allows")
    check(refused, "not allowed by the policy")
    assert "unsafe" not in policy and "*" not in policy and "http" not in policy, policy


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def served(server, folder, pages):
    """What comes from the server: a page with the policy, the index of the search, a 404, the tree."""
    conf = folder / "server.conf"
    test = folder / "test.conf"
    test.write_text(conf.read_text(encoding="utf-8").replace(":8090", ":0"), encoding="utf-8")
    process = subprocess.Popen([server, "-c", test], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        line = next(line for line in process.stdout if "http://" in line)
        port = int(re.search(r"http://127\.0\.0\.1:(\d+)", line).group(1))
        answer, body = get(port, "/")
        assert answer.status == 200 and b"gearshift" in body
        policy_allows(answer.getheader("Content-Security-Policy"), pages)
        answer, body = get(port, "/searchindex.js")
        assert answer.status == 200 and b"proactor" in body and b"keepalive_timeout" in body
        answer, body = get(port, "/docs/no/such/page")
        assert answer.status == 404 and b'href="/_static/' in body and b'href="_static/' not in body, body[:2000]
        answer, body = get(port, "/tree/.ci/run")
        assert answer.status == 200 and answer.getheader("Content-Type").startswith("text/plain"), answer.getheaders()
        answer, _ = get(port, "/tree/tests/sites/")
        assert answer.status == 200
    finally:
        process.terminate()
        process.wait(30)


def main():
    server, folder = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    if not shutil.which("sphinx-build"):
        print("skipped: sphinx-build is missing; packages.txt, group docs")
        return 77
    done = subprocess.run([sys.executable, "-B", TREE / "docs/site/build.py", "--output", folder], check=False)
    if done.returncode != 0:
        return 1
    site = folder / "html"
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html") if not path.is_relative_to(site / "tree")}
    assert len(pages) > 60, len(pages)
    references_hold(site, pages)
    scripts_are_scripts(site)
    served(server, folder, pages)
    return 0


if __name__ == "__main__":
    sys.exit(main())
