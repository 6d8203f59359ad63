"""Claims of how a site grows, and of CPUs."""

from . import Claim, Growth, conditions
from .claims_models import TUTORIALS

PAIR = ("reactor", "proactor")
QUICK = ("reactor",)  # what the parts above the engines cost

CLAIMS = (
    Claim(
        "files", "Number of files", "A server with a cache of looked-up files answers from many files as it does from few.", (TUTORIALS,),
        "N files of 614 octets in random order; all were looked at before.", conditions.files, "files", (1000, 100_000), PAIR,
        tuple(Growth(name, "same") for name in PAIR),
        "No system call more; what grows is memory that is touched at random: misses of the CPU's caches and of its TLB.",
        quick=(1000, 10_000), large=(1_000_000,)),
    Claim(
        "servers", "Number of server blocks", "Finding the virtual host takes no longer among thousands than in one.", (TUTORIALS,),
        "N server blocks with a name each at one address; the last one is asked.", conditions.servers, "server blocks", (1, 1000, 10_000),
        PAIR, tuple(Growth(name, "same") for name in PAIR), "One look into a hash table for a request.", quick=(1, 1000), quick_series=QUICK),
    Claim(
        "header", "Size of the header", "A request costs the more the longer its header is.", (TUTORIALS,),
        "1 KiB, asked for with a header of N octets.", conditions.header, "octets of header", (100, 500, 2000, 8000), PAIR,
        tuple(Growth(name, "more") for name in PAIR),
        "Each octet is copied from the socket and looked at once by the parser: about a nanosecond. One recv(2) more where it is larger "
        "than the buffer or comes in parts.", quick=(100, 8000), quick_series=QUICK),
    Claim(
        "locations", "Number of locations", "Locations by prefix cost nothing, however many there are.", ("manuals of nginx and Apache",),
        "N prefix locations in the server that is asked; the path is in none of them.", conditions.locations, "locations", (1, 100, 1000),
        PAIR, tuple(Growth(name, "same") for name in PAIR), "No system call; a look-up among sorted prefixes.", quick=(1, 1000), quick_series=QUICK),
    Claim(
        "expressions", "Number of regular expressions", "Each location by a regular expression costs every request a match.",
        ("manuals of nginx and Apache",), "N locations by regular expression, none of which matches.", conditions.expressions, "expressions",
        (1, 100, 1000), PAIR, tuple(Growth(name, "more") for name in PAIR),
        "No system call. Who tries each expression pays for each; here the literals that expressions demand are looked for all at once, and only "
        "those are tried whose literals the path has.", quick=(1, 1000), quick_series=QUICK),
    Claim(
        "rules", "Number of redirect rules", "A file of redirects costs every request a look at each of its lines.", (TUTORIALS,),
        "N lines of a _redirects with two parameters each, none of which is for the path; they hold for files that are there, too.",
        conditions.rules, "rules", (1, 100, 1000), PAIR, tuple(Growth(name, "more") for name in PAIR),
        "No system call. Who looks at each line pays for each; here lines are found by what their paths begin with.",
        quick=(1, 1000), quick_series=QUICK),
    Claim(
        "cores", "CPUs", "Loops in several threads, or processes, answer N times as many requests with N CPUs, at the same cost for a request.",
        (TUTORIALS,), "The server on N CPUs, the client on all others; 64 connections for each.", conditions.cpus, "CPUs", (1,),
        ("multi-reactor", "proactor", "processes"),
        tuple(Growth(name, "same") for name in ("multi-reactor", "proactor", "processes")),
        "Nothing hot is shared between loops; the kernel's queues, the card and memory are."),
)
