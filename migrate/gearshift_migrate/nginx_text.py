"""nginx_text.py: the text of an nginx configuration as a tree of directives, with the place of each.

The grammar is that of ngx_conf_read_token(): words between blanks, quoted ones, `;`, `{`, `}` and
comments. Includes are nginx_tree's.
"""

from dataclasses import dataclass, field


class Refused(Exception):
    """What ends the translation, as a sentence."""


@dataclass
class Directive:
    """One directive. `block`: those inside, or None where it ends with a semicolon."""

    name: str
    args: list
    file: str
    line: int
    block: list = None
    files: list = field(default_factory=list)  # of a map: those that it includes, whose rows are in `block`, too

    @property
    def place(self):
        return f"{self.file}:{self.line}"

    def __str__(self):
        return " ".join([self.name, *self.args])


ESCAPES = {'"': '"', "'": "'", "\\": "\\", "t": "\t", "r": "\r", "n": "\n"}
BLANKS = " \t\r\n"


def unescape(word):
    """What nginx makes of a word: a backslash before any other character stays."""
    out, at = [], 0
    while at < len(word):
        if word[at] == "\\" and at + 1 < len(word) and word[at + 1] in ESCAPES:
            out.append(ESCAPES[word[at + 1]])
            at += 2
        else:
            out.append(word[at])
            at += 1
    return "".join(out)


def words(text, file):
    """Yields (kind, value, line): kind is "word", ";", "{" or "}"."""
    at, line, end = 0, 1, len(text)
    while at < end:
        char = text[at]
        if char in BLANKS:
            line += char == "\n"
            at += 1
        elif char == "#":
            while at < end and text[at] != "\n":
                at += 1
        elif char in ";{}":
            yield char, char, line
            at += 1
        elif char in "'\"":
            start, first = at, line
            at += 1
            while at < end and text[at] != char:
                at += 2 if text[at] == "\\" else 1
            if at >= end:
                raise Refused(f"{file}:{first}: a quote is opened here, and the file ends before it is closed")
            line += text.count("\n", start, at)
            yield "word", unescape(text[start + 1:at]), first
            at += 1
        else:
            start = at
            while at < end and text[at] not in BLANKS + ";{":
                if text[at] == "\\":
                    at += 1
                elif text.startswith("${", at):  # a variable's brace opens no block
                    at = min(x for x in (text.find("}", at), end) if x >= 0)
                at += 1
            yield "word", unescape(text[start:min(at, end)]), line


def unfinished(file, line, current):
    shown = " ".join(current)
    shown = shown if len(shown) <= 60 else shown[:60] + " ..."
    return Refused(f"{file}:{line}: \"{shown}\" ends without a semicolon")


def parse(text, file):
    """The directives of a text."""
    top, stack, current, started = [], [], [], None
    blocks = [top]
    for kind, value, line in words(text, file):
        if kind == "word":
            started = started or line
            current.append(value)
        elif kind == ";":
            if current:
                blocks[-1].append(Directive(current[0], current[1:], file, started))
            current, started = [], None
        elif kind == "{":
            if not current:
                raise Refused(f"{file}:{line}: a block without a name")
            directive = Directive(current[0], current[1:], file, started, [])
            blocks[-1].append(directive)
            blocks.append(directive.block)
            stack.append(directive)
            current, started = [], None
        else:
            if current:
                raise unfinished(file, started, current)
            if not stack:
                raise Refused(f"{file}:{line}: this }} closes nothing")
            stack.pop()
            blocks.pop()
    if current:
        raise unfinished(file, started, current)
    if stack:
        raise Refused(f"{stack[-1].place}: the block of {stack[-1].name} is not closed")
    return top
