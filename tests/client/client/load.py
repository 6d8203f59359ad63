"""ab and wrk: runs them for a moment and reads what they report. Figures are for people; what a
test asserts is that nothing went wrong."""

import os
import re
import types

# wrk hands every answer to `response`; what it counts there is fetched when all is over.
COUNTING = """
good, bad = 0, 0
local threads = {}
function setup(thread) table.insert(threads, thread) end
function response(status, headers, body)
    if expected(status, headers, body) then good = good + 1 else bad = bad + 1 end
end
function done()
    local all_good, all_bad = 0, 0
    for _, thread in ipairs(threads) do
        all_good = all_good + thread:get("good")
        all_bad = all_bad + thread:get("bad")
    end
    print("good answers: " .. all_good)
    print("bad answers: " .. all_bad)
end
"""


def run_ab(ab, *arguments):
    """Figures of one run; it had no failed request, and answers of 2xx alone."""
    ran = ab("-q", *arguments)

    def figure(name, default=None):
        found = re.search(rf"^{re.escape(name)}:\s+([0-9.]+)", ran.text, re.MULTILINE)
        assert found or default is not None, f"no '{name}': {ran}"
        return float(found[1]) if found else default

    assert figure("Failed requests") == 0, ran
    assert figure("Write errors", 0) == 0, ran
    return types.SimpleNamespace(
        requests=int(figure("Complete requests")), kept=int(figure("Keep-Alive requests", 0)),
        octets=int(figure("HTML transferred")), not_2xx=int(figure("Non-2xx responses", 0)),
        seconds=figure("Time taken for tests"), per_second=figure("Requests per second"))


def run_wrk(wrk, address, *arguments, script=None, expected="status == 200", seconds=1):
    """Figures of one run without a socket error. Every answer has passed `expected`, a condition
    in Lua over status, headers and body; `script` is Lua that makes the requests."""
    path = os.path.join(wrk.home, "wrk.lua")
    with open(path, "w", encoding="utf-8") as file:
        file.write(COUNTING)
        file.write(f"function expected(status, headers, body)\n    return {expected}\nend\n")
        file.write(script or "")
    ran = wrk(f"-d{seconds}s", "-s", path, *arguments, address)
    assert "Socket errors" not in ran.text, ran
    assert "Non-2xx" not in ran.text, ran
    good, bad = (int(re.search(rf"^{word} answers: (\d+)", ran.text, re.MULTILINE)[1])
                 for word in ("good", "bad"))
    assert bad == 0, ran
    assert good > 0, ran
    per_second = float(re.search(r"^Requests/sec:\s+([0-9.]+)", ran.text, re.MULTILINE)[1])
    return types.SimpleNamespace(requests=good, per_second=per_second)
