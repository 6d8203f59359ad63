"""A host of 500 small sites: a folder each, an own page for what is missing, one configuration file each by a glob; names
that nobody has get no answer."""

from sites import ask

COUNT = 500

FILES = {}
for number in range(COUNT):
    FILES[f"t{number}/index.html"] = f"site {number}"
    FILES[f"t{number}/404.html"] = f"nothing at {number}"

NGINX = """server {{
    listen 80;
    server_name t{0}.example.org www.t{0}.example.org;
    root @root@/t{0};
    error_page 404 /404.html;
}}
"""
OURS = """server "t{0}.example.org" {{
    listen = {{":80"}}
    alias_hosts = {{"www.t{0}.example.org"}}
    root = "@root@/t{0}"
    error_pages = {{"404=/404.html"}}
}}
"""
CADDY = """http://t{0}.example.org:80, http://www.t{0}.example.org:80 {{
\troot * @root@/t{0}
\tfile_server
\thandle_errors {{
\t\trewrite * /404.html
\t\tfile_server
\t}}
}}
"""
BESIDE = {f"nginx.d/t{number}.conf": NGINX.format(number) for number in range(COUNT)}
BESIDE.update({f"gearshift.d/t{number}.conf": OURS.format(number) for number in range(COUNT)})
BESIDE.update({f"caddy.d/t{number}": CADDY.format(number) for number in range(COUNT)})

ASKS = [
    ask("/", 200, "site 0", host="t0.example.org"),
    ask("/", 200, "site 499", host="t499.example.org"),
    ask("/", 200, "site 250", host="www.t250.example.org"),
    ask("/", 200, "site 250", host="T250.Example.ORG"),
    ask("/", 200, "site 250", host="t250.example.org.", differs={"caddy": "a dot at the end makes another name of it"}),
    ask("/none", 404, "nothing at 7", host="t7.example.org"),
    ask("/../t8/index.html", 400, host="t7.example.org", differs={"caddy": "404: what leads above the root is taken for the root"}),
    ask("/", 0, host="t500.example.org"),
    ask("/", 0, host="127.0.0.1"),
]
