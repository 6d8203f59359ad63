#!/usr/bin/python3
"""Compression dictionaries (HTTP.md "Answering", RFC 9842): who has a former version of a file gets
what lies beside it for that; everybody else what he would get without."""

import base64
import hashlib

from wire import MTIME_NS, each, run, test

OLD, OLDER, UNKNOWN = b"the former version", b"the one before", b"nobody has this"
NEW, BR = b"the new version " * 20, b"as br " * 10
MAGIC = {"dcb": b"\xffDCB", "dcz": b"\x5e\x2a\x4d\x18\x20\0\0\0"}
ACCEPTS = "Accept-Encoding: gzip, br, zstd, dcb, dcz"
MANY = b"*" * 200_000  # more than is kept in memory


def digest(dictionary):
    return hashlib.sha256(dictionary).digest()


def field(dictionary):
    return "Available-Dictionary: :" + base64.b64encode(digest(dictionary)).decode() + ":"


def delta(coding, dictionary, more=b""):
    return MAGIC[coding] + digest(dictionary) + coding.encode() + b" of " + dictionary + more


def write_delta(root, name, coding, dictionary, data=None, **options):
    root.write(f"{name}.{digest(dictionary).hex()}.{coding}",
               delta(coding, dictionary) if data is None else data, **options)


def setup(world):
    root = world.root
    for name in ("app.js", "sub/index.html", "dcb-only.js", "wrong.js", "stale.js", "large.js",
                 "outside/app.js", "alone/app.js", "cors/app.js", "star/app.js"):
        root.write(name, NEW)
    root.write("app.js.br", BR)
    root.write("gzip-only.js.gz", BR)
    for name in ("app.js", "sub/index.html", "outside/app.js", "cors/app.js", "star/app.js",
                 "gzip-only.js"):
        write_delta(root, name, "dcz", OLD)
    write_delta(root, "app.js", "dcb", OLD)
    write_delta(root, "app.js", "dcz", OLDER)
    write_delta(root, "dcb-only.js", "dcb", OLD)
    write_delta(root, "wrong.js", "dcz", OLD, delta("dcz", OLDER))       # another dictionary's
    write_delta(root, "wrong.js", "dcb", OLD, delta("dcb", OLD)[:36])    # nothing behind its head
    write_delta(root, "wrong.js", "dcz", OLDER, b"")
    write_delta(root, "wrong.js", "dcb", OLDER, delta("dcz", OLDER, MANY))
    root.folder(f"wrong.js.{digest(UNKNOWN).hex()}.dcz")
    write_delta(root, "stale.js", "dcz", OLD, mtime_ns=MTIME_NS - 10**9)
    write_delta(root, "large.js", "dcz", OLD, delta("dcz", OLD, MANY))
    return world.serve(block="""
        deltas = {"dcz", "dcb"}
        precompressed = {"br", "gzip"}
        use_as_dictionary = {"/app*.js dest=script,worker", "/s{u,}b/**.html match=/sub/*"}
        location "/outside/" { deltas = {} use_as_dictionary = {} }
        location "/alone/" { deltas = {} use_as_dictionary = "*.js match=/alone/*" }
        location "/cors/" { cors = "https://friend.example" }
        location "/star/" { cors = "*" }
        location "/other/" { alias = "@alone@" use_as_dictionary = "/other/*.js match=/other/*" }
        location "/none/" { alias = "@alone@" }
    """.replace("@alone@", root.path + "/alone"))


def check(answer, coding, dictionary=OLD):
    assert answer.status == 200 and answer.get("Content-Encoding") == coding, answer
    assert answer.body == (delta(coding, dictionary) if coding else NEW)


@test
def who_has_the_dictionary_gets_the_delta(server):
    check(server.get("/app.js", ACCEPTS, field(OLD)), "dcz")
    check(server.get("/app.js", ACCEPTS, field(OLDER)), "dcz", OLDER)
    check(server.get("/app.js", "Accept-Encoding: dcb", field(OLD)), "dcb")
    check(server.get("/dcb-only.js", ACCEPTS, field(OLD)), "dcb")
    check(server.get("/sub/", ACCEPTS, field(OLD)), "dcz")
    answer = server.get("/app.js", ACCEPTS, field(OLD))
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    told = server.head("/app.js", ACCEPTS, field(OLD))
    assert told.without("Date") == answer.without("Date")


