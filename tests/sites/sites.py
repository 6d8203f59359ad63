"""sites.py: what a real site asks of its server: files, a configuration, requests and their answers.

A folder below this one is a site: site.py tells its files and what is asked; nginx.conf, and where it has one
Caddyfile, are configurations as people run them; server.conf says the same here. In them @root@ is
the folder with the files, @folder@ a folder for what else the server needs. Ports 80 and 443 become
free ones, and are taken out of what is answered.
"""

import http.client
import os
import re
import ssl
from dataclasses import dataclass, field

WAIT_S = 20


@dataclass
class Ask:
    """A request, and what is to be answered. `body`: the text, or a part of it after "...", or None for
    any. `fields`: values by name; None: the field is absent; a compiled pattern is searched for.
    `differs`: by server, the reason why it answers something else, which is then expected."""

    path: str
    status: int
    body: object = None
    fields: dict = field(default_factory=dict)
    method: str = "GET"
    host: str = "www.example.org"
    tls: bool = False
    sends: dict = field(default_factory=dict)
    differs: dict = field(default_factory=dict)

    def __str__(self):
        scheme = "https" if self.tls else "http"
        sends = "".join(f" -H '{k}: {v}'" for k, v in self.sends.items())
        return f"{self.method} {scheme}://{self.host}{self.path}{sends}"


def ask(path, status, body=None, **more):
    return Ask(path, status, body, **more)


@dataclass
class Answer:
    status: int  # 0: the connection was closed without one
    fields: dict
    body: bytes


def request(port, asked):
    """Asks once, on a connection of its own."""
    if asked.tls:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=WAIT_S, context=context)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    connection.putrequest(asked.method, asked.path, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", asked.host)
    for name, value in asked.sends.items():
        connection.putheader(name, value)
    try:
        connection.endheaders()
        response = connection.getresponse()
        fields = {}
        for name, value in response.getheaders():
            name = name.lower()
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
        return Answer(response.status, fields, response.read())
    except (http.client.RemoteDisconnected, ConnectionResetError):
        return Answer(0, {}, b"")
    finally:
        connection.close()


def without_port(text):
    return re.sub(r"^(https?://[^/:]+):\d+", r"\1", text)


def faults(asked, answer):
    """What of the answer is not as it is to be, as sentences."""
    out = []
    if answer.status != asked.status:
        out.append(f"status {answer.status}, not {asked.status}")
    body = answer.body.decode("utf-8", "replace")
    if asked.body is not None and asked.method != "HEAD":
        if asked.body.startswith("..."):
            if asked.body[3:] not in body:
                out.append(f"body {body[:60]!r} is without {asked.body[3:]!r}")
        elif body != asked.body:
            out.append(f"body {body[:60]!r}, not {asked.body!r}")
    for name, value in asked.fields.items():
        got = answer.fields.get(name.lower())
        if name.lower() == "location" and got is not None:
            got = without_port(got)
            if isinstance(value, str) and value.startswith("/"):  # a server may name itself, or not
                got = re.sub(r"^https?://[^/]+", "", got)
        if isinstance(value, re.Pattern):
            if got is None or not value.search(got):
                out.append(f"{name}: {got}, not {value.pattern}")
        elif got != value:
            out.append(f"{name}: {got}, not {value}")
    return out


def build(folder, files):
    """Writes the files of a site. A number is so many bytes, a tuple ("->", target) a link."""
    for name, content in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if isinstance(content, tuple):
            os.symlink(content[1], path)
        elif isinstance(content, int):
            with open(path, "wb") as file:
                file.truncate(content)
        else:
            with open(path, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
        if not os.path.islink(path):
            os.utime(path, (1700000000, 1700000000))
    for at, _, _ in os.walk(folder):
        os.chmod(at, 0o755)
