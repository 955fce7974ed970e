"""Ending a run that gets no better."""

import logging
from typing import Any

import lightning as L
from lightning.pytorch import callbacks

from speechgru.training.task import TrainingTask

log = logging.getLogger(__name__)


class EarlyStopping(callbacks.EarlyStopping):
    """Lightning's, but a run that it has ended does not train on when resumed.

    It has the same name, by which its state is found in checkpoints.
    """

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on waiting; with the patience of now, which may be another one."""
        super().load_state_dict({**state_dict, "patience": self.patience})

    def on_fit_start(self, trainer: L.Trainer, task: TrainingTask) -> None:
        """Stop at once if it was too long without a better score."""
        if self.wait_count >= self.patience:
            log.info(
                "no lower %s in %d epochs: stopped; to train on, raise "
                "callbacks.early_stopping_patience",
                self.monitor,
                self.wait_count,
            )
            trainer.should_stop = True
