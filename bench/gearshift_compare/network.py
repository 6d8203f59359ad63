"""A network of this measurement's own: the loopback of a fresh namespace, whose congestion control
is chosen, and where no port is taken."""

import ctypes
import fcntl
import os
import socket
import struct

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_SIOCSIFFLAGS, _IFF_UP, _IFF_RUNNING = 0x8914, 0x1, 0x40
_CONGESTION = "/proc/sys/net/ipv4/tcp_congestion_control"
_libc = ctypes.CDLL(None, use_errno=True)


def congestion_control():
    """What new connections of this network namespace use."""
    with open(_CONGESTION, encoding="ascii") as file:
        return file.read().strip()


def enter_namespace(congestion):
    """Moves this process into a network namespace of its own, loopback up, with this congestion
    control. Without root it tries a user namespace. Raises OSError where the kernel refuses."""
    uid, gid = os.geteuid(), os.getegid()
    flags = _CLONE_NEWNET if uid == 0 else _CLONE_NEWNET | _CLONE_NEWUSER
    if _libc.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"unshare: {os.strerror(number)}")
    if uid != 0:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"),
                           ("gid_map", f"{gid} {gid} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS,
                    struct.pack("16sH22x", b"lo", _IFF_UP | _IFF_RUNNING))
    with open(_CONGESTION, "w", encoding="ascii") as file:
        file.write(congestion)


def free_port():
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
