"""The command line."""

import argparse
import datetime
import os

from . import Refusal, combinations, machine, servers, workloads

QUICK_S, FULL_S = 52, 27 * 60  # what is left of a minute, and of half an hour, is for the rest
PEERS = ("nginx", "lighttpd", "h2o", "apache", "apache-prefork", "caddy", "static-web-server",
         "darkhttpd")

EPILOG = """\
Examples
  %(prog)s /srv/www                          half an hour, all four engines, the report in a folder
  %(prog)s /srv/www --quick                  a minute: engines apart from their variants
  %(prog)s /srv/www --log /var/log/access.log --peers nginx,h2o
  %(prog)s /srv/www --resume --output FOLDER goes on where Ctrl-C, or the time, ended it
  %(prog)s /srv/www --baseline old/report.json
  %(prog)s --report-only FOLDER/report.json  makes the reports again, measures nothing
  %(prog)s --textbook                        what texts claim of I/O models, measured: 40 minutes
  %(prog)s --textbook --quick                the same with fewer values and rounds: 5 minutes
  %(prog)s --textbook --only idle --only sendfile

Exit status: 0 all runs were right; 1 the system refused something; 2 wrong arguments; 3 a run had
errors or wrong answers (the report says which); 130 interrupted, what was done is reported.
"""


def _words(text):
    return [word for word in text.split(",") if word]


def parser(binary):
    p = argparse.ArgumentParser(
        prog="gearshift-compare", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Compares the engines of gearshift on your folder and your machine, and "
                    "writes report.html, report.md and report.json.")
    p.add_argument("folder", nargs="?", metavar="DIR", help="the folder whose files are served")
    p.add_argument("--output", metavar="FOLDER", help="where the report goes "
                   "(gearshift-compare-DATE-TIME)")
    p.add_argument("--quick", action="store_true", help="about a minute")
    p.add_argument("--resume", action="store_true", help="go on with the runs in --output")
    p.add_argument("--report-only", metavar="FILE", help="a report.json to make the reports of")
    p.add_argument("--baseline", metavar="FILE", help="a report.json to compare with, or another "
                   "gearshift, which is then measured in the same rounds")
    what = p.add_argument_group("what is compared")
    what.add_argument("--gearshift", metavar="FILE", default=binary,
                      help="the server (%(default)s)")
    what.add_argument("--engines", metavar="A,B", type=_words, help="these engines (all)")
    what.add_argument("--variants", choices=("default", "none"),
                      help="each engine's usual variants, or only its first (default; with "
                      "--quick: none)")
    what.add_argument("--variant", metavar="ENGINE:K=V,K=V", action="append", default=[],
                      help="one more, with these settings; may be repeated")
    what.add_argument("--file-io", metavar="A,B", type=_words, default=["auto"],
                      help="ways of a file to the socket: auto, sendfile, splice, read (auto)")
    what.add_argument("--tls", metavar="A,B", type=_words,
                      help="TLS libraries: openssl, mbedtls, none (those built in)")
    what.add_argument("--option", "-o", metavar="KEY=VALUE", action="append", default=[],
                      help="a setting for every combination; may be repeated")
    what.add_argument("--peers", metavar="A,B", type=_words, default=[],
                      help=f"other servers beside them: {','.join(PEERS)}")
    what.add_argument("--peers-spec", metavar="FILE", default=servers.SPEC,
                      help="the file that tells how peers are started; a copy may hold your own")
    what.add_argument("--peer-binary", metavar="NAME=PATH", action="append", default=[],
                      help="the program of a peer, in place of the installed one; may be repeated")
    load = p.add_argument_group("what is asked")
    load.add_argument("--log", metavar="FILE", help="an access log whose requests are replayed")
    load.add_argument("--workloads", metavar="A,B", type=_words, help="these alone, by their names")
    load.add_argument("--connections", metavar="N", type=int, default=workloads.CONNECTIONS,
                      help="at a time (%(default)s)")
    load.add_argument("--idle", metavar="N", type=int, default=workloads.IDLE_CONNECTIONS,
                      help="idle connections that are held (%(default)s)")
    book = p.add_argument_group("claims of texts (--textbook), on files made for it")
    book.add_argument("--textbook", action="store_true",
                      help="measure what texts claim of I/O models, in place of a folder")
    book.add_argument("--only", metavar="CLAIM", action="append", default=[],
                      help="this claim; may be repeated")
    book.add_argument("--list", action="store_true", help="tell the claims, and measure nothing")
    book.add_argument("--large", action="store_true",
                      help="60,000 idle connections and 1,000,000 files as well")
    book.add_argument("--cpus", metavar="LIST", help="numbers of CPUs for the claim `cores`: 1,2,4")
    how = p.add_argument_group("how")
    how.add_argument("--minutes", metavar="M", type=float, help="time for everything (27; 1)")
    how.add_argument("--rounds", metavar="N", type=int, help="at most (15; with --quick 6)")
    how.add_argument("--seconds", metavar="S", type=float,
                     help="of a run (so many that nine rounds, or four, fit into the time)")
    how.add_argument("--seed", type=int, default=1, help="of every random order (%(default)s)")
    how.add_argument("--congestion", metavar="NAME", default="auto",
                     help="congestion control, in a network namespace of its own; system: what the "
                     "system has; auto: reno where that can be had, else system")
    how.add_argument("--deferred", action="store_true",
                     help="servers that can accept connections when a request has come, as h2o and "
                     "apache always do")
    how.add_argument("--server-cpus", metavar="LIST", help="such as 0,2-3 (half of the cores)")
    how.add_argument("--client-cpus", metavar="LIST", help="likewise (the other half)")
    how.add_argument("--no-counts", action="store_true", help="do not count system calls")
    how.add_argument("--fresh", action="store_true",
                     help="compare engines by fresh starts alone, not under one load as well")
    how.add_argument("--no-control", action="store_true",
                     help="do not measure the reference twice, which tells the noise")
    return p


