#!/usr/bin/env python3
"""What gearshift-migrate makes of nginx's directives: the text, and what it tells. What the result answers is the sites'."""

import os
import subprocess
import sys
import tempfile
import unittest

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
sys.path.insert(0, os.path.join(TOP, "migrate"))
from gearshift_migrate import values  # noqa: E402  (found by the line above)
from gearshift_migrate.nginx_text import Refused, parse  # noqa: E402
from gearshift_migrate.translate import translate  # noqa: E402

GEARSHIFT = os.environ.get("GEARSHIFT", os.path.join(TOP, "build/gcc/gearshift"))


def said(inside, http=""):
    """(text, notes) of a server with these directives and a root."""
    conf = f"{http}\nserver {{ listen 80; server_name a.example; root /srv/a; {inside} }}"
    text, notes = translate(parse(conf, "nginx.conf"))
    return text, notes.lines()


class Case(unittest.TestCase):
    def says(self, inside, *parts, http="", told=()):
        """The result has these parts, passes `gearshift -t`, and no more is told than what has these words."""
        text, notes = said(inside, http)
        for part in parts:
            self.assertIn(part, text)
        self.assertEqual(len(notes), len(told), notes)
        for words, line in zip(told, notes):
            self.assertIn(words, line)
        self.check(text)
        return text

    def check(self, text):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("/srv/", "/etc/nginx/", "/var/log/"):
                text = text.replace(f'"{name}', f'"{folder}{name}')
            for name in ("srv/a", "srv/images", "etc/nginx", "var/log"):
                os.makedirs(os.path.join(folder, name))
            with open(os.path.join(folder, "etc/nginx/htpasswd"), "w", encoding="utf-8") as file:
                file.write("a:$6$saltsalt$pqxtaP8VN9msji06dnBCbUbaSGTOXyo9jZDqZxik1rPexoqRIW4UKuiD0ZHZchCSd7S4/HoRU8bcFbnz2ihUr.\n")
            path = os.path.join(folder, "server.conf")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace('"0.0.0.0:80', '"127.0.0.1:18080'))
            done = subprocess.run([GEARSHIFT, "-t", "-c", path], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr + text)


class Text(unittest.TestCase):
    def test_words_quotes_and_comments(self):
        found = parse("a 'b c' \"d\\\"e\" f\\ g ${x}; # no\nh{i j;}", "x")
        self.assertEqual([str(d) for d in found], ["a b c d\"e f\\ g ${x}", "h"])
        self.assertEqual(str(found[1].block[0]), "i j")
        self.assertEqual(found[1].place, "x:2")

    def test_what_is_no_configuration(self):
        for text in ("a", "a { b;", "}", "{ }", "a \"b;", "a b"):
            with self.subTest(text), self.assertRaises(Refused):
                parse(text, "x")

    def test_times(self):
        for text, ours in (("30d", "30d"), ("1h 30m", "90m"), ("500ms", "500ms"), ("1y", "1y"), ("0", "0"), ("60", "1m"), ("1w", "7d")):
            self.assertEqual(values.duration(text), ours)
        with self.assertRaises(Refused):
            values.duration("soon")

    def test_regular_expressions_within_a_prefix(self):
        for prefix, regex, ours in (
                ("/hls/", r"\.m3u8$", r"^(?=/hls/).*?\.m3u8$"),
                ("/a/", "^/a/(.*)$", "^/a/(.*)$"),
                ("/a.b/", "^/(x|y)", r"^(?=/a\.b/)/(x|y)"),
                ("/a/", "x|y", "^(?=/a/).*?(?:x|y)"),
                ("/", "^/x", "^/x")):
            self.assertEqual(values.regex_below(prefix, regex), ours)


