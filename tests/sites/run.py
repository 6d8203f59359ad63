#!/usr/bin/env python3
"""run.py SITE [--server GEARSHIFT] [--only PROGRAM,...] [-o KEY=VALUE]: asks the same of one site as served by gearshift
with the site's server.conf, by gearshift with what gearshift-migrate makes of its nginx.conf ("migrated"), and, where they
are installed, by nginx and Caddy. A difference that site.py does not argue is a fault, and so is one argued that is none.
"""

import argparse
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import page  # noqa: E402  (found by the line above)
import programs  # noqa: E402
import sites  # noqa: E402


def text_of(name, file):
    path = os.path.join(HERE, name, file)
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as opened:
        return opened.read()


def check(server, label, asks):
    """Makes all requests of one server; its faults."""
    out = []
    for asked in asks:
        reason = asked.differs.get(label)
        port = server.ports[443 if asked.tls else 80]
        found = sites.faults(asked, sites.request(port, asked))
        if found and reason is None:
            out.append(f"{label}: {asked}: " + "; ".join(found))
        if not found and reason is not None:
            out.append(f"{label}: {asked}: answers as expected, although it is said that: {reason}")
        if server.process.poll() is not None:
            out.append(f"{label}: has ended: {server.told()}")
            break
    return out


def run(label, start, asks):
    """Starts a server, asks, ends it; what is wrong."""
    try:
        server = start()
    except AssertionError as error:
        return [f"{label}: {error}"]
    if server is None:
        print(f"{label}: not installed, left out")
        return []
    try:
        found = check(server, label, asks)
        print(f"{label}: {len(asks)} requests, {len(found)} faults")
        return found
    finally:
        server.end()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("site")
    parser.add_argument("--server", default="build/release/gearshift")
    parser.add_argument("--migrate", default=os.path.join(HERE, "../../migrate/migrate"))
    parser.add_argument("--only", default="gearshift,migrated,nginx,caddy")
    parser.add_argument("-o", action="append", default=[], dest="options")
    args = parser.parse_args()
    site = page.load(args.site)
    options = [x for option in args.options for x in ("-o", option)]
    binary = os.path.abspath(args.server)
    problems = []
    with tempfile.TemporaryDirectory(prefix="gearshift-site-") as folder:
        os.chmod(folder, 0o755)
        root = os.path.join(folder, "site")
        sites.build(root, site.FILES)
        beside = getattr(site, "BESIDE", {})
        sites.build(folder, {name: programs.filled(text, folder, root) if isinstance(text, str) else text
                             for name, text in beside.items()})
        if any(asked.tls for asked in site.ASKS):
            programs.certificate(folder)

        def own(text):
            return lambda: programs.gearshift(binary, text, folder, root, *options)

        def migrated():
            path = os.path.join(folder, "given.conf")
            with open(path, "w", encoding="utf-8") as file:
                file.write(programs.filled(text_of(args.site, "nginx.conf"), folder, root))
            done = subprocess.run([sys.executable, "-B", args.migrate, path], capture_output=True, text=True, check=False)
            expected = getattr(site, "NOT_MIGRATED", [])
            told = [line for line in done.stderr.splitlines() if line.strip()]
            unsaid = [line for line in told if not any(part in line for part in expected)]
            missing = [part for part in expected if not any(part in line for line in told)]
            if done.returncode not in (0, 1) or unsaid or missing:
                raise AssertionError(f"gearshift-migrate ended with {done.returncode}, told {unsaid}, "
                                     f"and did not tell {missing}")
            return programs.gearshift(binary, done.stdout, folder, root, *options)

        runs = {
            "gearshift": own(text_of(args.site, "server.conf")),
            "migrated": migrated,
            "nginx": lambda: programs.nginx(text_of(args.site, "nginx.conf"), folder, root),
            "caddy": lambda: programs.caddy(text_of(args.site, "Caddyfile"), folder, root),
        }
        for label, start in runs.items():
            if label not in args.only.split(",") or (label == "caddy" and text_of(args.site, "Caddyfile") is None):
                continue
            problems += run(label, start, site.ASKS)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


sys.exit(main())
