"""What came of a run, and how it is told."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import lightning as L

from speechgru.checkpoint.storage import DESCRIPTION_KEY
from speechgru.run_files import BEST
from speechgru.training.callbacks import Checkpoints
from speechgru.training.task import TrainingTask
from speechgru.training.totals import describe_totals

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What came of a run.

    Attributes:
        folder: of the run.
        status: of the program's exit: 0, or 128 + the signal that ended the run.
        scores: of the best checkpoint on dev, e.g. {"val/wer": 0.042}; empty: it was
            not validated.
        summary: tells of it in words; empty of further processes, and of a run that
            was ended.
    """

    folder: Path
    status: int = 0
    scores: Mapping[str, float] = field(default_factory=dict)
    summary: str = ""

    @property
    def checkpoint(self) -> Path:
        """The best checkpoint."""
        return self.folder / BEST


def describe_outcome(task: TrainingTask, trainer: L.Trainer, folder: Path) -> Outcome:
    """Say how good the best checkpoint is, and where the results are."""
    checkpoints = next(c for c in trainer.callbacks if isinstance(c, Checkpoints))
    num_epochs = trainer.fit_loop.epoch_progress.current.processed
    scores = checkpoints.best_scores
    if checkpoints.best is None:
        outcome = f"not validated; {num_epochs} epochs"
    else:
        outcome = (
            f"best dev {task.describe_best(scores)}, in epoch "
            f"{checkpoints.best_epoch} of {num_epochs}"
        )
    metadata = {**task.description()[DESCRIPTION_KEY]["metadata"], "epoch": num_epochs}
    log.info("in all: %s", describe_totals(metadata))
    summary = (
        f"{outcome}; {task.cpu_seconds / 60:.1f} CPU-minutes\n"
        f"checkpoint: {folder / BEST}\nrun folder: {folder}"
    )
    return Outcome(folder, scores=scores, summary=summary)
