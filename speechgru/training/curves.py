"""The picture of the learning curves, kept up to date."""

import logging
import math
import time
from pathlib import Path

import lightning as L
from lightning.pytorch.callbacks import Callback

from speechgru.files import replace_file
from speechgru.interfaces import InputError
from speechgru.run_files import CURVES
from speechgru.score.curves import draw_curves
from speechgru.score.learning import read_learning_curves
from speechgru.training.task import TrainingTask

log = logging.getLogger(__name__)


class Curves(Callback):
    """Keep `curves.png` in the run folder up to date while it trains.

    Args:
        folder: of the run; its metrics/ are drawn.
        draw_every: s between pictures, at least; the last epoch is always drawn.
    """

    def __init__(self, folder: str | Path, draw_every: float) -> None:
        self.folder = Path(folder)
        self.draw_every = draw_every
        self._drawn_at = -math.inf

    def on_train_epoch_start(self, trainer: L.Trainer, task: TrainingTask) -> None:
        """Draw the epochs before, unless it was done a moment ago."""
        # At the end of an epoch Lightning has not logged all of it yet.
        due = time.monotonic() - self._drawn_at >= self.draw_every
        if trainer.is_global_zero and due and trainer.current_epoch > 0:
            self._draw(trainer)

    def on_train_end(self, trainer: L.Trainer, task: TrainingTask) -> None:
        """Draw the last epoch."""
        if trainer.is_global_zero:
            self._draw(trainer)

    def _draw(self, trainer: L.Trainer) -> None:
        for logger in trainer.loggers:
            logger.save()
        self._drawn_at = time.monotonic()
        try:
            curves = read_learning_curves(self.folder)
        except InputError as error:  # no reason to end a training
            log.warning("%s is not drawn: %s", CURVES, error)
            return
        replace_file(self.folder / CURVES, draw_curves(curves, str(self.folder)))
