#!/usr/bin/python3
"""Names that begin with a dot are not there (HTTP.md "Finding the file"), but for /.well-known/."""

from wire import each, run, test

HIDDEN = ["/.htaccess", "/.git/config", "/.git/", "/.git", "/dir/.hidden", "/dir/.hidden/x.txt",
          "/...", "/..a", "/dir/.a.txt",
          "/%2ehtaccess", "/%2Egit/config", "/dir/%2ehidden/x.txt", "//.htaccess", "/./.htaccess",
          "/dir/../.htaccess"]


def setup(world):
    root = world.root
    for name in (".htaccess", ".git/config", "dir/.hidden/x.txt", "...", "..a", "dir/.a.txt",
                 ".well-known/security.txt",
                 ".well-known/acme-challenge/token", ".well-known/.secret", "dir/.well-known/x.txt",
                 ".well-knownx/y.txt", "a.txt"):
        root.write(name, name)
    return world


def default(world):
    if not hasattr(world, "default"):
        world.default = world.serve(settings={"autoindex": "on"})
    return world.default


@each(HIDDEN + ["/.well-known/.secret", "/.well-knownx/y.txt", "/dir/.well-known/x.txt"])
def they_are_404(world, target):
    for method in ("GET", "HEAD"):
        assert default(world).ask(method, target).status == 404


@each(["/.well-known/security.txt", "/.well-known/acme-challenge/token",
       "/%2Ewell-known/security.txt"])
def well_known_is_served(world, target):
    answer = default(world).get(target)
    assert answer.status == 200 and answer.body.decode() == target[1:].replace("%2E", ".")


@test
def a_listing_does_not_show_them(world):
    body = default(world).get("/dir/").body
    assert b'href="./.' not in body and b".a.txt" not in body


@test
def they_cannot_be_told_from_what_is_not_there(world):
    hidden, absent = default(world).get("/.htaccess"), default(world).get("/absent")
    assert hidden.without("Date") == absent.without("Date") and hidden.body == absent.body


@each([("/.htaccess", b".htaccess"), ("/.git/config", b".git/config"),
       ("/dir/.hidden/x.txt", b"dir/.hidden/x.txt"), ("/...", b"..."),
       ("/..a", b"..a"), ("/.well-known/.secret", b".well-known/.secret")])
def they_are_served_on_request(world, target, body):
    if not hasattr(world, "open"):
        world.open = world.serve(settings={"dotfiles": "on"})
    assert world.open.get(target).body == body


if __name__ == "__main__":
    run(setup)
