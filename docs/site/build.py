#!/usr/bin/env python3
"""build.py [--output FOLDER] [--port N] [--sphinx PROGRAM]: the documentation as a site, of the tree's own Markdown.

The pages are read in the repository, too, where links lead to files and folders. So they are staged with their paths as they
are; what is no page (a script, a folder of tests) is copied beside them, to be looked at below /tree/. Sphinx makes HTML of it, with
an index for its search that needs nothing but what lies there. At last a server.conf is written whose Content-Security-Policy allows
what the pages contain: scripts and styles of the site, and those inside of pages by their hashes.

    FOLDER/source/       what Sphinx has read
    FOLDER/html/         the site
    FOLDER/server.conf   `gearshift -c` serves it

Warnings of Sphinx are errors. Used by `make docs` and tests/docs/test_site.py. docs/decisions/0066 tells why Sphinx.
"""

import argparse
import base64
import hashlib
import html.parser
import os
import pathlib
import posixpath
import re
import shutil
import subprocess
import sys

TREE = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
PAGES = ("*.md", "docs/*.md", "docs/decisions/*.md", "*/README.md")
HOME = "README.md"  # becomes index.md
DECISIONS = "docs/decisions"
MARK = "https://tree.invalid/"  # a link to what is no page, until the HTML is there
MENU = (
    ("Set up", ("docs/sites", "docs/migrating", "docs/tls", "docs/acme", "docs/server.conf")),
    ("Run", ("docs/operations", "docs/packaging", "deploy/README", "docs/command-line", "docs/status", "docs/explain")),
    ("Choose and measure", ("docs/engines", "docs/models", "docs/models.zh-CN", "docs/benchmarks", "docs/scaling",
                            "bench/README")),
    ("Know exactly", ("docs/HTTP", "docs/architecture", "engines/README", "docs/assertions", "docs/decisions/index")),
    ("Take part", ("CONTRIBUTING", "SECURITY", "tests/README", "CHANGELOG")),
)
FENCE = re.compile(r"^(```.*?^```[ \t]*$)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]+)\)")
POLICY = ("default-src 'none'; script-src 'self'{scripts}; style-src 'self'{styles}; img-src 'self' data:; font-src 'self'; "
          "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
CONFIGURATION = """# Written by docs/site/build.py: the documentation, with no resource of anybody else's.
engine = auto
access_log = off
processes = 0

server "docs" {{
    listen = {{"127.0.0.1:{port}"}}
    root = "html"
    index = {{"index.html"}}
    error_pages = {{"404=/404.html"}}
    compress = {{"zstd", "br", "gzip"}}
    headers = {{"Content-Security-Policy: {policy}", "Referrer-Policy: no-referrer", "Server-Timing: engine;desc=\\"$engine\\""}}
    # What the pages name of the tree, as text.
    location "/tree/" {{
        autoindex = on
        dotfiles = on
        default_type = "text/plain"
        types = {{"py=text/plain", "md=text/plain", "sh=text/plain", "html=text/plain", "js=text/plain", "svg=text/plain"}}
        headers = {{"Content-Security-Policy:"}}
    }}
}}
"""


def pages():
    """The tree's pages, as paths in it."""
    return sorted({path.relative_to(TREE).as_posix() for pattern in PAGES for path in TREE.glob(pattern)})


def copied(path, folder):
    """What a page names and what is no page: into `folder`, with its path."""
    source, target = TREE / path, folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "build*"))
    else:
        shutil.copy(source, target)


def linked(page, text, known, stage):
    """The Markdown of one page with links that Sphinx understands."""
    def replaced(match):
        image, label, target = match.groups()
        if re.match(r"[a-z]+:|#", target):
            return match.group()
        path, _, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
        if image:
            copied(path, stage)
            return match.group()
        if path == DECISIONS:
            path += "/index.md"
        elif path + "/README.md" in known:
            path += "/README.md"
        elif path not in known:
            copied(path, stage / "extra/tree")
            return f"[{label}]({MARK}{path}{'/' if target.endswith('/') else ''})"
        if path == HOME:
            path = "index.md"
        path = posixpath.relpath(path, posixpath.dirname(page) or ".")
        return f"[{label}]({path}{'#' + anchor if anchor else ''})"

    parts = FENCE.split(text)
    return "".join(part if part.startswith("```") else LINK.sub(replaced, part) for part in parts)


def menu():
    """The tables of contents, which make the menu."""
    trees = (f"```{{toctree}}\n:hidden:\n:titlesonly:\n:caption: {caption}\n\n" + "\n".join(entries) + "\n```\n" for caption, entries in MENU)
    return "\n" + "\n".join(trees)


def decisions(known):
    """A page that lists docs/decisions/."""
    entries = [posixpath.basename(page) for page in known if page.startswith(DECISIONS + "/")]
    return ("# Decisions\n\nWhere there was a choice: what was to be decided, what was taken, and what that costs.\n\n"
            "```{toctree}\n:maxdepth: 1\n\n" + "\n".join(entries) + "\n```\n")


