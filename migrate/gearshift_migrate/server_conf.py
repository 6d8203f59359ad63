"""server_conf.py: the text of a server.conf, put together of blocks and settings."""

import re

PLAIN = re.compile(r"[A-Za-z0-9_./:-]+\Z")
WIDTH = 110


def quoted(text):
    """A value in quotes. Control characters cannot stand in one: they are refused by whoever translates."""
    if "\\" in text or '"' in text or "${" in text:
        return single(text)
    return '"' + text + '"'


def single(text):
    """A value between ' and ', where a backslash stands for itself but before one of these two."""
    out = []
    for at, char in enumerate(text):
        behind = text[at + 1:at + 2]
        if char == "'" or (char == "\\" and behind in ("\\", "'", "")):
            out.append("\\")
        out.append(char)
    return "'" + "".join(out) + "'"


def listed(values):
    """A list."""
    return "{" + ", ".join(quoted(value) for value in values) + "}"


class Block:
    """A block, or the whole file, whose `head` is empty."""

    def __init__(self, head=""):
        self.head, self.parts = head, []

    def _place(self, key):
        return next((i for i, p in enumerate(self.parts) if isinstance(p, tuple) and p[0] == key), None)

    def has(self, key):
        return self._place(key) is not None

    def set(self, key, value, comment=None):
        """A setting, whose value is written as it is: quoted() or listed() where it needs that. The last of
        one key wins."""
        place = self._place(key)
        if place is not None:
            del self.parts[place]
        self.parts.append((key, value, comment))

    def text(self, key, value, comment=None):
        self.set(key, value if PLAIN.match(value) and not value.startswith("/") else quoted(value), comment)

    def path(self, key, value):
        self.set(key, quoted(value))

    def list(self, key, values, comment=None):
        self.set(key, listed(values), comment)

    def comment(self, text):
        self.parts.append("# " + " ".join(text.split()))

    def block(self, head):
        """A block inside."""
        inner = Block(head)
        self.parts.append(inner)
        return inner

    def lines(self, indent=""):
        inner = indent + "    " if self.head else indent
        if self.head and len(self.parts) == 1 and isinstance(self.parts[0], tuple) and not self.parts[0][2]:
            key, value, _ = self.parts[0]
            line = f"{indent}{self.head} {{ {key} = {value} }}"
            if len(line) <= WIDTH:
                return [line]
        if self.head and not self.parts:
            return [f"{indent}{self.head} {{ }}"]
        out = [f"{indent}{self.head} {{"] if self.head else []
        before = None
        for part in self.parts:
            if isinstance(part, Block):
                lines = part.lines(inner)
                if before is not None and not (isinstance(before, Block) and len(lines) == 1) \
                        and not isinstance(before, str) and (not self.head or len(lines) > 1):
                    out.append("")
                out += lines
            elif isinstance(part, str):
                out.append(inner + part)
            else:
                key, value, comment = part
                out.append(f"{inner}{key} = {value}" + (f"    # {comment}" if comment else ""))
            before = part
        if self.head:
            out.append(indent + "}")
        return out
