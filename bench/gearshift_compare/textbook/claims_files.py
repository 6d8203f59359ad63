"""Claims of files, disks, slow clients and TLS."""

from . import Beside, Claim, Growth, conditions, series
from .claims_models import POSA2, TUTORIALS, UNP1_6, UNP1_30

SIZES = (1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 8 << 20, 64 << 20)

CLAIMS = (
    Claim(
        "sendfile", "sendfile, splice, read and send",
        "sendfile saves a copy, and is faster than reading a file into memory and sending it.",
        ("sendfile(2)", TUTORIALS), "One file in the page cache by each way, from 1 KiB to 64 MiB. What is kept in the server's memory is "
        "a fourth way: no call for the file at all.", conditions.sized, "octets of the file", SIZES,
        ("sendfile", "read and send", "splice", "kept in memory"),
        (Beside("sendfile", "read and send", "less"), Beside("splice", "sendfile", "more"),
         Beside("kept in memory", "sendfile", "less")),
        "sendfile(2) gives pages of the page cache to the socket; read and send copy each octet twice. It is a call of its own, after the "
        "one that sends the head: on small files that call costs more than the copy.",
        figure="cpu_request_us", quick=(1 << 10, 64 << 10, 8 << 20), quick_series=("sendfile", "read and send")),
    Claim(
        "disk", "One slow disk, and all the others",
        "A single-threaded event loop stalls for everybody while a file comes from the disk; handing the reading over to threads or to "
        "the kernel keeps the others served.", (UNP1_6, "Pai, Druschel, Zwaenepoel: Flash (USENIX 1999)"),
        "1,000 requests a second for 1 KiB in memory, timed from when each was due, beside 4 clients that read files which were dropped "
        "from the page cache. The figure is the 99th percentile of the small requests.", conditions.cold, "clients of cold files", (0, 4),
        ("inline", "workers", "posix-aio", "linux-aio", "io_uring", "reactor-pool/file", "proactor", "coroutine", "thread-per-connection"),
        (Growth("inline", "more"), *(Beside(name, "inline", "less", values=(4,)) for name in
                                     ("workers", "posix-aio", "linux-aio", "io_uring", "proactor", "thread-per-connection"))),
        "read(2) of what is not in memory puts the thread to sleep until the disk has answered, whatever the demultiplexer says: regular "
        "files are always ready. With one thread that is everybody's sleep.", figure="p99", quick=(0, 4),
        quick_series=("inline", "workers", "proactor"),
        caution="The clients read on the client's CPU: where that is one CPU for all, a part of the wait is theirs; it is the same for all servers."),
    Claim(
        "slow", "What a slow client does",
        "A slow client occupies an iterative server, or a thread of a pool, for as long as it takes: enough of them stop the service. A "
        "thread for each client, or an event loop, does not mind.", (UNP1_30, f"{POSA2}, chapter 3 (Reactor)"),
        "200 requests a second for 1 KiB, timed from when each was due, on one connection; beside N clients that have asked for 8 MiB and read nothing.",
        conditions.slow, "slow clients", (0, 1, 8, 64),
        ("reactor", "proactor", "thread-per-connection", "thread-pool of 8", "iterative"),
        (Growth("iterative", "more", by=5), Growth("thread-pool of 8", "more", by=5), Growth("thread-per-connection", "no more", by=5),
         Growth("reactor", "no more", by=5), Growth("proactor", "no more", by=5)),
        "A blocking send to a full socket sleeps until there is room. A loop registers its interest in room, and goes on.",
        figure="p99", quick=(0, 8),
        caution="Latencies near a tenth of a millisecond are those of waking up, and wander: a factor below two says little. Where a server "
                "answers nobody within the run, the figure is how long the run was."),
    Claim(
        "tls", "TLS on each engine",
        "Encryption hides the I/O model: with TLS all engines cost the same, and on large files the cipher is all that is seen.",
        (TUTORIALS,), "TLS 1.3 (OpenSSL), kept connections, one file; each engine beside the reactor.", conditions.tls_sized,
        "octets of the file", (1 << 10, 1 << 20), series.TLS,
        tuple(Beside(name, "reactor +TLS", "same") for name in series.TLS if name != "reactor +TLS"),
        "Each octet is encrypted in the server's memory, which is the copy that sendfile saves. The calls are those without TLS.",
        quick_series=("reactor +TLS", "proactor +TLS", "thread-per-connection +TLS")),
    Claim(
        "handshakes", "TLS handshakes",
        "The signature of a handshake costs more than all of the I/O: engines do not differ there.", (TUTORIALS,),
        "A full handshake (ECDSA P-256) and 1 KiB for each connection.", conditions.handshake, "", (16,),
        ("reactor +TLS", "proactor +TLS", "thread-per-connection +TLS", "process-per-connection +TLS"),
        (Beside("proactor +TLS", "reactor +TLS", "same"), Beside("thread-per-connection +TLS", "reactor +TLS", "same"),
         Beside("process-per-connection +TLS", "reactor +TLS", "more")),
        "Some hundred microseconds of arithmetic, beside ten to a hundred of accept, thread or process.",
        quick_series=("reactor +TLS", "proactor +TLS")),
)
