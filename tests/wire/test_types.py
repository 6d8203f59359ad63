#!/usr/bin/python3
"""Media types (HTTP.md "Answering"): the system's mime.types with overrides, a charset for text."""

from wire import each, run, test

HTML = "text/html; charset=utf-8"
TYPES = [
    ("index.html", HTML), ("a.htm", HTML), ("a.HTML", HTML), ("a.Html", HTML),
    ("a.txt", "text/plain; charset=utf-8"), ("a.css", "text/css; charset=utf-8"),
    ("a.js", "text/javascript; charset=utf-8"), ("a.mjs", "text/javascript; charset=utf-8"),
    ("a.wasm", "application/wasm"), ("a.json", "application/json"),
    ("a.png", "image/png"), ("a.jpg", "image/jpeg"), ("a.jpeg", "image/jpeg"),
    ("a.gif", "image/gif"), ("a.webp", "image/webp"), ("a.pdf", "application/pdf"),
    ("a.zip", "application/zip"), ("a.gz", "application/gzip"), ("a.mp4", "video/mp4"),
    ("a.mp3", "audio/mpeg"), ("a.woff2", "font/woff2"),
    ("a.tar.gz", "application/gzip"), ("a.html.png", "image/png"), ("a.png.html", HTML),
    ("a.min.js", "text/javascript; charset=utf-8"),
    ("noextension", "application/octet-stream"), ("a.unknownextension", "application/octet-stream"),
    ("a.", "application/octet-stream"),
    ("html", "application/octet-stream"), ("dir.html/noextension", "application/octet-stream"),
    ("a.html ", "application/octet-stream"),
    ("a.bin", "application/octet-stream"),
    # what the machine's file may know as something else
    ("a.ts", "video/mp2t"), ("a.m3u8", "application/vnd.apple.mpegurl"), ("a.m4s", "video/iso.segment"),
    ("a.mpd", "application/dash+xml"), ("a.rss", "application/rss+xml"),
    ("a.atom", "application/atom+xml"), ("a.webmanifest", "application/manifest+json"),
    ("a.js.map", "application/json"), ("a.jsonld", "application/ld+json"),
    ("a.geojson", "application/geo+json"), ("a.avif", "image/avif"), ("a.jxl", "image/jxl"),
    ("a.heic", "image/heic"), ("favicon.ico", "image/vnd.microsoft.icon"), ("a.opus", "audio/ogg"),
    ("a.flac", "audio/flac"), ("a.wav", "audio/wav"), ("a.gltf", "model/gltf+json"),
    ("a.glb", "model/gltf-binary"), ("a.vtt", "text/vtt; charset=utf-8"),
]


def setup(world):
    for name, _ in TYPES:
        world.root.write(name, "x")
    for name in ("a.svg", "a.xml", "a.xhtml", "a.foo", "a.bar.foo", "a.md", "a.mkv"):
        world.root.write(name, "x")
    return world.serve()


@each(TYPES)
def a_name_has_a_type(server, name, wanted):
    for method in ("GET", "HEAD"):
        answer = server.ask(method, "/" + name.replace(" ", "%20"))
        assert answer.status == 200 and answer["Content-Type"] == wanted


@each([("a.svg", "image/svg+xml"), ("a.xml", ("application/xml", "text/xml")),
       ("a.xhtml", "application/xhtml+xml")])
def xml_has_a_type_perhaps_with_charset(server, name, wanted):
    media_type, _, charset = server.get("/" + name)["Content-Type"].partition("; ")
    assert media_type in (wanted if isinstance(wanted, tuple) else (wanted,))
    assert charset in ("", "charset=utf-8")


@test
def a_content_coding_is_not_guessed(server):
    """A .gz that is asked for by name is a gzip file, not something coded."""
    assert "Content-Encoding" not in server.get("/a.tar.gz")


@test
def types_override(server):
    own = server.world.serve(conf="""
        types = {"foo=application/x-foo", "js=application/x-js", "md=text/markdown"}
        default_type = "application/x-unknown"
        server "localhost" { listen = {"@listen@"} root = "@root@" }
    """)
    assert own.get("/a.foo")["Content-Type"] == "application/x-foo"
    assert own.get("/a.bar.foo")["Content-Type"] == "application/x-foo"
    assert own.get("/a.js")["Content-Type"] == "application/x-js"
    assert own.get("/a.md")["Content-Type"] == "text/markdown; charset=utf-8"
    assert own.get("/a.unknownextension")["Content-Type"] == "application/x-unknown"
    assert own.get("/a.css")["Content-Type"] == "text/css; charset=utf-8"


