"""Collects the tests of a file and runs them: one line a test, 'N passed, N failed' at the end."""

import argparse
import fnmatch
import functools
import os
import subprocess
import sys
import tempfile
import threading
import time

from wire import secure, uring
from wire.client import transcript
from wire.server import Server, find_binary
from wire.site import Site

LEAN = "--lean" in sys.argv  # see rounds()
SKIPPED_STATUS = 77  # what ctest (and Automake) take for "skipped"

# Tests that run only without TLS: the file, the test, and why. All others run with each backend as
# they are.
NOT_WITH_TLS = {
    ("test_drain.py", "sigquit_answers_what_has_come_already[new connections]"):
        "what has come of a new connection is a ClientHello, and no request",
    ("test_idle.py", "all_of_them"):
        "its clients have sockets of their own; test_tls_idle.py says what TLS takes",
}

# What a model cannot hold, by engine.
NOT_WITH_ENGINE = {
    "iterative": {
        ("test_body_discard.py", "a_slow_body_does_not_hold_up_others"):
            "it serves one connection at a time: it does hold them up",
        ("test_idle.py", "all_of_them"): "nobody is idle while others wait",
        **{(file, name): "it asks on several connections at a time" for file, name in (
            ("test_changing_files.py", "what_was_opened_is_what_is_sent"),
            ("test_deploys.py", "a_download_goes_on_from_the_old_release"),
            ("test_descriptors.py", "a_file_that_cannot_be_opened_for_want_of_one_is_503"),
            ("test_drain.py", "it_stops_at_once[SIGTERM]"),
            ("test_drain.py", "it_stops_at_once[SIGINT]"),
            ("test_drain.py", "sigquit_answers_what_has_come_already[kept ones]"),
            ("test_half_close_waits.py", "who_does_not_read[during_the_answer]"),
            ("test_half_close_waits.py", "who_does_not_read[after_an_answer]"),
            ("test_long_listing.py", "several_at_a_time_and_others_among_them"),
            ("test_long_listing.py", "who_has_left_is_not_worked_for"),
            ("test_long_listing.py", "slow_readers_take_less_memory_than_their_texts"),
            ("test_slow_readers.py", "others_are_served_at_once_and_all_get_everything"),
            ("test_slow_readers.py", "waiting_for_them_costs_no_cpu"),
            ("test_slow_readers.py", "a_large_download_does_not_starve_small_ones"),
            ("test_special_files.py", "others_are_not_held_up"),
            ("test_stuck_readers.py", "their_memory"),
            ("test_truncated.py", "many_at_a_time"))},
        ("test_descriptors.py", "more_connections_than_descriptors"):
            "it has one connection at a time, and descriptors enough for it",
        ("test_half_close_waits.py", "who_asks_for_much_and_does_not_read"):
            "while others wait it closes behind the answer, though more requests have come",
        ("test_resets.py", "a_thousand_connections_at_once"):
            "they wait in the backlog, one behind the other",
    },
    "thread-pool": {
        ("test_idle.py", "all_of_them"): "nobody is idle while others wait for a thread",
    },
    "process-per-connection": {
        ("test_kept_files.py", "unused_files_are_closed"):
            "files are kept by the process of a connection, and end with it",
        ("test_kept_files.py", "a_file_system_can_be_unmounted"):
            "files are kept by the process of a connection, and end with it",
        ("test_descriptors.py", "a_file_that_cannot_be_opened_for_want_of_one_is_503"):
            "each process has descriptors of its own: there is no want",
        ("test_tls_resumption.py", "each_kind_works_time_after_time"):
            "sessions that are kept by their id are a process's; tickets are all processes'",
        ("test_tls_resumption.py", "without_tickets_1_2_resumes_by_id"):
            "sessions that are kept by their id are a process's",
        ("test_tls_resumption.py", "the_cache_has_a_limit"):
            "sessions that are kept by their id are a process's",
    },
}
ONE_AT_A_TIME = ("iterative",)  # several tests at once would wait for each other

_tests = []