@each([
    ("dcz", "dcz"), ("DCZ", "dcz"), ("*", "dcz"), ("dcb, dcz;q=0.9", "dcb"), ("dcz, br", "dcz"),
    ("dcz;q=0.5, br;q=0.5", "dcz"), ("dcz;q=0.4, br;q=0.5", "br"), ("br, *;q=0.1", "br"),
    ("dcz;q=0.4, dcb;q=0.3, zstd;q=0.2", "dcz"), ("dcz;q=0, dcb", "dcb"), ("dcz;q=0", None),
    ("br", "br"), ("identity", None), ("identity, dcz;q=0.5", None), ("", None), ("dc", None),
])
def accept_encoding_chooses(server, value, coding):
    answer = server.get("/app.js", f"Accept-Encoding: {value}", field(OLD))
    assert answer.status == 200 and answer.get("Content-Encoding") == coding
    assert answer.body == (BR if coding == "br" else delta(coding, OLD) if coding else NEW)


TEXT = base64.b64encode(digest(OLD)).decode()


@each([f":{TEXT}:", f"  :{TEXT}:\t", f":{TEXT[:-1]}:"])
def the_field_is_a_byte_sequence(server, value):
    check(server.get("/app.js", "Accept-Encoding: dcz", "Available-Dictionary:" + value), "dcz")


@each(["", ":", "::", TEXT, f":{TEXT}", f"{TEXT}:", f":{TEXT}:;a=1", f":{TEXT}:, :{TEXT}:",
       f"\"{TEXT}\"", f":{TEXT[:-4]}:", f":{TEXT}{TEXT}:", f":{TEXT[:-2]}=:", f": {TEXT[:-1]}:",
       ":" + TEXT.replace("+", "-").replace("/", "_")[:-2] + "-=:", ":" + "=" * 44 + ":",
       digest(OLD).hex(), f"sha-256=:{TEXT}:"])
def another_field_is_ignored(server, value):
    check(server.get("/app.js", "Accept-Encoding: dcz", "Available-Dictionary: " + value), None)


@test
def two_fields_are_none(server):
    check(server.get("/app.js", "Accept-Encoding: dcz", field(OLD), field(OLD)), None)


@test
def what_is_not_there_is_done_without(server):
    check(server.get("/app.js", "Accept-Encoding: dcz", field(UNKNOWN)), None)
    check(server.get("/app.js", "Accept-Encoding: dcz"), None)
    assert server.get("/app.js", ACCEPTS, field(UNKNOWN)).body == BR
    assert server.get("/none.js", ACCEPTS, field(OLD)).status == 404
    only = server.get("/gzip-only.js", ACCEPTS, field(OLD))
    assert only.status == 200 and only["Content-Encoding"] == "gzip"  # the delta of nothing


@each([OLD, OLDER, UNKNOWN])
def a_head_of_something_else_is_no_delta(server, dictionary):
    for _ in range(2):
        check(server.get("/wrong.js", ACCEPTS, field(dictionary)), None)


@test
def a_delta_older_than_its_file_is_not_sent(server):
    check(server.get("/stale.js", ACCEPTS, field(OLD)), None)


@test
def a_long_one_is_sent_as_well(server):
    for _ in range(2):
        answer = server.get("/large.js", ACCEPTS, field(OLD))
        assert answer["Content-Encoding"] == "dcz" and answer.body == delta("dcz", OLD, MANY)


@test
def each_form_has_a_tag_and_ranges_of_its_own(server):
    forms = [("Accept-Encoding: identity", field(OLD)), ("Accept-Encoding: br", field(OLD)),
             ("Accept-Encoding: dcz", field(OLD)), ("Accept-Encoding: dcb", field(OLD)),
             ("Accept-Encoding: dcz", field(OLDER))]
    etags = [server.get("/app.js", *fields)["ETag"] for fields in forms]
    assert len(set(etags)) == len(forms), etags
    for number, fields in enumerate(forms):
        whole = server.get("/app.js", *fields).body
        for known, etag in enumerate(etags):
            same = known == number
            answer = server.get("/app.js", "If-None-Match: " + etag, *fields)
            assert answer.status == (304 if same else 200)
            answer = server.get("/app.js", "If-Range: " + etag, "Range: bytes=3-7", *fields)
            assert answer.body == (whole[3:8] if same else whole)
        if number > 0:
            assert answer.get("Content-Encoding") in ("br", "dcz", "dcb")


