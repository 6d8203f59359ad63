#!/usr/bin/python3
"""wrk: one request at a time, many pipelined, and a mix of methods and statuses; every answer is
looked at."""

from client import Program, run, test, url
from client.load import run_wrk

DEPTH = 16
PIPELINED = f"""
function init(args)
    local requests = {{}}
    for i = 1, {DEPTH} do requests[i] = wrk.format() end
    batch = table.concat(requests)
end
function request() return batch end
"""
# A batch that asks for files of different sizes, so that an answer out of order has a wrong length.
MIXED = f"""
function init(args)
    local requests = {{}}
    for i = 1, {DEPTH} do requests[i] = wrk.format("GET", "/mixed/" .. i .. ".txt") end
    batch = table.concat(requests)
end
function request() return batch end
place = 0
"""


def setup(world):
    world.wrk = Program(world, "wrk", package="wrk")
    world.root.pattern("1k.bin", 1024)
    world.root.pattern("1m.bin", 1 << 20)
    for number in range(1, DEPTH + 1):
        world.root.pattern(f"mixed/{number}.txt", number * number * 100)
    world.server = world.serve()
    return world


@test
def one_request_at_a_time(world):
    run_wrk(world.wrk, url(world.server, "/1k.bin"), "-t1", "-c8",
            expected="status == 200 and #body == 1024")


@test
def large_files(world):
    run_wrk(world.wrk, url(world.server, "/1m.bin"), "-t1", "-c8",
            expected="status == 200 and #body == 1048576")


@test
def pipelined(world):
    run_wrk(world.wrk, url(world.server, "/1k.bin"), "-t1", "-c8", script=PIPELINED,
            expected="status == 200 and #body == 1024")


@test
def pipelined_answers_come_in_order(world):
    """On one connection, the lengths of the answers are those of the requests in turn."""
    ordered = f"""(function()
        place = place % {DEPTH} + 1
        return status == 200 and #body == place * place * 100
    end)()"""
    run_wrk(world.wrk, url(world.server, "/"), "-t1", "-c1", script=MIXED, expected=ordered)


@test
def a_browsers_head(world):
    fields = ("User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
              "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
              "Accept-Language: en-US,en;q=0.5", "Accept-Encoding: gzip, deflate, br, zstd",
              "Cookie: session=" + "0123456789abcdef" * 20)
    options = [part for field in fields for part in ("-H", field)]
    run_wrk(world.wrk, url(world.server, "/1k.bin"), "-t1", "-c8", *options,
            expected="status == 200 and #body == 1024")


@test
def a_connection_a_request(world):
    run_wrk(world.wrk, url(world.server, "/1k.bin"), "-t1", "-c8", "-H", "Connection: close",
            expected="status == 200 and #body == 1024")


if __name__ == "__main__":
    run(setup)
