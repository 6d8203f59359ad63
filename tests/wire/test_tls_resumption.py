#!/usr/bin/python3
"""Resumption (RFC 5077, RFC 5246 section 7.3, RFC 8446 section 2.2): by ticket and by session id,
on whichever thread the next connection comes; off by settings."""

import ssl
import time

from wire import each, hello, run, test
from wire.tls import client_context

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
TIMES = 24  # where an engine has two threads, each gets some


def setup(world):
    world.root.write("a.txt", "a")
    world.has_1_3 = world.tls == "openssl"
    return world


def session_of(server, context, session=None):
    """The session that a connection leaves, after one answer."""
    with server.connect(context=context, session=session) as connection:
        assert connection.get("/a.txt").body == b"a"
        return connection.sock.tls.session


def resumed(server, context, session):
    """Is a connection that offers this session resumed? It serves in any case."""
    with server.connect(context=context, session=session) as connection:
        assert connection.get("/a.txt").body == b"a"
        return connection.sock.tls.session_reused


def contexts(world):
    """Kinds of resumption: by a ticket of 1.3, by one of 1.2, by id."""
    kinds = {"a ticket of 1.2": client_context(versions=(V12, V12)),
             "an id": client_context(versions=(V12, V12), tickets=False)}
    if world.has_1_3:
        kinds["a ticket of 1.3"] = client_context(versions=(V13, V13))
    return kinds


@test
def each_kind_works_time_after_time(world):
    server = world.serve()
    for name, context in contexts(world).items():
        session = session_of(server, context)
        assert session.has_ticket == ("ticket" in name), name
        for number in range(TIMES):
            # A ticket of 1.3 is to be used once (RFC 8446 section C.4): take the newest.
            with server.connect(context=context, session=session) as connection:
                assert connection.get("/a.txt").body == b"a"
                assert connection.sock.tls.session_reused, f"{name}, number {number}"
                if "1.3" in name:
                    session = connection.sock.tls.session


@test
def without_either_every_handshake_is_full(world):
    server = world.serve(settings={"tls_session_tickets": "off", "tls_session_cache": "0"})
    for name, context in contexts(world).items():
        session = session_of(server, context)
        assert not session.has_ticket, name
        assert not resumed(server, context, session), name


@test
def without_tickets_1_2_resumes_by_id(world):
    server = world.serve(settings={"tls_session_tickets": "off"})
    context = client_context(versions=(V12, V12))
    session = session_of(server, context)
    assert not session.has_ticket and len(session.id) == 32
    assert resumed(server, context, session)


@test
def without_a_cache_1_2_resumes_by_ticket_alone(world):
    server = world.serve(settings={"tls_session_cache": "0"})
    kinds = contexts(world)
    assert resumed(server, kinds["a ticket of 1.2"],
                   session_of(server, kinds["a ticket of 1.2"]))
    assert not resumed(server, kinds["an id"], session_of(server, kinds["an id"]))


@test
def the_cache_has_a_limit(world):
    """The newest sessions are kept, and the server goes on."""
    server = world.serve(settings={"tls_session_cache": "4"})
    context = contexts(world)["an id"]
    sessions = [session_of(server, context) for _ in range(40)]
    # From the newest on: a full handshake puts another one into the cache.
    kept = [resumed(server, context, session) for session in reversed(sessions)]
    assert kept[0] and kept.count(True) <= 4, kept


@test
def keys_of_tickets_rotate(world):
    """After two lifetimes a ticket is of no use; the connection is. (Two seconds: OpenSSL counts a session's age from the
    whole second, so that of one second it may be over at once.)"""
    server = world.serve(settings={"tls_ticket_key_lifetime": "2s"})
    kinds = contexts(world)
    kinds.pop("an id")
    sessions = {name: session_of(server, context) for name, context in kinds.items()}
    for name, context in kinds.items():
        assert resumed(server, context, sessions[name]), f"{name}, at once"
    sessions = {name: session_of(server, context) for name, context in kinds.items()}
    time.sleep(6.2)
    for name, context in kinds.items():
        assert not resumed(server, context, sessions[name]), f"{name}, after 6 s"
        assert resumed(server, context, session_of(server, context)), f"{name}, renewed"


@test
def another_server_does_not_know_the_ticket(world):
    """Keys are made anew at each start."""
    first, second = world.serve(), world.serve()
    for name, context in contexts(world).items():
        session = session_of(first, context)
        assert not resumed(second, context, session), name


@each([0, 1, 15, 192, 15000])
def a_ticket_that_nobody_made_is_no_ticket(world, size):
    """The handshake is full; the ticket is not trusted (RFC 5077 section 4)."""
    server = world.serve()
    ticket = b"\xaa" * size
    got = hello.outcome(server, hello.client_hello(
        versions=(), more=hello.extension(35, ticket)))
    assert got[:2] == ("hello", hello.TLS_1_2), got
    assert server.get("/a.txt").body == b"a"


if __name__ == "__main__":
    run(setup, tls=True)