def rounds(count):
    """How often to repeat what chance has a share in: `count` times with the first engines; a third of it (--lean)
    with those that have most of their code from these."""
    return -(-count // 3) if LEAN else count


def test(function):
    """Marks a behaviour. The function gets what the file's setup has returned."""
    _tests.append((function.__name__, function))
    return function


def each(rows):
    """Marks a behaviour that is stated for every row: the function gets them behind what setup has
    returned. The first member of a row (or the row itself) names it."""
    def mark(function):
        for row in rows:
            row = row if isinstance(row, tuple) else (row,)
            label = row[0] if isinstance(row[0], str) else repr(row[0])
            label = label.encode("unicode_escape").decode()
            label = label if len(label) <= 60 else label[:57] + "..."
            _tests.append((f"{function.__name__}[{label}]", _bind(function, row)))
        return function
    return mark


def _bind(function, row):
    @functools.wraps(function)
    def bound(fixture):
        return function(fixture, *row)
    return bound


class World:
    """What one test file owns: a scratch folder with the document root, what lies outside of it,
    logs, and the servers it has started."""

    def __init__(self, options):
        self._options = options
        self.engine = options.engine
        self.binary = options.server
        self.tls = None if options.tls == "none" else options.tls  # the backend
        self.pki = secure.pki_folder(options.server) if self.tls else None
        self.resumes = True  # see Server
        self._servers = []
        self._lock = threading.Lock()
        self.path = tempfile.mkdtemp(prefix="gearshift-wire-")
        os.chmod(self.path, 0o755)
        self.root = Site(os.path.join(self.path, "root"))
        self.outside = Site(os.path.join(self.path, "outside"))
        self.logs = Site(os.path.join(self.path, "logs"))
        os.chmod(self.logs.path, 0o777)  # logs are opened again after privileges were dropped

    def speaks_tls_1_3(self):
        """Is the backend a library with TLS 1.3? mbed TLS has it from 3.6 on."""
        said = subprocess.run([self._options.server, "-V"], check=True, capture_output=True,
                              text=True).stdout
        return any("1.3" in line.split(":")[-1] for line in said.splitlines()
                   if f"(tls_backend = {self.tls})" in line)

    def serve(self, settings=None, block=None, conf=None, root=None, arguments=(), listeners=1,
              tls=True, **server_options):
        """Starts a server.

        settings   settings of any key that the command line reaches (-o)
        block      text for the one server block of a configuration file, besides listen and root
        conf       text of a whole configuration file; "@root@" stands for the document root, and
                   "@listen@" for an address with a port that the kernel chooses, "@pki@" for the
                   folder with the certificates; see secure.configuration()
        root       the document root, if it is not the world's
        arguments  further arguments
        tls        False: no TLS, whatever the backend
        others     see Server"""
        root = (root or self.root).path
        with self._lock:
            number = len(self._servers)
            self._servers.append(None)
        argv = [self._options.server, "--engine", self._options.engine]
        arguments = list(arguments)
        if self.tls and tls:
            argv += ["-o", f"tls_backend={self.tls}"]
        if conf is None and block is not None:
            conf = 'server "localhost" {\n listen = {"@listen@"}\n root = "@root@"\n%s\n}\n' % block
        if conf is not None:
            if self.tls and tls:
                conf = secure.configuration(conf)
            path = os.path.join(self.path, f"server-{number}.conf")
            with open(path, "w", encoding="utf-8") as file:
                file.write(conf.replace("@root@", root).replace("@listen@", "127.0.0.1:0")
                           .replace("@world@", self.path).replace("@pki@", str(self.pki)))
            argv += ["-c", path]
        else:
            argv += ["--root", root, "-o", "autoindex=off"]  # as in a file
            if self.tls and tls:
                arguments = secure.arguments(arguments)
            elif "--listen" not in arguments:
                arguments += ["--port", "0"]
        argv += ["-o", "threads=1"]  # but for a variant that says otherwise: not as many as here are CPUs
        for setting in self._options.variant:
            argv += ["-o", setting]
        for key, value in (settings or {}).items():
            argv += ["-o", f"{key}={value}"]
        arguments = [argument.replace("@pki@", str(self.pki)) for argument in arguments]
        server = Server(argv + arguments, os.path.join(self.path, f"stderr-{number}"),
                        listeners, tls=bool(self.tls and tls), **server_options)
        server.world = self
        server.resumes = self.resumes
        self._servers[number] = server
        return server

    def close(self):
        """Stops the servers and removes everything; the faults that the servers showed."""
        faults = []
        for server in self._servers:
            if server is not None:
                try:
                    server.stop()
                except AssertionError as error:
                    faults.append(f"{' '.join(server.argv)}\n{error}")
        Site(self.path).demolish()
        return faults


def _explain(error):
    """Where the test failed, with what values, and what was said last on the wire."""
    import traceback
    lines = traceback.format_exception(error)
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)
              if os.path.basename(frame.f_code.co_filename).startswith("test_")]
    if frames:
        lines.append("locals:\n")
        for name, value in frames[-1].f_locals.items():
            lines.append(f"  {name} = {repr(value)[:600]}\n")
    lines.append("last on the wire:\n")
    for direction, data, length in transcript()[-8:]:
        cut = f" ... {length} octets in all" if length > len(data) else ""
        lines.append(f"  {direction} {data[:1000]!r}{cut}\n")
    return "".join("    " + line for line in "".join(lines).splitlines(keepends=True))


