"""programs.py: the servers that a site is run on: gearshift, and nginx and Caddy where they are installed."""

import os
import re
import shutil
import socket
import subprocess
import time

WAIT_S = 20
CERTIFICATE = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
               "-days", "30", "-subj", "/CN=www.example.org", "-addext",
               "subjectAltName=DNS:www.example.org,DNS:*.example.org,DNS:example.org"]


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Running:
    """A server with a configuration, in a folder. Its stderr is in `log`."""

    def __init__(self, name, command, folder, ports, root):
        self.name, self.ports, self.root = name, ports, root
        self.log = os.path.join(folder, f"{name}.stderr")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.wait()
        except BaseException:
            self.end()
            raise

    def wait(self):
        until = time.monotonic() + WAIT_S
        for port in self.ports.values():
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=WAIT_S).close()
                    break
                except OSError:
                    if self.process.poll() is not None or time.monotonic() > until:
                        raise AssertionError(f"{self.name} does not serve: {self.told()}") from None
                    time.sleep(0.02)

    def told(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()[-2000:]

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(WAIT_S)


def filled(text, folder, root):
    return text.replace("@root@", root).replace("@folder@", folder)


def certificate(folder):
    """@folder@/site.pem and site.key, for configurations that name them."""
    if not os.path.exists(os.path.join(folder, "site.pem")):
        subprocess.run([*CERTIFICATE, "-keyout", "site.key", "-out", "site.pem"], cwd=folder, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.chmod(os.path.join(folder, "site.key"), 0o600)


def each_included(folder, name, change):
    """Changes the texts of a folder of included files, if there is one."""
    at = os.path.join(folder, name)
    for file in sorted(os.listdir(at)) if os.path.isdir(at) else ():
        path = os.path.join(at, file)
        with open(path, encoding="utf-8") as opened:
            text = opened.read()
        with open(path, "w", encoding="utf-8") as opened:
            opened.write(change(text))


def gearshift(binary, text, folder, root, *options):
    """By a text in which ports 80 and 443 stand, on loopback."""
    ports = {80: free_port(), 443: free_port()}
    used = {}

    def listen(match):
        port = int(match[2])
        used[port] = ports[port]
        return f"\"127.0.0.1:{ports[port]}{match[3]}\""

    def listens(match):
        seen = {}
        for item in re.finditer(r'"((?:[^":]|\[[^]]*\])*:)?(80|443)((?: [^"]*)?)"', match[2]):
            seen.setdefault(listen(item), None)
        return match[1] + "{" + ", ".join(seen) + "}"

    def change(text):
        return re.sub(r"(\blisten = )\{([^}]*)\}", listens, filled(text, folder, root))

    text = change(text)
    each_included(folder, "gearshift.d", change)
    path = os.path.join(folder, "server.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    environment = ["env", "GEARSHIFT_PROCESSES=0", "GEARSHIFT_CONTROL=off"]
    return Running("gearshift", [*environment, binary, "-c", path, *options], folder, used, root)


NGINX_EXTRA = """daemon off;
master_process on;
pid @folder@/nginx.pid;
error_log stderr;
"""


def nginx(text, folder, root):
    """By a text with whole `http { }`, or only server blocks. None: it is not installed."""
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if program is None:
        return None
    ports, used = {80: free_port(), 443: free_port()}, {}

    def listen(match):
        port = int(match[2])
        used[port] = ports[port]
        return f"listen 127.0.0.1:{ports[port]}{match[3]};"

    def change(text):
        text = re.sub(r"listen \[::\]:[^;]*;", "", text)
        return filled(re.sub(r"listen ((?:[\d.*]+:)?)(80|443)((?: [^;]*)?);", listen, text), folder, root)

    text = filled(NGINX_EXTRA, folder, root) + change(text)
    each_included(folder, "nginx.d", change)
    for folder_of in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"):
        os.makedirs(os.path.join(folder, "tmp", folder_of), exist_ok=True)
    temporary = "".join(f"{name}_temp_path {folder}/tmp/{name};\n"
                        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    text = re.sub(r"\bhttp \{", "http {\naccess_log off;\n" + temporary.replace("\\", "\\\\"), text, count=1)
    path = os.path.join(folder, "nginx.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return Running("nginx", [program, "-p", folder, "-e", "stderr", "-c", path], folder, used, root)


def caddy(text, folder, root):
    """By a Caddyfile whose addresses have ports 80 and 443. None: it is not installed."""
    program = shutil.which("caddy")
    if program is None:
        return None
    ports, used = {80: free_port(), 443: free_port()}, {}

    def port(match):
        used[int(match[1])] = ports[int(match[1])]
        return f":{ports[int(match[1])]}"

    def change(text):
        return re.sub(r":(80|443)\b", port, filled(text, folder, root))

    text = change(text)
    each_included(folder, "caddy.d", change)
    path = os.path.join(folder, "Caddyfile")
    with open(path, "w", encoding="utf-8") as file:
        file.write("{\n\tadmin off\n\tauto_https off\n}\n" + text)
    environment = ["env", f"HOME={folder}", f"XDG_DATA_HOME={folder}", f"XDG_CONFIG_HOME={folder}"]
    return Running("caddy", [*environment, program, "run", "--config", path, "--adapter", "caddyfile"],
                   folder, used, root)
