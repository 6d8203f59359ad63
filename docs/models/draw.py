#!/usr/bin/env python3
"""draw.py: draws the diagrams of docs/models.md, one SVG a model, from the rows below.

A column is who acts: a client, a thread or process of the server, the kernel. A row is an arrow from
one to the other, top to bottom in the order in which it happens. A hatched bar is a thread that is
blocked: it can do nothing else meanwhile. Run it in this folder after a change; the SVGs are
committed, and follow the reader's light or dark scheme.
"""

import html
import pathlib

STYLE = """
  svg { color-scheme: light dark; }
  .bg { fill: #ffffff; } .line { stroke: #9aa4b2; stroke-dasharray: 2 4; }
  .head { fill: #eef2f7; stroke: #9aa4b2; } text { fill: #1b2430; font: 13px system-ui, sans-serif;
    paint-order: stroke; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round; }
  .bold { stroke: none; }
  .call { stroke: #2563a8; fill: none; stroke-width: 1.6; } .tip { fill: #2563a8; }
  .label { font-size: 12px; } .bold { font-weight: 600; } .dim { fill: #5b6675; font-size: 12px; }
  .blocked { fill: url(#hatch); stroke: #c2410c; } .hatch { stroke: #c2410c; stroke-width: 1.5; }
  .busy { fill: #7cb487; stroke: #3f7d4d; }
  @media (prefers-color-scheme: dark) {
    .bg { fill: #12161c; } .line { stroke: #566172; } .head { fill: #1d2530; stroke: #566172; }
    text { fill: #e4e9f0; stroke: #12161c; } .call { stroke: #79b8ff; } .tip { fill: #79b8ff; }
    .dim { fill: #9aa7b8; } .blocked { stroke: #f0883e; } .hatch { stroke: #f0883e; }
    .busy { fill: #2f6b3d; stroke: #57ab69; }
  }
"""

COLUMN, TOP, ROW = 220, 64, 30

