#!/usr/bin/env python3
"""layout.py TREE: checks the rules of the source tree that no compiler knows.

Who may include whom: main.c -> explain -> process -> engines -> session -> {http, tls} -> config -> match -> core. http and tls
see neither each other, nor engines, nor sockets; engines see of the session its door alone, and of each
other nothing; each library's header is seen in one place. Then: no cycle among headers, include guards, calls that are
not used here, the size of files. Prints one line a breach, "FILE:LINE: what", and ends with 1 if there is any.
test_layout.py shows that each rule can fail.
"""

import pathlib
import re
import sys

LINES_MAX = 600

# A folder's files may include these folders. What is not named here is no folder of the tree.
BASE = {"core", "match", "config"}
ENGINE = BASE | {"session", "engines"}
MAY_INCLUDE = {
    "core": {"core"},
    "match": {"core", "match"},
    "config": BASE,
    "http": BASE | {"http"},
    "tls": BASE | {"tls"},
    "session": BASE | {"http", "tls", "session"},
    "engines": ENGINE,
    "engines/files": ENGINE | {"engines/proactor", "engines/files"},
    "engines/coroutine": ENGINE | {"engines/coroutine"},
    "engines/reactor": ENGINE | {"engines/files", "engines/blocking", "engines/coroutine",
                                 "engines/reactor"},
    "engines/blocking": ENGINE | {"engines/files", "engines/blocking"},
    "engines/proactor": ENGINE | {"engines/files", "engines/proactor"},
    "process": BASE | {"tls", "engines", "engines/files", "engines/proactor", "process"},
    "explain": BASE | {"http", "process", "explain"},
    "": BASE | {"http", "tls", "engines", "process", "explain"},  # main.c
}
FOLDERS = tuple(folder for folder in MAY_INCLUDE if folder)
# A folder of which all others see these headers, and no more.
DOORS = {
    "session": {"session/session.h"},
    "engines/files": {"engines/files/file_executor.h"},
    "engines/proactor": {"engines/proactor/uring.h"},
    "engines/blocking": {"engines/blocking/driver.h"},
}

SOCKET_HEADERS = re.compile(
    r"(sys/(socket|un|epoll|eventfd|poll|select|sendfile)|poll|netdb|ifaddrs|net/.*|netinet/.*"
    r"|arpa/inet|linux/(io_uring|tcp|sock.*|net.*)|liburing)\.h"
)
# Folders and files from which no socket header may be reachable, through any header of ours.
NO_SOCKETS = ("http/", "tls/", "session/")

# A library's header -> the only files that may include it.
LIBRARY_HEADERS = (
    (re.compile(r"llhttp\.h"), re.compile(r"http/request\.c")),
    (re.compile(r"pcre2\.h"), re.compile(r"match/regex\.c")),
    (re.compile(r"zlib\.h"), re.compile(r"http/(de)?compressor_gzip\.c|core/archive\.c")),
    (re.compile(r"brotli/.*"), re.compile(r"http/(de)?compressor_br\.c|core/delta_make_br\.c")),
    (re.compile(r"zstd(_errors)?\.h"), re.compile(r"http/(de)?compressor_zstd\.c|core/delta_make_zstd\.c")),
    (re.compile(r"crypt\.h"), re.compile(r"core/password\.c")),
    (re.compile(r"nettle/.*"), re.compile(r"core/(digest|base64)\.c")),
    (re.compile(r"openssl/.*"), re.compile(r"tls/(tls_)?openssl\w*\.[ch]")),
    (re.compile(r"(mbedtls|psa)/.*"), re.compile(r"tls/(tls_)?mbed\w+\.[ch]")),
    (re.compile(r"liburing.*"), re.compile(r"engines/(files/executor_|proactor/(processor_)?)uring\w*\.[ch]")),
    (re.compile(r"sys/epoll\.h"), re.compile(r"engines/(reactor/demultiplexer_epoll|\w+/(?!loop).*)\.c")),
)

