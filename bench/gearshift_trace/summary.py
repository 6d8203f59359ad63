"""The figures of the engines beside each other, as words."""


def table(drawn):
    """Rows of (what, one cell an engine); those that say nothing here are left out."""
    rows = [["status, bytes on the wire", *(f"{one.answer[0]}, {one.answer[1]}" for one in drawn)],
            ["system calls of the server", *(str(one.figures["calls"]) for one in drawn)]]
    names = dict.fromkeys(name for one in drawn for name in one.figures["by_name"])
    rows += [[f"  {name}", *(str(one.figures["by_name"].get(name, "-")) for one in drawn)]
             for name in names]
    for key, what in (("submitted", "submitted to the ring"), ("completed", "completed by the ring"),
                      ("kernel_threads", "  handed to a kernel thread"),
                      ("wakes", "wake-ups of the server's threads"),
                      ("switches", "switches to the server's threads")):
        if any(one.figures[key] for one in drawn):
            rows.append([what, *(_number(one.figures[key]) for one in drawn)])
    if any(one.figures["in_out_us"] is not None for one in drawn):
        rows.append(["first byte in to last byte out", *(_us(one.figures["in_out_us"])
                                                         for one in drawn)])
    if any(one.free for one in drawn):
        runs = next(one.free["runs"] for one in drawn if one.free)
        rows.append([f"client's wait, unwatched (median of {runs})", *(
            _us(one.free["ms"] * 1e3) if one.free else "-" for one in drawn)])
        rows.append(["times that a thread slept, unwatched", *(
            f"{one.free['waits']:.1f}" if one.free else "-" for one in drawn)])
    return rows


def _number(value):
    return "-" if value is None else str(value)


def _us(value):
    return "-" if value is None else f"{value:.0f} µs"
