"""The diagrams as text."""

import shutil

from . import summary

COLUMN_MIN = 62       # columns of the terminal that a diagram needs
GAP = "   "
ARROWS = {"wait": "─▶", "woken": "─▶", "data": "═▶", "ring": "┄▶", "wake": "~▶"}


def render(asked, drawn, notes, width=None):
    width = width or shutil.get_terminal_size((100, 24)).columns
    blocks = [_diagram(one) for one in drawn]
    abreast = max(1, (width + len(GAP)) // (max(COLUMN_MIN, _width(blocks)) + len(GAP)))
    text = [asked, ""]
    for i in range(0, len(blocks), abreast):
        text += _beside(blocks[i:i + abreast]) + [""]
    text += _table(drawn) + [""]
    text += list(dict.fromkeys(one.recording.distorts for one in drawn))
    text += list(dict.fromkeys(one.recording.ring for one in drawn if one.recording.ring))
    return "\n".join(text + notes)


def _width(blocks):
    return max(len(line) for block in blocks for line in block)


def _diagram(one):
    source = max(len(row.source) for row in one.rows) if one.rows else 0
    target = max(len(row.target) for row in one.rows) if one.rows else 0
    lines = [f"{one.engine}", "─" * len(one.engine)]
    for row in one.rows:
        at = f"{(row.at - one.begin) * 1e6:>+8.0f} µs  " if one.recording.timed else ""
        if row.kind == "note":
            lines.append(f"{' ' * len(at)}{'':>{source}}    {'':{target}}  ⋮ {row.text}")
            continue
        if row.kind == "mark":
            lines.append(f"{at}{row.source:>{source}} ◆  {'':{target}}  {row.text}")
            continue
        tail = "  (sleeps)" if row.kind == "wait" else ""
        lines.append(f"{at}{row.source:>{source}} {ARROWS.get(row.kind, '─▶')} "
                     f"{row.target:{target}}  {row.text}{tail}")
    if one.asleep:
        lines.append(f"{one.asleep} more thread{'s' if one.asleep > 1 else ''} slept all the time.")
    return lines


def _beside(blocks):
    height = max(map(len, blocks))
    widths = [max(COLUMN_MIN, max(map(len, block))) for block in blocks]
    return [GAP.join(f"{block[i] if i < len(block) else '':{width}}"
                     for block, width in zip(blocks, widths)).rstrip() for i in range(height)]


def _table(drawn):
    rows = [["", *(one.engine for one in drawn)]] + summary.table(drawn)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(f"{cell:{width}}" if i == 0 else f"{cell:>{width}}"
                      for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows]
