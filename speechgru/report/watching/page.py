"""A run as a page that a browser loads anew until the run ends."""

from html import escape

from speechgru.report.curves_svg import STYLE, draw_svgs
from speechgru.report.watching.facts import (
    describe_best,
    describe_progress,
    describe_run,
    describe_state,
)
from speechgru.report.watching.signs import find_signs
from speechgru.report.watching.state import RunState

MOST_LINES = 200
"""Of the log: its last ones."""

_LOOK = """
:root {
  color-scheme: light dark;
  --paper: light-dark(#ffffff, #16181c); --card: light-dark(#f6f7f9, #1f2229);
  --ink: light-dark(#1b1d21, #e7e9ee); --quiet: light-dark(#5d6470, #9aa2b0);
  --line: light-dark(#d9dde4, #343a45);
  --S: light-dark(#b35900, #f0a35b); --D: light-dark(#0072b2, #6cb9ee);
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1180px; padding: 1rem 1.25rem 3rem;
  overflow-wrap: anywhere;
  background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.2rem; }
h2 { margin: 1.75rem 0 0.5rem; font-size: 1rem; }
p { margin: 0.25rem 0; }
.quiet { color: var(--quiet); }
.progress { font-size: 1.15rem; font-weight: 600; }
.unusual { padding: 0.5rem 1rem 0.75rem 2rem; margin: 0; background: var(--card);
  border-left: 4px solid var(--S); border-radius: 6px; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 0.25rem 0.5rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
th { color: var(--quiet); font-weight: 500; }
pre { max-height: 24rem; overflow: auto; padding: 0.75rem; background: var(--card);
  border-radius: 8px; font-size: 0.8rem; white-space: pre-wrap; }
"""


def make_live_page(state: RunState, every: float) -> str:
    """All that there is to see of a run, as HTML that loads nothing.

    Args:
        state: of the run.
        every: s until the browser loads the page anew, as long as the run goes on.
    """
    name = state.folder.absolute().name
    refresh = ""
    if state.is_running:
        refresh = f'<meta http-equiv="refresh" content="{max(1, round(every))}">\n'
    body = [
        f"<h1>{_text(name)}</h1>",
        _paragraph(f"{describe_state(state)}; {describe_run(state)}", "quiet"),
        _paragraph(describe_progress(state), "progress"),
        _paragraph(describe_best(state)),
        _curves(state),
        _unusual(state),
        _samples(state),
        _log(state),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Whatever a name or a text of the run may hold: nothing is run or loaded.
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"{refresh}<title>{_text(name)}</title>\n<style>{_LOOK}{STYLE}</style>\n"
        f"</head>\n<body>\n{''.join(filter(None, body))}</body>\n</html>\n"
    )


def _text(text: str) -> str:
    return escape(text).encode(errors="replace").decode()


def _paragraph(text: str | None, kind: str = "") -> str:
    return f'<p class="{kind}">{_text(text)}</p>\n' if text else ""


def _curves(state: RunState) -> str:
    drawn = draw_svgs(state.curves)
    if not drawn:
        return _paragraph("No epoch is done yet, or logger.csv is false.", "quiet")
    return f'<h2>Learning</h2>\n<div class="curves">{drawn}</div>\n'


def _unusual(state: RunState) -> str:
    signs = find_signs(state)
    if not signs:
        return "" if not state.curves else _paragraph("Nothing unusual.", "quiet")
    items = "".join(f"<li>{_text(sign)}</li>" for sign in signs)
    return f'<h2>Unusual</h2>\n<ul class="unusual">{items}</ul>\n'


def _samples(state: RunState) -> str:
    if not state.log.samples:
        return ""
    rows = "".join(
        f'<tr><td>{_text(sample.id)}</td><td dir="auto">{_text(sample.reference)}</td>'
        f'<td dir="auto">{_text(sample.hypothesis)}</td></tr>'
        for sample in state.log.samples
    )
    return (
        "<h2>Utterances of dev</h2>\n<table><tr><th>id</th><th>said</th><th>heard</th>"
        f"</tr>{rows}</table>\n"
    )


def _log(state: RunState) -> str:
    lines = [
        f"{said.at:%Y-%m-%d %H:%M:%S} {said.text}"
        for said in state.log.lines[-MOST_LINES:]
    ]
    if not lines:
        return ""
    text = _text("\n".join(reversed(lines)))
    return f"<h2>Log, the newest line first</h2>\n<pre>{text}</pre>\n"
