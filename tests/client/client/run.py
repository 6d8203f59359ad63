"""Runs the tests of a file, as wire/run.py does, and knows a third outcome: skipped, because what
the test needs is not installed. 'N passed, N failed, N skipped' at the end."""

import argparse
import fnmatch
import os
import sys
import time
import traceback

from wire import uring
from wire.run import World
from wire.server import find_binary

SKIPPED_STATUS = 77  # what ctest (and Automake) take for "skipped"

_tests = []


class Skipped(Exception):
    """This test, or in setup the whole file, cannot be run here. The text says why."""


def test(function):
    """Marks a behaviour. The function gets what the file's setup has returned."""
    _tests.append(function)
    return function


def _parse_arguments():
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="build/release/gearshift", help="path of the server")
    parser.add_argument("--engine", default="reactor")
    parser.add_argument("--tls", default="none", choices=("none", "openssl", "mbedtls"),
                        help="TLS backend; 'none' is plain HTTP")
    parser.add_argument("--variant", default="",
                        help="further settings, separated by blanks: 'file_io=read'")
    parser.add_argument("--pictures", help="folder for screenshots; beside the server by default")
    parser.add_argument("-k", dest="pattern", default="",
                        help="only the tests whose name contains (or, as a glob, matches) this")
    options = parser.parse_args()
    options.variant = options.variant.split()
    options.server = find_binary(options.server)
    options.pictures = os.path.abspath(
        options.pictures or os.path.join(os.path.dirname(options.server), "pictures"))
    return options


def _explain(error):
    return "".join("    " + line for text in traceback.format_exception(error)
                   for line in text.splitlines(keepends=True))


def _outcome(function, fixture):
    """Runs one test and prints a line about it; "passed", "failed" or "skipped"."""
    name, started = function.__name__, time.monotonic()
    try:
        function(fixture)
    except Skipped as reason:
        print(f"skip {name}: {reason}", flush=True)
        return "skipped"
    except Exception as error:  # whatever it is, it is this test's failure
        print(f"FAIL {name} ({time.monotonic() - started:.2f} s)\n{_explain(error)}", flush=True)
        return "failed"
    print(f"ok   {name} ({time.monotonic() - started:.2f} s)", flush=True)
    return "passed"


def _outcomes(setup, world, chosen):
    """Those of all tests, and one for each fault that a server showed."""
    found = []
    try:
        fixture = setup(world)
        found = [_outcome(function, fixture) for function in chosen]
    except Skipped as reason:
        print(f"skip all {len(chosen)}: {reason}")
        found = ["skipped"] * len(chosen)
    except Exception as error:
        print(f"FAIL setup\n{_explain(error)}")
        found.append("failed")
    finally:
        for fault in world.close():
            print(f"FAIL server\n    {fault}")
            found.append("failed")
    return found


def run(setup, tls=False):
    """Runs all tests of the file that calls this, and exits. `tls`: they are about TLS, and there
    is nothing to be tested without."""
    options = _parse_arguments()
    if tls and options.tls == "none":
        print("skip all: nothing of this without TLS (--tls openssl or mbedtls)")
        sys.exit(SKIPPED_STATUS)
    if reason := uring.refuses(options.engine):
        print(f"skip all: {reason}")
        sys.exit(SKIPPED_STATUS)
    chosen = [function for function in _tests if options.pattern in function.__name__
              or fnmatch.fnmatchcase(function.__name__, options.pattern)]
    if not chosen:
        sys.exit(f"no test matches '{options.pattern}'")
    world = World(options)
    world.pictures = options.pictures
    found = _outcomes(setup, world, chosen)
    passed, failed, skipped = (found.count(word) for word in ("passed", "failed", "skipped"))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    if failed:
        sys.exit(1)
    sys.exit(0 if passed else SKIPPED_STATUS)
