"""A diagram as SVG: inside the page, or as a file of its own that follows the reader's light or dark
scheme."""

import html

TIME, TOP, ROW = 62, 52, 27
EDGE = 50              # from the outermost lifelines to the border
LETTER = 6.7           # pixels of a letter of a label
STYLE = """
.seq text { fill: var(--q-ink); font: 11px ui-monospace, "DejaVu Sans Mono", monospace; }
.seq .halo { paint-order: stroke; stroke: var(--q-paper); stroke-width: 4px; stroke-linejoin: round; }
.seq .name { font: 600 12px system-ui, "DejaVu Sans", sans-serif; }
.seq .time, .seq .note { fill: var(--q-soft); }
.seq .bg { fill: var(--q-paper); } .seq .life { stroke: var(--q-line); stroke-dasharray: 2 4; }
.seq .box { fill: var(--q-box); stroke: var(--q-line); }
.seq .sleeps { fill: var(--q-sleep); stroke: var(--q-sleep-line); stroke-dasharray: 3 2; }
.seq .arrow { fill: none; stroke-width: 1.5; stroke: var(--q-call); }
.seq .tip { fill: var(--q-call); }
.seq .data { stroke: var(--q-data); stroke-width: 2.2; } .seq .tip.data { fill: var(--q-data); stroke: none; }
.seq .wake { stroke: var(--q-wake); stroke-dasharray: 1 3; stroke-linecap: round; }
.seq .tip.wake { fill: var(--q-wake); stroke: none; }
.seq .mark { fill: var(--q-ink); }
.seq .ring { stroke: var(--q-ring); stroke-dasharray: 6 3; } .seq .tip.ring { fill: var(--q-ring); stroke: none; }
"""
LIGHT = ("--q-paper: #ffffff; --q-ink: #1b2430; --q-soft: #5b6675; --q-line: #9aa4b2; --q-box: #eef2f7; "
         "--q-call: #2563a8; --q-data: #1f7a4d; --q-wake: #b45309; --q-ring: #7c3aad; "
         "--q-sleep: #fbeee3; --q-sleep-line: #d2925f;")
DARK = ("--q-paper: #12161c; --q-ink: #e4e9f0; --q-soft: #9aa7b8; --q-line: #566172; --q-box: #1d2530; "
        "--q-call: #79b8ff; --q-data: #5fc98f; --q-wake: #f0a04b; --q-ring: #cf9ef0; "
        "--q-sleep: #33261a; --q-sleep-line: #a5713f;")
SCHEMES = f"SCOPE {{ {LIGHT} }}\n@media (prefers-color-scheme: dark) {{ SCOPE {{ {DARK} }} }}\n"


def standalone(one, width=620):
    """A file of its own."""
    style = SCHEMES.replace("SCOPE", ".seq") + STYLE
    return draw(one, width, style) + "\n"


def draw(one, width, style=""):
    """One engine's diagram, so many pixels wide."""
    time = TIME if one.recording.timed else 8
    left, right = time + EDGE, width - EDGE
    step = (right - left) / max(1, len(one.lanes) - 1)
    at = {name: left + step * i for i, name in enumerate(one.lanes)}
    height = TOP + ROW * (len(one.rows) + 1)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" class="seq" viewBox="0 0 {width} {height}" '
           f'width="{width}" height="{height}" role="img" aria-label="{_escape(_told(one))}">']
    if style:
        out.append(f"<style>{style}</style>")
    out.append(f'<rect class="bg" width="{width}" height="{height}" rx="6"/>')
    out += _lifelines(one, at, height, step)
    for lane, first, last in one.sleeping:
        y1 = TOP + ROW * first + 12 if first >= 0 else TOP - 6
        y2 = TOP + ROW * last + 12 if last < len(one.rows) else height - 8
        out.append(f'<rect class="sleeps" x="{at[lane] - 5:.0f}" y="{y1}" width="10" '
                   f'height="{max(6, y2 - y1)}" rx="3"><title>sleeps</title></rect>')
    for i, row in enumerate(one.rows):
        out += _row(one, row, TOP + ROW * i + 14, at, time, width)
    return "\n".join(out + ["</svg>"])


def _told(one):
    return f"{one.engine}: one request in {len(one.rows)} steps, {', '.join(one.lanes)}"


def _escape(text):
    return html.escape(str(text))


def _lifelines(one, at, height, step):
    for name in one.lanes:
        x = at[name]
        room = max(5, int((min(step, 2 * EDGE) - 6) / 7.2))
        shown = name if len(name) <= room else name[:room - 1] + "…"
        half = min(step, 2 * EDGE) / 2 - 3
        yield f'<path class="life" d="M{x:.0f} 40V{height - 6}"/>'
        yield (f'<rect class="box" x="{x - half:.0f}" y="12" width="{2 * half:.0f}" height="26" rx="5"/>'
               f'<text class="name" x="{x:.0f}" y="29" text-anchor="middle">{_escape(shown)}'
               f"<title>{_escape(name)}</title></text>")


def _row(one, row, y, at, time, width):
    if one.recording.timed and row.kind != "note":
        yield (f'<text class="time" x="{time - 8}" y="{y + 4}" text-anchor="end">'
               f"{(row.at - one.begin) * 1e6:+.0f} µs</text>")
    if row.kind == "note":
        yield (f'<text class="note halo" x="{(time + width) / 2:.0f}" y="{y + 4}" text-anchor="middle">'
               f"⋮ {_escape(row.text)}</text>")
        return
    x1, x2 = at[row.source], at[row.target]
    kind = row.kind if row.kind in ("data", "wake", "ring") else "call"
    text = row.text + (" …" if row.kind == "wait" else "")
    if row.kind == "mark":
        yield f'<path class="mark" d="M{x1:.0f} {y - 5}l5 5l-5 5l-5 -5z"/>'
        yield (f'<text class="halo" x="{x1 - 10:.0f}" y="{y + 4}" text-anchor="end">{_escape(text)}'
               "</text>")
        return
    if x1 == x2:
        yield f'<path class="arrow {kind}" d="M{x1:.0f} {y - 5}h18v8h-12"/>'
        yield f'<path class="tip {kind}" d="M{x1 + 1:.0f} {y + 3}l7 -3.5v7z"/>'
    else:
        sign = 1 if x2 > x1 else -1
        yield f'<path class="arrow {kind}" d="M{x1:.0f} {y}H{x2 - 7 * sign:.0f}"/>'
        yield f'<path class="tip {kind}" d="M{x2 - sign:.0f} {y}l{-7 * sign} -3.5v7z"/>'
    room = int((width - time - 8) / LETTER)
    shown = text if len(text) <= room else text[:room - 1] + "…"
    half = len(shown) * LETTER / 2
    x = (x1 + x2) / 2 if x1 != x2 else x1 + 26 + half
    x = max(time + half + 2, min(width - half - 4, x))
    title = f"<title>{_escape(text)}</title>" if shown != text else ""
    yield (f'<text class="halo" x="{x:.0f}" y="{y - 5}" text-anchor="middle">{_escape(shown)}'
           f"{title}</text>")
