"""The user's folder: which files it holds, and how each is asked for."""

import dataclasses
import hashlib
import os
import random
import stat
import urllib.parse

from . import Refusal

FILES_MAX = 200_000     # looked at; a larger folder is known by these
MIX_MAX = 10_000        # requests that make up the mix
MIX_SIZE_MAX = 16 << 20  # a larger file is measured by itself: a run would not get through one


@dataclasses.dataclass(frozen=True)
class File:
    path: str    # of the file system
    target: str  # of the request
    size: int
    mtime: int

    def digest(self, first=0, length=None):
        """SHA-256 of the octets from `first`, `length` of them or all."""
        found, left = hashlib.sha256(), self.size - first if length is None else length
        with open(self.path, "rb") as file:
            file.seek(first)
            while left > 0:
                part = file.read(min(left, 1 << 20))
                if not part:
                    raise Refusal(f"{self.path} became shorter while it was read; measure a folder "
                                  "that nobody changes")
                found.update(part)
                left -= len(part)
        return found.hexdigest()


class Site:
    """The regular files below a folder, smallest first. Names that begin with a dot are left out,
    as servers leave them out, and so are symbolic links and what cannot be read."""

    def __init__(self, root):
        self.root = os.path.realpath(root)
        if not os.path.isdir(self.root):
            raise Refusal(f"{root} is no folder; name the folder whose files are to be served")
        self.files, self.left_out = [], 0
        self._scan()
        if not self.files:
            raise Refusal(f"{root} holds no file that could be asked for (of at least one octet, "
                          "readable, no dot in front of its name)")
        self.files.sort(key=lambda file: (file.size, file.target))
        self.total = sum(file.size for file in self.files)

    def _scan(self):
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                if len(self.files) >= FILES_MAX:
                    self.left_out += 1
                    continue
                path = os.path.join(folder, name)
                file = None if name.startswith(".") else _servable(self.root, path)
                if file is None:
                    self.left_out += 1
                else:
                    self.files.append(file)

    @property
    def smallest(self):
        return self.files[0]

    @property
    def median(self):
        return self.files[len(self.files) // 2]

    @property
    def largest(self):
        return self.files[-1]

    def mix(self, seed):
        """Files as often as the folder holds them, in an order drawn from `seed`."""
        eligible = [file for file in self.files if file.size <= MIX_SIZE_MAX]
        draw = random.Random(seed)
        if len(eligible) > MIX_MAX:
            return draw.sample(eligible, MIX_MAX)
        draw.shuffle(eligible)
        return eligible

    def find(self, target):
        """The file that a request-target names, the index of a folder included; or None."""
        path = urllib.parse.unquote(urllib.parse.urlsplit(target).path, errors="surrogateescape")
        if path.endswith("/"):
            path += "index.html"
        return self._by_path().get(os.path.join(self.root, path.lstrip("/")))

    def _by_path(self):
        if not hasattr(self, "_paths"):
            self._paths = {file.path: file for file in self.files}
        return self._paths

    def describe(self):
        """For report.json."""
        sizes = [file.size for file in self.files]
        edges = [0] + [1 << power for power in range(8, 41, 2)]
        return {"root": self.root, "files": len(sizes), "octets": self.total,
                "left_out": self.left_out, "smallest": sizes[0],
                "median": sizes[len(sizes) // 2], "largest": sizes[-1],
                "sizes": [{"from": low, "below": high,
                           "files": sum(low <= size < high for size in sizes)}
                          for low, high in zip(edges, edges[1:])
                          if any(low <= size < high for size in sizes)]}


def _servable(root, path):
    try:
        status = os.lstat(path)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode) or status.st_size == 0 or not os.access(path, os.R_OK):
        return None
    target = "/" + urllib.parse.quote(os.fsencode(os.path.relpath(path, root)))
    return File(path, target, status.st_size, int(status.st_mtime))