# name -> (columns, rows). A row: (from, to, what) an arrow; (column, "blocked" | "busy", rows, what) a
# bar beside the following rows; (None, what) a remark across all columns.
MODELS = {
    "blocking": (["client", "thread", "kernel"], [
        (1, 2, "accept(2)"), (1, "blocked", 3, "nobody has come"), (0, 2, "connects"),
        (2, 1, "descriptor"), (1, 2, "recv(2)"), (1, "blocked", 2, "nothing has come"),
        (0, 2, "GET /"), (2, 1, "bytes"), (1, 2, "read the file, send(2)"),
        (2, 0, "200"), (1, 2, "recv(2): the next request, or the end")]),
    "iterative": (["client A", "client B", "thread", "kernel"], [
        (0, 3, "connects, GET /a"), (2, 3, "accept, recv, send"), (3, 0, "200"),
        (1, 3, "connects, GET /b"), (2, "busy", 2, "serves A alone"),
        (None, "B waits in the backlog until A has ended"), (2, 3, "close"),
        (2, 3, "accept, recv, send"), (3, 1, "200")]),
    "thread-per-connection": (["client A", "client B", "acceptor", "thread A", "thread B"], [
        (0, 2, "connects"), (2, 3, "pthread_create"), (3, "blocked", 4, "recv of A"),
        (1, 2, "connects"), (2, 4, "pthread_create"), (4, "blocked", 2, "recv of B"),
        (1, 4, "GET /b"), (4, 1, "200"), (0, 3, "GET /a"), (3, 0, "200")]),
    "thread-pool": (["clients", "acceptor", "queue", "thread 1", "thread N"], [
        (0, 1, "connect"), (1, 2, "put (bounded)"), (2, 3, "take"), (3, "busy", 3, "one connection"),
        (0, 1, "connect"), (1, 2, "put"), (2, 4, "take"), (4, 0, "200"), (3, 0, "200"),
        (None, "while somebody waits in the queue, a served connection ends after its answer")]),
    "process-per-connection": (["client", "parent", "child", "kernel"], [
        (0, 1, "connects"), (1, 2, "fork(2)"), (1, 3, "close, accept(2)"), (2, 3, "recv(2)"),
        (2, "blocked", 2, "nothing has come"), (0, 2, "GET /"), (2, 0, "200"),
        (2, 1, "exit: SIGCHLD"), (1, 3, "waitpid(2)")]),
    "reactor": (["clients", "thread", "kernel"], [
        (1, 2, "epoll_wait(2)"), (1, "blocked", 2, "no socket is ready"), (0, 2, "GET /a, GET /b"),
        (2, 1, "A and B are ready"), (1, 2, "recv A"), (1, 2, "send A"), (2, 0, "200 to A"),
        (1, 2, "recv B"), (1, 2, "send B"), (2, 0, "200 to B")]),
    "select": (["clients", "thread", "kernel"], [
        (1, 2, "select(2): all N descriptors, each time"), (1, "blocked", 2, "none is ready"),
        (0, 2, "GET /b"), (2, 1, "bit maps of N"), (1, "busy", 1, "looks through N"),
        (None, "the kernel looks through N, too"), (1, 2, "recv B, send B"), (2, 0, "200")]),
    "poll": (["clients", "thread", "kernel"], [
        (1, 2, "poll(2): an array of N, each time"), (1, "blocked", 2, "none is ready"),
        (0, 2, "GET /b"), (2, 1, "how many have events"), (1, "busy", 1, "looks through N"),
        (1, 2, "recv B, send B"), (2, 0, "200")]),
    "polling": (["clients", "thread", "kernel"], [
        (1, "busy", 6, "never sleeps"), (1, 2, "recv A"), (2, 1, "EAGAIN"), (1, 2, "recv B"),
        (2, 1, "EAGAIN"), (0, 2, "GET /a"), (1, 2, "recv A"), (2, 1, "bytes"), (1, 2, "send A"),
        (2, 0, "200")]),
    "sigio": (["clients", "thread", "kernel"], [
        (1, 2, "fcntl: O_ASYNC, F_SETSIG, once a socket"), (1, 2, "sigwaitinfo(2)"),
        (1, "blocked", 2, "no signal is queued"), (0, 2, "GET /b"), (2, 1, "signal: si_fd = B"),
        (1, 2, "recv B, send B"), (2, 0, "200"),
        (None, "a full queue (RLIMIT_SIGPENDING): one SIGIO, and every socket is looked at")]),
    "aio": (["clients", "thread", "kernel"], [
        (1, 2, "io_submit(2): POLL of A, of B"), (1, 2, "io_getevents(2)"),
        (1, "blocked", 2, "none has completed"), (0, 2, "GET /b"), (2, 1, "B is ready (one shot)"),
        (1, 2, "recv B, send B"), (2, 0, "200"), (1, 2, "io_submit(2): POLL of B")]),
    "reactor-pool": (["clients", "reactor", "queue", "worker"], [
        (0, 1, "GET /a"), (1, 1, "recv"), (1, 2, "put"), (2, 3, "take"),
        (3, "busy", 2, "parses, finds, composes"), (0, 1, "GET /b: not held up"), (3, 1, "done: eventfd"),
        (1, 0, "send: 200 to A")]),
    "multi-reactor": (["clients", "reactor 1", "reactor 2", "kernel"], [
        (0, 3, "A and B connect"), (3, 1, "A, by a hash of its address"), (3, 2, "B"),
        (0, 1, "GET /a"), (1, 0, "200"), (0, 2, "GET /b"), (2, 0, "200"),
        (None, "nothing hot is shared: each has its sockets, timers, cache and logs")]),
    "leader-followers": (["clients", "leader", "follower", "kernel"], [
        (1, 3, "epoll_wait(2)"), (2, "blocked", 3, "waits to lead"), (0, 3, "GET /a"),
        (3, 1, "A is ready (EPOLLONESHOT)"), (1, 2, "you lead"), (1, 0, "recv, send: 200 to A"),
        (2, 3, "epoll_wait(2)"), (1, 3, "arms A again"), (1, "blocked", 1, "waits to lead")]),
    "coroutine": (["clients", "scheduler", "routine A", "routine B"], [
        (1, 2, "resumes"), (2, "busy", 1, "recv: EAGAIN"), (2, 1, "yields"), (1, 3, "resumes"),
        (3, 1, "yields"), (0, 1, "GET /a: epoll says A"), (1, 2, "resumes, behind its recv"),
        (2, 0, "send: 200"), (2, 1, "yields"),
        (None, "straight-line code as with threads, one thread, a stack each")]),
    "proactor": (["clients", "thread", "kernel"], [
        (1, 2, "io_uring_enter(2): receive A, receive B"), (1, "blocked", 2, "none is done"),
        (0, 2, "GET /a"), (2, 1, "done: bytes of A, in our buffer"),
        (1, 2, "io_uring_enter(2): send A, and wait"), (2, 0, "200"), (2, 1, "done: A was sent")]),
    "emulated-proactor": (["clients", "handler", "processor", "kernel"], [
        (1, 2, "begin: receive A"), (2, 3, "recv(2): EAGAIN"), (2, 3, "epoll_wait(2)"),
        (2, "blocked", 2, "no socket is ready"), (0, 3, "GET /a"), (3, 2, "A is ready"),
        (2, 3, "recv(2)"), (2, 1, "done: bytes of A"), (1, 2, "begin: send A"),
        (2, 3, "send(2)"), (3, 0, "200")]),
}


