"""notes.py: what could not be said, and what means something else now: told once each, with its place."""

UNSAID = "not said"
DIFFERS = "differs"


class Notes:
    def __init__(self):
        self.told = []  # (kind, line), in the order in which they came up

    def _add(self, kind, directive, text):
        line = f"{directive.place}: {directive.name}: {kind}: {text}"
        if (kind, line) not in self.told:
            self.told.append((kind, line))

    def unsaid(self, directive, text):
        """What the directive does is not done."""
        self._add(UNSAID, directive, text)

    def differs(self, directive, text):
        """It is done, and not quite so."""
        self._add(DIFFERS, directive, text)

    def lines(self):
        """All of them, those that are not said first."""
        return [line for kind in (UNSAID, DIFFERS) for of, line in self.told if of == kind]

    def is_all_said(self):
        return all(kind != UNSAID for kind, _ in self.told)
