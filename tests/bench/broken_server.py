"""broken_server.py PORT ROOT FAULT: serves files over HTTP/1.1 and does one thing wrong, for the
tests of bench/compare, which has to see it."""

import os
import socketserver
import sys
import urllib.parse

PORT, ROOT, FAULT = int(sys.argv[1]), sys.argv[2], sys.argv[3]
LATE = 2  # requests of a connection before the faults that a look at a single answer misses


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        count = 0
        while line := self.rfile.readline():
            while self.rfile.readline().strip():
                pass
            count += 1
            if not self.answer(line.split()[1].decode(), count):
                return

    def answer(self, target, count):
        """Whether the connection goes on."""
        path = os.path.join(ROOT, urllib.parse.unquote(target).lstrip("/"))
        status, body = "404 Not Found", b""
        if os.path.isfile(path):
            with open(path, "rb") as file:
                status, body = "200 OK", file.read()
        if FAULT == "octets":
            body = body[:-1] + bytes([body[-1] ^ 1])
        elif FAULT == "status":
            status = "203 Non-Authoritative Information"
        elif FAULT == "late-status" and count > LATE:
            status = "500 Internal Server Error"
        elif FAULT == "late-length" and count > LATE:
            body = body[:-1]
        elif FAULT == "late-close" and count > LATE:
            return False
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        self.wfile.write(head + body)
        return True


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients that end a measurement reset their connections


if FAULT == "dies":
    sys.exit("it would not start")
Server(("127.0.0.1", PORT), Handler).serve_forever()