def parse(argv, binary):
    """Arguments that have been checked as far as they can be without looking at the machine."""
    p = parser(binary)
    a = p.parse_args(argv)
    if a.report_only:
        if a.folder or a.resume or a.quick:
            raise Refusal("--report-only measures nothing: give it no folder, --quick or --resume")
        return a
    if a.list and not a.textbook:
        raise Refusal("--list tells the claims of --textbook: give that, too")
    _check_textbook(a)
    a.peer_binary = dict(_peer_binary(text) for text in a.peer_binary)
    if a.list:
        return a
    if not a.folder and not a.textbook:
        raise Refusal("no folder; name the one whose files are served, or see --help")
    if a.resume and not a.output:
        raise Refusal("--resume needs --output, the folder with the runs to go on with")
    if not a.output:
        kind = "textbook" if a.textbook else "compare"
        a.output = datetime.datetime.now().strftime(f"gearshift-{kind}-%Y-%m-%d-%H%M%S")
    _check_numbers(a)
    a.gearshift, a.peers_spec = os.path.abspath(a.gearshift), os.path.abspath(a.peers_spec)
    a.variants = a.variants or ("none" if a.quick else "default")
    a.extra = [_variant(text) for text in a.variant]
    a.settings = dict(_setting(text, "--option") for text in a.option)
    for word in a.file_io:
        if word not in ("auto", "sendfile", "splice", "read"):
            raise Refusal(f"--file-io {word}: it is one of auto, sendfile, splice, read")
    for word in a.tls or ():
        if word != "none" and word not in combinations.TLS_LIBRARIES:
            raise Refusal(f"--tls {word}: it is one of openssl, mbedtls, none")
    a.server_cpus, a.client_cpus = _cpus(a)
    return a


def _check_textbook(a):
    """What goes with --textbook, and what does not."""
    if not a.textbook:
        for name, value in (("--only", a.only), ("--large", a.large), ("--cpus", a.cpus)):
            if value:
                raise Refusal(f"{name} belongs to --textbook: give that, too")
        return
    for name, value in (("a folder", a.folder), ("--log", a.log), ("--workloads", a.workloads),
                        ("--engines", a.engines), ("--variant", a.variant), ("--tls", a.tls),
                        ("--deferred", a.deferred)):
        if value:
            raise Refusal(f"--textbook has files, engines and requests of its own: {name} does not "
                          "go with it")
    if a.cpus:
        words = _words(a.cpus)
        if not all(word.isdigit() and 0 < int(word) < 10_000 for word in words):
            raise Refusal(f"--cpus {a.cpus}: it is a list of numbers of CPUs, such as 1,2,4")
        a.cpus = sorted({int(word) for word in words})


def _peer_binary(text):
    name, equals, path = text.partition("=")
    if not equals or not name or not os.access(path, os.X_OK):
        raise Refusal(f"--peer-binary {text}: it has the form NAME=PATH, of a peer and of a program "
                      "that can be run")
    return name, os.path.abspath(path)


def _check_numbers(a):
    for name, value, least in (("--connections", a.connections, 1), ("--idle", a.idle, 0),
                               ("--rounds", a.rounds, 1), ("--minutes", a.minutes, 0.01),
                               ("--seconds", a.seconds, 0.05)):
        if value is not None and not least <= value <= 1_000_000:
            raise Refusal(f"{name} {value}: it is a number from {least} to 1000000")


def _setting(text, option):
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise Refusal(f"{option} {text}: it has the form KEY=VALUE, as in server.conf")
    return key, value


def _variant(text):
    engine, colon, rest = text.partition(":")
    if not colon:
        raise Refusal(f"--variant {text}: it has the form ENGINE:KEY=VALUE,KEY=VALUE")
    return engine, dict(_setting(word, "--variant") for word in rest.split(","))


def _cpus(a):
    server, client = machine.split_cpus()
    for name, text in (("--server-cpus", a.server_cpus), ("--client-cpus", a.client_cpus)):
        if text is None:
            continue
        try:
            chosen = machine.parse_cpus(text)
        except ValueError:
            raise Refusal(f"{name} {text}: it is a list such as 0,2-3 of CPUs that this process "
                          f"may use: {','.join(map(str, sorted(os.sched_getaffinity(0))))}"
                          ) from None
        if name == "--server-cpus":
            server = chosen
        else:
            client = chosen
    return server, client
