#!/usr/bin/python3
"""Many sessions at once on two sites, one with sidecars: each answer is that of its own URL, in
octets, coding and length, whatever the others ask for (HTTP.md "Answering")."""

from wire import each, run
from wire.crowd import Crowd


def setup(world):
    return Crowd(world)


@each([("1s",), ("20ms",), ("1ms",), ("0",)])
def every_answer_is_its_own(crowd, cache_valid):
    """What is known of files is believed for a while, hardly at all, or never."""
    crowd.asks_for_long(crowd.start(cache_valid=cache_valid))


@each([("5ms",)])
def files_are_read_by_jobs(crowd, cache_valid):
    crowd.asks_for_long(crowd.start(cache_valid=cache_valid, file_io="read", small_file_max="64"))


@each([("1",), ("2",), ("3",)])
def the_first_burst(crowd, seed):
    """All come before anything is known."""
    server = crowd.start()
    crowd.ask(server, 2000, seed=int(seed))


if __name__ == "__main__":
    run(setup)
