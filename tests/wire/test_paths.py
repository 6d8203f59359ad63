#!/usr/bin/python3
"""From a path to a file (HTTP.md "Finding the file")."""

from wire import each, head, run, test


def setup(world):
    world.outside.write("secret.txt", "secret")
    root = world.root
    root.write("a.txt", "a")
    root.write("dir/b.txt", "b")
    root.write("dir/sub/c.txt", "c")
    root.write("app/x.txt", "below the root")
    root.write("application/x.txt", "application")
    root.write("back\\slash.txt", "backslash")
    root.write("...three/d.txt", "hidden")
    root.write("x..y/..z.txt", "hidden too")
    root.write("x..y/z...txt", "dots")
    root.write("closed.txt", "closed", mode=0o000)
    root.write("closed/e.txt", "e")
    root.folder("closed", mode=0o600)
    root.write("blind/index.html", "closed", mode=0o000)
    root.write("n" * 255, "a long name")
    world.outside.write("y.txt", "an alias")
    return world.serve(block='location "/app/" { alias = "@world@/outside" }\n')


@each([
    ("/a.txt", b"a"), ("//a.txt", b"a"), ("///a.txt", b"a"), ("/./a.txt", b"a"),
    ("/././a.txt", b"a"), ("/dir/../a.txt", b"a"),
    ("/dir/sub/../../a.txt", b"a"), ("/dir/./b.txt", b"b"), ("/dir//b.txt", b"b"),
    ("/dir///sub////c.txt", b"c"),
    ("/none/../a.txt", b"a"), ("/dir/%2e%2e/a.txt", b"a"), ("/dir/%2E./a.txt", b"a"),
    ("/dir/.%2e/a.txt", b"a"), ("/%2e/a.txt", b"a"),
    ("/dir/sub/%2e%2e/b.txt", b"b"), ("/dir/..//a.txt", b"a"), ("/dir//../a.txt", b"a"),
    ("/x..y/z...txt", b"dots"),
    ("/back%5Cslash.txt", b"backslash"), ("/a.txt/../a.txt", b"a"),
    ("/" + "n" * 255, b"a long name"),
])
def a_path_is_normalized(server, target, body):
    answer = server.get(target)
    assert answer.status == 200 and answer.body == body


@each([
    "/..", "/../", "/../a.txt", "/../../etc/passwd", "/dir/../..", "/dir/../../a.txt",
    "/dir/../../outside/secret.txt", "/./../a.txt",
    "/%2e%2e/a.txt", "/%2e%2e/outside/secret.txt", "/.%2e/a.txt", "/%2E%2E/%2E%2E/etc/passwd",
    "//../a.txt", "/dir/%2e%2e/%2e%2e/a.txt",
    "/a/b/c/../../../../a.txt", "/..?x",
])
def leaving_the_root_is_400(server, target):
    answer = server.refuses(head("GET", target), 400)
    assert b"secret" not in answer.body and b"root:" not in answer.body


@each([
    "/..%2fa.txt", "/..%2Foutside%2Fsecret.txt", "/dir%2Fb.txt", "/dir%2fb.txt", "/%2fa.txt",
    "/dir/..%2fa.txt", "/%2e%2e%2foutside%2fsecret.txt",
    "/..%5c..%5cetc%5cpasswd", "/%5c..%5ca.txt", "/%252e%252e/a.txt", "/..%252fa.txt", "/..;/a.txt",
    "/a.txt%20", "/a.txt.", "/A.TXT",
    "/none.txt", "/none/", "/none/a.txt", "/dir/none.txt",
])
def what_is_not_there_is_404(server, target):
    """An escaped slash is data, and nothing is decoded twice."""
    answer = server.get(target)
    assert answer.status == 404 and b"secret" not in answer.body


@each(["/a.txt/", "/a.txt/.", "/a.txt/x", "/a.txt/x/y", "/dir/b.txt/", "/dir/b.txt/index.html",
       "/a.txt//"])
def a_file_is_no_directory(server, target):
    assert server.get(target).status == 404


@each(["/" + "n" * 256, "/" + "n" * 300, "/dir/" + "n" * 1000, "/" + "n" * 4200, "/" + "d/" * 2500,
       "/" + "dir/../" * 1000 + "none"])
def names_that_are_too_long_are_404(server, target):
    assert server.get(target).status == 404


@test
def a_long_path_of_short_names_is_found(server):
    assert server.get("/" + "dir/../" * 400 + "a.txt").body == b"a"


@each(["/closed.txt", "/closed/e.txt", "/blind/"])
def no_permission_is_403(server, target):
    answer = server.get(target)
    assert answer.status == 403 and b"closed" not in answer.body
    assert not answer.closes


@each(["/app/y.txt", "/app//y.txt", "//app/y.txt", "/app/./y.txt", "/dir/../app/y.txt",
       "/%61pp/y.txt"])
def a_mount_is_found_behind_normalization(server, target):
    assert server.get(target).body == b"an alias"


@each([("/application/x.txt", 200), ("/app/x.txt", 404), ("/appx.txt", 404), ("/App/y.txt", 404),
       ("/app%2Fy.txt", 404)])
def a_mount_matches_whole_segments(server, target, status):
    assert server.get(target).status == status


@each(["/app/..", "/app/../a.txt", "/app/../dir/../a.txt", "/app/%2e%2e/a.txt"])
def dots_leave_a_mount_before_it_is_chosen(server, target):
    answer = server.get(target)
    assert answer.status == (404 if target == "/app/.." else 200) and b"secret" not in answer.body


@each(["/app/../../outside/secret.txt", "/app/../..", "/app/%2e%2e/%2e%2e/etc/passwd"])
def dots_do_not_leave_through_a_mount(server, target):
    server.refuses(head("GET", target), 400)


@test
def a_mount_cannot_be_climbed(server):
    assert server.get("/app/..%2froot%2fa.txt").status == 404
    assert server.get("/app/secret.txt").body == b"secret"  # it lies in the aliased folder


@test
def the_files_of_the_system_stay_closed(server):
    with open("/etc/passwd", "rb") as file:
        passwd = file.read()
    for climb in ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "....//", "..;/",
                  "%252e%252e%252f", ".%00./"):
        for depth in (1, 3, 8):
            answer = server.get("/" + climb * depth + "etc/passwd")
            assert answer.status in (400, 404) and passwd not in answer.body


if __name__ == "__main__":
    run(setup)
