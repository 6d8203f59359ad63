#!/usr/bin/python3
"""What a start needs and does not get: it ends with a sentence and an exit status, or serves; it
neither crashes nor hangs."""

import contextlib
import os
import re
import signal
import socket
import ssl
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "wire"))

from wire import each, eventually, head, run  # noqa: E402
from wire.secure import pki_folder  # noqa: E402
from faults import SANITIZER, Faults, demultiplexer, file_jobs, has_executor, \
    option, uses_io_uring  # noqa: E402

ENGINE = option("--engine")
URING = uses_io_uring()
PLAIN = ENGINE == "reactor" and not has_executor()  # one thread
BLOCKING = ENGINE in ("iterative", "thread-per-connection", "thread-pool", "process-per-connection")
EPOLL = not URING and not BLOCKING and demultiplexer() == "epoll"
THREADS = ENGINE in ("reactor-pool", "multi-reactor", "proactor", "leader-followers") or \
    has_executor()
ALLOCATIONS_MAX = 100_000  # of one start: more than there are


def setup(world):
    world.root.write("a.txt", "a")
    return world, Faults(world.path)


def start(scene, *extra):
    """Starts a server with the fault that is armed, and stops it if it serves. Its exit status and
    what it said."""
    world, faults = scene
    number = len(os.listdir(world.path))
    out, err = (os.path.join(world.path, f"{name}-{number}") for name in ("out", "err"))
    arguments = [os.path.abspath(option("--server")), "--engine", ENGINE, "--root",
                 world.root.path]
    if "--listen" not in extra:
        arguments += ["--port", "0"]
    for setting in option("--variant").split():
        arguments += ["-o", setting]
    arguments += extra
    with faults.preloaded(), open(out, "wb") as stdout, open(err, "wb") as stderr:
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("GEARSHIFT_")}
        with subprocess.Popen(arguments, stdout=stdout, stderr=stderr, env=environment,
                              stdin=subprocess.DEVNULL) as process:
            try:
                assert eventually(lambda: process.poll() is not None or os.path.getsize(out) > 0,
                                  20), "it neither serves nor ends"
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(signal.SIGTERM)
                status = process.wait(20)
            finally:
                process.kill()
    with open(err, encoding="utf-8", errors="replace") as file:
        return status, file.read()


def check(scene, may_serve, *extra):
    """It ended by itself with a status and a sentence, or it served and stopped as asked."""
    status, said = start(scene, *extra)
    if may_serve and status == 0:
        return
    if status == -signal.SIGABRT and ": nss_database_reload_1: Assertion " in said:
        return  # glibc's, in getpwnam_r(3): up to 2.36 at least it takes memory there for granted
    assert 0 < status < 128, (status, said)
    assert ("gearshift: " in said or " error " in said) and "Sanitizer" not in said, said


@each([(f"{call}, {error}", call, error) for call, made, errors in (
    ("eventfd", True, "EMFILE ENFILE ENOMEM"),
    ("epoll_create1", EPOLL, "EMFILE ENFILE ENOMEM"),
    ("epoll_ctl", EPOLL, "ENOMEM ENOSPC"),
    ("pthread_create", THREADS, "EAGAIN ENOMEM EPERM"),
    ("io_setup", file_jobs() == "linux-aio", "EAGAIN ENOSYS EPERM"),
    ("io_uring_setup", URING or file_jobs() == "io_uring", "EMFILE ENFILE ENOMEM EPERM ENOSYS"),
    ("io_uring_register", URING or file_jobs() == "io_uring", "ENOMEM EINVAL EPERM")) if made for error in errors.split()])
def is_refused(scene, _, call, error):
    _, faults = scene
    faults.arm(call, error)
    check(scene, may_serve=False)
    assert faults.count > 0, f"{call} was never called"


@each([("EPERM",), ("ENOSYS",), ("EACCES",), ("EMFILE",), ("ENOMEM",)])
def an_eventfd_is_refused(scene, error):
    """It says that it was the eventfd, and blames neither memory nor epoll."""
    world, faults = scene
    faults.arm("eventfd", error)
    status, said = start(scene)
    faults.disarm()
    assert status == (69 if BLOCKING else 1), (status, said)  # they need nothing else, and try it
    assert "eventfd(2), which every engine needs, is refused: " in said, said
    assert ("seccomp" in said) == (error in ("EPERM", "ENOSYS", "EACCES")), said
    assert "connections_max" not in said and "epoll" not in said, said


