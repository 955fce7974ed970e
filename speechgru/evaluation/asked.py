"""What is to be scored: a checkpoint on a split, of which a run knows the most."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from speechgru.checkpoint.chosen import choose_checkpoint
from speechgru.evaluation.posteriors import Split, read_split
from speechgru.factory import name_corpus
from speechgru.files import printable
from speechgru.interfaces import InputError
from speechgru.options.choices import choices
from speechgru.options.evaluation import ReadingOptions, SplitOptions
from speechgru.progress import say_line
from speechgru.runs.data import hold_to_run
from speechgru.runs.known import UNCHANGED, Changes, KnownRun, find_run

Command = TypeVar("Command", bound=SplitOptions)


@dataclass(frozen=True)
class Asked(Generic[Command]):
    """A checkpoint and the split that it is to hear.

    Attributes:
        checkpoint: the file.
        options: of the command, with a corpus.
        run: whose corpus it is; None: the user has named one.
        role: "train" or "dev", of the run, whose data the split must be; None: it is
            neither, or was changed on purpose.
    """

    checkpoint: Path
    options: Command
    run: KnownRun | None = None
    role: str | None = None

    def read_split(self) -> Split:
        """Read the utterances.

        Raises:
            InputError: they cannot be read, or are not those that the run had.
        """
        if self.run is None:
            return read_split(self.options)
        with self.run.explaining():
            split = read_split(self.options)
        if self.role is not None:
            hold_to_run(self.run, self.role, split.utterances)
        return split


def ask(
    path: str | Path, options: Command, changes: Changes = UNCHANGED
) -> Asked[Command]:
    """Find out what is to be scored; what a run decides is said.

    Args:
        path: a checkpoint, or the folder of a run.
        options: of the command; without a corpus it is that of the run.
        changes: of the run's corpus.

    Raises:
        InputError: no corpus is named, and there is no run; or its folder does not
            hold what a run writes.
    """
    checkpoint = choose_checkpoint(path)
    folder = find_run(path)
    if options.corpus is not None:
        return Asked(checkpoint, options)
    if folder is None:
        if not checkpoint.exists():
            raise InputError(f"{path}: no such run or checkpoint; check the path")
        raise InputError(
            f"{path}: lies in no run folder, and corpus is not chosen; set "
            f"corpus=NAME, one of: {', '.join(choices('corpus'))}"
        )
    run = KnownRun.read(folder, options.trust, changes)
    split, fold = options.split, options.fold
    if split == "dev" and fold is None:
        split, fold = run.options.data.dev_split, run.fold
    resample = options.data.resample or run.options.data.resample
    settled = dataclasses.replace(
        options,
        corpus=run.corpus,
        split=split,
        fold=fold,
        data=ReadingOptions(resample=resample),
    )
    role = None if changes.options else _find_role(run, split, fold)
    said = f"split={split}" if fold is None else f"fold={fold}"
    say_line(printable(f"corpus of the run: {name_corpus(run.corpus)}, {said}"))
    return Asked(checkpoint, settled, run, role)


def _find_role(run: KnownRun, split: str, fold: str | None) -> str | None:
    data = run.options.data
    if fold is not None or data.fold is not None:
        return "dev" if fold is not None and fold == data.fold else None
    return {data.dev_split: "dev", data.train_split: "train"}.get(split)
