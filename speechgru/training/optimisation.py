"""How the weights of a model are changed: the optimiser, its schedule, an average."""

import logging
import math
from collections.abc import Iterable
from typing import Any, ClassVar, NoReturn

import lightning as L
import torch
from torch import Tensor, nn

from speechgru.interfaces import InputError
from speechgru.model.encoders.contract import BlockEncoder
from speechgru.ranges import SEED, OptionError, Range, check, nearest
from speechgru.training.moving_average import MovingAverage
from speechgru.training.muon import Muon
from speechgru.training.schedule import SCHEDULES

log = logging.getLogger(__name__)

KEPT = "; the last good checkpoint is kept in the run folder"


class Optimisation(L.LightningModule):
    """Take steps with a model; what a task adds is their loss.

    With `average`, what is validated and kept in checkpoints as the best is
    not the last weights but their exponential moving average.

    Args:
        model: what is trained.
        seed: of the run; keys all randomness of a step with its batch.
        learning_rate: the peak of the schedule.
        weight_decay: decoupled; on weight matrices, not on biases.
        schedule: a name in training.schedule.SCHEDULES.
        warmup: share of all steps until the peak.
        clip_norm: largest norm of a step's gradient.
        average: how much of the average a step leaves, e.g. 0.999; 0 keeps none.
        optimizer: "adamw", or "muon" for the matrices of the encoder's layers and
            of convolutions in front of it.

    Raises:
        OptionError: an option is out of its range.

    Source:
        AdamW: arXiv:1711.05101.
    """

    remedy: ClassVar[str] = "lower task.learning_rate"
    """For a loss that is not finite."""

    def __init__(
        self,
        model: nn.Module,
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
        self._losses_of_step: list[tuple[Tensor, list[str]]] = []
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
            self.averaged = MovingAverage(model, average)
        self.seed = seed
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = SCHEDULES[schedule]
        self.warmup = warmup
        self.clip_norm = clip_norm

    @property
    def scored_model(self) -> nn.Module:
        """What is validated, and kept as the best."""
        return self.model if self.averaged is None else self.averaged.module

    def on_train_start(self) -> None:
        """Follow the schedule, which has another length if the run has."""
        before = self.optimizers().param_groups[0]["lr"]
        self.follow_schedule()
        rate = self.optimizers().param_groups[0]["lr"]
        length = self.trainer.datamodule.length
        if not self.global_step or rate == before:
            return
        rise = length.course.rise(self.schedule, self.warmup)
        if rise and length.course.turns[-1].step == self.global_step:
            peak = length.factor(
                self.global_step + rise - 1, self.schedule, self.warmup
            )
            log.warning(
                "the schedule now ends after %d steps: the learning rate rises over %d "
                "steps from %.3g to %.3g, and falls from there; a run that was planned "
                "for so many from the start would be another",
                length.course.num_steps,
                rise,
                before,
                peak * self.learning_rate,
            )
            return
        log.warning(
            "the schedule now ends after %d steps, so that the learning rate goes "
            "on at %.3g instead of %.3g: a run that was planned for so many "
            "from the start would be another",
            length.course.num_steps,
            rate,
            before,
        )

    def follow_schedule(self) -> None:
        """Take the learning rate of the next step from the schedule as it is now."""
        scheduler = self.lr_schedulers()
        factor = scheduler.lr_lambdas[0](scheduler.last_epoch)
        groups = self.optimizers().param_groups
        for group, base in zip(groups, scheduler.base_lrs, strict=True):
            group["lr"] = base * factor

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Take a step, and take it into the average."""
        super().optimizer_step(*args, **kwargs)
        if self.averaged is not None:
            self.averaged.update(self.model, self.global_step)

    def configure_optimizers(self) -> dict[str, Any]:
        """The optimiser, with a schedule over all steps of the run."""
        groups = self.parameter_groups()
        optimizer: torch.optim.Optimizer
        if self.uses_muon:
            # Not float16, in which what is small becomes 0.
            is_bfloat16 = self.trainer.precision == "bf16-mixed"
            precision = torch.bfloat16 if is_bfloat16 else torch.float32
            optimizer = Muon(groups, self.learning_rate, precision=precision)
        else:
            optimizer = torch.optim.AdamW(groups, self.learning_rate)
        length = self.trainer.datamodule.length
        scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: length.factor(step, self.schedule, self.warmup)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def parameter_groups(self) -> list[dict[str, Any]]:
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

        Under float16 the loss scaler skips such steps by itself, if the losses are
        finite.
        """
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.clip_norm)
        scales = getattr(self.trainer.precision_plugin, "scaler", None) is not None
        losses = [losses.sum() for losses, _ in self._losses_of_step]
        # Both at once: here the host waits for the step, once.
        numbers = torch.stack([*losses, *([] if scales else [norm])])
        if not numbers.isfinite().all():
            self._refuse(norm)
        self._losses_of_step.clear()
        self.log("train/gradient_norm", norm)
        # A tensor on the host: Lightning would make one on the device, and wait.
        self.log("train/learning_rate", torch.tensor(optimizer.param_groups[0]["lr"]))

    def watch_losses(self, losses: Tensor, ids: list[str]) -> None:
        """Let the end of the step see to it that losses are finite.

        Args:
            losses: (B,), of a part of the step.
            ids: of its items.
        """
        self._losses_of_step.append((losses.detach(), ids))

    def forget_step(self) -> None:
        """Forget a step that came to no end."""
        self._losses_of_step.clear()
        self.zero_grad(set_to_none=True)

    def _refuse(self, norm: Tensor) -> NoReturn:
        """Raise InputError: the step cannot be trained on."""
        where = f"in epoch {self.current_epoch + 1}, step {self.global_step + 1}"
        for losses, ids in self._losses_of_step:
            finite = losses.isfinite().tolist()
            wrong = [id for id, good in zip(ids, finite, strict=True) if not good]
            if wrong:
                found = losses[finite.index(False)].item()
                raise InputError(
                    f"loss is {found} {where}, expected a finite one; utterances: "
                    f"{', '.join(wrong)}; of the batch: {', '.join(ids)}; "
                    f"{self.remedy}{KEPT}"
                )
        raise InputError(
            f"gradient norm is {norm} {where}, expected a finite one; "
            f"lower task.learning_rate{KEPT}"
        )
