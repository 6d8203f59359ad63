"""Whether the kernel lets anybody have an io_uring: most containers forbid it by a seccomp filter. Asked of
the kernel and not of the server, whose own answer is under test."""

import ctypes
import errno
import functools
import os

IO_URING_SETUP = 425
PARAMS_SIZE = 120  # of struct io_uring_params, see io_uring_setup(2)


@functools.cache
def refused():
    """A sentence that says why there can be none here; None where there can."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.syscall(IO_URING_SETUP, 1, ctypes.create_string_buffer(PARAMS_SIZE))
    if descriptor >= 0:
        os.close(descriptor)
        return None
    error = ctypes.get_errno()
    if error in (errno.EPERM, errno.EACCES, errno.ENOSYS):
        return f"io_uring is forbidden here (io_uring_setup: {os.strerror(error)})"
    return None


def refuses(engine, settings=()):
    """The sentence, for an engine that needs an io_uring, or does with these settings; else None."""
    return refused() if engine == "proactor" or "file_jobs=io_uring" in settings else None
