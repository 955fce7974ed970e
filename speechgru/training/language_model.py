"""Training a language model."""

import math
from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from speechgru.interfaces import TextBatch
from speechgru.training.task import TrainingTask


class LanguageModelTask(TrainingTask):
    """Make texts probable; validated by the loss of texts that were held out.

    Losses are logged per token, ends of texts included; e to their power is the
    perplexity. The loss of an optimiser step is that of its texts, divided by
    their number.
    """

    scores: ClassVar[dict[str, str]] = {"val/loss": "{:.4f}"}
    losses_per_token = ("train/loss", "val/loss")

    def describe_best(self, best: Mapping[str, float]) -> str:
        """Say how good the best checkpoint is."""
        loss = best["val/loss"]
        return f"loss {loss:.4f} per token, perplexity {math.exp(loss):.2f}"

    def training_step(self, batch: TextBatch, batch_index: int) -> Tensor:
        """Sum the losses of one part of a step."""
        with self.keyed(batch):
            losses = self.model(batch.token_ids, batch.lengths)
        self.watch_losses(losses, batch.ids)
        self.log_train_loss(losses, batch.lengths + 1)
        return self.share_of_step(losses, batch.step_size)

    def validation_step(self, batch: TextBatch, batch_index: int) -> None:
        """Score texts that were held out."""
        losses = self.scored_model(batch.token_ids, batch.lengths)
        self.val_loss.update(losses.sum(), int((batch.lengths + 1).sum()))
        size = len(batch.ids)
        self.log("val/loss", self.val_loss, on_epoch=True, batch_size=size)
