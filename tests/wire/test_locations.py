#!/usr/bin/python3
"""Which location a path belongs to: exact, firm prefix, regular expression, glob, prefix, in this order of
precedence; what each inherits; `alias` of each; and expressions that would take for ever."""

from wire import each, run, test

CONF = """
regex_steps_max = 5000
server "_" {
    listen = {"@listen@"}
    root = "@root@"
    headers = {"Where: server"}
    location "/a/" { headers = {"Where: /a/"} }
    location "/a/b/" { headers = {"Where: /a/b/"} }
    location = "/a/one.css" { headers = {"Where: = one"} }
    location = "/robots.txt" { alias = "@root@/files/for-robots.txt" headers = {"Where: = robots"} }
    location = "/folder/" { alias = "@root@/files/for-robots.txt" headers = {"Where: = folder"} }
    location ^~ "/firm/" { alias = "@root@/files/" headers = {"Where: ^~"} }
    location "*.{js,css}" { headers = {"Where: glob"} }
    location "/a/*.css" { headers = {"Where: longer glob"} }
    location "/deep/**/x.txt" { headers = {"Where: deep"} }
    location ~ '^/r/([a-z]+)\\.(css|txt)$' { headers = {"Where: ~"} }
    location ~* '^/r/.*\\.css$' { headers = {"Where: ~*"} }
    location ~ "^/slow/(a+)+$" { headers = {"Where: slow"} }
    location "/paged/" { error_pages = {"404=/gone.html"} }
    location "*.html" { headers = {"Where: page"} }
}
server "prefixes.test" {
    listen = {"@listen@"}
    root = "@root@"
@many@
}
"""


def setup(world):
    for name in ("a/one.css", "a/b/two.css", "files/for-robots.txt", "firm.txt", "x.js", "deep/x.txt",
                 "deep/1/2/x.txt", "r/abc.css", "r/ABC.css", "r/abc.txt", "gone.html"):
        world.root.write(name, name)
    for number in range(0, 1000, 111):
        world.root.write(f"p{number}/file.txt", "many")
    many = "\n".join(f'location "/p{number}/" {{ headers = {{"Where: {number}"}} }}'
                     for number in range(1000))
    return world.serve(conf=CONF.replace("@many@", many))


@each([
    ("/a/one.css", "= one", b"a/one.css"),
    ("/a/%6Fne.css", "= one", b"a/one.css"),
    ("/a/./one.css?x=1", "= one", b"a/one.css"),
    ("/a/b/two.css", "glob", b"a/b/two.css"),  # an expression or glob before a prefix
    ("/x.js", "glob", b"x.js"),
    ("/robots.txt", "= robots", b"files/for-robots.txt"),
    ("/folder/", "= folder", b"files/for-robots.txt"),
    ("/firm/for-robots.txt", "^~", b"files/for-robots.txt"),
    ("/deep/x.txt", "deep", b"deep/x.txt"),
    ("/deep/1/2/x.txt", "deep", b"deep/1/2/x.txt"),
    ("/r/abc.css", "~", b"r/abc.css"),  # the first expression of the file, before any glob
    ("/r/ABC.css", "~*", b"r/ABC.css"),
    ("/r/abc.txt", "~", b"r/abc.txt"),
    ("/firm.txt", "server", b"firm.txt"),
])
def the_most_specific_answers(server, path, where, body):
    answer = server.get(path)
    assert (answer.status, answer.get("Where"), answer.body) == (200, where, body)


@each([
    ("/a", "/a/"), ("/a/", "/a/"), ("/a/none", "/a/"), ("/ab", "server"), ("/a/b", "/a/b/"),
    ("/a/b/none", "/a/b/"), ("/a/none.css", "longer glob"), ("/none.css/", "server"),
    ("/firm/none.css", "^~"), ("/robots.txt/", "server"), ("/robots.txtx", "server"),
    ("/slow/aaa", "slow"), ("/r/a1.css", "~*"), ("/r/a%0A.css", "~*"), ("/r/abc.css%0A", "server"),
])
def what_is_not_there_belongs_to_one_as_well(server, path, where):
    assert server.get(path).get("Where") == where


@test
def an_expression_that_takes_for_ever_is_500(server):
    with server.connect() as connection:
        for _ in range(3):
            answer = connection.get("/slow/" + "a" * 3000 + "!")
            assert answer.status == 500 and "Where" in answer
        assert connection.get("/x.js").status == 200
    assert "regex_steps_max" in server.stderr()


@test
def many_prefixes_are_told_apart(server):
    for number in range(0, 1000, 111):
        answer = server.get(f"/p{number}/file.txt", host="prefixes.test")
        assert (answer.status, answer.get("Where")) == (200, str(number))
    assert server.get("/p9990/", host="prefixes.test").get("Where") is None


@test
def many_requests_on_one_connection(server):
    with server.connect() as connection:
        for path, where in (("/r/abc.css", "~"), ("/x.js", "glob"), ("/a/", "/a/"), ("/r/abc.txt", "~")):
            assert connection.get(path).get("Where") == where


@test
def an_error_page_has_the_fields_of_its_own_location(server):
    answer = server.get("/paged/none")
    assert (answer.status, answer.body, answer.get("Where")) == (404, b"gone.html", "page")


if __name__ == "__main__":
    run(setup)
