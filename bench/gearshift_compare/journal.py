"""What has been measured, one JSON object a line, written as it happens: a run that is in it is
never lost, and --resume goes on behind the last."""

import json
import os

from . import Refusal

NAME = "runs.jsonl"


class Journal:
    """`plan` is what has to be the same for runs to be comparable."""

    def __init__(self, folder, plan, resume):
        self.path = os.path.join(folder, NAME)
        self.records = []
        exists = os.path.exists(self.path)
        if exists and not resume:
            raise Refusal(f"{self.path} is there already: go on with it by --resume, or name "
                          "another folder with --output")
        if resume and exists:
            self.records = self._read(plan)
        self.file = open(self.path, "a", encoding="utf-8")
        if not self.records:
            self.add({"kind": "plan", **plan})

    def _read(self, plan):
        records = []
        with open(self.path, encoding="utf-8") as file:
            lines = file.read().split("\n")
        for number, line in enumerate(lines, 1):
            if not line:
                continue
            try:
                records.append(json.loads(line))
            except ValueError:
                if number < len(lines) - 1:
                    raise Refusal(f"{self.path}:{number}: no JSON object; it cannot be gone on "
                                  "with, name another folder with --output") from None
        # The last line may have been cut off: the file is written anew without it.
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(record) + "\n" for record in records)
        os.replace(self.path + ".new", self.path)
        then = records[0] if records else {}
        changed = [key for key in plan if then.get(key) != json.loads(json.dumps(plan[key]))]
        if records and changed:
            raise Refusal(f"{self.path} was made with another {', '.join(changed)}: its runs do "
                          "not compare with new ones; name another folder with --output")
        return records

    def add(self, record):
        self.records.append(record)
        self.file.write(json.dumps(record) + "\n")
        self.file.flush()

    def of(self, kind):
        return [record for record in self.records if record.get("kind") == kind]

    def close(self):
        self.file.close()
