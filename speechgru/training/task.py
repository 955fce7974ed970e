"""What all training has in common: the step, its schedule, and its checkpoints."""

import logging
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from speechgru.checkpoint.storage import DESCRIPTION_KEY, MODEL_PREFIX, describe
from speechgru.data.randomness import keyed_seed
from speechgru.features.keyed_draws import keyed_by
from speechgru.interfaces import Batch, InputError, TextBatch, Tokenizer
from speechgru.training.mean import Mean
from speechgru.training.optimisation import Optimisation

log = logging.getLogger(__name__)

LOSSES_KEY = "train_losses"
"""Of the sums in a checkpoint of the middle of an epoch, over all processes."""


class TrainingTask(Optimisation):
    """Optimise a model, and describe it in checkpoints.

    The loss of an optimiser step is the sum over its items divided by their
    number, over all processes and accumulated batches, so it does not depend on
    how a step is dealt out.

    Args:
        model: what is trained.
        tokenizer: of the targets.
        model_config: describes the model in checkpoints.
        metadata: describes the run in checkpoints; plain values.
        options: see `Optimisation`.
    """

    scores: ClassVar[Mapping[str, str]]
    """Names of what validation logs and how each is shown: the one that makes
    a checkpoint the best first, then those that decide between equal ones."""

    losses_per_token: ClassVar[tuple[str, str]]
    """Names of the losses of train and dev that splits can be compared by."""

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Tokenizer,
        model_config: Mapping[str, Any],
        metadata: Mapping[str, Any],
        **options: Any,
    ) -> None:
        super().__init__(model, **options)
        self.tokenizer = tokenizer
        self.model_config = model_config
        self.metadata = dict(metadata)
        # Sums over items and processes, whatever the sizes of batches.
        self.train_loss = Mean()
        self.val_loss = Mean()
        self.train_loss_per_token = Mean()
        self.val_loss_per_token = Mean()
        self.samples: list[tuple[str, str, str]] = []
        self._cpu_seconds_before = self._cpu_seconds_of_others = 0.0

    def describe_best(self, best: Mapping[str, float]) -> str:
        """Say how good the best checkpoint is, by its scores, the decisive first."""
        raise NotImplementedError

    @contextmanager
    def keyed(self, batch: Batch | TextBatch, num_views: int = 1) -> Iterator[None]:
        """Within, all that is random is keyed.

        What the model draws for an item, by the epoch and the item, so that it does not
        depend on how a step is dealt out; what torch's own generator draws, by the
        batch.

        Args:
            batch: whose items are computed.
            num_views: of each item in it.
        """
        epoch, step, part = batch.key
        torch.manual_seed(keyed_seed("step", self.seed, epoch, step, part))
        size = len(batch.ids) // num_views
        keys = [
            keyed_seed("item", self.seed, epoch, id, index // size)
            for index, id in enumerate(batch.ids)
        ]
        shared = keys[:size] * num_views
        with keyed_by(keys, keyed_seed("step", self.seed, epoch, step), shared):
            yield

    def share_of_step(self, total: Tensor, step_size: int) -> Tensor:
        """What a batch adds to the loss of its step.

        Args:
            total: (B,) losses of its items.
            step_size: items in the whole step.
        """
        # Lightning averages over accumulated batches, and DDP over processes;
        # undo both, since parts of a step differ in size.
        num_parts = self.trainer.world_size * self.trainer.accumulate_grad_batches
        return total.sum() * num_parts / step_size

    def log_loss_per_token(self, part: str, losses: Tensor, num_tokens: Tensor) -> None:
        """Log what splits of other lengths can be compared by.

        Args:
            part: "train" or "val".
            losses: (B,), of the items of a batch.
            num_tokens: (B,), of their targets, on the host.
        """
        metric = getattr(self, f"{part}_loss_per_token")
        # By the batch: an item without words has a loss, but no tokens.
        metric.update(losses.detach().sum(), max(1, int(num_tokens.sum())))
        self.log(
            f"{part}/loss_per_token",
            metric,
            on_step=False,
            on_epoch=True,
            batch_size=len(losses),
        )

    def log_train_loss(self, losses: Tensor, sizes: Tensor | None = None) -> None:
        """Log losses of a batch of training.

        Args:
            losses: (B,), of its items.
            sizes: (B,) what each is to be divided by, on the host; None: 1.
        """
        size = len(losses)
        total = losses.detach().sum()
        weight = size if sizes is None else int(sizes.sum())
        self.train_loss.update(total, weight)
        mean = total / weight
        self.log("train/step_loss", mean, batch_size=size)
        self.log(
            "train/loss", self.train_loss, on_step=False, on_epoch=True, batch_size=size
        )

    def on_train_start(self) -> None:
        """Validate behind the last batch of an epoch, also of a shorter one."""
        super().on_train_start()
        self.trainer.val_check_batch = math.inf

    def on_train_epoch_end(self) -> None:
        """Log the time behind."""
        self._count_cpu_seconds()
        self.log("train/cpu_seconds", self.cpu_seconds, rank_zero_only=True)
        seconds = self.trainer.datamodule.length.seconds
        self.log("train/wall_seconds", seconds, rank_zero_only=True)

    def description(self) -> dict[str, Any]:
        """What a checkpoint says of the model and the run, as of now."""
        progress = {
            "epoch": self.current_epoch + 1,  # as the log counts
            "step": self.global_step,
            "cpu_seconds": round(self.cpu_seconds, 1),
            "wall_seconds": round(self.trainer.datamodule.length.seconds, 1),
            **{
                name.replace("/", "_"): round(float(value), 6)
                for name, value in self.trainer.callback_metrics.items()
                if name in self.scores
            },
        }
        return describe(
            self.model_config, self.tokenizer.config(), {**self.metadata, **progress}
        )

    def best_state_dict(self) -> dict[str, Tensor]:
        """The weights to transcribe with, by their names in a checkpoint."""
        return {
            f"{MODEL_PREFIX}{name}": value
            for name, value in self.scored_model.state_dict().items()
        }

    @property
    def cpu_seconds(self) -> float:
        """CPU time of this process, of the others, and of those that are resumed.

        That of the others is of when it was counted last: at the end of an epoch, and
        when all is saved.
        """
        resumed, others = self._cpu_seconds_before, self._cpu_seconds_of_others
        return resumed + others + time.process_time()

    def _count_cpu_seconds(self) -> None:
        """Ask the other processes, which must ask, too."""
        # Whoever reads the metrics of an epoch first waits for the others to read them.
        _ = self.trainer.callback_metrics
        own = torch.tensor(time.process_time(), device=self.device)
        total = self.trainer.strategy.reduce(own.clone(), reduce_op="sum")
        self._cpu_seconds_of_others = float(total - own)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Make the checkpoint describe itself; keep the losses of the epoch so far."""
        self._count_cpu_seconds()
        checkpoint.update(self.description())
        pairs = [[metric.total, metric.weight] for metric in self._train_losses]
        sums = torch.stack([torch.stack(pair) for pair in pairs])
        sums = self.trainer.strategy.reduce(sums, reduce_op="sum")
        loop = self.trainer.fit_loop.epoch_loop
        if not loop.batch_progress.is_last_batch:  # else they were logged
            checkpoint[LOSSES_KEY] = sums

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on counting.

        Raises:
            InputError: the optimiser of the run has its parameters in other groups.
        """
        metadata = checkpoint[DESCRIPTION_KEY]["metadata"]
        expected = [len(group["params"]) for group in self.parameter_groups()]
        for state in checkpoint["optimizer_states"]:
            found = [len(group["params"]) for group in state["param_groups"]]
            if found != expected:
                raise InputError(
                    f"the optimiser of this run has groups of {found} parameters, "
                    f"expected {expected}: speechgru {metadata.get('speechgru')}, "
                    f"commit {metadata.get('commit')}, began it; go on with that "
                    "version, or start anew, perhaps with init_from"
                )
        self.metadata = {**metadata, **self.metadata, "step": metadata["step"]}
        self._cpu_seconds_before = metadata["cpu_seconds"]
        sums = checkpoint.get(LOSSES_KEY)
        if isinstance(sums, Tensor) and self.trainer.is_global_zero:
            for metric, pair in zip(self._train_losses, sums, strict=True):
                metric.total, metric.weight = pair.to(metric.total.device)

    @property
    def _train_losses(self) -> tuple[Mean, Mean]:
        """What an epoch of training adds up."""
        return self.train_loss, self.train_loss_per_token
