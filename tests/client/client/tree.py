"""A tree of files whose names give trouble in HTML, in URLs or in file systems, for the programs
that mirror a listing, and its comparison with what they stored."""

from client.program import Program

# Every name is the path of a file. Those of OCTETS are no text: they hold a character that ends
# lines, or are not UTF-8.
NAMES = [
    "plain.txt", "empty.txt", "x.tar.gz", "index.html", "folder/index.html", "a/b/c/d/e/deep.txt",
    "a & b.txt", "a&amp;b.txt", "<script>.txt", "\"double\".txt", "'single'.txt", "`tick`.txt",
    "hash#tag.txt", "what?.txt", "a?b=c&d=e.txt", "100%.txt", "%41.txt", "per%cent/%25.txt",
    " leading.txt", "trailing ", "two  blanks.txt", "tab\there.txt", "\x01control.txt",
    "\u00fcber/\u65e5\u672c/\U0001d11e.txt", "\u202eright-to-left.txt", "e\u0301 combined.txt",
    "semi;colon=1,2.txt", "co:lon.txt", "http:/x.txt", "javascript:alert(1)", "back\\slash.txt",
    "+plus.txt", "~tilde.txt", "[bracket].txt", "{brace}.txt", "@at.txt", "$dollar.txt", "^caret",
    "|pipe.txt", "*.txt", "-dash.txt", "!bang.txt", "a..b.txt", "n" * 200 + ".txt",
    "d#r & <co> \"?\"/f%6f&\u00e4.txt",
]
OCTETS = [b"new\nline.txt", b"carriage\rreturn.txt", b"latin-\xe4.txt", b"\xff\xfe.txt",
          b"folder-\xe4/inside.txt", b"folder\nline/inside.txt"]


def build(root, left_out=()):
    """Writes the files whose names are not `left_out`; each has octets of its own, some many."""
    assert set(left_out) <= set(NAMES), "left out, but not in the tree"
    for number, name in enumerate(NAMES):
        if name not in left_out:
            size = 0 if name == "empty.txt" else (10, 3000, 70_000)[number % 3]
            root.write(name, (f"{number} {name} " * (size // 10 + 1)).encode())
    root.folder("empty-folder")


def build_octets(root):
    for name in OCTETS:
        root.write(name, name)


def compare(world, root, mirror, *excluded):
    """diff -r finds no difference; names that match `excluded` are not looked at."""
    diff = Program(world, "diff", package="diffutils")
    diff("-r", *(f"--exclude={pattern}" for pattern in excluded), root.path, mirror)
