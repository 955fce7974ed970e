"""The runs that advice rests on, as `measured.yaml` lists them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from speechgru.options.config_file import read_config

TABLE = Path(__file__).with_name("measured.yaml")


@dataclass(frozen=True)
class MeasuredRun:
    """One run, or the mean of several that differ in their seed alone.

    Attributes:
        name: of the row.
        corpus: what was trained on.
        what: recipe, and what matters of it.
        source: where the results stand.
        hours: h of audio that was trained on; the next four are of the same.
        speakers: how many different ones.
        words: in the transcripts.
        vocabulary: different words among them.
        characters_per_second: the space included.
        tokens: "characters", "words" or "subwords".
        encoder: layers, units, kind.
        frame: ms from one output frame to the next.
        epochs: passes over the data.
        cpu_minutes: of the training process, one thread.
        wer: percent, greedy.
        scored_on: whom.
        seeds: runs of which the WER is the mean.
        commit: of the code; None: not recorded.
        frames_per_token: output frames for each that CTC needs, which all but the
            fastest twentieth of the utterances have; None: not counted.
        tokens_per_second: None: as many as characters, or not counted.
        recipe: as a recipe's YAML, less its corpus, to begin from; None: not to be.
    """

    name: str
    corpus: str
    what: str
    source: str
    hours: float
    speakers: int
    words: int
    vocabulary: int
    characters_per_second: float
    tokens: str
    encoder: str
    frame: float
    epochs: int
    cpu_minutes: float
    wer: float
    scored_on: str
    seeds: int
    commit: str | None
    frames_per_token: float | None = None
    tokens_per_second: float | None = None
    recipe: Mapping[str, Any] | None = None

    @property
    def num_layers(self) -> int:
        """Of the encoder."""
        return int(self.encoder.partition("x")[0])

    @property
    def hidden_size(self) -> int:
        """Units of a layer, per direction."""
        return int(self.encoder.partition("x")[2].split()[0])

    def describe(self) -> str:
        """A line: what it was, how long it took and what came of it.

        >>> print(read_measured_runs()[0].describe())
        yesno (0.07 h, 1 speaker): 2x64 bi-GRU, characters, 24 epochs, 1.5 CPU-minutes:
        WER 0.00 % (test, the same speaker; 3 seeds)
        """
        plural = "s" * (self.speakers != 1)
        return (
            f"{self.corpus} ({self.hours:.2f} h, {self.speakers} speaker{plural}): "
            f"{self.encoder}, {self.tokens}, {self.epochs} epochs, "
            f"{self.cpu_minutes:g} CPU-minutes:\nWER {self.wer:.2f} % "
            f"({self.scored_on}; {self.seeds} seed{'s' * (self.seeds != 1)})"
        )


@cache
def read_measured_runs() -> tuple[MeasuredRun, ...]:
    """All rows, in their order."""
    return tuple(MeasuredRun(**row) for row in _read_rows())


def _read_rows() -> Sequence[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_config(TABLE)["runs"]
    return rows


HEAD = (
    *("corpus", "hours", "speakers", "words", "different", "characters/s"),
    *(
        "what",
        "encoder",
        "tokens",
        "frame, ms",
        "frames/token",
        "epochs",
        "CPU-minutes",
    ),
    *("WER, %", "scored on", "seeds", "commit"),
)


def format_table(runs: Sequence[MeasuredRun]) -> list[str]:
    """Lines of a table in Markdown."""
    lines = [_row(HEAD), _row(["---"] * len(HEAD))]
    for run in runs:
        per_second = run.tokens_per_second
        tokens = run.tokens + ("" if per_second is None else f", {per_second:g}/s")
        lines.append(
            _row(
                [
                    *(run.corpus, f"{run.hours:.2f}", f"{run.speakers}"),
                    *(f"{run.words:,}", f"{run.vocabulary:,}"),
                    *(f"{run.characters_per_second:.1f}", run.what, run.encoder),
                    *(tokens, f"{run.frame:g}", _show(run.frames_per_token)),
                    f"{run.epochs}",
                    *(f"{run.cpu_minutes:g}", f"{run.wer:.2f}", run.scored_on),
                    *(f"{run.seeds}", run.commit or "not recorded"),
                ]
            )
        )
    return lines


def _show(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
