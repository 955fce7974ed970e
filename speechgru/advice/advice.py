"""What is recommended for a corpus, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from speechgru.advice.facts import CorpusFacts
from speechgru.advice.frames import Slack
from speechgru.advice.measured import MeasuredRun
from speechgru.options.training import TrainOptions


@dataclass(frozen=True)
class Choice:
    """A part of the advice.

    Attributes:
        option: full name, or several.
        value: as it is typed.
        why: in words, with what supports it.
    """

    option: str
    value: str
    why: str


@dataclass(frozen=True)
class Advice:
    """What to train with, and what is known of it.

    Attributes:
        facts: of the corpus.
        base: the run whose recipe it is, but for the choices.
        body: the recipe, as its YAML reads; without a corpus.
        options: the same, on the corpus.
        choices: what was decided, and why.
        unknown: what the table does not know.
        comparable: runs, the nearest first.
        slack: output frames for tokens.
    """

    facts: CorpusFacts
    base: MeasuredRun
    body: Mapping[str, Any]
    options: TrainOptions
    choices: tuple[Choice, ...]
    unknown: tuple[str, ...]
    comparable: tuple[MeasuredRun, ...]
    slack: Slack