def staged(stage):
    """All that Sphinx reads, in a new folder."""
    shutil.rmtree(stage, ignore_errors=True)
    (stage / "_static").mkdir(parents=True)
    (stage / "extra/tree").mkdir(parents=True)
    (stage / DECISIONS).mkdir(parents=True)
    shutil.copy(HERE / "conf.py", stage)
    shutil.copy(HERE / "site.css", stage / "_static")
    known = pages()
    for page in known:
        text = linked(page, (TREE / page).read_text(encoding="utf-8"), known, stage)
        target = stage / ("index.md" if page == HOME else page)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text + (menu() if page == HOME else ""), encoding="utf-8")
    (stage / DECISIONS / "index.md").write_text(decisions(known), encoding="utf-8")
    (stage / "404.md").write_text("---\norphan: true\n---\n\n# There is no such page\n\nThe search knows them all.\n", encoding="utf-8")


class Inline(html.parser.HTMLParser):
    """The scripts and styles inside of pages."""

    def __init__(self):
        super().__init__(convert_charrefs=False)
        self.open = None
        self.scripts, self.styles = set(), set()

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        if (tag == "script" and "src" not in names and names.get("type", "") != "application/json") or tag == "style":
            self.open = self.scripts if tag == "script" else self.styles

    def handle_endtag(self, tag):
        self.open = None

    def handle_data(self, data):
        if self.open is not None:
            self.open.add(data)


def sources(texts):
    """These texts as sources of a policy."""
    hashes = sorted(base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    return "".join(f" 'sha256-{value}'" for value in hashes)


def debian_extras(folder):
    """Debian takes apart what upstream has bundled. A style is below /javascript/, where its web servers have an alias; a script is imported,
    which a script that is no module may not, from one that exports nothing. Puts both right; nothing is to be done for upstream's."""
    for style in folder.glob("_static/styles/*.css"):
        for name in re.findall(r"/javascript/([\w./-]+\.css)", style.read_text(encoding="utf-8")):
            target = folder / "javascript" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(pathlib.Path("/usr/share/javascript") / name, target)
    script = folder / "_static/scripts/furo.js"
    text = script.read_text(encoding="utf-8")
    needed = re.match(r'import Gumshoe from "./(gumshoe-patched\.js)";\n', text)
    if needed:
        first = (script.parent / needed.group(1)).read_text(encoding="utf-8")
        script.write_text(first + text[needed.end():], encoding="utf-8")


def finished(stage, folder):
    """What the pages name copied, links to it made relative; a policy for what the pages contain."""
    shutil.copytree(stage / "extra", folder, dirs_exist_ok=True)
    debian_extras(folder)
    inline = Inline()
    for path in sorted(folder.rglob("*.html")):
        if path.is_relative_to(folder / "tree"):
            continue
        up = "../" * (len(path.relative_to(folder).parts) - 1)
        text = path.read_text(encoding="utf-8").replace(MARK, up + "tree/")
        text = text.replace(' style="display: none;"', ' class="symbols"')  # a policy has no hash for attributes
        if path.name == "404.html":  # is sent for any path
            text = re.sub(r'((?:href|src|action|data-content_root)=")(?![a-z]+:|[#/])', r"\1/", text).replace('data-url_root="./"', 'data-url_root="/"')
        path.write_text(text, encoding="utf-8")
        inline.feed(text)
    return POLICY.format(scripts=sources(inline.scripts), styles=sources(inline.styles))


def replaced_by(new, old):
    """`new` takes the place of `old`; what is the same keeps its time, so that Sphinx does not read it again."""
    for path in new.rglob("*.md"):
        former = old / path.relative_to(new)
        if former.exists() and former.read_bytes() == path.read_bytes():
            shutil.copystat(former, path)
    shutil.rmtree(old, ignore_errors=True)
    new.rename(old)


def sphinx(program, output, site):
    """Runs it. After a fault nothing is kept, since it does not repeat what it has said of a page."""
    done = subprocess.run([program, "-q", "-W", "--keep-going", "-d", output / "doctrees", "-b", "html", output / "source", site],
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, check=False)
    if done.returncode != 0:
        shutil.rmtree(output / "doctrees", ignore_errors=True)
        sys.exit("build.py: Sphinx has found faults; its lines are above")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--output", type=pathlib.Path, default=TREE / "build/docs")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--sphinx", default="sphinx-build")
    options = parser.parse_args()
    if not shutil.which(options.sphinx):
        sys.exit(f"build.py: {options.sphinx} is missing; the group docs of packages.txt has the packages: make packages-docs")
    stage, site = options.output / "source", options.output / "html"
    former = set(stage.rglob("*.md"))
    staged(options.output / "source.new")
    replaced_by(options.output / "source.new", stage)
    if former != set(stage.rglob("*.md")):  # nothing is left of a page that is gone
        shutil.rmtree(site, ignore_errors=True)
        shutil.rmtree(options.output / "doctrees", ignore_errors=True)
    sphinx(options.sphinx, options.output, site)
    policy = finished(stage, site)
    (options.output / "server.conf").write_text(CONFIGURATION.format(port=options.port, policy=policy), encoding="utf-8")


if __name__ == "__main__":
    main()
