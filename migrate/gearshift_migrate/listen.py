"""listen.py: addresses: who listens where, with what, and who answers there to names that nobody has."""

import re

TAKEN = {"ssl": "tls", "proxy_protocol": "proxy_protocol", "deferred": "deferred"}
NEEDLESS = re.compile(r"reuseport|bind|http2|spdy|fastopen=.*|so_keepalive=.*|rcvbuf=.*|sndbuf=.*|accept_filter=.*"
                      r"|setfib=.*|default_server|default|ipv6only=on|multipath")
DEFAULT_PORT = 80


def address_of(text):
    """An address of nginx as one of ours: a port alone is all addresses of IPv4."""
    if text.startswith("unix:"):
        return text
    if text.isdigit():
        return f"0.0.0.0:{text}"
    match = re.fullmatch(r"(\[[^]]*\]|[^:]*)(?::(\d+))?", text)
    if match is None:
        return text
    host = "0.0.0.0" if match[1] in ("*", "") else match[1]
    return f"{host}:{match[2] or DEFAULT_PORT}"


class Listen:
    """One listen directive."""

    def __init__(self, directive):
        self.directive = directive
        self.address = address_of(directive.args[0]) if directive.args else f"0.0.0.0:{DEFAULT_PORT}"
        self.words = directive.args[1:]
        self.is_default = "default_server" in self.words or "default" in self.words

    def port(self):
        return self.address.rpartition(":")[2]


class Addresses:
    """All addresses of all servers. What one server says of an address holds for all that share it."""

    def __init__(self, servers, notes):
        self.of = {}        # id of a server's directive -> its Listens
        self.words = {}     # address -> our words, in order
        self.default = {}   # address -> the server that answers to unknown names
        self.old_ssl = {}
        for server in servers:
            self._add(server, notes)

    def _add(self, server, notes):
        mine = [Listen(d) for d in server.block if d.name == "listen"]
        ssl_on = any(d.name == "ssl" and d.args[:1] == ["on"] for d in server.block)  # before 1.25
        if not mine:
            at = type(server)("listen", [str(DEFAULT_PORT)], server.file, server.line)
            mine = [Listen(at)]
        kept = []
        for listen in mine:
            if "quic" in listen.words:
                notes.unsaid(listen.directive, "no HTTP/3: this address is left out")
                continue
            kept.append(listen)
            words = self.words.setdefault(listen.address, [])
            if ssl_on and "tls" not in words:
                words.append("tls")
            for word in listen.words:
                self._word(word, words, listen, notes)
            if listen.is_default or listen.address not in self.default:
                self.default[listen.address] = server
        self.of[id(server)] = kept

    @staticmethod
    def _word(word, words, listen, notes):
        ours = TAKEN.get(word)
        if ours is None and re.fullmatch(r"backlog=\d+|ipv6only=off", word):
            ours = word
        if ours is None and NEEDLESS.fullmatch(word):
            return
        if ours is None:
            notes.unsaid(listen.directive, f"{word} is not known")
        elif ours not in words:
            words.append(ours)

    def has_tls(self, listen):
        return "tls" in self.words[listen.address]

    def texts(self, listens):
        """The items of `listen`."""
        return list(dict.fromkeys(" ".join([x.address, *sorted(self.words[x.address], key="tls".__ne__)])
                                  for x in listens))

    def is_default(self, server, listens):
        return any(self.default.get(x.address) is server for x in listens)
