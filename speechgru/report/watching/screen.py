"""A run as text, for a terminal."""

import textwrap

from speechgru.files import printable
from speechgru.report.watching.facts import (
    describe_best,
    describe_progress,
    describe_run,
    describe_state,
)
from speechgru.report.watching.plot import plot, side_by_side
from speechgru.report.watching.signs import find_signs
from speechgru.report.watching.state import RunState
from speechgru.score.panels import RATE, make_panels

NARROWEST = 40  # columns
HEIGHT = 9  # lines of a plot
MOST_SIGNS = 6
MOST_SAMPLES = 3


def draw_screen(state: RunState, width: int) -> str:
    """All that there is to see of a run, as lines.

    Args:
        state: of the run.
        width: columns of the terminal.
    """
    width = max(NARROWEST, width)
    facts = [
        f"{state.folder}: {describe_state(state)}",
        describe_run(state),
        describe_progress(state),
        describe_best(state),
    ]
    lines = [
        piece for fact in facts if fact for piece in _wrap(printable(fact), width, "  ")
    ]
    panels = [panel for panel in make_panels(state.curves) if panel.title != RATE]
    if panels:
        each = min(76, width if width < 100 else (width - 3) // 2)
        lines += ["", *side_by_side([plot(p, each, HEIGHT) for p in panels], width)]
    signs = find_signs(state)
    if signs:
        lines += ["", "unusual:"]
        for sign in signs[-MOST_SIGNS:]:
            lines += _wrap(f"- {printable(sign)}", width, "  ")
        if len(signs) > MOST_SIGNS:
            lines.append(f"- and {len(signs) - MOST_SIGNS} before; see train.log")
    elif state.curves:
        lines += ["", "nothing unusual"]
    if state.log.samples:
        lines += ["", "utterances of dev, said and heard:"]
        for sample in state.log.samples[:MOST_SAMPLES]:
            for name, text in (
                ("said ", sample.reference),
                ("heard", sample.hypothesis),
            ):
                lines += _wrap(f"{name} {printable(text)}", width, "      ")
    return "\n".join(lines) + "\n"


def _wrap(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent=indent) or [""]
