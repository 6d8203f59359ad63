#!/usr/bin/python3
"""promtool, which Prometheus' own people check metrics with: names, HELP, TYPE and values of status_page."""

import subprocess

from client import Program, run, test

CONF = ('status_page = "/status"\n'
        'health = "/healthz"\n')


def setup(world):
    world.promtool = Program(world, "promtool", package="prometheus")
    world.root.pattern("a.bin", 1000)
    world.server = world.serve(block=CONF)
    return world


@test
def the_text_has_no_fault(world):
    with world.server.connect() as connection:
        for path in ("/a.bin", "/none", "/healthz"):
            connection.get(path)
        answer = connection.get("/status", "Accept: application/openmetrics-text, text/plain;q=0.5")
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    done = subprocess.run([world.promtool.path, "check", "metrics"], input=answer.body,
                          capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), done


@test
def a_fault_would_be_found(world):
    with world.server.connect() as connection:
        text = connection.get("/status?format=prometheus").body
    for broken in (text.replace(b"requests_total", b"requests"),
                   text.replace(b"# HELP gearshift_draining", b"# HELP gearshift_drain")):
        done = subprocess.run([world.promtool.path, "check", "metrics"], input=broken,
                              capture_output=True, timeout=60, check=False)
        assert done.returncode != 0


if __name__ == "__main__":
    run(setup)
