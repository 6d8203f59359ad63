#!/usr/bin/env python3
"""test_deploy.py SERVER: what deploy/ has is right as far as the programs that read it, and the server itself, can tell.

server.conf of a node and of the ConfigMap; the manifest by schema; the seccomp profile under every engine; HAProxy's and keepalived's files;
Prometheus' rules with their unit tests; every metric that a rule or the dashboard asks for is one that the server has. A part whose program is
missing is skipped, and says so."""

import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request

try:
    import yaml
except ImportError:  # python3 first in PATH may be another than Debian's
    sys.path.append("/usr/lib/python3/dist-packages")
    try:
        import yaml
    except ImportError:
        yaml = None

TREE = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = TREE / "deploy"
HERE = pathlib.Path(__file__).resolve().parent
SERVER = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else ""
ROOT = ("-o", "user=root", "-o", "allow_root=on") if os.geteuid() == 0 else ()
LOAD_FILTER = """
import json, os, seccomp, sys
profile = json.load(open(sys.argv[1], encoding="utf-8"))
rules = seccomp.SyscallFilter(seccomp.ERRNO(profile["defaultErrnoRet"]))
for rule in profile["syscalls"]:
    for name in rule["names"]:
        try:
            rules.add_rule(seccomp.ALLOW, name)
        except (RuntimeError, ValueError):
            pass  # of another machine, or newer than the library
rules.load()
os.execv(sys.argv[2], sys.argv[2:])
"""


def need(program, package):
    """Where the program is; skips the test where it is not."""
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found:
        raise unittest.SkipTest(f"{program} is missing; Debian: {package}")
    return found


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)
    return done.returncode, done.stdout + done.stderr


def objects():
    if yaml is None:
        raise unittest.SkipTest("PyYAML is missing; Debian: python3-yaml")
    with open(DEPLOY / "kubernetes/gearshift.yaml", encoding="utf-8") as file:
        return list(yaml.safe_load_all(file))


