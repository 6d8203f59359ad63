"""Claims of connections, threads, demultiplexers and completions."""

from . import Beside, Claim, Growth, conditions, series

UNP1_6 = ("Stevens, Fenner, Rudoff: UNIX Network Programming, volume 1 (3rd edition), chapter 6 (I/O multiplexing: select "
          "and poll)")
UNP1_30 = "Stevens, Fenner, Rudoff: UNIX Network Programming, volume 1 (3rd edition), chapter 30 (client/server design alternatives)"
C10K = "Kegel: The C10K problem"
POSA2 = "Schmidt, Stal, Rohnert, Buschmann: Pattern-Oriented Software Architecture, volume 2"
TUTORIALS = "common tutorials"
BUSY = (1, 64, 1000, 10_000)
QUICK_BUSY = (64, 1000)
QUICK_LOOPS = ("reactor", "select", "poll", "sigio", "aio", "polling", "proactor", "coroutine", "thread-per-connection")

CLAIMS = (
    Claim(
        "control", "Two servers that are the same",
        "The same server, started twice, costs the same. (Nobody doubts it: it is the test of this method. Where this does not "
        "hold, believe none of the rest.)", ("this report",),
        "The reactor under two names, in the same rounds as all others.", conditions.busy, "busy connections", BUSY,
        ("reactor", "reactor (again)"), (Beside("reactor (again)", "reactor", "same"),),
        "They make the same calls; what is left is where memory lies, hash seeds, and what others did on the machine.",
        quick=QUICK_BUSY),
    Claim(
        "busy", "Busy connections, every engine",
        "An event-driven server keeps its cost for a request as more connections are busy; with a thread or a process for "
        "each connection it rises.", (C10K, TUTORIALS),
        "1 KiB from memory, on N kept connections that each ask again at once.", conditions.busy, "busy connections", BUSY,
        series.ENGINES,
        tuple(Growth(name, "same", values=(64, 1000, 10_000)) for name in ("reactor", "multi-reactor", "proactor", "coroutine"))
        + tuple(Growth(name, "more", values=(64, 1000, 5000)) for name in ("thread-per-connection", "process-per-connection")),
        "More connections wait at a time, so that one wait returns more of them: fewer waits a request. What grows is memory "
        "that is touched in turn (the kernel's sockets, the server's connections), which the caches of the CPU no longer hold.",
        quick=QUICK_BUSY, quick_series=QUICK_LOOPS),
    Claim(
        "idle", "Idle connections, every engine",
        "With select, poll and polling each wait costs time for every connection that is open, although nothing happens there; "
        "with epoll, signals and completions idle connections cost nothing.", (UNP1_6, C10K, TUTORIALS),
        "8 connections ask for 1 KiB all the time, beside N that had one answer and stay open.", conditions.idle,
        "idle connections", (0, 100, 1000, 10_000), series.LOOPS + ("thread-per-connection", "process-per-connection"),
        tuple(Growth(name, "more", by=1.5, values=(0, 1000, 10_000)) for name in ("select", "poll", "polling"))
        + tuple(Growth(name, "same", values=(0, 1000, 10_000)) for name in ("reactor", "sigio", "aio", "proactor")),
        "select(2) and poll(2) are given all descriptors with each call, and the kernel asks each of them; polling makes a "
        "recv(2) for each. An interest that was registered once costs nothing until something happens.",
        quick=(0, 1000), quick_series=QUICK_LOOPS, large=(60_000,)),
    Claim(
        "memory", "Memory of a connection",
        "A connection costs an event loop a few hundred octets to some KiB, a thread its stack, and a process still more.",
        (C10K, UNP1_30, TUTORIALS),
        "How much memory 1,000 idle connections have added: pages of the server, and stacks and page tables that the kernel keeps for it. "
        "The kernel's sockets, the same for all, are not in it.", conditions.idle, "", (1000,),
        series.LOOPS + ("thread-per-connection", "process-per-connection"),
        (Beside("thread-per-connection", "reactor", "more", by=10), Beside("process-per-connection", "thread-per-connection", "more"),
         Beside("coroutine", "reactor", "more"), Beside("proactor", "reactor", "more")),
        "A loop keeps a structure; a coroutine a stack of which the used pages stay; a thread has a stack there and one in the "
        "kernel (16 KiB); a process page tables as well, and a copy of every page that it has written to.",
        figure="held_kib", quick_series=("reactor", "proactor", "coroutine", "thread-per-connection",
                                         "process-per-connection"),
        caution="Pages are proportional set size, page tables VmPTE; a kernel stack is taken for 16 KiB. What the kernel's slabs hold for a "
                "thread, a process and its mappings is not told for one server, and not in it. Below half a KiB the figure is a few pages: near nothing."),
    Claim(
        "threads", "Blocking threads against a reactor",
        "Threads do not scale: beyond some hundreds or thousands of connections an event loop serves more with less.",
        (C10K, TUTORIALS), "1 KiB, N kept connections; a blocking thread for each, and one loop for all.", conditions.busy,
        "busy connections", (1, 64, 1000, 5000), ("reactor", "thread-per-connection"),
        (Beside("thread-per-connection", "reactor", "more"), Beside("thread-per-connection", "reactor", "more", figure="p99"),),
        "A thread makes fewer calls (recv and send, no wait), and sleeps in recv(2) for each request: a switch of threads each, "
        "where the loop takes many connections with one wait.", quick=QUICK_BUSY),
    Claim(
        "demultiplexers", "select, poll, epoll, signals, AIO, polling",
        "epoll is faster than select and poll; signal-driven I/O and AIO are slower than epoll.", (UNP1_6, C10K, TUTORIALS),
        "The same reactor waits with each of them; all connections are busy.", conditions.busy, "busy connections", (1, 64, 1000),
        ("reactor", "select", "poll", "sigio", "aio", "polling"),
        tuple(Beside(name, "reactor", "more") for name in ("select", "poll", "sigio", "aio", "polling")),
        "Where nearly all connections are ready, to look at all of them is no waste: select and poll need no registering. A signal "
        "is a call more to take it; AIO's poll one more to arm it anew.", quick=QUICK_BUSY),
    Claim(
        "low-load", "What waiting costs a server with little to do",
        "Polling wastes a CPU; a server that waits in the kernel uses none.", (UNP1_6, TUTORIALS),
        "Requests on a schedule, from few to many a second; the CPUs that the server is busy on.", conditions.paced, "requests a second",
        (100, 1000, 10_000), ("reactor", "polling", "select", "thread-per-connection", "proactor"),
        (Beside("polling", "reactor", "more", by=2), Growth("reactor", "more"), Growth("polling", "same")),
        "Who polls is never asleep. With few requests each is a wake-up of its own: a request costs more than under load, where "
        "one wake-up serves several.", figure="server_util", quick=(100, 10_000), quick_series=("reactor", "polling")),
    Claim(
        "pools", "Hand-overs: half-sync/half-async and leader/followers",
        "A pool of workers behind one loop pays for handing each request over; leader/followers avoids the hand-over, and so costs "
        "less.", (f"{POSA2}, chapter 5 (Half-Sync/Half-Async; Leader/Followers)",),
        "1 KiB from memory: a loop alone, a loop with workers that process each request, four threads that take turns.",
        conditions.busy, "busy connections", (1, 64, 1000), ("reactor", "reactor-pool", "leader-followers", "thread-pool"),
        (Beside("reactor-pool", "reactor", "more"), Beside("leader-followers", "reactor-pool", "less"),
         Beside("leader-followers", "reactor", "more")),
        "A hand-over is a lock, and a wake-up (futex) where the other side sleeps, there and back. Who keeps the octets in the thread "
        "that received them pays for the turn instead: a wait for one event, and an epoll_ctl(2) to arm the descriptor again.",
        quick=QUICK_BUSY),
    Claim(
        "connections", "A connection for each request",
        "Forking for each client is the slowest, a thread for each is better, threads or processes made in advance are better still.",
        (UNP1_30,), "1 KiB, each on a connection of its own.", conditions.close, "clients at a time", (1, 64),
        ("reactor", "thread-per-connection", "thread-pool", "process-per-connection", "iterative", "multi-reactor", "proactor"),
        (Beside("process-per-connection", "thread-per-connection", "more"), Beside("thread-per-connection", "thread-pool", "more"),
         Beside("thread-pool", "reactor", "more")),
        "accept(2), close(2), and what lies between: a clone(2) of a thread or of a process, whose page tables are copied, and the "
        "wake-up of whoever takes the connection.", quick=(64,),
        quick_series=("reactor", "thread-per-connection", "thread-pool", "process-per-connection")),
    Claim(
        "processes", "Processes against threads",
        "Threads are cheaper than processes: less memory, cheaper to start, and cheaper to switch between.", (UNP1_30, TUTORIALS),
        "The same loop twice: two threads of one process, and two processes; on kept connections.", conditions.busy,
        "busy connections", (64, 1000), ("2 threads", "2 processes", "thread-per-connection", "process-per-connection"),
        (Beside("2 processes", "2 threads", "more"), Beside("2 processes", "2 threads", "more", figure="memory_kib"),
         Beside("process-per-connection", "thread-per-connection", "more")),
        "A switch between processes changes the address space as well (the TLB keeps apart what belongs to whom, where the CPU has "
        "PCIDs). Libraries and files are shared by both; what is written to is not.", quick=(64,)),
    Claim(
        "proactor", "Completions against readiness",
        "Asynchronous I/O is faster, since the kernel does the work and no call is made for each operation; a proactor that is emulated "
        "on readiness pays for both.", (f"{POSA2}, chapter 3 (Reactor; Proactor)", "tutorials of io_uring"),
        "1 KiB on kept connections: the reactor, a proactor on io_uring, and the same proactor on epoll.", conditions.busy,
        "busy connections", (1, 64, 1000), ("reactor", "proactor", "emulated-proactor"),
        (Beside("proactor", "reactor", "less"), Beside("emulated-proactor", "reactor", "more"),
         Beside("emulated-proactor", "proactor", "more")),
        "One io_uring_enter(2) submits and waits for all that are ready together, where a reactor makes two calls a request and a "
        "share of a wait. With a single connection there is nothing to share.", quick=QUICK_BUSY),
    Claim(
        "coroutines", "Coroutines against callbacks",
        "Coroutines cost little more than callbacks: a switch is some instructions; what they cost is memory for their stacks.",
        (TUTORIALS,), "The same loop and the same demultiplexer; handlers as callbacks, and as coroutines.", conditions.busy,
        "busy connections", (1, 64, 1000), ("reactor", "coroutine"), (Beside("coroutine", "reactor", "same"),),
        "The system calls are the same ones. A switch saves and restores registers; the stacks are touched in turn.",
        quick=QUICK_BUSY),
    Claim(
        "pipelining", "Requests sent together",
        "Pipelining saves round trips and calls: a request costs less the more are sent together.",
        ("Fielding, Nottingham, Reschke: RFC 9112, section 9.3.2", TUTORIALS),
        "N requests in one segment, 64 connections.", conditions.pipelined, "requests together", (1, 4, 16),
        ("reactor", "proactor", "thread-per-connection", "reactor-pool"),
        tuple(Growth(name, "less", by=1.5) for name in ("reactor", "proactor", "thread-per-connection", "reactor-pool")),
        "One recv(2) brings all of them, and one send(2) takes all answers: what is left is the parsing.", quick=(1, 16),
        quick_series=("reactor", "proactor", "thread-per-connection")),
    Claim(
        "accept", "Who accepts: handed over, shared, or dealt by the kernel",
        "A listening socket for each thread (SO_REUSEPORT) accepts cheapest; one shared by all wakes several for one connection; an "
        "acceptor that deals pays for a hand-over.", ("lwn.net: The SO_REUSEPORT socket option", UNP1_30),
        "Two loops, 1 KiB, each on a connection of its own.", conditions.close, "clients at a time", (64,),
        ("accept: reuseport", "accept: shared", "accept: handoff"),
        (Beside("accept: shared", "accept: reuseport", "more"), Beside("accept: handoff", "accept: reuseport", "more")),
        "A hand-over is a write and a read of an eventfd and a wake-up of the other loop. EPOLLEXCLUSIVE wakes one of those that sleep; "
        "some still come too late, for an accept(2) that finds nothing.",
        caution="Where the server has one CPU, its loops never run at once: how they contend for a socket is not seen there."),
)