class Directives(Case):
    def test_addresses(self):
        self.says("listen [::]:80 default_server backlog=99;", 'listen = {"0.0.0.0:80", "[::]:80 backlog=99"}')

    def test_names(self):
        self.says("server_name .b.example *.c.example;", '"b.example", "*.b.example", "*.c.example"')
        self.says("server_name ~^(?<who>.+)\\.d\\.example$;", '"*.d.example"', told=("every name below d.example",))
        self.says("server_name ~^[0-9]+$;", told=("a name, or *.name",))

    def test_who_the_client_is(self):
        self.says("set_real_ip_from 10.0.0.0/8; real_ip_header X-Forwarded-For; real_ip_recursive on;",
                  'real_ip_from = {"10.0.0.0/8"}', "real_ip_recursive = on")
        self.says("set_real_ip_from 10.0.0.0/8; real_ip_header CF-Connecting-IP;", 'real_ip_from = {"10.0.0.0/8"}',
                  told=("real_ip_header: differs",))
        self.assertIn("real_ip_header = X-Real-IP", said("set_real_ip_from 10.0.0.0/8;")[0])

    def test_tries(self):
        self.says("location / { try_files $uri $uri/ =404; }")
        self.assertNotIn("try =", said("location / { try_files $uri $uri/ =404; }")[0])
        self.says("location / { try_files $uri $uri/ /index.html; }", 'try = {"$uri", "$uri/", "/index.html"}')
        self.says("location / { try_files $uri @app; } location @app { rewrite ^ /app.html last; }", 'try = {"$uri", "/app.html"}')
        self.says("location / { try_files $uri /index.php?$args; }", 'try = {"$uri"}', told=("there are no scripts",))
        self.says("error_page 404 =200 /index.html;", 'try = {"$uri", "$uri/", "/index.html"}')

    def test_missing_files_by_if(self):
        self.says("location / { if (!-e $request_filename) { rewrite ^(.*)$ /index.html last; } }",
                  'try = {"$uri", "$uri/", "/index.html"}')

    def test_fields_of_an_inner_block_replace_those_of_the_outer(self):
        text = self.says("add_header X-A 1; add_header X-B 2; location /x/ { add_header X-B 3; }",
                         'headers = {"X-A: 1", "X-B: 2"}', 'headers = {"X-B: 3", "X-A:"}')
        self.assertIn("# nginx drops", text)

    def test_how_long_files_are_kept(self):
        for given, block in (
                ("expires 30d;", 'cache "*" { expires = 30d }'),
                ("expires -1;", 'cache "*" { control = "no-cache" }'),
                ("expires max;", 'cache "*" { control = "max-age=315360000" }'),
                ("expires 1h; add_header Cache-Control public;", 'control = "max-age=3600, public"'),
                ("add_header Cache-Control 'public, immutable';", 'cache "*" { control = "public, immutable" }')):
            text, _ = said(given)
            self.assertIn(block, text.replace("cache \"*\" {\n        ", "cache \"*\" { ").replace("\n    }", " }"))
            self.says(given)
        self.assertNotIn("cache", said("expires off;")[0])

    def test_expires_by_type(self):
        http = "map $sent_http_content_type $when { default off; text/html epoch; ~image/ 7d; font/woff2 max; }"
        text = self.says("expires $when;", 'cache "*.{html,htm', "expires = 7d", 'cache "*.woff2"', http=http)
        self.assertIn("png", text)

    def test_fields_by_type(self):
        http = "map $sent_http_content_type $frame { default ''; text/html DENY; }"
        self.says("add_header X-Frame-Options $frame always; location /a/ { add_header X-A 1; }",
                  'headers "*.{html,htm', 'set = {"X-Frame-Options: DENY"}', 'headers "**" { remove = {"X-Frame-Options"} }',
                  http=http)

    def test_fields_of_one_name(self):
        self.says('add_header Link "</a.css>; rel=preload"; add_header Link "</b.js>; rel=preload";',
                  'headers = {"Link: </a.css>; rel=preload"}', 'headers "**" { add = {"Link: </b.js>; rel=preload"} }')

    def test_maps(self):
        http = 'map $http_user_agent $bot { default ""; "~*google(?<x>\\w+)" "g-$x"; other 3; }' \
               "map $bot $robots { default index; ~. noindex; }"
        self.says("add_header X-Robots-Tag $robots; location = /a { if ($bot) { return 302 $bot; } }",
                  'map "$http_user_agent" "$bot" {\n    default = ""\n    ~* \'google(?<x>\\w+)\' = "g-$x"\n    "other" = "3"',
                  'map "$bot" "$robots"', 'headers = {"X-Robots-Tag: $robots"}', 'return = "302 $bot"', http=http)

    def test_who_may(self):
        for given, ours in (
                ("allow 10.0.0.0/8; deny all;", 'allow = {"10.0.0.0/8"}'),
                ("deny 192.0.2.1; allow 192.0.2.0/24; deny all;", 'allow = {"192.0.2.0/24"}\n    deny = {"192.0.2.1"}'),
                ("deny 192.0.2.1;", 'deny = {"192.0.2.1"}'),
                ("deny 192.0.2.1; allow all;", 'deny = {"192.0.2.1"}'),
                ("allow 192.0.2.0/25; deny 192.0.2.0/24;", 'allow = {"192.0.2.0/25", "all"}\n    deny = {"192.0.2.0/24"}'),
                ("deny all; allow 10.0.0.0/8;", 'deny = {"all"}')):
            with self.subTest(given):
                self.says(given, ours)
        self.says("deny all; location /x/ { allow all; }", "allow = {}")

    def test_passwords(self):
        self.says('auth_basic "Members"; auth_basic_user_file /etc/nginx/htpasswd; location /x/ { auth_basic off; }',
                  'auth "Members"', "auth = off")

    def test_what_asks_somebody_else_closes(self):
        self.says("location /x/ { auth_request /auth; }", 'deny = "all"', told=("auth_request",))

    def test_limits(self):
        http = "limit_req_zone $binary_remote_addr zone=a:1m rate=10r/s; limit_req_zone $server_name zone=b:1m rate=600r/m;" \
               "limit_conn_zone $binary_remote_addr zone=c:1m;"
        self.says("limit_req zone=a burst=20 nodelay; limit_req zone=b burst=5; limit_conn c 10; limit_rate 1m;",
                  'limit_requests = "10/s burst=20"', 'limit_requests_server = "600/m burst=5 delay=0"',
                  "limit_connections = 10", "limit_rate = 1m", http=http, told=("limit_connections",))

    def test_compression(self):
        self.says("gzip on; gzip_types text/css; gzip_static on; brotli on;", 'compress = {"br", "gzip"}',
                  'compress_types = {"text/html", "text/css"}', 'precompressed = {"gzip"}')

    def test_types_that_have_another_name_here(self):
        self.says("gzip on; gzip_types application/javascript text/xml;",
                  'compress_types = {"text/html", "application/javascript", "text/javascript", "text/xml", "application/xml"}')

    def test_pages_that_belong_to_another_location(self):
        text = self.says(r"location ~ \.html$ { expires 5m; } location /a/ { expires 1h; }")
        self.assertEqual(text.count('cache "index.html"'), 2)

    def test_aliases(self):
        self.says("location /i/ { alias /srv/images/; }", 'location "/i/" { alias = "/srv/images" }')
        self.says("location ~ ^/i/(.*)$ { alias /srv/images/$1; }", 'deny = "all"', told=("alias",))

    def test_logs(self):
        http = "log_format mine '$remote_addr \"$request\" $status $realpath_root $upstream_addr'; log_format ours '$host \"$request\" $status $upstream_addr';"
        self.says("access_log /var/log/a.log ours;", "access_log_format = '$host \"$request\" $status -'", http=http)
        self.says("access_log /var/log/a.log mine;", told=("$realpath_root",), http=http)
        self.says("access_log off;", "access_log = off")
        http = "map $http_user_agent $who { ~*bot bot; default human; } log_format who '$who $cookie_sid $arg_q $ssl_server_name';"
        self.says("access_log /var/log/a.log who;", "access_log_format = '$who $cookie_sid $arg_q $ssl_server_name'",
                  'map "$http_user_agent" "$who"', http=http)

    def test_who_a_client_is(self):
        self.says('add_header X-Who "$ssl_client_s_dn $ssl_client_verify $remote_user $server_protocol";',
                  '"X-Who: $ssl_client_s_dn $ssl_client_verify $remote_user $server_protocol"')

    def test_lines_of_nobody(self):
        self.says("sub_filter a b; location /x/ { autoindex on; ssi on; }", "autoindex = on",
                  told=("nginx.conf:2: sub_filter: not said", "nginx.conf:2: ssi: not said"))


