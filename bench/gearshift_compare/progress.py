"""What a user sees while it measures: on a terminal a bar with the time left and the table so far,
drawn over again; elsewhere a line a round."""

import shutil
import sys
import time

BAR = 24


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class Progress:
    """`table` makes the text of the figures so far from a journal."""

    def __init__(self, table, stream=sys.stderr):
        self.table, self.stream = table, stream
        self.tty = stream.isatty()
        self.began = time.monotonic()
        self.drawn = 0       # lines of the table on the screen
        self.text = ""

    def step(self, number, what, runs, left_s):
        if not self.tty:
            return
        gone = time.monotonic() - self.began
        share = gone / (gone + left_s) if gone + left_s > 0 else 0
        bar = "#" * int(share * BAR)
        line = f"[{bar:<{BAR}}] {share:4.0%} {clock(left_s)} left  round {number + 1}: {what}"
        self.stream.write("\r\x1b[K" + line[:self._columns() - 1])
        self.stream.flush()

    def round_done(self, number, journal):
        runs = journal.of("run")
        void = sum("void" in run for run in runs)
        if not self.tty:
            self.stream.write(f"round {number + 1}: {len(runs)} runs, {void} void, "
                              f"{clock(time.monotonic() - self.began)} gone\n")
            self.stream.flush()
            return
        self.clear()
        self.text = self.table(journal.records)
        self.stream.write(self.text + "\n")
        self.drawn = self.text.count("\n") + 1
        self.stream.flush()

    def clear(self):
        """Takes the bar and the table off the screen again."""
        if self.tty:
            self.stream.write("\r\x1b[K" + "\x1b[A\x1b[K" * self.drawn)
            self.stream.flush()
            self.drawn = 0

    def _columns(self):
        return shutil.get_terminal_size().columns
