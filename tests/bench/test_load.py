#!/usr/bin/env python3
"""gearshift-load against servers whose delays and faults are known, and the ladder of rates against a server that is
only numbers. Delays are lower bounds; nothing is claimed of how fast the machine is."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import unittest

PROJECT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
sys.path.insert(0, os.path.join(PROJECT, "bench"))

from gearshift_compare import load  # noqa: E402  (found by the line above)

LOAD = os.environ["GEARSHIFT_LOAD"]
BODY = b"x" * 500


class Slow(threading.Thread):
    """Answers one request after the other, whatever connection it is on; `answer(number)` makes the octets, and may
    take its time."""

    def __init__(self, answer):
        super().__init__(daemon=True)
        self.answer, self.count, self.lock = answer, 0, threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                while connection.recv(4096):
                    with self.lock:
                        self.count += 1
                        octets = self.answer(self.count)
                    if octets is None:
                        return
                    connection.sendall(octets)
            except OSError:
                pass


def right(_=0, body=BODY, status=b"200 OK"):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


class Generator(unittest.TestCase):
    def ask(self, answer, *arguments):
        """What it tells of a run against a server; `arguments` from RATE on."""
        server = Slow(answer)
        self.addCleanup(server.listener.close)
        done = subprocess.run([LOAD, str(server.port), "/", *map(str, arguments)], capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = json.loads(done.stdout.removeprefix("@@"))
        return found, dict(map(tuple, found["curve"]))

    def test_a_standstill_is_charged_to_all_who_were_due(self):
        """A closed loop of one connection would tell of one slow request in 60; here half of all wait."""
        def answer(number):
            if number == 10:
                time.sleep(0.4)
            return right()
        found, curve = self.ask(answer, 100, 0.6, 1)
        self.assertEqual(found["requests"] + found["unanswered"], 60)
        self.assertGreaterEqual(curve[99], 380e3)
        self.assertGreaterEqual(curve[75], 100e3)
        self.assertGreaterEqual(found["queued"], 30)
        self.assertEqual(sum(found["failed"].values()) + found["status_errors"], 0)

    def test_each_answer_takes_as_long_as_the_server_does(self):
        def answer(_):
            time.sleep(0.01)
            return right()
        found, curve = self.ask(answer, 20, 0.5, 4)
        self.assertEqual(found["requests"], 10)
        self.assertGreaterEqual(curve[0], 10e3)
        self.assertEqual(found["octets"], 10 * len(right()))

    def test_too_much_is_told(self):
        """2 ms each: 500 a second at most; of 1500 due in the half second a third at most are answered by a second
        after it, and the rest count with the time they have waited."""
        def answer(_):
            time.sleep(0.002)
            return right()
        found, curve = self.ask(answer, 3000, 0.5, 8)
        self.assertLessEqual(found["requests"], 760)
        self.assertEqual(found["requests"] + found["unanswered"], 1500)
        self.assertGreaterEqual(curve[99], 0.7e6)

    def test_warm_up_does_not_count(self):
        def answer(number):
            if number < 5:
                time.sleep(0.02)
            return right()
        found, _ = self.ask(answer, 100, 0.2, 2, 0.3)
        self.assertEqual((found["requests"], found["all"]), (20, 50))

    def test_wrong_answers_are_seen(self):
        late = 3
        for name, wrong in (("octets", right(body=b"y" * 500)), ("status_errors", right(status=b"404 Not Found")),
                            ("status_errors", right(body=b"x")), ("read", None)):
            found, _ = self.ask(lambda number, wrong=wrong: wrong if number == late else right(), 200, 0.1, 2)
            counted = {**found["failed"], "status_errors": found["status_errors"]}
            self.assertEqual({key: n for key, n in counted.items() if n}, {name: 1}, wrong)
            self.assertGreaterEqual(found["reconnects"], 1)

    def test_a_server_that_closes_after_each_answer(self):
        closing = right().replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
        found, _ = self.ask(lambda _: closing, 100, 0.2, 2)
        self.assertEqual(found["requests"], 20)
        self.assertEqual(found["reconnects"], 20)

    def test_bad_arguments_are_one_sentence(self):
        for arguments in ((), ("x", "/", "1", "1", "1"), ("1", "/", "0", "1", "1"), ("1", "/ a", "1", "1", "1"),
                          ("1", "/", "1", "1", "1", "0", "-1")):
            done = subprocess.run([LOAD, *arguments], capture_output=True, text=True, timeout=10, check=False)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertRegex(done.stderr, r"\Agearshift-load: [^\n]+\n\Z")


class Ladder(unittest.TestCase):
    def climb(self, capacity):
        places = []

        def passes(place):
            places.append(place)
            return load.rate_of(place) <= capacity
        return load.search(passes, 10 * load.PARTS), places

    def test_the_capacity_is_found_to_a_step(self):
        for capacity in (70, 999, 1000, 1001, 23456, 400_000):
            good, places = self.climb(capacity)
            self.assertLessEqual(load.rate_of(good), capacity)
            self.assertGreater(load.rate_of(good + 1), capacity)
            self.assertEqual(len(places), len(set(places)))

    def test_the_ends(self):
        self.assertIsNone(self.climb(1)[0])
        self.assertEqual(self.climb(1e9)[0], 10 * load.PARTS)

    def test_one_bad_try_is_forgiven_and_the_best_is_kept(self):
        knee = load.Knee("", 1, "/", 1, cpus=(), apart=False, seconds=1, size=1)
        tries = iter([{"p99": 50, "share": 1}, {"p99": 2, "share": 1}, {"p99": 9, "share": 1},
                      {"p99": 8, "share": 1}])
        knee.step = lambda rate: {"offered": rate, **next(tries)}
        self.assertTrue(knee.passes(0))
        self.assertFalse(knee.passes(1))
        self.assertEqual([point["p99"] for point in knee.points], [2, 8])


if __name__ == "__main__":
    unittest.main()
