#!/usr/bin/python3
"""testssl.sh: protocols, ciphers, forward secrecy, the known vulnerabilities. Nothing that it finds
is worse than LOW, but for what it says of the certificate, which is the tests' own."""

import collections
import json
import os

from client import Program, run, test, url

CHECKS = ("--protocols", "--std", "--fs", "--server-preference", "--vulnerable")
# Of the certificate and of resumption, above all: what our own tests ask of both libraries.
CHECKS_OF_ONE = ("--server-defaults",)
# The test CA has no revocation, its certificates last for decades, and localhost has no DNS.
OF_THE_CERTIFICATE = ("cert_", "DNS_CAArecord")
FINE = ("OK", "INFO", "DEBUG")
BEARABLE = ("LOW", "WARN")  # WARN: testssl.sh could not find out
TIMEOUT_S = 540


def setup(world):
    world.root.write("index.html", "<p>index")
    Program(world, "bash", package="bash")  # which it is a script of
    world.testssl = Program(world, "testssl", package="testssl.sh")
    return world


@test
def nothing_is_found_above_low(world):
    server = world.serve()
    report = os.path.join(world.path, "testssl.json")
    checks = CHECKS + (CHECKS_OF_ONE if world.tls == "openssl" else ())
    address = url(server).replace("127.0.0.1", "localhost")
    ran = world.testssl("--quiet", "--color", "0", "--warnings", "off", "--ip", "127.0.0.1",
                        "--add-ca", f"{world.pki}/ca.pem", "--jsonfile", report, *checks, address,
                        status=None, timeout_s=TIMEOUT_S)
    with open(report, encoding="utf-8") as file:
        findings = json.load(file)
    counts = collections.Counter(finding["severity"] for finding in findings)
    assert counts["OK"] >= 30, f"hardly anything was looked at: {counts}\n{ran}"
    found = {finding["id"]: finding["finding"] for finding in findings}
    assert "not offered" in found["TLS1"] and "not offered" in found["TLS1_1"], found["TLS1"]
    assert found["TLS1_2"].startswith("offered"), found["TLS1_2"]
    bad = []
    for finding in findings:
        line = f"{finding['severity']} {finding['id']}: {finding['finding']}"
        if finding["severity"] in FINE or finding["id"].startswith(OF_THE_CERTIFICATE):
            continue
        print("     " + line)
        if finding["severity"] not in BEARABLE:
            bad.append(line)
    assert not bad, bad
    assert server.get("/").body == b"<p>index"


if __name__ == "__main__":
    run(setup, tls=True)
