#!/usr/bin/python3
"""The Host field (HTTP.md "Reading a request" 5, RFC 9112 section 3.2, RFC 9110 section 7.2)."""

from wire import each, head, run, test


def setup(world):
    world.root.write("a.txt", "a")
    return world.serve()


@test
def version_1_1_needs_it(server):
    server.refuses(head("GET", "/a.txt", host=None), 400)


@test
def version_1_0_may_do_without(server):
    assert server.get("/a.txt", host=None, version="1.0").status == 200


@each(["1.1", "1.0"])
def two_are_refused_even_when_identical(server, version):
    server.refuses(head("GET", "/a.txt", "Host: localhost", version=version), 400)
    server.refuses(head("GET", "/a.txt", "Host: other", version=version), 400)
    server.refuses(head("GET", "/a.txt", "host:", version=version), 400)
    server.refuses(head("GET", "/a.txt", "A: b", "HOST: localhost", version=version), 400)


@each([
    "localhost", "LocalHost", "localhost:80", "localhost:", "localhost:0", "localhost:1",
    "localhost:65535",
    "localhost:00080", "www.example.org", "www.example.org.", "127.0.0.1", "127.0.0.1:8080",
    "a-b_c~d.e",
    "a!$&'()*+;=b", "%41bc", "xn--bcher-kva.example", "[::1]", "[::1]:80", "[::1]:", "[::]",
    "[2001:db8::1]", "[2001:DB8:0:0:0:0:0:1]", "[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7::]",
    "[::2:3:4:5:6:7:8]",
    "[::ffff:192.0.2.1]", "[1:2:3:4:5:6:192.0.2.1]", "[v1.fe80]", "[vF.a:b]", "a.", "a.b.:80",
])
def valid_values_pass(server, value):
    assert server.get("/a.txt", host=value).status == 200


@each([
    # not a host at all
    "user@localhost", "user:password@localhost", "@localhost", "localhost/", "localhost/a", "/",
    "a?b", "?",
    "a#b", "a\\b", "http://localhost", "//localhost", "a b", "a\tb", "localhost x", "a\"b", "a<b",
    "a>b", "a{b",
    "a}b", "a|b", "a^b", "a`b", "\xe4.example", "\xc3\xa4.example", "a\xa0", "%", "%4", "%zz", "a%",
    "a[b", "a]b",
    # ports
    "localhost:x", "localhost:8x", "localhost:-1", "localhost:+80", "localhost: 80",
    "localhost:80 80",
    "localhost:65536", "localhost:99999", "localhost:99999999999999999999999", "localhost:80:80",
    "localhost::80", "localhost:0x50", "localhost:8.0", "localhost:80/",
    # addresses
    "::1", "2001:db8::1", "[::1", "::1]", "[]", "[", "]", "[:]", "[:::]", "[::1]x", "[::1]80",
    "[::1]:x",
    "[::1]:65536", "x[::1]", "[::g]", "[1::2::3]", "[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]",
    "[12345::]",
    "[1:2:3:4:5:6:7:]", "[:1:2:3:4:5:6:7]", "[::ffff:192.0.2.256]", "[::ffff:192.0.2]",
    "[::192.0.2.1.1]",
    "[1:2:3:4:5:6:7:192.0.2.1]", "[::1%eth0]", "[::1%25eth0]", "[127.0.0.1]", "[localhost]",
    "[v.a]", "[v1]",
    "[v1.]", "[vg.a]", "[::1]]", "[[::1]]", "[::1 ]",
])
def malformed_values_are_400(server, value):
    server.refuses(head("GET", "/a.txt", host=value), 400)


@each(["", " ", "\t ", ".", "..", ".a", "a..b", "a..", "a..:80", ".:80", "a.b..", "127..0.1"])
def a_host_without_a_name_is_400(server, value):
    """Nothing, or an empty label."""
    for version in ("1.1", "1.0"):
        server.refuses(head("GET", "/a.txt", host=value, version=version), 400)
    server.refuses(head("GET", "http://localhost/a.txt", host=value), 400)
    server.refuses(head("OPTIONS", "*", host=value), 400, method="OPTIONS")
    if value.strip():
        server.refuses(head("GET", f"http://{value}/a.txt"), 400)


@test
def the_absolute_form_needs_it_too(server):
    server.refuses(head("GET", "http://localhost/a.txt", host=None), 400)
    server.refuses(head("GET", "http://localhost/a.txt", host="a@b"), 400)
    server.refuses(head("GET", "http://localhost/a.txt", "Host: localhost"), 400)


@test
def it_is_judged_for_every_method(server):
    for method in ("HEAD", "OPTIONS", "POST", "DELETE", "FOO"):
        server.refuses(head(method, "/a.txt", host=None), 400, method=method)
        server.refuses(head(method, "/a.txt", host="a b"), 400, method=method)


@test
def it_is_not_echoed(server):
    answer = server.refuses(head("GET", "/a.txt", host="evil<b>.example"), 400)
    assert b"evil" not in answer.raw


if __name__ == "__main__":
    run(setup)
