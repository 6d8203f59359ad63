#!/usr/bin/python3
"""Virtual hosts by Host (RFC 9110 section 7.2): exact names, wildcards, and the first one for all
others."""

from wire import each, run, test

CONF = """
server "first.example" { listen = {"@listen@"} root = "@root@/first" }
server "second.example" {
    listen = {"@listen@"}
    root = "@root@/second"
    alias_hosts = {"www.second.example", "*.wild.example", "203.0.113.5"}
}
server "deep.wild.example" {
    listen = {"@listen@"}
    root = "@root@/deep"
    autoindex = on
    location "/loc/" { alias = "@root@/first" }
}
"""


def setup(world):
    for name in ("first", "second", "deep"):
        world.root.write(f"{name}/a.txt", name)
        world.root.write(f"{name}/only-{name}.txt", name)
        world.root.folder(f"{name}/dir")
    return world.serve(conf=CONF)


@each([
    ("first.example", b"first"), ("second.example", b"second"), ("www.second.example", b"second"),
    ("deep.wild.example", b"deep"),
    ("x.wild.example", b"second"), ("x.y.wild.example", b"second"), ("203.0.113.5", b"second"),
    # no case, ports do not matter
    ("SECOND.example", b"second"), ("Www.Second.Example", b"second"),
    ("second.example:80", b"second"), ("second.example:12345", b"second"),
    ("second.example:", b"second"), ("X.WILD.EXAMPLE:1", b"second"),
    # others get the first
    ("other.example", b"first"), ("other.example.", b"first"), ("127.0.0.1", b"first"), ("[::1]:80", b"first"),
    ("wild.example", b"first"), ("xwild.example", b"first"),
    ("second.example.evil", b"first"), ("xsecond.example", b"first"),
    ("www.first.example", b"first"), ("second", b"first"), ("*.wild.example", b"second"),
])
def host_chooses(server, host, body):
    assert server.get("/a.txt", host=host).body == body


@test
def without_host_it_is_the_first(server):
    assert server.get("/a.txt", host=None, version="1.0").body == b"first"


@each([
    ("http://second.example/a.txt", "first.example", b"second"),
    ("http://first.example/a.txt", "second.example", b"first"),
    ("http://SECOND.example:99/a.txt", "x", b"second"),
    ("http://other.example/a.txt", "second.example", b"first"),
    ("https://second.example/a.txt", "first.example", b"second"),
])
def the_absolute_form_overrides_host(server, target, host, body):
    assert server.get(target, host=host).body == body


@test
def nothing_is_shared(server):
    for host in ("first", "second", "deep.wild"):
        for name in ("first", "second", "deep"):
            wanted = 200 if host.startswith(name) else 404
            assert server.get(f"/only-{name}.txt", host=f"{host}.example").status == wanted


@test
def each_request_of_a_connection_chooses_anew(server):
    with server.connect() as connection:
        for host, body in [("first.example", b"first"), ("second.example", b"second"),
                           ("deep.wild.example", b"deep")] * 5:
            assert connection.get("/a.txt", host=host).body == body


@test
def settings_belong_to_their_server(server):
    assert server.get("/dir/", host="deep.wild.example").status == 200
    assert server.get("/dir/", host="first.example").status == 404
    assert server.get("/loc/a.txt", host="deep.wild.example").body == b"first"
    assert server.get("/loc/a.txt", host="first.example").status == 404


@test
def entity_tags_of_the_same_path_differ(server):
    """The cache of open files goes by root and path, not by path alone."""
    etags = {server.get("/a.txt", host=host)["ETag"]
             for host in ("first.example", "second.example", "deep.wild.example")}
    assert len(etags) == 3


if __name__ == "__main__":
    run(setup)
