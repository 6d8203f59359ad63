"""notes.py: what could not be said, or means something else now: told once each, with its place."""


class Notes:
    def __init__(self):
        self.told = []

    def add(self, directive, text):
        """About a directive."""
        line = f"{directive.place}: {directive.name}: {text}"
        if line not in self.told:
            self.told.append(line)
        return line
