"""`gearshift explain`: says what a server answers, and why; the same as that server does answer."""
import json
import os
import socket
import subprocess
import time
import unittest

from command import Command

CONF = """
types = {"abc=text/x-abc"}
compress_min = 100
limit_exempt = {"198.51.100.0/24"}
server "www.example.org" {
  listen = {"127.0.0.1:0"}
  alias_hosts = {"*.example.net"}
  root = "@DIR@/site"
  headers = {"X-A: one", "X-C: gone"}
  security_headers = basic
  precompressed = {"br", "gzip"}
  compress = {"gzip"}
  error_pages = {"404=/404.html"}
  status_page = "/.status"
  try = {"$uri", "$uri.html", "/index.html"}
  cache "*.css" { expires = 1y }
  cache "*.js" { control = "no-cache" }
  redirect "/old/" { to = "/new/" }
  redirect "/exact" { to = "https://example.com/$query" status = 302 }
  location "/files/" {
    autoindex = on
    try = {"$uri"}
    limit_requests = "10/s burst=5"
  }
  location = "/robots.txt" { alias = "@DIR@/site/bots" }
  location ~ '^/(blog|news)/([a-z]+)$' { headers = {"X-B: two", "X-C:"} }
  location ~ '^/blog/' { headers = {"X-B: three"} }
  location "*.secret" { deny = {"127.0.0.1"} }
  location "/members/" { auth "Members" { users = "@DIR@/users" } }
  redirect ~ "^/by/([0-9]+)$" { to = "/numbers/$1" }
  location "/said/" { return = "200 hello" }
  location "/gone/" { return = "301 https://example.com/" }
  location ~ "^/member/(.*)$" { rewrite = "/blog/$1" }
  location = "/mapped" { return = "302 $page" headers = {"X-Nothing: $nothing"} }
  location = "/chain" { rewrite = "/said/x" }
  location "/told/" {
    root = "@DIR@/site"
    hsts = "max-age=1"
    early_hints = {"Link: </a.css>; rel=preload; as=style"}
    download = {"*.zip"}
    security_headers = strict
    cors = {"*"}
  }
  location ^~ "/api/" { cors = {"https://app.example.org"} try = {"$uri"} }
}
server "static.example" {
  listen = {"127.0.0.1:0"}
  root = "@DIR@/hosted"
  redirects_file = on
}
server "other.example" {
  listen = {"127.0.0.1:0"}
  root = "@DIR@/site/files"
}
map "$arg_lang" "$page" {
  file = {"@DIR@/pages.map"}
  default = "/blog/post.html"
  "de" = "/told/a.html"
  ~ "^x(.)$" = "/files/$1.txt"
}
map "$arg_none" "$nothing" { "a" = "b" }
"""

FILES = {"index.html": "<p>home", "404.html": "none", "a.css": "a" * 3000, "b.js": "b" * 50,
         "b.js.br": "br", "b.js.gz": "gz", "blog/post.html": "<p>post", "bots": "User-agent: *",
         "files/x.txt": "x", "files/y.secret": "y", "members/m.txt": "m", "api/data.json": "{}",
         "files/only.txt.gz": "not gzip", "told/a.html": "<p>told", "told/a.zip": "zip"}
RULES = """\
# moved
/old/*  https://example.com/:splat  302
/app/*  /app.html  200
/page.html  /app.html  301!
/gone  /none.html  410
"""