@test
def portable_tags_tell_dictionaries_apart(server):
    root = server.world.root
    for dictionary in (b"1", b"2"):
        write_delta(root, "app.js", "dcz", dictionary, delta("dcz", dictionary))
    own = server.world.serve(block='deltas = {"dcz"} etag = portable')
    etags = {own.get("/app.js", ACCEPTS, field(dictionary))["ETag"] for dictionary in (b"1", b"2")}
    assert len(etags) == 2, etags


@each([("Accept-Encoding: identity", None), (ACCEPTS, None), (ACCEPTS, OLD), (ACCEPTS, UNKNOWN)])
def every_form_says_on_what_it_depends(server, accepts, dictionary):
    fields = [accepts] + ([field(dictionary)] if dictionary else [])
    for target, used in (("/app.js", 'match="/app*.js", match-dest=("script" "worker")'),
                         ("/sub/", 'match="/sub/*"'), ("/wrong.js", None)):
        answer = server.get(target, *fields)
        same = server.get(target, "If-None-Match: " + answer["ETag"], *fields)
        part = server.get(target, "Range: bytes=0-0", *fields)
        assert (answer.status, same.status, part.status) == (200, 304, 206)
        for told in (answer, same, part, server.head(target, *fields)):
            assert told["Vary"] == "Accept-Encoding, Available-Dictionary"
            assert told.get("Use-As-Dictionary") == used, (target, told)


@test
def without_the_keys_nothing_is_different(server):
    answer = server.get("/outside/app.js", ACCEPTS, field(OLD))
    check(answer, None)
    assert "Vary" not in answer and "Use-As-Dictionary" not in answer
    answer = server.get("/alone/app.js", ACCEPTS, field(OLD))
    assert "Vary" not in answer and answer["Use-As-Dictionary"] == 'match="/alone/*"'


@test
def with_alias_it_is_the_path_of_the_url(server):
    assert server.get("/other/app.js")["Use-As-Dictionary"] == 'match="/other/*"'
    assert "Use-As-Dictionary" not in server.get("/none/app.js")


FRIEND, STRANGER = "Origin: https://friend.example", "Origin: https://evil.example"


@each([
    ("/app.js", "same-origin", "no-cors", None, True),
    ("/app.js", "none", "navigate", None, True), ("/app.js", "cross-site", "navigate", None, True),
    ("/app.js", "cross-site", "no-cors", None, False), ("/app.js", "same-site", "no-cors", None, False),
    ("/app.js", "cross-site", "cors", STRANGER, False), ("/app.js", "cross-site", "", None, True),
    ("/cors/app.js", "cross-site", "cors", FRIEND, True),
    ("/cors/app.js", "cross-site", "cors", STRANGER, False),
    ("/cors/app.js", "cross-site", "cors", None, False),
    ("/cors/app.js", "cross-site", "no-cors", FRIEND, False),
    ("/cors/app.js", "same-site", "websocket", FRIEND, False),
    ("/star/app.js", "cross-site", "cors", STRANGER, True),
    ("/star/app.js", "cross-site", "no-cors", STRANGER, False),
])
def no_script_of_another_origin_learns_a_length(server, target, site, mode, origin, sent):
    fields = ["Sec-Fetch-Site: " + site] + (["Sec-Fetch-Mode: " + mode] if mode else [])
    answer = server.get(target, "Accept-Encoding: dcz", field(OLD), *fields,
                        *([origin] if origin else []))
    check(answer, "dcz" if sent else None)


@test
def a_delta_by_its_own_name_is_a_file(server):
    answer = server.get(f"/app.js.{digest(OLD).hex()}.dcz")
    assert answer.body == delta("dcz", OLD) and "Content-Encoding" not in answer


@test
def a_delta_that_is_replaced_is_looked_at_again(server):
    root = server.world.root
    own = server.world.serve(block='deltas = {"dcz"}', settings={"cache_valid": "0"})
    root.write("turns.js", NEW)
    for data, coding in ((delta("dcz", OLD), "dcz"), (b"x" * 100, None),
                         (delta("dcz", OLD), "dcz")):
        root.replace(f"turns.js.{digest(OLD).hex()}.dcz", data)
        check(own.get("/turns.js", ACCEPTS, field(OLD)), coding)


if __name__ == "__main__":
    run(setup)
