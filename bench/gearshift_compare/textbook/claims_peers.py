"""Other servers beside gearshift, where they were asked for (--peers)."""

from . import Beside, Claim, conditions
from .claims_models import TUTORIALS

OWN = ("reactor", "proactor")


def claims(peers):
    """For these names of servers.json."""
    if not peers:
        return ()
    beside = tuple(Beside(peer, "reactor", "same") for peer in peers)
    common = {"said_by": (TUTORIALS,), "series": OWN + peers, "parts": beside,
              "because": "Calls for a request, and what a server does of its own between them: parsing, looking up, headers.",
              "caution": "Each server has the settings that its experts would give it for static files (bench/peers/), and its own header "
                         "fields: answers are not octet for octet the same."}
    return (
        Claim("peers", "Other servers: small files",
              sentence="For small files it does not matter which server is taken: the kernel's work is most of a request.",
              experiment="1 KiB on kept connections.", condition=conditions.busy, variable="busy connections", values=(64, 1000), quick=(64,),
              **common),
        Claim("peers-close", "Other servers: a connection for each request",
              sentence="Where each request has a connection of its own, the kernel's part hides the server.",
              experiment="1 KiB, each on a connection of its own.", condition=conditions.close, variable="", values=(64,), **common),
        Claim("peers-size", "Other servers: sizes",
              sentence="With large files all servers that use sendfile cost the same.",
              experiment="One file in the page cache.", condition=conditions.sized, variable="octets of the file",
              values=(16 << 10, 1 << 20, 8 << 20), figure="cpu_request_us", quick=(1 << 20,), **common),
    )