@each([] if SANITIZER else range(12))
def without_memory_at_some_moment(scene, part):
    """One allocation fails, every one of a start in its turn (by twelfths, so that one sees)."""
    _, faults = scene
    number = part
    while True:
        faults.arm("malloc", "ENOMEM", start=number, limit=1)
        check(scene, may_serve=True)
        if faults.count == 0:
            break
        number += 12
        assert number < ALLOCATIONS_MAX


def backends():
    done = subprocess.run([os.path.abspath(option("--server")), "-V"], check=True, text=True,
                          capture_output=True)
    return re.findall(r"\(tls_backend = (\S+)\)\n", done.stdout)


@each([(backend,) for backend in backends()] if PLAIN and not SANITIZER else [])
def without_memory_within_a_library(scene, backend):
    """An allocation of the configuration's, or of the TLS library's, fails. There are thousands: a
    sample, closer where the configuration is read."""
    _, faults = scene
    pki = pki_folder(os.path.abspath(option("--server")))
    arguments = ["--listen", "127.0.0.1:0 tls", "-o", f"tls_backend={backend}",
                 "-o", f"certificate={pki}/localhost-rsa.pem", "-o", f"key={pki}/localhost-rsa.key",
                 "-o", 'tls_ciphers={"TLS_AES_128_GCM_SHA256", '
                       '"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}', "-o", 'tls_curves={"x25519"}']
    number = 0
    while True:
        faults.arm("any malloc", "ENOMEM", start=number, limit=1)
        check(scene, True, *arguments)
        if faults.count == 0:
            break
        number += 7 if number < 1000 else 97
        assert number < ALLOCATIONS_MAX


def shake_hands(server, version, ciphers):
    """A handshake and a request. Raises what the client has to complain of."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    if ciphers:
        context.set_ciphers(ciphers)
    with socket.create_connection(server.addresses[0], timeout=20) as plain, \
            context.wrap_socket(plain) as connection:
        connection.sendall(head("GET", "/a.txt", "Connection: close"))
        assert connection.recv(4096).startswith(b"HTTP/1.1 200"), "no answer"


KINDS = ((ssl.TLSVersion.TLSv1_3, ""), (ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES128-GCM-SHA256"),
         (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-GCM-SHA256"))


@each([(name, kind) for name, kind in zip(("1.3", "1.2 with RSA", "1.2 with ECDSA"), KINDS)
       if "openssl" in backends()] if PLAIN and not SANITIZER else [])
def a_first_handshake_without_memory(scene, _, kind):
    """It may fail, and no later one does: OpenSSL makes much at first use, and remembers when that
    has failed. Another allocation fails for each server: a sample of some hundreds."""
    world, faults = scene
    pki = pki_folder(os.path.abspath(option("--server")))
    number = 0
    while True:
        faults.disarm()
        with faults.preloaded():
            server = world.serve(arguments=[
                "--listen", "127.0.0.1:0 tls", "-o", "tls_backend=openssl", "-o",
                f'certificate={{"{pki}/localhost-ecdsa.pem", "{pki}/localhost-rsa.pem"}}', "-o",
                f'key={{"{pki}/localhost-ecdsa.key", "{pki}/localhost-rsa.key"}}'])
        faults.arm("any malloc", "ENOMEM", start=number, limit=1)
        with contextlib.suppress(OSError, AssertionError):
            shake_hands(server, *kind)
        count = faults.count
        faults.disarm()
        for version, ciphers in KINDS * 2:
            try:
                shake_hands(server, version, ciphers)
            except OSError as error:
                raise AssertionError(f"after allocation {number}: {version.name}: {error}") from None
        server.stop()
        if count == 0:
            break
        number += 11
        assert number < ALLOCATIONS_MAX


if __name__ == "__main__":
    run(setup)
