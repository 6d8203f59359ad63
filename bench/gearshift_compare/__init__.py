"""gearshift-compare: which engine of gearshift, on this site, on this machine.

One module a concern. From the bottom: processes, network and machine tell and change what the
kernel knows; servers starts what is measured; site and workloads say what is asked; clients asks;
measure makes one run of that, schedule all of them, journal keeps them; intervals, summary and
recommend judge; terminal, markdown and page tell. bench/compare calls main.
"""

SCHEMA = 1  # of report.json; a file with another number is refused


class Refusal(Exception):
    """What a user has to put right: one sentence, and the exit status that goes with it."""

    def __init__(self, sentence, status=2):
        super().__init__(sentence)
        self.status = status
