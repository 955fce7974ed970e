"""What is compared: every run, and the sizes of its encoder."""

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from speechgru.checkpoint.description import MODEL_GROUPS
from speechgru.checkpoint.models import build_model
from speechgru.options import TrainOptions, read_recipe
from speechgru.score.counts import error_rate

RESULTS = Path(__file__).parents[2] / "recipes/gru_vs_lstm/results.jsonl"
RUNS = Path("runs/gru_vs_lstm")

ENCODERS = {
    "fsdd-official": ("rnn", "lstm", "gru", "ligru", "mingru"),
    "fsdd-unseen": ("rnn", "lstm", "gru", "ligru", "mingru"),
    "an4": ("rnn", "lstm", "gru"),
}
SEEDS = (1, 2, 3)
# Equal parameters are compared everywhere, equal hidden size only here, and here
# seed 1 also tries other learning rates and lengths of training.
TRIALS = "fsdd-official"
LEARNING_RATES = (1.5e-3, 3e-3)
CHOSEN_RATES = {"rnn": 3e-3, "lstm": 3e-3, "gru": 3e-3, "ligru": 3e-3, "mingru": 3e-3}
LENGTHS = {
    0.5: ("rnn", "lstm", "gru", "ligru", "mingru"),
    2: ("rnn", "gru"),
}
LENGTHS_RATE = 3e-3
MAX_DISTANCE = 200  # frames
NUM_TOKENS = 17  # of the digits; on AN4 a few more, for all encoders alike


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
        corpus: a key of ENCODERS.
        encoder: a choice of conf/encoder.
        hidden_size: units per direction.
        seed: of everything.
        epochs: of training.
        learning_rate: the peak of the schedule.
    """

    corpus: str
    encoder: str
    hidden_size: int
    seed: int
    epochs: int
    learning_rate: float

    @property
    def folder(self) -> Path:
        """Of the run."""
        name = (
            f"{self.encoder}-{self.hidden_size}-{self.epochs}-epochs-"
            f"{self.learning_rate:g}"
        )
        return RUNS / self.corpus / name / f"s{self.seed}"

    @property
    def corpus_choice(self) -> tuple[str, dict[str, str]]:
        """The choice of the corpus, and its options."""
        name, _, partition = self.corpus.partition("-")
        return name, {"partition": partition} if partition else {}

    @property
    def corpus_overrides(self) -> list[str]:
        """Choose the corpus, on any command."""
        name, options = self.corpus_choice
        chosen = [f"corpus.{key}={value}" for key, value in options.items()]
        return [f"corpus={name}", *chosen]

    @property
    def overrides(self) -> list[str]:
        """Choose everything, for `train`."""
        return [
            f"recipe={recipe_name(self.corpus)}",
            *self.corpus_overrides,
            f"encoder={self.encoder}",
            f"encoder.hidden_size={self.hidden_size}",
            f"seed={self.seed}",
            f"trainer.max_epochs={self.epochs}",
            f"task.learning_rate={self.learning_rate}",
        ]


def planned_runs() -> Iterator[Run]:
    """All runs; whole seeds come first, so that what is there is comparable."""
    trials = [
        trial(encoder, 1, rate)
        for rate in LEARNING_RATES
        for encoder in ENCODERS[TRIALS]
    ] + [
        trial(encoder, factor, LENGTHS_RATE)
        for factor, encoders in LENGTHS.items()
        for encoder in encoders
    ]
    yield from trials
    for seed in SEEDS:
        for corpus, encoders in ENCODERS.items():
            for encoder in encoders:
                rate = CHOSEN_RATES[encoder]
                for hidden_size in sorted(set(hidden_sizes(corpus, encoder).values())):
                    run = Run(
                        corpus, encoder, hidden_size, seed, num_epochs(corpus), rate
                    )
                    if run not in trials:
                        yield run


def trial(encoder: str, factor: float, learning_rate: float) -> Run:
    """Train seed 1 for `factor` times as long as usual, at another rate."""
    hidden_size = hidden_sizes(TRIALS, encoder)["hidden"]
    epochs = int(factor * num_epochs(TRIALS))
    return Run(TRIALS, encoder, hidden_size, SEEDS[0], epochs, learning_rate)


def num_epochs(corpus: str) -> int:
    """For which every encoder is trained."""
    return train_options(corpus).trainer.max_epochs


@cache
def hidden_sizes(corpus: str, encoder: str) -> dict[str, int]:
    """Units per direction that make an encoder equal to the recipe's GRU.

    Returns:
        "hidden": at equal hidden size, on the corpus of the TRIALS.
        "parameters": at the nearest number of parameters of the whole model.
    """
    reference = train_options(corpus, "gru").encoder.options["hidden_size"]
    target = num_parameters(corpus, "gru", reference)
    above = bisect_left(
        range(4 * reference),
        target,
        lo=1,
        key=lambda size: num_parameters(corpus, encoder, size),
    )
    equal = min(
        (above - 1, above),
        key=lambda size: abs(num_parameters(corpus, encoder, size) - target),
    )
    if corpus == TRIALS:
        return {"hidden": reference, "parameters": equal}
    return {"parameters": equal}


@cache
def num_parameters(corpus: str, encoder: str, hidden_size: int) -> int:
    """Of the whole model."""
    options = train_options(corpus, encoder)
    sized = options.encoder.replace(hidden_size=hidden_size)
    groups = {name: getattr(options, name).to_plain() for name in MODEL_GROUPS}
    groups["encoder"] = sized.to_plain()
    return build_model(groups, NUM_TOKENS).num_parameters


@cache
def train_options(corpus: str, encoder: str = "gru") -> TrainOptions:
    """What the recipe of a corpus trains."""
    return read_recipe(recipe_name(corpus), encoder=encoder)


def recipe_name(corpus: str) -> str:
    """The recipe of a corpus."""
    return f"{corpus.partition('-')[0]}/gru_vs_lstm"


def finished(path: Path) -> set[Run]:
    """The runs that have a line."""
    if not path.exists():
        return set()
    return {read_run(json.loads(line)) for line in path.read_text().splitlines()}


def read_run(line: Mapping[str, Any]) -> Run:
    """The run that a line of results.jsonl tells of."""
    return Run(**{field.name: line[field.name] for field in fields(Run)})


def wer(result: dict[str, Any], split: str) -> float:
    """The word error rate that a line of results.jsonl says."""
    return error_rate(sum(result[split]["edits"]), sum(result[split]["words"]))
