"""Training an acoustic model by connectionist temporal classification."""

import math
import time
from collections.abc import Mapping
from typing import Any

import lightning as L
import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import MeanMetric

from speechgru.data.randomness import keyed_seed
from speechgru.interfaces import BLANK, Batch, Decoder, InputError, Tokenizer
from speechgru.model.acoustic import AcousticModel
from speechgru.model.checkpoint import DESCRIPTION_KEY, describe
from speechgru.score.error_rate import ErrorRate
from speechgru.task.schedule import SCHEDULES

KEPT = "; the last good checkpoint is kept in the run folder"


class CTCTask(L.LightningModule):
    """Train by CTC, validate by the error rates of decoded text.

    The loss of an optimiser step is the sum over its utterances divided by
    their number, over all processes and accumulated batches, so it does not
    depend on how a step is dealt out.

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
        num_samples: decoded utterances that validation keeps for the log.

    Source:
        Graves et al., "Connectionist Temporal Classification", ICML 2006;
        AdamW: arXiv:1711.05101.
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
        self.model = model
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
        self.num_samples = num_samples
        # Sums over utterances and processes, whatever the sizes of batches.
        self.train_loss = MeanMetric()
        self.val_loss = MeanMetric()
        self.word_errors = ErrorRate("word")
        self.character_errors = ErrorRate("character")
        self.samples: list[tuple[str, str, str]] = []
        self._cpu_seconds = 0.0

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
        log_probs, output_lengths = self.model(batch.waveforms, batch.waveform_lengths)
        losses = ctc_losses(log_probs, output_lengths, batch)
        self._refuse_non_finite(losses, batch)
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
        return losses.sum() * num_parts / batch.step_size

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Decode and count errors."""
        log_probs, output_lengths = self.model(batch.waveforms, batch.waveform_lengths)
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
        matrices = [p for p in self.parameters() if p.dim() > 1]
        others = [p for p in self.parameters() if p.dim() <= 1]
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
        norm = torch.nn.utils.clip_grad_norm_(self.parameters(), self.clip_norm)
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


def ctc_losses(log_probs: Tensor, output_lengths: Tensor, batch: Batch) -> Tensor:
    """Negative log-likelihood of each transcript.

    Args:
        log_probs: (B, T, C) float32, natural log.
        output_lengths: (B,) int64, frames.
        batch: has the targets.

    Returns:
        (B,) float32, natural log units; inf where no alignment exists.
    """
    return F.ctc_loss(
        log_probs.transpose(0, 1),
        batch.targets,
        output_lengths,
        batch.target_lengths,
        blank=BLANK,
        reduction="none",
    )