@test
def a_location_has_types_of_its_own(server):
    """Its own, then its server's, then those of the top level; `*` is what is not named anywhere before it."""
    own = server.world.serve(conf="""
        types = {"foo=application/x-top", "bar=application/x-top"}
        server "localhost" {
            listen = {"@listen@"}
            root = "@root@"
            types = {"foo=application/x-server", "js=application/x-server"}
            default_type = "application/x-default"
            location "/types/" { alias = "@root@" types = {"js=application/x-location"} default_type = "text/x-own" }
            location "/every/" { alias = "@root@" types = {"*=text/x-every", "css=text/x-css"} }
        }
    """)
    for path, wanted in {
        "/a.foo": "application/x-server",
        "/a.bar.foo": "application/x-server",
        "/a.js": "application/x-server",
        "/a.md": "text/markdown; charset=utf-8",
        "/a.unknownextension": "application/x-default",
        "/types/a.foo": "application/x-server",
        "/types/a.js": "application/x-location",
        "/types/a.css": "text/css; charset=utf-8",
        "/types/a.unknownextension": "text/x-own; charset=utf-8",
        "/every/a.css": "text/x-css; charset=utf-8",
        "/every/a.md": "text/x-every; charset=utf-8",
        "/every/a.foo": "application/x-server",
    }.items():
        assert own.get(path)["Content-Type"] == wanted, path


@test
def a_file_of_types_is_read(server):
    server.world.logs.write("mime.types", """# a comment
application/x-foo\tfoo fooo

text/x-css css
application/x-js js mjs
video/x-mkv mkv
""")
    own = server.world.serve(settings={"mime_types": server.world.logs.path + "/mime.types"})
    assert own.get("/a.foo")["Content-Type"] == "application/x-foo"
    assert own.get("/a.mkv")["Content-Type"] == "video/x-mkv"
    assert own.get("/a.css")["Content-Type"] == "text/css; charset=utf-8"
    assert own.get("/a.js")["Content-Type"] == "text/javascript; charset=utf-8"
    assert own.get("/a.mjs")["Content-Type"] == "text/javascript; charset=utf-8"
    assert own.get("/a.wasm")["Content-Type"] == "application/wasm"


@test
def what_the_web_needs_is_pinned(server):
    """Whatever the machine's file says; only `types` wins over it."""
    extensions = {name.rpartition(".")[2] for name, wanted in TYPES
                  if wanted != "application/octet-stream"}
    server.world.logs.write("wrong.types",
                            f"text/vnd.trolltech.linguist {' '.join(sorted(extensions))}\n")
    path = server.world.logs.path + "/wrong.types"
    own = server.world.serve(settings={"mime_types": path})
    for name, wanted in TYPES:
        assert own.get("/" + name.replace(" ", "%20"))["Content-Type"] == wanted, name
    own = server.world.serve(settings={"mime_types": path, "types": '{"ts=text/x-typescript"}'})
    assert own.get("/a.ts")["Content-Type"] == "text/x-typescript; charset=utf-8"
    assert own.get("/a.m3u8")["Content-Type"] == "application/vnd.apple.mpegurl"


@test
def without_a_file_of_types_the_usual_ones_are_known(server):
    own = server.world.serve(settings={"mime_types": ""})
    for name, wanted in (("index.html", HTML), ("a.css", "text/css; charset=utf-8"),
                         ("a.png", "image/png"), ("a.js", "text/javascript; charset=utf-8")):
        assert own.get("/" + name)["Content-Type"] == wanted


@test
def the_charset_is_a_setting(server):
    own = server.world.serve(block="""
        charset = "iso-8859-1"
        location "/dir.html/" { charset = "" }
    """)
    server.world.root.write("dir.html/a.txt", "x")
    assert own.get("/a.txt")["Content-Type"] == "text/plain; charset=iso-8859-1"
    assert own.get("/a.png")["Content-Type"] == "image/png"
    assert own.get("/dir.html/a.txt")["Content-Type"] == "text/plain"


if __name__ == "__main__":
    run(setup)
