"""What all training has in common: the step, its schedule, and its checkpoints."""

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import lightning as L
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torchmetrics import MeanMetric

from speechgru.checkpoint.storage import DESCRIPTION_KEY, MODEL_PREFIX, describe
from speechgru.interfaces import InputError, Tokenizer
from speechgru.model.encoders.contract import BlockEncoder
from speechgru.ranges import SEED, OptionError, Range, check, nearest
from speechgru.training.muon import Muon
from speechgru.training.schedule import SCHEDULES

log = logging.getLogger(__name__)

LOSSES_KEY = "train_losses"
"""Of the sums in a checkpoint of the middle of an epoch, over all processes."""

KEPT = "; the last good checkpoint is kept in the run folder"


class TrainingTask(L.LightningModule):
    """Optimise a model, and describe it in checkpoints.

    The loss of an optimiser step is the sum over its items divided by their
    number, over all processes and accumulated batches, so it does not depend on
    how a step is dealt out.

    With `average`, what is validated and kept in checkpoints as the best is
    not the last weights but their exponential moving average.

    Args:
        model: what is trained.
        tokenizer: of the targets.
        model_config: describes the model in checkpoints.
        metadata: describes the run in checkpoints; plain values.
        seed: of the run; keys all randomness of a step with its batch.
        learning_rate: the peak of the schedule.
        weight_decay: decoupled; on weight matrices, not on biases.
        schedule: a name in task.schedule.SCHEDULES.
        warmup: share of all steps until the peak.
        clip_norm: largest norm of a step's gradient.
        average: how much of the average a step leaves, e.g. 0.999; 0 keeps none.
        optimizer: "adamw", or "muon" for the matrices of the encoder's layers and
            of convolutions in front of it.

    Source:
        AdamW: arXiv:1711.05101.
    """

    scores: Mapping[str, str]
    """Names of what validation logs and how each is shown: the one that makes
    a checkpoint the best first, then those that decide between equal ones."""

    losses_per_token: tuple[str, str]
    """Names of the losses of train and dev that splits can be compared by."""

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Tokenizer,
        model_config: Mapping[str, Any],
        metadata: Mapping[str, Any],
        seed: int,
        learning_rate: float,
        weight_decay: float,
        schedule: str,
        warmup: float,
        clip_norm: float,
        average: float = 0.0,
        optimizer: str = "adamw",
    ) -> None:
        super().__init__()
        if schedule not in SCHEDULES:
            raise OptionError(
                f"schedule is {schedule!r}, expected one of: {', '.join(SCHEDULES)}"
                f"{nearest(schedule, SCHEDULES)}"
            )
        if optimizer not in ("adamw", "muon"):
            raise OptionError(
                f"optimizer is {optimizer!r}, expected one of: adamw, muon"
            )
        if optimizer == "muon" and not isinstance(model.encoder, BlockEncoder):
            raise OptionError(
                f"optimizer is muon, but the encoder {type(model.encoder).__name__} "
                "does not say which matrices its weights consist of; set "
                "task.optimizer=adamw, choose a recurrent encoder, or give yours "
                f"weight_blocks ({BlockEncoder.__module__}.BlockEncoder)"
            )
        check("seed", seed, SEED)
        check("learning_rate", learning_rate, Range(0, 1000, above=True))
        check("weight_decay", weight_decay, Range(0, 1000))
        check("warmup", warmup, Range(0, 1, above=True, below=True))
        check("clip_norm", clip_norm, Range(0, math.inf, above=True))
        check("average", average, Range(0, 1, below=True))
        self.model = model
        self.uses_muon = optimizer == "muon"
        self.averaged = None
        if average:
            self.averaged = AveragedModel(model, multi_avg_fn=moving_average(average))
            self.averaged.requires_grad_(False)
        self.tokenizer = tokenizer
        self.model_config = model_config
        self.metadata = dict(metadata)
        self.seed = seed
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = SCHEDULES[schedule]
        self.warmup = warmup
        self.clip_norm = clip_norm
        # Sums over items and processes, whatever the sizes of batches.
        self.train_loss = MeanMetric()
        self.val_loss = MeanMetric()
        self.train_loss_per_token = MeanMetric()
        self.val_loss_per_token = MeanMetric()
        self.samples: list[tuple[str, str, str]] = []
        self._cpu_seconds = 0.0

    @property
    def scored_model(self) -> nn.Module:
        """What is validated, and kept as the best."""
        return self.model if self.averaged is None else self.averaged.module

    def describe_best(self, best: Mapping[str, float]) -> str:
        """Say how good the best checkpoint is, by its scores, the decisive first."""
        raise NotImplementedError

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
            num_tokens: (B,), of their targets.
        """
        metric = getattr(self, f"{part}_loss_per_token")
        # By the batch: an item without words has a loss, but no tokens.
        total = num_tokens.sum().clamp(min=1)
        metric.update(losses.detach().sum() / total, total)
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
            sizes: (B,) what each is to be divided by; None: 1.
        """
        losses = losses.detach()
        sizes = torch.ones_like(losses) if sizes is None else sizes
        self.train_loss.update(losses / sizes, sizes)
        size = len(losses)
        mean = losses.sum() / sizes.sum()
        self.log("train/step_loss", mean, prog_bar=True, batch_size=size)
        self.log(
            "train/loss", self.train_loss, on_step=False, on_epoch=True, batch_size=size
        )

    def on_train_start(self) -> None:
        """Follow the schedule, which has another length if max_epochs was changed."""
        scheduler, optimizer = self.lr_schedulers(), self.optimizers()
        rates = [
            base * scheduler.lr_lambdas[0](scheduler.last_epoch)
            for base in scheduler.base_lrs
        ]
        groups = optimizer.param_groups
        if rates[0] != groups[0]["lr"]:
            log.warning(
                "the schedule now ends after %d epochs, so that the learning rate goes "
                "on at %.3g instead of %.3g: a run that was planned for so many epochs "
                "from the start would be another",
                self.trainer.max_epochs,
                rates[0],
                groups[0]["lr"],
            )
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Take a step, and take it into the average."""
        super().optimizer_step(*args, **kwargs)
        if self.averaged is not None:
            self.averaged.update_parameters(self.model)

    def on_train_epoch_end(self) -> None:
        """Log the time behind, of the first process."""
        self.log("train/cpu_seconds", self.cpu_seconds, rank_zero_only=True)

    def configure_optimizers(self) -> dict[str, Any]:
        """The optimiser, with a schedule over all steps of the run."""
        groups = self._parameter_groups()
        if self.uses_muon:
            optimizer = Muon(groups, self.learning_rate)
        else:
            optimizer = torch.optim.AdamW(groups, self.learning_rate)
        num_steps = self.trainer.datamodule.steps_per_epoch * self.trainer.max_epochs
        scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: self.schedule((step + 1) / num_steps, self.warmup)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def _parameter_groups(self) -> list[dict[str, Any]]:
        """Parameters by how they are optimised."""
        blocks = self._muon_blocks() if self.uses_muon else {}
        others = [p for p in self.model.parameters() if p not in blocks]
        groups = [
            {
                "params": [p for p in others if p.dim() > 1],
                "weight_decay": self.weight_decay,
            },
            {"params": [p for p in others if p.dim() <= 1], "weight_decay": 0.0},
        ]
        for shape in dict.fromkeys(blocks.values()):
            matrices = {
                "params": [p for p in blocks if blocks[p] == shape],
                "weight_decay": self.weight_decay,
                "block_shape": shape,
            }
            groups.append(matrices)
        return groups

    def _muon_blocks(self) -> dict[nn.Parameter, tuple[int, int]]:
        """What Muon turns, with the rows and columns of the blocks in each.

        A block is a gate of one direction, or all filters of a convolution.
        """
        gates = self.model.encoder.weight_blocks()
        filters = {p: (len(p), p[0].numel()) for p in self.filters() if p.dim() > 1}
        return {**gates, **filters}

    def filters(self) -> Iterable[nn.Parameter]:
        """Parameters of convolutions in front of the encoder."""
        return ()

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        """Clip the norm of the whole gradient; refuse one that is not finite.

        Under float16 the loss scaler skips such steps by itself.
        """
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.clip_norm)
        scaler = getattr(self.trainer.precision_plugin, "scaler", None)
        if scaler is None and not math.isfinite(norm):
            raise InputError(
                f"gradient norm is {norm} {self._where()}, expected a finite one; "
                f"lower task.learning_rate{KEPT}"
            )
        self.log("train/gradient_norm", norm)
        self.log("train/learning_rate", optimizer.param_groups[0]["lr"])

    def description(self) -> dict[str, Any]:
        """What a checkpoint says of the model and the run, as of now."""
        progress = {
            "epoch": self.current_epoch + 1,  # as the log counts
            "step": self.global_step,
            "cpu_seconds": round(self.cpu_seconds, 1),
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
        """CPU time of this process, and of those that it was resumed from."""
        return self._cpu_seconds + time.process_time()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Make the checkpoint describe itself; keep the losses of the epoch so far."""
        checkpoint.update(self.description())
        sums = [[metric.mean_value, metric.weight] for metric in self._train_losses]
        sums = torch.stack([torch.stack(pair) for pair in sums])
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
        expected = [len(group["params"]) for group in self._parameter_groups()]
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
        self._cpu_seconds = metadata["cpu_seconds"]
        sums = checkpoint.get(LOSSES_KEY)
        if isinstance(sums, Tensor) and self.trainer.is_global_zero:
            for metric, pair in zip(self._train_losses, sums, strict=True):
                metric.mean_value, metric.weight = pair.to(metric.mean_value.device)

    @property
    def _train_losses(self) -> tuple[MeanMetric, MeanMetric]:
        """What an epoch of training adds up."""
        return self.train_loss, self.train_loss_per_token

    def refuse_non_finite(self, losses: Tensor, ids: list[str], remedy: str) -> None:
        """Raise InputError if the loss of an item cannot be trained on."""
        finite = losses.detach().isfinite()
        if finite.all():
            return
        wrong = [id for id, good in zip(ids, finite.tolist(), strict=True) if not good]
        found = losses[~finite][0].item()
        raise InputError(
            f"loss is {found} {self._where()}, expected a finite one; utterances: "
            f"{', '.join(wrong)}; of the batch: {', '.join(ids)}; {remedy}{KEPT}"
        )

    def _where(self) -> str:
        return f"in epoch {self.current_epoch + 1}, step {self.global_step + 1}"


def moving_average(kept: float) -> Callable[..., None]:
    """How AveragedModel goes on averaging.

    At first less is kept, so that the average soon forgets how it began.

    Args:
        kept: share of the average that a step leaves, in the long run.
    """

    def update(average: list[Tensor], weights: list[Tensor], num_steps: Tensor) -> None:
        steps = int(num_steps)
        now = min(kept, (1 + steps) / (10 + steps))
        torch._foreach_lerp_(average, weights, 1 - now)

    return update