class Idioms(Case):
    """What people write with conditions and rewrites, whole."""

    def whole(self, conf):
        text, notes = translate(parse(conf, "nginx.conf"))
        self.check(text)
        return text, notes.lines()

    def test_certbot(self):
        text, notes = self.whole("""server {
            if ($host = a.example) { return 301 https://$host$request_uri; } # managed by Certbot
            listen 80; server_name a.example; return 404; # managed by Certbot
        }""")
        self.assertEqual(notes, [])
        self.assertIn('server "a.example" {\n    listen = {"0.0.0.0:80"}\n    return = "301 https://$host$request_uri"', text)
        self.assertIn('server "_"', text)

    def test_www(self):
        for act in ("return 301 http://a.example$request_uri;", "rewrite ^ http://a.example$request_uri? permanent;",
                    "rewrite ^(.*)$ http://a.example$1 permanent;"):
            text, notes = self.whole("server { listen 80; server_name a.example www.a.example; root /srv/a;"
                                     f"if ($host = www.a.example) {{ {act} }} }}")
            self.assertEqual(notes, [])
            self.assertIn('server "www.a.example" {\n    listen = {"0.0.0.0:80"}\n'
                          '    return = "301 http://a.example$request_uri"', text)

    def test_any_other_name(self):
        text, _ = self.whole("server { listen 80 default_server; server_name a.example b.example; root /srv/a;"
                             "if ($host != a.example) { return 301 http://a.example$request_uri; } }")
        self.assertIn('server "b.example" {', text)
        self.assertIn('server "a.example" {\n    listen = {"0.0.0.0:80"}\n    root', text)

    def test_clean_paths(self):
        text, notes = self.whole("server { listen 80; server_name a.example; root /srv/a;"
                                 "if ($request_uri ~ ^/(.*)\\.html(\\?|$)) { return 302 /$1; }"
                                 "location / { try_files $uri $uri.html $uri/ =404; } }")
        self.assertEqual(notes, [])
        self.assertIn("location ~ '^/(.*)\\.html$' { return = \"302 /$1\" }", text)

    def test_rewrites(self):
        text, notes = self.whole("server { listen 80; server_name a.example; root /srv/a;"
                                 "rewrite ^/a/(.*)$ /b/$1 permanent; rewrite ^/c/(\\d+)$ /d/$1? redirect;"
                                 "rewrite ^/e$ /f.html last; rewrite ^/g$ http://b.example/ permanent;"
                                 "location /h/ { rewrite ^/h/(.*)$ /i/$1 break; } }")
        self.assertEqual(notes, [])
        for part in ("location ~ '^/a/(.*)$' { return = \"301 /b/$1?$args\" }", 'return = "302 /d/$1"',
                     'location = "/e" { try = {"/f.html"} }', 'location = "/g" { return = "301 http://b.example/?$args" }',
                     "location ~ '^/h/(.*)$' { try = {\"/i/$1\"} }"):
            self.assertIn(part, text)

    def test_a_host_that_the_client_chooses(self):
        for url in ("$arg_next", "https://$1", "https://$http_x_host$request_uri", "$http_referer"):
            text, notes = self.whole(f"server {{ listen 80; server_name a.example; root /srv/a; location ~ ^/(.*)$ {{ return 302 {url}; }} }}")
            self.assertIn('return = "404"', text)
            self.assertIn("would choose the host", notes[0])
        text, _ = self.whole("server { listen 80; server_name bücher.example; return 301 /ä; }")
        self.assertIn('server "xn--bcher-kva.example"', text)
        self.assertIn('return = "301 /%C3%A4"', text)
        text, notes = self.whole("server { listen 80; server_name a.example; return 301 //b.example$request_uri; }")
        self.assertIn("301 $scheme://b.example$request_uri", text)

    def test_signs_of_a_glob_in_a_path(self):
        text, _ = self.whole("server { listen 80; server_name a.example; root /srv/a; location /a[1]/ { expires 1h; } }")
        self.assertIn("location '/a\\[1\\]/**'", text)

    def test_what_decides_by_something_else_is_told(self):
        for condition in ("$http_user_agent ~ bot", "$arg_x", "$http_cookie ~ a"):
            text, notes = self.whole("server { listen 80; server_name a.example; root /srv/a;"
                                     f"if ({condition}) {{ return 403; }} }}")
            self.assertEqual(len(notes), 1)
            self.assertIn("if: not said", notes[0])
            self.assertNotIn("403", text)

    def test_redirects_by_a_query(self):
        start = "server { listen 80; server_name a.example; root /srv/a; location /p/ { expires 1h; } location = /x { return 404; } "
        text, notes = self.whole(start + "if ($arg_id = 7) { return 301 /seven; } if ($arg_id = \"8\") { return 301 /eight; }"
                                 "if ($query_string ~ ^p=(\\d+)$) { return 301 /posts/$1; }"
                                 "if ($http_user_agent ~* phone) { rewrite ^ https://m.example$request_uri? permanent; } }")
        self.assertEqual(notes, [])
        for part in ("map \"$http_user_agent\" \"$led_1\" { ~* 'phone' = \"https://m.example$request_uri\" }",
                     "map \"$args\" \"$led_2\"", "~ '^p=(\\d+)$' = \"/posts/$1\"", "default = \"$led_1\"",
                     "\"7\" = \"/seven\"", "\"8\" = \"/eight\"", "default = \"$led_2\""):
            self.assertIn(part, text)
        self.assertEqual(text.count('return = "301 $led_3"'), 2)  # of the server, and of /p/
        for condition in ("if ($arg_a = 1) { return 301 https://$arg_next/; }", "if ($arg_a = 1) { rewrite ^ /x permanent; }"):
            self.assertEqual(len(self.whole(start + condition + " }")[1]), 1, condition)

    def test_maintenance(self):
        for file in ("$document_root/down.html", "/srv/a/down.html"):
            text, notes = self.whole("server { listen 80; server_name a.example; root /srv/a;"
                                     f"if (-f {file}) {{ return 503; }} }}")
            self.assertEqual(notes, [])
            self.assertIn('maintenance = "down.html"', text)
        self.assertEqual(len(self.whole("server { listen 80; server_name a.example; root /srv/a; if (-f /tmp/down) { return 503; } }")[1]), 1)

    def test_what_is_guarded_stays_guarded(self):
        start = "server { listen 80; server_name a.example; root /srv/a; location /p/ { deny all; } "
        for inside, closed in (("rewrite ^/x$ /p/secret last;", 'location = "/x" {\n        try = {"/p/secret"}\n        deny = {"all"}'),
                               ("rewrite ^/x/(.*)$ /$1 last;", 'deny = "all"'),
                               ("rewrite ^/x/(.*)$ /p/$1 last;", 'try = {"/p/$1"}\n        deny = {"all"}'),
                               ("rewrite ^/x/(.*)$ /q/$1 last;", None),
                               ("location /q/ { allow 10.0.0.0/8; deny all; rewrite ^ /r break; }", 'try = {"/r"}\n        allow = {"10.0.0.0/8"}')):
            text, _ = self.whole(start + inside + " }")
            rest = text.replace('location "/p/" { deny = {"all"} }', "")
            self.assertTrue(closed in rest if closed else "deny" not in rest, text)
        text, notes = self.whole(start + "location / { try_files $uri /p/page.html; } }")
        self.assertNotIn("page.html", text)
        self.assertIn("guards it", notes[0])

    def test_conditions_that_let_few_in(self):
        text, notes = self.whole("server { listen 80; server_name a.example; root /srv/a;"
                                 'location /x/ { if ($http_x_key != "abc") { return 403; } } }')
        self.assertIn('location "/x/" { deny = "all" }', text)
        self.assertIn("is closed", notes[0])
        text, notes = self.whole("server { listen 80; server_name a.example; root /srv/a;"
                                 "valid_referers none a.example; if ($invalid_referer) { return 403; } }")
        self.assertEqual(notes, [])
        self.assertIn('referers = {"none", "a.example"}', text)
        self.says(r"valid_referers none ~\.google\.; if ($invalid_referer) { return 403; }",
                  r"""referers = {"none", '~* \.google\.'}""")

    def test_maps_of_hosts(self):
        http = "map $host $site { hostnames; .a.example a; *.b.example b; default c; }"
        self.says("add_header X-Site $site;", 'map "$host" "$site"', "hostnames = on", '".a.example" = "a"', http=http)

    def test_scripts_are_never_sent_as_files(self):
        text, notes = self.whole("server { listen 80; server_name a.example; root /srv/a; index index.php index.html;"
                                 "location ~ \\.php$ { fastcgi_pass unix:/x; } location /api/ { proxy_pass http://b; } }")
        self.assertIn("location ~ '\\.php$' { return = \"404\" }", text)
        self.assertIn('location "/api/" { return = "404" }', text)
        self.assertEqual(len(notes), 3)


