"""What each engine's model does and what it costs: system calls, wake-ups, copies. Text for the
report; docs/benchmarks.md tells it at length."""

ENGINES = {
    "reactor": {
        "model": "Single reactor: readiness, one thread",
        "does": "One thread waits in epoll_wait until sockets can be read, then receives, answers "
                "and sends itself. Each socket is registered once, edge-triggered.",
        "costs": [
            ("System calls", "recvfrom and sendto for each request on a kept connection; one "
             "epoll_wait is shared by all that were ready together. A large file adds sendfile and "
             "a look at the page cache."),
            ("Wake-ups", "None between threads, for there is one. Under load it hardly sleeps."),
            ("Copies", "A small file lies in memory behind its header, and both are copied once, "
             "into the socket. A large one goes from the page cache by sendfile, uncopied."),
        ],
        "loses": "It uses one core, and a file that is not in the page cache makes every client "
                 "wait for the disk.",
    },
    "reactor-pool": {
        "model": "Single reactor with a pool of workers",
        "does": "The reactor waits, receives and sends; workers do what may take long. With "
                "pool_work = request a worker processes every request (the textbook's model), "
                "with pool_work = file only what may block in the file system.",
        "costs": [
            ("System calls", "Those of the reactor; request adds a futex to wake a worker and a "
             "write to the reactor's eventfd, fewer under load, where one wakes for several."),
            ("Wake-ups", "request: two hand-overs a request, there and back, each a context switch "
             "when the other side sleeps. file: none while files are in memory."),
            ("Copies", "As with the reactor: octets are received straight into the worker's task. "
             "The cache lines of a session move between cores."),
        ],
        "loses": "request: handing over costs more than answering from memory does. file: on one "
                 "CPU it costs what the reactor costs, and it still uses one core for the sockets.",
    },
    "multi-reactor": {
        "model": "Several reactors that share nothing hot",
        "does": "One reactor a thread, each with its own epoll instance, file cache and timers, "
                "and helpers for files that are not in memory. accept decides who takes a "
                "connection: reuseport (the kernel deals), shared (one socket, one loop is woken), "
                "handoff (an acceptor gives it to the least loaded).",
        "costs": [
            ("System calls", "Those of the reactor. handoff adds an eventfd write and read for a "
             "new connection, shared an accept that comes too late now and then."),
            ("Wake-ups", "None between threads on kept connections with files in memory; one for "
             "each new connection with handoff, two for a piece that has to come from the disk."),
            ("Copies", "As with the reactor. Each thread has a cache of its own, so a small file "
             "is held once a thread."),
        ],
        "loses": "On one core it is a reactor with more parts. With reuseport connections can lie "
                 "unevenly, and one loop be full while another sleeps.",
    },
    "proactor": {
        "model": "Proactor: completions, io_uring",
        "does": "Operations are handed to the kernel: accept and receive stay armed (multishot), "
                "sends and opens are submitted together, and the thread takes completions.",
        "costs": [
            ("System calls", "One io_uring_enter submits and waits for all connections that were "
             "ready together: far below one a request under load. What would not wait is done at "
             "once by a plain call: sendfile of what is in the page cache, shutdown, close."),
            ("Wake-ups", "With DEFER_TASKRUN the kernel's part runs in the waiting thread. What "
             "has to come from the disk is a completion like the others."),
            ("Copies", "As with the reactor; received octets lie in a ring of shared buffers until "
             "they are parsed."),
        ],
        "loses": "A new connection costs more operations than with epoll, and a lone request on an "
                 "idle server two calls. Containers often refuse io_uring.",
    },
}

PEERS = {
    "nginx": "A reactor a process (epoll), tuned: open_file_cache, sendfile with tcp_nopush, "
             "reuseport, no log.",
    "nginx-nosf": "nginx without sendfile and tcp_nopush: bodies are read and written.",
    "lighttpd": "One reactor (epoll), stat cache, sendfile.",
    "h2o": "A reactor a thread with its own event loop (evloop), sendfile by its own.",
    "apache": "The event MPM: a listener thread and a thread for each request in progress.",
    "apache-prefork": "The prefork MPM: a process for each connection at a time, made in advance; each "
                      "blocks.",
    "static-web-server": "Rust: tasks on the reactor of tokio (epoll), a thread for each CPU.",
    "darkhttpd": "One loop, poll or select by its version, sendfile.",
    "caddy": "Go: a goroutine a connection on the runtime's netpoller (epoll), sendfile.",
}


def of(combination):
    """The text about a combination, of report.json."""
    if combination["peer"]:
        return {"model": "Peer", "does": PEERS.get(combination["peer"], "A server of your own."),
                "costs": [], "loses": ""}
    return ENGINES.get(combination["engine"],
                       {"model": combination["engine"], "does": "", "costs": [], "loses": ""})
