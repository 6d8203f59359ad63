#!/usr/bin/env python3
"""Every link between the tree's pages leads somewhere: files and folders are there, and so are the headings behind `#`, by the
rules of GitHub. A decision that a source or a page names by number is there, too. Offline: what lies on other machines is not asked for."""

import functools
import pathlib
import re
import sys
import tempfile
import unittest

TREE = pathlib.Path(__file__).resolve().parents[2]
PAGES = ("*.md", "docs/*.md", "docs/decisions/*.md", "*/README.md", "*/*/README.md")
SOURCES = ("*.c", "*/*.c", "*/*.h", "*/*/*.c", "*/*/*.h", "*/*/*.py", "*/*.md", "docs/*/*.md", "man/*", "packaging/*", "cmake/*", "deploy/*", "deploy/*/*")
FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(\s*<?([^()\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)
IDENTIFIER = re.compile(r"<[a-z]+[^>]*\s(?:id|name)=\"([^\"]+)\"")
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
DECISION = re.compile(r"decisions/(\d{4})")


def slug(heading):
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"!?\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\([^()]*\)", r"\1", heading)
    text = re.sub(r"[^\w\- ]", "", text.replace("`", "").replace("*", "").lower())
    return text.replace(" ", "-")


@functools.cache
def anchors(page):
    """All that may stand behind `#` for this page."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    found, seen = set(IDENTIFIER.findall(text)), {}
    for heading in HEADING.findall(text):
        name = slug(heading)
        times = seen[name] = seen.get(name, -1) + 1
        found.add(f"{name}-{times}" if times else name)
    return found


def faults(page, tree=TREE):
    """One line for each link of a page that leads nowhere."""
    text = page.read_text(encoding="utf-8")
    blank = FENCE.sub(lambda match: "\n" * match.group().count("\n"), text)
    for number, line in enumerate(blank.split("\n"), 1):
        for link in LINK.findall(CODE.sub("``", line)):
            if SCHEME.match(link):
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            where = f"{page.relative_to(tree)}:{number}: {link}: "
            if not target.is_relative_to(tree):
                yield where + "leads out of the tree"
            elif not target.exists():
                yield where + "is not there"
            elif anchor and (target.suffix != ".md" or anchor not in anchors(target)):
                yield where + f"{target.name} has no heading of that anchor"


def files(patterns):
    return sorted({path for pattern in patterns for path in TREE.glob(pattern)
                   if path.is_file() and not path.relative_to(TREE).parts[0].startswith("build")})


class Links(unittest.TestCase):
    def test_every_link_leads_somewhere(self):
        pages = files(PAGES)
        self.assertGreater(len(pages), 60)
        self.assertEqual([fault for page in pages for fault in faults(page)], [])

    def test_every_decision_that_is_named_is_there(self):
        known = {path.name[:4] for path in (TREE / "docs/decisions").glob("*.md")}
        missing = [f"{path.relative_to(TREE)}: decision {number}" for path in files(SOURCES)
                   for number in DECISION.findall(path.read_text(encoding="utf-8", errors="replace")) if number not in known]
        self.assertEqual(missing, [])

    def test_faults_would_be_found(self):
        with tempfile.TemporaryDirectory(prefix="gearshift-links-") as name:
            folder = pathlib.Path(name).resolve()
            (folder / "b.md").write_text("# One `key`, (two)\n## Same\n## Same\n```\n# not one\n```\n<a id=\"x\"></a>\n")
            page = folder / "a.md"
            page.write_text("[a](b.md) [b](b.md#one-key-two) [c](b.md#same-1) [d](b.md#x) `[no](none)` [e](#here)\n"
                            "```\n[no](none)\n```\n# Here\n[f](none.md) ![g](p.svg) [h](b.md#same-2) [i](b.md#not-one) [j](../..)\n"
                            "[k](https://example.org/none) [l](#there)\n")
            found = [line.split(": ")[:2] for line in faults(page, folder)]
        self.assertEqual(found, [["a.md:6", "none.md"], ["a.md:6", "p.svg"], ["a.md:6", "b.md#same-2"], ["a.md:6", "b.md#not-one"],
                                 ["a.md:6", "../.."], ["a.md:7", "#there"]])


if __name__ == "__main__":
    sys.exit(unittest.main())
