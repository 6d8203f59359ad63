"""server_conf.py: the text of a server.conf, put together of blocks and settings."""

import re

PLAIN = re.compile(r"[A-Za-z0-9_./:-]+\Z")


def quoted(text):
    """A value in quotes. Control characters cannot stand in one: they are refused by whoever translates."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def listed(values):
    """A list."""
    return "{" + ", ".join(quoted(value) for value in values) + "}"


class Block:
    """A block, or the whole file, whose `head` is empty."""

    def __init__(self, head=""):
        self.head, self.parts, self.keys = head, [], set()

    def set(self, key, value, comment=None):
        """A setting, whose value is written as it is: quoted() or listed() where it needs that. The last of
        one key wins."""
        if key in self.keys:
            self.parts = [p for p in self.parts if not (isinstance(p, tuple) and p[0] == key)]
        self.keys.add(key)
        self.parts.append((key, value, comment))

    def text(self, key, value):
        self.set(key, quoted(value))

    def list(self, key, values):
        values = list(values)
        if values:
            self.set(key, listed(values))

    def comment(self, text):
        self.parts.append("# " + text.replace("\n", " "))

    def block(self, head):
        """A block inside."""
        inner = Block(head)
        self.parts.append(inner)
        return inner

    def is_empty(self):
        return not any(not isinstance(p, str) for p in self.parts)

    def lines(self, indent=""):
        inner = indent + "    " if self.head else indent
        out = [f"{indent}{self.head} {{"] if self.head else []
        for part in self.parts:
            if isinstance(part, Block):
                if out and out[-1] and not out[-1].endswith("{"):
                    out.append("")
                out += part.lines(inner)
            elif isinstance(part, str):
                out.append(inner + part)
            else:
                key, value, comment = part
                out.append(f"{inner}{key} = {value}" + (f"    # {comment}" if comment else ""))
        if self.head:
            out.append(indent + "}")
        return out
