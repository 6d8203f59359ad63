"""A strict parser of responses. What it refuses is a fault of the server (or of the parser), so it
raises an AssertionError that fails the test, whatever the test was about.

It checks in every answer what holds for all of them (HTTP.md "Answering", RFC 9110, RFC 9112):
the syntax, a true Date, the Server field, framing by Content-Length alone, no field twice, and the
fields that a status demands.
"""

import datetime
import re
import time

from wire.site import MONTHS

SERVER = "gearshift"

REASONS = {
    100: "Continue", 200: "OK", 204: "No Content", 206: "Partial Content",
    301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
    307: "Temporary Redirect", 308: "Permanent Redirect",
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    408: "Request Timeout", 410: "Gone", 412: "Precondition Failed",
    413: "(?:Content|Payload) Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable",
    417: "Expectation Failed", 421: "Misdirected Request",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large", 500: "Internal Server Error", 501: "Not Implemented",
    503: "Service Unavailable", 505: "HTTP Version Not Supported",
}

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ([ -~]*)")
FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?((?:[!-~](?:[ \t!-~]*[!-~])?)?)")
IMF_FIXDATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] "
                         r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} "
                         r"[0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT")
REQUIRED = {405: "Allow", 416: "Content-Range", 301: "Location", 302: "Location", 303: "Location",
            307: "Location", 308: "Location"}
LISTS = re.compile("(?i)link|vary|x-list.*")  # what may stand in several lines


class BadResponse(AssertionError):
    """The server sent what no client should have to bear."""


def require(condition, message, *details):
    if not condition:
        raise BadResponse(message % details if details else message)


def parse_date(text):
    """Seconds since 1970 of an IMF-fixdate."""
    require(IMF_FIXDATE.fullmatch(text), "not an IMF-fixdate: %r", text)
    _, day, month, year, clock, _ = text.split()
    at = datetime.datetime(int(year), MONTHS.index(month) + 1, int(day),
                           *(int(digits) for digits in clock.split(":")),
                           tzinfo=datetime.timezone.utc)
    return at.timestamp()


class Response:
    """One response: `status`, `fields` (name and value, in order), `body`, and `head` and `raw`,
    the octets as they came. answer["Name"] is a field's value (KeyError when absent)."""

    def __init__(self, head):
        self.head = head
        self.body = b""
        lines = head[:-4].split(b"\r\n")
        match = STATUS_LINE.fullmatch(lines[0])
        require(match, "bad status line: %r", lines[0])
        self.status = int(match[1])
        require(self.status in REASONS, "status that this server never answers: %r", lines[0])
        require(re.fullmatch(REASONS[self.status], match[2].decode()),
                "reason phrase of another status: %r", lines[0])
        self.fields = []
        for line in lines[1:]:
            match = FIELD_LINE.fullmatch(line)
            require(match, "bad field line: %r", line)
            self.fields.append((match[1].decode(), match[2].decode()))
        self._by_name = {name.lower(): value for name, value in self.fields}
        single = [name.lower() for name, _ in self.fields if not LISTS.fullmatch(name)]
        require(len(single) == len(set(single)), "a field twice: %r", self.fields)
        if self.status >= 200:
            self._check_final()
        else:
            require("content-length" not in self._by_name, "Content-Length in a 1xx")

    def _check_final(self):
        require("date" in self, "no Date")
        require(abs(parse_date(self["Date"]) - time.time()) < 10, "wrong Date: %r", self["Date"])
        require(self.get("Server") == SERVER, "Server is %r", self.get("Server"))
        require("transfer-encoding" not in self, "Transfer-Encoding from a static server")
        require(self.get("Connection", "close") in ("close", "keep-alive"),
                "Connection is %r", self.get("Connection"))
        length = self.get("Content-Length")
        if self.status == 204:
            require(length is None, "Content-Length in a 204 (RFC 9110 section 8.6)")
        elif self.status != 304:
            require(length is not None, "no Content-Length")
        require(length is None or re.fullmatch("0|[1-9][0-9]*", length),
                "Content-Length is %r", length)
        if self.status in REQUIRED:
            require(REQUIRED[self.status] in self, "%d without %s", self.status,
                    REQUIRED[self.status])
        if self.status == 206:
            require(("content-range" in self)
                    != self.get("Content-Type", "").startswith("multipart/byteranges"),
                    "206 needs Content-Range, or multipart/byteranges without it")
        if "last-modified" in self:
            require(parse_date(self["Last-Modified"]) <= parse_date(self["Date"]),
                    "Last-Modified after Date")

    def body_length(self, method):
        """Octets of body that follow the head in answer to `method` (RFC 9112 section 6.3)."""
        if method == "HEAD" or self.status < 200 or self.status in (204, 304):
            return 0
        return int(self["Content-Length"])

    @property
    def raw(self):
        return self.head + self.body

    @property
    def closes(self):
        """Does it announce that the connection ends here?"""
        return self.get("Connection", "").lower() == "close"

    def masked(self, port=None):
        """The octets with the value of Date, and the port that the server happens to listen on,
        masked: equal for equal answers of any engine at any time."""
        text = re.sub(rb"(?m)^Date: [^\r]*", b"Date: *", self.head)
        if port is not None:
            text = text.replace(b":%d/" % port, b":*/")
        return text + self.body

    def without(self, *names):
        """The fields, in order, but for those of these names."""
        left_out = {name.lower() for name in names}
        return [(name, value) for name, value in self.fields if name.lower() not in left_out]

    def all(self, name):
        """The values of all fields of that name, in order."""
        return [value for each, value in self.fields if each.lower() == name.lower()]

    def get(self, name, default=None):
        return self._by_name.get(name.lower(), default)

    def __getitem__(self, name):
        require(name in self, "no field %s in %r", name, self)
        return self._by_name[name.lower()]

    def __contains__(self, name):
        return name.lower() in self._by_name

    def __repr__(self):
        return f"<{self.status}, {len(self.body)} octets of body, {dict(self.fields)}>"
