"""The project's own site by the server.conf that is shipped with it."""

import os

PROJECT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")


def shipped_configuration():
    """That file, but for its port and where www/ is, and without what is commented out."""
    with open(os.path.join(PROJECT, "server.conf"), encoding="utf-8") as file:
        text = "".join(line for line in file if not line.startswith("#"))
    for old, new in (('"127.0.0.1:8080"', '"@listen@"'),
                     ('"www"', f'"{os.path.realpath(os.path.join(PROJECT, "www"))}"')):
        assert text.count(old) == 1, f"{old} in server.conf"
        text = text.replace(old, new)
    return text
