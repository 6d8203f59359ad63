"""Servers, started in the foreground on loopback ports: gearshift with a combination's settings,
and the peers of bench/peers/servers.json, whose templates are filled in here."""

import json
import os
import re
import shlex
import shutil
import socket
import tempfile
import time

from . import Refusal, network, processes

HERE = os.path.dirname(os.path.abspath(__file__))
SPEC = os.path.join(os.path.dirname(HERE), "peers", "servers.json")
START_S = 20
SEARCH = os.environ.get("PATH", os.defpath) + ":/usr/local/sbin:/usr/sbin:/sbin"


CANNOT_RUN = 69  # gearshift's exit status where the kernel, or its limits, refuse an engine


class StartFailed(Exception):
    """The server ended, or did not listen in time; the text is what it said."""

    def __init__(self, text, status=None):
        super().__init__(text)
        self.status = status


class Server:
    """A server process. `argv` holds its ports already."""

    def __init__(self, name, argv, port, tls_port, folder):
        self.name, self.argv, self.port, self.tls_port = name, argv, port, tls_port
        self.folder = folder
        self.process = None
        self.start_ms = None

    def start(self, cpus=None):
        """Returns when it accepts connections. `start_ms` is what that took."""
        for port in filter(None, (self.port, self.tls_port)):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    raise StartFailed(f"somebody listens on port {port} already")
        path = os.path.join(self.folder, re.sub(r"[^\w.+-]", "_", self.name) + ".out")
        home = {"HOME": self.folder, "XDG_DATA_HOME": self.folder, "XDG_CONFIG_HOME": self.folder}
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GEARSHIFT")}
        with open(path, "ab") as output:
            began = time.monotonic()
            self.process = processes.start(self.argv, cpus=cpus, stdout=output, stderr=output,
                                           cwd=self.folder, env={**environment, **home})
        while time.monotonic() < began + START_S:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                self.start_ms = (time.monotonic() - began) * 1e3
                return self
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.002)
        status = self.process.poll()
        self.stop()
        with open(path, "rb") as file:
            said = file.read()[-600:].decode("utf-8", "replace").strip()
        raise StartFailed(said.rpartition("\n")[2] or "it ended without a word", status)

    def stop(self):
        if self.process is not None:
            processes.stop(self.process)
            self.process = None

    def usage(self):
        return processes.usage(self.process)

    def memory_kib(self):
        return processes.memory_kib(self.process)

    def pids(self):
        return processes.pids(self.process)

    def port_for(self, tls):
        return self.tls_port if tls else self.port


def gearshift(combination, root, folder, settings, deferred=False):
    """`settings` hold for all combinations; those of the combination win. `deferred`: plain
    connections are accepted when something has come."""
    port, tls_port = network.free_port(), None
    listen = (["-o", f'listen={{"127.0.0.1:{port} deferred"}}'] if deferred
              else ["--port", str(port)])
    argv = [combination.binary, root, *listen, "-e", combination.engine]
    if combination.tls:
        tls_port = network.free_port()
        argv += ["--tls-self-signed", "--tls-port", str(tls_port)]
    for key, value in _with_user({**settings, **dict(combination.settings)}).items():
        argv += ["-o", f"{key}={value}"]
    return Server(combination.name, argv, port, tls_port, folder)


def gearshift_configured(combination, text, folder, settings):
    """With server blocks of its own, in which @PORT@ is the port."""
    port = network.free_port()
    handle, path = tempfile.mkstemp(suffix=".conf", dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write("processes = 0\n" + fill_in(text, {"PORT": port}))
    argv = [combination.binary, "-c", path, "-e", combination.engine]
    for key, value in _with_user({**settings, **dict(combination.settings)}).items():
        argv += ["-o", f"{key}={value}"]
    return Server(combination.name, argv, port, None, folder)


def _with_user(settings):
    return {"user": "", "allow_root": "on", **settings} if os.geteuid() == 0 else settings


def read_spec(path, binaries=None):
    """The entries of a servers.json; `binaries` are other programs for some, by name."""
    try:
        with open(path, encoding="utf-8") as file:
            spec = json.load(file)
    except (OSError, ValueError) as error:
        raise Refusal(f"{path}: {error}; it has the form of bench/peers/servers.json") from None
    found = {name: entry for name, entry in spec.items() if not name.startswith("_")}
    for name, program in (binaries or {}).items():
        if name not in found:
            raise Refusal(f"--peer-binary {name}: {path} has no server of that name")
        found[name] = _with_binary(found[name], program)
    return found


def _with_binary(entry, path):
    """An entry whose program is another one."""
    return {**entry, "cmd": shlex.join([path, *shlex.split(entry["cmd"])[1:]])}


def program_of(entry):
    """The path of a peer's program, or None where it is not installed."""
    word = shlex.split(entry["cmd"])[0]
    return word if "@" in word else shutil.which(word, path=SEARCH)


def installed(names, spec, path, notes):
    """Those of `names` that can be started; who is not installed is told in `notes`. Raises Refusal for one that `spec`,
    read from `path`, does not have."""
    for name in names:
        if name not in spec:
            raise Refusal(f"--peers {name}: {path} has "
                          f"{', '.join(n for n in spec if not n.startswith(('limit', 'gearshift')))}")
        if program_of(spec[name]) is None:
            notes.append(f"{name} is not installed, and left out.")
    return [name for name in names if program_of(spec[name]) is not None]


def fill_in(text, values):
    """@NAME@ by its value; one that has none stays."""
    return re.sub(r"@([A-Z0-9]+)@", lambda m: str(values.get(m[1], m[0])), text)


def peer(name, entry, spec_path, root, folder, *, workers, certificate=None, ports=None,
         cache_valid="600s", deferred=False):
    """A server of servers.json, with a folder of its own in `folder` for what it writes; its ports
    are free ones unless given as (plain, TLS). `certificate` is the folder of cert.pem and
    key.pem."""
    spec_folder = os.path.dirname(os.path.abspath(spec_path))
    folder = tempfile.mkdtemp(prefix=f"{name}-", dir=folder)
    os.chmod(folder, 0o755)  # workers may have given up root
    port, tls_port = ports or (network.free_port(),
                               network.free_port() if entry.get("tls") and certificate else None)
    values = {
        "W": workers, "W64": 64 * workers, "PORT": port, "TLS": tls_port or "", "WWW": root,
        "RUN": folder, "D": spec_folder, "CERT": certificate or spec_folder, "NAME": name,
        "VALID": cache_valid, "CONF": os.path.join(folder, f"{name}-w{workers}.conf"),
        "WORKERLINE": f"server.max-worker = {workers}" if workers > 1 else "", "USERLINE": "",
        "DEFERRED": "", **entry.get("vars", {}),
    }
    if deferred:
        values.update(entry.get("deferred_vars", {}))
    if os.geteuid() == 0:
        values.update(entry.get("root_vars", {}))
    if entry.get("conf"):
        with open(os.path.join(spec_folder, entry["conf"]), encoding="utf-8") as file:
            text = file.read()
        if tls_port is None:
            text = without_tls(text)
        with open(values["CONF"], "w", encoding="utf-8") as file:
            file.write(fill_in(text, values))
    return Server(name, shlex.split(fill_in(entry["cmd"], values)), port, tls_port, folder)


def without_tls(template):
    """A template without the lines between `# tls` and `# end tls`."""
    return re.sub(r"(?ms)^[ \t]*# tls\n.*?^[ \t]*# end tls\n", "", template)
