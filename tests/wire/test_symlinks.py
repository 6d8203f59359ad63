#!/usr/bin/python3
"""Symbolic links (HTTP.md "Finding the file"): those that lead beneath the root, absolute ones too;
or none at all; or, where that is asked for, those of one owner, or any."""

import contextlib
import os
import threading

from wire import each, run, test

SECRET = b"secret " * 100


def setup(world):
    world.outside.write("secret.txt", SECRET)
    world.outside.write("index.html", SECRET)
    root = world.root
    root.write("a.txt", "a")
    root.write("dir/b.txt", "b")
    root.write("dir/index.html", "index")
    root.link("to-file", "a.txt")
    root.link("to-dir", "dir")
    root.link("dir/up", "../a.txt")
    root.link("dir/dot", "./b.txt")
    root.link("chain-1", "chain-2")
    root.link("chain-2", "to-file")
    root.link("there-and-back", "dir/../a.txt")
    root.link("out-relative", "../outside/secret.txt")
    root.link("out-absolute", world.outside.path + "/secret.txt")
    root.link("out-dir", "../outside")
    root.link("out-dir-absolute", world.outside.path)
    root.link("out-and-back", "../root/a.txt")
    root.link("back-dir", "../root/dir")
    root.link("absolute", root.path + "/a.txt")
    root.link("absolute-dir", root.path + "/dir/")
    root.link("absolute-root", root.path)
    root.link("absolute-and-out", root.path + "/../outside/secret.txt")
    root.link("listed/absolute", root.path + "/a.txt")
    root.link("listed/out", world.outside.path + "/secret.txt")
    root.link("dir/out", "../../outside/secret.txt")
    root.link("chain-out", "dir/out")
    root.link("passwd", "/etc/passwd")
    root.link("proc", "/proc/self/root/etc/passwd")
    root.link("dangling", "nowhere")
    root.link("loop", "loop")
    root.link("loop-1", "loop-2")
    root.link("loop-2", "loop-1")
    root.folder("index-out")
    root.link("index-out/index.html", "../../outside/index.html")
    root.write("page.txt", "plain")
    root.link("page.txt.gz", "../outside/secret.txt")
    root.write("errors/real.html", "real")
    return world


def inside(world):
    if not hasattr(world, "inside"):
        world.inside = world.serve(block='symlinks = "inside"\n precompressed = {"gzip"}\n')
    return world.inside


def deny(world):
    if not hasattr(world, "deny"):
        world.deny = world.serve(settings={"symlinks": "deny"})
    return world.deny


def default(world):
    if not hasattr(world, "default"):
        world.default = world.serve()
    return world.default


@each([
    ("/to-file", b"a"), ("/to-dir/b.txt", b"b"), ("/to-dir/", b"index"), ("/dir/up", b"a"),
    ("/dir/dot", b"b"), ("/chain-1", b"a"),
    ("/there-and-back", b"a"), ("/to-dir/up", b"a"), ("/out-and-back", b"a"),
    ("/back-dir/b.txt", b"b"), ("/absolute", b"a"), ("/absolute-dir/b.txt", b"b"),
    ("/absolute-dir/", b"index"), ("/absolute-root/to-dir/up", b"a"),
    ("/absolute-root/absolute-root/absolute", b"a"),
])
def links_that_stay_beneath_the_root_are_followed(world, target, body):
    for server in (default(world), inside(world)):
        answer = server.get(target)
        assert answer.status == 200 and answer.body == body


@each([
    "/out-relative", "/out-absolute", "/out-dir/secret.txt", "/out-dir/", "/out-dir",
    "/out-dir-absolute/secret.txt", "/dir/out", "/chain-out",
    "/passwd", "/proc", "/to-dir/out", "/index-out/", "/index-out/index.html", "/absolute-and-out",
    "/absolute-root/out-absolute", "/out-dir/nothing",
])
def links_that_lead_out_are_not(world, target):
    for server in (default(world), inside(world), deny(world)):
        for method in ("GET", "HEAD"):
            answer = server.ask(method, target)
            assert answer.status in (403, 404)
            assert b"secret" not in answer.body and b"root:" not in answer.body


@each(["/dangling", "/loop", "/loop-1", "/loop/x", "/dangling/"])
def links_that_lead_nowhere_are_404(world, target):
    for server in (default(world), deny(world)):
        assert server.get(target).status == 404


@each(["/to-file", "/to-dir/b.txt", "/to-dir/", "/dir/up", "/chain-1", "/there-and-back",
       "/absolute", "/out-and-back"])