def text(x, y, what, kind="label", anchor="middle"):
    return (f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}">'
            f"{html.escape(what)}</text>")


def arrow(x1, x2, y, what):
    if x1 == x2:  # to itself
        return (f'<path class="call" d="M{x1} {y - 6} h34 v12 h-28"/>'
                f'<path class="tip" d="M{x1 + 2} {y + 6} l8 -4 v8 z"/>'
                + text(x1 + 42, y + 4, what, anchor="start"))
    step = 1 if x2 > x1 else -1
    return (f'<path class="call" d="M{x1 + 7 * step} {y} H{x2 - 9 * step}"/>'
            f'<path class="tip" d="M{x2 - 7 * step} {y} l{-8 * step} -4 v8 z"/>'
            + text(x1 + step * COLUMN / 2, y - 5, what))


def draw(columns, rows):
    at = [COLUMN // 2 + COLUMN * i for i in range(len(columns))]
    lines = len(rows)
    width, height = COLUMN * len(columns), TOP + ROW * (lines + 1)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
           f'height="{height}" role="img">', f"<style>{STYLE}</style>",
           '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
           'patternTransform="rotate(45)"><path class="hatch" d="M0 0V6"/></pattern></defs>',
           f'<rect class="bg" width="{width}" height="{height}" rx="8"/>']
    for x, name in zip(at, columns):
        out.append(f'<path class="line" d="M{x} 44V{height - 10}"/>'
                   f'<rect class="head" x="{x - 70}" y="14" width="140" height="28" rx="5"/>'
                   + text(x, 33, name, "bold"))
    bars, marks, y = [], [], TOP + 8
    for row in rows:
        if len(row) == 4:
            column, kind, count, what = row
            bars.append(f'<rect class="{kind}" x="{at[column] - 6}" y="{y - 14}" width="12" '
                        f'height="{(count + 1) * ROW - 10}" rx="3"/>')
            marks.append(text(at[column] + 14, y, what, "dim", "start"))
            y += ROW
            continue
        if row[0] is None:
            marks.append(text(width / 2, y, row[1], "dim"))
        else:
            marks.append(arrow(at[row[0]], at[row[1]], y, row[2]))
        y += ROW
    return "\n".join(out + bars + marks + ["</svg>", ""])


def main():
    folder = pathlib.Path(__file__).parent
    for name, (columns, rows) in MODELS.items():
        (folder / f"{name}.svg").write_text(draw(columns, rows), encoding="utf-8")


if __name__ == "__main__":
    main()