# (where, calls, why)
FORBIDDEN_CALLS = (
    ("", "strcpy strcat stpcpy sprintf vsprintf gets", "no bound: snprintf() or memcpy()"),
    ("", "strncpy strncat", "may leave no NUL: snprintf() or memcpy()"),
    ("", "atoi atol atoll atof scanf sscanf fscanf", "hides overflow: parse and check"),
    ("", "alloca", "no bound on the stack"),
    ("", "strtok gmtime localtime asctime ctime inet_ntoa", "static storage: use the _r variant"),
    ("", "system popen mktemp tmpnam tempnam", "unsafe"),
    ("", "rand srand random", "not here"),
    ("", "assert", "off under NDEBUG: CHECK()"),
    (
        "",
        "chmod chown lchown fchmodat fchownat unlink rename renameat link linkat symlink symlinkat"
        " mkdir mknod mkfifo creat truncate remove",
        "by a name that may lead elsewhere: docs/decisions/0018",
    ),
    ("", "malloc_trim malloc_usable_size mallinfo2 backtrace rawmemchr on_exit canonicalize_file_name strerrorname_np"
     " pthread_attr_setaffinity_np pthread_tryjoin_np argp_parse", "glibc's alone: musl lacks it"),
    ("http/", "mmap", "a file truncated while it is served would be SIGBUS"),
    (
        "http/ tls/ session/",
        "socket bind accept accept4 connect recv recvfrom recvmsg send sendto sendmsg sendfile"
        " splice shutdown setsockopt getsockopt epoll_create1 epoll_ctl epoll_wait poll select",
        "the protocol side performs no network I/O",
    ),
    ("engines/", "open openat openat2 stat fstat fstatat", "files are core/file_job.c's"),
)

# Opening by a path -> the files that may; docs/decisions/0018 tells for each why it is safe.
OPENING = (
    ("open openat", re.compile(r"main\.c|core/(place|safe_open|file_\w+)\.c|config/config_load\.c|process/(binary|upgrade|dictionary_files)\.c")),
    ("fopen", re.compile(r"core/(cpus|mounts|setting)\.c|engines/proactor/uring_probe\.c")),
)

# Members that glibc's structures alone have -> the file that does without.
GLIBC_MEMBER = re.compile(r"\bstx_mnt_id\b|\bstx_dio_\w+")
GLIBC_MEMBER_IN = "core/mount_number.h"

COMMENT_OR_STRING = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL
)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def blank(match):
    """A comment or a string as blanks, with its line ends: positions stay true."""
    return re.sub(r"[^\n]", " ", match.group())


class Source:
    """One file: its text, its code without comments and strings, its includes."""

    def __init__(self, root, path):
        self.name = path.relative_to(root).as_posix()
        self.folder = self.name.rpartition("/")[0]
        self.text = path.read_text(encoding="utf-8")
        self.code = COMMENT_OR_STRING.sub(blank, self.text)
        # Comments out, strings kept: an include in a comment is none.
        kept = COMMENT_OR_STRING.sub(
            lambda m: m.group() if m.group()[0] in "\"'" else blank(m), self.text
        )
        self.includes = [
            (kept.count("\n", 0, m.start(1)) + 1, m.group(1) == '"', m.group(2))
            for m in INCLUDE.finditer(kept)
        ]

    def line_of(self, position):
        return self.text.count("\n", 0, position) + 1