def with_deny_no_link_is_followed(world, target):
    assert deny(world).get(target).status == 404


@test
def a_listing_names_the_links_that_are_followed(world):
    server = world.serve(settings={"autoindex": "on"})
    listing = server.get("/listed/").body
    assert b"./absolute" in listing and b"./out" not in listing


@test
def any_link_is_followed_where_that_is_said(world):
    server = world.serve(settings={"symlinks": "any"})
    for target in ("/out-relative", "/out-absolute", "/out-dir/secret.txt", "/chain-out"):
        answer = server.get(target)
        assert answer.status == 200 and answer.body == SECRET, target
    for target in ("/absolute", "/to-file", "/out-and-back"):
        assert server.get(target).body == b"a"
    for target in ("/proc", "/dangling", "/loop", "/..%2foutside/secret.txt"):
        assert server.get(target).status == 404, target
    assert "symlinks = any" in server.stderr()
    assert "symlinks = any" not in default(world).stderr()


@test
def with_owner_link_and_target_belong_to_one(world):
    """nginx: disable_symlinks if_not_owner; Apache: SymLinksIfOwnerMatch."""
    server = world.serve(settings={"symlinks": "owner"})
    for target, body in (("/to-file", b"a"), ("/to-dir/b.txt", b"b"), ("/absolute", b"a"),
                         ("/out-absolute", SECRET), ("/out-dir/secret.txt", SECRET),
                         ("/a.txt", b"a"), ("/dir/", b"index")):
        answer = server.get(target)
        assert answer.status == 200 and answer.body == body, target
    assert server.get("/dangling").status == 404
    if os.geteuid() != 0:
        print("# not tried: links of another user need root")
        return
    root = world.root
    for name, owner, to in (("theirs", 65534, "a.txt"), ("their-dir", 65534, "dir"),
                            ("roots-file", 0, "their-file"), ("their-pair", 65534, "their-file")):
        if name == "roots-file":
            root.write("their-file", "their file")
            os.chown(root.at("their-file"), 65534, 65534)
        root.link(name, to)
        os.lchown(root.at(name), owner, owner)
    for target in ("/theirs", "/their-dir/b.txt", "/their-dir/", "/roots-file"):
        assert server.get(target).status == 404, target
        assert default(world).get(target).status == 200, target
    assert server.get("/their-pair").body == b"their file"


@test
def with_deny_the_files_themselves_are_served(world):
    assert deny(world).get("/a.txt").body == b"a"
    assert deny(world).get("/dir/").body == b"index"


@test
def a_sidecar_that_leads_out_is_ignored(world):
    answer = inside(world).get("/page.txt", "Accept-Encoding: gzip")
    assert answer.status == 200 and answer.body == b"plain" and "Content-Encoding" not in answer


@test
def an_escape_by_dots_behind_a_link_is_textual(world):
    """Dot segments are removed before the link is looked at."""
    assert default(world).get("/to-dir/../a.txt").body == b"a"


@each(["file", "folder", "absolute"])
def a_link_flipped_during_the_request_leaks_nothing(world, kind):
    """While another program switches it between inside and outside, as fast as it can."""
    server = world.serve(settings={"cache_valid": "0s"})
    root = world.root
    root.write("safe/secret.txt", "a")
    name = f"flip-{kind}"
    targets = {"file": ("a.txt", "../outside/secret.txt"), "folder": ("safe", "../outside"),
               "absolute": (root.path + "/safe", world.outside.path)}[kind]
    url = f"/{name}" if kind == "file" else f"/{name}/secret.txt"
    root.link(name, targets[0])
    done = threading.Event()

    def flip():
        number = 0
        while not done.is_set():
            number += 1
            temporary = root.at(f"{name}.new")
            with contextlib.suppress(FileNotFoundError):
                os.remove(temporary)
            os.symlink(targets[number % 2].encode(), temporary)
            os.rename(temporary, root.at(name))
    flipper = threading.Thread(target=flip)
    flipper.start()
    seen = set()
    try:
        with server.connect() as connection:
            for _ in range(1500):
                answer = connection.get(url)
                assert b"secret" not in answer.body
                assert answer.status in (200, 403, 404)
                assert answer.status != 200 or answer.body == b"a"
                seen.add(answer.status)
    finally:
        done.set()
        flipper.join()
    assert 200 in seen and len(seen) > 1, f"the link was never flipped in time: {seen}"


if __name__ == "__main__":
    run(setup)
