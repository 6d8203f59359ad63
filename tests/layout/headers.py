#!/usr/bin/env python3
"""headers.py TREE: each header compiles alone, twice in a row, with gcc, or with clang where there is no gcc: what it
lacks is the same for both, and what only one of them warns of is seen where the tree is built.
"""

import pathlib
import shutil
import subprocess
import sys

import layout

FLAGS = (
    "-std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wvla"
    " -Wundef -Werror -fsyntax-only -x c -"
).split()


def compile_alone(compiler, root, header):
    """What the compiler says, empty when it is content."""
    text = f'#include "{header}"\n#include "{header}"\n'
    done = subprocess.run(
        [compiler, "-I", root, *FLAGS], input=text, text=True, capture_output=True, check=False
    )
    return done.stderr if done.returncode else ""


def main():
    root = pathlib.Path(sys.argv[1])
    headers = sorted(
        p.relative_to(root).as_posix()
        for folder in layout.FOLDERS
        for p in root.glob(f"{folder}/*.h")
    )
    compiler = next((c for c in ("gcc", "clang") if shutil.which(c)), None)
    if not headers or compiler is None:
        sys.exit(f"nothing to do: {len(headers)} headers, compiler {compiler}")

    # The means must be able to fail.
    if not compile_alone(compiler, root, root / "core" / "no-such-header.h"):
        sys.exit("a header that does not exist compiles")

    bad = 0
    for header in headers:
        said = compile_alone(compiler, root, header)
        if said:
            bad += 1
            print(f"{header} does not compile alone with {compiler}:\n{said}")
    print(f"{len(headers)} headers, {compiler}: {bad} failed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
