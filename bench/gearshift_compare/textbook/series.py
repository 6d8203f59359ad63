"""The servers that take part, by name."""

from . import Series

_THREADS = "each connection is a thread: beyond this the test measures the scheduler's limits (pids.max, threads-max)"
_PROCESSES = "each connection is a process of about 200 KiB: more would measure how this machine runs out of memory"


def _of(*found):
    return {each.name: each for each in found}


ALL = _of(
    Series("reactor", "reactor"),
    Series("reactor (again)", "reactor", role="control"),
    Series("select", "select"),
    Series("poll", "poll"),
    Series("sigio", "sigio"),
    Series("aio", "aio"),
    Series("polling", "polling"),
    Series("reactor-pool", "reactor-pool", (("pool_work", "request"),)),
    Series("reactor-pool/file", "reactor-pool", (("pool_work", "file"),)),
    Series("leader-followers", "leader-followers", (("threads", "4"),)),
    Series("multi-reactor", "multi-reactor", (("threads", "1"),), each_cpu="threads"),
    Series("proactor", "proactor", (("threads", "1"),), each_cpu="threads"),
    Series("emulated-proactor", "emulated-proactor", (("threads", "1"),)),
    Series("coroutine", "coroutine"),
    Series("iterative", "iterative", most=1,
           why="it serves one connection at a time, and ends it while others wait: with more the test measures their queue"),
    Series("thread-per-connection", "thread-per-connection", most=5000, why=_THREADS),
    Series("thread-pool", "thread-pool", most=64,
           why="it has 64 threads, and ends kept connections while others wait: with more the test measures its queue"),
    Series("process-per-connection", "process-per-connection", most=1000, why=_PROCESSES),
    # Files.
    Series("inline", "reactor", (("file_jobs", "inline"),)),
    Series("workers", "reactor", (("file_jobs", "workers"),)),
    Series("posix-aio", "reactor", (("file_jobs", "posix-aio"),)),
    Series("linux-aio", "reactor", (("file_jobs", "linux-aio"),)),
    Series("io_uring", "reactor", (("file_jobs", "io_uring"),)),
    Series("sendfile", "reactor", (("small_file_max", "0"), ("file_io", "sendfile"))),
    Series("read and send", "reactor", (("small_file_max", "0"), ("file_io", "read"))),
    Series("kept in memory", "reactor", (("small_file_max", "1m"),), most=1 << 20, most_of="octets of the file",
           why="small_file_max keeps files of up to 1 MiB here"),
    Series("splice", "proactor", (("small_file_max", "0"), ("file_io", "splice"), ("threads", "1"))),
    # Several of them.
    Series("2 threads", "multi-reactor", (("threads", "2"),)),
    Series("2 processes", "reactor", (("processes", "2"),)),
    Series("processes", "reactor", (("processes", "1"),), each_cpu="processes"),
    Series("accept: reuseport", "multi-reactor", (("threads", "2"), ("accept", "reuseport"))),
    Series("accept: shared", "multi-reactor", (("threads", "2"), ("accept", "shared"))),
    Series("accept: handoff", "multi-reactor", (("threads", "2"), ("accept", "handoff"))),
    # A pool that slow clients can fill.
    Series("thread-pool of 8", "thread-pool", (("workers", "8"),)),
    # TLS.
    *(Series(f"{engine} +TLS", engine, settings, tls="openssl") for engine, settings in (
        ("reactor", ()), ("reactor-pool", (("pool_work", "request"),)), ("multi-reactor", (("threads", "1"),)),
        ("leader-followers", (("threads", "4"),)), ("proactor", (("threads", "1"),)), ("emulated-proactor", (("threads", "1"),)),
        ("coroutine", ()), ("thread-per-connection", ()), ("thread-pool", ()), ("process-per-connection", ()))),
)

LOOPS = ("reactor", "select", "poll", "sigio", "aio", "polling", "reactor-pool", "leader-followers", "multi-reactor",
         "proactor", "emulated-proactor", "coroutine")
BLOCKING = ("thread-per-connection", "thread-pool", "process-per-connection", "iterative")
ENGINES = LOOPS + BLOCKING
TLS = tuple(name for name in ALL if name.endswith("+TLS"))


def peer(name):
    """Another server, by its name in servers.json."""
    if name == "apache-prefork":
        return Series(name, peer=name, most=64, why="it has 128 processes, each of which serves one connection")
    return Series(name, peer=name)