class Program(unittest.TestCase):
    def run_it(self, *arguments):
        return subprocess.run([sys.executable, "-B", os.path.join(TOP, "migrate/migrate"), *arguments],
                              capture_output=True, text=True, check=False)

    def test_output_includes_and_exit_codes(self):
        with tempfile.TemporaryDirectory() as folder:
            conf, out = os.path.join(folder, "nginx.conf"), os.path.join(folder, "server.conf")
            os.mkdir(os.path.join(folder, "sites"))
            with open(conf, "w", encoding="utf-8") as file:
                file.write("http { include mime.types; include sites/*.conf; }")
            with open(os.path.join(folder, "sites/a.conf"), "w", encoding="utf-8") as file:
                file.write("server {\n listen 80;\n server_name a.example;\n root /srv/a;\n}\n")
            done = self.run_it(conf, "-o", out)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
            with open(out, encoding="utf-8") as file:
                self.assertIn('root = "/srv/a"', file.read())
            with open(os.path.join(folder, "sites/b.conf"), "w", encoding="utf-8") as file:
                file.write("server {\n listen 80;\n server_name b.example;\n root /srv/b;\n ssi on;\n}\n")
            done = self.run_it(conf)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stderr, "sites/b.conf:5: ssi: not said: files are sent as they are\n")
            done = self.run_it(os.path.join(folder, "none.conf"))
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertRegex(done.stderr, r"\Agearshift-migrate: .*none\.conf: No such file or directory\n\Z")


if __name__ == "__main__":
    unittest.main()