class Deploy(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="gearshift-deploy-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "www").mkdir()

    def valid(self, text):
        """The server takes this configuration, with paths that are here."""
        conf = self.folder / "server.conf"
        conf.write_text(re.sub(r'"/(srv/www|var/log/gearshift|run/gearshift)', lambda match: '"' + str(
            self.folder / "www" if match.group(1) == "srv/www" else self.folder), text), encoding="utf-8")
        status, output = run(SERVER, "-c", conf, "-t", "--strict", *ROOT)
        self.assertEqual(status, 0, output)

    def setting(self, text, key):
        return int(re.search(rf"^\s*{key} = (\d+)s", text, re.MULTILINE).group(1))

    def test_a_node_behind_haproxy(self):
        text = (DEPLOY / "haproxy/node.conf").read_text(encoding="utf-8")
        self.valid(text)
        front = (DEPLOY / "haproxy/haproxy.cfg").read_text(encoding="utf-8")
        looks = re.search(r"check inter (\d+)s fall (\d+)", front)
        self.assertGreater(self.setting(text, "drain_delay"), 2 * int(looks.group(1)) * int(looks.group(2)))
        self.assertGreater(self.setting(text, "keepalive_timeout"), int(re.search(r"timeout http-keep-alive (\d+)s", front).group(1)))

    def test_the_pod(self):
        found = {item["kind"]: item for item in objects()}
        self.assertEqual(set(found), {"ConfigMap", "Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"})
        conf = found["ConfigMap"]["data"]["server.conf"]
        self.valid(conf)
        pod = found["Deployment"]["spec"]["template"]
        container = pod["spec"]["containers"][0]
        drain = self.setting(conf, "drain_delay") + self.setting(conf, "drain_timeout")
        self.assertGreater(pod["spec"]["terminationGracePeriodSeconds"], drain)
        probe = container["livenessProbe"]
        self.assertGreater(probe["periodSeconds"] * probe["failureThreshold"], drain)
        probe = container["readinessProbe"]
        self.assertGreater(self.setting(conf, "drain_delay"), probe["periodSeconds"] * probe["failureThreshold"])
        ports = {port["containerPort"] for port in container["ports"]}
        self.assertEqual(ports, {int(port) for port in re.findall(r'listen = \{":(\d+)', conf)})
        for kind in ("Service", "PodDisruptionBudget", "Deployment"):
            selector = found[kind]["spec"]["selector"]
            self.assertEqual(selector.get("matchLabels", selector), pod["metadata"]["labels"], kind)

    def test_the_manifest_by_schema(self):
        node = need("node", "nodejs")
        folder = os.environ.get("GEARSHIFT_NODE_MODULES", str(TREE / "build"))
        if not os.path.isdir(folder + "/node_modules/kubernetes-models"):
            self.skipTest("kubernetes-models is missing: npm install --prefix build kubernetes-models, or GEARSHIFT_NODE_MODULES=FOLDER")
        check = functools.partial(run, node, HERE / "kubernetes_models.mjs", folder)
        good = objects()
        self.assertEqual(check(input=json.dumps(good)), (0, ""))
        good[1]["spec"]["replicas"] = "three"
        self.assertIn("replicas must be integer", check(input=json.dumps(good))[1])

    def test_the_seccomp_profile(self):
        profile = DEPLOY / "kubernetes/seccomp.json"
        for names in (rule["names"] for rule in json.loads(profile.read_text(encoding="utf-8"))["syscalls"]):
            self.assertEqual(names, sorted(set(names)))
        python = "/usr/bin/python3"
        if not os.path.exists(python) or run(python, "-c", "import seccomp")[0] != 0:
            self.skipTest("python3-seccomp is missing")
        can, text = run(SERVER, "doctor", "--json"), run(python, "-c", LOAD_FILTER, profile, SERVER, "doctor", "--json")
        engines = [{engine["name"]: engine["ok"] for engine in json.loads(output[1])["engines"]} for output in (can, text)]
        self.assertGreater(len(engines[0]), 9)
        self.assertEqual(engines[0], engines[1])

    def test_haproxy(self):
        haproxy = need("haproxy", "haproxy")
        openssl = need("openssl", "openssl")
        (self.folder / "certs").mkdir()
        pem = self.folder / "certs/a.pem"
        run(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=a", "-keyout", pem, "-out",
            self.folder / "cert.pem")
        pem.write_text(pem.read_text() + (self.folder / "cert.pem").read_text())
        text = (DEPLOY / "haproxy/haproxy.cfg").read_text(encoding="utf-8")
        text = text.replace("/etc/haproxy/certs/", f"{self.folder}/certs/").replace("/run/haproxy/", f"{self.folder}/")
        conf = self.folder / "haproxy.cfg"
        conf.write_text(text)
        status, output = run(haproxy, "-c", "-f", conf)
        self.assertEqual(status, 0, output)
        self.assertNotIn("WARNING", output)

    def test_keepalived(self):
        keepalived = need("keepalived", "keepalived")
        if os.geteuid() != 0 or run("unshare", "-n", "true")[0] != 0:
            self.skipTest("keepalived looks at the interface that it names: that needs root and a network namespace")
        for text, wanted in (("", ""), ("priorty 150", "Unknown keyword 'priorty'")):
            conf, log = self.folder / "keepalived.conf", self.folder / "log"
            conf.write_text((DEPLOY / "keepalived/keepalived.conf").read_text(encoding="utf-8").replace("priority 150", text or "priority 150"))
            log.write_text("")
            # It ends itself by SIGTERM in some versions: what it has to say is in its log.
            run("unshare", "-n", "setsid", "-w", "sh", "-c",
                f"ip link add eth0 type veth peer name eth1 && exec {keepalived} --config-test={log} -f {conf}")
            self.assertIn(wanted, log.read_text())
            self.assertEqual(bool(wanted), bool(log.read_text()), log.read_text())

    def test_prometheus(self):
        promtool = need("promtool", "prometheus")
        folder = DEPLOY / "prometheus"
        for command in (("check", "config", "prometheus.yml"), ("check", "rules", "gearshift.rules.yml"), ("test", "rules", "gearshift.rules.test.yml")):
            status, output = run(promtool, *command, cwd=folder)
            self.assertEqual(status, 0, output)

    def exposed(self):
        """The names that a server with TLS shows to Prometheus."""
        process = subprocess.Popen([SERVER, self.folder / "www", "-p", "0", "--tls-port", "0", "--tls-self-signed", "-o", "status_page=/status", *ROOT],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            port = next(match.group(1) for match in (re.search(r"http://127\.0\.0\.1:(\d+)", line) for line in process.stdout) if match)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/status?format=prometheus", timeout=30) as answer:
                return set(re.findall(r"^(gearshift_\w+)", answer.read().decode(), re.MULTILINE))
        finally:
            process.terminate()
            process.wait(30)
            process.stdout.close()

    def test_every_metric_exists(self):
        exposed = self.exposed()
        # A certificate from a file only.
        exposed.add("gearshift_tls_certificate_expiry_seconds")
        dashboard = json.loads((DEPLOY / "grafana/gearshift.json").read_text(encoding="utf-8"))
        texts = {f"panel {panel['title']}": target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())}
        self.assertGreater(len(texts), 15)
        texts["variables"] = json.dumps(dashboard["templating"])
        texts["annotations"] = json.dumps(dashboard["annotations"])
        for name in ("gearshift.rules.yml", "adapter.yaml"):
            texts[name] = "\n".join(line for line in (DEPLOY / "prometheus" / name).read_text(encoding="utf-8").splitlines()
                                    if not re.match(r"\s*(#|as:|description|summary)", line))
        asked = {(where, name) for where, text in texts.items() for name in re.findall(r"\bgearshift_\w+", text)}
        self.assertGreater(len(asked), 25)
        self.assertEqual({(where, name) for where, name in asked if name not in exposed}, set())
        rates = {metric["pods"]["metric"]["name"] for item in objects() if item["kind"] == "HorizontalPodAutoscaler"
                 for metric in item["spec"]["metrics"]}
        self.assertEqual(rates, set(re.findall(r"as: (\w+)", (DEPLOY / "prometheus/adapter.yaml").read_text(encoding="utf-8"))))

    def test_the_dashboard(self):
        """Queries that promtool can read, with Grafana's variables replaced."""
        promtool = need("promtool", "prometheus")
        dashboard = json.loads((DEPLOY / "grafana/gearshift.json").read_text(encoding="utf-8"))
        exprs = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
        exprs = [expr.replace("$__rate_interval", "5m").replace("$farm", ".*").replace("$instance", ".*") for expr in exprs]
        rules = {"groups": [{"name": "dashboard", "rules": [{"record": f"a:{n}", "expr": expr} for n, expr in enumerate(exprs)]}]}
        (self.folder / "rules.yml").write_text(json.dumps(rules))
        status, output = run(promtool, "check", "rules", self.folder / "rules.yml")
        self.assertEqual(status, 0, output)


if __name__ == "__main__":
    if not SERVER:
        sys.exit(__doc__.split("\n", maxsplit=1)[0])
    unittest.main()
