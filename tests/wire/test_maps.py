#!/usr/bin/python3
"""`map`: a variable by the value of another, from a block and a file, in headers, `return`, redirects and other maps;
what it captures is escaped for where it stands."""

from wire import each, run, test

CONF = """
    headers = {"X-Device: $device", "X-Both: $both"}
    return = "301 $new"
    location "/raw/" { return = "302 $sent" }
    location = "/say" { return = "200 $device, $both" }
    redirect "/to/" { to = "$new" status = 308 }
"""
MAPS = """
map "$uri" "$new" {
    file = {"@root@/moved.map"}
    "/Written" = "/w?x=1"
    ~ "^/blog/([0-9]+)/(?<rest>.*)$" = "/b/$1?r=$rest"
    ~* '^/EXT/(.*)$' = "https://other.example/$1"
    ~ "^/to/none$" = "/"
}
map "$request_uri" "$sent" { ~ "^/raw/(.*)$" = "/r/$1" }
map "$http_user_agent" "$device" { default = "desktop"  ~* "(phone|tablet).*" = "mobile ($0)" }
map "$host:$device" "$both" { "127.0.0.1:desktop" = "known" default = "<$http_x>" ignore_case = off }
"""


def setup(world):
    world.root.write("index.html", "index")
    lines = [f"/old/{i}.html /new/{i}/;\n" for i in range(5000)]
    world.root.write("moved.map", "# moved\n" + "".join(lines) + '"/with blank" \'/w\'\n')
    return world.serve(conf=MAPS + 'server "localhost" { listen = {"@listen@"} root = "@root@" %s }' % CONF)


@each([
    ("/old/7.html", "/new/7/"),
    ("/OLD/4999.HTML?a=b", "/new/4999/"),
    ("/with%20blank", "/w"),
    ("/written?y=2", "/w?x=1"),
    ("/blog/12/a%20b/c%3Fd", "/b/12?r=a%20b/c%3Fd"),
    ("/ext//evil/x", "https://other.example/evil/x"),
])
def leads(server, target, location):
    answer = server.get(target)
    assert answer.status == 301 and answer["Location"] == location, answer


@test
def what_it_knows_nothing_of_is_a_file(server):
    assert server.get("/").body == b"index"
    assert server.get("/old/5000.html").status == 404


@test
def what_was_sent_stays_escaped(server):
    answer = server.get("/raw/a%20b?c=d%26e")
    assert answer.status == 302 and answer["Location"] == "/r/a%20b?c=d%26e", answer


@test
def a_redirect_leads_where_the_map_says(server):
    answer = server.get("/to/none?q=1")
    assert answer.status == 308 and answer["Location"] == "/?q=1", answer


@test
def headers_and_texts(server):
    answer = server.get("/say", host="127.0.0.1")
    assert answer["X-Device"] == "desktop" and answer["X-Both"] == "known", answer
    assert answer.body == b"desktop, known"
    answer = server.get("/say", 'User-Agent: a Phone "x"', 'X: ",<', host="127.0.0.1")
    assert answer["X-Device"] == "mobile (Phone %22x%22)" and answer["X-Both"] == "<%22%2C%3C>", answer
    assert answer.body == b'mobile (Phone "x"), <",<>', answer.body


if __name__ == "__main__":
    run(setup)
