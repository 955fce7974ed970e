"""What a run has said so far: its train.log, which it may be writing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from speechgru.bounded import open_file

MOST_BYTES = 8 << 20
"""Of a log; of a longer one its end is read."""

MOST_SAMPLES = 10
MOST_LENGTH = 2000  # characters of a line

_LINE = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d{3} (INFO|WARNING|ERROR|CRITICAL) (.*)"
)
# How many epochs there are to be is not known before trainer.max_time is planned.
_OF_EPOCHS = r"epoch (\d{1,9})(?:/(\d{1,9}))?: "
_EPOCH = re.compile(_OF_EPOCHS + "train/loss")
_STEP = re.compile(_OF_EPOCHS + r"(\d{1,9}) of \d{1,9} steps")
_AN_EPOCH = re.compile(r"(\d{1,9}) steps an epoch, ")
_DURATION = r"(\d{1,9}(?::\d\d)? (?:s|min|h))"
_LEFT = re.compile(rf"{_DURATION} left(?: of the run)?$")
_WHOLE = re.compile(
    rf"an epoch, (?:at most )?{_DURATION} for (?:what is left of )?\d+ epoch"
)
_HEARD = " | heard: "
_BEGINNING = re.compile(r"\d+ parameters, \d+ tokens, ")
_SAVED = "saved; go on with:"
_ADVICE = "advice: "


@dataclass(frozen=True)
class Said:
    """A line of a log.

    Attributes:
        at: when, by the clock of the machine that trains.
        is_sign: whether to look at it: a warning, an error, or advice.
        text: without its time.
    """

    at: datetime
    is_sign: bool
    text: str


@dataclass(frozen=True)
class Sample:
    """An utterance of dev, as the model hears it."""

    id: str
    reference: str
    hypothesis: str


@dataclass(frozen=True)
class RunLog:
    """What a log comes to.

    Attributes:
        lines: all of them that have a time.
        epochs_done: epochs that were said to be done.
        num_epochs: of the run; None: not said yet.
        epoch, step: at which it was last, both counted from 1; None: not said.
        steps_per_epoch: None: not said yet.
        seconds_left: s, as of the last line; None: not said.
        samples: the last ones.
        was_saved: whether a signal has ended it.
    """

    lines: tuple[Said, ...]
    epochs_done: int
    num_epochs: int | None
    epoch: int | None
    step: int | None
    steps_per_epoch: int | None
    seconds_left: float | None
    samples: tuple[Sample, ...]
    was_saved: bool

    @property
    def seconds(self) -> float:
        """s from the first line to the last, without pauses between resumptions."""
        return sum(
            max(0.0, (after.at - before.at).total_seconds())
            for before, after in pairwise(self.lines)
            if not _BEGINNING.match(after.text)
        )

    @property
    def signs(self) -> list[Said]:
        """Each of them once, where it was said last."""
        last = {said.text: said for said in self.lines if said.is_sign}
        return sorted(last.values(), key=lambda said: said.at)


def read_log(path: Path) -> RunLog:
    """Read a log, of which the last line may be half written.

    Raises:
        OSError: it cannot be read, or is no file.
    """
    with open_file(path) as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - MOST_BYTES))
        content = file.read(MOST_BYTES)
    whole = content[: content.rfind(b"\n") + 1].decode(errors="replace")
    return parse_log(whole.split("\n"))


def parse_log(lines: Sequence[str]) -> RunLog:
    """Understand the lines of a log; other lines are left out."""
    said = [*filter(None, map(_parse_line, lines))]
    epochs_done, num_epochs, epoch, step, per_epoch = 0, None, None, None, None
    left: tuple[datetime, float] | None = None
    samples: list[Sample] = []
    was_sample = was_saved = False
    for each in said:
        if (sample := _parse_sample(each.text)) is not None:
            samples = [*samples, sample] if was_sample else [sample]
            was_sample = True
            continue
        was_sample = False
        was_saved = each.text.startswith(_SAVED)
        if found := _EPOCH.match(each.text):
            epochs_done, num_epochs = int(found[1]), _read_number(found[2])
            epoch, step = epochs_done, None
        elif found := _STEP.match(each.text):
            epoch, num_epochs = int(found[1]), _read_number(found[2])
            epochs_done, step = epoch - 1, int(found[3])
        elif found := _AN_EPOCH.match(each.text):
            per_epoch = int(found[1])
        if found := _LEFT.search(each.text) or _WHOLE.search(each.text):
            left = each.at, parse_duration(found[1])
    seconds_left = None
    if left is not None:
        gone = (said[-1].at - left[0]).total_seconds()
        seconds_left = max(0.0, left[1] - gone)
    return RunLog(
        tuple(said),
        epochs_done,
        num_epochs,
        epoch,
        step,
        per_epoch,
        seconds_left,
        tuple(samples[:MOST_SAMPLES]),
        was_saved,
    )


def parse_duration(text: str) -> float:
    """s, of a time as the log says it.

    >>> parse_duration("8 s"), parse_duration("3:20 min"), parse_duration("9:05 h")
    (8.0, 200.0, 32700.0)
    """
    number, unit = text.split()
    first, _, second = number.partition(":")
    larger, smaller = {"s": (1, 0), "min": (60, 1), "h": (3600, 60)}[unit]
    return float(int(first) * larger + int(second or 0) * smaller)


def _read_number(text: str | None) -> int | None:
    return None if text is None else int(text)


def _parse_sample(text: str) -> Sample | None:
    head, heard, hypothesis = text.rpartition(_HEARD)
    if not heard or not text.startswith("  "):
        return None
    id, _, reference = head.strip().partition(": ")
    return Sample(id, reference, hypothesis)


def _parse_line(line: str) -> Said | None:
    found = _LINE.fullmatch(line[:MOST_LENGTH])
    if found is None:
        return None
    try:
        at = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return None
    return Said(at, found[2] != "INFO" or found[3].startswith(_ADVICE), found[3])