REQUESTS = [  # target, host, fields, method
    ("/", "www.example.org", [], "GET"),
    ("/index.html", "WWW.example.org.", [], "HEAD"),
    ("/a.css", "a.b.example.net", ["Accept-Encoding: gzip"], "GET"),
    ("/a.css", "www.example.org", [], "GET"),
    ("/a.css", "www.example.org", ["Range: bytes=0-9"], "GET"),
    ("/a.css", "www.example.org", ["Range: bytes=9999-"], "GET"),
    ("/b.js", "www.example.org", ["Accept-Encoding: gzip, br"], "GET"),
    ("/b.js", "www.example.org", ["Accept-Encoding: gzip"], "GET"),
    ("/b.js", "www.example.org", ["If-None-Match: *"], "GET"),
    ("/b.js", "www.example.org", ["If-Match: \"x\""], "GET"),
    ("/blog/post", "www.example.org", [], "GET"),
    ("/blog/post?q=1", "www.example.org", [], "GET"),
    ("/blog/post/", "www.example.org", [], "GET"),
    ("/blog", "www.example.org", [], "GET"),
    ("/app/route", "www.example.org", [], "GET"),
    ("/files/", "www.example.org", [], "GET"),
    ("/files/", "www.example.org", ["Accept: application/json"], "GET"),
    ("/files", "www.example.org", [], "GET"),
    ("/files/none", "www.example.org", [], "GET"),
    ("/files/x.txt", "www.example.org", [], "GET"),
    ("/files/y.secret", "www.example.org", [], "GET"),
    ("/files/../a.css", "www.example.org", [], "GET"),
    ("/x.txt", "other.example", [], "GET"),
    ("/none", "other.example", [], "GET"),
    ("/x.txt", "unknown.example", [], "GET"),
    ("/robots.txt", "www.example.org", [], "GET"),
    ("/members/m.txt", "www.example.org", [], "GET"),
    ("/members/m.txt", "www.example.org", ["Authorization: Basic dTpwYXNz"], "GET"),
    ("/members/m.txt", "www.example.org", ["Authorization: Basic dTpubw=="], "GET"),
    ("/api/data.json", "www.example.org", ["Origin: https://app.example.org"], "GET"),
    ("/api/data.json", "www.example.org",
     ["Origin: https://app.example.org", "Access-Control-Request-Method: GET"], "OPTIONS"),
    ("/api/none", "www.example.org", [], "GET"),
    ("/old/a%20b?c", "www.example.org", [], "GET"),
    ("/exact", "www.example.org", [], "GET"),
    ("/.status?format=json", "www.example.org", [], "HEAD"),
    ("/.hidden", "other.example", [], "GET"),
    ("/../etc/passwd", "www.example.org", [], "GET"),
    ("/%00", "www.example.org", [], "GET"),
    ("/%zz", "www.example.org", [], "GET"),
    ("/a.css", "a..b", [], "GET"),
    ("/a.css", "www.example.org", ["no colon"], "GET"),
    ("/a.css", "www.example.org", [], "DELETE"),
    ("/a.css", "www.example.org", [], "BREW"),
    ("/files/only.txt", "other.example", ["Accept-Encoding: gzip"], "GET"),
    ("/by/12", "www.example.org", [], "GET"),
    ("/said/x", "www.example.org", [], "GET"),
    ("/gone/x", "www.example.org", [], "GET"),
    ("/member/post", "www.example.org", [], "GET"),
    ("/chain", "www.example.org", [], "GET"),
    ("/told/a.html", "www.example.org", [], "GET"),
    ("/old/x", "static.example", [], "GET"),
    ("/app/x", "static.example", [], "GET"),
    ("/page.html", "static.example", [], "GET"),
    ("/gone", "static.example", [], "GET"),
]

# What depends on the moment, and on the connection.
VOLATILE = {"date", "connection", "expires"}


def fields_of(head):
    """Status and fields of an answer's head."""
    lines = head.split("\r\n")
    fields = [tuple(line.split(": ", 1)) if ": " in line else (line.rstrip(":"), "")
              for line in lines[1:]]
    return int(lines[0].split()[1]), [(name, value) for name, value in fields
                                      if name.lower() not in VOLATILE]


