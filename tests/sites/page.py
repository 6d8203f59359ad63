"""page.py: docs/sites.md, made of the sites: what each is, its server.conf, and where an answer differs from nginx's or Caddy's
and why. test_guide.py compares, and writes it."""

import importlib.util
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ORDER = (
    ("next_export", "Next.js, exported"), ("docusaurus", "Docusaurus"), ("hugo", "Hugo"), ("react_spa", "A React application"),
    ("vitepress", "VitePress"), ("jekyll", "Jekyll behind a path"), ("media", "A media archive"), ("mirror", "A Debian mirror"),
    ("firmware", "Firmware with passwords"), ("tenants", "500 tenants"), ("share", "A file share"), ("origin", "The origin of a CDN"),
)
HEAD = """# Twelve sites

Configurations to copy, each of a kind of site that people run. Every build serves their files with them on two engines, makes the same requests of nginx and Caddy with
configurations of their own ([tests/sites/](../tests/sites/) has those), and compares; what differs stands here, and why. How others' settings are called here:
[migrating.md](migrating.md).
"""
PROGRAMS = (("nginx", "nginx"), ("caddy", "Caddy"), ("gearshift", "gearshift"), ("migrated", "what gearshift-migrate makes of it"))


def load(name):
    """The module site.py of a site."""
    if HERE not in sys.path:
        sys.path.insert(0, HERE)
    spec = importlib.util.spec_from_file_location("site_" + name, os.path.join(HERE, name, "site.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text():
    """The page."""
    out = [HEAD]
    for name, title in ORDER:
        site = load(name)
        with open(os.path.join(HERE, name, "server.conf"), encoding="utf-8") as file:
            conf = file.read().replace("@root@", "/srv/" + name.replace("_", "-")).replace("@folder@", "/etc/gearshift")
        out += [f"## {title}", "", " ".join(site.__doc__.split()), "", "```", conf.rstrip(), "```", ""]
        if name == "tenants":
            out += ["A file of `gearshift.d/`:", "", "```", site.OURS.format(1).replace("@root@", "/srv/tenants").rstrip(), "```", ""]
        differences = list(differences_of(site))
        if differences:
            out += ["| asked | differs | |", "|---|---|---|", *differences, ""]
    return "\n".join(out)


def differences_of(site):
    for asked in site.ASKS:
        reasons = {}
        for program, shown in PROGRAMS:
            if program in asked.differs:
                reasons.setdefault(asked.differs[program], []).append(shown)
        for reason, programs in reasons.items():
            yield f"| `{asked}` | {', '.join(programs)} | {reason} |".replace("http://www.example.org", "")
