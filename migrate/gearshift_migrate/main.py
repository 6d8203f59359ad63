"""main.py: the command line of gearshift-migrate."""

import argparse
import os
import sys
import tempfile

from .nginx_text import Refused
from .nginx_tree import load
from .translate import translate

ALL_SAID, NOT_ALL_SAID, REFUSED = 0, 1, 2

EPILOG = """\
Exit status: 0, everything is said (lines with "differs" tell what is not quite the same); 1, a server.conf was
written, and what it could not say is listed; 2, nothing was written. See gearshift-migrate(1) and docs/migrating.md.
"""


def arguments(argv):
    parser = argparse.ArgumentParser(
        prog="gearshift-migrate", epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Writes the server.conf that says what an nginx configuration says, as far as it is that of a static "
                    "site, and lists on stderr what it could not say.")
    parser.add_argument("file", metavar="nginx.conf", help="the configuration, or one file of sites-enabled; what it "
                                                           "includes is read, too")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write (standard output)")
    parser.add_argument("-p", "--prefix", metavar="DIR", default="/usr/share/nginx",
                        help="the folder at which relative paths of root and alias begin (nginx -V tells it as "
                             "--prefix; %(default)s)")
    return parser.parse_args(argv)


def write(path, text):
    """In one piece, or not at all."""
    if path is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    folder = os.path.dirname(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".gearshift-migrate-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def main(argv):
    args = arguments(argv)
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        text, notes = translate(load(args.file), args.file, args.prefix)
        write(args.output, text)
    except Refused as refusal:
        print(f"gearshift-migrate: {refusal}", file=sys.stderr)
        return REFUSED
    except BrokenPipeError:
        sys.stderr.close()
        return REFUSED
    except OSError as error:
        print(f"gearshift-migrate: {args.output or 'standard output'}: {error.strerror}", file=sys.stderr)
        return REFUSED
    for line in notes.lines():
        print(line, file=sys.stderr)
    return ALL_SAID if notes.is_all_said() else NOT_ALL_SAID
