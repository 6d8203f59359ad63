#!/usr/bin/python3
"""Files that nobody asks for any more (docs/server.conf.md, `cache_files`): a deleted file gives its
disk back within seconds, an unused one is closed after `cache_inactive`, and then its file system can be
unmounted; while nothing happens, no CPU time is used for that."""

import ctypes
import os
import shutil
import subprocess
import time

from wire import LOOKED_INTO, Site, eventually, run, test

SIZE = 1 << 20
COUNT = 6
DELETED_S = 11 + 10  # between two looks at an entry, and generous slack
INACTIVE = {"cache_inactive": "3s"}
UNUSED_S = 7 + 20    # likewise, after two looks


def setup(world):
    return world


def held(server, folder):
    """Which files below a folder the server has open."""
    return [path for path in server.open_files() if path.startswith(folder)]


@test
def deleted_files_give_their_disk_back(world):
    site = Site(os.path.join(world.path, "deleted"))
    for number in range(COUNT):
        site.pattern(f"{number}.bin", SIZE)
    site.write("kept.bin", b"k" * 100_000)
    server = world.serve(root=site, settings=LOOKED_INTO)
    for number in range(COUNT):
        assert len(server.get(f"/{number}.bin").body) == SIZE
    for number in range(COUNT):
        site.remove(f"{number}.bin")
    assert eventually(lambda: not [path for path in held(server, site.path)
                                   if path.endswith("(deleted)")], DELETED_S), \
        held(server, site.path)


@test
def small_files_are_kept_without_a_descriptor(world):
    """However many; and a change is seen by their names."""
    site = Site(os.path.join(world.path, "small"))
    for number in range(40):
        site.write(f"{number}.txt", b"%d" % number)
    server = world.serve(root=site, settings={**LOOKED_INTO, "cache_files": "8", "cache_valid": "10ms"})
    for number in range(40):
        assert server.get(f"/{number}.txt").body == b"%d" % number
    assert eventually(lambda: not held(server, site.path)), held(server, site.path)
    for number in range(40):
        site.write(f"{number}.txt", b"%d" % (number + 1))
    site.remove("39.txt")
    assert eventually(lambda: server.get("/39.txt").status == 404)
    for number in range(39):
        assert eventually(lambda: server.get(f"/{number}.txt").body == b"%d" % (number + 1))


@test
def unused_files_are_closed(world):
    """Those in use are not, and an idle server sleeps."""
    site = Site(os.path.join(world.path, "unused"))
    for number in range(20):
        site.pattern(f"{number}.bin", 100_000)
    server = world.serve(root=site, settings={**LOOKED_INTO, **INACTIVE})
    for number in range(20):
        server.get(f"/{number}.bin")
    time.sleep(0.5)
    before = server.cpu_s()
    assert len(held(server, site.path)) >= 20
    assert eventually(lambda: not held(server, site.path), UNUSED_S, pause_s=0.2), \
        held(server, site.path)
    assert server.cpu_s() - before < 0.3, "an idle server uses CPU time"


@test
def a_file_system_can_be_unmounted(world):
    """In a mount namespace of the test's own, in which the server is started."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        print("# skipped: mounting needs root and mount(8)")
        return
    libc = ctypes.CDLL(None, use_errno=True)
    mounted = os.path.join(world.path, "mounted")
    os.mkdir(mounted, 0o755)
    pid = os.fork()
    if pid == 0:
        os._exit(in_namespace(world, libc, mounted))
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status == 77:
        print("# skipped: no mount namespace, or no tmpfs, may be made here")
        return
    assert status == 0, f"status {status}: see above"


def in_namespace(world, libc, mounted):
    clone_newns = 0x00020000
    if libc.unshare(clone_newns) != 0:
        return 77
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if subprocess.run(["mount", "--make-rprivate", "/"], check=False, **quiet).returncode or \
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", mounted],
                           check=False, **quiet).returncode:
        return 77
    site = Site(os.path.join(mounted, "site"))
    site.write("a.txt", "a")
    server = world.serve(root=site, settings=INACTIVE)
    try:
        assert server.get("/a.txt").body == b"a"
        assert subprocess.run(["umount", mounted], check=False, **quiet).returncode, \
            "it should be busy at first"
        ok = eventually(lambda: not subprocess.run(["umount", mounted], check=False,
                                                   **quiet).returncode, UNUSED_S, pause_s=1)
        assert ok, held(server, mounted)
        assert server.get("/a.txt").status == 404
    except AssertionError as error:
        print(f"# {error}")
        return 1
    finally:
        server.stop()
    return 0


if __name__ == "__main__":
    run(setup, jobs=3)