def _run_one(name, function, fixture):
    transcript().clear()
    started = time.monotonic()
    try:
        function(fixture)
    except Exception as error:  # whatever it is, it is this test's failure
        report = f"FAIL {name} ({time.monotonic() - started:.2f} s)\n{_explain(error)}"
        passed = False
    else:
        report = f"ok   {name} ({time.monotonic() - started:.2f} s)"
        passed = True
    print(report, flush=True)
    return passed


def _parse_arguments():
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="build/release/gearshift", help="path of the server")
    parser.add_argument("--engine", default="reactor")
    parser.add_argument("--tls", default="none", choices=("none", "openssl", "mbedtls"),
                        help="TLS backend; 'none' is plain HTTP")
    parser.add_argument("--variant", default="",
                        help="further settings, separated by blanks: 'file_io=read'")
    parser.add_argument("--lean", action="store_true", help="fewer rounds of what is done again and again")
    parser.add_argument("-k", dest="pattern", default="",
                        help="only the tests whose name contains (or, as a glob, matches) this")
    options = parser.parse_args()
    options.variant = options.variant.split()
    options.server = find_binary(options.server)
    return options


def _choose(options):
    """The tests that are meant, but for those that have no sense with a TLS backend."""
    file = os.path.basename(sys.modules["__main__"].__file__)
    chosen, skipped = [], 0
    for name, function in _tests:
        if options.pattern in name or fnmatch.fnmatchcase(name, options.pattern):
            reason = NOT_WITH_TLS.get((file, name)) if options.tls != "none" else None
            reason = reason or NOT_WITH_ENGINE.get(options.engine, {}).get((file, name))
            if reason:
                print(f"skip {name}: {reason}")
                skipped += 1
            else:
                chosen.append((name, function))
    if skipped and not chosen:
        sys.exit(SKIPPED_STATUS)
    return chosen


def run(setup, jobs=1, tls=False):
    """Runs all tests of the file that calls this, `jobs` at a time, and exits. `tls`: they are
    about TLS, and there is nothing to be tested without."""
    options = _parse_arguments()
    if tls and options.tls == "none":
        print("skip all: nothing of this without TLS (--tls openssl or mbedtls)")
        sys.exit(SKIPPED_STATUS)
    if reason := uring.refuses(options.engine, options.variant):
        print(f"skip all: {reason}")
        sys.exit(SKIPPED_STATUS)
    chosen = _choose(options)
    if options.engine in ONE_AT_A_TIME:
        jobs = 1
    passed = failed = 0
    world = World(options)
    world.resumes = not tls
    try:
        fixture = setup(world)
        if jobs == 1:
            results = [_run_one(name, function, fixture) for name, function in chosen]
        else:
            from concurrent.futures import ThreadPoolExecutor
            with ThreadPoolExecutor(jobs) as pool:
                results = list(pool.map(lambda pair: _run_one(*pair, fixture), chosen))
        passed = sum(results)
        failed = len(results) - passed
    except Exception as error:
        print(f"FAIL setup\n{_explain(error)}")
        failed += 1
    finally:
        faults = world.close()
    for fault in faults:
        print(f"FAIL server\n    {fault}")
    failed += len(faults)
    if passed + failed == 0:
        print(f"FAIL no test matches '{options.pattern}'")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