class Checker:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.breaches = []
        tops = {folder.partition("/")[0] for folder in FOLDERS}
        paths = [p for top in tops for p in self.root.glob(f"{top}/**/*.[ch]")]
        paths += self.root.glob("*.[ch]")
        self.sources = {s.name: s for s in (Source(self.root, p) for p in sorted(paths))}

    def breach(self, name, line, what):
        self.breaches.append(f"{name}:{line}: {what}")

    def check(self):
        if not self.sources:
            self.breach(self.root, 0, "no source file found")
        for source in self.sources.values():
            self.check_includes(source)
            self.check_calls(source)
            self.check_members(source)
            self.check_shape(source)
        self.check_cycles()
        self.check_reachable_sockets()
        self.check_tests()
        return self.breaches

    def check_includes(self, source):
        for line, quoted, header in source.includes:
            if quoted:
                self.check_own_include(source, line, header)
                continue
            if header in self.sources:
                self.breach(source.name, line, f"<{header}> is ours: quote it")
            for pattern, places in LIBRARY_HEADERS:
                if pattern.fullmatch(header) and not places.fullmatch(source.name):
                    self.breach(source.name, line, f"<{header}> is not for this file")

    def check_own_include(self, source, line, header):
        if header not in self.sources:
            self.breach(source.name, line, f'"{header}" is no file below the top of the tree')
            return
        if not header.endswith(".h"):
            self.breach(source.name, line, f'"{header}": only tests include a .c file')
        allowed = MAY_INCLUDE.get(source.folder)
        if allowed is None:
            self.breach(source.name, line, f"{source.folder}/ is no folder of the tree")
            return
        folder = header.rpartition("/")[0]
        if folder not in allowed:
            self.breach(source.name, line, f'"{header}": {source.folder}/ does not know {folder}/')
        elif source.folder != folder and header not in DOORS.get(folder, {header}):
            self.breach(source.name, line, f'"{header}" is not for those outside {folder}/')

    def check_calls(self, source):
        opening = [
            (source.name, calls, "not by this file: docs/decisions/0018")
            for calls, places in OPENING
            if not places.fullmatch(source.name)
        ]
        for places, calls, why in (*FORBIDDEN_CALLS, *opening):
            if places and not source.name.startswith(tuple(places.split())):
                continue
            # A member of that name, `ops->send(`, is no call of the function.
            pattern = r"(?<![\w.])(?<!->)(" + "|".join(calls.split()) + r")\s*\("
            for match in re.finditer(pattern, source.code):
                self.breach(source.name, source.line_of(match.start()), f"{match[1]}(): {why}")

    def check_members(self, source):
        if source.name == GLIBC_MEMBER_IN:
            return
        for match in GLIBC_MEMBER.finditer(source.code):
            self.breach(source.name, source.line_of(match.start()), f"{match[0]}: musl lacks it: {GLIBC_MEMBER_IN}")

    def check_shape(self, source):
        lines = source.text.split("\n")
        if len(lines) - 1 > LINES_MAX:
            self.breach(source.name, LINES_MAX, f"more than {LINES_MAX} lines: two concepts")
        base = source.name.rpartition("/")[2]
        if not source.text.startswith(f"/* {base}: "):
            self.breach(source.name, 1, f'does not begin with "/* {base}: what it is"')
        for match in re.finditer(r"\btypedef\s+(struct|union)\b", source.code):
            self.breach(source.name, source.line_of(match.start()), "no typedef of a struct")
        for match in re.finditer(r"\b(TODO|FIXME|XXX)\b", source.text):
            self.breach(source.name, source.line_of(match.start()), f"{match[1]}: do it or drop it")
        if base.endswith(".h"):
            guard = re.sub(r"\W", "_", source.name).upper()
            if f"#ifndef {guard}\n#define {guard}\n" not in source.text:
                self.breach(source.name, 1, f"has no include guard {guard}")

    def own_headers(self, name):
        return [h for _, quoted, h in self.sources[name].includes if quoted and h in self.sources]

    def check_cycles(self):
        done, trail = set(), []

        def visit(name):
            if name in trail:
                cycle = trail[trail.index(name):] + [name]
                self.breach(name, 1, "include cycle: " + " -> ".join(cycle))
            elif name not in done:
                trail.append(name)
                for header in self.own_headers(name):
                    visit(header)
                trail.pop()
                done.add(name)

        for name in self.sources:
            visit(name)

    def check_reachable_sockets(self):
        for name in self.sources:
            if not name.startswith(NO_SOCKETS):
                continue
            seen, todo = set(), [name]
            while todo:
                at = todo.pop()
                if at in seen:
                    continue
                seen.add(at)
                todo += self.own_headers(at)
                for _, quoted, header in self.sources[at].includes:
                    if not quoted and SOCKET_HEADERS.fullmatch(header):
                        self.breach(name, 1, f"sees <{header}> (through {at})")

    def check_tests(self):
        for path in sorted(self.root.glob("tests/**/*")):
            if path.suffix not in (".c", ".h", ".py") or not path.is_file():
                continue
            lines = path.read_text(encoding="utf-8", errors="replace").count("\n")
            if lines > LINES_MAX:
                name = path.relative_to(self.root).as_posix()
                self.breach(name, LINES_MAX, f"more than {LINES_MAX} lines: two concepts")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: layout.py TREE")
    checker = Checker(sys.argv[1])
    breaches = checker.check()
    for breach in breaches:
        print(breach)
    print(f"{len(checker.sources)} files, {len(breaches)} breaches")
    sys.exit(1 if breaches else 0)


if __name__ == "__main__":
    main()