class Explain(Command):
    @staticmethod
    def of_yesterday(path):
        """The tag of what was written just now becomes another one after two seconds."""
        yesterday = time.time() - 86400
        os.utime(path, (yesterday, yesterday))

    def setUp(self):
        super().setUp()
        for name, text in FILES.items():
            os.makedirs(os.path.dirname(self.path("site/" + name)), exist_ok=True)
            self.of_yesterday(self.write("site/" + name, text))
        hashed = subprocess.run(["openssl", "passwd", "-6", "-salt", "saltsalt", "pass"],
                                capture_output=True, text=True, check=True).stdout.strip()
        self.write("users", f"u:{hashed}\n")
        self.write("pages.map", '# pages\nfr "/fr.html"\n')
        os.makedirs(self.path("hosted"))
        for name, text in (("_redirects", RULES), ("app.html", "<p>app"), ("page.html", "<p>page")):
            self.of_yesterday(self.write("hosted/" + name, text))
        self.conf = self.write("explained.conf", CONF.replace("@DIR@", self.folder))

    def explain(self, target, *arguments, status=0):
        result, text, errors = self.run_command("explain", target, "-c", self.conf, *arguments)
        self.assertEqual(result, status, errors)
        return text

    def explained(self, target, *arguments):
        return json.loads(self.explain(target, "--json", *arguments))

    def test_the_same_as_is_served(self):
        server = self.serve("-c", self.conf)
        for target, host, fields, method in REQUESTS:
            with self.subTest(target=target, host=host, fields=fields, method=method):
                lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *fields,
                         "Connection: close", "", ""]
                with server.connect() as peer:
                    peer.sendall("\r\n".join(lines).encode())
                    answer = b""
                    while piece := peer.recv(65536):
                        answer += piece
                status, wanted = fields_of(answer.partition(b"\r\n\r\n")[0].decode("latin-1"))
                arguments = ["-X", method, "-H", f"Host: {host}"]
                for field in fields:
                    arguments += ["-H", field]
                about = self.explained(target, *arguments)
                told = [(field["name"], field["value"]) for field in about["fields"]
                        if field["name"].lower() not in VOLATILE]
                if "status" in target:  # the numbers in it have other lengths
                    told, wanted = ([pair for pair in pairs if pair[0] != "Content-Length"]
                                    for pairs in (told, wanted))
                self.assertEqual((about["status"], told), (status, wanted))
        self.assertEqual(server.stop(), 0)

    def test_reasons(self):
        about = self.explained("http://www.example.org/blog/post")
        self.assertEqual(about["server"]["why"], "the host is its name")
        self.assertEqual(about["server"]["place"], self.conf + ":5")
        self.assertEqual((about["location"]["word"], about["location"]["title"]),
                         ("~", "^/(blog|news)/([a-z]+)$"))
        self.assertEqual(about["location"]["captures"][:3], ["/blog/post", "blog", "post"])
        self.assertEqual([also["title"] for also in about["also"]], ["^/blog/"])
        self.assertEqual(about["sends"], {"what": "the file",
                                          "path": self.path("site/blog/post.html")})
        looks = [(look["step"], os.path.basename(look["path"])) for look in about["looks"]]
        self.assertEqual(looks[0], ("path", "post"))
        self.assertIn(("path", "post.html"), looks)
        places = {field["name"]: (field["key"], field["place"]) for field in about["fields"]}
        self.assertEqual(places["X-A"], ("headers", self.conf + ":9"))
        self.assertRegex(places["X-B"][1], r":\d+$")
        self.assertEqual(places["X-Frame-Options"][0], "security_headers")
        self.assertNotIn("X-C", places)

    def test_files(self):
        about = self.explained("/b.js", "-H", "Accept-Encoding: br")
        self.assertEqual(about["sends"]["what"], "a sidecar")
        self.assertTrue(about["sends"]["path"].endswith("/b.js.br"))
        cache = [field for field in about["fields"] if field["name"] == "Cache-Control"]
        self.assertEqual([(field["value"], field["key"]) for field in cache],
                         [("no-cache", 'cache "*.js"')])
        about = self.explained("/a.css", "-H", "Accept-Encoding: gzip")
        self.assertEqual(about["sends"]["what"], "the file, compressed by the server")
        about = self.explained("/files/")
        self.assertEqual((about["sends"]["what"], about["limits"]),
                         ("a listing", ["limit_requests = 10/s burst=5"]))
        about = self.explained("/files/none")
        self.assertEqual((about["status"], about["sends"]["what"]), (404, "an error page"))
        about = self.explained("/old/x")
        self.assertEqual((about["redirect"]["from"], about["status"]), ("/old/", 301))

    def line(self, text):
        """Where the configuration says it."""
        with open(self.conf, encoding="utf-8") as file:
            return f"{self.conf}:{next(i for i, line in enumerate(file, 1) if text in line)}"

    def test_what_leads_to_the_answer(self):
        about = self.explained("/by/12")
        self.assertEqual((about["redirect"]["from"], about["redirect"]["place"]),
                         ("^/by/([0-9]+)$", self.line("redirect ~")))
        for target, by, place, what in (
                ("/said/x", "return = 200 hello", 'return = "200', "what return says"),
                ("/gone/x", "return = 301 https://example.com/", 'return = "301', "a redirect")):
            about = self.explained(target)
            self.assertEqual(about["led"], [{"by": by, "place": self.line(place)}])
            self.assertEqual(about["sends"]["what"], what)
        self.assertEqual([(field["key"], field["place"]) for field in about["fields"] if field["name"] == "Location"],
                         [("return", self.line('return = "301'))])
        about = self.explained("/member/post")
        self.assertEqual(about["led"], [{"by": "rewrite = /blog/$1: the path becomes /blog/post",
                                         "place": self.line('rewrite = "/blog')}])
        about = self.explained("/chain")
        self.assertEqual([led["place"] for led in about["led"]],
                         [self.line('rewrite = "/said'), self.line('return = "200')])
        rules = self.path("hosted/_redirects")
        for target, number, status in (("/old/x", 2, 302), ("/app/x", 3, 200), ("/page.html", 4, 301), ("/gone", 5, 410)):
            about = self.explained(target, "-H", "Host: static.example")
            self.assertEqual((about["status"], [led["place"] for led in about["led"]]), (status, [f"{rules}:{number}"]))
        self.assertEqual(self.explained("/app.html", "-H", "Host: static.example")["led"], [])
        self.assertRegex(self.explain("/chain"), r'(?m)^led by +rewrite = /said/x: the path becomes /said/x \(.*:\d+\)$')

    def test_which_entry_of_a_map(self):
        for query, key, value, is_default, place in (
                ("?lang=de", "de", "/told/a.html", False, self.line('"de" =')),
                ("?lang=fr", "fr", "/fr.html", False, self.path("pages.map") + ":2"),
                ("?lang=xy", "xy", "/files/$1.txt", False, self.line('~ "^x(.)$"')),
                ("", "", "/blog/post.html", True, self.line('default = "/blog'))):
            about = self.explained("/mapped" + query)
            self.assertEqual(about["maps"], [
                {"variable": "page", "key": key, "default": is_default, "value": value, "place": place},
                {"variable": "nothing", "key": "", "default": False, "value": "", "place": ""}], query)
        text = self.explain("/mapped?lang=xy")
        self.assertRegex(text, r'(?m)^map +\$page: "xy" becomes "/files/\$1\.txt" \(.*:\d+\)$')
        self.assertRegex(text, r'(?m)^ +\$nothing: "" is no key, and there is no default$')
        self.assertRegex(self.explain("/mapped"), r'(?m)^map +\$page: "" is no key; default "/blog')
        self.assertEqual(self.explained("/a.css")["maps"], [])

    def test_fields_of_settings(self):
        about = self.explained("/told/a.html")
        places = {field["name"]: (field["key"], field["place"]) for field in about["fields"]}
        for name, key in (("Link", "early_hints"), ("Access-Control-Allow-Origin", "cors"),
                          ("X-Frame-Options", "security_headers")):
            self.assertEqual(places[name], (key, self.line(f"    {key} = ")))
        places = {field["name"]: field["place"] for field in self.explained("/told/a.zip")["fields"]}
        self.assertEqual(places["Content-Disposition"], self.line("download = "))

    def test_who_asks(self):
        self.assertEqual(self.explained("/z.secret")["status"], 403)
        about = self.explained("/z.secret", "--from", "192.0.2.1")
        self.assertEqual((about["status"], about["access"]),
                         (200, ["allow and deny: 192.0.2.1 may"]))
        self.assertIn("limit_exempt", " ".join(
            self.explained("/files/", "--from", "198.51.100.7")["limits"]))

    def test_text(self):
        text = self.explain("http://unknown.example/members/m%0a.txt")
        self.assertRegex(text, r"(?m)^server +\"www\.example\.org\" \(.*:5\): no server of the "
                               r"address has the name; it is the first of the address$")
        self.assertRegex(text, r"(?m)^path +/members/m\\x0a\.txt$")
        self.assertRegex(text, r"(?m)^access +auth \"Members\": a password of .*/users is asked")
        self.assertRegex(text, r"(?m)^answer +401 Unauthorized$")
        self.assertRegex(text, r"(?m)^  X-A: one   <- headers \(.*:9\)$")

    def test_with_print(self):
        status, text, errors = self.run_command("-T", "-c", self.conf, "--explain", "/a.css")
        self.assertEqual((status, errors), (0, ""))
        self.assertRegex(text, r"(?m)^answer +200 OK$")
        status, text, errors = self.run_command("explain", "/hello.txt", self.site)
        self.assertEqual((status, errors), (0, ""))
        self.assertRegex(text, r"(?m)^sends +the file: .*/site/hello\.txt$")

    def test_beside_a_server(self):
        """Nobody's port is taken, and nothing is written."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            conf = self.config(text=f'access_log = "@DIR@/access"\nerror_log = "@DIR@/error"\n'
                                    f'pid_file = "@DIR@/pid"')
            before = sorted(os.listdir(self.folder))
            status, _, errors = self.run_command(
                "explain", "/hello.txt", "-c", conf, "-o", "cache_valid=1s")
            self.assertEqual((status, errors), (0, ""))
            self.assertEqual(sorted(os.listdir(self.folder)), before)
            status, text, errors = self.run_command(
                "explain", f"http://127.0.0.1:{port}/hello.txt", "--root", self.site, "-p",
                str(port))
            self.assertEqual((status, errors), (0, ""))
            self.assertIn("200 OK", text)

    def test_tls(self):
        """Which server a name in the handshake leads to; no key is read."""
        conf = self.write("tls.conf", f'''
server "a.example" {{
  listen = {{"127.0.0.1:8080", "127.0.0.1:8443 tls"}}
  root = "{self.site}"
  certificate = "{self.path("missing.pem")}"
  key = "{self.path("missing.pem")}"
  hsts = "max-age=1"
}}''')
        status, text, errors = self.run_command("explain", "https://a.example/hello.txt", "-c",
                                                conf)
        self.assertEqual((status, errors), (0, ""))
        self.assertRegex(text, r"(?m)^address +127\.0\.0\.1:8443 tls")
        self.assertIn("Strict-Transport-Security: max-age=1   <- hsts", text)
        status, text, errors = self.run_command("explain", "http://a.example:8080/hello.txt", "-c",
                                                conf)
        self.assertEqual((status, errors), (0, ""))
        self.assertNotIn("Strict-Transport", text)

    def test_refused(self):
        bad = self.write("bad.conf", "nonsense = 1\n")
        for status, sentence, arguments in (
                (2, "usage: gearshift explain URL", []),
                (2, "--from needs a value", ["/", "--from"]),
                (2, "--from takes an address, or unix:, not 'x'",
                 ["/", "--from", "x", "-c", self.conf]),
                (2, "has a '#'", ["/#a", "-c", bad]),
                (2, "is no URL with a host", ["http://", "-c", self.conf]),
                (2, "no server listens for https at port 443; there are: 127.0.0.1:0",
                 ["https://www.example.org/", "-c", self.conf]),
                (2, "no server listens for http at port 81",
                 ["http://www.example.org:81/", "-c", self.conf]),
                (2, "no server listens at 1.2.3.4:5", ["/", "--at", "1.2.3.4:5", "-c", self.conf]),
                (2, "option --nonsense is unknown", ["/", "--nonsense", "-c", self.conf]),
                (78, "nonsense", ["/", "-c", bad])):
            with self.subTest(arguments=arguments):
                result, text, errors = self.run_command("explain", *arguments)
                self.assertEqual((result, text), (status, ""))
                self.assertIn(sentence, errors)


if __name__ == "__main__":
    unittest.main()
