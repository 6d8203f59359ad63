"""The page: one file, nothing from elsewhere, no script."""

import html

from . import drawing, summary

WIDE, NARROW = 620, 372

STYLE = """
:root { color-scheme: light dark; --paper: #fbfaf7; --card: #fff; --ink: #1d2126; --soft: #5a626c;
    --line: #dcdad2; --warn: #fff3d6; --warn-ink: #6b4a00; }
@media (prefers-color-scheme: dark) { :root { --paper: #15181c; --card: #12161c; --ink: #e6e4de;
    --soft: #a2a9b1; --line: #363c43; --warn: #3a2f12; --warn-ink: #f0d48a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
    font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; -webkit-text-size-adjust: 100%; }
main { max-width: 84rem; margin: 0 auto; padding: 1rem 1.25rem 3rem; }
h1 { font-size: clamp(1.4rem, 4vw, 2rem); line-height: 1.2; margin: 1rem 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 0 0 .2rem; }
p { max-width: 46rem; margin: .4rem 0; } .soft { color: var(--soft); }
.small { font-size: .86rem; }
.note { background: var(--warn); color: var(--warn-ink); padding: .5rem .8rem; border-radius: .4rem; max-width: 60rem; }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 38rem), 1fr)); gap: 1.2rem; margin: 1.2rem 0; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
    padding: .9rem; min-width: 0; }
figure svg { max-width: 100%; height: auto; display: block; margin: .6rem auto 0; }
@media (min-width: 81rem) { figcaption { min-height: 3em; } } /* so that both begin at one height */
@media (max-width: 40rem) {
    main { padding: .5rem .5rem 2rem; } figure { padding: .5rem; border-radius: .4rem; }
    .wide > svg { display: none; } .slim > svg { display: block; }
}
@media (min-width: 40.01rem) { .slim { display: none; } }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .28rem .8rem .28rem 0; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child { text-align: left; font-weight: 400; white-space: pre-wrap; }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; padding: 0; margin: .4rem 0; list-style: none; font-size: .86rem; }
.key svg { width: 34px; height: 10px; vertical-align: middle; margin-right: .3rem; }
@media print {
    :root { --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --warn: #fff; --warn-ink: #000; }
    .beside { grid-template-columns: 1fr 1fr; gap: .5rem; } figure { border: 0; padding: 0; break-inside: auto; }
    h2, table { break-inside: avoid; } .slim { display: none; } .wide > svg { display: block; }
    main { max-width: none; padding: 0; }
}
"""
# On paper there is no dark scheme, whatever the reader's is.
PRINT = f"@media print {{ :root {{ {drawing.LIGHT} }} }}\n"

KEY = (("call", "a system call; its end where it slept"), ("data", "bytes of the client"),
       ("wake", "a thread is woken"), ("ring", "an entry of io_uring"))


def _escape(text):
    return html.escape(str(text))


def render(asked, drawn, notes):
    style = STYLE + drawing.SCHEMES.replace("SCOPE", ":root") + PRINT + drawing.STYLE
    engines = ", ".join(one.engine for one in drawn)
    text = ['<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n'
            f'<title>gearshift-trace: {_escape(engines)}</title>\n<link rel="icon" href="data:,">\n'
            f"<style>{style}</style>\n</head>\n<body>\n<main>",
            f"<h1>One request, {_escape(engines)}</h1>", f"<p><code>{_escape(asked)}</code></p>"]
    told = list(dict.fromkeys(one.recording.distorts for one in drawn))
    told += list(dict.fromkeys(one.recording.ring for one in drawn if one.recording.ring)) + notes
    text += [f'<p class="note small">{_escape(sentence)}</p>' for sentence in told]
    text.append(_key())
    text.append('<div class="beside">' + "".join(map(_figure, drawn)) + "</div>")
    text.append("<h2>Figures</h2>" + _table(drawn))
    text.append('<p class="soft small">Counted from the client\'s first byte until the server rests '
                "again. The first byte is in when the client's call begins; the last one is out when "
                "the server's last sending call, or the ring, is done with it. Every row is a step, "
                "not a length of time.</p>")
    return "\n".join(text + ["</main>\n</body>\n</html>\n"])


def _key():
    items = "".join(
        f'<li><svg class="seq" viewBox="0 0 34 10" aria-hidden="true"><path class="arrow {kind}" '
        f'd="M0 5H27"/><path class="tip {kind}" d="M34 5l-7 -3.5v7z"/></svg>{what}</li>'
        for kind, what in KEY)
    return (f'<ul class="key">{items}<li><svg class="seq" viewBox="0 0 34 10" aria-hidden="true">'
            '<rect class="sleeps" x="10" y="0.5" width="10" height="9" rx="2"/></svg>the thread '
            "sleeps</li></ul>")


def _figure(one):
    more = (f" {one.asleep} more thread{'s' if one.asleep > 1 else ''} slept all the time."
            if one.asleep else "")
    return (f"<figure><h2>{_escape(one.engine)}</h2>"
            f'<figcaption class="soft small">{_escape(one.model)}.{more}</figcaption>'
            f'<div class="wide">{drawing.draw(one, WIDE)}</div>'
            f'<div class="slim">{drawing.draw(one, NARROW)}</div></figure>')


def _table(drawn):
    head = "".join(f'<th scope="col">{_escape(one.engine)}</th>' for one in drawn)
    rows = "".join(f'<tr><th scope="row">{_escape(row[0])}</th>'
                   + "".join(f"<td>{_escape(cell)}</td>" for cell in row[1:]) + "</tr>"
                   for row in summary.table(drawn))
    return (f'<div class="scroll"><table><thead><tr><th></th>{head}</tr></thead><tbody>{rows}'
            "</tbody></table></div>")
