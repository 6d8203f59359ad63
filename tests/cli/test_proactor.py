"""Engine proactor as the system sees it: what its threads count as while they have nothing to do."""
import ctypes
import os
import re
import struct
import time
import unittest

from test_doctor import Doctors

IO_URING_SETUP = 425
FEAT_NO_IOWAIT = 1 << 17
THREADS = 40  # so many that others, who do wait for disks, do not blur the figure
SAMPLES = 30


def ring_features():
    """What the kernel says of its io_uring (io_uring_setup(2), struct io_uring_params)."""
    params = ctypes.create_string_buffer(120)
    ring = ctypes.CDLL(None, use_errno=True).syscall(IO_URING_SETUP, 1, params)
    if ring < 0:
        raise OSError(ctypes.get_errno(), "io_uring_setup")
    os.close(ring)
    return struct.unpack_from("5I I", params.raw)[5]


def least_blocked():
    """The fewest tasks that were seen waiting for a disk in a while (proc(5), procs_blocked)."""
    counts = []
    for _ in range(SAMPLES):
        with open("/proc/stat", encoding="ascii") as file:
            counts.append(int(re.search(r"^procs_blocked (\d+)$", file.read(), re.M)[1]))
        time.sleep(0.05)
    return min(counts)


class Idle(Doctors):
    def test_waits_for_no_disk(self):
        self.need_proactor()
        can = ring_features() & FEAT_NO_IOWAIT != 0
        text = self.doctor()["engines"]["proactor"]["text"]
        if not can:
            self.assertIn("; idle threads count as waiting for a disk", text)
            self.skipTest("this kernel's io_uring has no IORING_FEAT_NO_IOWAIT (Linux 6.15)")
        before = least_blocked()
        server = self.serve(self.site, "--port", "0", "-e", "proactor", "-o", f"threads={THREADS}")
        self.assertEqual(server.get("/hello.txt"), (200, b"hello\n"))
        self.assertLess(least_blocked() - before, THREADS // 2)
        self.assertEqual(server.stop(), 0)
        self.assertIn("; idle threads do not count as waiting for a disk", text)


if __name__ == "__main__":
    unittest.main()
