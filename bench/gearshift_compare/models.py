"""What each engine's model does and what it costs: system calls, wake-ups, copies. Text for the
report, told by docs/benchmarks.md too."""

ENGINES = {
    "reactor": {
        "model": "Single reactor: readiness, one thread",
        "does": "One thread waits in epoll_wait until sockets can be read, then receives, answers "
                "and sends itself. Each socket is registered once, edge-triggered.",
        "costs": [
            ("System calls", "recvfrom and sendto for each request on a kept connection; one "
             "epoll_wait is shared by all that were ready together. A large file adds sendfile."),
            ("Wake-ups", "One thread: none between threads. Under load it hardly sleeps."),
            ("Copies", "Small files lie in memory behind their header and are copied once, into "
             "the socket. Large files go from the page cache by sendfile, without a copy."),
        ],
        "loses": "One core is all it uses, and a file that is not in the page cache makes every "
                 "client wait for the disk.",
    },
    "reactor-pool": {
        "model": "Single reactor with a pool of workers",
        "does": "The reactor waits, receives and sends; workers do what may take long. With "
                "pool_work = request a worker processes every request (the textbook's model), "
                "with pool_work = file only what may block in the file system.",
        "costs": [
            ("System calls", "Those of the reactor, and for each hand-over a futex or an eventfd "
             "write with the wake-up behind it."),
            ("Wake-ups", "request: two hand-overs a request, to a worker and back, each a context "
             "switch when the other side sleeps. file: none while files are in memory."),
            ("Copies", "As with the reactor; the request itself moves by pointer. Its cache lines "
             "move between cores."),
        ],
        "loses": "Handing over costs more than answering from memory does. It pays where work "
                 "blocks: cold files.",
    },
    "multi-reactor": {
        "model": "Several reactors that share nothing hot",
        "does": "One reactor a thread, each with its own epoll instance, file cache and timers. "
                "accept decides who takes a connection: reuseport (the kernel deals), shared (one "
                "socket, one is woken), handoff (an acceptor gives to the least loaded).",
        "costs": [
            ("System calls", "Those of the reactor. shared adds failed accepts, handoff an eventfd "
             "write and read for a new connection."),
            ("Wake-ups", "None between threads on kept connections; one for each new connection "
             "with handoff."),
            ("Copies", "As with the reactor. Each thread has a cache of its own, so small files "
             "are held once a thread."),
        ],
        "loses": "On one core it is a reactor with more parts. With reuseport connections can lie "
                 "unevenly, and one loop be full while another sleeps.",
    },
    "proactor": {
        "model": "Proactor: completions, io_uring",
        "does": "Operations are handed to the kernel with their buffers: accept and receive stay "
                "armed (multishot), sends, opens and reads are submitted in batches, and the "
                "thread takes completions.",
        "costs": [
            ("System calls", "One io_uring_enter submits and waits for all connections that were "
             "ready together: below one call a request under load. Hot large files use sendfile "
             "from the ring's thread."),
            ("Wake-ups", "With DEFER_TASKRUN the kernel's part runs in the waiting thread; files "
             "that are not in memory go to kernel workers, and cost a wake-up each."),
            ("Copies", "As with the reactor; received octets lie in a ring of shared buffers until "
             "they are parsed."),
        ],
        "loses": "A new connection costs more than with epoll: accept, shutdown and close are "
                 "operations of their own. Containers often refuse io_uring.",
    },
}

PEERS = {
    "nginx": "A reactor a process (epoll), tuned: open_file_cache, sendfile with tcp_nopush, "
             "reuseport, no log.",
    "nginx-nosf": "nginx without sendfile and tcp_nopush: bodies are read and written.",
    "lighttpd": "One reactor (epoll), stat cache, sendfile.",
    "h2o": "A reactor a thread with its own event loop (evloop), sendfile by its own.",
    "apache": "The event MPM: a listener thread and a thread for each request in progress.",
    "caddy": "Go: a goroutine a connection on the runtime's netpoller (epoll), sendfile.",
}


def of(combination):
    """The text about a combination, of report.json."""
    if combination["peer"]:
        return {"model": "Peer", "does": PEERS.get(combination["peer"], "A server of your own."),
                "costs": [], "loses": ""}
    return ENGINES.get(combination["engine"],
                       {"model": combination["engine"], "does": "", "costs": [], "loses": ""})
