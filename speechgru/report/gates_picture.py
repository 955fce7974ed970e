"""One picture of what a GRU encoder did while it heard a recording."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, pairwise
from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from speechgru.files import printable
from speechgru.interfaces import Span
from speechgru.model.encoders.gru_cell import GRUTrace
from speechgru.report import gates_rows
from speechgru.transcribe.transcriber import Transcript

STRIP_SECONDS = 6.0
"""s; a longer recording goes on below, as music does on its sheet."""

# Inches.
LEFT, WIDTH, RIGHT, BOTTOM = 1.0, 10.0, 2.3, 0.6
GAP = 0.15  # between rows
LINE = 0.2  # of text

FONT, BOLD_FONT = FontProperties(size=10), FontProperties(size=10, weight="bold")
POINTS = 72  # per inch


@dataclass(frozen=True)
class Observation:
    """What was seen inside a model while it transcribed one recording.

    Dimensions: S samples, N feature frames, F features, T output frames,
    H units, C tokens.

    Attributes:
        transcript: what was heard.
        waveform: (S,) float in [-1, 1].
        sample_rate: Hz.
        features: (N, F), before normalisation.
        feature_name: their kind, e.g. LogMel.
        hop: s between feature frames.
        traces: (T, H) gates of every layer and direction, forward first.
        probabilities: (T, C), of every token at every output frame.
        tokens: C texts, the blank first.
        seconds_per_frame: s, of an output frame.
    """

    transcript: Transcript
    waveform: Tensor
    sample_rate: int
    features: Tensor
    feature_name: str
    hop: float
    traces: Sequence[Sequence[GRUTrace]]
    probabilities: Tensor
    tokens: Sequence[str]
    seconds_per_frame: float

    @property
    def end(self) -> float:
        """Where the last output frame ends, in s."""
        return len(self.probabilities) * self.seconds_per_frame

    @property
    def frame_times(self) -> Tensor:
        """(T,) s, the middle of every output frame."""
        return (torch.arange(len(self.probabilities)) + 0.5) * self.seconds_per_frame


@dataclass(frozen=True)
class Label:
    """The text of a word or token, at a time (s) and on a line, from 0 upwards."""

    text: str
    time: float
    line: int


@dataclass(frozen=True)
class Strip:
    """A part of the recording (s), all of whose rows share one time axis."""

    start: float
    end: float
    words: list[Label]
    tokens: list[Label]


def draw(seen: Observation) -> Figure:
    """Draw waveform, features, gates and token probabilities over time."""
    strips = cut_strips(seen)
    title = _wrap_title(seen.transcript)
    heights, gaps = [], []
    for strip in strips:
        heights += [0.9, 1.5, *[1.1] * len(seen.traces), 1.5]
        gaps += [BOTTOM + LINE * (1 + _count_lines(strip.words))]
        gaps += [GAP] * (1 + len(seen.traces))
        gaps += [GAP + LINE * _count_lines(strip.tokens)]
    gaps[0] += LINE * len(title) - BOTTOM
    figure, rows = _stack_rows(heights, gaps)
    _write_title(figure, title)
    num_rows = len(rows) // len(strips)
    for index, strip in enumerate(strips):
        _draw_strip(rows[index * num_rows : (index + 1) * num_rows], strip, seen)
    gates_rows.explain_gates(rows[2], seen.traces[0])
    gates_rows.explain_tokens(rows[num_rows - 1])
    figure.align_ylabels(rows)
    return figure


def cut_strips(seen: Observation) -> list[Strip]:
    """Divide a recording into equal strips of at most STRIP_SECONDS."""
    count = math.ceil(seen.end / STRIP_SECONDS)
    edges = [seen.end * index / count for index in range(count + 1)]
    return [
        Strip(
            start,
            end,
            place_labels(seen.transcript.words, start, end),
            place_labels(seen.transcript.tokens, start, end),
        )
        for start, end in pairwise(edges)
    ]


def place_labels(spans: Sequence[Span], start: float, end: float) -> list[Label]:
    """Label the spans, in order of time, whose middle lies in a strip.

    Each label takes the lowest line on which it touches no other.
    """
    labels = []
    taken: list[float] = []  # inches, up to where each line is full
    for span in spans:
        time = (span.start + span.end) / 2
        if not start <= time < end:
            continue
        points, _, _ = text_to_path.get_text_width_height_descent(
            _visible(span.text), BOLD_FONT, ismath=False
        )
        middle, half = WIDTH * (time - start) / (end - start), points / POINTS / 2
        free = (line for line, full in enumerate(taken) if full < middle - half)
        line = next(free, len(taken))
        taken[line : line + 1] = [middle + half + 0.05]
        labels.append(Label(span.text, time, line))
    return labels


def _visible(text: str) -> str:
    return text.replace(" ", "␣")


def _count_lines(labels: Sequence[Label]) -> int:
    return max((label.line + 1 for label in labels), default=0)


def _wrap_title(transcript: Transcript) -> list[str]:
    name = printable(Path(transcript.source).name)
    heard = f"heard: {transcript.text or '(nothing)'}"
    # A capital letter is about 0.7 of its size wide.
    num_letters = int(WIDTH * POINTS / (0.7 * FONT.get_size()))
    return [
        f"{name}, {transcript.duration:.2f} s",
        *textwrap.wrap(heard, num_letters),
    ]


def _write_title(figure: Figure, title: Sequence[str]) -> None:
    width, height = figure.get_size_inches()
    for index, line in enumerate(title):
        figure.text(
            LEFT / width,
            1 - (LINE * (index + 1) + 0.05) / height,
            line,
            fontproperties=FONT if index else BOLD_FONT,
            parse_math=False,  # a dollar is a dollar
        )


def _stack_rows(
    heights: Sequence[float], gaps: Sequence[float]
) -> tuple[Figure, list[Axes]]:
    """Stack rows of the given inches, each below its gap."""
    width, height = LEFT + WIDTH + RIGHT, sum(heights) + sum(gaps) + BOTTOM
    figure = Figure((width, height), dpi=150)
    rows = []
    bottom = height
    for row_height, gap in zip(heights, gaps, strict=True):
        bottom -= gap + row_height
        box = (LEFT / width, bottom / height, WIDTH / width, row_height / height)
        rows.append(figure.add_axes(box))
    return figure, rows


def _draw_strip(rows: Sequence[Axes], strip: Strip, seen: Observation) -> None:
    waveform_row, feature_row, *gate_rows, token_row = rows
    gates_rows.draw_waveform(waveform_row, seen.waveform, seen.sample_rate)
    gates_rows.draw_features(feature_row, seen.features, seen.hop, seen.feature_name)
    for layer, (row, traces) in enumerate(zip(gate_rows, seen.traces, strict=True), 1):
        gates_rows.draw_gates(row, traces, seen.frame_times, layer)
    heard = dict.fromkeys(token.text for token in seen.transcript.tokens)
    colors = dict(zip(heard, cycle(gates_rows.TOKEN_COLORS), strict=False))
    drawn = {list(seen.tokens).index(text): color for text, color in colors.items()}
    gates_rows.draw_tokens(token_row, seen.probabilities, seen.frame_times, drawn)
    for row in rows:
        for word in seen.transcript.words:
            gates_rows.mark_word(row, word.start, word.end)
        row.set_xlim(strip.start, strip.end)
        row.xaxis.set_major_locator(MaxNLocator(15, steps=[1, 2, 5, 10]))
        row.tick_params(labelbottom=row is token_row)
    token_row.set_xlabel("time (s)")
    _write_labels(waveform_row, strip.words, {})
    _write_labels(token_row, strip.tokens, colors)


def _write_labels(
    row: Axes, labels: Sequence[Label], colors: Mapping[str, str]
) -> None:
    for label in labels:
        row.annotate(
            _visible(label.text),
            (label.time, 1),
            xycoords=row.get_xaxis_transform(),
            xytext=(0, 4 + label.line * LINE * POINTS),
            textcoords="offset points",
            horizontalalignment="center",
            color=colors.get(label.text, "black"),
            fontproperties=BOLD_FONT,
            parse_math=False,
        )
