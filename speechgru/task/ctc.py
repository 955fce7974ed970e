"""Training an acoustic model by connectionist temporal classification."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import lightning as L
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from torchmetrics import MeanMetric

from speechgru.data.randomness import keyed_seed
from speechgru.interfaces import Batch, Decoder, InputError, Tokenizer
from speechgru.model.acoustic import AcousticModel
from speechgru.model.checkpoint import DESCRIPTION_KEY, MODEL_PREFIX, describe
from speechgru.score.error_rate import ErrorRate
from speechgru.task.losses import (
    consistency_losses,
    ctc_losses,
    smoothing_losses,
)
from speechgru.task.schedule import SCHEDULES

KEPT = "; the last good checkpoint is kept in the run folder"


class CTCTask(L.LightningModule):
    """Train by CTC, validate by the error rates of decoded text.

    The loss of an optimiser step is the sum over its utterances divided by
    their number, over all processes and accumulated batches, so it does not
    depend on how a step is dealt out.

    With `average`, what is validated and kept in checkpoints as the best is
    not the last weights but their exponential moving average.

    Args:
        model: what is trained.
        tokenizer: of the targets.
        decoder: makes the text that is scored in validation.
        model_config: describes the model in checkpoints.
        metadata: describes the run in checkpoints; plain values.
        seed: of the run; keys dropout and SpecAugment with the batch.
        learning_rate: the peak of the schedule.
        weight_decay: of AdamW; on weight matrices, not on biases.
        schedule: a name in task.schedule.SCHEDULES.
        warmup: share of all steps until the peak.
        clip_norm: largest norm of a step's gradient.
        consistency: weight of the divergence between two views of each
            utterance; 0 trains on one view.
        smoothing: weight of the divergence from the uniform distribution.
        intermediate: weight of the CTC loss of the layers below the last, as
            a share of the whole.
        average: how much of the average a step leaves, e.g. 0.999; 0 keeps none.
        num_samples: decoded utterances that validation keeps for the log.

    Source:
        CTC, consistency and smoothing: see `task/losses.py`. Intermediate CTC:
        arXiv:2102.03216, here on all layers. AdamW: arXiv:1711.05101.
    """

    def __init__(
        self,
        model: AcousticModel,
        tokenizer: Tokenizer,
        decoder: Decoder,
        model_config: Mapping[str, Any],
        metadata: Mapping[str, Any],
        seed: int,
        learning_rate: float,
        weight_decay: float,
        schedule: str,
        warmup: float,
        clip_norm: float,
        consistency: float = 0.0,
        smoothing: float = 0.0,
        intermediate: float = 0.0,
        average: float = 0.0,
        num_samples: int = 3,
    ) -> None:
        super().__init__()
        if schedule not in SCHEDULES:
            raise InputError(
                f"task.schedule is {schedule!r}, expected one of: "
                f"{', '.join(SCHEDULES)}"
            )
        if not 0 < warmup < 1:
            raise InputError(f"task.warmup is {warmup}, expected a share of 0 to 1")
        if min(consistency, smoothing) < 0 or not (
            0 <= intermediate < 1 and 0 <= average < 1
        ):
            raise InputError(
                f"task.consistency is {consistency}, smoothing {smoothing}, "
                f"intermediate {intermediate}, average {average}; expected weights of "
                "0 or more, the last two below 1"
            )
        self.model = model
        self.averaged = None
        if average:
            self.averaged = AveragedModel(model, multi_avg_fn=moving_average(average))
            self.averaged.requires_grad_(False)
        self.tokenizer = tokenizer
        self.decoder = decoder
        self.model_config = model_config
        self.metadata = dict(metadata)
        self.seed = seed
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = SCHEDULES[schedule]
        self.warmup = warmup
        self.clip_norm = clip_norm
        self.consistency = consistency
        self.smoothing = smoothing
        self.intermediate = intermediate
        self.num_samples = num_samples
        # Sums over utterances and processes, whatever the sizes of batches.
        self.train_loss = MeanMetric()
        self.val_loss = MeanMetric()
        self.word_errors = ErrorRate("word")
        self.character_errors = ErrorRate("character")
        self.samples: list[tuple[str, str, str]] = []
        self._cpu_seconds = 0.0

    @property
    def num_views(self) -> int:
        """Of each utterance in a training batch."""
        return 2 if self.consistency else 1

    @property
    def scored_model(self) -> AcousticModel:
        """What is validated, and kept as the best."""
        return self.model if self.averaged is None else self.averaged.module

    def on_fit_start(self) -> None:
        """Estimate the normalisation on the first process, for all of them."""
        if self.metadata.get("step") or self.metadata.get("init_from"):
            return  # the statistics came with the weights
        if self.trainer.is_global_zero:
            size = getattr(self.model.normalize, "num_utterances", 0)
            device_batches = (
                (waveforms.to(self.device), lengths.to(self.device))
                for waveforms, lengths in self.trainer.datamodule.sample_waveforms(size)
            )
            self.model.fit_normalization(device_batches)
        for buffer in self.model.normalize.buffers():
            buffer.copy_(self.trainer.strategy.broadcast(buffer))

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Sum the losses of one part of a step."""
        torch.manual_seed(keyed_seed("step", self.seed, *batch.key))
        losses, total = self._losses(batch)
        self._refuse_non_finite(total, batch)
        size = len(batch.ids)
        self.train_loss.update(losses.detach())
        self.log(
            "train/step_loss", losses.detach().mean(), prog_bar=True, batch_size=size
        )
        self.log(
            "train/loss", self.train_loss, on_step=False, on_epoch=True, batch_size=size
        )
        # Lightning averages over accumulated batches, and DDP over processes;
        # undo both, since parts of a step differ in size.
        num_parts = self.trainer.world_size * self.trainer.accumulate_grad_batches
        return total.sum() * num_parts / batch.step_size

    def _losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The CTC losses (B,), and with all that is added to them."""
        *below, log_probs, output_lengths = self.model.score_layers(
            batch.waveforms, batch.waveform_lengths, all_layers=self.intermediate > 0
        )
        losses = total = ctc_losses(log_probs, output_lengths, batch)
        if below:
            others = [ctc_losses(each, output_lengths, batch) for each in below]
            share = self.intermediate
            total = (1 - share) * losses + share * sum(others) / len(others)
        if self.consistency:
            apart = consistency_losses(log_probs, output_lengths)
            total = total + self.consistency * apart
            self.log("train/consistency", apart.detach().mean(), batch_size=len(apart))
        if self.smoothing:
            total = total + self.smoothing * smoothing_losses(log_probs, output_lengths)
        return losses, total

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Take a step, and take it into the average."""
        super().optimizer_step(*args, **kwargs)
        if self.averaged is not None:
            self.averaged.update_parameters(self.model)

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Decode and count errors."""
        log_probs, output_lengths = self.scored_model(
            batch.waveforms, batch.waveform_lengths
        )
        losses = ctc_losses(log_probs, output_lengths, batch)
        hypotheses = self.decoder(
            log_probs, output_lengths, self.tokenizer, self.model.seconds_per_frame
        )
        texts = [hypothesis.text for hypothesis in hypotheses]
        self.word_errors.update(batch.references, texts)
        self.character_errors.update(batch.references, texts)
        if batch_index == 0:
            triples = list(zip(batch.ids, batch.references, texts, strict=True))
            self.samples = triples[: self.num_samples]
        options = {"on_epoch": True, "batch_size": len(batch.ids)}
        self.val_loss.update(losses)
        # Metrics that are logged as objects are summed over processes and
        # reset after every epoch.
        self.log("val/loss", self.val_loss, **options)
        self.log("val/wer", self.word_errors, prog_bar=True, **options)
        self.log("val/cer", self.character_errors, **options)

    def on_train_epoch_end(self) -> None:
        """Log the time behind, of the first process."""
        self.log("train/cpu_seconds", self.cpu_seconds, rank_zero_only=True)

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW, with a schedule over all steps of the run."""
        matrices = [p for p in self.model.parameters() if p.dim() > 1]
        others = [p for p in self.model.parameters() if p.dim() <= 1]
        optimizer = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": self.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=self.learning_rate,
        )
        num_steps = self.trainer.datamodule.steps_per_epoch * self.trainer.max_epochs
        scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: self.schedule((step + 1) / num_steps, self.warmup)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

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
                if name in ("val/wer", "val/cer", "val/loss")
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
        """Make the checkpoint describe itself."""
        checkpoint.update(self.description())

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on counting."""
        metadata = checkpoint[DESCRIPTION_KEY]["metadata"]
        self.metadata = {**metadata, **self.metadata, "step": metadata["step"]}
        self._cpu_seconds = metadata["cpu_seconds"]

    def _refuse_non_finite(self, losses: Tensor, batch: Batch) -> None:
        finite = losses.detach().isfinite()
        if finite.all():
            return
        ids = [
            id for id, good in zip(batch.ids, finite.tolist(), strict=True) if not good
        ]
        found = losses[~finite][0].item()
        raise InputError(
            f"loss is {found} {self._where()}, expected a finite one; utterances: "
            f"{', '.join(ids)}; of the batch: {', '.join(batch.ids)}; run speechgru "
            f"doctor, or lower task.learning_rate{KEPT}"
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
